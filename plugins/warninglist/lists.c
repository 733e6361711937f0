#include "lists.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "entry_table.h"
#include "expressions.h"

#define VALUE_MAX 4096u
#define STEM      4u /* bytes of a part of a value by which it is looked up */
#define NAME_MAX  253u
#define CIDR_KEY  17u

struct lists {
	struct list *list;
	size_t count;
	size_t entries;
	struct entry_table *exact;
	struct entry_table *hosts;
	struct entry_table *prefixes;        /* bits and address, then as the list says it */
	bool has_prefix[ADDRESS_BITS + 1];   /* of these lengths there are some */
	struct entry_table *parts[STEM + 1]; /* by length of the stem: shorter parts have shorter ones */
	struct expressions *expressions;
};

/* One question. */
struct find {
	const struct lists *lists;
	enum subject subject; /* what the list must speak of */
	bool whole;
	lists_match_fn *match;
	void *context;
};

struct lists *lists_new(void)
{
	struct lists *lists = calloc(1, sizeof(*lists));
	bool ok = lists != NULL;

	if (!ok)
		return NULL;
	lists->exact = entry_table_new();
	lists->hosts = entry_table_new();
	lists->prefixes = entry_table_new();
	lists->expressions = expressions_new();
	for (size_t i = 1; i <= STEM; i++) {
		lists->parts[i] = entry_table_new();
		ok = ok && lists->parts[i];
	}
	if (!ok || !lists->exact || !lists->hosts || !lists->prefixes || !lists->expressions) {
		lists_free(lists);
		return NULL;
	}
	return lists;
}

void lists_free(struct lists *lists)
{
	if (!lists)
		return;
	for (size_t i = 0; i < lists->count; i++)
		free(lists->list[i].name);
	free(lists->list);
	entry_table_free(lists->exact);
	entry_table_free(lists->hosts);
	entry_table_free(lists->prefixes);
	for (size_t i = 1; i <= STEM; i++)
		entry_table_free(lists->parts[i]);
	expressions_free(lists->expressions);
	free(lists);
}

int lists_add(struct lists *lists, const struct list *list)
{
	struct list *grown = realloc(lists->list, (lists->count + 1) * sizeof(*grown));
	char *name = strdup(list->name);

	if (grown)
		lists->list = grown;
	if (!grown || !name) {
		free(name);
		return -1;
	}
	grown[lists->count] = *list;
	grown[lists->count].name = name;
	return (int)lists->count++;
}

const struct list *lists_get(const struct lists *lists, uint32_t list)
{
	return &lists->list[list];
}

size_t lists_count(const struct lists *lists)
{
	return lists->count;
}

size_t lists_entries(const struct lists *lists)
{
	return lists->entries;
}

/* ---- in ---- */

static void lower(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] - 'A' + 'a');
}

static bool put_prefix(
	struct lists *lists, uint32_t list, const struct address *address, const char *text, size_t len)
{
	char bytes[CIDR_KEY + 80];
	size_t shown = len < 80 ? len : 80;

	bytes[0] = (char)address->bits;
	address_cut(address, address->bits, (unsigned char *)bytes + 1);
	memcpy(bytes + CIDR_KEY, text, shown);
	lists->has_prefix[address->bits] = true;
	return entry_table_add(lists->prefixes, list, bytes, CIDR_KEY + shown, CIDR_KEY);
}

/* ".example.org", "*.example.org" and "example.org." are the name and all below it. */
static bool put_host(struct lists *lists, uint32_t list, const char *text, size_t len)
{
	while (len > 0 && (*text == '.' || *text == '*')) {
		text++;
		len--;
	}
	while (len > 0 && text[len - 1] == '.')
		len--;
	return len > 0 && len <= NAME_MAX && entry_table_add(lists->hosts, list, text, len, len);
}

static bool put_part(struct lists *lists, uint32_t list, const char *text, size_t len)
{
	size_t stem = len < STEM ? len : STEM;

	return entry_table_add(lists->parts[stem], list, text, len, stem);
}

