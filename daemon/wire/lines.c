#include "config.h"

#include "wire/lines.h"

#include "base/mem.h"
#include "model/storable.h"
#include "wire/json_cut.h"
#include "wire/native.h"
#include "wire/stamp.h"
#include "wire/zeek_log.h"

#define MAX_SENDER_ID 200

/* In the order in which a line is asked; the native one goes before them. */
static const struct line_format *const formats[] = {&eve_format, &idea_format, &intelmq_format, &zeek_format};

struct lines {
	struct reading *reading;
	enum format format; /* FORMAT_LINES: any */
	uint64_t number;    /* of the line or element in hand, from 1 */
	bool in_list;
};

/* Statements */

uint32_t statement_item(const struct statement *statement)
{
	return statement->reading->next_item;
}

void statement_time(struct statement *statement, struct str text)
{
	bool zoneless = false;
	char shown[JSON_SHOWN];

	if (str_trim(text).len == 0)
		return;
	if (!stamp_parse(text, &statement->report.observed, &zoneless))
		reading_note(statement->reading, &statement->report,
			"the time \"%s\" cannot be read: taken as when it was received",
			json_shown(text, shown));
	if (zoneless)
		reading_note(statement->reading, &statement->report, "its times name no zone: read as UTC");
}

static struct str cut(struct statement *statement, struct str text, size_t max, const char *name)
{
	bool changed = false;
	struct str kept = storable_text(str_trim(text), max, statement->reading->arena, &changed);

	if (changed)
		reading_note(statement->reading, &statement->report, "%s cut to %zu bytes", name, max);
	return kept;
}

static struct str lower(struct statement *statement, struct str text)
{
	char *out = arena_alloc(statement->reading->arena, text.len + 1);

	for (size_t i = 0; i < text.len; i++)
		out[i] = (char)(text.p[i] >= 'A' && text.p[i] <= 'Z' ? text.p[i] | 0x20 : text.p[i]);
	return (struct str){out, text.len};
}

void statement_title(struct statement *statement, struct str text)
{
	statement->report.title = cut(statement, text, MAX_TITLE, "title");
}

void statement_text(struct statement *statement, struct str text)
{
	statement->report.text = cut(statement, text, MAX_TEXT, "text");
}

void statement_identifier(struct statement *statement, struct str text)
{
	statement->report.identifier = lower(statement, cut(statement, text, MAX_IDENTIFIER, "identifier"));
}

void statement_malware(struct statement *statement, struct str text)
{
	statement->report.malware = lower(statement, cut(statement, text, MAX_IDENTIFIER, "malware"));
}

void statement_sender_id(struct statement *statement, struct str text)
{
	statement->report.sender_id = cut(statement, text, MAX_SENDER_ID, "id");
}

bool statement_observe(
	struct statement *statement, enum observable_type type, enum observable_role role, struct str text)
{
	char shown[JSON_SHOWN];

	text = str_trim(text);
	if (text.len == 0)
		return false;
	if (reading_observable(statement->reading, &statement->report, type, role, text))
		return true;
	reading_note(statement->reading, &statement->report,
		"\"%s\" is not of type %s: left in the document only", json_shown(text, shown),
		observable_type_name(type));
	return false;
}

static void statement_land(struct statement *statement, struct str part)
{
	struct reading *reading = statement->reading;
	struct item *item = reading_item(reading, statement->kind);

	item->part = part;
	item->report = statement->report;
	reading_said(reading, &item->report);
	item->report.doc = statement->doc;
	if (statement->kind == ITEM_REPORT)
		reading_part(
			reading, item->number, PART_EVENT, STR("doc"), statement->media_type, statement->doc);
}

void statement_read(struct statement *statement, const struct line_format *format, struct str part)
{
	struct err err = {0};

	statement->kind = ITEM_REPORT;
	statement->report.severity = statement->report.confidence = -1;
	statement->report.count = 1;
	statement->report.observed = CLOCK_UNKNOWN;
	if (format->read(statement, &err))
		statement_land(statement, part);
	else
		reading_quarantine(statement->reading, part, format_name(format->format), statement->doc,
			"%s: %s", format->name, err.text);
}

/* Lines */

