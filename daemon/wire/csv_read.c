/*
 * CSV feeds: a row is a report, by a map of columns that stands in the entry's envelope ("csv": {columns,
 * separator, comment}); without one, by the names in the header, or a list of one column. Columns that the
 * map does not name are kept in the report's text, under the header's names.
 */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/severity.h"
#include "model/storable.h"
#include "wire/csv_map.h"
#include "wire/json_read.h"
#include "wire/json_scan.h"
#include "wire/reading.h"

#define STAGE              "csv"
#define ENVELOPE_MAX_DEPTH 8
#define SENDER_ID_MAX      200
#define CELL_SHOWN         1000
#define ROWS_WITHOUT_DATA  10 /* records looked at before a guess is given up */

/* What is known of the whole file; it outlives flushes. */
struct table {
	struct reading *reading;
	struct arena *arena; /* its own */
	struct csv csv;
	struct csv_map map;
	struct csv_column places[CSV_COLUMNS];
	struct str names[CSV_COLUMNS]; /* of the header */
	size_t width;                  /* of the header; 0: there is none */
	size_t mapped;                 /* places that the map reaches */
	struct str comment;            /* the last one in front of the first record, without its mark */
};

struct row {
	struct table *table;
	struct report report;
	struct buf text;
	bool named;     /* an observable was found */
	struct str odd; /* a cell that should have named one */
};

/* Without the quotes that stay where a blank stands in front of them. */
static struct str bare(struct str cell)
{
	cell = str_trim(cell);
	if (cell.len >= 2 && cell.p[0] == '"' && cell.p[cell.len - 1] == '"')
		cell = str_trim((struct str){cell.p + 1, cell.len - 2});
	return cell;
}

/* The envelope's word on how to read */

static bool settle(struct table *table, struct str envelope, struct str *columns, struct err *err)
{
	struct json_object *object = NULL;
	struct json_object *csv;
	struct str separator, comment;
	bool good = true;

	*columns = STR("");
	table->csv.comment = '#';
	table->csv.separator = '\0';
	if (envelope.len == 0 || !json_read(envelope, ENVELOPE_MAX_DEPTH, &object, NULL))
		return true;
	csv = json_of(object, "csv", json_type_object);
	if (csv) {
		*columns = arena_str(table->arena, json_text(csv, "columns"));
		separator = json_text(csv, "separator");
		comment = json_text(csv, "comment");
		if (separator.len > 0 && !csv_map_separator(separator, &table->csv.separator))
			good = err_set(err, ERR_MALFORMED, "separator: expected one of , ; | tab");
		if (comment.len > 0)
			table->csv.comment = comment.p[0];
		if (str_equal(comment, STR("none")))
			table->csv.comment = '\0';
	}
	json_object_put(object);
	return good;
}

/* Pass over what stands in front of the first record; the last comment may be the header. */
static void skip_front(struct table *table)
{
	struct str rest = table->csv.rest;
	struct str line;

	while (rest.len > 0) {
		struct str before = rest;

		if (!str_split(&rest, table->csv.newline, &line) || !rest.p)
			rest = (struct str){before.p + before.len, 0};
		line = str_trim(line);
		if (line.len > 0 && (table->csv.comment == '\0' || line.p[0] != table->csv.comment)) {
			rest = before;
			break;
		}
		while (line.len > 0 && (line.p[0] == table->csv.comment || line.p[0] == ' ')) {
			line.p++;
			line.len--;
		}
		if (line.len > 0)
			table->comment = line;
	}
	if (table->csv.separator == '\0')
		table->csv.separator = csv_separator(rest);
}

static bool record_of(struct table *table, struct str line, struct csv_record *record)
{
	struct csv one;

	csv_open(&one, line);
	one.separator = table->csv.separator;
	return csv_next(&one, table->arena, record, NULL) == CSV_RECORD;
}

static int column_of(const struct csv_record *header, struct str name)
{
	for (size_t i = 0; i < header->count; i++)
		if (str_equal_nocase(bare(header->fields[i]), name))
			return (int)i;
	return -1;
}

