#include "base/pack.h"
#include "spool/entry_table.h"

/* Reading what waits, releasing what landed, and what happens to it afterwards. */

bool entry_store_next(struct entry_store *store, uint32_t source, uint64_t *sequence, uint64_t *size)
{
	struct kv_key from = table_queue_key(source, *sequence);
	struct unpack in = {.failed = false};
	struct str key;

	if (!kv_seek(store->kv, KV_COMMITTED, TABLE_QUEUE, &from, 4, &key, &in.rest))
		return false;
	*sequence = kv_u64(key, 4);
	*size = unpack_u64(&in);
	return true;
}

void entry_store_sources(struct entry_store *store, entry_store_source_fn *call, void *context)
{
	struct kv_key at = table_queue_key(0, 0);
	struct unpack in = {.failed = false};
	struct str key;

	while (kv_seek(store->kv, KV_COMMITTED, TABLE_QUEUE, &at, 0, &key, &in.rest)) {
		uint32_t source = kv_u32(key, 0);
		uint32_t lane;

		unpack_u64(&in);
		lane = unpack_u8(&in);
		call(context, source, lane < LANES ? (enum lane)lane : LANE_FEEDS);
		at = table_queue_key(source, UINT64_MAX);
	}
	kv_release(store->kv);
}

bool entry_store_read(struct entry_store *store, uint64_t sequence, struct record *record)
{
	struct kv_key key = table_key(sequence);
	struct str value;

	return kv_get(store->kv, KV_COMMITTED, TABLE_ENTRY, &key, &value) &&
	       record_decode(value, sequence, record);
}

static bool read_chunk(
	struct entry_store *store, enum kv_view view, uint64_t sequence, uint32_t chunk, struct str *bytes)
{
	struct kv_key key = table_key(sequence);

	kv_key_u32(&key, chunk);
	return kv_get(store->kv, view, TABLE_CHUNK, &key, bytes);
}

bool entry_store_read_bytes(
	struct entry_store *store, const struct record *record, struct buf *space, struct str *bytes)
{
	uint64_t sequence = record->entry.id.sequence;
	struct str chunk;

	*bytes = STR_NONE;
	if (record->chunks == 1)
		return read_chunk(store, KV_COMMITTED, sequence, 0, bytes) &&
		       bytes->len == record->entry.size;
	buf_clear(space);
	buf_reserve(space, record->entry.size);
	for (uint32_t i = 0; i < record->chunks; i++) {
		if (!read_chunk(store, KV_COMMITTED, sequence, i, &chunk))
			return false;
		buf_str(space, chunk);
	}
	*bytes = buf_view(space);
	return bytes->len == record->entry.size;
}

void entry_store_unread(struct entry_store *store)
{
	kv_release(store->kv);
}

/* ---- released and kept ---- */

static bool written_record(struct entry_store *store, uint64_t sequence, struct record *record)
{
	struct kv_key key = table_key(sequence);
	struct str value;

	return kv_get(store->kv, KV_WRITTEN, TABLE_ENTRY, &key, &value) &&
	       record_decode(value, sequence, record);
}

static bool is_live(struct entry_store *store, const struct record *record)
{
	struct kv_key key = table_queue_key(record->entry.source, record->entry.id.sequence);
	struct str value;

	return kv_get(store->kv, KV_WRITTEN, TABLE_QUEUE, &key, &value);
}

static void leave_queue(
	struct entry_store *store, uint32_t source, uint64_t sequence, uint64_t charge, bool rerun)
{
	struct entry_store_counts *counts = &store->totals.counts;
	struct kv_key queue = table_queue_key(source, sequence);
	struct kv_key poison = table_key(sequence);

	kv_delete(store->kv, TABLE_QUEUE, &queue);
	kv_delete(store->kv, TABLE_POISON, &poison);
	counts->live_bytes -= charge;
	if (rerun)
		counts->rerun_entries--;
	else
		counts->live_entries--;
}

bool entry_store_release(struct entry_store *store, uint64_t sequence)
{
	struct entry_store_counts *counts = &store->totals.counts;
	struct kv_key kept = table_kept_key(store->now(), sequence);
	struct record record;

	if (!written_record(store, sequence, &record) || !is_live(store, &record))
		return false;
	leave_queue(store, record.entry.source, sequence, record.charge, record.entry.rerun != 0);
	buf_clear(&store->space);
	pack_u64(&store->space, record.charge);
	kv_put(store->kv, TABLE_KEPT, &kept, buf_view(&store->space), true);
	counts->kept_entries++;
	counts->kept_bytes += record.charge;
	return true;
}

