#include "prefix_table.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NESTED_MAX 130 /* more prefixes than this cannot hold one another */

struct prefix {
	struct net_address first;
	struct net_address last;
	struct net_info info;
};

/* Addresses from here to the next range's first. */
struct range {
	struct net_address first;
	struct net_info info;
};

struct prefix_table {
	struct range *ranges;
	size_t count;
};

struct prefixes {
	struct prefix *list;
	size_t count;
	size_t space;
};

static int address_compare(struct net_address a, struct net_address b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	return (a.low > b.low) - (a.low < b.low);
}

static uint64_t big_endian(const unsigned char *bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return value;
}

static bool parse(const char *text, struct net_address *address, unsigned *bits)
{
	char host[64];
	unsigned char bytes[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	bool four;
	char *end = NULL;
	unsigned long most, length;

	if (len == 0 || len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	four = inet_pton(AF_INET, host, bytes + 12) == 1;
	if (!four && inet_pton(AF_INET6, host, bytes) != 1)
		return false;
	most = four ? 32 : 128;
	length = slash ? strtoul(slash + 1, &end, 10) : most;
	if (slash && (end == slash + 1 || *end || slash[1] < '0' || slash[1] > '9' || length > most))
		return false;
	*address = (struct net_address){big_endian(bytes), big_endian(bytes + 8)};
	*bits = (unsigned)length + (four ? 96 : 0);
	return true;
}

bool net_address_parse(const char *text, struct net_address *address)
{
	unsigned bits;

	return parse(text, address, &bits);
}

static void prefix_bounds(struct prefix *prefix, unsigned bits)
{
	uint64_t high = bits >= 64 ? UINT64_MAX : bits == 0 ? 0 : UINT64_MAX << (64 - bits);
	uint64_t low = bits <= 64 ? 0 : UINT64_MAX << (128 - bits);

	prefix->first.high &= high;
	prefix->first.low &= low;
	prefix->last = (struct net_address){prefix->first.high | ~high, prefix->first.low | ~low};
}

static bool asn_parse(const char *text, uint32_t *asn)
{
	char *end;
	unsigned long value;

	if ((text[0] == 'A' || text[0] == 'a') && (text[1] == 'S' || text[1] == 's'))
		text += 2;
	*asn = 0;
	if (*text == '\0')
		return true;
	value = strtoul(text, &end, 10);
	*asn = (uint32_t)value;
	return *text >= '0' && *text <= '9' && *end == '\0' && value <= UINT32_MAX;
}

static bool country_parse(const char *text, char country[3])
{
	country[0] = '\0';
	if (*text == '\0')
		return true;
	if (strlen(text) != 2 || text[0] < 'A' || text[0] > 'Z' || text[1] < 'A' || text[1] > 'Z')
		return false;
	memcpy(country, text, 3);
	return true;
}

/* "prefix,asn,country"; what stands behind a third comma is left to others. */
static const char *line_parse(char *line, struct prefix *prefix)
{
	char *asn = strchr(line, ','), *country = NULL, *more;
	unsigned bits;

	if (asn) {
		*asn++ = '\0';
		country = strchr(asn, ',');
	}
	if (country) {
		*country++ = '\0';
		more = strchr(country, ',');
		if (more)
			*more = '\0';
	}
	if (!parse(line, &prefix->first, &bits))
		return "a prefix such as 192.0.2.0/24";
	if (!asn || !asn_parse(asn, &prefix->info.asn))
		return "a number of an autonomous system behind the prefix";
	if (country && !country_parse(country, prefix->info.country))
		return "two capital letters of a country";
	prefix_bounds(prefix, bits);
	return NULL;
}

static bool prefixes_add(struct prefixes *prefixes, const struct prefix *prefix)
{
	if (prefixes->count == prefixes->space) {
		size_t space = prefixes->space ? prefixes->space * 2 : 1024;
		struct prefix *list = realloc(prefixes->list, space * sizeof(*list));
		if (!list)
			return false;
		prefixes->list = list;
		prefixes->space = space;
	}
	prefixes->list[prefixes->count++] = *prefix;
	return true;
}

static bool lines_parse(const char *bytes, size_t len, struct prefixes *prefixes, char *error, size_t size)
{
	const char *end = bytes + len;
	size_t number = 0;

	while (bytes < end) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t line_len = (size_t)((newline ? newline : end) - bytes);
		struct prefix prefix = {0};
		const char *expected;
		char line[256];

		number++;
		if (line_len > 0 && bytes[line_len - 1] == '\r')
			line_len--;
		if (line_len >= sizeof(line) || memchr(bytes, '\0', line_len)) {
			snprintf(error, size, "line %zu: expected prefix,asn,country", number);
			return false;
		}
		memcpy(line, bytes, line_len);
		line[line_len] = '\0';
		bytes = newline ? newline + 1 : end;
		if (line_len == 0 || line[0] == '#')
			continue;
		expected = line_parse(line, &prefix);
		if (expected && number == 1)
			continue;
		if (expected || !prefixes_add(prefixes, &prefix)) {
			snprintf(error, size, "line %zu: expected %s", number,
				expected ? expected : "less memory to be needed");
			return false;
		}
	}
	return true;
}

/* By first address; the wider before what it holds. */
static int prefix_compare(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;
	int order = address_compare(x->first, y->first);

	return order ? order : address_compare(y->last, x->last);
}

static void range_add(struct prefix_table *table, struct net_address first, struct net_info info)
{
	if (table->count > 0 && address_compare(table->ranges[table->count - 1].first, first) == 0)
		table->count--;
	table->ranges[table->count++] = (struct range){first, info};
}

static struct net_address address_next(struct net_address address)
{
	address.low++;
	if (address.low == 0)
		address.high++;
	return address;
}

/* The prefixes that hold where the sweep is, widest first. */
struct open {
	const struct prefix *list[NESTED_MAX];
	size_t count;
};

/* Close those that end before `until` (NULL: all): behind each the one around it goes on. */
static void open_close(struct prefix_table *table, struct open *open, const struct prefix *until)
{
	while (open->count > 0) {
		const struct prefix *inner = open->list[open->count - 1];
		struct net_address behind = address_next(inner->last);
		if (until && address_compare(inner->last, until->first) >= 0)
			return;
		open->count--;
		if (behind.high == 0 && behind.low == 0)
			continue;
		range_add(table, behind,
			open->count > 0 ? open->list[open->count - 1]->info : (struct net_info){0});
	}
}

static struct prefix_table *table_build(struct prefixes *prefixes)
{
	struct prefix_table *table = calloc(1, sizeof(*table));
	struct open open = {.count = 0};

	if (!table)
		return NULL;
	table->ranges = calloc(2 * prefixes->count + 1, sizeof(*table->ranges));
	if (!table->ranges) {
		free(table);
		return NULL;
	}
	if (prefixes->count > 0)
		qsort(prefixes->list, prefixes->count, sizeof(*prefixes->list), prefix_compare);
	for (size_t i = 0; i < prefixes->count; i++) {
		const struct prefix *prefix = &prefixes->list[i];
		open_close(table, &open, prefix);
		if (open.count > 0 && prefix_compare(open.list[open.count - 1], prefix) == 0)
			open.count--;
		open.list[open.count++] = prefix;
		range_add(table, prefix->first, prefix->info);
	}
	open_close(table, &open, NULL);
	return table;
}

struct prefix_table *prefix_table_parse(const char *bytes, size_t len, char *error, size_t size)
{
	struct prefixes prefixes = {0};
	struct prefix_table *table = NULL;

	if (lines_parse(bytes, len, &prefixes, error, size)) {
		table = table_build(&prefixes);
		if (!table)
			snprintf(error, size, "not enough memory for %zu prefixes", prefixes.count);
	}
	free(prefixes.list);
	return table;
}

void prefix_table_free(struct prefix_table *table)
{
	if (!table)
		return;
	free(table->ranges);
	free(table);
}

bool prefix_table_find(const struct prefix_table *table, struct net_address address, struct net_info *info)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (address_compare(table->ranges[middle].first, address) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	*info = table->ranges[low - 1].info;
	return info->asn != 0 || info->country[0] != '\0';
}