/* A list that knows only a destination means the host that is bad: the one that it is about. */
static void settle_roles(struct csv_column *places, size_t count)
{
	bool from = false;

	for (size_t i = 0; i < count; i++)
		from = from || (csv_map_names(places[i].what) && places[i].role == OBSERVED_SOURCE);
	for (size_t i = 0; i < count && !from; i++)
		if (places[i].role == OBSERVED_TARGET)
			places[i].role = OBSERVED_SOURCE;
}

/* Take a record for the header if it has what the map names, or names that are known. */
static bool take_header(struct table *table, const struct csv_record *record)
{
	struct csv_column places[CSV_COLUMNS] = {{.what = CSV_KEPT}};
	size_t found = 0;
	bool names = false;

	if (record->count > CSV_COLUMNS)
		return false;
	for (size_t i = 0; i < table->map.count && table->map.by_header; i++) {
		int at = column_of(record, table->map.columns[i].header);

		if (at < 0)
			return false;
		places[at] = table->map.columns[i];
		found++;
	}
	for (size_t i = 0; i < record->count && table->map.count == 0; i++) {
		places[i] = csv_map_guess(bare(record->fields[i]));
		found += places[i].what != CSV_KEPT;
	}
	if (table->map.count == 0)
		settle_roles(places, record->count);
	for (size_t i = 0; i < record->count; i++)
		names = names || csv_map_names(places[i].what);
	if (found == 0 || !names)
		return false;
	memcpy(table->places, places, sizeof(places));
	table->width = table->mapped = record->count;
	for (size_t i = 0; i < record->count; i++)
		table->names[i] = arena_str(table->arena,
			storable_text(bare(record->fields[i]), MAX_IDENTIFIER, table->arena, NULL));
	return true;
}

/* What the columns are called, for who remembers what they were: a feed changes without notice. */
static void say_columns(struct table *table)
{
	struct reading *reading = table->reading;
	struct item *item = reading_item(reading, ITEM_CONTEXT);
	struct buf names = {0};

	item->part = STR("header");
	item->subkind = STR("columns");
	item->report.title = STR("csv");
	for (size_t i = 0; i < table->width; i++) {
		buf_str(&names, table->names[i]);
		buf_char(&names, '\n');
	}
	item->report.doc = arena_str(reading->arena, str_trim(buf_view(&names)));
	buf_free(&names);
}

static bool by_place(struct table *table, const struct csv_record *first)
{
	if (table->map.count > 0) {
		memcpy(table->places, table->map.columns, sizeof(table->places));
		table->mapped = table->map.count;
		return true;
	}
	if (first->count != 1)
		return false;
	table->places[0] = (struct csv_column){.what = CSV_ANY, .role = OBSERVED_UNKNOWN};
	table->mapped = 1;
	return true;
}

static bool no_header(const struct table *table, const struct csv_record *first, struct err *err)
{
	struct buf names = {0};
	char shown[JSON_SHOWN];

	if (!table->map.by_header)
		return err_set(err, ERR_MALFORMED,
			"none of the columns has a name that is known; say which is which: --columns");
	for (size_t i = 0; i < table->map.count; i++)
		if (column_of(first, table->map.columns[i].header) < 0) {
			buf_str(&names, table->map.columns[i].header);
			break;
		}
	err_set(err, ERR_MALFORMED, "the header has no column \"%s\": has the feed changed?",
		json_shown(buf_view(&names), shown));
	buf_free(&names);
	return false;
}

/* Find out which column is which. *data: the first record is a row already. */
static bool table_begin(struct table *table, struct csv_record *first, bool *data, struct err *err)
{
	struct csv_record comment;

	*data = true;
	if (table->map.count > 0 && !table->map.by_header)
		return by_place(table, first);
	if (take_header(table, first)) {
		*data = false;
		return true;
	}
	if (table->comment.len > 0 && record_of(table, table->comment, &comment) &&
		comment.count == first->count && comment.count > 1 && take_header(table, &comment))
		return true;
	if (!table->map.by_header && by_place(table, first))
		return true;
	return no_header(table, first, err);
}

/* Cells */

static bool is_nothing(struct str cell)
{
	static const char *const nothing[] = {"-", "none", "null", "n/a", "na", "unknown", "\\n"};

	for (size_t i = 0; i < ARRAY_LEN(nothing); i++)
		if (str_equal_nocase(cell, str_of(nothing[i])))
			return true;
	return cell.len == 0;
}