const char *lists_put(struct lists *lists, uint32_t list, const char *text, size_t len)
{
	char value[VALUE_MAX];
	struct address address;
	bool ok;

	while (len > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	if (len == 0 || len >= sizeof(value))
		return "expected 1 to 4095 bytes";
	memcpy(value, text, len);
	value[len] = '\0';
	if (lists->list[list].type == LIST_REGEX)
		return expressions_add(lists->expressions, list, value) ? lists->entries++,
		       NULL                                             : "expected a regular expression";
	lower(value, len);
	switch (lists->list[list].type) {
	case LIST_CIDR:
		if (!address_parse(value, len, &address))
			return "expected an address or a prefix";
		ok = put_prefix(lists, list, &address, value, len);
		break;
	case LIST_HOSTNAME:
		if (!put_host(lists, list, value, len))
			return "expected a name";
		ok = true;
		break;
	case LIST_SUBSTRING:
		ok = put_part(lists, list, value, len);
		break;
	default:
		/* An address may be written in several ways. */
		ok = address_parse(value, len, &address)
		             ? put_prefix(lists, list, &address, value, len)
		             : entry_table_add(lists->exact, list, value, len, len);
	}
	lists->entries += ok;
	return ok ? NULL : "expected memory for it";
}

/* ---- questions ---- */

static void found(const struct find *find, uint32_t number, const char *text)
{
	const struct list *list = &find->lists->list[number];

	if (list->subjects & find->subject)
		find->match(list, text, find->whole, find->context);
}

static void find_key(const struct find *find, const struct entry_table *table, const char *key, size_t len)
{
	for (const struct entry *entry = entry_find(table, key, len); entry;
		entry = entry_next(entry, key, len))
		found(find, entry->list, entry->bytes);
}

static void find_host(const struct find *find, const char *name, size_t len)
{
	const char *end = name + len;

	while (len > 0) {
		const char *dot = memchr(name, '.', len);
		find_key(find, find->lists->hosts, name, len);
		if (!dot)
			return;
		name = dot + 1;
		len = (size_t)(end - name);
	}
}

static void find_address(const struct find *find, const struct address *address)
{
	const struct lists *lists = find->lists;
	char key[CIDR_KEY];

	for (unsigned bits = 0; bits <= address->bits; bits++) {
		if (!lists->has_prefix[bits])
			continue;
		key[0] = (char)bits;
		address_cut(address, bits, (unsigned char *)key + 1);
		for (const struct entry *entry = entry_find(lists->prefixes, key, sizeof(key)); entry;
			entry = entry_next(entry, key, sizeof(key)))
			found(find, entry->list, entry->bytes + CIDR_KEY);
	}
}

static void find_parts(const struct find *find, const char *value, size_t len)
{
	for (size_t stem = 1; stem <= STEM; stem++) {
		const struct entry_table *table = find->lists->parts[stem];
		if (entry_table_count(table) == 0)
			continue;
		for (size_t at = 0; at + stem <= len; at++)
			for (const struct entry *entry = entry_find(table, value + at, stem); entry;
				entry = entry_next(entry, value + at, stem))
				if (entry->len <= len - at &&
					memcmp(entry->bytes, value + at, entry->len) == 0)
					found(find, entry->list, entry->bytes);
	}
}

static void find_expression(uint32_t list, const char *text, void *context)
{
	found(context, list, text);
}

/* The host of a normalised URL, and whether anything follows it. */
static size_t url_host(const char *url, const char **host, bool *whole)
{
	const char *start = strstr(url, "://");
	const char *at;
	size_t len;

	if (!start)
		return 0;
	start += 3;
	len = strcspn(start, "/?#");
	*whole = start[len] == '\0' || (start[len] == '/' && start[len + 1] == '\0');
	/* What stands before the host is the sender's to choose. */
	while ((at = memchr(start, '@', len)) != NULL) {
		*whole = false;
		len -= (size_t)(at + 1 - start);
		start = at + 1;
	}
	*host = start;
	if (*start == '[') {
		const char *close = memchr(start, ']', len);
		return close ? (size_t)(close + 1 - start) : 0;
	}
	const char *port = memchr(start, ':', len);
	return port ? (size_t)(port - start) : len;
}

static void find_url_host(struct find find, const char *url)
{
	struct address address;
	const char *host = NULL;
	size_t len = url_host(url, &host, &find.whole);

	if (len == 0)
		return;
	if (address_parse(host, len, &address)) {
		find.subject = SUBJECT_IP | SUBJECT_URL;
		find_address(&find, &address);
		return;
	}
	find.subject = SUBJECT_NAME | SUBJECT_URL;
	find_key(&find, find.lists->exact, host, len);
	find_host(&find, host, len);
}

void lists_find(const struct lists *lists, enum subject subject, const char *value,
	struct lists_effort *effort, lists_match_fn *match, void *context)
{
	struct find find = {lists, subject, true, match, context};
	size_t len = strlen(value);
	char lowered[VALUE_MAX];
	struct address address;

	if (len == 0 || len >= sizeof(lowered))
		return;
	memcpy(lowered, value, len + 1);
	lower(lowered, len);
	find_key(&find, lists->exact, lowered, len);
	find_parts(&find, lowered, len);
	effort->matches =
		expressions_find(lists->expressions, value, len, effort->matches, find_expression, &find);
	if (subject == SUBJECT_IP && address_parse(lowered, len, &address))
		find_address(&find, &address);
	else if (subject == SUBJECT_NAME)
		find_host(&find, lowered, len);
	else if (subject == SUBJECT_URL)
		find_url_host(find, lowered);
}
