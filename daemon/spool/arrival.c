#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pack.h"
#include "spool/books.h"
#include "spool/entry_table.h"

struct arrival {
	struct entry_store *store;
	struct sha256 *hash; /* made when the bytes come in more than one piece */
	struct buf rest;     /* less than a chunk */
	uint64_t sequence;
	uint64_t size;
	uint64_t group; /* in which it last put something; 0 = never */
	uint32_t chunks;
};

struct arrival *arrival_new(struct entry_store *store)
{
	struct arrival *arrival = mem_alloc(sizeof(*arrival));

	arrival->store = store;
	arrival->sequence = store->totals.counts.next_sequence++;
	return arrival;
}

uint64_t arrival_sequence(const struct arrival *arrival)
{
	return arrival->sequence;
}

uint64_t arrival_size(const struct arrival *arrival)
{
	return arrival->size;
}

bool arrival_spoilt(const struct arrival *arrival)
{
	return arrival->group != 0 && arrival->group == arrival->store->failed_group;
}

static void arrival_free(struct arrival **arrival)
{
	(*arrival)->store->totals.counts.open_bytes -= (*arrival)->size;
	sha256_free(&(*arrival)->hash);
	buf_free(&(*arrival)->rest);
	free(*arrival);
	*arrival = NULL;
}

void table_put_chunk(struct entry_store *store, uint64_t sequence, uint32_t chunk, struct str bytes)
{
	struct kv_key key = table_key(sequence);
	bool last = sequence >= store->last_chunk;

	kv_key_u32(&key, chunk);
	kv_put(store->kv, TABLE_CHUNK, &key, bytes, last);
	if (last)
		store->last_chunk = sequence;
}

static void put_chunk(struct arrival *arrival, struct str bytes)
{
	arrival->group = arrival->store->group + 1;
	table_put_chunk(arrival->store, arrival->sequence, arrival->chunks++, bytes);
}

/* Put what are whole chunks; what is left stays in *bytes. */
static void put_whole_chunks(struct arrival *arrival, struct str *bytes)
{
	while (bytes->len >= RECORD_CHUNK) {
		put_chunk(arrival, (struct str){bytes->p, RECORD_CHUNK});
		bytes->p += RECORD_CHUNK;
		bytes->len -= RECORD_CHUNK;
	}
}

/* Chunks of an entry without a record are swept at the next start: that needs to know of them. */
static void mark_open(struct arrival *arrival)
{
	struct kv_key key = table_key(arrival->sequence);

	if (arrival->chunks == 0)
		kv_put(arrival->store->kv, TABLE_OPEN, &key, STR(""), true);
}

void arrival_bytes(struct arrival *arrival, struct str bytes)
{
	if (!arrival->hash)
		arrival->hash = sha256_new();
	sha256_update(arrival->hash, bytes.p, bytes.len);
	arrival->size += bytes.len;
	arrival->store->totals.counts.open_bytes += bytes.len;
	if (arrival->rest.len + bytes.len < RECORD_CHUNK) {
		buf_str(&arrival->rest, bytes);
		return;
	}
	mark_open(arrival);
	if (arrival->rest.len) {
		size_t missing = RECORD_CHUNK - arrival->rest.len;

		buf_append(&arrival->rest, bytes.p, missing);
		put_chunk(arrival, buf_view(&arrival->rest));
		buf_clear(&arrival->rest);
		bytes.p += missing;
		bytes.len -= missing;
	}
	put_whole_chunks(arrival, &bytes);
	buf_str(&arrival->rest, bytes);
}

int64_t table_received(struct entry_store *store)
{
	int64_t now = store->now();

	if (now > store->totals.last_received)
		store->totals.last_received = now;
	return store->totals.last_received;
}

void table_put_entry(struct entry_store *store, const struct record *record)
{
	const struct entry *entry = &record->entry;
	struct entry_store_counts *counts = &store->totals.counts;
	struct kv_key key = table_key(entry->id.sequence);
	struct kv_key queue = table_queue_key(entry->source, entry->id.sequence);
	struct buf *space = &store->space;
	bool last = entry->id.sequence > store->last_entry;

	buf_clear(space);
	record_encode(record, space);
	kv_put(store->kv, TABLE_ENTRY, &key, buf_view(space), last);
	if (last)
		store->last_entry = entry->id.sequence;
	buf_clear(space);
	pack_u64(space, entry->size);
	pack_u8(space, (uint8_t)entry->lane);
	kv_put(store->kv, TABLE_QUEUE, &queue, buf_view(space), false);
	counts->live_bytes += record->charge;
	if (entry->rerun)
		counts->rerun_entries++;
	else
		counts->live_entries++;
}

void table_count(struct entry_store *store, const struct entry *entry)
{
	if (!entry->rerun)
		books_count(store->books, entry->source, entry->id.day, entry->size);
}

/* The final record: entry has its size and digest, its chunks are in the group. */
static void finish(struct entry_store *store, uint64_t sequence, uint32_t chunks, struct entry *entry,
	const struct append_close *bookmark)
{
	struct record record = {.chunks = chunks};

	if (bookmark)
		record.bookmark = *bookmark; /* the first of the two lands with it */
	entry->received = table_received(store);
	entry->id.day = clock_day(entry->received);
	entry->id.sequence = sequence;
	memcpy(entry->id.spool, store->spool, UUID_LEN);
	record.entry = *entry;
	record.charge = record_charge(entry->size, entry->envelope.len,
		record.bookmark.bookmark_owner.len + record.bookmark.bookmark_value.len);
	table_put_entry(store, &record);
	table_put_bookmark(store, &record.bookmark);
	table_count(store, entry);
}

void arrival_close(struct arrival **arrival, struct entry *entry, const struct append_close *bookmark)
{
	struct arrival *a = *arrival;
	struct kv_key open = table_key(a->sequence);

	if (a->chunks)
		kv_delete(a->store->kv, TABLE_OPEN, &open);
	if (a->rest.len)
		put_chunk(a, buf_view(&a->rest));
	if (a->hash)
		sha256_final(a->hash, entry->digest);
	else
		sha256(STR_NONE, entry->digest);
	entry->size = a->size;
	finish(a->store, a->sequence, a->chunks, entry, bookmark);
	arrival_free(arrival);
}

void arrival_whole(
	struct entry_store *store, struct str bytes, struct entry *entry, const struct append_close *bookmark)
{
	uint64_t sequence = store->totals.counts.next_sequence++;
	uint32_t chunks = 0;

	sha256(bytes, entry->digest);
	entry->size = bytes.len;
	while (bytes.len) {
		size_t len = bytes.len < RECORD_CHUNK ? bytes.len : RECORD_CHUNK;

		table_put_chunk(store, sequence, chunks++, (struct str){bytes.p, len});
		bytes.p += len;
		bytes.len -= len;
	}
	finish(store, sequence, chunks, entry, bookmark);
}

void arrival_abort(struct arrival **arrival)
{
	struct arrival *a = *arrival;

	if (a->chunks) {
		struct kv_key open = table_key(a->sequence);

		table_delete_chunks(a->store, a->sequence);
		kv_delete(a->store->kv, TABLE_OPEN, &open);
	}
	arrival_free(arrival);
}
