#include "config.h"

#include "wire/csv.h"

#include "base/mem.h"

#define MAX_RECORD 131072
#define MAX_FIELDS 1000

/* As programs of old wrote it: CR ends every line; only the last may end in CRLF. */
static bool ends_in_cr(struct str text)
{
	if (str_ends(text, STR("\r\n")))
		text.len--;
	return text.len > 0 && !memchr(text.p, '\n', text.len) && memchr(text.p, '\r', text.len - 1);
}

void csv_open(struct csv *csv, struct str text)
{
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = (struct str){text.p + 3, text.len - 3};
	*csv = (struct csv){.rest = text,
		.line = 1,
		.separator = ',',
		.newline = ends_in_cr(text) ? '\r' : '\n',
		.max_record = MAX_RECORD,
		.max_fields = MAX_FIELDS};
}

/* One record on its way. */
struct cursor {
	const struct csv *csv;
	struct arena *arena;
	struct csv_record *record;
	const char *p;
	const char *end; /* of the text, or where a record would be too long */
	bool cut;        /* the text goes on behind end */
	struct err *err;
};

static void field_add(struct cursor *cursor, struct str field)
{
	struct csv_record *record = cursor->record;

	if (record->count == 0)
		record->fields = arena_alloc(cursor->arena, sizeof(*record->fields));
	else if ((record->count & (record->count - 1)) == 0)
		record->fields = arena_grow(cursor->arena, record->fields,
			record->count * sizeof(*record->fields), 2 * record->count * sizeof(*record->fields));
	record->fields[record->count++] = field;
}

/* What stands between the quotes; doubled ones made single. */
static struct str unquoted(struct cursor *cursor, struct str text)
{
	char *copy = arena_alloc(cursor->arena, text.len + 1);
	size_t length = 0;

	for (size_t i = 0; i < text.len; i++) {
		copy[length++] = text.p[i];
		if (text.p[i] == '"')
			i++;
	}
	return (struct str){copy, length};
}

static bool at_line_end(const struct cursor *cursor)
{
	return cursor->p == cursor->end || *cursor->p == '\n' || *cursor->p == cursor->csv->newline ||
	       (*cursor->p == '\r' && cursor->p + 1 < cursor->end && cursor->p[1] == '\n') ||
	       (*cursor->p == '\r' && cursor->p + 1 == cursor->end && !cursor->cut);
}

/* Behind its opening quote. */
static bool quoted_field(struct cursor *cursor)
{
	const char *start = cursor->p;
	bool doubled = false;
	const char *quote;

	for (;;) {
		quote = memchr(cursor->p, '"', (size_t)(cursor->end - cursor->p));
		if (!quote)
			return err_set(cursor->err, ERR_MALFORMED,
				"field %zu: expected a quote that closes it", cursor->record->count + 1);
		cursor->p = quote + 1;
		if (cursor->p == cursor->end || *cursor->p != '"')
			break;
		doubled = true;
		cursor->p++;
	}
	if (!at_line_end(cursor) && *cursor->p != cursor->csv->separator)
		return err_set(cursor->err, ERR_MALFORMED,
			"field %zu: expected a separator behind the closing quote",
			cursor->record->count + 1);
	field_add(cursor, doubled ? unquoted(cursor, (struct str){start, (size_t)(quote - start)})
				  : (struct str){start, (size_t)(quote - start)});
	return true;
}

static void plain_field(struct cursor *cursor)
{
	const char *start = cursor->p;

	while (!at_line_end(cursor) && *cursor->p != cursor->csv->separator)
		cursor->p++;
	field_add(cursor, (struct str){start, (size_t)(cursor->p - start)});
}

static bool record_read(struct cursor *cursor)
{
	for (;;) {
		if (cursor->record->count == cursor->csv->max_fields)
			return err_set(cursor->err, ERR_MALFORMED, "expected at most %zu fields",
				cursor->csv->max_fields);
		if (cursor->p < cursor->end && *cursor->p == '"') {
			cursor->p++;
			if (!quoted_field(cursor))
				return false;
		} else {
			plain_field(cursor);
		}
		if (at_line_end(cursor))
			break;
		cursor->p++;
	}
	if (cursor->p == cursor->end && cursor->cut)
		return err_set(cursor->err, ERR_MALFORMED, "expected a record of at most %zu bytes",
			cursor->csv->max_record);
	return true;
}

/* The first line of the rest, without its end. */
static struct str first_line(const struct csv *csv)
{
	const char *end = memchr(csv->rest.p, csv->newline, csv->rest.len);
	struct str line = {csv->rest.p, end ? (size_t)(end - csv->rest.p) : csv->rest.len};

	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* Go on behind `bytes` and its line end. */
static void advance(struct csv *csv, struct str bytes)
{
	const char *p = bytes.p + bytes.len;
	const char *end = csv->rest.p + csv->rest.len;

	for (const char *at = bytes.p; (at = memchr(at, csv->newline, (size_t)(p - at))) != NULL; at++)
		csv->line++;
	csv->line += p < end;
	if (p < end && *p == '\r')
		p++;
	if (p < end && *p == '\n')
		p++;
	csv->rest = (struct str){p, (size_t)(end - p)};
}

static void pass_over(struct csv *csv)
{
	while (csv->rest.len > 0) {
		struct str line = first_line(csv);
		if (str_trim(line).len > 0 && !(csv->comment && line.p[0] == csv->comment))
			return;
		advance(csv, line);
	}
}

enum csv_step csv_next(struct csv *csv, struct arena *arena, struct csv_record *record, struct err *err)
{
	struct cursor cursor = {.csv = csv, .arena = arena, .record = record, .err = err};
	bool ok;

	pass_over(csv);
	*record = (struct csv_record){.line = csv->line};
	if (csv->rest.len == 0)
		return CSV_END;
	cursor.p = csv->rest.p;
	cursor.cut = csv->rest.len > csv->max_record;
	cursor.end = csv->rest.p + (cursor.cut ? csv->max_record : csv->rest.len);
	ok = record_read(&cursor);
	record->bytes = ok ? (struct str){csv->rest.p, (size_t)(cursor.p - csv->rest.p)} : first_line(csv);
	advance(csv, record->bytes);
	if (ok)
		return CSV_RECORD;
	record->fields = NULL;
	record->count = 0;
	return CSV_BAD;
}

char csv_separator(struct str text)
{
	static const char separators[] = {',', ';', '\t', '|'};
	size_t counts[ARRAY_LEN(separators)] = {0};
	bool quoted = false;
	size_t best = 0;
	struct csv csv;

	csv_open(&csv, text);
	text = csv.rest.len > 0 ? first_line(&csv) : STR_NONE;
	for (size_t i = 0; i < text.len; i++) {
		quoted ^= text.p[i] == '"';
		for (size_t s = 0; s < ARRAY_LEN(separators) && !quoted; s++)
			counts[s] += text.p[i] == separators[s];
	}
	for (size_t s = 1; s < ARRAY_LEN(separators); s++)
		best = counts[s] > counts[best] ? s : best;
	return separators[best];
}

int csv_column(const struct csv_record *header, struct str name)
{
	for (size_t i = 0; i < header->count; i++)
		if (str_equal_nocase(str_trim(header->fields[i]), name))
			return (int)i;
	return -1;
}

bool csv_is_formula(struct str cell)
{
	static const char starts[] = {'=', '+', '-', '@', '\t', '\r', '|', '%'};

	return cell.len > 0 && memchr(starts, cell.p[0], sizeof(starts));
}