static const struct line_format *format_of(const struct lines *lines, const struct json_node *root)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (lines->format == FORMAT_LINES ? formats[i]->is(root)
						  : formats[i]->format == lines->format)
			return formats[i];
	return NULL;
}

/* Somebody meant a native line; what is wrong with it is all that helps. */
static bool is_meant_native(const struct json_node *root)
{
	return !root->child || json_tree_get(root, "type") || json_tree_get(root, "v");
}

/* What a line is not, for whoever must find out what it is. */
static void refuse_unknown(
	struct reading *reading, struct str line, struct str part, const struct err *native)
{
	struct buf tried = {0};

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		buf_printf(&tried, "%s %s (%s)", i ? "," : "", formats[i]->name, formats[i]->mark);
	reading_quarantine(reading, part, "json", line,
		"no format that is known: not native (%s), and nothing of" STR_FMT, native->text,
		STR_ARG(buf_view(&tried)));
	buf_free(&tried);
}

/* native: why it is no native line; NULL where the source says that it is another. */
static void other_line_read(struct lines *lines, struct str line, struct str part, const struct err *native)
{
	struct reading *reading = lines->reading;
	struct statement statement = {.reading = reading, .doc = line, .media_type = STR("application/json")};
	const struct line_format *format;
	struct err err = {0};
	bool mended = false;

	statement.root =
		json_tree_read(line, (unsigned)reading->limits->max_depth, reading->arena, &mended, &err);
	if (!statement.root || statement.root->kind != JSON_OBJECT) {
		bool object = str_starts(str_trim(line), STR("{"));
		reading_quarantine(
			reading, part, "json", line, "%s", object ? err.text : "expected a JSON object");
		return;
	}
	format = format_of(lines, statement.root);
	if (!format && is_meant_native(statement.root)) {
		reading_quarantine(reading, part, "json", line, "%s", native->text);
		return;
	}
	if (!format && json_tree_get(statement.root, "Incident")) {
		reading_quarantine(reading, part, "json", line,
			"IODEF (RFC 8727) is not read: expected STIX, X-ARF, or lines of a sensor");
		return;
	}
	if (!format) {
		refuse_unknown(reading, line, part, native);
		return;
	}
	if (mended)
		reading_note(reading, &statement.report,
			"an escaped NUL or half a character stood in its texts: replaced");
	statement_read(&statement, format, part);
}

static void line_read(struct lines *lines, struct str line, struct str part)
{
	struct reading *reading = lines->reading;
	struct err err = {0};

	if (line.len > reading->limits->max_line) {
		reading_quarantine(reading, part, "json", line,
			"expected a line of at most %zu bytes, got %zu", reading->limits->max_line, line.len);
		return;
	}
	if (lines->format != FORMAT_LINES && lines->format != FORMAT_NATIVE) {
		other_line_read(lines, line, part, NULL);
		return;
	}
	if (native_line_read(reading, line, part, &err))
		return;
	if (lines->format == FORMAT_LINES)
		other_line_read(lines, line, part, &err);
	else
		reading_quarantine(reading, part, "json", line, "%s", err.text);
}

/* "line 17" or "element 17", without printf: this is done for every line. */
static struct str line_name(struct arena *arena, struct str prefix, uint64_t number)
{
	char digits[20];
	size_t count = 0;
	char *out;

	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	out = arena_alloc(arena, prefix.len + count + 1);
	memcpy(out, prefix.p, prefix.len);
	for (size_t i = 0; i < count; i++)
		out[prefix.len + i] = digits[count - 1 - i];
	return (struct str){out, prefix.len + count};
}

/* False: nothing more is read. */
static bool line_or_left_out(struct lines *lines, struct str line, const char *end)
{
	struct reading *reading = lines->reading;
	struct str part =
		line_name(reading->arena, lines->in_list ? STR("element ") : STR("line "), lines->number);
	struct str reason;

	if (reading_is_full(reading, &reason)) {
		reading_quarantine(reading, part, "json", (struct str){line.p, (size_t)(end - line.p)},
			STR_FMT, STR_ARG(reason));
		return false;
	}
	if (reading->at)
		reading->at(reading, reading->next_item, "json");
	if (reading->left_out && reading->left_out(reading, reading->next_item, &reason))
		reading_quarantine(reading, part, "json", line, STR_FMT, STR_ARG(reason));
	else
		line_read(lines, line, part);
	reading_flush(reading);
	return true;
}

