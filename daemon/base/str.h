#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A run of bytes that somebody else owns; not NUL-terminated. p may be NULL only where len is 0. */
struct str {
	const char *p;
	size_t len;
};

#define STR(literal)    ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE        ((struct str){NULL, 0})
#define STR_FMT         "%.*s"
#define STR_ARG(string) (int)(string).len, (string).p

static inline struct str str_of(const char *text)
{
	return (struct str){text, text ? strlen(text) : 0};
}

static inline bool str_equal(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool str_equal_nocase(struct str a, struct str b); /* ASCII */
bool str_starts(struct str text, struct str prefix);
bool str_ends(struct str text, struct str suffix);
struct str str_trim(struct str text); /* ASCII white space at both ends */
/* Cut up to the first `separator` off *rest; false when *rest was at its end (p == NULL). */
bool str_split(struct str *rest, char separator, struct str *piece);
bool str_to_u64(struct str text, uint64_t *value); /* decimal digits only, no overflow */
bool str_to_i64(struct str text, int64_t *value);
/* Whether `word` is likely a mistyped `meant` (Damerau-Levenshtein, a third of it at most); *distance tells
 * how near. */
bool str_resembles(struct str word, struct str meant, size_t *distance);

/* UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
bool utf8_valid(struct str text);
/* The longest prefix of text of at most `max` bytes that does not cut a character. */
struct str utf8_cut(struct str text, size_t max);
/* Read one character; U+FFFD and one byte for what is not UTF-8. text must not be empty. */
uint32_t utf8_next(struct str *text);

#endif