static bool oldest_kept(struct entry_store *store, struct kv_key *row, uint64_t *sequence, int64_t *released,
	uint64_t *charge)
{
	const struct kv_key all = {.len = 0};
	struct unpack in = {.failed = false};
	struct str key;

	if (!kv_seek(store->kv, KV_WRITTEN, TABLE_KEPT, &all, 0, &key, &in.rest))
		return false;
	*released = (int64_t)kv_u64(key, 0);
	*sequence = kv_u64(key, 8);
	*charge = unpack_u64(&in);
	*row = table_kept_key(*released, *sequence);
	return true;
}

static void leave_kept(struct entry_store *store, const struct kv_key *row, uint64_t charge)
{
	kv_delete(store->kv, TABLE_KEPT, row);
	store->totals.counts.kept_entries--;
	store->totals.counts.kept_bytes -= charge;
}

static bool kept_is_over(const struct entry_store *store, int64_t released)
{
	const struct entry_store_counts *counts = &store->totals.counts;

	return released + store->keep <= store->now() || counts->kept_bytes > counts->limit / 2;
}

bool entry_store_purge(struct entry_store *store, size_t most)
{
	uint64_t sequence;
	uint64_t charge;
	int64_t released;
	struct kv_key row;

	if (store->totals.counts.kept_entries == 0)
		return false;
	while (oldest_kept(store, &row, &sequence, &released, &charge)) {
		struct kv_key entry = table_key(sequence);

		if (!kept_is_over(store, released))
			return false;
		if (most-- == 0)
			return true;
		table_delete_chunks(store, sequence);
		kv_delete(store->kv, TABLE_ENTRY, &entry);
		leave_kept(store, &row, charge);
	}
	return false;
}

size_t entry_store_revive(struct entry_store *store, size_t most)
{
	size_t count = 0;
	uint64_t sequence;
	uint64_t charge;
	int64_t released;
	struct kv_key row;

	while (count < most && oldest_kept(store, &row, &sequence, &released, &charge)) {
		struct record record;
		struct buf copy = {0};
		struct kv_key key = table_key(sequence);
		struct str value;

		leave_kept(store, &row, charge);
		count++;
		if (!kv_get(store->kv, KV_WRITTEN, TABLE_ENTRY, &key, &value))
			continue;
		buf_str(&copy, value); /* the next write moves the page under it */
		if (record_decode(buf_view(&copy), sequence, &record))
			table_put_entry(store, &record);
		buf_free(&copy);
	}
	return count;
}

/* ---- a new id ---- */

static void move_chunks(struct entry_store *store, const struct record *record, uint64_t to)
{
	struct buf copy = {0};
	struct str chunk;

	for (uint32_t i = 0; i < record->chunks; i++) {
		if (!read_chunk(store, KV_WRITTEN, record->entry.id.sequence, i, &chunk))
			break;
		buf_clear(&copy);
		buf_str(&copy, chunk);
		table_put_chunk(store, to, i, buf_view(&copy));
	}
	buf_free(&copy);
	table_delete_chunks(store, record->entry.id.sequence);
}

bool entry_store_rename(struct entry_store *store, uint64_t sequence)
{
	struct kv_key key = table_key(sequence);
	struct buf copy = {0};
	struct record record;
	struct str value;
	bool found = kv_get(store->kv, KV_WRITTEN, TABLE_ENTRY, &key, &value);

	if (found)
		buf_str(&copy, value);
	found = found && record_decode(buf_view(&copy), sequence, &record) && is_live(store, &record);
	if (found) {
		if (memcmp(record.entry.id.spool, store->spool, UUID_LEN) == 0)
			table_new_spool(store);
		leave_queue(store, record.entry.source, sequence, record.charge, record.entry.rerun != 0);
		move_chunks(store, &record, store->totals.counts.next_sequence);
		kv_delete(store->kv, TABLE_ENTRY, &key);
		record.entry.id.sequence = store->totals.counts.next_sequence++;
		memcpy(record.entry.id.spool, store->spool, UUID_LEN);
		table_put_entry(store, &record);
		table_count(store, &record.entry);
	}
	buf_free(&copy);
	return found;
}