static void odd_cell(struct row *row, const char *expected, struct str cell)
{
	char shown[JSON_SHOWN];

	reading_note(row->table->reading, &row->report, "expected %s, got \"%s\"", expected,
		json_shown(cell, shown));
}

/* Seconds or milliseconds since 1970; "2026-11-22 10:00:00", with or without UTC; a day; RFC 3339. */
static bool parse_time(struct str cell, struct arena *arena, int64_t *time)
{
	uint64_t number = 0;
	struct str text = cell;

	if (str_to_u64(cell, &number)) {
		if (number >= UINT64_C(100000000000))
			number /= 1000;
		*time = number < UINT64_C(100000000000) ? (int64_t)number * CLOCK_SECOND : CLOCK_UNKNOWN;
		return *time != CLOCK_UNKNOWN && number >= 86400;
	}
	if (str_ends(text, STR(" UTC")) || str_ends(text, STR(" GMT")))
		text.len -= 4;
	if (text.len < 10 || text.len > 40)
		return false;
	if (text.len == 10)
		return clock_parse(arena_printf(arena, STR_FMT "T00:00:00Z", STR_ARG(text)), time);
	if (clock_parse(text, time))
		return true;
	return clock_parse(arena_printf(arena, "%.10s%c%.*s", text.p, 'T', (int)text.len - 11, text.p + 11),
		       time) ||
	       clock_parse(arena_printf(arena, "%.10s%c%.*sZ", text.p, 'T', (int)text.len - 11, text.p + 11),
		       time);
}

static struct str kept(struct row *row, struct str cell, size_t max)
{
	return arena_str(
		row->table->reading->arena, storable_text(cell, max, row->table->reading->arena, NULL));
}

static struct str kept_lower(struct row *row, struct str cell)
{
	struct str text = kept(row, cell, MAX_IDENTIFIER);
	char *p = (char *)(uintptr_t)text.p; /* a copy of ours */

	for (size_t i = 0; i < text.len; i++)
		p[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i]);
	return text;
}

static void take_port(struct row *row, const struct csv_column *column, struct str cell)
{
	uint64_t port = 0;

	if (!str_to_u64(cell, &port) || port == 0 || port > 65535) {
		odd_cell(row, "a port", cell);
		return;
	}
	if (column->role == OBSERVED_TARGET)
		row->report.target_port = (uint16_t)port;
	else
		row->report.source_port = (uint16_t)port;
}

static bool take_observable(
	struct row *row, enum observable_type type, enum observable_role role, struct str cell)
{
	bool taken = reading_observable(row->table->reading, &row->report, type, role, cell);

	row->named = row->named || taken;
	return taken;
}

static bool take_any(struct row *row, const struct csv_column *column, struct str cell)
{
	struct observable guessed;
	enum observable_role role = column->role;

	if (!observable_guess(cell, row->table->reading->arena, &guessed))
		return false;
	if (role == OBSERVED_UNKNOWN)
		role = guessed.type == OBSERVABLE_IP || guessed.type == OBSERVABLE_NAME ||
		                       guessed.type == OBSERVABLE_ASN
		               ? OBSERVED_SOURCE
		               : OBSERVED_INDICATOR;
	return take_observable(row, guessed.type, role, cell);
}

/* "198.51.100.7:443", "[2001:db8::1]:443", "h.example:8080", or any of these without a port. */
static bool take_endpoint(struct row *row, const struct csv_column *column, struct str cell)
{
	const char *colon = cell.len > 0 ? memrchr(cell.p, ':', cell.len) : NULL;
	struct str host = cell;

	if (colon && (memchr(cell.p, ':', cell.len) == colon || (colon > cell.p && colon[-1] == ']'))) {
		host.len = (size_t)(colon - cell.p);
		take_port(row, column, (struct str){colon + 1, cell.len - host.len - 1});
	}
	if (host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']')
		host = (struct str){host.p + 1, host.len - 2};
	return take_observable(row, OBSERVABLE_IP, column->role, host) ||
	       (host.len > 0 && memchr(host.p, '.', host.len) &&
		       take_observable(row, OBSERVABLE_NAME, column->role, host));
}

