#include "config.h"

#include "base/map.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

/*
 * Open addressing, linear probing. A removed slot stays marked until the next growth, so that a walk that
 * removes what it was just given neither skips an entry nor sees one twice.
 */
enum slot_state { SLOT_FREE, SLOT_REMOVED, SLOT_USED };

struct slot {
	uint64_t key; /* the number, or the hash of the bytes */
	char *bytes;  /* NULL: keyed by number */
	size_t len;
	void *value;
	enum slot_state state;
};

struct map {
	struct slot *slots;
	size_t size; /* a power of two, or 0 */
	size_t used;
	size_t removed;
	uint8_t secret[16];
};

struct map *map_new(void)
{
	struct map *map = mem_alloc(sizeof(*map));
	random_bytes(map->secret, sizeof(map->secret));
	return map;
}

void map_free(struct map **map)
{
	if (!*map)
		return;
	for (size_t i = 0; i < (*map)->size; i++)
		free((*map)->slots[i].bytes);
	free((*map)->slots);
	free(*map);
	*map = NULL;
}

size_t map_count(const struct map *map)
{
	return map->used;
}

static size_t slot_home(const struct map *map, uint64_t key)
{
	uint64_t secret;
	memcpy(&secret, map->secret, sizeof(secret));
	key ^= secret;
	key = (key ^ key >> 33) * UINT64_C(0xff51afd7ed558ccd);
	key = (key ^ key >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (size_t)(key ^ key >> 33) & (map->size - 1);
}

static bool slot_is(const struct slot *slot, uint64_t key, const struct str *bytes)
{
	if (slot->state != SLOT_USED || slot->key != key || !slot->bytes != !bytes)
		return false;
	return !bytes || str_equal((struct str){slot->bytes, slot->len}, *bytes);
}

static struct slot *map_find(const struct map *map, uint64_t key, const struct str *bytes)
{
	if (map->size == 0)
		return NULL;
	for (size_t i = slot_home(map, key);; i = (i + 1) & (map->size - 1)) {
		struct slot *slot = &map->slots[i];
		if (slot->state == SLOT_FREE)
			return NULL;
		if (slot_is(slot, key, bytes))
			return slot;
	}
}

/* The slot to use for a key that is not there. */
static struct slot *map_vacancy(const struct map *map, uint64_t key)
{
	size_t i = slot_home(map, key);
	while (map->slots[i].state == SLOT_USED)
		i = (i + 1) & (map->size - 1);
	return &map->slots[i];
}

/* At most three quarters full, removed ones included, or a search would not end. */
static void map_make_room(struct map *map)
{
	if ((map->used + map->removed + 1) * 4 <= map->size * 3)
		return;
	struct map old = *map;
	map->size = 16;
	while (map->size < (map->used + 1) * 2)
		map->size *= 2;
	map->slots = mem_alloc(map->size * sizeof(*map->slots));
	map->removed = 0;
	for (size_t i = 0; i < old.size; i++) {
		if (old.slots[i].state == SLOT_USED)
			*map_vacancy(map, old.slots[i].key) = old.slots[i];
	}
	free(old.slots);
}

static void *put(struct map *map, uint64_t key, const struct str *bytes, void *value)
{
	struct slot *slot = map_find(map, key, bytes);
	if (slot) {
		void *before = slot->value;
		slot->value = value;
		return before;
	}
	map_make_room(map);
	slot = map_vacancy(map, key);
	if (slot->state == SLOT_REMOVED)
		map->removed--;
	*slot = (struct slot){.key = key, .value = value, .state = SLOT_USED};
	if (bytes) {
		slot->bytes = mem_dup(bytes->p, bytes->len);
		slot->len = bytes->len;
	}
	map->used++;
	return NULL;
}

static void *take(struct map *map, struct slot *slot)
{
	if (!slot)
		return NULL;
	void *value = slot->value;
	free(slot->bytes);
	*slot = (struct slot){.state = SLOT_REMOVED};
	map->used--;
	map->removed++;
	return value;
}

void *map_get(const struct map *map, uint64_t key)
{
	const struct slot *slot = map_find(map, key, NULL);
	return slot ? slot->value : NULL;
}

void *map_put(struct map *map, uint64_t key, void *value)
{
	return put(map, key, NULL, value);
}

void *map_remove(struct map *map, uint64_t key)
{
	return take(map, map_find(map, key, NULL));
}

void *map_get_str(const struct map *map, struct str key)
{
	const struct slot *slot = map_find(map, siphash(map->secret, key), &key);
	return slot ? slot->value : NULL;
}

void *map_put_str(struct map *map, struct str key, void *value)
{
	return put(map, siphash(map->secret, key), &key, value);
}

void *map_remove_str(struct map *map, struct str key)
{
	return take(map, map_find(map, siphash(map->secret, key), &key));
}

static const struct slot *map_walk(const struct map *map, size_t *cursor, bool by_bytes)
{
	while (*cursor < map->size) {
		const struct slot *slot = &map->slots[(*cursor)++];
		if (slot->state == SLOT_USED && !slot->bytes == !by_bytes)
			return slot;
	}
	return NULL;
}

bool map_next(const struct map *map, size_t *cursor, uint64_t *key, void **value)
{
	const struct slot *slot = map_walk(map, cursor, false);
	if (!slot)
		return false;
	*key = slot->key;
	*value = slot->value;
	return true;
}

bool map_next_str(const struct map *map, size_t *cursor, struct str *key, void **value)
{
	const struct slot *slot = map_walk(map, cursor, true);
	if (!slot)
		return false;
	*key = (struct str){slot->bytes, slot->len};
	*value = slot->value;
	return true;
}
