#include "config.h"

#include "model/reply_seal.h"

#include <stdio.h>

#include "base/hash.h"

#define SEAL_BYTES   10
#define SEAL_PURPOSE "cirt reply 1 " /* the key seals nothing else under this beginning */

static void seal_make(struct str key, struct str number, char seal[REPLY_SEAL + 1])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	char text[sizeof(SEAL_PURPOSE) + REPLY_NUMBER];
	uint8_t mac[SHA256_LEN];
	int len = snprintf(text, sizeof(text), SEAL_PURPOSE STR_FMT, STR_ARG(number));

	hmac_sha256(key, (struct str){text, (size_t)len}, mac);
	for (unsigned i = 0; i < REPLY_SEAL; i++) {
		unsigned bit = i * 5;
		unsigned pair =
			(unsigned)mac[bit / 8] << 8 | (bit / 8 + 1 < SEAL_BYTES ? mac[bit / 8 + 1] : 0u);
		seal[i] = digits[pair >> (11 - bit % 8) & 31];
	}
	seal[REPLY_SEAL] = 0;
}

static bool all_digits(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	return text.len > 0;
}

/* "2026-000412", "N2026-000412" */
static bool is_number(struct str text)
{
	if (text.len > 0 && (text.p[0] == 'N' || text.p[0] == 'n'))
		text = (struct str){text.p + 1, text.len - 1};
	return text.len >= 11 && text.len < REPLY_NUMBER - 1 && text.p[4] == '-' &&
	       all_digits((struct str){text.p, 4}) && all_digits((struct str){text.p + 5, text.len - 5});
}

struct parts {
	struct str local, number, seal, domain; /* domain with its @ */
};

static bool take_apart(struct str address, struct parts *parts)
{
	const char *at = memrchr(address.p, '@', address.len);
	const char *plus = at ? memrchr(address.p, '+', (size_t)(at - address.p)) : NULL;
	struct str tag;

	if (!plus)
		return false;
	tag = (struct str){plus + 1, (size_t)(at - plus - 1)};
	if (tag.len <= REPLY_SEAL + 1 || tag.p[tag.len - REPLY_SEAL - 1] != '-')
		return false;
	*parts = (struct parts){.local = {address.p, (size_t)(plus - address.p)},
		.number = {tag.p, tag.len - REPLY_SEAL - 1},
		.seal = {tag.p + tag.len - REPLY_SEAL, REPLY_SEAL},
		.domain = {at, address.len - (size_t)(at - address.p)}};
	return parts->local.len > 0 && is_number(parts->number);
}

enum reply_kind reply_check(struct str key, struct str address, struct arena *arena,
	char number[REPLY_NUMBER], struct str *mailbox)
{
	char seal[REPLY_SEAL + 1], given[REPLY_SEAL], meant[REPLY_NUMBER];
	struct parts parts;

	if (address.len == 0 || !take_apart(address, &parts))
		return REPLY_NONE;
	for (size_t i = 0; i < REPLY_SEAL; i++)
		given[i] = (char)(parts.seal.p[i] >= 'A' && parts.seal.p[i] <= 'Z' ? parts.seal.p[i] | 32
										   : parts.seal.p[i]);
	snprintf(meant, sizeof(meant), "%s" STR_FMT, parts.number.p[0] > '9' ? "N" : "",
		(int)parts.number.len - (parts.number.p[0] > '9'),
		parts.number.p + (parts.number.p[0] > '9'));
	seal_make(key, str_of(meant), seal);
	if (key.len == 0 || !bytes_equal_constant_time(given, seal, REPLY_SEAL))
		return REPLY_FORGED;
	if (number)
		snprintf(number, REPLY_NUMBER, "%s", meant);
	if (mailbox)
		*mailbox = arena_printf(arena, STR_FMT STR_FMT, STR_ARG(parts.local), STR_ARG(parts.domain));
	return REPLY_SEALED;
}

struct str reply_address(struct str key, struct str base, struct str number, struct arena *arena)
{
	const char *at = base.len > 0 ? memrchr(base.p, '@', base.len) : NULL;
	char seal[REPLY_SEAL + 1];

	if (!at || at == base.p || key.len == 0 || !is_number(number))
		return STR_NONE;
	seal_make(key, number, seal);
	return arena_printf(arena, STR_FMT "+" STR_FMT "-%s" STR_FMT, (int)(at - base.p), base.p,
		STR_ARG(number), seal, (int)(base.len - (size_t)(at - base.p)), at);
}
