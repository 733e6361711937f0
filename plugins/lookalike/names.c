#include "names.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "key_list.h"
#include "skeleton.h"

#define HOST_MAX   253u
#define NAMES_MAX  200000u
#define LABELS_MAX 16u /* of a host, the last ones */
#define SAME_MOST  64u /* names with one and the same key that are looked at */

/* Shorter words are in too many names that imitate nobody. */
#define WORD_LEAST      4u /* with a hyphen beside it, or exactly the same */
#define JOINED_LEAST    5u
#define CHANGED_LEAST   5u /* one letter, same ending; one longer with another ending */
#define CHANGED_2_LEAST 9u

#define BELOW_ANOTHER 10u /* somebody else's domain, or one where anybody may have a name */

/* Kinds of keys. */
#define KEY_DOMAIN 'd'
#define KEY_DASHED 'h' /* its dots written as hyphens */
#define KEY_WORD   's' /* skeleton of its first label */
#define KEY_PART   'p' /* length of that skeleton, which third, the third itself */
#define KEY_COMMON 'c' /* skeleton of a common word */
#define PARTS      3u

struct name {
	char *domain;
	const char *organisation; /* behind the domain */
	char plain[SKELETON_MAX]; /* first label as it is read */
	char skeleton[SKELETON_MAX];
	bool is_common; /* its first label is: only the whole domain tells */
};

struct names {
	struct name *list;
	size_t count;
	struct key_list keys;
};

/* What is put beside a name to make it look like a part of it. */
static const char *const common_words[] = {"login", "signin", "logon", "secure", "security", "account",
	"accounts", "verify", "verification", "update", "support", "help", "helpdesk", "service", "services",
	"online", "portal", "pay", "payment", "payments", "billing", "invoice", "refund", "mail", "webmail",
	"email", "web", "www", "mobile", "app", "auth", "sso", "confirm", "client", "clients", "customer",
	"customers", "bank", "banking", "ebanking", "netbank", "info", "alert", "alerts", "notice",
	"recovery", "reset", "password", "wallet", "shop", "store", "official", "team", "group", "tax",
	"post", "delivery", "parcel", "tracking", "track", "user", "users", "access", "cloud", "docs",
	"files", "share", "intranet", "remote", "vpn", "meet", "news"};

struct label {
	const char *text;
	size_t len;
	bool sound;
	char plain[SKELETON_MAX];
	char skeleton[SKELETON_MAX];
};

struct host {
	const struct names *names;
	struct label labels[LABELS_MAX];
	size_t count;
	size_t registered; /* the label that somebody chose when registering it, as far as can be told */
	struct likeness *best;
};

/* ---- the names ---- */

static bool add_parts(struct names *names, const struct name *name, uint32_t number)
{
	size_t len = strlen(name->skeleton);
	char key[2 + SKELETON_MAX];
	bool ok = true;

	for (size_t part = 0; part < PARTS; part++) {
		size_t from = len * part / PARTS, to = len * (part + 1) / PARTS;
		key[0] = (char)len;
		key[1] = (char)part;
		memcpy(key + 2, name->skeleton + from, to - from);
		ok = ok && key_list_add(&names->keys, KEY_PART, key, 2 + to - from, number);
	}
	return ok;
}

static bool add_keys(struct names *names, const struct name *name, uint32_t number)
{
	size_t len = strlen(name->domain), word = strlen(name->skeleton);
	char dashed[HOST_MAX + 1];
	bool ok;

	for (size_t i = 0; i <= len; i++)
		dashed[i] = (char)(name->domain[i] == '.' ? '-' : name->domain[i]);
	ok = key_list_add(&names->keys, KEY_DOMAIN, name->domain, len, number) &&
	     key_list_add(&names->keys, KEY_DASHED, dashed, len, number);
	if (!ok || name->is_common)
		return ok;
	if (word >= WORD_LEAST)
		ok = key_list_add(&names->keys, KEY_WORD, name->skeleton, word, number);
	return ok && (word < CHANGED_LEAST || add_parts(names, name, number));
}

static bool is_common(const char *plain)
{
	for (size_t i = 0; i < sizeof(common_words) / sizeof(common_words[0]); i++)
		if (strcmp(plain, common_words[i]) == 0)
			return true;
	return false;
}

