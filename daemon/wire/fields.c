#include "config.h"

#include "wire/fields.h"

#include <gmime/gmime.h>

#include "base/clock.h"
#include "base/mem.h"

static struct str unquoted(struct str value)
{
	const char *end;

	if (value.len > 2 && value.p[0] == '!' && (end = memchr(value.p, ' ', value.len)) != NULL)
		value = str_trim((struct str){end, value.len - (size_t)(end - value.p)});
	if (value.len >= 2 && (value.p[0] == '\'' || value.p[0] == '"') &&
		value.p[value.len - 1] == value.p[0])
		value = (struct str){value.p + 1, value.len - 2};
	return value;
}

static bool is_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] <= ' ' || name.p[i] == ':' || (unsigned char)name.p[i] >= 127)
			return false;
	return name.len > 0 && name.len <= 100;
}

/* Up to where the lines that continue a field reach. */
static size_t folded_length(struct str rest)
{
	size_t length = 0;

	while (length < rest.len && (rest.p[length] == ' ' || rest.p[length] == '\t')) {
		const char *end = memchr(rest.p + length, '\n', rest.len - length);
		length = end ? (size_t)(end + 1 - rest.p) : rest.len;
	}
	return length;
}

/* A field's lines as one, what stands between them as one blank. */
static struct str unfolded(struct str first, struct str more, struct arena *arena)
{
	char *copy = arena_alloc(arena, first.len + more.len + 2);
	size_t length = first.len;
	struct str line;

	if (first.len > 0)
		memcpy(copy, first.p, first.len);
	while (more.len > 0 && str_split(&more, '\n', &line)) {
		line = str_trim(line);
		if (line.len > 0 && length > 0)
			copy[length++] = ' ';
		if (line.len > 0)
			memcpy(copy + length, line.p, line.len);
		length += line.len;
	}
	return (struct str){copy, length};
}

void fields_read(struct str text, bool yaml, struct arena *arena, struct fields *fields)
{
	struct str line, name;

	fields->names = arena_alloc(arena, FIELDS_MAX * sizeof(*fields->names));
	fields->values = arena_alloc(arena, FIELDS_MAX * sizeof(*fields->values));
	fields->count = 0;
	while (fields->count < FIELDS_MAX && text.len > 0 && str_split(&text, '\n', &line)) {
		size_t more = text.p ? folded_length(text) : 0;
		struct str rest = line, value;

		if (!str_split(&rest, ':', &name) || !rest.p || !is_name(str_trim(name)))
			continue;
		value = unfolded(str_trim(rest), (struct str){text.p, more}, arena);
		text = more ? (struct str){text.p + more, text.len - more} : text;
		fields->names[fields->count] = arena_str(arena, str_trim(name));
		fields->values[fields->count++] = yaml ? unquoted(value) : value;
	}
}

struct str fields_value(const struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (str_equal_nocase(fields->names[i], str_of(name)))
			return fields->values[i];
	return STR_NONE;
}

/* 2026-11-22 10:00:00, with T or blank, with or without a zone */
static bool date_time(struct str text, int64_t *time)
{
	char copy[48];

	if (text.len < 19 || text.len > 40 || text.p[4] != '-' || text.p[7] != '-')
		return false;
	memcpy(copy, text.p, text.len);
	copy[10] = 'T';
	if (text.len > 20 && copy[19] == ' ') { /* "… +0200" */
		memmove(copy + 19, copy + 20, text.len - 20);
		text.len--;
	}
	if (text.len == 22 && memcmp(copy + 19, "UTC", 3) == 0)
		text.len = 19;
	if (text.len == 24 && (copy[19] == '+' || copy[19] == '-')) { /* +0200 */
		memmove(copy + 23, copy + 22, 2);
		copy[22] = ':';
		text.len++;
	}
	if (memchr(copy + 19, 'Z', text.len - 19) == NULL && memchr(copy + 19, '+', text.len - 19) == NULL &&
		memchr(copy + 19, '-', text.len - 19) == NULL)
		copy[text.len++] = 'Z';
	return clock_parse((struct str){copy, text.len}, time);
}

/* The name of a month and a time of day: GMime makes a date of much that is none. */
static bool looks_like_date(struct str text)
{
	static const char *const months[] = {
		"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};

	if (text.len < 11 || !memchr(text.p, ':', text.len))
		return false;
	for (size_t i = 0; i + 3 <= text.len; i++)
		for (size_t m = 0; m < ARRAY_LEN(months); m++)
			if (str_equal_nocase((struct str){text.p + i, 3}, str_of(months[m])))
				return true;
	return false;
}

bool fields_time(struct str text, int64_t *time)
{
	char copy[128];
	GDateTime *date;

	text = str_trim(text);
	if (clock_parse(text, time) || date_time(text, time))
		return true;
	if (!looks_like_date(text) || text.len >= sizeof(copy) || memchr(text.p, 0, text.len))
		return false;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	date = g_mime_utils_header_decode_date(copy);
	if (!date)
		return false;
	*time = g_date_time_to_unix(date) * CLOCK_SECOND;
	g_date_time_unref(date);
	return true;
}
