#ifndef SPOOL_ENTRY_TABLE_H
#define SPOOL_ENTRY_TABLE_H

#include "spool/entry_store.h"
#include "spool/kv.h"

/* The inside of an entry store: what entry_store.c, arrival.c and waiting.c share. Keys are big-endian. */
enum {
	TABLE_META,     /* name → value: totals, spool id, notes */
	TABLE_CHUNK,    /* sequence, chunk → bytes */
	TABLE_ENTRY,    /* sequence → record: live or kept */
	TABLE_QUEUE,    /* source, sequence → size, lane: live, in the order of handing out */
	TABLE_KEPT,     /* released, sequence → charge */
	TABLE_OPEN,     /* sequence: has chunks, but no record yet */
	TABLE_BOOK,     /* source, day → entries, bytes */
	TABLE_BOOKMARK, /* owner → when, value */
	TABLE_POISON,   /* sequence → struct poison */
	TABLES
};

struct totals {
	struct entry_store_counts counts;
	int64_t last_received;
};

struct entry_store {
	struct kv *kv;
	struct books *books;
	uint8_t spool[UUID_LEN];
	struct totals totals;
	struct totals committed;
	uint64_t ticket_limit;
	uint64_t group;        /* groups ended so far */
	uint64_t failed_group; /* the last that failed; counted from 1 */
	uint64_t last_chunk;   /* greatest sequence with a chunk, so far */
	uint64_t last_entry;
	struct buf space;
	uint64_t most; /* the limit that the map was opened for */
	int64_t keep;
	int64_t (*now)(void);
};

struct kv_key table_key(uint64_t a);
struct kv_key table_queue_key(uint32_t source, uint64_t sequence);
struct kv_key table_kept_key(int64_t released, uint64_t sequence);
void table_put_chunk(struct entry_store *store, uint64_t sequence, uint32_t chunk, struct str bytes);
void table_delete_chunks(struct entry_store *store, uint64_t sequence);
void table_put_bookmark(struct entry_store *store, const struct append_close *bookmark);
/* Put a live entry: its record, its place in the queue, its counts. */
void table_put_entry(struct entry_store *store, const struct record *record);
/* Count it as received, unless it is a re-run. */
void table_count(struct entry_store *store, const struct entry *entry);
/* Received now, and never before what came before. */
int64_t table_received(struct entry_store *store);
void table_new_spool(struct entry_store *store);

#endif
