#ifndef WARNINGLIST_ENTRY_TABLE_H
#define WARNINGLIST_ENTRY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys of bytes, each in one or several lists. Grows as it is filled; a look-up costs one hash. */
struct entry_table;

struct entry {
	const struct entry *next; /* another of the same slot, or NULL */
	uint64_t hash;
	uint32_t list;    /* number of the list */
	uint32_t key_len; /* the key is the first bytes of `bytes` */
	uint32_t len;
	char bytes[]; /* what the list says, with a NUL after it */
};

struct entry_table *entry_table_new(void);
void entry_table_free(struct entry_table *table);
/* False: no memory. */
bool entry_table_add(struct entry_table *table, uint32_t list, const char *bytes, size_t len, size_t key_len);
/* The first entry with this key; then entry_next() until NULL. */
const struct entry *entry_find(const struct entry_table *table, const char *key, size_t len);
const struct entry *entry_next(const struct entry *entry, const char *key, size_t len);
size_t entry_table_count(const struct entry_table *table);

#endif
