#include "spool/entry_store.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pack.h"
#include "spool/books.h"
#include "spool/entry_table.h"

/* What the disk must have beyond what is used: more than any one group writes. */
#define RESERVE (UINT64_C(64) << 20)
/* Tickets are taken from the file in blocks, so that handing out needs no commit of its own. */
#define TICKETS          (UINT64_C(1) << 20)
#define BOOKMARK_EXPIRES (30 * CLOCK_DAY)
/* Reports of a day that a feed fetched one by one: longer than it ever looks back. */
#define REPORTS_EXPIRE (120 * CLOCK_DAY)

static const char *const tables[] = {
	[TABLE_META] = "meta",
	[TABLE_CHUNK] = "chunk",
	[TABLE_ENTRY] = "entry",
	[TABLE_QUEUE] = "queue",
	[TABLE_KEPT] = "kept",
	[TABLE_OPEN] = "open",
	[TABLE_BOOK] = "book",
	[TABLE_BOOKMARK] = "bookmark",
	[TABLE_POISON] = "poison",
	[TABLES] = NULL,
};

struct kv_key table_key(uint64_t a)
{
	struct kv_key key = {.len = 0};

	kv_key_u64(&key, a);
	return key;
}

struct kv_key table_queue_key(uint32_t source, uint64_t sequence)
{
	struct kv_key key = {.len = 0};

	kv_key_u32(&key, source);
	kv_key_u64(&key, sequence);
	return key;
}

struct kv_key table_kept_key(int64_t released, uint64_t sequence)
{
	struct kv_key key = {.len = 0};

	kv_key_u64(&key, (uint64_t)released);
	kv_key_u64(&key, sequence);
	return key;
}

static struct kv_key text_key(struct str text)
{
	struct kv_key key = {.len = 0};

	kv_key_text(&key, text);
	return key;
}

/* ---- what is counted ---- */

static void totals_write(struct entry_store *store)
{
	struct buf value = {0};
	const struct totals *totals = &store->totals;
	struct kv_key key = text_key(STR("totals"));

	pack_u64(&value, totals->counts.next_sequence);
	pack_u64(&value, store->ticket_limit);
	pack_u64(&value, totals->counts.live_entries);
	pack_u64(&value, totals->counts.live_bytes);
	pack_u64(&value, totals->counts.rerun_entries);
	pack_u64(&value, totals->counts.kept_entries);
	pack_u64(&value, totals->counts.kept_bytes);
	pack_i64(&value, totals->last_received);
	kv_put(store->kv, TABLE_META, &key, buf_view(&value), false);
	buf_free(&value);
}

static bool totals_read(struct entry_store *store, struct totals *totals)
{
	struct kv_key key = text_key(STR("totals"));
	struct unpack in = {.failed = false};

	*totals = (struct totals){.counts = {.next_sequence = 1, .next_ticket = 1}};
	if (!kv_get(store->kv, KV_COMMITTED, TABLE_META, &key, &in.rest))
		return true;
	totals->counts.next_sequence = unpack_u64(&in);
	totals->counts.next_ticket = unpack_u64(&in);
	totals->counts.live_entries = unpack_u64(&in);
	totals->counts.live_bytes = unpack_u64(&in);
	totals->counts.rerun_entries = unpack_u64(&in);
	totals->counts.kept_entries = unpack_u64(&in);
	totals->counts.kept_bytes = unpack_u64(&in);
	totals->last_received = unpack_i64(&in);
	return unpack_end(&in);
}

/* ---- opening ---- */

static void spool_id_write(struct entry_store *store)
{
	struct kv_key key = text_key(STR("spool"));

	kv_put(store->kv, TABLE_META, &key, (struct str){(const char *)store->spool, UUID_LEN}, false);
}

static bool spool_id_read(struct entry_store *store, struct err *err)
{
	struct kv_key key = text_key(STR("spool"));
	struct str value;

	if (!kv_get(store->kv, KV_COMMITTED, TABLE_META, &key, &value)) {
		random_bytes(store->spool, UUID_LEN);
		spool_id_write(store);
		return true;
	}
	if (value.len != UUID_LEN)
		return err_set(
			err, ERR_CORRUPT, "spool: its id has %zu bytes, expected %d", value.len, UUID_LEN);
	memcpy(store->spool, value.p, UUID_LEN);
	return true;
}

