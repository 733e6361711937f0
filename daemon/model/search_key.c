#include "config.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "model/report.h"

/* A set of keys in the caller's array; what does not fit is left out. */
struct key_set {
	int64_t *keys;
	size_t count;
	size_t max;
};

int64_t search_key(const char *kind, struct str value)
{
	char space[256]; /* nearly all fit, and a report has a dozen of them */
	struct buf larger = {0};
	uint8_t digest[SHA256_LEN];
	uint64_t key = 0;
	size_t start = strlen(kind) + 1;
	bool fits = start < sizeof(space) && value.len <= sizeof(space) - start;
	char *whole = fits ? space : buf_space(&larger, start + value.len);
	memcpy(whole, kind, start);
	if (value.len > 0)
		memcpy(whole + start, value.p, value.len);
	sha256((struct str){whole, start + value.len}, digest);
	buf_free(&larger);
	for (int i = 0; i < 8; i++)
		key = key << 8 | digest[i];
	return (int64_t)key;
}

int64_t observable_key(enum observable_type type, struct str normalised)
{
	return search_key(observable_type_name(type), normalised);
}

static void key_add(struct key_set *set, int64_t key)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->keys[i] == key)
			return;
	}
	if (set->count < set->max)
		set->keys[set->count++] = key;
}

/* The parents of a name from two labels upward, so that those that many share are there where not all fit. */
static void add_name_parents(struct key_set *set, struct str name)
{
	int dots = 0;
	for (size_t i = name.len; i-- > 1 && set->count < set->max;) {
		if (name.p[i] == '.' && ++dots > 1)
			key_add(set, observable_key(OBSERVABLE_NAME,
					     (struct str){name.p + i + 1, name.len - i - 1}));
	}
}

static void add_prefixes(struct key_set *set, const struct netaddr *addr)
{
	static const unsigned v4[] = {24, 16}, v6[] = {48, 32};
	const unsigned *bits = addr->family == 4 ? v4 : v6;
	for (size_t i = 0; i < 2; i++) {
		char text[NETADDR_TEXT];
		if (bits[i] >= addr->bits)
			continue;
		struct netaddr prefix = netaddr_prefix(addr, bits[i]);
		key_add(set, observable_key(OBSERVABLE_IP, str_of(netaddr_format(&prefix, text))));
	}
}

static void add_host(struct key_set *set, struct str host)
{
	struct netaddr addr;
	if (host.len == 0)
		return;
	if (netaddr_parse(host, &addr)) {
		char text[NETADDR_TEXT];
		key_add(set, observable_key(OBSERVABLE_IP, str_of(netaddr_format(&addr, text))));
		add_prefixes(set, &addr);
	} else {
		key_add(set, observable_key(OBSERVABLE_NAME, host));
		add_name_parents(set, host);
	}
}

/* Everything an observable stands under but itself. */
static void add_parents(struct key_set *set, const struct observable *observable)
{
	struct str value = observable->value;
	struct netaddr addr;
	if (observable->type == OBSERVABLE_NAME) {
		add_name_parents(set, value);
	} else if (observable->type == OBSERVABLE_IP && netaddr_parse(value, &addr)) {
		add_prefixes(set, &addr);
	} else if (observable->type == OBSERVABLE_URL) {
		add_host(set, url_host(value));
	} else if (observable->type == OBSERVABLE_EMAIL) {
		const char *at = memrchr(value.p, '@', value.len);
		if (at)
			add_host(set, (struct str){at + 1, (size_t)(value.p + value.len - at - 1)});
	}
}

size_t observable_keys(const struct observable *observable, int64_t keys[OBSERVABLE_KEYS])
{
	struct key_set set = {.keys = keys, .max = OBSERVABLE_KEYS};
	key_add(&set, observable_key(observable->type, observable->value));
	add_parents(&set, observable);
	return set.count;
}

static void add_identifier(struct key_set *set, struct str identifier)
{
	char cve[32];
	if (identifier.len == 0)
		return;
	key_add(set, search_key("identifier", identifier));
	if (identifier.len < 4 || identifier.len > sizeof(cve) ||
		!str_equal_nocase((struct str){identifier.p, 4}, STR("cve-")))
		return;
	for (size_t i = 0; i < identifier.len; i++)
		cve[i] = (char)toupper((unsigned char)identifier.p[i]);
	key_add(set, observable_key(OBSERVABLE_CVE, (struct str){cve, identifier.len}));
}

static int key_compare(const void *a, const void *b)
{
	int64_t x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

size_t report_keys(const struct report *report, int64_t keys[REPORT_KEYS])
{
	struct key_set set = {.keys = keys, .max = REPORT_KEYS};
	add_identifier(&set, report->identifier);
	if (report->malware.len > 0)
		key_add(&set, observable_key(OBSERVABLE_MALWARE, report->malware));
	if (report->sender_id.len > 0)
		key_add(&set, search_key("id", report->sender_id));
	for (size_t i = 0; i < report->observable_count && set.count < set.max; i++)
		key_add(&set, observable_key(report->observables[i].type, report->observables[i].value));
	for (size_t i = 0; i < report->observable_count && set.count < set.max; i++)
		add_parents(&set, &report->observables[i]);
	qsort(keys, set.count, sizeof(*keys), key_compare);
	return set.count;
}