static bool is_domain(const char *text, size_t len)
{
	size_t label = 0, labels = 1;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
		if (c == '.' && label > 0) {
			label = 0;
			labels++;
		} else if (!letter || ++label > LABEL_MAX) {
			return false;
		}
	}
	return len <= HOST_MAX && labels > 1 && label > 0;
}

static const char *add_name(struct names *names, const char *line, size_t len)
{
	const char *comma = memchr(line, ',', len);
	size_t domain_len = comma ? (size_t)(comma - line) : len,
	       owner_len = comma ? len - domain_len - 1 : 0;
	struct name *grown, *name;

	while (domain_len > 0 && (line[domain_len - 1] == ' ' || line[domain_len - 1] == '.'))
		domain_len--;
	for (; owner_len > 0 && comma[1] == ' '; owner_len--)
		comma++;
	if (names->count == NAMES_MAX)
		return "expected 200000 names at most";
	grown = realloc(names->list, (names->count + 1) * sizeof(*grown));
	if (!grown)
		return "expected memory for it";
	names->list = grown;
	name = &grown[names->count];
	name->domain = calloc(1, domain_len + owner_len + 2);
	if (!name->domain)
		return "expected memory for it";
	for (size_t i = 0; i < domain_len; i++)
		name->domain[i] = (char)(line[i] >= 'A' && line[i] <= 'Z' ? line[i] + 32 : line[i]);
	if (owner_len > 0)
		memcpy(name->domain + domain_len + 1, comma + 1, owner_len);
	name->organisation = name->domain + domain_len + 1;
	if (!is_domain(name->domain, domain_len) || strlen(name->domain) != domain_len ||
		!skeleton_of_label(name->domain, strcspn(name->domain, "."), name->plain, name->skeleton)) {
		free(name->domain);
		return "expected a domain, such as bank.example";
	}
	name->is_common = is_common(name->plain);
	names->count++;
	return add_keys(names, name, (uint32_t)names->count - 1) ? NULL : "expected memory for it";
}

static bool add_common_words(struct names *names)
{
	char plain[SKELETON_MAX], skeleton[SKELETON_MAX];
	bool ok = true;

	for (size_t i = 0; i < sizeof(common_words) / sizeof(common_words[0]); i++) {
		skeleton_of_label(common_words[i], strlen(common_words[i]), plain, skeleton);
		ok = ok && key_list_add(&names->keys, KEY_COMMON, skeleton, strlen(skeleton), (uint32_t)i);
	}
	return ok;
}

static size_t trim(const char **line, size_t len)
{
	while (len > 0 && (**line == ' ' || **line == '\t')) {
		(*line)++;
		len--;
	}
	while (len > 0 && strchr(" \t\r", (*line)[len - 1]))
		len--;
	return len;
}

static bool is_heading(const char *line, size_t len)
{
	return len >= 6 && memcmp(line, "domain", 6) == 0 && (len == 6 || line[6] == ',');
}

struct names *names_parse(const char *bytes, size_t len, char *error, size_t size)
{
	struct names *names = calloc(1, sizeof(*names));
	const char *end = bytes + len;
	const char *why = names && add_common_words(names) ? NULL : "expected memory for it";
	unsigned number = 0;

	while (!why && bytes && bytes < end) {
		const char *feed = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *line = bytes;
		size_t line_len = trim(&line, (size_t)((feed ? feed : end) - bytes));
		number++;
		bytes = feed ? feed + 1 : end;
		if (line_len > 0 && *line != '#' && !(number == 1 && is_heading(line, line_len)))
			why = add_name(names, line, line_len);
	}
	if (why) {
		snprintf(error, size, "line %u: %s", number, why);
		names_free(names);
		return NULL;
	}
	key_list_sort(&names->keys);
	return names;
}

void names_free(struct names *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i].domain);
	free(names->list);
	key_list_clear(&names->keys);
	free(names);
}

size_t names_count(const struct names *names)
{
	return names->count;
}

bool names_hold(const struct names *names, const char *host)
{
	size_t first;

	while (host) {
		const char *dot = strchr(host, '.');
		if (key_list_find(&names->keys, KEY_DOMAIN, host, strlen(host), &first) > 0)
			return true;
		host = dot ? dot + 1 : NULL;
	}
	return false;
}

