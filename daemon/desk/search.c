#include "config.h"

#include "desk/search.h"

#include "model/observable.h"
#include "model/report.h"

static void add_key(struct search *search, int64_t key)
{
	for (size_t i = 0; i < search->key_count; i++)
		if (search->keys[i] == key)
			return;
	if (search->key_count < SEARCH_KEYS)
		search->keys[search->key_count++] = key;
}

static void add_prefix(struct search *search, const struct netaddr *prefix)
{
	char text[NETADDR_TEXT];

	add_key(search, observable_key(OBSERVABLE_IP, str_of(netaddr_format(prefix, text))));
}

/* All prefixes of `bits` bits in a wider one; the bits that differ lie in one byte. */
static void add_parts(struct search *search, const struct netaddr *wanted, unsigned bits)
{
	struct netaddr part = *wanted;
	unsigned count = 1u << (bits - wanted->bits);

	part.bits = (uint8_t)bits;
	for (unsigned n = 0; n < count; n++) {
		part.bytes[bits / 8 - 1] = (uint8_t)(wanted->bytes[bits / 8 - 1] | n);
		add_prefix(search, &part);
	}
}

/* Addresses stand under themselves and two prefixes (trap 24). Any other prefix is one of the wider ones,
 * looked through, or up to 256 of the narrower ones. */
static bool add_prefixes(struct search *search, const struct netaddr *wanted, struct err *err)
{
	static const unsigned kept[2][3] = {{32, 24, 16}, {128, 48, 32}};
	const unsigned *bits = kept[wanted->family == 4 ? 0 : 1];

	search->prefix = *wanted;
	if (wanted->bits == bits[0] || wanted->bits == bits[1] || wanted->bits == bits[2]) {
		add_prefix(search, wanted);
		return true;
	}
	for (int i = 1; i < 3; i++) {
		if (wanted->bits > bits[i]) {
			struct netaddr wider = netaddr_prefix(wanted, bits[i]);
			search->narrowed = true;
			add_prefix(search, &wider);
			return true;
		}
		if (bits[i] - wanted->bits <= 8) {
			add_parts(search, wanted, bits[i]);
			return true;
		}
	}
	return err_set(err, ERR_MALFORMED, "that prefix is too wide to search: at most /%u", bits[2] - 8);
}

static void add_cve(struct search *search, struct str word, struct arena *arena)
{
	struct str value;

	if (observable_normalise(OBSERVABLE_CVE, word, arena, &value))
		add_key(search, observable_key(OBSERVABLE_CVE, value));
}

/* One word may be a name, and also an identifier, a malware family or a sender's own id. What can only be an
 * observable is not looked for in texts: the readers have found it there. */
static void add_word(struct search *search, struct str word, struct arena *arena)
{
	struct str lower = arena_str(arena, word);
	struct observable guessed;
	char *p = (char *)lower.p;

	for (size_t i = 0; i < lower.len; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + 32);
	if (observable_guess(word, arena, &guessed)) {
		add_key(search, observable_key(guessed.type, guessed.value));
		search->words = STR("");
	}
	add_cve(search, word, arena);
	add_key(search, search_key("identifier", word));
	add_key(search, search_key("identifier", lower));
	add_key(search, observable_key(OBSERVABLE_MALWARE, lower));
	add_key(search, search_key("id", word));
}

bool search_parse(
	struct str what, bool only_words, struct arena *arena, struct search *search, struct err *err)
{
	struct netaddr address;

	what = str_trim(what);
	*search = (struct search){.keys = arena_alloc(arena, SEARCH_KEYS * sizeof(int64_t)), .words = what};
	if (only_words)
		return true;
	if (netaddr_parse(what, &address)) {
		search->words = STR("");
		return add_prefixes(search, &address, err);
	}
	if (!memchr(what.p ? what.p : "", ' ', what.len))
		add_word(search, what, arena);
	return true;
}