/* One object after the other, the first of them over several lines, as people and exports write them. */
static bool is_spread(struct str bytes, size_t max_depth)
{
	struct str rest = bytes;
	struct str value;
	struct str first;
	bool spread = false;

	json_skip_space(&rest);
	bytes = rest;
	if (rest.len == 0 || *rest.p != '{' || !str_split(&rest, '\n', &first) ||
		str_ends(str_trim(first), STR("}")))
		return false;
	for (rest = bytes; rest.len > 0; json_skip_space(&rest)) {
		if (*rest.p != '{' || !json_skip_value(&rest, max_depth, &value))
			return false;
		spread |= memchr(value.p, '\n', value.len) != NULL;
	}
	return spread;
}

static void read_spread(struct lines *lines, struct str bytes)
{
	const char *end = bytes.p + bytes.len;
	const char *counted = bytes.p;
	struct str value;

	lines->number = 1;
	json_skip_space(&bytes);
	while (bytes.len > 0 && json_skip_value(&bytes, lines->reading->limits->max_depth, &value)) {
		while ((counted = memchr(counted, '\n', (size_t)(value.p - counted))) != NULL) {
			lines->number++;
			counted++;
		}
		counted = value.p;
		if (!line_or_left_out(lines, value, end))
			return;
		json_skip_space(&bytes);
	}
}

/* Does a list of objects begin here? */
static bool is_list(struct str text)
{
	if (!json_open(&text, '['))
		return false;
	json_skip_space(&text);
	return text.len > 0 && (*text.p == '{' || *text.p == ']');
}

/* Each element of a list as if it stood on a line, cut off *rest with the list. What is broken costs the rest
 * of the list. False: nothing more is read. */
static bool read_elements(struct lines *lines, struct str *rest)
{
	const char *end = rest->p + rest->len;
	struct str value;

	json_open(rest, '[');
	for (;;) {
		switch (json_element(rest, lines->reading->limits->max_depth, &value)) {
		case JSON_STEP_END:
			return true;
		case JSON_STEP_BROKEN:
			value = *rest;
			*rest = (struct str){end, 0};
			lines->number++;
			return value.len == 0 || line_or_left_out(lines, value, end);
		case JSON_STEP_VALUE:
			lines->number++;
			if (!line_or_left_out(lines, value, end))
				return false;
		}
	}
}

static bool read_list(struct lines *lines, struct str *rest)
{
	bool more;

	lines->in_list = true;
	more = read_elements(lines, rest);
	lines->in_list = false;
	return more;
}

static void read_each(struct lines *lines, struct str bytes)
{
	const char *end = bytes.p + bytes.len;
	struct str line;

	while (str_split(&bytes, '\n', &line)) {
		lines->number++;
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (is_list(line)) {
			lines->number--; /* its elements are counted */
			if (!read_list(lines, &line))
				return;
			line = str_trim(line);
			if (line.len > 0)
				lines->number++;
		}
		if (str_trim(line).len > 0 && !line_or_left_out(lines, line, end))
			return;
	}
}

bool lines_read_as(struct reading *reading, struct str bytes, enum format format, struct err *err)
{
	struct lines lines = {.reading = reading, .format = format};

	(void)err;
	if (str_starts(bytes, STR("\xef\xbb\xbf")))
		bytes = (struct str){bytes.p + 3, bytes.len - 3};
	if (format == FORMAT_ZEEK && zeek_is_log(bytes)) {
		zeek_log_read(reading, bytes);
		return true;
	}
	if (is_list(bytes) && !read_list(&lines, &bytes))
		return true;
	if (is_spread(bytes, reading->limits->max_depth))
		read_spread(&lines, bytes);
	else
		read_each(&lines, bytes);
	return true;
}

bool lines_read(struct reading *reading, struct str bytes, struct str envelope, struct err *err)
{
	(void)envelope;
	return lines_read_as(reading, bytes, FORMAT_LINES, err);
}