void table_delete_chunks(struct entry_store *store, uint64_t sequence)
{
	struct kv_key prefix = table_key(sequence);
	struct str key;
	struct str value;

	while (kv_seek(store->kv, KV_WRITTEN, TABLE_CHUNK, &prefix, prefix.len, &key, &value)) {
		struct kv_key row = text_key(key);

		kv_delete(store->kv, TABLE_CHUNK, &row);
	}
}

static bool sweep_row(void *context, struct str key, struct str value)
{
	struct entry_store *store = context;
	uint64_t sequence = kv_u64(key, 0);
	struct kv_key row = table_key(sequence);

	(void)value;
	table_delete_chunks(store, sequence);
	kv_delete(store->kv, TABLE_OPEN, &row);
	return true;
}

/* Chunks of entries whose final record never came. */
static void sweep(struct entry_store *store)
{
	const struct kv_key all = {.len = 0};

	kv_each(store->kv, KV_WRITTEN, TABLE_OPEN, &all, sweep_row, store);
}

static bool store_start(struct entry_store *store, struct err *err)
{
	struct entry_store_counts *counts = &store->totals.counts;

	if (!totals_read(store, &store->totals))
		return err_set(err, ERR_CORRUPT, "spool: its counters cannot be read");
	if (!spool_id_read(store, err))
		return false;
	kv_release(store->kv);
	store->ticket_limit = counts->next_ticket + TICKETS;
	books_load(store->books);
	sweep(store);
	totals_write(store);
	store->committed = store->totals;
	return kv_commit(store->kv, err);
}

bool entry_store_open(
	const struct entry_store_settings *settings, struct entry_store **store, struct err *err)
{
	struct kv_settings kv = {settings->path, settings->size * 3, tables};
	struct entry_store *made = mem_alloc(sizeof(*made));

	made->now = settings->now ? settings->now : clock_now;
	if (!kv_open(&kv, &made->kv, err)) {
		free(made);
		return false;
	}
	made->books = books_new(made->kv, TABLE_BOOK);
	if (!store_start(made, err)) {
		entry_store_free(&made);
		return false;
	}
	made->most = settings->size;
	entry_store_limits(made, settings->size, settings->keep);
	*store = made;
	return true;
}

void entry_store_free(struct entry_store **store)
{
	if (!*store)
		return;
	books_free(&(*store)->books);
	kv_free(&(*store)->kv);
	buf_free(&(*store)->space);
	free(*store);
	*store = NULL;
}

void entry_store_trim(struct entry_store *store)
{
	kv_trim(store->kv);
}

void entry_store_limits(struct entry_store *store, uint64_t size, int64_t keep)
{
	if (size > store->most)
		size = store->most;
	store->totals.counts.limit = size;
	store->committed.counts.limit = size;
	store->keep = keep;
}

const uint8_t *entry_store_spool(const struct entry_store *store)
{
	return store->spool;
}

const struct entry_store_counts *entry_store_counts(const struct entry_store *store)
{
	return &store->totals.counts;
}

/* ---- the group ---- */

bool entry_store_dirty(const struct entry_store *store)
{
	return kv_dirty(store->kv);
}

bool entry_store_well(const struct entry_store *store, struct err *err)
{
	return kv_well(store->kv, err);
}

bool entry_store_reserve(struct entry_store *store, struct err *err)
{
	const struct entry_store_counts *counts = &store->totals.counts;
	uint64_t taken = (counts->live_bytes + counts->kept_bytes + counts->open_bytes) / 4 * 5;

	if (kv_reserve(store->kv, RESERVE, err))
		return true;
	/* The disk has no more to give, but the file may have pages that were freed. */
	return kv_file_used(store->kv) > taken + RESERVE;
}

/* Numbers that were given out stay given out. */
static void totals_roll_back(struct entry_store *store)
{
	struct entry_store_counts *counts = &store->totals.counts;
	uint64_t next_sequence = counts->next_sequence;
	uint64_t next_ticket = counts->next_ticket;
	uint64_t open_bytes = counts->open_bytes;

	store->totals = store->committed;
	counts->next_sequence = next_sequence;
	counts->next_ticket = next_ticket;
	counts->open_bytes = open_bytes;
}

bool entry_store_commit(struct entry_store *store, struct err *err)
{
	kv_release(store->kv);
	if (!kv_dirty(store->kv))
		return true;
	books_write(store->books);
	totals_write(store);
	store->group++;
	if (!kv_commit(store->kv, err)) {
		store->failed_group = store->group;
		books_load(store->books);
		totals_roll_back(store);
		return false;
	}
	store->committed = store->totals;
	return true;
}