static void take_tags(struct row *row, struct str cell)
{
	struct str tag;
	char between = '|';

	if (memchr(cell.p, ';', cell.len))
		between = ';';
	if (memchr(cell.p, ',', cell.len))
		between = ',';

	while (str_split(&cell, between, &tag))
		reading_tag(row->table->reading, &row->report, tag);
}

static void take_confidence(struct row *row, struct str cell)
{
	uint64_t value = 0;

	if (str_ends(cell, STR("%")))
		cell.len--;
	if (str_to_u64(cell, &value) && value <= 100)
		row->report.confidence = (int)value;
	else
		odd_cell(row, "a confidence from 0 to 100", cell);
}

/* Of a column that cannot name what the row is about. */
static void take_member(struct row *row, const struct csv_column *column, struct str cell)
{
	struct report *report = &row->report;
	uint64_t count = 0;

	switch (column->what) {
	case CSV_PORT:
		take_port(row, column, cell);
		break;
	case CSV_TIME:
		if (!parse_time(cell, row->table->reading->arena, &report->observed))
			odd_cell(row, "a time", cell);
		break;
	case CSV_TYPE:
		if (!rsit_parse(cell, &report->type))
			odd_cell(row, "an RSIT type", cell);
		break;
	case CSV_SEVERITY:
		if (!severity_parse(cell, &report->severity))
			odd_cell(row, "a severity", cell);
		break;
	case CSV_TLP:
		if (!tlp_parse(cell, &report->tlp))
			odd_cell(row, "a TLP", cell);
		break;
	case CSV_COUNT:
		if (str_to_u64(cell, &count) && count > 0 && count <= INT32_MAX)
			report->count = (int64_t)count;
		else
			odd_cell(row, "a count", cell);
		break;
	case CSV_CONFIDENCE:
		take_confidence(row, cell);
		break;
	case CSV_IDENTIFIER:
		report->identifier = kept_lower(row, cell);
		break;
	case CSV_MALWARE:
		report->malware = kept_lower(row, cell);
		break;
	case CSV_TITLE:
		report->title = kept(row, cell, MAX_TITLE);
		break;
	case CSV_ID:
		report->sender_id = kept(row, cell, SENDER_ID_MAX);
		break;
	case CSV_TAG:
		take_tags(row, cell);
		break;
	default:
		break;
	}
}

static void keep_cell(struct row *row, size_t place, struct str cell)
{
	struct table *table = row->table;

	if (place < table->width)
		buf_str(&row->text, table->names[place]);
	else
		buf_printf(&row->text, "column %zu", place + 1);
	buf_text(&row->text, ": ");
	buf_str(&row->text,
		utf8_cut(storable_text(cell, CELL_SHOWN, table->reading->arena, NULL), CELL_SHOWN));
	buf_char(&row->text, '\n');
}

static void take_cell(struct row *row, size_t place, struct str cell)
{
	static const struct csv_column beyond = {.what = CSV_KEPT};
	const struct csv_column *column = place < row->table->mapped ? &row->table->places[place] : &beyond;
	bool taken = true;

	if (is_nothing(cell))
		return;
	if (column->what == CSV_KEPT || column->what == CSV_TEXT)
		keep_cell(row, place, cell);
	else if (column->what == CSV_OBSERVABLE)
		taken = take_observable(row, column->type, column->role, cell);
	else if (column->what == CSV_ANY)
		taken = take_any(row, column, cell);
	else if (column->what == CSV_ENDPOINT)
		taken = take_endpoint(row, column, cell);
	else
		take_member(row, column, cell);
	if (taken)
		return;
	odd_cell(row, column->what == CSV_OBSERVABLE ? observable_type_name(column->type) : "an observable",
		cell);
	row->odd = cell;
}

/* Rows */

static void row_land(struct row *row, const struct csv_record *record, struct str part)
{
	struct reading *reading = row->table->reading;
	struct item *item = reading_item(reading, ITEM_REPORT);

	item->part = part;
	row->report.doc =
		arena_str(reading->arena, storable_text(record->bytes, MAX_DOC, reading->arena, NULL));
	row->report.text = arena_str(reading->arena, buf_view(&row->text));
	item->report = row->report;
	reading_part(reading, item->number, PART_EVENT, STR("doc"), STR("text/csv"), item->report.doc);
}

