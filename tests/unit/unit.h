#ifndef UNIT_H
#define UNIT_H

/* What unit tests share: cmocka with all that it wants included first, and repeatable chance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"

/* SplitMix64: the same numbers on every run. */
static inline uint64_t chance(uint64_t *seed)
{
	uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline size_t chance_below(uint64_t *seed, size_t limit)
{
	return (size_t)(chance(seed) % limit);
}

static inline void chance_bytes(uint64_t *seed, struct buf *out, size_t len)
{
	while (len-- > 0)
		buf_char(out, (char)chance(seed));
}

/* Text of characters of every length, NUL left out. */
static inline void chance_text(uint64_t *seed, struct buf *out, size_t characters)
{
	static const uint32_t limits[] = {0x7f, 0x7ff, 0xffff, 0x10ffff};
	while (characters-- > 0)
		buf_utf8(out, 1 + (uint32_t)chance_below(seed, limits[chance_below(seed, 4)]));
}

static inline void assert_str_is(struct str text, const char *expected)
{
	char copy[4096];
	assert_true(text.len < sizeof(copy));
	if (text.len > 0)
		memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	assert_string_equal(copy, expected);
}

#endif
