/*
 * What makes two reports the same incident seen again: the first rule of the table that can make a key of a
 * report wins. doc/folding.md tells each rule to people.
 *
 * A key never holds a time, a severity, a count, or anything of a sender's that we do not know the meaning
 * of; a sender's own id only where it is a global one. Its parts are written "name=value" with "|" between
 * them; "|" and "%" inside a value are written %7C and %25, so that no two different lists of values give one
 * key. What is longer than 300 bytes is cut, with the digest of the whole at its end.
 *
 * A rule's meaning never changes under its version: who changes a rule raises its version, and old reports
 * stay with the key they have.
 */
#include "config.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "wire/reading.h"

#define KEY_MAX   300
#define KEY_SPACE 8192
#define KEY_HEAD                                                                                  \
	230 /* of a key that is too long: with the mark and the digest behind it, at most KEY_MAX \
	     */

struct key {
	size_t len;
	struct sha256 *rest; /* what did not fit */
	char text[KEY_SPACE];
};

static void key_byte(struct key *key, char c)
{
	if (key->len == KEY_SPACE) {
		if (!key->rest)
			key->rest = sha256_new();
		sha256_update(key->rest, key->text + KEY_HEAD, key->len - KEY_HEAD);
		key->len = KEY_HEAD;
	}
	key->text[key->len++] = c;
}

static void key_add(struct key *key, const char *name, struct str value)
{
	if (key->len > 0)
		key_byte(key, '|');
	for (; *name; name++)
		key_byte(key, *name);
	key_byte(key, '=');
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] != '|' && value.p[i] != '%') {
			key_byte(key, value.p[i]);
			continue;
		}
		key_byte(key, '%');
		key_byte(key, value.p[i] == '|' ? '7' : '2');
		key_byte(key, value.p[i] == '|' ? 'C' : '5');
	}
}

static void key_number(struct key *key, const char *name, unsigned number)
{
	char digits[12];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	key_add(key, name, (struct str){digits + at, sizeof(digits) - at});
}

/* The identifier, or the malware's family: the sharper of the two that the sender knew. */
static struct str what_of(const struct report *report)
{
	return report->identifier.len > 0 ? report->identifier : report->malware;
}

/* The address a report is about, else its name. */
static const struct observable *host_of(const struct report *report, enum observable_role role)
{
	const struct observable *host = report_find(report, OBSERVABLE_IP, role);

	return host ? host : report_find(report, OBSERVABLE_NAME, role);
}

static void key_type(struct key *key, const struct report *report)
{
	key_add(key, "type", str_of(rsit_name(report->type)));
	key_add(key, "what", what_of(report));
}

static bool key_host(struct key *key, const char *name, const struct observable *host)
{
	if (!host)
		return false;
	key_add(key, name, host->value);
	return true;
}

static bool stix_id(const struct report *report, struct key *key)
{
	if (!report->global_id || report->sender_id.len == 0)
		return false;
	key_add(key, "id", report->sender_id);
	return true;
}

/* An alert by who set it off against whom; ports vary with every connection. */
static bool ids_signature(const struct report *report, struct key *key)
{
	const struct observable *from = host_of(report, OBSERVED_SOURCE);
	const struct observable *to = host_of(report, OBSERVED_TARGET);

	if (report->signature.len == 0 || (!from && !to))
		return false;
	key_add(key, "signature", report->signature);
	if (from)
		key_add(key, "from", from->value);
	if (to)
		key_add(key, "to", to->value);
	return true;
}

/* Host and path of a URL, without scheme, user, query and fragment: those vary with the victim. */
static void url_split(struct str url, struct str *host, struct str *path)
{
	const char *scheme = url.len > 3 ? memmem(url.p, url.len, "://", 3) : NULL;
	struct str rest = scheme ? (struct str){scheme + 3, url.len - (size_t)(scheme + 3 - url.p)} : url;
	size_t len = 0, path_len;
	const char *user;

	while (len < rest.len && rest.p[len] != '/' && rest.p[len] != '?' && rest.p[len] != '#')
		len++;
	*host = (struct str){rest.p, len};
	user = len > 0 ? memrchr(host->p, '@', len) : NULL;
	if (user)
		*host = (struct str){user + 1, len - (size_t)(user + 1 - host->p)};
	path_len = len;
	while (path_len < rest.len && rest.p[path_len] != '?' && rest.p[path_len] != '#')
		path_len++;
	*path = (struct str){rest.p + len, path_len - len};
}

static const struct observable *url_of(const struct report *report)
{
	for (size_t i = 0; i < report->observable_count; i++)
		if (report->observables[i].type == OBSERVABLE_URL &&
			report->observables[i].role != OBSERVED_REPORTER &&
			report->observables[i].role != OBSERVED_IMITATED)
			return &report->observables[i];
	return NULL;
}

