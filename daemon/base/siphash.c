#include "config.h"

#include <endian.h>

#include "base/hash.h"

/* SipHash-2-4 (Aumasson, Bernstein 2012): short keys from outside cannot be made to collide in a map. */
struct sip {
	uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void sip_rounds(struct sip *s, int rounds)
{
	while (rounds-- > 0) {
		s->a += s->b;
		s->b = rotate(s->b, 13) ^ s->a;
		s->a = rotate(s->a, 32);
		s->c += s->d;
		s->d = rotate(s->d, 16) ^ s->c;
		s->a += s->d;
		s->d = rotate(s->d, 21) ^ s->a;
		s->c += s->b;
		s->b = rotate(s->b, 17) ^ s->c;
		s->c = rotate(s->c, 32);
	}
}

static void sip_word(struct sip *s, uint64_t word)
{
	s->d ^= word;
	sip_rounds(s, 2);
	s->a ^= word;
}

static uint64_t load64(const void *bytes)
{
	uint64_t word;
	memcpy(&word, bytes, sizeof(word));
	return le64toh(word);
}

uint64_t siphash(const uint8_t key[16], struct str bytes)
{
	uint64_t k0 = load64(key), k1 = load64(key + 8);
	struct sip s = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
	size_t whole = bytes.len & ~(size_t)7;
	for (size_t i = 0; i < whole; i += 8)
		sip_word(&s, load64(bytes.p + i));
	uint64_t last = (uint64_t)bytes.len << 56;
	for (size_t i = whole; i < bytes.len; i++)
		last |= (uint64_t)(unsigned char)bytes.p[i] << (8 * (i - whole));
	sip_word(&s, last);
	s.c ^= 0xff;
	sip_rounds(&s, 4);
	return s.a ^ s.b ^ s.c ^ s.d;
}
