#include "config.h"

#include "model/sheet.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "model/rsit.h"
#include "model/severity.h"

#define VALUE_MAX 1000
#define NAME_MAX_ 40

struct reader {
	const struct sheet_kind *kind;
	struct json_object *sheet;
	struct json_object *conditions;
	struct json_object *object; /* of the section; NULL before any */
	const struct sheet_section *section;
	int section_line;
	size_t sections;
	struct buf *fault;
};

static bool wrong(struct reader *reader, const char *expected, struct str got)
{
	size_t shown = got.len < 60 ? got.len : 60;

	buf_printf(reader->fault, "%s was expected, not \"%.*s\"", expected, (int)shown, got.p ? got.p : "");
	return false;
}

static struct json_object *text_of(struct str text)
{
	return json_object_new_string_len(text.p, (int)text.len);
}

static bool word_is_of(struct str word, const char *words)
{
	struct str rest = str_of(words), one;

	while (str_split(&rest, ' ', &one))
		if (str_equal(one, word))
			return true;
	return false;
}

static bool is_name(struct str text)
{
	if (text.len == 0 || text.len > NAME_MAX_ || text.p[0] == '-')
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!((text.p[i] >= 'a' && text.p[i] <= 'z') || (text.p[i] >= '0' && text.p[i] <= '9') ||
			    text.p[i] == '-'))
			return false;
	return true;
}

/* NUMBER ["business"] UNIT */
static bool is_time(struct str text, bool business_too)
{
	size_t digits = 0;
	uint64_t count;

	while (digits < text.len && text.p[digits] >= '0' && text.p[digits] <= '9')
		digits++;
	if (digits > 6 || !str_to_u64((struct str){text.p, digits}, &count) || count == 0)
		return false;
	struct str unit = str_trim((struct str){text.p + digits, text.len - digits});
	if (business_too && str_starts(unit, STR("business "))) {
		unit = str_trim((struct str){unit.p + strlen("business "), unit.len - strlen("business ")});
		return word_is_of(unit, "m min minute minutes h hour hours");
	}
	return word_is_of(
		unit, "m min minute minutes h hour hours d day days w week weeks month months year years");
}

static bool is_class(struct str text)
{
	for (int type = RSIT_FIRST; type < RSIT_COUNT; type++)
		if (str_equal(text, str_of(rsit_class((enum rsit_type)type))))
			return true;
	return false;
}

static bool list_item(struct reader *reader, const struct sheet_key *key, struct str item)
{
	enum rsit_type type;

	if (key->value == SHEET_TYPES)
		return rsit_parse(item, &type) || wrong(reader, "an RSIT type, such as phishing,", item);
	if (key->value == SHEET_CLASSES)
		return is_class(item) || wrong(reader, "an RSIT class, such as fraud,", item);
	if (key->value == SHEET_WORDS && !word_is_of(item, key->words))
		return wrong(reader, key->words, item);
	return item.len > 0 || wrong(reader, "words with commas between them", item);
}

static struct json_object *read_list(struct reader *reader, const struct sheet_key *key, struct str value)
{
	struct json_object *list = json_object_new_array();
	struct str item;

	while (str_split(&value, ',', &item)) {
		char lower[VALUE_MAX];
		item = str_trim(item);
		for (size_t i = 0; i < item.len; i++)
			lower[i] = (char)tolower((unsigned char)item.p[i]);
		item.p = lower;
		if (!list_item(reader, key, item)) {
			json_object_put(list);
			return NULL;
		}
		json_object_array_add(list, text_of(item));
	}
	return list;
}

/* From which number on something is as grave as the word says. */
static struct json_object *read_severity(struct reader *reader, struct str value)
{
	static const char *const words[] = {"info", "low", "medium", "high", "critical"};

	for (int i = 0; i < (int)ARRAY_LEN(words); i++)
		if (str_equal(value, str_of(words[i])))
			return json_object_new_int(i * 20);
	wrong(reader, "info, low, medium, high or critical", value);
	return NULL;
}

static struct json_object *read_value(struct reader *reader, const struct sheet_key *key, struct str value)
{
	bool ok = true;

	switch (key->value) {
	case SHEET_WORDS:
	case SHEET_NAMES:
	case SHEET_TYPES:
	case SHEET_CLASSES:
		return read_list(reader, key, value);
	case SHEET_SEVERITY:
		return read_severity(reader, value);
	case SHEET_WORD:
		ok = word_is_of(value, key->words) || wrong(reader, key->words, value);
		break;
	case SHEET_NAME:
		ok = is_name(value) || wrong(reader, "a name of a-z, 0-9 and -", value);
		break;
	case SHEET_TIME:
		ok = is_time(value, false) ||
		     wrong(reader, "a time such as \"24 hours\", \"3 days\" or \"1 month\"", value);
		break;
	case SHEET_WORKTIME:
		ok = is_time(value, true) ||
		     wrong(reader, "a time such as \"30 minutes\", \"4 business hours\" or \"3 days\"",
			     value);
		break;
	case SHEET_TEXT:
		ok = utf8_valid(value) || wrong(reader, "text in UTF-8", STR("bytes that are none"));
		break;
	}
	return ok ? text_of(value) : NULL;
}

static bool section_is(const struct reader *reader, const char *section)
{
	return section ? reader->section && !strcmp(section, reader->section->word) : !reader->section;
}

