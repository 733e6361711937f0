#include "config.h"

#include "wire/csv_map.h"

#include <string.h>

#include "base/mem.h"

#define WORD_MAX 100

static const struct {
	const char *name;
	enum csv_what what;
} words[] = {
	{"-", CSV_KEPT},
	{"any", CSV_ANY},
	{"endpoint", CSV_ENDPOINT},
	{"port", CSV_PORT},
	{"time", CSV_TIME},
	{"type", CSV_TYPE},
	{"identifier", CSV_IDENTIFIER},
	{"malware", CSV_MALWARE},
	{"severity", CSV_SEVERITY},
	{"confidence", CSV_CONFIDENCE},
	{"tlp", CSV_TLP},
	{"title", CSV_TITLE},
	{"text", CSV_TEXT},
	{"id", CSV_ID},
	{"count", CSV_COUNT},
	{"tag", CSV_TAG},
};

/* What publishers of lists call their columns; read where a source says nothing of its own. */
static const struct {
	const char *header;
	const char *word;
} headers[] = {
	{"ip", "ip"},
	{"ip_address", "ip"},
	{"ipaddress", "ip"},
	{"ip address", "ip"},
	{"ipv4", "ip"},
	{"ipv6", "ip"},
	{"address", "any"},
	{"src_ip", "ip"},
	{"source_ip", "ip"},
	{"source.ip", "ip"},
	{"srcip", "ip"},
	{"network", "ip"},
	{"cidr", "ip"},
	{"dst_ip", "ip:target"},
	{"dest_ip", "ip:target"},
	{"destination_ip", "ip:target"},
	{"destination.ip", "ip:target"},
	{"src_port", "port"},
	{"source_port", "port"},
	{"source.port", "port"},
	{"port", "port"},
	{"dst_port", "port:target"},
	{"dest_port", "port:target"},
	{"destination_port", "port:target"},
	{"destination.port", "port:target"},
	{"ip:port", "endpoint"},
	{"ip_port", "endpoint"},
	{"domain", "name"},
	{"domain_name", "name"},
	{"hostname", "name"},
	{"host", "any"},
	{"fqdn", "name"},
	{"source.fqdn", "name"},
	{"url", "url"},
	{"source.url", "url"},
	{"ioc", "any"},
	{"ioc_value", "any"},
	{"indicator", "any"},
	{"value", "any"},
	{"asn", "asn"},
	{"as_number", "asn"},
	{"source.asn", "asn"},
	{"md5", "md5"},
	{"md5_hash", "md5"},
	{"sha1", "sha1"},
	{"sha1_hash", "sha1"},
	{"sha256", "sha256"},
	{"sha256_hash", "sha256"},
	{"email", "email"},
	{"cve", "cve"},
	{"time", "time"},
	{"timestamp", "time"},
	{"date", "time"},
	{"datetime", "time"},
	{"time.source", "time"},
	{"first_seen", "time"},
	{"first_seen_utc", "time"},
	{"firstseen", "time"},
	{"dateadded", "time"},
	{"date_added", "time"},
	{"malware", "malware"},
	{"malware_name", "malware"},
	{"malware_printable", "malware"},
	{"family", "malware"},
	{"signature", "malware"},
	{"classification.type", "type"},
	{"classification.identifier", "identifier"},
	{"identifier", "identifier"},
	{"severity", "severity"},
	{"confidence", "confidence"},
	{"confidence_level", "confidence"},
	{"tlp", "tlp"},
	{"id", "id"},
	{"tags", "tag"},
	{"tag", "tag"},
	{"description", "text"},
	{"comment", "text"},
};

static struct str lower(struct str text, char copy[WORD_MAX])
{
	size_t len = text.len < WORD_MAX ? text.len : 0;

	for (size_t i = 0; i < len; i++)
		copy[i] = (char)(text.p[i] >= 'A' && text.p[i] <= 'Z' ? text.p[i] | 0x20 : text.p[i]);
	return (struct str){copy, len};
}

/* Of an address list each row is the thing that does it; of all else, a sign of it. */
static enum observable_role usual_role(enum csv_what what, enum observable_type type)
{
	if (what == CSV_PORT || what == CSV_ENDPOINT)
		return OBSERVED_SOURCE;
	if (what == CSV_ANY)
		return OBSERVED_UNKNOWN;
	return type == OBSERVABLE_IP || type == OBSERVABLE_NAME || type == OBSERVABLE_ASN
	               ? OBSERVED_SOURCE
	               : OBSERVED_INDICATOR;
}

