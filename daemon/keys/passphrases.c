#include "config.h"

#include "keys/passphrases.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/mem.h"

struct one {
	char key[KEY_ID_MAX];
	bool open;
	char text[PASSPHRASE_MAX];
};

struct passphrases {
	size_t count;
	struct one keys[PASSPHRASE_KEYS];
};

struct passphrases *passphrases_new(void)
{
	struct passphrases *all =
		mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED)
		abort();
	/* Where the limit on locked memory is too small for it, it is as good as it gets. */
	(void)mlock(all, sizeof(*all));
	(void)madvise(all, sizeof(*all), MADV_DONTDUMP);
	return all;
}

void passphrases_free(struct passphrases **all)
{
	if (!*all)
		return;
	mem_wipe(*all, sizeof(**all));
	munmap(*all, sizeof(**all));
	*all = NULL;
}

void passphrases_clear(struct passphrases *all)
{
	mem_wipe(all, sizeof(*all));
}

void passphrases_put(struct passphrases *all, struct str key, const char *text)
{
	struct one *one;

	if (all->count == PASSPHRASE_KEYS || key.len >= KEY_ID_MAX)
		return;
	one = &all->keys[all->count++];
	snprintf(one->key, sizeof(one->key), STR_FMT, STR_ARG(key));
	one->open = text && strlen(text) < PASSPHRASE_MAX;
	if (one->open)
		snprintf(one->text, sizeof(one->text), "%s", text);
}

void passphrases_lock(struct passphrases *all)
{
	for (size_t i = 0; i < all->count; i++) {
		struct one *one = &all->keys[i];

		if (one->text[0] == 0)
			continue;
		mem_wipe(one->text, sizeof(one->text));
		one->open = false;
	}
}

bool passphrases_has(const struct passphrases *all, struct str key)
{
	for (size_t i = 0; i < all->count; i++)
		if (str_equal(str_of(all->keys[i].key), key))
			return true;
	return false;
}

const char *passphrases_of(const struct passphrases *all, struct str key_end)
{
	for (size_t i = 0; key_end.len > 0 && i < all->count; i++)
		if (all->keys[i].open && str_ends(str_of(all->keys[i].key), key_end))
			return all->keys[i].text;
	return NULL;
}

bool passphrases_next(const struct passphrases *all, size_t *cursor, const char **key, const char **text)
{
	const struct one *one;

	if (*cursor == all->count)
		return false;
	one = &all->keys[(*cursor)++];
	*key = one->key;
	*text = one->open ? one->text : NULL;
	return true;
}

size_t passphrases_count(const struct passphrases *all, size_t *locked)
{
	*locked = 0;
	for (size_t i = 0; i < all->count; i++)
		*locked += !all->keys[i].open;
	return all->count;
}
