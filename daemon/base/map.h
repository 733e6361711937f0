#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Hash tables: from a number or from bytes (copied, keyed SipHash) to a pointer that the caller owns. */
struct map;

struct map *map_new(void);
void map_free(struct map **map);
size_t map_count(const struct map *map);
void *map_get(const struct map *map, uint64_t key);
void *map_put(struct map *map, uint64_t key, void *value); /* returns what was there */
void *map_remove(struct map *map, uint64_t key);
void *map_get_str(const struct map *map, struct str key);
void *map_put_str(struct map *map, struct str key, void *value);
void *map_remove_str(struct map *map, struct str key);
/* Walk: start with *cursor = 0; false at the end. Only the entry just returned may be removed meanwhile. */
bool map_next(const struct map *map, size_t *cursor, uint64_t *key, void **value);
bool map_next_str(const struct map *map, size_t *cursor, struct str *key, void **value);

#endif
