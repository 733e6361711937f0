#include "config.h"

#include "model/calendar.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define HOLIDAYS_MOST 5000

static int day_read(struct str word)
{
	static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

	for (int i = 0; i < 7; i++)
		if (str_equal_nocase(word, str_of(days[i])))
			return i + 1;
	return 0;
}

static int two_digits(const char *p)
{
	return p[0] >= '0' && p[0] <= '9' && p[1] >= '0' && p[1] <= '9' ? (p[0] - '0') * 10 + p[1] - '0' : -1;
}

/* Minutes of "HH:MM", 24:00 too; -1: it is none. */
static int minute_read(struct str text)
{
	if (text.len != 5 || text.p[2] != ':')
		return -1;
	int hour = two_digits(text.p), minute = two_digits(text.p + 3);
	if (hour < 0 || minute < 0 || minute > 59 || hour > 24 || (hour == 24 && minute > 0))
		return -1;
	return hour * 60 + minute;
}

static bool overlaps(struct json_object *hours, int day, int opens, int closes)
{
	for (size_t i = 0; i < json_object_array_length(hours); i++) {
		struct json_object *span = json_object_array_get_idx(hours, i);
		if (json_object_get_int(json_object_object_get(span, "day")) != day)
			continue;
		int from = minute_read(str_of(json_object_get_string(json_object_object_get(span, "opens"))));
		int to = minute_read(str_of(json_object_get_string(json_object_object_get(span, "closes"))));
		if (opens < to && from < closes)
			return true;
	}
	return false;
}

static void add_span(struct json_object *hours, int day, struct str opens, struct str closes)
{
	struct json_object *span = json_object_new_object();

	json_object_object_add(span, "day", json_object_new_int(day));
	json_object_object_add(span, "opens", json_object_new_string_len(opens.p, (int)opens.len));
	json_object_object_add(span, "closes", json_object_new_string_len(closes.p, (int)closes.len));
	json_object_array_add(hours, span);
}

/* "Mon-Fri 09:00-17:00" */
static bool span_read(struct str text, struct json_object *hours)
{
	struct str times = text, days, first, opens;

	str_split(&times, ' ', &days);
	if (!times.p)
		return false;
	struct str last = days;
	str_split(&last, '-', &first);
	times = str_trim(times);
	str_split(&times, '-', &opens);
	if (!times.p)
		return false;
	int from = day_read(first), to = last.p ? day_read(last) : from;
	int opening = minute_read(opens), closing = minute_read(times);
	if (from == 0 || to < from || opening < 0 || closing <= opening)
		return false;
	for (int day = from; day <= to; day++) {
		if (overlaps(hours, day, opening, closing))
			return false;
		add_span(hours, day, opens, times);
	}
	return true;
}

bool calendar_hours_read(struct str text, struct json_object *hours, struct buf *fault)
{
	struct str rest = text, span;

	while (str_split(&rest, ',', &span)) {
		if (span_read(str_trim(span), hours))
			continue;
		buf_printf(fault,
			"days and hours such as \"Mon-Thu 08:00-17:00, Fri 08:00-14:00\" were expected, each "
			"but once, "
			"not \"%.*s\"",
			(int)(text.len < 100 ? text.len : 100), text.p);
		return false;
	}
	return true;
}

/* "2026-12-25" that there is, or "12-25". */
static bool date_is(struct str text)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool of_year = text.len == 10;
	const char *p = text.p + (of_year ? 5 : 0);

	if ((!of_year && text.len != 5) || p[2] != '-' || (of_year && text.p[4] != '-') ||
		(of_year && (two_digits(text.p) < 0 || two_digits(text.p + 2) < 0)))
		return false;
	int month = two_digits(p), day = two_digits(p + 3);
	if (month < 1 || month > 12 || day < 1 || day > days[month - 1])
		return false;
	int year = of_year ? two_digits(text.p) * 100 + two_digits(text.p + 2) : 2000;
	return month != 2 || day < 29 || (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

bool calendar_holidays_read(struct str bytes, struct json_object *holidays, int *line, struct buf *fault)
{
	struct str text, day;

	for (*line = 1; str_split(&bytes, '\n', &text); (*line)++) {
		struct str name = str_trim(text);
		if (name.len == 0 || name.p[0] == '#')
			continue;
		str_split(&name, ' ', &day);
		if (!date_is(day) || (name.p && !utf8_valid(name)) ||
			json_object_array_length(holidays) >= HOLIDAYS_MOST) {
			buf_printf(fault,
				"a day such as \"2026-12-25 Christmas\", or \"12-25\" of every year, was "
				"expected, not "
				"\"%.*s\"",
				(int)(text.len < 60 ? text.len : 60), text.p);
			return false;
		}
		struct json_object *holiday = json_object_new_object();
		name = name.p ? str_trim(name) : STR("");
		name = utf8_cut(name, 200);
		json_object_object_add(holiday, "day", json_object_new_string_len(day.p, (int)day.len));
		json_object_object_add(holiday, "name", json_object_new_string_len(name.p, (int)name.len));
		json_object_array_add(holidays, holiday);
	}
	return true;
}
