#ifndef SPOOL_BOOKS_H
#define SPOOL_BOOKS_H

#include "base/arena.h"
#include "model/entry.h"
#include "spool/kv.h"

/* What was received, per source and UTC day, absolute: kept in memory, written with the entries it counts
 * (trap 18). */
struct books;

struct books *books_new(struct kv *kv, unsigned table);
void books_free(struct books **books);
void books_load(struct books *books); /* what is committed, forgetting everything else */
void books_count(struct books *books, uint32_t source, int32_t day, uint64_t bytes);
void books_write(struct books *books); /* put what changed into the transaction */
void books_clear(struct books *books); /* a new spool id starts new books */
/* All of them, or those counted in since the last time with unsent_only; in arena. */
struct book *books_list(struct books *books, bool unsent_only, struct arena *arena, size_t *count);

#endif
