#include "key_list.h"

#include <stdlib.h>
#include <string.h>

bool key_list_add(struct key_list *list, char kind, const char *bytes, size_t len, uint32_t number)
{
	char *copy = malloc(len + 1);

	if (copy && list->count == list->space) {
		size_t space = list->space ? list->space * 2 : 64;
		struct key *keys = realloc(list->keys, space * sizeof(*keys));
		if (keys) {
			list->keys = keys;
			list->space = space;
		}
	}
	if (!copy || list->count == list->space) {
		free(copy);
		return false;
	}
	copy[0] = kind;
	memcpy(copy + 1, bytes, len);
	list->keys[list->count++] = (struct key){number, (uint32_t)len + 1, copy};
	return true;
}

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int by_bytes(const void *a, const void *b)
{
	const struct key *left = a, *right = b;
	int order = compare(left->bytes, left->len, right->bytes, right->len);

	return order ? order : (left->number > right->number) - (left->number < right->number);
}

void key_list_sort(struct key_list *list)
{
	if (list->count > 0)
		qsort(list->keys, list->count, sizeof(*list->keys), by_bytes);
}

size_t key_list_find(const struct key_list *list, char kind, const char *bytes, size_t len, size_t *first)
{
	char wanted[256];
	size_t low = 0, high = list->count, count = 0;

	if (len + 1 > sizeof(wanted))
		return 0;
	wanted[0] = kind;
	memcpy(wanted + 1, bytes, len);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(list->keys[middle].bytes, list->keys[middle].len, wanted, len + 1) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*first = low;
	while (low + count < list->count && list->keys[low + count].len == len + 1 &&
		memcmp(list->keys[low + count].bytes, wanted, len + 1) == 0)
		count++;
	return count;
}

void key_list_clear(struct key_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->keys[i].bytes);
	free(list->keys);
	*list = (struct key_list){0};
}
