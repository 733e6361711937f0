#include "wire/letter.h"

#include "model/storable.h"

/* Ids as they are collected. */
struct ids {
	struct arena *arena;
	struct str found[LETTER_REFERENCES];
	size_t count;
};

/* The id between brackets without white space; p NULL: it is none. */
static struct str id_clean(struct str inside, struct arena *arena)
{
	char *copy;
	size_t len = 0;
	bool at = false;

	if (inside.len > (size_t)LETTER_ID * 2)
		return STR_NONE;
	copy = arena_alloc(arena, inside.len + 1);
	for (size_t i = 0; i < inside.len; i++) {
		unsigned char c = (unsigned char)inside.p[i];
		if (c <= ' ' || c == 0x7f)
			continue;
		at = at || c == '@';
		copy[len++] = (char)c;
	}
	struct str id = storable_text((struct str){copy, len}, SIZE_MAX, arena, NULL);
	return at && len > 1 && id.len <= LETTER_ID ? id : STR_NONE;
}

static void ids_add(struct ids *ids, struct str inside)
{
	struct str id = id_clean(inside, ids->arena);

	if (!id.p || ids->count == LETTER_REFERENCES)
		return;
	for (size_t i = 0; i < ids->count; i++)
		if (str_equal(ids->found[i], id))
			return;
	ids->found[ids->count++] = id;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

/* Words with one @ in the middle: "Your mail of Monday" has none. From the end, as below. */
static void ids_read_bare(struct ids *ids, struct str value)
{
	size_t end = value.len;

	while (end > 0 && ids->count < LETTER_REFERENCES) {
		size_t start;
		struct str word;
		const char *at;

		while (end > 0 && is_space(value.p[end - 1]))
			end--;
		for (start = end; start > 0 && !is_space(value.p[start - 1]);)
			start--;
		word = (struct str){value.p + start, end - start};
		at = word.len > 2 ? memchr(word.p + 1, '@', word.len - 2) : NULL;
		if (at && !memchr(at + 1, '@', word.len - (size_t)(at + 1 - word.p)))
			ids_add(ids, word);
		end = start;
	}
}

/* From the end, since the nearest stands there and a forged list may be as long as a header can be. */
static void ids_read(struct ids *ids, struct str value)
{
	size_t end = value.len;

	if (value.len > 0 && !memchr(value.p, '<', value.len) && !memchr(value.p, '>', value.len)) {
		ids_read_bare(ids, value);
		return;
	}
	while (end > 0 && ids->count < LETTER_REFERENCES) {
		size_t close = end, open;

		while (close > 0 && value.p[close - 1] != '>')
			close--;
		if (close == 0)
			return;
		open = close - 1;
		while (open > 0 && value.p[open - 1] != '<' && value.p[open - 1] != '>')
			open--;
		if (open > 0 && value.p[open - 1] == '<')
			ids_add(ids, (struct str){value.p + open, close - 1 - open});
		end = close - 1;
	}
}

struct str letter_replies(struct str in_reply_to, struct str references, struct arena *arena)
{
	struct ids ids = {.arena = arena};
	size_t size = 0, at = 0;
	char *joined;

	ids_read(&ids, in_reply_to);
	ids_read(&ids, references);
	for (size_t i = 0; i < ids.count; i++)
		size += ids.found[i].len + 1;
	joined = arena_alloc(arena, size + 1);
	for (size_t i = 0; i < ids.count; i++) {
		if (i > 0)
			joined[at++] = ' ';
		memcpy(joined + at, ids.found[i].p, ids.found[i].len);
		at += ids.found[i].len;
	}
	return (struct str){joined, at};
}

struct str letter_tags(struct str subject, struct arena *arena)
{
	char *joined = arena_alloc(arena, (size_t)LETTER_TAGS * (LETTER_TAG + 1) + 1);
	size_t at = 0, count = 0;
	const char *open = NULL;

	for (size_t i = 0; i < subject.len && count < LETTER_TAGS; i++) {
		if (subject.p[i] == '[') {
			open = subject.p + i + 1;
			continue;
		}
		if (subject.p[i] != ']' || !open)
			continue;
		struct str tag = str_trim((struct str){open, (size_t)(subject.p + i - open)});
		open = NULL;
		if (tag.len == 0 || tag.len > LETTER_TAG || memchr(tag.p, '\n', tag.len))
			continue;
		memcpy(joined + at, tag.p, tag.len);
		at += tag.len;
		joined[at++] = '\n';
		count++;
	}
	return (struct str){joined, at};
}