static bool phishing_url(const struct report *report, struct key *key)
{
	const struct observable *url = url_of(report);
	struct str host, path;

	if (!url)
		return false;
	url_split(url->value, &host, &path);
	key_add(key, "type", str_of(rsit_name(report->type)));
	key_add(key, "host", host);
	key_add(key, "path", path.len > 0 ? path : STR("/"));
	return true;
}

static bool infected_host(const struct report *report, struct key *key)
{
	key_type(key, report);
	return key_host(key, "host", host_of(report, OBSERVED_SOURCE));
}

static bool scan(const struct report *report, struct key *key)
{
	key_type(key, report);
	if (!key_host(key, "from", host_of(report, OBSERVED_SOURCE)))
		return false;
	if (report->target_port)
		key_number(key, "port", report->target_port);
	return true;
}

static bool vulnerable_service(const struct report *report, struct key *key)
{
	key_type(key, report);
	if (!key_host(key, "host", host_of(report, OBSERVED_SOURCE)))
		return false;
	if (report->source_port)
		key_number(key, "port", report->source_port);
	return true;
}

/* A machine's statement of a type that has no rule of its own: what it is by name, and whose it is. */
static bool identified(const struct report *report, struct key *key)
{
	const struct observable *whose = host_of(report, OBSERVED_SOURCE);
	const struct observable *url = url_of(report);
	struct str host, path;

	if (report->doc.len == 0 || report->identifier.len == 0)
		return false;
	if (!whose)
		whose = report_find(report, OBSERVABLE_EMAIL, OBSERVED_SOURCE);
	if (!whose)
		whose = report_find(report, OBSERVABLE_ACCOUNT, OBSERVED_SOURCE);
	if (!whose && !url)
		return false;
	key_type(key, report);
	if (whose)
		key_add(key, observable_type_name(whose->type), whose->value);
	if (whose && report->source_port)
		key_number(key, "port", report->source_port);
	if (!whose) {
		url_split(url->value, &host, &path);
		key_add(key, "host", host);
		key_add(key, "path", path.len > 0 ? path : STR("/"));
	}
	return true;
}

static bool attack_on(const struct report *report, struct key *key)
{
	key_type(key, report);
	return key_host(key, "target", host_of(report, OBSERVED_TARGET));
}

/* "Re:", "Fwd:", "AW:", "[SPAM]" in front of a subject, any number of them. */
static struct str subject_bare(struct str subject)
{
	static const char *const prefixes[] = {
		"re", "fw", "fwd", "aw", "wg", "tr", "rv", "enc", "vs", "sv", "res", "ref"};
	bool again = true;

	while (again) {
		const char *end;
		again = false;
		subject = str_trim(subject);
		if (subject.len > 0 && subject.p[0] == '[' &&
			(end = memchr(subject.p, ']', subject.len)) != NULL) {
			subject = (struct str){end + 1, subject.len - (size_t)(end + 1 - subject.p)};
			again = true;
		}
		for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
			struct str prefix = str_of(prefixes[i]);
			if (subject.len > prefix.len && subject.p[prefix.len] == ':' &&
				str_equal_nocase((struct str){subject.p, prefix.len}, prefix)) {
				subject = (struct str){
					subject.p + prefix.len + 1, subject.len - prefix.len - 1};
				again = true;
			}
		}
	}
	return subject;
}

/* Lower case, white space as one blank, numbers of four digits and more as "#": invoice and parcel numbers
 * vary. */
static void subject_normalise(struct str subject, struct buf *out)
{
	size_t i = 0;

	subject = subject_bare(subject);
	while (i < subject.len) {
		unsigned char c = (unsigned char)subject.p[i];
		size_t digits = 0;
		while (i + digits < subject.len && subject.p[i + digits] >= '0' &&
			subject.p[i + digits] <= '9')
			digits++;
		if (digits >= 4) {
			buf_char(out, '#');
			i += digits;
			continue;
		}
		i++;
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			if (out->len > 0 && out->data[out->len - 1] != ' ')
				buf_char(out, ' ');
		} else {
			buf_char(out, (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c));
		}
	}
}

static void key_subject(struct key *key, const struct report *report)
{
	struct buf subject = {0};

	subject_normalise(report->title, &subject);
	key_add(key, "subject", buf_view(&subject));
	buf_free(&subject);
}

