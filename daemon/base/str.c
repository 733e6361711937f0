#include "config.h"

#include "base/str.h"

#include <strings.h>

bool str_equal_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		unsigned char x = (unsigned char)a.p[i];
		unsigned char y = (unsigned char)b.p[i];
		if (x >= 'A' && x <= 'Z')
			x = (unsigned char)(x + 32);
		if (y >= 'A' && y <= 'Z')
			y = (unsigned char)(y + 32);
		if (x != y)
			return false;
	}
	return true;
}

bool str_starts(struct str text, struct str prefix)
{
	return text.len >= prefix.len && str_equal((struct str){text.p, prefix.len}, prefix);
}

bool str_ends(struct str text, struct str suffix)
{
	return text.len >= suffix.len &&
	       (suffix.len == 0 || memcmp(text.p + text.len - suffix.len, suffix.p, suffix.len) == 0);
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str text)
{
	while (text.len > 0 && is_space(text.p[0])) {
		text.p++;
		text.len--;
	}
	while (text.len > 0 && is_space(text.p[text.len - 1]))
		text.len--;
	return text;
}

bool str_split(struct str *rest, char separator, struct str *piece)
{
	if (!rest->p)
		return false;
	const char *end = rest->len ? memchr(rest->p, separator, rest->len) : NULL;
	if (!end) {
		*piece = *rest;
		*rest = STR_NONE;
		return true;
	}
	*piece = (struct str){rest->p, (size_t)(end - rest->p)};
	rest->p = end + 1;
	rest->len -= piece->len + 1;
	return true;
}

bool str_to_u64(struct str text, uint64_t *value)
{
	uint64_t number = 0;
	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(number, 10u, &number) ||
			__builtin_add_overflow(number, (uint64_t)(text.p[i] - '0'), &number))
			return false;
	}
	*value = number;
	return true;
}

bool str_to_i64(struct str text, int64_t *value)
{
	bool negative = text.len > 0 && text.p[0] == '-';
	if (negative) {
		text.p++;
		text.len--;
	}
	uint64_t number;
	if (!str_to_u64(text, &number) || number > (uint64_t)INT64_MAX + negative)
		return false;
	*value = negative ? (int64_t)(0 - number) : (int64_t)number;
	return true;
}

#define RESEMBLE_MAX 64

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, changes and swaps of neighbours that make b of a. */
static size_t edit_distance(struct str a, struct str b)
{
	size_t rows[3][RESEMBLE_MAX + 1];
	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t change = above[j - 1] + (a.p[i - 1] != b.p[j - 1]);
			row[j] = least(change, least(above[j], row[j - 1]) + 1);
			bool swapped = i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1];
			if (swapped)
				row[j] = least(row[j], rows[(i + 1) % 3][j - 2] + 1);
		}
	}
	return rows[a.len % 3][b.len];
}

bool str_resembles(struct str word, struct str meant, size_t *distance)
{
	if (word.len == 0 || word.len > RESEMBLE_MAX || meant.len > RESEMBLE_MAX)
		return false;
	*distance = edit_distance(word, meant);
	return *distance <= meant.len / 3 + 1 && *distance < meant.len;
}

/* Length of the character at p, of which `left` bytes are there; 0 where it is not UTF-8 (RFC 3629 section
 * 4). */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	unsigned char low = 0x80, high = 0xbf; /* of the second byte */
	size_t len;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		len = 2;
	} else if ((p[0] & 0xf0) == 0xe0) {
		len = 3;
		if (p[0] == 0xe0)
			low = 0xa0;
		if (p[0] == 0xed)
			high = 0x9f;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		len = 4;
		if (p[0] == 0xf0)
			low = 0x90;
		if (p[0] == 0xf4)
			high = 0x8f;
	} else {
		return 0;
	}
	if (left < len || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

bool utf8_valid(struct str text)
{
	const unsigned char *p = (const unsigned char *)text.p;
	size_t left = text.len;
	while (left > 0) {
		uint64_t word;
		if (left >= sizeof(word)) { /* most text is ASCII */
			memcpy(&word, p, sizeof(word));
			if (!(word & UINT64_C(0x8080808080808080))) {
				p += sizeof(word);
				left -= sizeof(word);
				continue;
			}
		}
		size_t len = utf8_length(p, left);
		if (len == 0)
			return false;
		p += len;
		left -= len;
	}
	return true;
}

struct str utf8_cut(struct str text, size_t max)
{
	size_t len = text.len < max ? text.len : max;
	const unsigned char *p = (const unsigned char *)text.p;
	/* Where the last character begins: at most three bytes back. */
	for (size_t back = 1; back <= 4 && back <= len; back++) {
		unsigned char c = p[len - back];
		if ((c & 0xc0) == 0x80)
			continue;
		size_t need = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
		if (need > back)
			len -= back;
		break;
	}
	return (struct str){text.p, len};
}

uint32_t utf8_next(struct str *text)
{
	const unsigned char *p = (const unsigned char *)text->p;
	size_t len = utf8_length(p, text->len);
	uint32_t character = 0xfffd;
	switch (len) {
	case 1:
		character = p[0];
		break;
	case 2:
		character = (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
		break;
	case 3:
		character = (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
		break;
	case 4:
		character = (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
		            (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
		break;
	default:
		len = 1;
	}
	text->p += len;
	text->len -= len;
	return character;
}
