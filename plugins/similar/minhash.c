#include "minhash.h"

#include <stdint.h>
#include <string.h>

#define HASHES     64
#define RUN        3
#define LEAST_RUNS 20 /* different ones, roughly */
#define TEXT_MAX   (256u << 10)

#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

/* splitmix64's finaliser: every bit of the answer hangs on every bit of the value. */
static uint64_t mix(uint64_t value)
{
	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

static int is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* Letters of all scripts but ASCII stand in bytes from 0x80 on. */
static int is_word(unsigned char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

/* The next word at or after *at as a number; 0: there is none. */
static uint64_t next_word(const char *text, size_t len, size_t *at)
{
	uint64_t hash = FNV_START;
	int numbered = 0;

	while (*at < len && !is_word((unsigned char)text[*at]))
		(*at)++;
	if (*at == len)
		return 0;
	for (; *at < len && is_word((unsigned char)text[*at]); (*at)++) {
		unsigned char c = (unsigned char)text[*at];
		numbered |= is_digit(c);
		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c - 'A' + 'a');
		hash = (hash ^ c) * FNV_PRIME;
	}
	return numbered ? 1 : hash | 2;
}

static void take_run(uint64_t run, uint64_t least[HASHES], uint64_t *seen)
{
	uint64_t base = mix(run);

	/* As many bits as there are different runs, nearly, while they are few. */
	seen[base >> 58 & 3] |= UINT64_C(1) << (base & 63);
	for (uint64_t i = 0; i < HASHES; i++) {
		uint64_t value = mix(base + i * UINT64_C(0x9e3779b97f4a7c15));
		if (value < least[i])
			least[i] = value;
	}
}

int minhash(const char *text, size_t len, char digest[MINHASH_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	uint64_t least[HASHES];
	uint64_t words[RUN] = {0};
	uint64_t seen[4] = {0};
	size_t at = 0, count = 0;
	int runs = 0;
	uint64_t word;

	memset(least, 0xff, sizeof(least));
	if (len > TEXT_MAX)
		len = TEXT_MAX;
	while ((word = next_word(text, len, &at)) != 0) {
		words[0] = words[1];
		words[1] = words[2];
		words[2] = word;
		if (++count >= RUN)
			take_run(mix(words[0]) + 3 * mix(words[1]) + 7 * mix(words[2]), least, seen);
	}
	for (size_t i = 0; i < 4; i++)
		runs += __builtin_popcountll(seen[i]);
	if (runs < LEAST_RUNS)
		return -1;
	for (size_t i = 0; i < HASHES; i++) {
		digest[2 * i] = hex[least[i] >> 4 & 15];
		digest[2 * i + 1] = hex[least[i] & 15];
	}
	digest[MINHASH_TEXT - 1] = '\0';
	return 0;
}