/* Told by a person: a report that has no document of its own, but a title and what it points to. */
static bool mail_campaign(const struct report *report, struct key *key)
{
	const struct observable *url = url_of(report);
	const struct observable *file = report_find(report, OBSERVABLE_SHA256, OBSERVED_INDICATOR);
	struct str host, path;

	if (report->doc.len > 0 || report->title.len == 0 || (!url && !file))
		return false;
	key_subject(key, report);
	if (url) {
		url_split(url->value, &host, &path);
		key_add(key, "host", host);
	} else {
		key_add(key, "file", file->value);
	}
	return true;
}

static bool observable_before(const struct observable *a, const struct observable *b)
{
	size_t len = a->value.len < b->value.len ? a->value.len : b->value.len;
	int order = len ? memcmp(a->value.p, b->value.p, len) : 0;

	if (a->type != b->type)
		return a->type < b->type;
	if (a->role != b->role)
		return a->role < b->role;
	return order ? order < 0 : a->value.len < b->value.len;
}

/* The next observable in order behind `last`, so that the order a sender wrote them in does not count. */
static const struct observable *observable_next(const struct report *report, const struct observable *last)
{
	const struct observable *next = NULL;

	for (size_t i = 0; i < report->observable_count; i++) {
		const struct observable *one = &report->observables[i];
		if (one->role != OBSERVED_REPORTER && (!last || observable_before(last, one)) &&
			(!next || observable_before(one, next)))
			next = one;
	}
	return next;
}

/* More observables than this are a list; its first ones in order, their number and the text tell lists apart.
 */
#define CONTENT_OBSERVABLES 64

static bool content(const struct report *report, struct key *key)
{
	const struct observable *one = NULL;

	key_type(key, report);
	key_subject(key, report);
	for (int i = 0; i < CONTENT_OBSERVABLES && (one = observable_next(report, one)) != NULL; i++)
		key_add(key, observable_type_name(one->type), one->value);
	key_number(key, "observables", (unsigned)report->observable_count);
	if (report->doc.len == 0 && report->text.len > 0) {
		uint8_t digest[SHA256_LEN];
		char hex[SHA256_HEX];
		sha256(report->text, digest);
		key_add(key, "text", str_of(hex_encode(digest, SHA256_LEN, hex)));
	}
	return true;
}

struct rule {
	const char *name;
	uint16_t version;
	/* RSIT classes and types that it is for, by blanks; NULL: all. */
	const char *types;
	/* False: this report has not what the key needs; the next rule is asked. */
	bool (*key)(const struct report *report, struct key *key);
};

static const struct rule rules[] = {
	{"stix-id", 1, NULL, stix_id},
	{"ids-signature", 1, NULL, ids_signature},
	{"mail-campaign", 1, NULL, mail_campaign},
	{"phishing-url", 1, "phishing masquerade malware-distribution", phishing_url},
	{"infected-host", 1, "malicious-code intrusions", infected_host},
	{"scan", 1, "information-gathering intrusion-attempts", scan},
	{"vulnerable-service", 1, "vulnerable", vulnerable_service},
	{"attack", 1, "dos ddos", attack_on},
	{"identified", 1, NULL, identified},
	{"content", 1, NULL, content},
};

static bool word_in(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)) != NULL; at += len)
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

static bool is_for(const struct rule *rule, enum rsit_type type)
{
	return !rule->types || (type != RSIT_NONE && (word_in(rule->types, rsit_class(type)) ||
							     word_in(rule->types, rsit_name(type))));
}

/* The key as people read it: at most KEY_MAX bytes. */
static struct str key_text(struct key *key, struct arena *arena)
{
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX];
	struct str head;

	if (!key->rest && key->len <= KEY_MAX)
		return arena_str(arena, (struct str){key->text, key->len});
	if (!key->rest)
		key->rest = sha256_new();
	sha256_update(key->rest, key->text + KEY_HEAD, key->len - KEY_HEAD);
	sha256_final(key->rest, digest);
	sha256_free(&key->rest);
	head = utf8_cut((struct str){key->text, KEY_HEAD}, KEY_HEAD);
	return arena_printf(arena, STR_FMT "…#%s", STR_ARG(head), hex_encode(digest, SHA256_LEN, hex));
}

void report_fingerprint(struct report *report, struct arena *arena)
{
	const struct rule *rule = rules;
	struct key key;

	key.rest = NULL;
	for (;; rule++) {
		key.len = 0;
		if (is_for(rule, report->type) && rule->key(report, &key))
			break;
		sha256_free(&key.rest);
	}
	report->fingerprint.rule = str_of(rule->name);
	report->fingerprint.version = rule->version;
	report->fingerprint.key = key_text(&key, arena);
	fingerprint_digest(
		report->fingerprint.rule, rule->version, report->fingerprint.key, report->fingerprint.digest);
}
