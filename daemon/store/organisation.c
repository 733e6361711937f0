#include "config.h"

#include "store/organisation.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"

/* Owners of one prefix, domain or ASN, one after the other. */
struct owner {
	struct owner *next;
	struct validity valid;
	int32_t organisation;
};

#define PREFIX_BITS 129

struct organisations {
	struct arena *arena;
	struct map *prefixes;         /* by family, bits and bytes */
	bool lengths[2][PREFIX_BITS]; /* which prefix lengths there are, IPv4 and IPv6 */
	struct map *domains;
	struct map *asns;
	struct map *brands; /* by their words */
	size_t brand_words; /* of the one that has most */
	struct map *critical;
};

struct organisations *organisations_new(void)
{
	struct organisations *o = mem_alloc(sizeof *o);
	o->arena = arena_new(4096);
	o->prefixes = map_new();
	o->domains = map_new();
	o->asns = map_new();
	o->brands = map_new();
	o->critical = map_new();
	return o;
}

void organisations_free(struct organisations **organisations)
{
	struct organisations *o = *organisations;
	if (!o)
		return;
	map_free(&o->prefixes);
	map_free(&o->domains);
	map_free(&o->asns);
	map_free(&o->brands);
	map_free(&o->critical);
	arena_free(&o->arena);
	free(o);
	*organisations = NULL;
}

static struct owner *owner_new(
	struct organisations *o, struct validity valid, int32_t organisation, struct owner *next)
{
	struct owner *owner = arena_alloc(o->arena, sizeof *owner);
	*owner = (struct owner){next, valid, organisation};
	return owner;
}

static int32_t owner_at(const struct owner *owner, int64_t time)
{
	for (; owner; owner = owner->next)
		if (time >= owner->valid.first && time < owner->valid.end)
			return owner->organisation;
	return 0;
}

/* The map's key for a prefix. */
struct prefix_key {
	char bytes[18];
};

static struct str prefix_key(const struct netaddr *prefix, struct prefix_key *key)
{
	key->bytes[0] = (char)prefix->family;
	key->bytes[1] = (char)prefix->bits;
	memcpy(key->bytes + 2, prefix->bytes, sizeof prefix->bytes);
	return (struct str){key->bytes, prefix->family == 4 ? 6 : sizeof key->bytes};
}

void organisations_critical(struct organisations *o, int32_t organisation)
{
	map_put(o->critical, (uint64_t)organisation, o);
}

bool organisation_is_critical(const struct organisations *o, int32_t organisation)
{
	return map_get(o->critical, (uint64_t)organisation) != NULL;
}

void organisations_prefix(
	struct organisations *o, const struct netaddr *prefix, struct validity valid, int32_t organisation)
{
	struct prefix_key space;
	struct str key = prefix_key(prefix, &space);
	map_put_str(o->prefixes, key, owner_new(o, valid, organisation, map_get_str(o->prefixes, key)));
	o->lengths[prefix->family == 6][prefix->bits] = true;
}

void organisations_domain(
	struct organisations *o, struct str domain, struct validity valid, int32_t organisation)
{
	map_put_str(o->domains, domain, owner_new(o, valid, organisation, map_get_str(o->domains, domain)));
}

void organisations_asn(struct organisations *o, uint32_t asn, struct validity valid, int32_t organisation)
{
	map_put(o->asns, asn, owner_new(o, valid, organisation, map_get(o->asns, asn)));
}

int32_t organisation_of_address(const struct organisations *o, const struct netaddr *address, int64_t time)
{
	const bool *lengths = o->lengths[address->family == 6];
	for (unsigned bits = address->bits;; bits--) {
		if (lengths[bits]) {
			struct netaddr prefix = netaddr_prefix(address, bits);
			struct prefix_key space;
			int32_t found = owner_at(map_get_str(o->prefixes, prefix_key(&prefix, &space)), time);
			if (found)
				return found;
		}
		if (bits == 0)
			return 0;
	}
}

