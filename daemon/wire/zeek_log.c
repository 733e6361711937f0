#include "config.h"

#include "wire/zeek_log.h"

#include "wire/lines.h"

#define COLUMNS_MAX 400
#define HEAD_LINES  20 /* "#fields" stands within these */

/* What the lines above say of those below. */
struct log {
	struct reading *reading;
	char separator;
	char set_separator;
	struct str unset;
	struct str empty;
	struct str path;
	struct str fields[COLUMNS_MAX];
	struct str types[COLUMNS_MAX];
	size_t field_count;
	uint64_t number;
};

bool zeek_is_log(struct str bytes)
{
	struct str line;

	for (int i = 0; i < HEAD_LINES && bytes.len > 0 && *bytes.p == '#'; i++) {
		str_split(&bytes, '\n', &line);
		if (str_starts(line, STR("#fields")) && line.len > 8)
			return true;
	}
	return false;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

/* "\x09" as its byte; false if text is no such escape. */
static bool escape_at(struct str text, size_t at, char *byte)
{
	if (text.len - at < 4 || text.p[at] != '\\' || text.p[at + 1] != 'x')
		return false;
	int high = hex_digit(text.p[at + 2]);
	int low = hex_digit(text.p[at + 3]);
	if (high < 0 || low < 0)
		return false;
	*byte = (char)(high * 16 + low);
	return true;
}

/* Bytes that were no UTF-8, or would have ended the column, are written as \xHH. */
static struct str unescape(struct arena *arena, struct str text)
{
	char *out;
	size_t len = 0;

	if (text.len == 0 || !memchr(text.p, '\\', text.len))
		return text;
	out = arena_alloc(arena, text.len + 1);
	for (size_t i = 0; i < text.len; i++) {
		if (escape_at(text, i, &out[len]))
			i += 3;
		else
			out[len] = text.p[i];
		len++;
	}
	return (struct str){out, len};
}

static size_t split(struct log *log, struct str rest, struct str columns[COLUMNS_MAX])
{
	size_t count = 0;

	while (count < COLUMNS_MAX && str_split(&rest, log->separator, &columns[count]))
		count++;
	return count;
}

/* One of the lines that begin with "#"; what we do not know is passed over. */
static void directive(struct log *log, struct str line)
{
	struct str columns[COLUMNS_MAX];
	size_t count;

	if (str_starts(line, STR("#separator ")) && line.len > 11) {
		if (!escape_at(line, 11, &log->separator))
			log->separator = line.p[11];
		return;
	}
	count = split(log, line, columns);
	if (count < 2)
		return;
	if (str_equal(columns[0], STR("#set_separator")) && columns[1].len == 1)
		log->set_separator = columns[1].p[0];
	else if (str_equal(columns[0], STR("#unset_field")))
		log->unset = columns[1];
	else if (str_equal(columns[0], STR("#empty_field")))
		log->empty = columns[1];
	else if (str_equal(columns[0], STR("#path")))
		log->path = columns[1];
	else if (str_equal(columns[0], STR("#types")))
		memcpy(log->types, columns + 1, (count - 1) * sizeof(*columns));
	else if (str_equal(columns[0], STR("#fields"))) {
		memcpy(log->fields, columns + 1, (count - 1) * sizeof(*columns));
		log->field_count = count - 1;
	}
}

static struct json_node *text_node(struct log *log, struct str text)
{
	struct json_node *node = arena_alloc(log->reading->arena, sizeof(*node));

	node->kind = JSON_STRING;
	node->text = unescape(log->reading->arena, text);
	return node;
}

static bool is_list(struct str type)
{
	return str_starts(type, STR("set[")) || str_starts(type, STR("vector["));
}

static struct json_node *column_node(struct log *log, struct str text, struct str type)
{
	struct json_node *node;
	struct json_node **last;
	struct str one;

	if (!is_list(type))
		return text_node(log, text);
	node = arena_alloc(log->reading->arena, sizeof(*node));
	node->kind = JSON_ARRAY;
	last = &node->child;
	while (str_split(&text, log->set_separator, &one)) {
		*last = text_node(log, one);
		last = &(*last)->next;
	}
	return node;
}

/* A row as the object that Zeek would have written in JSON. */
static const struct json_node *row_tree(struct log *log, const struct str *columns)
{
	struct json_node *root = arena_alloc(log->reading->arena, sizeof(*root));
	struct json_node **last = &root->child;

	root->kind = JSON_OBJECT;
	for (size_t i = 0; i < log->field_count; i++) {
		if (str_equal(columns[i], log->unset) || str_equal(columns[i], log->empty))
			continue;
		*last = column_node(log, columns[i], log->types[i]);
		(*last)->key = log->fields[i];
		last = &(*last)->next;
	}
	*last = text_node(log, log->path);
	(*last)->key = STR("_path");
	return root;
}

static void row_read(struct log *log, struct str line, struct str part)
{
	struct statement statement = {
		.reading = log->reading, .doc = line, .media_type = STR("text/tab-separated-values")};
	struct str columns[COLUMNS_MAX];
	size_t count = split(log, line, columns);

	if (!utf8_valid(line)) {
		reading_quarantine(log->reading, part, "zeek", line, "expected UTF-8");
	} else if (count != log->field_count) {
		reading_quarantine(log->reading, part, "zeek", line, "expected %zu columns, got %zu",
			log->field_count, count);
	} else {
		statement.root = row_tree(log, columns);
		statement_read(&statement, &zeek_format, part);
	}
}

/* False: nothing more is read. */
static bool row_or_left_out(struct log *log, struct str line, const char *end)
{
	struct reading *reading = log->reading;
	struct str part = arena_printf(reading->arena, "line %llu", (unsigned long long)log->number);
	struct str reason;

	if (reading_is_full(reading, &reason)) {
		reading_quarantine(reading, part, "zeek", (struct str){line.p, (size_t)(end - line.p)},
			STR_FMT, STR_ARG(reason));
		return false;
	}
	if (reading->at)
		reading->at(reading, reading->next_item, "zeek");
	if (reading->left_out && reading->left_out(reading, reading->next_item, &reason))
		reading_quarantine(reading, part, "zeek", line, STR_FMT, STR_ARG(reason));
	else
		row_read(log, line, part);
	reading_flush(reading);
	return true;
}

void zeek_log_read(struct reading *reading, struct str bytes)
{
	struct log log = {.reading = reading,
		.separator = '\t',
		.set_separator = ',',
		.unset = STR("-"),
		.empty = STR("(empty)")};
	const char *end = bytes.p + bytes.len;
	struct str line;

	while (str_split(&bytes, '\n', &line)) {
		log.number++;
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len == 0)
			continue;
		if (line.p[0] == '#')
			directive(&log, line);
		else if (!row_or_left_out(&log, line, end))
			break;
	}
}
