#include "base/keccak.h"

#define LANES  25
#define ROUNDS 24
#define RATE   136 /* bytes taken in between two permutations */

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return bits ? value << bits | value >> (64 - bits) : value;
}

/* θ (FIPS 202 section 3.2.1) */
static void mix_columns(uint64_t state[LANES])
{
	uint64_t parity[5];

	for (unsigned x = 0; x < 5; x++)
		parity[x] = state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20];
	for (unsigned i = 0; i < LANES; i++)
		state[i] ^= parity[(i + 4) % 5] ^ rotate(parity[(i + 1) % 5], 1);
}

/* ρ and π (sections 3.2.2, 3.2.3) */
static void move_lanes(uint64_t state[LANES])
{
	static const unsigned char place[ROUNDS] = {
		10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1};
	uint64_t moved = state[1];
	unsigned turn = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t next = state[place[i]];
		turn += i + 1;
		state[place[i]] = rotate(moved, turn % 64);
		moved = next;
	}
}

/* χ (section 3.2.4) */
static void mix_rows(uint64_t state[LANES])
{
	for (unsigned y = 0; y < LANES; y += 5) {
		uint64_t row[5];
		memcpy(row, state + y, sizeof(row));
		for (unsigned x = 0; x < 5; x++)
			state[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
	}
}

/* ι's constants come of a shift register (section 3.2.5). */
static uint64_t round_constant(uint8_t *shift)
{
	uint64_t constant = 0;

	for (unsigned j = 0; j < 7; j++) {
		if (*shift & 1)
			constant |= UINT64_C(1) << ((1u << j) - 1);
		*shift = (uint8_t)(*shift & 0x80 ? *shift << 1 ^ 0x71 : *shift << 1);
	}
	return constant;
}

static void permute(uint64_t state[LANES])
{
	uint8_t shift = 1;

	for (unsigned i = 0; i < ROUNDS; i++) {
		mix_columns(state);
		move_lanes(state);
		mix_rows(state);
		state[0] ^= round_constant(&shift);
	}
}

static void take_byte(uint64_t state[LANES], size_t at, uint8_t byte)
{
	state[at / 8] ^= (uint64_t)byte << at % 8 * 8;
}

void keccak256(struct str bytes, uint8_t digest[KECCAK256_LEN])
{
	uint64_t state[LANES] = {0};
	size_t at = 0;

	for (size_t i = 0; i < bytes.len; i++) {
		take_byte(state, at++, (uint8_t)bytes.p[i]);
		if (at == RATE) {
			permute(state);
			at = 0;
		}
	}
	take_byte(state, at, 0x01);
	take_byte(state, RATE - 1, 0x80);
	permute(state);
	for (size_t i = 0; i < KECCAK256_LEN; i++)
		digest[i] = (uint8_t)(state[i / 8] >> i % 8 * 8);
}