int32_t organisation_of_name(const struct organisations *o, struct str name, int64_t time)
{
	if (!map_count(o->domains))
		return 0;
	struct str rest = name;
	while (rest.len) {
		int32_t found = owner_at(map_get_str(o->domains, rest), time);
		if (found)
			return found;
		const char *dot = memchr(rest.p, '.', rest.len);
		if (!dot)
			return 0;
		rest.len -= (size_t)(dot + 1 - rest.p);
		rest.p = dot + 1;
	}
	return 0;
}

/* A text in words: lower case, one blank between two. */
struct words {
	struct buf text;
	size_t *starts;
	size_t count, space;
};

static void words_free(struct words *words)
{
	buf_free(&words->text);
	free(words->starts);
}

static char word_char(char c)
{
	if (c >= 'A' && c <= 'Z')
		c = (char)(c + 32);
	if ((unsigned char)c < 0x80 && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
		c = ' ';
	return c;
}

static void words_cut(struct words *words, struct str text)
{
	bool inside = false;

	buf_clear(&words->text);
	words->count = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = word_char(text.p[i]);
		if (c != ' ' && !inside) {
			if (words->count)
				buf_char(&words->text, ' ');
			if (words->count == words->space) {
				words->space = words->space ? 2 * words->space : 16;
				words->starts =
					mem_resize(words->starts, words->space * sizeof *words->starts);
			}
			words->starts[words->count++] = words->text.len;
		}
		inside = c != ' ';
		if (inside)
			buf_char(&words->text, c);
	}
}

/* The words from `first` up to but not including `end`. */
static struct str words_run(const struct words *words, size_t first, size_t end)
{
	size_t start = words->starts[first];
	size_t stop = end < words->count ? words->starts[end] - 1 : words->text.len;
	return (struct str){words->text.data + start, stop - start};
}

void organisations_brand(
	struct organisations *o, struct str brand, struct validity valid, int32_t organisation)
{
	struct words words = {0};

	words_cut(&words, brand);
	if (words.count) {
		struct str key = buf_view(&words.text);
		map_put_str(o->brands, key, owner_new(o, valid, organisation, map_get_str(o->brands, key)));
		if (words.count > o->brand_words)
			o->brand_words = words.count;
	}
	words_free(&words);
}

/* The best of the brands that were found: the longest, and of those of one length the first by its bytes. */
struct brand_found {
	int32_t organisation;
	struct buf brand;
};

static bool brand_is_better(const struct brand_found *found, struct str brand)
{
	if (!found->organisation || brand.len != found->brand.len)
		return brand.len > found->brand.len;
	return memcmp(brand.p, found->brand.data, brand.len) < 0;
}

static void brand_find(
	const struct organisations *o, const struct words *words, int64_t time, struct brand_found *found)
{
	for (size_t first = 0; first < words->count; first++)
		for (size_t end = first + 1; end <= words->count && end - first <= o->brand_words; end++) {
			struct str run = words_run(words, first, end);
			if (!brand_is_better(found, run))
				continue;
			int32_t organisation = owner_at(map_get_str(o->brands, run), time);
			if (!organisation)
				continue;
			found->organisation = organisation;
			buf_clear(&found->brand);
			buf_str(&found->brand, run);
		}
}

int32_t organisation_of_text(const struct organisations *o, struct str text, int64_t time)
{
	struct brand_found found = {0};
	struct words words = {0};

	if (o->brand_words) {
		words_cut(&words, text);
		brand_find(o, &words, time, &found);
	}
	words_free(&words);
	buf_free(&found.brand);
	return found.organisation;
}

