#include "config.h"

#include "wire/shadowserver.h"

#include "base/clock.h"
#include "base/mem.h"
#include "model/severity.h"
#include "model/storable.h"
#include "wire/csv.h"
#include "wire/envelope_facts.h"
#include "wire/fields.h"
#include "wire/machine.h"

#define STAGE      "shadowserver"
#define DATE_LEN   10 /* "2026-11-22" */
#define MOST_NAMES 1000
#define HEADER_MAX 4096 /* bytes; theirs have a quarter of it, and each report has a copy */

/* --- which report it is --- */

static struct str base_name(struct str name)
{
	for (size_t i = name.len; i > 0; i--)
		if (name.p[i - 1] == '/' || name.p[i - 1] == '\\')
			return (struct str){name.p + i, name.len - i};
	return name;
}

static bool is_date(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (i == 4 || i == 7 ? text.p[i] != '-' : text.p[i] < '0' || text.p[i] > '9')
			return false;
	return text.len == DATE_LEN;
}

static bool is_type(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return text.len > 2 && text.len < 64;
}

/* "scan_rdp" of "2026-11-22-scan_rdp-example-asn.csv"; "" where the name is none of these. */
static struct str type_of_file(struct str name)
{
	struct str rest, type, stem;

	name = base_name(name);
	if (name.len < DATE_LEN + 2 || !is_date((struct str){name.p, DATE_LEN}) || name.p[DATE_LEN] != '-')
		return STR_NONE;
	rest = (struct str){name.p + DATE_LEN + 1, name.len - DATE_LEN - 1};
	str_split(&rest, '-', &type);
	str_split(&type, '.', &stem);
	return is_type(stem) ? stem : STR_NONE;
}

/* "scan_rdp" of "[SAMPLE] Shadowserver scan_rdp-sample Report: 2026-11-22" */
static struct str type_of_subject(struct str subject)
{
	const char *at = subject.len ? memmem(subject.p, subject.len, "Shadowserver ", 13) : NULL;
	struct str rest, word;

	if (!at)
		return STR_NONE;
	rest = (struct str){at + 13, subject.len - (size_t)(at + 13 - subject.p)};
	str_split(&rest, ' ', &word);
	rest = word;
	str_split(&rest, '-', &word);
	return is_type(word) && memchr(word.p, '_', word.len) ? word : STR_NONE;
}

/* --- columns --- */

/* What a column says; the first of those names that a file has counts. */
enum column {
	TIME,
	SOURCE_IP,
	SOURCE_PORT,
	SOURCE_NAME,
	SOURCE_ASN,
	SOURCE_GEO,
	TARGET_IP,
	TARGET_PORT,
	TARGET_NAME,
	URL,
	HOST,
	CONTROL_IP,
	CONTROL_NAME,
	DIGEST_256,
	DIGEST_1,
	DIGEST_5,
	FAMILY,
	TAG,
	SEVERITY,
	COUNT,
	EMAIL,
	ACCOUNT,
	AGENT,
	EVENT_ID,
	COLUMNS
};
static const char *const column_names[COLUMNS] = {
	[TIME] = "timestamp",
	[SOURCE_IP] = "ip src_ip",
	[SOURCE_PORT] = "port src_port",
	[SOURCE_NAME] = "hostname src_hostname",
	[SOURCE_ASN] = "asn src_asn",
	[SOURCE_GEO] = "geo src_geo",
	[TARGET_IP] = "dst_ip",
	[TARGET_PORT] = "dst_port",
	[TARGET_NAME] = "dst_hostname",
	[URL] = "url http_url payload_url source_url",
	[HOST] = "http_host host domain",
	[CONTROL_IP] = "cc cc_ip",
	[CONTROL_NAME] = "cc_dns cc_domain",
	[DIGEST_256] = "sha256 payload_sha256 sha256_hash",
	[DIGEST_1] = "sha1 payload_sha1",
	[DIGEST_5] = "md5 payload_md5 md5_hash",
	[FAMILY] = "infection family malware",
	[TAG] = "tag",
	[SEVERITY] = "severity",
	[COUNT] = "count",
	[EMAIL] = "email",
	[ACCOUNT] = "username account",
	[AGENT] = "http_agent agent",
	[EVENT_ID] = "event_id",
};