/* ---- beside the entries ---- */

uint64_t entry_store_ticket(struct entry_store *store)
{
	struct entry_store_counts *counts = &store->totals.counts;

	/* The new limit is durable with the next commit, long before the old one is reached. */
	if (counts->next_ticket + TICKETS / 2 > store->ticket_limit) {
		store->ticket_limit += TICKETS;
		totals_write(store);
	}
	return counts->next_ticket++;
}

bool entry_store_bookmark(struct entry_store *store, struct str owner, struct str *value)
{
	struct kv_key key = text_key(owner);

	if (!kv_get(store->kv, KV_COMMITTED, TABLE_BOOKMARK, &key, value) || value->len < 8)
		return false;
	value->p += 8;
	value->len -= 8;
	return true;
}

bool entry_store_bookmark_is(struct entry_store *store, struct str owner, struct str expected)
{
	struct kv_key key = text_key(owner);
	struct str value;

	if (!kv_get(store->kv, KV_WRITTEN, TABLE_BOOKMARK, &key, &value) || value.len < 8)
		return expected.len == 0;
	return str_equal((struct str){value.p + 8, value.len - 8}, expected);
}

static void put_bookmark(struct entry_store *store, struct str owner, struct str text)
{
	struct kv_key key = text_key(owner);
	struct buf value = {0};

	if (owner.len == 0)
		return;
	pack_i64(&value, store->now());
	buf_str(&value, text);
	kv_put(store->kv, TABLE_BOOKMARK, &key, buf_view(&value), false);
	buf_free(&value);
}

void table_put_bookmark(struct entry_store *store, const struct append_close *bookmark)
{
	put_bookmark(store, bookmark->bookmark_owner, bookmark->bookmark_value);
	put_bookmark(store, bookmark->also_owner, bookmark->also_value);
}

struct expiry {
	struct entry_store *store;
	int64_t before;
	size_t count;
};

static bool expire_row(void *context, struct str key, struct str value)
{
	struct expiry *expiry = context;
	struct unpack in = {.rest = value};
	struct kv_key row = text_key(key);

	if (unpack_i64(&in) < expiry->before) {
		kv_delete(expiry->store->kv, TABLE_BOOKMARK, &row);
		expiry->count++;
	}
	return true;
}

size_t entry_store_expire_bookmarks(struct entry_store *store)
{
	struct expiry expiry = {store, store->now() - BOOKMARK_EXPIRES, 0};
	struct kv_key session = text_key(STR("session/"));
	struct kv_key submit = text_key(STR("submit/"));
	struct kv_key report = text_key(STR("report/"));

	kv_each(store->kv, KV_WRITTEN, TABLE_BOOKMARK, &session, expire_row, &expiry);
	kv_each(store->kv, KV_WRITTEN, TABLE_BOOKMARK, &submit, expire_row, &expiry);
	expiry.before = store->now() - REPORTS_EXPIRE;
	kv_each(store->kv, KV_WRITTEN, TABLE_BOOKMARK, &report, expire_row, &expiry);
	return expiry.count;
}

static struct kv_key note_key(const char *name)
{
	struct kv_key key = text_key(STR("note/"));

	kv_key_text(&key, str_of(name));
	return key;
}

void entry_store_put_note(struct entry_store *store, const char *name, struct str value)
{
	struct kv_key key = note_key(name);

	kv_put(store->kv, TABLE_META, &key, value, false);
}

bool entry_store_note(struct entry_store *store, const char *name, struct str *value)
{
	struct kv_key key = note_key(name);

	return kv_get(store->kv, KV_COMMITTED, TABLE_META, &key, value);
}

void entry_store_put_poison(struct entry_store *store, uint64_t sequence, struct str value)
{
	struct kv_key key = table_key(sequence);

	kv_put(store->kv, TABLE_POISON, &key, value, false);
}

bool entry_store_poison(struct entry_store *store, uint64_t sequence, struct str *value)
{
	struct kv_key key = table_key(sequence);

	return kv_get(store->kv, KV_COMMITTED, TABLE_POISON, &key, value);
}

struct book *entry_store_books(
	struct entry_store *store, bool unsent_only, struct arena *arena, size_t *count)
{
	return books_list(store->books, unsent_only, arena, count);
}

void table_new_spool(struct entry_store *store)
{
	random_bytes(store->spool, UUID_LEN);
	spool_id_write(store);
	books_clear(store->books);
}
