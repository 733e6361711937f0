#include "config.h"

#include "client/org_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wire/csv.h"
#include "wire/json_read.h"

#define JSON_DEPTH 8

static uint64_t line_of(struct str text, size_t offset)
{
	uint64_t line = 1;

	for (size_t i = 0; i < offset && i < text.len; i++)
		line += text.p[i] == '\n';
	return line;
}

static void latin1_convert(struct str bytes, struct buf *out)
{
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.p[i];
		if (c < 0x80) {
			buf_char(out, (char)c);
		} else {
			buf_char(out, (char)(0xc0 | c >> 6));
			buf_char(out, (char)(0x80 | (c & 0x3f)));
		}
	}
}

/* Where the first bytes stand that are not UTF-8, text.len where there are none; *others: whether there are
 * any that are UTF-8 and not ASCII, so that it is no text of one byte a character. */
static size_t utf8_breaks(struct str text, bool *others)
{
	size_t broken = text.len;
	struct str rest = text;

	*others = false;
	while (rest.len) {
		unsigned char c = (unsigned char)rest.p[0];
		size_t before = rest.len;
		uint32_t character = c < 0x80 ? (rest.p++, rest.len--, c) : utf8_next(&rest);
		if (c < 0x80)
			continue;
		if (character == 0xfffd && before - rest.len == 1) {
			if (broken == text.len)
				broken = text.len - before;
		} else {
			*others = true;
		}
	}
	return broken;
}

bool org_file_text(struct str bytes, struct buf *space, struct str *text, bool *converted, struct err *err)
{
	bool others;

	*converted = false;
	if (bytes.len >= 2 && (!memcmp(bytes.p, "\xff\xfe", 2) || !memcmp(bytes.p, "\xfe\xff", 2)))
		return err_set(err, ERR_MALFORMED, "it is UTF-16: save it as UTF-8");
	if (bytes.len >= 2 && !memcmp(bytes.p, "\x1f\x8b", 2))
		return err_set(err, ERR_MALFORMED, "it is packed: gunzip it first");
	if (bytes.len >= 3 && !memcmp(bytes.p, "\xef\xbb\xbf", 3))
		bytes = (struct str){bytes.p + 3, bytes.len - 3};
	const char *zero = memchr(bytes.p, 0, bytes.len);
	if (zero)
		return err_set(err, ERR_MALFORMED, "line %llu holds a character zero: it is no text",
			(unsigned long long)line_of(bytes, (size_t)(zero - bytes.p)));
	size_t broken = utf8_breaks(bytes, &others);
	if (broken < bytes.len && others)
		return err_set(err, ERR_MALFORMED, "line %llu is not UTF-8, but others are",
			(unsigned long long)line_of(bytes, broken));
	*text = bytes;
	if (broken < bytes.len) {
		*converted = true;
		latin1_convert(bytes, space);
		*text = buf_view(space);
	}
	return true;
}

/* ---- CSV ---- */

static struct json_object *text_json(struct str text)
{
	return json_object_new_string_len(text.p ? text.p : "", (int)text.len);
}

static struct json_object *row_at(uint64_t line)
{
	struct json_object *row = json_object_new_object();

	json_object_object_add(row, "line", json_object_new_int64((int64_t)line));
	return row;
}

static struct json_object *row_wrong(uint64_t line, const char *problem)
{
	struct json_object *row = row_at(line);

	json_object_object_add(row, "problem", json_object_new_string(problem));
	return row;
}

#define COLUMNS_MOST 64

struct header {
	char names[COLUMNS_MOST][32];
	size_t count;
};

static bool header_take(struct header *header, const struct csv_record *record, struct err *err)
{
	if (record->count > COLUMNS_MOST)
		return err_set(err, ERR_MALFORMED, "line %llu has %zu columns: at most %d",
			(unsigned long long)record->line, record->count, COLUMNS_MOST);
	for (size_t i = 0; i < record->count; i++) {
		struct str name = str_trim(record->fields[i]);
		for (size_t n = 0; n < name.len && n + 1 < sizeof header->names[i]; n++)
			header->names[i][n] = (char)tolower((unsigned char)name.p[n]);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(header->names[k], header->names[i]))
				return err_set(err, ERR_MALFORMED, "line %llu names the column \"%s\" twice",
					(unsigned long long)record->line, header->names[i]);
	}
	header->count = record->count;
	return true;
}