/* ---- a host beside them ---- */

static void take(const struct host *host, const struct name *name, unsigned score, const char *how)
{
	struct likeness *best = host->best;

	if (score <= best->score)
		return;
	best->domain = name->domain;
	best->organisation = name->organisation;
	best->score = score;
	snprintf(best->how, sizeof(best->how), "%s", how);
}

/* Of very many names with one key some are enough. */
static size_t some(size_t count)
{
	return count < SAME_MOST ? count : SAME_MOST;
}

static const struct name *name_at(const struct host *host, size_t key)
{
	return &host->names->list[host->names->keys.keys[key].number];
}

static bool same_ending(const struct host *host, const struct name *name)
{
	const struct label *label = &host->labels[host->registered];

	return strcmp(label->text + label->len, name->domain + strcspn(name->domain, ".")) == 0;
}

/* bank.example.evil.net, and bank-example.evil.net. */
static void find_domain_inside(const struct host *host)
{
	const struct key_list *keys = &host->names->keys;
	size_t first;

	for (size_t from = 0; from + 1 < host->count; from++) {
		for (size_t to = from + 2; to < host->count; to++) {
			const char *start = host->labels[from].text;
			size_t len = (size_t)(host->labels[to].text - start) - 1;
			if (key_list_find(keys, KEY_DOMAIN, start, len, &first) > 0)
				take(host, name_at(host, first), 95,
					"the whole name in front of another domain");
		}
	}
}

static void find_dashed(const struct host *host, const struct label *label)
{
	size_t first;

	for (size_t from = 0; from < label->len; from++) {
		if (from > 0 && label->text[from - 1] != '-')
			continue;
		for (size_t to = from + 1; to <= label->len; to++)
			if ((to == label->len || label->text[to] == '-') &&
				key_list_find(&host->names->keys, KEY_DASHED, label->text + from, to - from,
					&first) > 0)
				take(host, name_at(host, first), 90, "the whole name with hyphens for dots");
	}
}

static void find_word(const struct host *host, const struct label *label, bool registered)
{
	size_t first, count = key_list_find(
			      &host->names->keys, KEY_WORD, label->skeleton, strlen(label->skeleton), &first);

	for (size_t i = first; i < first + some(count); i++) {
		const struct name *name = name_at(host, i);
		if (strcmp(label->plain, name->plain) != 0)
			take(host, name, registered ? 95 : 80, "letters that look the same");
		else if (registered)
			take(host, name, strlen(name->skeleton) > WORD_LEAST ? 70 : 50,
				"the same name with another ending");
		else
			take(host, name, 40, "the name below another domain");
	}
}

/* login-bank, bank-24, my-bank-online; the name may have hyphens of its own. */
static void find_between_hyphens(const struct host *host, const struct label *label, bool registered)
{
	const struct key_list *keys = &host->names->keys;
	const char *text = label->skeleton;
	size_t len = strlen(text), first, unused;

	for (size_t from = 0; from < len; from++) {
		if (from > 0 && text[from - 1] != '-')
			continue;
		for (size_t to = from + WORD_LEAST; to <= len; to++) {
			if ((to < len && text[to] != '-') || to - from == len ||
				key_list_find(keys, KEY_WORD, text + from, to - from, &first) == 0)
				continue;
			size_t before = from > 0 ? from - 1 : 0, after = to < len ? len - to - 1 : 0;
			bool common = key_list_find(keys, KEY_COMMON, text, before, &unused) > 0 ||
			              key_list_find(keys, KEY_COMMON, text + len - after, after, &unused) > 0;
			unsigned score = common ? 85 : 75;
			take(host, name_at(host, first), registered ? score : score - BELOW_ANOTHER,
				"words added to the name");
		}
	}
}

