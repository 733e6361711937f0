#include "config.h"

#include "model/wallet.h"

#include "base/hash.h"
#include "base/keccak.h"
#include "base/mem.h"

/* --- base58 --- */

static int base58_digit(char c)
{
	static const char digits[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* A number written in base58, as exactly len bytes, big end first. */
static bool base58_decode(struct str text, uint8_t *bytes, size_t len)
{
	memset(bytes, 0, len);
	for (size_t i = 0; i < text.len; i++) {
		int carry = base58_digit(text.p[i]);
		if (carry < 0)
			return false;
		for (size_t j = len; j > 0; j--) {
			carry += 58 * bytes[j - 1];
			bytes[j - 1] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry)
			return false;
	}
	return true;
}

#define CHECKED_LEN 25 /* version, 20 bytes of a digest, 4 of the checksum */

static bool is_base58check(struct str text)
{
	static const uint8_t versions[] = {0x00, 0x05 /* Bitcoin */, 0x30, 0x32 /* Litecoin */, 0x1e,
		0x16 /* Dogecoin */, 0x4c, 0x10 /* Dash */, 0x41 /* Tron */};
	uint8_t bytes[CHECKED_LEN], digest[SHA256_LEN];

	if (text.len < 26 || text.len > 35 || !base58_decode(text, bytes, sizeof(bytes)) ||
		!memchr(versions, bytes[0], sizeof(versions)))
		return false;
	sha256((struct str){(const char *)bytes, CHECKED_LEN - 4}, digest);
	sha256((struct str){(const char *)digest, SHA256_LEN}, digest);
	return memcmp(digest, bytes + CHECKED_LEN - 4, 4) == 0;
}

/* Monero writes each 8 bytes as 11 digits, and what is left with as many as it takes. */
static bool is_monero(struct str text)
{
	static const uint8_t networks[] = {18, 19, 42}; /* standard, integrated, of an account */
	uint8_t bytes[77], digest[KECCAK256_LEN];
	size_t len = 0;

	if (text.len != 95 && text.len != 106)
		return false;
	for (size_t at = 0; at < text.len; at += 11) {
		size_t digits = text.len - at < 11 ? text.len - at : 11;
		size_t size = digits == 11 ? 8 : 5;
		if (!base58_decode((struct str){text.p + at, digits}, bytes + len, size))
			return false;
		len += size;
	}
	keccak256((struct str){(const char *)bytes, len - 4}, digest);
	return memchr(networks, bytes[0], sizeof(networks)) && memcmp(digest, bytes + len - 4, 4) == 0;
}

/* --- bech32 --- */

static int bech32_digit(char c)
{
	static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

static uint32_t bech32_step(uint32_t sum, uint32_t value)
{
	static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
	uint32_t top = sum >> 25;

	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (unsigned i = 0; i < ARRAY_LEN(generator); i++)
		if (top >> i & 1)
			sum ^= generator[i];
	return sum;
}

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool one_case(struct str text)
{
	bool upper = false, small = false;

	for (size_t i = 0; i < text.len; i++) {
		upper |= text.p[i] >= 'A' && text.p[i] <= 'Z';
		small |= text.p[i] >= 'a' && text.p[i] <= 'z';
	}
	return !upper || !small;
}

static uint32_t bech32_prefix(struct str prefix)
{
	uint32_t sum = 1;

	for (size_t i = 0; i < prefix.len; i++)
		sum = bech32_step(sum, (uint32_t)prefix.p[i] >> 5);
	sum = bech32_step(sum, 0);
	for (size_t i = 0; i < prefix.len; i++)
		sum = bech32_step(sum, (uint32_t)prefix.p[i] & 31);
	return sum;
}

/* prefix, "1", version of the witness program, program, six digits of checksum */
static bool is_bech32_of(struct str text, struct str prefix)
{
	uint32_t sum = bech32_prefix(prefix);
	size_t start = prefix.len + 1;
	int version;

	if (text.len < start + 14 || text.len > 90 || text.p[prefix.len] != '1' || !one_case(text) ||
		!str_equal_nocase((struct str){text.p, prefix.len}, prefix))
		return false;
	for (size_t i = start; i < text.len; i++) {
		int digit = bech32_digit(lower(text.p[i]));
		if (digit < 0)
			return false;
		sum = bech32_step(sum, (uint32_t)digit);
	}
	version = bech32_digit(lower(text.p[start]));
	if (version == 0)
		return sum == 1 && (text.len == start + 39 || text.len == start + 59);
	return version <= 16 && sum == 0x2bc830a3;
}

static bool is_bech32(struct str text)
{
	return is_bech32_of(text, STR("bc")) || is_bech32_of(text, STR("ltc"));
}

/* --- Ethereum --- */

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'f');
}

/* Mixed case is a checksum: a letter is large where the digest of the small ones has 8 or more. */
static bool is_ethereum(struct str text)
{
	uint8_t digest[KECCAK256_LEN];
	char small[40];
	bool zero = true;

	if (text.len != 42 || text.p[0] != '0' || lower(text.p[1]) != 'x')
		return false;
	for (size_t i = 0; i < sizeof(small); i++) {
		if (!is_hex(text.p[2 + i]))
			return false;
		small[i] = lower(text.p[2 + i]);
		zero &= small[i] == '0';
	}
	if (zero || one_case((struct str){text.p + 2, sizeof(small)}))
		return !zero;
	keccak256((struct str){small, sizeof(small)}, digest);
	for (size_t i = 0; i < sizeof(small); i++) {
		unsigned nibble = i % 2 ? digest[i / 2] & 15 : digest[i / 2] >> 4;
		char c = text.p[2 + i];
		if (small[i] >= 'a' && (nibble >= 8) != (c >= 'A' && c <= 'F'))
			return false;
	}
	return true;
}

bool wallet_is(struct str text)
{
	return is_base58check(text) || is_bech32(text) || is_ethereum(text) || is_monero(text);
}

bool wallet_normalise(struct str text, struct arena *arena, struct str *value)
{
	struct str copy;
	char *p;

	if (!wallet_is(text))
		return false;
	copy = arena_str(arena, text);
	if (is_bech32(text) || is_ethereum(text)) {
		p = arena_alloc(arena, text.len + 1);
		for (size_t i = 0; i < text.len; i++)
			p[i] = lower(text.p[i]);
		copy = (struct str){p, text.len};
	}
	*value = copy;
	return true;
}
