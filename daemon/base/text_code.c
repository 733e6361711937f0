#include "config.h"

#include "base/buf.h"
#include "base/hash.h"

/* Bytes as text: hexadecimal and base64. */

char *hex_encode(const void *bytes, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = bytes;
	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[from[i] >> 4];
		text[2 * i + 1] = digits[from[i] & 15];
	}
	text[2 * len] = '\0';
	return text;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(struct str text, void *bytes, size_t len)
{
	if (text.len / 2 != len || text.len % 2 != 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (hex_digit(text.p[i]) < 0)
			return false;
	}
	uint8_t *to = bytes;
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)((unsigned)hex_digit(text.p[2 * i]) << 4 |
				  (unsigned)hex_digit(text.p[2 * i + 1]));
	return true;
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct str bytes, struct buf *out)
{
	const uint8_t *from = (const uint8_t *)bytes.p;
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t group = (uint32_t)from[i] << 16;
		if (left > 1)
			group |= (uint32_t)from[i + 1] << 8;
		if (left > 2)
			group |= from[i + 2];
		char text[4] = {base64_digits[group >> 18], base64_digits[group >> 12 & 63], '=', '='};
		if (left > 1)
			text[2] = base64_digits[group >> 6 & 63];
		if (left > 2)
			text[3] = base64_digits[group & 63];
		buf_append(out, text, sizeof(text));
	}
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* The bytes of a group of `digits` digits, of which 0 and 1 hold none. */
static void base64_flush(uint32_t group, unsigned digits, struct buf *out)
{
	group <<= 6 * (4 - digits);
	const char bytes[3] = {(char)(group >> 16), (char)(group >> 8), (char)group};
	if (digits > 1)
		buf_append(out, bytes, digits - 1);
}

/* RFC 4648 section 4: whole groups, padding at the end only, no stray bits under it. */
static bool base64_strict(struct str text)
{
	if (text.len % 4 != 0)
		return false;
	size_t digits = text.len;
	while (digits > 0 && text.len - digits < 2 && text.p[digits - 1] == '=')
		digits--;
	for (size_t i = 0; i < digits; i++) {
		if (base64_digit(text.p[i]) < 0)
			return false;
	}
	if (digits == text.len)
		return true;
	int under_padding = text.len - digits == 2 ? 15 : 3;
	return (base64_digit(text.p[digits - 1]) & under_padding) == 0;
}

bool base64_decode(struct str text, bool strict, struct buf *out)
{
	if (strict && !base64_strict(text))
		return false;
	uint32_t group = 0;
	unsigned digits = 0;
	buf_reserve(out, text.len / 4 * 3 + 3);
	for (size_t i = 0; i < text.len; i++) {
		int digit = base64_digit(text.p[i]);
		if (digit >= 0) {
			group = group << 6 | (uint32_t)digit;
			digits++;
		}
		if (digits == 4 || (digits > 0 && text.p[i] == '=')) {
			base64_flush(group, digits, out);
			group = 0;
			digits = 0;
		}
	}
	if (digits > 0)
		base64_flush(group, digits, out);
	return true;
}