struct table {
	struct reading *reading;
	struct csv csv;
	struct str name; /* of the file */
	struct str type; /* of the report */
	struct str rest; /* of its name, where the table of types knows its family only */
	const struct shadowserver_type *known;
	struct buf header; /* its bytes: arenas do not live as long */
	size_t width;
	int places[COLUMNS]; /* -1: not there */
};

static int place_of(const struct csv_record *header, const char *names)
{
	struct str rest = str_of(names), name;
	int place = -1;

	while (place < 0 && str_split(&rest, ' ', &name))
		place = csv_column(header, name);
	return place;
}

/* A time, and something that it is about. */
static bool has_columns(const struct csv_record *header)
{
	static const enum column subjects[] = {SOURCE_IP, TARGET_IP, URL, EMAIL, HOST};

	if (header->count < 3 || header->bytes.len > HEADER_MAX || place_of(header, column_names[TIME]) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
		if (place_of(header, column_names[subjects[i]]) >= 0)
			return true;
	return false;
}

/* Columns that nobody else puts beside a time and an address. */
static bool is_theirs(const struct csv_record *header)
{
	static const char *const marks[] = {"naics", "src_naics", "dst_naics", "geo", "src_geo", "sector"};
	size_t found = 0;

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		found += csv_column(header, str_of(marks[i])) >= 0;
	return found >= 2 || csv_column(header, STR("p0f_genre")) >= 0;
}

bool shadowserver_is(struct str name, struct str bytes)
{
	struct str head = {bytes.p, bytes.len < 16384 ? bytes.len : 16384};
	struct arena *arena;
	struct csv_record header;
	struct csv csv;
	struct err err;
	bool is;

	if (head.len == 0 || memchr(head.p, 0, head.len))
		return false;
	arena = arena_new(0);
	csv_open(&csv, head);
	is = csv_next(&csv, arena, &header, &err) == CSV_RECORD && has_columns(&header) &&
	     (type_of_file(name).len > 0 || is_theirs(&header));
	arena_free(&arena);
	return is;
}

/* --- a row --- */

struct row {
	const struct table *table;
	const struct csv_record *record;
	struct reading *reading;
	struct report *report;
};

static struct str cell(const struct row *row, enum column column)
{
	int place = row->table->places[column];
	struct str value = place >= 0 && (size_t)place < row->record->count
	                           ? str_trim(row->record->fields[place])
	                           : STR_NONE;

	return str_equal(value, STR("-")) ? STR_NONE : value; /* their word for nothing */
}

static uint64_t cell_number(const struct row *row, enum column column, uint64_t most)
{
	uint64_t number;

	return str_to_u64(cell(row, column), &number) && number <= most ? number : 0;
}

static void take(
	const struct row *row, enum column column, enum observable_type type, enum observable_role role)
{
	struct str value = cell(row, column);

	if (value.len > 0 && !reading_observable(row->reading, row->report, type, role, value) &&
		type == OBSERVABLE_IP)
		reading_note(row->reading, row->report,
			"\"" STR_FMT "\" is no address: left in the document only",
			STR_ARG(storable_text(value, 60, row->reading->arena, NULL)));
}

static void take_observables(const struct row *row)
{
	static const struct {
		enum column column;
		enum observable_type type;
		enum observable_role role;
	} taken[] = {
		{SOURCE_IP, OBSERVABLE_IP, OBSERVED_SOURCE},
		{SOURCE_NAME, OBSERVABLE_NAME, OBSERVED_SOURCE},
		{TARGET_IP, OBSERVABLE_IP, OBSERVED_TARGET},
		{TARGET_NAME, OBSERVABLE_NAME, OBSERVED_TARGET},
		{URL, OBSERVABLE_URL, OBSERVED_INDICATOR},
		{HOST, OBSERVABLE_NAME, OBSERVED_INDICATOR},
		{CONTROL_IP, OBSERVABLE_IP, OBSERVED_INDICATOR},
		{CONTROL_NAME, OBSERVABLE_NAME, OBSERVED_INDICATOR},
		{DIGEST_256, OBSERVABLE_SHA256, OBSERVED_INDICATOR},
		{DIGEST_1, OBSERVABLE_SHA1, OBSERVED_INDICATOR},
		{DIGEST_5, OBSERVABLE_MD5, OBSERVED_INDICATOR},
		{EMAIL, OBSERVABLE_EMAIL, OBSERVED_SOURCE},
		{ACCOUNT, OBSERVABLE_ACCOUNT, OBSERVED_SOURCE},
		{AGENT, OBSERVABLE_USER_AGENT, OBSERVED_INDICATOR},
	};

	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		take(row, taken[i].column, taken[i].type, taken[i].role);
}

/* The first CVE among the tags is what it is about: "cve-2026-1234;vpn". */
static void take_tags(const struct row *row)
{
	struct str rest = cell(row, TAG), word;
	char separator = rest.len > 0 && memchr(rest.p, ';', rest.len) ? ';' : ',';
	bool first = true;

	while (rest.len > 0 && str_split(&rest, separator, &word)) {
		word = str_trim(word);
		if (word.len < 9 || !str_equal_nocase((struct str){word.p, 4}, STR("cve-")) ||
			!reading_observable(
				row->reading, row->report, OBSERVABLE_CVE, OBSERVED_INDICATOR, word))
			continue;
		if (first && row->table->known->flags & SHADOWSERVER_TAG)
			row->report->identifier = machine_word(row->reading->arena, STR(""), word);
		first = false;
	}
}

/* A file that nobody named: what its columns say. */
static void classify_unnamed(const struct row *row, struct str family)
{
	struct str rest = cell(row, TAG), word = STR_NONE;

	if (rest.len > 0)
		str_split(&rest, ';', &word);
	if (family.len > 0)
		rsit_parse(STR("infected-system"), &row->report->type);
	row->report->identifier = family.len > 0 ? family : machine_word(row->reading->arena, STR(""), word);
}

static void classify(const struct row *row)
{
	const struct shadowserver_type *known = row->table->known;
	struct report *report = row->report;
	struct arena *arena = row->reading->arena;
	struct str family = machine_word(arena, STR(""), cell(row, FAMILY));

	rsit_parse(str_of(known->type), &report->type);
	report->severity = known->severity;
	severity_parse(cell(row, SEVERITY), &report->severity);
	report->malware = family;
	report->identifier = row->table->rest.len > 0
	                             ? machine_word(arena, str_of(known->identifier), row->table->rest)
	                             : str_of(known->identifier);
	if (known->flags & SHADOWSERVER_FAMILY && family.len > 0)
		report->identifier = family;
	if (row->table->type.len == 0)
		classify_unnamed(row, family);
	take_tags(row);
}

static void take_numbers(const struct row *row)
{
	struct report *report = row->report;
	struct str country = cell(row, SOURCE_GEO);
	uint16_t port = (uint16_t)cell_number(row, SOURCE_PORT, 65535);

	report->asn = (uint32_t)cell_number(row, SOURCE_ASN, UINT32_MAX);
	if (country.len == 2)
		report->country = arena_str(row->reading->arena, country);
	if (row->table->known->flags & SHADOWSERVER_SERVICE)
		report->source_port = port;
	report->target_port = (uint16_t)cell_number(row, TARGET_PORT, 65535);
	report->count = (int64_t)cell_number(row, COUNT, INT32_MAX);
	if (report->count == 0)
		report->count = 1;
	report->sender_id = arena_str(row->reading->arena, cell(row, EVENT_ID));
}

/* "open-rdp: 198.51.100.7 port 3389" */
static struct str title_of(const struct row *row)
{
	static const enum column subjects[] = {SOURCE_IP, TARGET_IP, URL, EMAIL, HOST};
	const struct report *report = row->report;
	struct str about = STR_NONE, title;

	for (size_t i = 0; i < ARRAY_LEN(subjects) && about.len == 0; i++)
		about = cell(row, subjects[i]);
	title = arena_printf(row->reading->arena, STR_FMT "%s" STR_FMT, STR_ARG(report->identifier),
		about.len > 0 ? ": " : "", STR_ARG(about));
	if (report->source_port)
		title = arena_printf(
			row->reading->arena, STR_FMT " port %u", STR_ARG(title), report->source_port);
	return storable_text(title, MAX_TITLE, row->reading->arena, NULL);
}

/* What keeps a record from being a row; NULL: nothing. */
static const char *fault_of(const struct row *row)
{
	static const enum column subjects[] = {SOURCE_IP, TARGET_IP, URL, EMAIL, HOST, SOURCE_NAME};
	int64_t time;

	if (row->record->count != row->table->width)
		return "expected as many fields as the header has columns";
	if (!fields_time(cell(row, TIME), &time))
		return "timestamp: expected a date and time";
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
		if (cell(row, subjects[i]).len > 0)
			return NULL;
	return "expected an address, a name, a URL or a mail address that it is about";
}

static void row_add(struct table *table, const struct csv_record *record, struct str part)
{
	struct reading *reading = table->reading;
	struct report report = {.severity = -1, .confidence = -1, .count = 1, .observed = CLOCK_UNKNOWN};
	struct row row = {table, record, reading, &report};
	const char *fault = fault_of(&row);
	struct item *item;

	if (!fault) {
		fields_time(cell(&row, TIME), &report.observed);
		take_observables(&row);
		if (report.observable_count == 0)
			fault = "expected an address, a name, a URL or a mail address that can be read";
	}
	if (fault) {
		reading_quarantine(
			reading, part, STAGE, arena_str(reading->arena, record->bytes), "%s", fault);
		return;
	}
	classify(&row);
	take_numbers(&row);
	report.title = title_of(&row);
	report.doc = arena_printf(reading->arena, STR_FMT "\n" STR_FMT, STR_ARG(buf_view(&table->header)),
		STR_ARG(record->bytes));
	item = reading_item(reading, ITEM_REPORT);
	item->part = part;
	item->report = report;
	reading_said(reading, &item->report);
	reading_part(reading, item->number, PART_EVENT, STR("doc"), STR("text/csv"), report.doc);
}

/* --- a file --- */

static struct str part_name(const struct table *table, uint64_t line)
{
	return arena_printf(table->reading->arena, STR_FMT "%sline %llu",
		STR_ARG(utf8_cut(base_name(table->name), 200)), table->name.len ? ", " : "",
		(unsigned long long)line);
}

/* What the store remembers of a feed: model/item.h. */
static void columns_add(struct table *table, const struct csv_record *header)
{
	struct reading *reading = table->reading;
	struct buf names = {0};
	struct item *item;

	for (size_t i = 0; i < header->count && i < MOST_NAMES; i++) {
		struct str name = utf8_cut(str_trim(header->fields[i]), 200);
		buf_text(&names, i ? "\n" : "");
		for (size_t c = 0; c < name.len; c++)
			buf_char(&names, (char)((unsigned char)name.p[c] < ' ' ? ' ' : name.p[c]));
	}
	item = reading_item(reading, ITEM_CONTEXT);
	item->part = part_name(table, header->line);
	item->subkind = STR("columns");
	item->report.title = arena_printf(
		reading->arena, "shadowserver " STR_FMT, STR_ARG(table->type.len ? table->type : STR("csv")));
	item->report.doc =
		storable_text(arena_str(reading->arena, buf_view(&names)), MAX_DOC, reading->arena, NULL);
	buf_free(&names);
}

static bool table_begin(struct table *table, const struct csv_record *header)
{
	if (!has_columns(header))
		return false;
	table->width = header->count;
	buf_str(&table->header, header->bytes);
	for (size_t i = 0; i < COLUMNS; i++)
		table->places[i] = place_of(header, column_names[i]);
	table->known = shadowserver_type_of(table->type, &table->rest);
	columns_add(table, header);
	return true;
}

static void rest_aside(struct table *table, const struct csv_record *record, struct str reason)
{
	struct str rest = table->csv.rest;

	if (rest.len == 0)
		rest = record->bytes;
	else
		rest = (struct str){record->bytes.p, (size_t)(rest.p + rest.len - record->bytes.p)};
	reading_quarantine(table->reading, part_name(table, record->line), STAGE,
		arena_str(table->reading->arena, rest), STR_FMT, STR_ARG(reason));
}

static void rows_read(struct table *table)
{
	struct reading *reading = table->reading;
	struct csv_record record;
	enum csv_step step;
	struct str reason;
	struct err err;

	while ((step = csv_next(&table->csv, reading->arena, &record, &err)) != CSV_END) {
		struct str part = part_name(table, record.line);
		if (reading_is_full(reading, &reason)) {
			rest_aside(table, &record, reason);
			return;
		}
		if (machine_may_read(reading, part, STAGE, record.bytes)) {
			if (step == CSV_BAD)
				reading_quarantine(reading, part, STAGE,
					arena_str(reading->arena, record.bytes), "%s", err.text);
			else
				row_add(table, &record, part);
		}
		reading_flush(reading);
	}
}

void shadowserver_rows(struct reading *reading, struct str name, struct str subject, struct str bytes)
{
	struct table table = {.reading = reading, .name = name, .type = type_of_file(name)};
	struct csv_record header;
	struct err err;

	if (table.type.len == 0)
		table.type = type_of_subject(subject);
	csv_open(&table.csv, bytes);
	if (csv_next(&table.csv, reading->arena, &header, &err) == CSV_RECORD && table_begin(&table, &header))
		rows_read(&table);
	else if (header.bytes.len > 0)
		rest_aside(&table, &header,
			STR("expected a header of columns, timestamp and ip among them, at most 4 KB"));
	buf_free(&table.header);
}

struct str shadowserver_link(struct str text)
{
	static const char *const hosts[] = {"https://dl.shadowserver.org/", "http://dl.shadowserver.org/"};

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		const char *at = text.len ? memmem(text.p, text.len, hosts[i], strlen(hosts[i])) : NULL;
		struct str link = {at, 0};
		while (at && at + link.len < text.p + text.len && (unsigned char)at[link.len] > ' ' &&
			(unsigned char)at[link.len] < 127 && !strchr("<>\"'", at[link.len]))
			link.len++;
		if (link.len > strlen(hosts[i]))
			return link;
	}
	return STR_NONE;
}

/* --- a file that came alone --- */

bool shadowserver_read(struct reading *reading, struct str bytes, struct str envelope, struct err *err)
{
	struct envelope_facts facts;
	struct buf kept = {0};

	envelope_read(envelope, reading->arena, &facts);
	if (!shadowserver_is(facts.file, bytes))
		return err_set(err, ERR_MALFORMED,
			"expected a report of Shadowserver: CSV whose columns begin with timestamp and ip");
	buf_str(&kept, facts.file); /* the arena forgets it after the first rows */
	shadowserver_rows(reading, buf_view(&kept), STR_NONE, bytes);
	buf_free(&kept);
	return true;
}
