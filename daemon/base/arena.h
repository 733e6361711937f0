#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

/* Memory of one message, freed at once with it. */
struct arena;

struct arena *arena_new(size_t first_block);
void arena_free(struct arena **arena);
void arena_reset(struct arena *arena);               /* forget everything, keep the first block */
void *arena_alloc(struct arena *arena, size_t size); /* zero-filled, aligned for any type */
/* Grow the array at old from old_size to size bytes; copies unless it is the newest allocation. */
void *arena_grow(struct arena *arena, void *old, size_t old_size, size_t size);
struct str arena_str(struct arena *arena, struct str text); /* a copy, NUL-terminated behind its end */
struct str arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
size_t arena_size(const struct arena *arena); /* bytes handed out */

#endif