static bool has_role(enum csv_what what)
{
	return what == CSV_OBSERVABLE || what == CSV_ANY || what == CSV_ENDPOINT || what == CSV_PORT;
}

static bool word_parse(struct str word, struct csv_column *column)
{
	char copy[WORD_MAX];
	struct str rest = lower(word, copy);
	struct str name;
	bool known = false;

	if (rest.len == 0 || !str_split(&rest, ':', &name))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words) && !known; i++) {
		known = str_equal(name, str_of(words[i].name));
		column->what = words[i].what;
	}
	if (!known && observable_type_parse(name, &column->type)) {
		column->what = CSV_OBSERVABLE;
		known = true;
	}
	if (!known)
		return false;
	column->role = usual_role(column->what, column->type);
	return !rest.p || (has_role(column->what) && observable_role_parse(rest, &column->role));
}

static bool is_between(char c)
{
	return c == ' ' || c == ',' || c == '\t' || c == '\n' || c == '\r';
}

/* Cut the next word off, with a header's name in front of it if there is one. */
static bool next_word(struct str *rest, struct str *header, struct str *word)
{
	const char *p = rest->p;
	const char *end = p + rest->len;
	const char *begin = p;

	*header = STR("");
	if (p < end && *p == '"') {
		const char *close = memchr(p + 1, '"', (size_t)(end - p - 1));

		if (!close || close + 1 >= end || close[1] != '=')
			return false;
		*header = (struct str){p + 1, (size_t)(close - p - 1)};
		begin = p = close + 2;
	}
	for (; p < end && !is_between(*p); p++) {
		if (*p == '=') {
			*header = (struct str){begin, (size_t)(p - begin)};
			begin = p + 1;
		}
	}
	*word = (struct str){begin, (size_t)(p - begin)};
	*rest = (struct str){p, (size_t)(end - p)};
	return true;
}

static void skip_between(struct str *rest)
{
	while (rest->len > 0 && is_between(*rest->p)) {
		rest->p++;
		rest->len--;
	}
}

bool csv_map_parse(struct str text, struct csv_map *map, struct err *err)
{
	struct str header, word;
	size_t by_header = 0;
	bool names = false;

	map->count = 0;
	for (skip_between(&text); text.len > 0; skip_between(&text)) {
		struct csv_column *column = &map->columns[map->count];

		if (map->count == CSV_COLUMNS)
			return err_set(err, ERR_MALFORMED, "expected at most %d columns", CSV_COLUMNS);
		if (!next_word(&text, &header, &word))
			return err_set(err, ERR_MALFORMED, "expected a header's name as \"NAME\"=WORD");
		*column = (struct csv_column){.header = header};
		if (!word_parse(word, column))
			return err_set(err, ERR_MALFORMED,
				"column %zu: expected -, time, ip, name, url, any … as cirtd.conf(5) lists "
				"them, "
				"got \"" STR_FMT "\"",
				map->count + 1, STR_ARG(utf8_cut(word, 40)));
		names = names || csv_map_names(column->what);
		by_header += header.len > 0;
		map->count++;
	}
	map->by_header = by_header > 0;
	if (by_header > 0 && by_header < map->count)
		return err_set(err, ERR_MALFORMED, "expected all columns by place, or all by HEADER=WORD");
	return names || err_set(err, ERR_MALFORMED,
				"expected a column that says what a row is about, such as ip, url or any");
}

bool csv_map_check(struct str text, struct err *err)
{
	struct csv_map map;

	return csv_map_parse(text, &map, err);
}

bool csv_map_separator(struct str word, char *separator)
{
	if (str_equal(word, STR("tab"))) {
		*separator = '\t';
		return true;
	}
	if (word.len != 1)
		return false;
	*separator = word.p[0];
	return *separator == ',' || *separator == ';' || *separator == '|' || *separator == '\t';
}

struct csv_column csv_map_guess(struct str header)
{
	struct csv_column column = {.what = CSV_KEPT};
	char copy[WORD_MAX];
	struct str name = lower(str_trim(header), copy);

	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		if (str_equal(name, str_of(headers[i].header))) {
			word_parse(str_of(headers[i].word), &column);
			break;
		}
	}
	return column;
}

bool csv_map_names(enum csv_what what)
{
	return what == CSV_OBSERVABLE || what == CSV_ANY || what == CSV_ENDPOINT;
}