/* The conditions of a kind stand between title and sections, and have a member of their own. */
static bool is_condition(const struct sheet_key *key)
{
	static const struct sheet_key conditions[] = {SHEET_CONDITIONS};

	for (size_t i = 0; !key->section && i < ARRAY_LEN(conditions); i++)
		if (!strcmp(key->key, conditions[i].key))
			return true;
	return false;
}

static bool read_pair(struct reader *reader, struct str name, struct str value)
{
	struct json_object *into = reader->object ? reader->object : reader->sheet, *read;

	for (const struct sheet_key *key = reader->kind->keys; key->key; key++) {
		if (!section_is(reader, key->section) || !str_equal(name, str_of(key->key)))
			continue;
		if (is_condition(key))
			into = reader->conditions;
		if (json_object_object_get_ex(into, key->key, NULL)) {
			buf_printf(reader->fault, "%s is said twice", key->key);
			return false;
		}
		if (value.len == 0 || value.len >= VALUE_MAX)
			return wrong(reader, "a value of up to 1000 bytes", value);
		read = read_value(reader, key, value);
		if (read)
			json_object_object_add(into, key->key, read);
		return read != NULL;
	}
	buf_text(reader->fault, "one of");
	for (const struct sheet_key *key = reader->kind->keys; key->key; key++)
		if (section_is(reader, key->section))
			buf_printf(reader->fault, " %s", key->key);
	buf_text(reader->fault, ": ");
	return wrong(reader, "this", name);
}

/* What a section, or what stands before any, has to say. */
static bool section_is_whole(struct reader *reader)
{
	struct json_object *object = reader->object ? reader->object : reader->sheet;

	for (const struct sheet_key *key = reader->kind->keys; key->key; key++) {
		if (!key->needed || !section_is(reader, key->section) ||
			json_object_object_get_ex(object, key->key, NULL))
			continue;
		buf_printf(reader->fault, "\"%s = …\" was expected %s%s", key->key,
			reader->section ? "in this section, " : "before any section",
			reader->section ? reader->section->word : "");
		return false;
	}
	return true;
}

/* "[word name]" */
static bool read_section(struct reader *reader, struct str head, int line)
{
	struct str rest = head, word;

	str_split(&rest, ' ', &word);
	rest = rest.p ? str_trim(rest) : STR("");
	for (const struct sheet_section *section = reader->kind->sections; section->word; section++) {
		if (!str_equal(word, str_of(section->word)))
			continue;
		if ((section->name != NULL) != (rest.len > 0) || rest.len > NAME_MAX_)
			return wrong(reader,
				section->name ? "a section with a name" : "a section without a name", head);
		if (reader->sections++ >= SHEET_SECTIONS)
			return wrong(reader, "at most 200 sections", head);
		reader->section = section;
		reader->section_line = line;
		reader->object = json_object_new_object();
		json_object_object_add(reader->object, "line", json_object_new_int(line));
		if (section->name)
			json_object_object_add(reader->object, section->name, text_of(rest));
		json_object_array_add(json_object_object_get(reader->sheet, section->list), reader->object);
		return true;
	}
	buf_text(reader->fault, "one of");
	for (const struct sheet_section *section = reader->kind->sections; section->word; section++)
		buf_printf(reader->fault, " [%s]", section->word);
	buf_text(reader->fault, ": ");
	return wrong(reader, "this", head);
}

static bool read_line(struct reader *reader, struct str text, int number, int *line)
{
	struct str key, value = text;

	if (text.len == 0 || text.p[0] == '#')
		return true;
	if (text.p[0] != '[') {
		str_split(&value, '=', &key);
		if (!value.p)
			return wrong(reader, "\"key = value\" or \"[section]\"", text);
		return read_pair(reader, str_trim(key), str_trim(value));
	}
	if (text.p[text.len - 1] != ']')
		return wrong(reader, "\"[section]\"", text);
	if (!section_is_whole(reader)) {
		*line = reader->section ? reader->section_line : number;
		return false;
	}
	return read_section(reader, str_trim((struct str){text.p + 1, text.len - 2}), number);
}

static bool read_lines(struct reader *reader, struct str bytes, int *line)
{
	struct str text;

	for (int number = 1; str_split(&bytes, '\n', &text); number++) {
		*line = number;
		if (memchr(text.p, 0, text.len))
			return wrong(reader, "text", STR("a zero byte"));
		if (!read_line(reader, str_trim(text), number, line))
			return false;
	}
	if (reader->section)
		*line = reader->section_line;
	return section_is_whole(reader);
}

struct json_object *sheet_read(const struct sheet_kind *kind, struct str bytes, int *line, struct buf *fault)
{
	struct reader reader = {.kind = kind,
		.sheet = json_object_new_object(),
		.conditions = json_object_new_object(),
		.fault = fault};

	*line = 1;
	json_object_object_add(reader.sheet, "conditions", reader.conditions);
	for (const struct sheet_section *section = kind->sections; section->word; section++)
		json_object_object_add(reader.sheet, section->list, json_object_new_array());
	if (bytes.len > SHEET_SIZE)
		buf_printf(fault, "a file of at most %zu KB was expected", SHEET_SIZE >> 10);
	else if (read_lines(&reader, bytes, line))
		return reader.sheet;
	json_object_put(reader.sheet);
	return NULL;
}
