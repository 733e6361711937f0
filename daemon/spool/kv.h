#ifndef SPOOL_KV_H
#define SPOOL_KV_H

#include "base/err.h"
#include "base/str.h"

/*
 * The one file that knows LMDB. Ordered tables of bytes under big-endian composite keys, one writer.
 *
 * Writing: kv_put() and kv_delete() belong to one transaction that begins by itself and ends by kv_commit()
 * or kv_abort(). Its first error sticks: what follows does nothing, and kv_commit() fails with that error,
 * having changed nothing. Reading: KV_COMMITTED sees what is durable, KV_WRITTEN also what this transaction
 * wrote. Values point into the map; those of KV_COMMITTED are valid until kv_release(), which must come
 * before a commit, those of KV_WRITTEN until the next write.
 */
struct kv;

struct kv_settings {
	const char *path;          /* of an existing folder */
	uint64_t map_size;         /* bytes; the file grows up to that */
	const char *const *tables; /* names; a table is its index here. Ends with NULL */
};

enum kv_view { KV_COMMITTED, KV_WRITTEN };

/* ERR_CONFLICT: another process has it open. */
bool kv_open(const struct kv_settings *settings, struct kv **kv, struct err *err);
void kv_free(struct kv **kv); /* what was not committed is gone */
/* Give back the memory of pages that were looked at. They stay in the system's cache, and come back when they
 * are looked at again. */
void kv_trim(struct kv *kv);

#define KV_KEY_MAX 511
struct kv_key {
	uint8_t bytes[KV_KEY_MAX];
	size_t len;
};

/* Parts are put one after another; a key that gets too long is refused by kv_put(). */
void kv_key_u32(struct kv_key *key, uint32_t value);
void kv_key_u64(struct kv_key *key, uint64_t value);
void kv_key_text(struct kv_key *key, struct str text);
uint32_t kv_u32(struct str key, size_t at); /* 0 where the key is too short */
uint64_t kv_u64(struct str key, size_t at);

/* `last`: the key is believed to be the greatest of its table, so that pages are filled to the end. */
void kv_put(struct kv *kv, unsigned table, const struct kv_key *key, struct str value, bool last);
void kv_delete(struct kv *kv, unsigned table, const struct kv_key *key); /* a missing one is no error */
bool kv_get(struct kv *kv, enum kv_view view, unsigned table, const struct kv_key *key, struct str *value);
/* The first row at or after *key that has the first `prefix` bytes of *key; key and value are those of the
 * row. */
bool kv_seek(struct kv *kv, enum kv_view view, unsigned table, const struct kv_key *key, size_t prefix,
	struct str *found, struct str *value);

/* Return false to stop. Only the row just given may be deleted meanwhile, and only with KV_WRITTEN. */
typedef bool kv_row_fn(void *context, struct str key, struct str value);
void kv_each(struct kv *kv, enum kv_view view, unsigned table, const struct kv_key *prefix, kv_row_fn *row,
	void *context);

bool kv_dirty(const struct kv *kv);
/* False where an earlier write of the transaction failed. ERR_NOSPACE: map or disk is full. */
bool kv_well(const struct kv *kv, struct err *err);
/*
 * Durable on return. On failure nothing was written; ERR_NOSPACE only where a write before the commit found
 * map or disk full: then kv may be used further. After any other failure the process must end: an fsync is
 * never tried twice.
 */
bool kv_commit(struct kv *kv, struct err *err);
void kv_abort(struct kv *kv);
void kv_release(struct kv *kv); /* end reading: lets pages be used again */

/* Make sure that the disk has `more` bytes beyond what the file uses; ERR_NOSPACE if not. */
bool kv_reserve(struct kv *kv, uint64_t more, struct err *err);
uint64_t kv_file_used(const struct kv *kv); /* bytes of the file up to its last page in use */

#endif
