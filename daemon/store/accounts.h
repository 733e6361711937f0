#ifndef STORE_ACCOUNTS_H
#define STORE_ACCOUNTS_H

#include "model/entry.h"
#include "pg/pg.h"

/* What the spool says that it received: absolute values, written until the database has them. */
struct accounts;

struct accounts *accounts_new(struct pg *pg);
void accounts_free(struct accounts **accounts);
/* Values of one spool, in which all sequences below `upto` are counted; replaces what was said before. */
void accounts_say(struct accounts *accounts, const uint8_t spool[UUID_LEN], uint64_t upto,
	const struct book *said, size_t count);
/* Write what is not written yet, unless that is on its way. */
void accounts_write(struct accounts *accounts);
bool accounts_are_written(const struct accounts *accounts);

#endif