/* Numbers of telephones stay as they are: a spreadsheet that reckons with them runs nothing. */
bool org_cell_guarded(struct str cell)
{
	static const char number[] = "+-0123456789 ().,/";
	bool other = false;

	while (cell.len > 0 && cell.p[0] == '\'')
		cell = (struct str){cell.p + 1, cell.len - 1};
	for (size_t i = 0; i < cell.len; i++)
		other |= memchr(number, cell.p[i], sizeof(number) - 1) == NULL;
	return other && csv_is_formula(cell);
}

/* Without the apostrophe that an export has put there. */
static struct str unguarded(struct str cell)
{
	return cell.len > 1 && cell.p[0] == '\'' && org_cell_guarded(cell)
	               ? (struct str){cell.p + 1, cell.len - 1}
	               : cell;
}

static struct json_object *csv_row(const struct header *header, const struct csv_record *record)
{
	char problem[100];

	if (record->count != header->count) {
		snprintf(problem, sizeof problem, "%zu fields, where the first line names %zu columns",
			record->count, header->count);
		return row_wrong(record->line, problem);
	}
	struct json_object *row = row_at(record->line);
	for (size_t i = 0; i < header->count; i++)
		if (strcmp(header->names[i], "line") != 0)
			json_object_object_add(
				row, header->names[i], text_json(unguarded(record->fields[i])));
	return row;
}

static bool is_blank(const struct csv_record *record)
{
	for (size_t i = 0; i < record->count; i++)
		if (str_trim(record->fields[i]).len)
			return false;
	return true;
}

static bool csv_rows(
	struct str text, org_columns_fn *columns, org_row_fn *row, void *context, struct err *err)
{
	struct arena *arena = arena_new(65536);
	struct header header = {.count = 0};
	struct csv_record record;
	enum csv_step step;
	struct err bad;
	struct csv csv;
	bool ok = true;

	csv_open(&csv, text);
	csv.separator = csv_separator(text);
	while (ok && (step = csv_next(&csv, arena, &record, &bad)) != CSV_END) {
		if (step == CSV_BAD) {
			ok = header.count ? row(row_wrong(record.line, bad.text), text.len - csv.rest.len,
						    context, err)
			                  : err_set(err, ERR_MALFORMED, "line %llu: %s",
						    (unsigned long long)record.line, bad.text);
		} else if (!header.count) {
			struct json_object *names = json_object_new_array();
			ok = header_take(&header, &record, err);
			for (size_t i = 0; ok && i < header.count; i++)
				json_object_array_add(names, json_object_new_string(header.names[i]));
			ok = ok && columns(names, context, err);
			json_object_put(names);
		} else if (!is_blank(&record)) {
			ok = row(csv_row(&header, &record), text.len - csv.rest.len, context, err);
		}
		arena_reset(arena);
	}
	arena_free(&arena);
	return ok;
}

/* ---- JSON ---- */

/* The end of the value that begins at `at` with a brace; 0: it does not end. */
static size_t object_end(struct str text, size_t at)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = at; i < text.len; i++) {
		char c = text.p[i];
		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if ((c == '}' || c == ']') && --depth == 0) {
			return i + 1;
		}
	}
	return 0;
}

struct json_reading {
	org_row_fn *row;
	void *context;
	struct err *err;
	uint64_t line;
	size_t offset;
	struct json_object *object;
};

static bool give(struct json_reading *r, struct json_object *row)
{
	return r->row(row, r->offset, r->context, r->err);
}

static bool give_wrong(struct json_reading *r, const char *problem)
{
	return give(r, row_wrong(r->line, problem));
}

/* A row of this record, with those members of `from` that are named. */
static bool give_fact(struct json_reading *r, const char *record, struct json_object *from,
	const char *const *members, const char *value)
{
	struct json_object *row = row_at(r->line);

	json_object_object_add(row, "record", json_object_new_string(record));
	json_object_object_add(row, "organisation", text_json(json_text(r->object, "name")));
	if (value)
		json_object_object_add(row, "value", json_object_new_string(value));
	for (; members && *members; members++) {
		struct json_object *member;
		if (json_object_object_get_ex(from, *members, &member))
			json_object_object_add(row, *members,
				member && !json_object_is_type(member, json_type_string)
					? json_object_new_string(json_object_get_string(member))
					: json_object_get(member));
	}
	return give(r, row);
}

static const char *const org_members[] = {
	"kind", "sector", "criticality", "country", "parent", "handle", "note", "from", "until", NULL};