/* Does this observable of a report, which may be of phishing, say whom it imitates? */
static bool says_brand(const struct observable *observable, bool phishing)
{
	if (observable->role == OBSERVED_IMITATED)
		return true;
	return phishing &&
	       (observable->role == OBSERVED_SOURCE || observable->role == OBSERVED_INDICATOR ||
		       observable->role == OBSERVED_UNKNOWN) &&
	       (observable->type == OBSERVABLE_NAME || observable->type == OBSERVABLE_URL ||
		       observable->type == OBSERVABLE_OTHER);
}

static int32_t organisation_imitated(
	const struct organisations *o, enum rsit_type type, const struct report *report, int64_t time)
{
	bool phishing = str_equal(str_of(rsit_name(type)), STR("phishing")) ||
	                str_equal(str_of(rsit_name(type)), STR("masquerade"));
	struct brand_found found = {0};
	struct words words = {0};

	if (!o->brand_words)
		return 0;
	if (phishing) {
		words_cut(&words, report->title);
		brand_find(o, &words, time, &found);
	}
	for (size_t i = 0; i < report->observable_count; i++)
		if (says_brand(&report->observables[i], phishing)) {
			words_cut(&words, report->observables[i].value);
			brand_find(o, &words, time, &found);
		}
	words_free(&words);
	buf_free(&found.brand);
	return found.organisation;
}

/* The part of a value that names a host: of a URL, of a mail address. */
static struct str host_of(const struct observable *observable)
{
	struct str value = observable->value;
	const char *at;
	switch (observable->type) {
	case OBSERVABLE_IP:
	case OBSERVABLE_NAME:
		return value;
	case OBSERVABLE_EMAIL:
		at = memrchr(value.p, '@', value.len);
		return at ? (struct str){at + 1, value.len - (size_t)(at + 1 - value.p)} : STR_NONE;
	case OBSERVABLE_URL:
		break;
	default:
		return STR_NONE;
	}
	const char *start = memmem(value.p, value.len, "://", 3);
	if (!start)
		return STR_NONE;
	struct str host = {start + 3, value.len - (size_t)(start + 3 - value.p)};
	for (size_t i = 0; i < host.len; i++)
		if (strchr("/?#", host.p[i])) {
			host.len = i;
			break;
		}
	at = memrchr(host.p, '@', host.len);
	if (at)
		host = (struct str){at + 1, host.len - (size_t)(at + 1 - host.p)};
	const char *bracket = host.len && host.p[0] == '[' ? memchr(host.p, ']', host.len) : NULL;
	if (bracket)
		return (struct str){host.p + 1, (size_t)(bracket - host.p) - 1};
	const char *colon = memrchr(host.p, ':', host.len);
	if (colon)
		host.len = (size_t)(colon - host.p);
	return host;
}

static int32_t organisation_of_observable(
	const struct organisations *o, const struct observable *observable, int64_t time)
{
	struct str host = host_of(observable);
	struct netaddr address;
	if (!host.len)
		return 0;
	if (netaddr_parse(host, &address))
		return organisation_of_address(o, &address, time);
	return organisation_of_name(o, host, time);
}

int32_t organisation_of_report(
	const struct organisations *o, enum rsit_type type, const struct report *report, int64_t time)
{
	static const enum observable_role roles[] = {
		OBSERVED_SOURCE, OBSERVED_TARGET, OBSERVED_IMITATED, OBSERVED_INDICATOR, OBSERVED_UNKNOWN};
	if (!map_count(o->prefixes) && !map_count(o->domains) && !map_count(o->asns) && !o->brand_words)
		return 0;
	for (size_t r = 0; r < ARRAY_LEN(roles); r++)
		for (size_t i = 0; i < report->observable_count; i++) {
			const struct observable *observable = &report->observables[i];
			if (observable->role != roles[r])
				continue;
			int32_t found = organisation_of_observable(o, observable, time);
			if (found)
				return found;
		}
	int32_t found = report->asn ? owner_at(map_get(o->asns, report->asn), time) : 0;
	return found ? found : organisation_imitated(o, type, report, time);
}
