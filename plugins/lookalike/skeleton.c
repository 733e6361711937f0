#include "skeleton.h"

#include <stdint.h>
#include <string.h>

#include "confusable.h"

#define CHARACTER_LAST 0x10ffffu

/* ---- RFC 3492 ---- */

enum { BASE = 36, T_LEAST = 1, T_MOST = 26, SKEW = 38, DAMP = 700, BIAS_FIRST = 72, N_FIRST = 128 };

static uint32_t adapt(uint32_t delta, uint32_t count, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / count;
	for (; delta > (BASE - T_LEAST) * T_MOST / 2; k += BASE)
		delta /= BASE - T_LEAST;
	return k + (BASE - T_LEAST + 1) * delta / (delta + SKEW);
}

static uint32_t digit_of(char c)
{
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a');
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	return c >= '0' && c <= '9' ? (uint32_t)(c - '0') + 26 : BASE;
}

/* One number of variable length; false where it ends early or grows too large. */
static bool take_number(const char **at, const char *end, uint32_t bias, uint32_t *i)
{
	uint32_t weight = 1;

	for (uint32_t k = BASE;; k += BASE) {
		uint32_t digit = *at < end ? digit_of(*(*at)++) : BASE;
		uint32_t t = k <= bias ? T_LEAST : k >= bias + T_MOST ? T_MOST : k - bias;
		if (digit >= BASE || digit > (UINT32_MAX - *i) / weight)
			return false;
		*i += digit * weight;
		if (digit < t)
			return true;
		if (weight > UINT32_MAX / (BASE - t))
			return false;
		weight *= BASE - t;
	}
}

/* What stands behind "xn--". Returns how many characters there are; 0: it is none. */
static size_t punycode(const char *text, size_t len, uint32_t characters[LABEL_MAX])
{
	const char *at = text, *end = text + len;
	uint32_t n = N_FIRST, i = 0, bias = BIAS_FIRST;
	uint32_t count = 0;

	for (size_t dash = len; dash-- > 0;) {
		if (text[dash] != '-')
			continue;
		for (; count < dash; count++)
			characters[count] = (unsigned char)text[count];
		at = text + dash + 1;
		break;
	}
	while (at < end) {
		uint32_t before = i;
		if (count == LABEL_MAX || !take_number(&at, end, bias, &i))
			return 0;
		bias = adapt(i - before, count + 1, before == 0);
		if (i / (count + 1) > CHARACTER_LAST - n)
			return 0;
		n += i / (count + 1);
		i %= count + 1;
		memmove(characters + i + 1, characters + i, (count - i) * sizeof(*characters));
		characters[i++] = n;
		count++;
	}
	return count;
}

/* ---- the look ---- */

static size_t put_utf8(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static char digit_look(char c)
{
	switch (c) {
	case '0':
		return 'o';
	case '1':
		return 'l';
	case '3':
		return 'e';
	case '5':
		return 's';
	default:
		return c;
	}
}

static void fold_pairs(char *text)
{
	static const struct {
		char pair[2];
		char one;
	} pairs[] = {{{'r', 'n'}, 'm'}, {{'v', 'v'}, 'w'}, {{'c', 'l'}, 'd'}};
	char *out = text;

	for (const char *at = text; *at; at++) {
		*out = *at;
		for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
			if (at[0] != pairs[i].pair[0] || at[1] != pairs[i].pair[1])
				continue;
			*out = pairs[i].one;
			at++;
			break;
		}
		out++;
	}
	*out = '\0';
}

bool skeleton_of_label(const char *label, size_t len, char plain[SKELETON_MAX], char skeleton[SKELETON_MAX])
{
	uint32_t characters[LABEL_MAX];
	size_t count = len, plain_len = 0, skeleton_len = 0;

	if (len == 0 || len > LABEL_MAX)
		return false;
	if (len > 4 && memcmp(label, "xn--", 4) == 0) {
		count = punycode(label + 4, len - 4, characters);
		if (count == 0)
			return false;
	} else {
		for (size_t i = 0; i < len; i++)
			characters[i] = (unsigned char)label[i];
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t c =
			characters[i] >= 'A' && characters[i] <= 'Z' ? characters[i] + 32 : characters[i];
		char like = (char)c;
		if (c >= 0x80)
			like = confusable_with(c);
		plain_len += put_utf8(c, plain + plain_len);
		skeleton_len += like ? put_utf8((unsigned char)digit_look(like), skeleton + skeleton_len)
		                     : put_utf8(c, skeleton + skeleton_len);
	}
	plain[plain_len] = skeleton[skeleton_len] = '\0';
	fold_pairs(skeleton);
	return true;
}

unsigned edit_distance(const char *a, const char *b, unsigned most)
{
	unsigned rows[3][SKELETON_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > b_len + most || b_len > a_len + most || b_len >= SKELETON_MAX)
		return most + 1;
	for (unsigned j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a_len; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *higher = rows[(i + 1) % 3];
		unsigned least = row[0] = i;
		for (unsigned j = 1; j <= b_len; j++) {
			unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);
			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				higher[j - 2] + 1 < best)
				best = higher[j - 2] + 1;
			row[j] = best;
			if (best < least)
				least = best;
		}
		if (least > most)
			return most + 1;
	}
	unsigned steps = rows[a_len % 3][b_len];
	return steps > most ? most + 1 : steps;
}