static const char *const entry_members[] = {"from", "until", NULL};
static const char *const contact_members[] = {"name", "role", "email", "phone", "language", "zone",
	"schedule", "format", "policy", "pgp", "smime", "priority", "from", "until", NULL};
static const char *const group_members[] = {"title", "sector", "kind", NULL};

static bool give_entries(struct json_reading *r, const char *member, const char *record)
{
	struct json_object *list = json_of(r->object, member, json_type_array);
	bool ok = true;

	for (size_t i = 0; ok && list && i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		if (json_object_is_type(one, json_type_object))
			ok = give_fact(r, record, one, entry_members,
				json_text(one, "value").p ? json_text(one, "value").p : "");
		else
			ok = give_fact(r, record, NULL, NULL, one ? json_object_get_string(one) : "");
	}
	return ok;
}

static const char *odd_member(struct json_object *object)
{
	static const char *const known[] = {"name", "prefixes", "asns", "domains", "brands", "contacts",
		"groups", "origin", "kind", "sector", "criticality", "country", "parent", "handle", "note",
		"from", "until"};

	json_object_object_foreach(object, name, value)
	{
		bool found = false;
		(void)value;
		for (size_t i = 0; i < ARRAY_LEN(known) && !found; i++)
			found = !strcmp(known[i], name);
		if (!found)
			return name;
	}
	return NULL;
}

static bool json_org(struct json_reading *r)
{
	struct json_object *contacts = json_of(r->object, "contacts", json_type_array);
	const char *odd = odd_member(r->object);
	char problem[120];
	bool ok;

	if (odd) {
		snprintf(problem, sizeof problem, "there is no member \"%.60s\" of an organisation", odd);
		return give_wrong(r, problem);
	}
	ok = give_fact(r, "organisation", r->object, org_members, NULL) &&
	     give_entries(r, "prefixes", "prefix") && give_entries(r, "asns", "asn") &&
	     give_entries(r, "domains", "domain") && give_entries(r, "brands", "brand") &&
	     give_entries(r, "groups", "member");
	for (size_t i = 0; ok && contacts && i < json_object_array_length(contacts); i++) {
		struct json_object *one = json_object_array_get_idx(contacts, i);
		ok = json_object_is_type(one, json_type_object)
		             ? give_fact(r, "contact", one, contact_members, NULL)
		             : give_wrong(r, "contacts: expected objects");
	}
	return ok;
}

static bool json_one(struct json_reading *r, struct str text)
{
	struct err bad;
	bool ok;

	if (!json_read(text, JSON_DEPTH, &r->object, &bad))
		return give_wrong(r, bad.text);
	if (!json_object_is_type(r->object, json_type_object))
		ok = give_wrong(r, "expected an object");
	else if (json_of(r->object, "group", json_type_string))
		ok = give_fact(r, "group", r->object, group_members, json_text(r->object, "group").p);
	else
		ok = json_org(r);
	json_object_put(r->object);
	return ok;
}

static bool json_rows(struct str text, org_row_fn *row, void *context, struct err *err)
{
	struct json_reading r = {.row = row, .context = context, .err = err, .line = 1};
	size_t counted = 0, at = 0;

	while (at < text.len) {
		char c = text.p[at];
		if (c != '{') {
			if (!strchr(" \t\r\n,[]", c))
				return err_set(err, ERR_MALFORMED,
					"line %llu: expected an object, such as {\"name\": \"City "
					"Hospital\"}",
					(unsigned long long)line_of(text, at));
			at++;
			continue;
		}
		r.line += line_of((struct str){text.p + counted, text.len - counted}, at - counted) - 1;
		counted = at;
		size_t end = object_end(text, at);
		if (!end)
			return err_set(err, ERR_MALFORMED,
				"line %llu: the object that begins here does not end",
				(unsigned long long)r.line);
		r.offset = end;
		if (!json_one(&r, (struct str){text.p + at, end - at}))
			return false;
		at = end;
	}
	return true;
}

bool org_file_rows(struct str text, org_columns_fn *columns, org_row_fn *row, void *context, struct err *err)
{
	struct str start = str_trim((struct str){text.p, text.len < 4096 ? text.len : 4096});

	if (!start.len)
		return err_set(err, ERR_MALFORMED, "it is empty");
	if (start.p[0] != '{' && start.p[0] != '[')
		return csv_rows(text, columns, row, context, err);
	struct json_object *none = json_object_new_array();
	bool ok = columns(none, context, err) && json_rows(text, row, context, err);
	json_object_put(none);
	return ok;
}
