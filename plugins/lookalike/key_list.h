#ifndef LOOKALIKE_KEY_LIST_H
#define LOOKALIKE_KEY_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys of bytes and a number each, sorted once, found by halving. */
struct key {
	uint32_t number;
	uint32_t len;
	char *bytes;
};

struct key_list {
	struct key *keys;
	size_t count;
	size_t space;
};

/* A key is what kind it is and its bytes. False: no memory. */
bool key_list_add(struct key_list *list, char kind, const char *bytes, size_t len, uint32_t number);
void key_list_sort(struct key_list *list);
/* The keys that are equal to this one: list->keys[*first] on; returns how many. */
size_t key_list_find(const struct key_list *list, char kind, const char *bytes, size_t len, size_t *first);
void key_list_clear(struct key_list *list);

#endif
