#include "config.h"

#include <string.h>

#include "client/i18n.h"
#include "client/said.h"

/* "{N}" at `shape`: its N, from 0; -1: there is none. */
static int place_at(const char *shape)
{
	return shape[0] == '{' && shape[1] >= '1' && shape[1] <= '9' && shape[2] == '}' ? shape[1] - '1' : -1;
}

/* The letters that stand before the next place, or the end. */
static struct str letters(const char *shape)
{
	size_t len = 0;

	while (shape[len] && place_at(shape + len) < 0)
		len++;
	return (struct str){shape, len};
}

/* Where `piece` first stands in `text`; the last piece of a shape has to end it. */
static bool find_piece(struct str text, struct str piece, bool last, size_t *at)
{
	if (last) {
		*at = text.len - piece.len;
		return str_ends(text, piece);
	}
	const char *found = piece.len ? memmem(text.p, text.len, piece.p, piece.len) : NULL;
	*at = found ? (size_t)(found - text.p) : 0;
	return found != NULL;
}

bool said_fits(const char *shape, struct str text, struct str values[SAID_VALUES])
{
	struct str piece = letters(shape);

	if (!str_starts(text, piece))
		return false;
	text = (struct str){text.p + piece.len, text.len - piece.len};
	shape += piece.len;
	while (*shape) {
		size_t at;
		int place = place_at(shape);
		shape += 3;
		piece = letters(shape);
		shape += piece.len;
		if (piece.len > text.len || !find_piece(text, piece, !*shape, &at))
			return false;
		values[place] = (struct str){text.p, at};
		text = (struct str){text.p + at + piece.len, text.len - at - piece.len};
	}
	return text.len == 0;
}

/* How many of a shape's signs are its own: of two that fit, the one that says more is meant. */
static size_t weight(const char *shape)
{
	size_t own = 0;

	for (; *shape; shape += place_at(shape) < 0 ? 1 : 3)
		own += place_at(shape) < 0;
	return own;
}

void said_translate(struct str text, struct buf *out)
{
	struct str values[SAID_VALUES] = {{0}}, tried[SAID_VALUES] = {{0}};
	const char *best = NULL;

	for (const char *const *shape = said_table; *shape; shape++)
		if (said_fits(*shape, text, tried) && (!best || weight(*shape) > weight(best))) {
			best = *shape;
			memcpy(values, tried, sizeof(values));
		}
	const char *meant = best ? _(best) : NULL;
	if (!meant || meant == best) {
		buf_str(out, text);
		return;
	}
	while (*meant) {
		struct str piece = letters(meant);
		buf_str(out, piece);
		meant += piece.len;
		if (*meant) {
			buf_str(out, values[place_at(meant)]);
			meant += 3;
		}
	}
}
