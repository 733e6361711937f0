#include "entry_table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 256u

struct entry_table {
	struct entry **slots; /* a power of two of them */
	size_t slot_count;
	size_t count;
};

/* FNV-1a: the keys come from lists that the administrator chose, not from senders. */
static uint64_t hash_of(const char *bytes, size_t len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 32;
}

struct entry_table *entry_table_new(void)
{
	struct entry_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->slot_count = FIRST_SLOTS;
	table->slots = calloc(table->slot_count, sizeof(struct entry *));
	if (!table->slots) {
		free(table);
		return NULL;
	}
	return table;
}

void entry_table_free(struct entry_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->slot_count; i++) {
		struct entry *entry = table->slots[i];
		while (entry) {
			const struct entry *next = entry->next;
			free(entry);
			entry = (struct entry *)(uintptr_t)next;
		}
	}
	free(table->slots);
	free(table);
}

static void slot_put(struct entry **slots, size_t slot_count, struct entry *entry)
{
	struct entry **slot = &slots[entry->hash & (slot_count - 1)];

	entry->next = *slot;
	*slot = entry;
}

static bool grow(struct entry_table *table)
{
	size_t slot_count = table->slot_count * 2;
	struct entry **slots = calloc(slot_count, sizeof(struct entry *));

	if (!slots)
		return false;
	for (size_t i = 0; i < table->slot_count; i++) {
		struct entry *entry = table->slots[i];
		while (entry) {
			struct entry *next = (struct entry *)(uintptr_t)entry->next;
			slot_put(slots, slot_count, entry);
			entry = next;
		}
	}
	free(table->slots);
	table->slots = slots;
	table->slot_count = slot_count;
	return true;
}

bool entry_table_add(struct entry_table *table, uint32_t list, const char *bytes, size_t len, size_t key_len)
{
	struct entry *entry;

	if (table->count >= table->slot_count && !grow(table))
		return false;
	entry = malloc(sizeof(*entry) + len + 1);
	if (!entry)
		return false;
	*entry = (struct entry){
		.hash = hash_of(bytes, key_len),
		.list = list,
		.key_len = (uint32_t)key_len,
		.len = (uint32_t)len,
	};
	memcpy(entry->bytes, bytes, len);
	entry->bytes[len] = '\0';
	slot_put(table->slots, table->slot_count, entry);
	table->count++;
	return true;
}

static const struct entry *same(const struct entry *entry, uint64_t hash, const char *key, size_t len)
{
	while (entry && (entry->hash != hash || entry->key_len != len || memcmp(entry->bytes, key, len) != 0))
		entry = entry->next;
	return entry;
}

const struct entry *entry_find(const struct entry_table *table, const char *key, size_t len)
{
	uint64_t hash = hash_of(key, len);

	return same(table->slots[hash & (table->slot_count - 1)], hash, key, len);
}

const struct entry *entry_next(const struct entry *entry, const char *key, size_t len)
{
	return same(entry->next, entry->hash, key, len);
}

size_t entry_table_count(const struct entry_table *table)
{
	return table->count;
}