static void row_read(struct table *table, const struct csv_record *record, struct str part)
{
	struct row row = {.table = table,
		.report = {.severity = -1, .confidence = -1, .count = 1, .observed = CLOCK_UNKNOWN}};
	char shown[JSON_SHOWN];

	if (table->width > 0 && record->count != table->width) {
		reading_quarantine(table->reading, part, STAGE, record->bytes,
			"expected %zu columns as in the header, got %zu", table->width, record->count);
		return;
	}
	for (size_t i = 0; i < record->count; i++)
		take_cell(&row, i, bare(record->fields[i]));
	if (row.named)
		row_land(&row, record, part);
	else if (row.odd.len > 0)
		reading_quarantine(table->reading, part, STAGE, record->bytes,
			"expected an address, a name, a URL or a digest, got \"%s\"",
			json_shown(row.odd, shown));
	else
		reading_quarantine(table->reading, part, STAGE, record->bytes,
			"expected something that the row is about: all columns that may name it are empty");
	buf_free(&row.text);
}

static void row_or_left_out(struct table *table, const struct csv_record *record)
{
	struct reading *reading = table->reading;
	uint32_t item = reading->next_item;
	struct str part = arena_printf(reading->arena, "line %llu", (unsigned long long)record->line);
	struct str reason;

	if (reading->at)
		reading->at(reading, item, STAGE);
	if (reading->left_out && reading->left_out(reading, item, &reason))
		reading_quarantine(reading, part, STAGE, record->bytes, STR_FMT, STR_ARG(reason));
	else
		row_read(table, record, part);
}

static void bad_row(struct table *table, const struct csv_record *record, const struct err *err)
{
	struct reading *reading = table->reading;
	struct str part = arena_printf(reading->arena, "line %llu", (unsigned long long)record->line);

	reading_quarantine(reading, part, STAGE, record->bytes, "%s", err->text);
}

static void rows_read(struct table *table)
{
	struct reading *reading = table->reading;
	struct csv_record record;
	struct str reason;
	struct str before = table->csv.rest;
	struct err err = {0};
	enum csv_step step;

	while ((step = csv_next(&table->csv, reading->arena, &record, &err)) != CSV_END) {
		if (reading_is_full(reading, &reason)) {
			reading_quarantine(reading,
				arena_printf(reading->arena, "line %llu", (unsigned long long)record.line),
				STAGE, before, STR_FMT, STR_ARG(reason));
			break;
		}
		if (step == CSV_RECORD)
			row_or_left_out(table, &record);
		else
			bad_row(table, &record, &err);
		reading_flush(reading);
		before = table->csv.rest;
	}
}

/* The first record decides what the columns are; bad ones in front of it are bad rows. */
static bool table_read(struct table *table, struct err *err)
{
	struct csv_record record;
	struct err bad = {0};
	enum csv_step step;
	bool data;

	for (int i = 0; (step = csv_next(&table->csv, table->arena, &record, &bad)) == CSV_BAD; i++) {
		if (i == ROWS_WITHOUT_DATA)
			return err_set(err, ERR_MALFORMED, "expected comma-separated text: %s", bad.text);
		bad_row(table, &record, &bad);
	}
	if (step == CSV_END)
		return true;
	if (!table_begin(table, &record, &data, err))
		return false;
	if (table->width > 0)
		say_columns(table);
	if (data)
		row_or_left_out(table, &record);
	rows_read(table);
	return true;
}

bool csv_read(struct reading *reading, struct str bytes, struct str envelope, struct err *err)
{
	struct table *table = mem_alloc(sizeof(*table));
	struct str columns;
	bool good;

	table->reading = reading;
	table->arena = arena_new(16384);
	csv_open(&table->csv, bytes);
	good = settle(table, envelope, &columns, err) &&
	       (columns.len == 0 || csv_map_parse(columns, &table->map, err));
	if (good) {
		skip_front(table);
		good = table_read(table, err);
	}
	arena_free(&table->arena);
	free(table);
	return good;
}
