#include "config.h"

#include "model/storable.h"

bool storable_is(struct str text, size_t max)
{
	return text.len <= max && (text.len == 0 || !memchr(text.p, '\0', text.len)) && utf8_valid(text);
}

/* Write c to `to` where there is one; returns its length. */
static size_t put_character(char *to, uint32_t c, struct str from)
{
	static const char symbol_for_null[] = "\xe2\x90\x80", replacement[] = "\xef\xbf\xbd";
	bool invalid = c == 0xfffd && from.len == 1;
	const char *p = invalid ? replacement : c == 0 ? symbol_for_null : from.p;
	size_t len = invalid || c == 0 ? 3 : from.len;
	if (to)
		memcpy(to, p, len);
	return len;
}

/* Copy text storably to `to` (NULL: only measure), at most max bytes; returns the length. */
static size_t store_copy(char *to, struct str text, size_t max)
{
	size_t len = 0;
	while (text.len > 0) {
		struct str rest = text;
		uint32_t c = utf8_next(&rest);
		struct str from = {text.p, text.len - rest.len};
		if (put_character(NULL, c, from) > max - len)
			break;
		len += put_character(to ? to + len : NULL, c, from);
		text = rest;
	}
	return len;
}

struct str storable_text(struct str text, size_t max, struct arena *arena, bool *changed)
{
	if (storable_is(text, max))
		return text;
	if (changed)
		*changed = true;
	if (text.len > max && storable_is(utf8_cut(text, max), max))
		return utf8_cut(text, max);
	size_t len = store_copy(NULL, text, max);
	char *copy = arena_alloc(arena, len + 1);
	store_copy(copy, text, max);
	return (struct str){copy, len};
}