/* banklogin, securebank. */
static void find_joined(const struct host *host, const struct label *label, bool registered)
{
	unsigned score = registered ? 80 : 80 - BELOW_ANOTHER;
	const struct key_list *keys = &host->names->keys;
	const char *text = label->skeleton;
	size_t len = strlen(text), first, unused;

	for (size_t cut = 1; cut < len; cut++) {
		if (len - cut >= JOINED_LEAST && key_list_find(keys, KEY_COMMON, text, cut, &unused) > 0 &&
			key_list_find(keys, KEY_WORD, text + cut, len - cut, &first) > 0)
			take(host, name_at(host, first), score, "a word joined to the name");
		if (cut >= JOINED_LEAST &&
			key_list_find(keys, KEY_COMMON, text + cut, len - cut, &unused) > 0 &&
			key_list_find(keys, KEY_WORD, text, cut, &first) > 0)
			take(host, name_at(host, first), score, "a word joined to the name");
	}
}

static void compare_changed(const struct host *host, const char *word, const struct name *name)
{
	size_t len = strlen(name->skeleton);
	bool same = same_ending(host, name);
	unsigned steps = edit_distance(word, name->skeleton, len >= CHANGED_2_LEAST ? 2 : 1);

	if (steps == 1 && (same || len > CHANGED_LEAST))
		take(host, name, same ? 90 : 75, "one letter changed");
	else if (steps == 2 && len >= CHANGED_2_LEAST)
		take(host, name, same ? 80 : 70, "two letters changed");
}

/* Of two words that differ in two places one third at least is the same, a place or two away. */
static void find_changed_part(const struct host *host, const char *word, size_t len, size_t part)
{
	size_t word_len = strlen(word);
	size_t from = len * part / PARTS, part_len = len * (part + 1) / PARTS - from;
	char key[2 + SKELETON_MAX];
	size_t first;

	key[0] = (char)len;
	key[1] = (char)part;
	for (size_t start = from > 2 ? from - 2 : 0; start <= from + 2 && start + part_len <= word_len;
		start++) {
		memcpy(key + 2, word + start, part_len);
		size_t count = key_list_find(&host->names->keys, KEY_PART, key, 2 + part_len, &first);
		for (size_t i = first; i < first + some(count); i++)
			compare_changed(host, word, name_at(host, i));
	}
}

/* Names of about this length that are nearly the same. */
static void find_changed(const struct host *host, const char *word)
{
	size_t word_len = strlen(word);

	for (size_t len = word_len > 2 ? word_len - 2 : 0; len <= word_len + 2 && len < SKELETON_MAX; len++)
		for (size_t part = 0; len >= CHANGED_LEAST && part < PARTS; part++)
			find_changed_part(host, word, len, part);
}

/* co.uk and the like: a short label before the last one is part of the ending. */
static size_t registered_label(const struct host *host)
{
	size_t second = host->count - 2;

	return second > 0 && host->labels[second].len <= 3 ? second - 1 : second;
}

static void cut_labels(struct host *host, const char *text)
{
	size_t dots = 0;

	for (const char *at = text; *at; at++)
		dots += *at == '.';
	for (; dots >= LABELS_MAX; dots--)
		text = strchr(text, '.') + 1;
	while (text) {
		struct label *label = &host->labels[host->count++];
		const char *dot = strchr(text, '.');
		label->text = text;
		label->len = dot ? (size_t)(dot - text) : strlen(text);
		label->sound = skeleton_of_label(text, label->len, label->plain, label->skeleton);
		text = dot ? dot + 1 : NULL;
	}
}

bool names_resemble(const struct names *names, const char *text, struct likeness *likeness)
{
	struct host host = {.names = names, .best = likeness};

	*likeness = (struct likeness){.score = 0};
	if (strlen(text) > HOST_MAX || !strchr(text, '.') || names_hold(names, text))
		return false;
	cut_labels(&host, text);
	host.registered = registered_label(&host);
	find_domain_inside(&host);
	for (size_t i = 0; i + 1 < host.count; i++) {
		const struct label *label = &host.labels[i];
		if (!label->sound)
			continue;
		find_dashed(&host, label);
		find_word(&host, label, i == host.registered);
		find_between_hyphens(&host, label, i == host.registered);
		find_joined(&host, label, i == host.registered);
		if (i == host.registered) {
			find_changed(&host, label->skeleton);
			/* A changed letter may make a pair that looks like one: telco, tclco. */
			find_changed(&host, label->plain);
		}
	}
	return likeness->score > 0;
}
