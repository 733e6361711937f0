#ifndef SPOOL_ENTRY_STORE_H
#define SPOOL_ENTRY_STORE_H

#include "base/arena.h"
#include "spool/record.h"

/*
 * The entries on the disk. What arrives is stored in chunks under (sequence, chunk) and exists once its final
 * record commits, together with its bookmark and the books. Everything that changes something goes into one
 * group, made durable by entry_store_commit(); readers see committed entries only.
 */
struct entry_store;
struct arrival; /* an entry whose bytes are coming */

struct entry_store_settings {
	const char *path;     /* of an existing folder */
	uint64_t size;        /* limit of live bytes; the map is three times that (trap 6) */
	int64_t keep;         /* how long released entries stay, microseconds */
	int64_t (*now)(void); /* NULL: clock_now */
};

/* What is committed, and (open_bytes) what is arriving. Bytes are as charged against the limit. */
struct entry_store_counts {
	uint64_t next_sequence;
	uint64_t next_ticket;
	uint64_t live_entries;
	uint64_t live_bytes; /* re-runs included */
	uint64_t rerun_entries;
	uint64_t kept_entries;
	uint64_t kept_bytes;
	uint64_t open_bytes;
	uint64_t limit;
};

bool entry_store_open(
	const struct entry_store_settings *settings, struct entry_store **store, struct err *err);
void entry_store_free(struct entry_store **store);
void entry_store_trim(struct entry_store *store); /* memory of what was read goes back */
void entry_store_limits(struct entry_store *store, uint64_t size,
	int64_t keep); /* at most the size that it was opened with */

const uint8_t *entry_store_spool(const struct entry_store *store); /* UUID_LEN bytes: made with the file */
const struct entry_store_counts *entry_store_counts(const struct entry_store *store);

/* ---- arriving ---- */

struct arrival *arrival_new(struct entry_store *store);
uint64_t arrival_sequence(const struct arrival *arrival);
uint64_t arrival_size(const struct arrival *arrival);
/* Full chunks are put into the group, the rest waits in memory. */
void arrival_bytes(struct arrival *arrival, struct str bytes);
/*
 * Put the final record into the group. The caller fills source, lane, format, exercise, envelope and rerun of
 * entry; this fills the rest. Takes the arrival. bookmark may be NULL.
 */
void arrival_close(struct arrival **arrival, struct entry *entry, const struct append_close *bookmark);
/* The same for an entry that came in one piece. */
void arrival_whole(struct entry_store *store, struct str bytes, struct entry *entry,
	const struct append_close *bookmark);
void arrival_abort(struct arrival **arrival); /* its chunks are deleted with the group */

/* ---- the group ---- */

bool entry_store_dirty(const struct entry_store *store);
/*
 * Make the group durable. ERR_NOSPACE: nothing of it was written, all arrivals that had put something into it
 * are spoilt (arrival_spoilt()), and releases must be given again. Any other error: the process must end.
 */
bool entry_store_commit(struct entry_store *store, struct err *err);
bool entry_store_well(const struct entry_store *store, struct err *err);
bool arrival_spoilt(const struct arrival *arrival);
/* Ask the disk for room beyond what is used; ERR_NOSPACE if it has none. */
bool entry_store_reserve(struct entry_store *store, struct err *err);

/* ---- what waits ---- */

/* The first live entry of the source at or after *sequence; committed only. */
bool entry_store_next(struct entry_store *store, uint32_t source, uint64_t *sequence, uint64_t *size);
typedef void entry_store_source_fn(void *context, uint32_t source, enum lane lane);
void entry_store_sources(
	struct entry_store *store, entry_store_source_fn *call, void *context); /* that have live entries */
/* Both valid until the next commit or entry_store_unread(). bytes stand in the map, or in space where there
 * are several chunks. */
bool entry_store_read(struct entry_store *store, uint64_t sequence, struct record *record);
bool entry_store_read_bytes(
	struct entry_store *store, const struct record *record, struct buf *space, struct str *bytes);
void entry_store_unread(struct entry_store *store);

/* Landed: from now on kept only. False if it is not live. */
bool entry_store_release(struct entry_store *store, uint64_t sequence);
/* Delete kept entries whose time is over, and the oldest while they take more than half of the limit; at most
 * `most`. True if there is more to do. */
bool entry_store_purge(struct entry_store *store, size_t most);
/* A failover may have lost what was released: make everything kept live again (trap 3). */
size_t entry_store_revive(struct entry_store *store, size_t most);
/* The ledger knows this id with other content (trap 2): append it again under the present spool id, a new one
 * where it has that. */
bool entry_store_rename(struct entry_store *store, uint64_t sequence);

/* ---- beside the entries ---- */

uint64_t entry_store_ticket(struct entry_store *store); /* never the same twice in the life of the file */
/* Whether that bookmark is now, what is not durable yet included, `expected`; "" where there is none. */
bool entry_store_bookmark_is(struct entry_store *store, struct str owner, struct str expected);
bool entry_store_bookmark(struct entry_store *store, struct str owner,
	struct str *value); /* committed; as entry_store_read() */
size_t entry_store_expire_bookmarks(
	struct entry_store *store); /* of sessions and submissions not touched for 30 days */
/* Named values: "sources", "timeline". */
void entry_store_put_note(struct entry_store *store, const char *name, struct str value);
bool entry_store_note(struct entry_store *store, const char *name, struct str *value);
void entry_store_put_poison(struct entry_store *store, uint64_t sequence, struct str value);
bool entry_store_poison(struct entry_store *store, uint64_t sequence, struct str *value);
struct book *entry_store_books(
	struct entry_store *store, bool unsent_only, struct arena *arena, size_t *count);

#endif
