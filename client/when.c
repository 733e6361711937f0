#include "config.h"

#include "client/when.h"

#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "client/i18n.h"

static const struct {
	const char *word;
	int64_t seconds;
} units[] = {{"seconds", 1}, {"minutes", 60}, {"hours", 3600}, {"days", 86400}, {"weeks", 604800}};

/* "2h", "2 hours": that long before now, or ahead of it. */
static bool parse_span(struct str text, int64_t *span)
{
	uint64_t count;
	size_t digits = 0;

	while (digits < text.len && text.p[digits] >= '0' && text.p[digits] <= '9')
		digits++;
	struct str unit = str_trim((struct str){text.p + digits, text.len - digits});
	if (unit.len == 0 || !str_to_u64((struct str){text.p, digits}, &count) || count > 1000000)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (str_starts(str_of(units[i].word), unit)) {
			*span = (int64_t)count * units[i].seconds * CLOCK_SECOND;
			return true;
		}
	}
	return false;
}

/* The moment at which clocks here show that, the first of two where they show it twice: -1 where they never
 * do. mktime() alone makes 2 March of 30 February, and another hour of one that is left out. */
static int64_t moment_of(const struct tm *asked)
{
	int64_t first = -1;

	for (int dst = -1; dst <= 1; dst++) {
		struct tm tm = *asked;
		tm.tm_isdst = dst;
		time_t seconds = mktime(&tm);
		if (seconds == (time_t)-1 || !localtime_r(&seconds, &tm))
			continue;
		if (tm.tm_min == asked->tm_min && tm.tm_hour == asked->tm_hour &&
			tm.tm_mday == asked->tm_mday && tm.tm_mon == asked->tm_mon &&
			(first < 0 || seconds < first))
			first = seconds;
	}
	return first;
}

/* "2026-11-22" or "2026-11-22 14:30". */
static bool parse_date(const char *text, struct tm *day)
{
	char rest = 0;
	int got = sscanf(text, "%4d-%2d-%2d%*1[ T]%2d:%2d%c", &day->tm_year, &day->tm_mon, &day->tm_mday,
		&day->tm_hour, &day->tm_min, &rest);

	if (!(got == 3 && strlen(text) == strlen("2026-11-22")) &&
		!(got == 5 && strlen(text) == strlen("2026-11-22 14:30")))
		return false;
	day->tm_year -= 1900;
	day->tm_mon -= 1;
	return day->tm_mon >= 0 && day->tm_mon < 12 && day->tm_mday >= 1 && day->tm_mday <= 31 &&
	       day->tm_hour < 24 && day->tm_min < 60;
}

/* How many days from today a word is: "tomorrow", "Fri" (the next, or the last where `ahead` is false; today
 * where its time is yet to come, or has gone by). */
static bool day_word(const char *word, int today, bool later, bool ahead, int *days)
{
	static const char *const names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

	if (!strcasecmp(word, "today") || !strcasecmp(word, "tomorrow") || !strcasecmp(word, "yesterday")) {
		*days = !strcasecmp(word, "tomorrow") - !strcasecmp(word, "yesterday");
		return true;
	}
	for (int i = 0; i < 7; i++) {
		if (strncasecmp(word, names[i], 3) != 0)
			continue;
		*days = ahead ? (i - today + 7) % 7 : -((today - i + 7) % 7);
		if (*days == 0 && later != ahead)
			*days = ahead ? 7 : -7;
		return true;
	}
	return false;
}

/* "22:10": the last such time, or the next; "tomorrow 09:00", "Fri 14:00". */
static bool parse_word(const char *text, int64_t now, bool ahead, struct tm *day)
{
	time_t seconds = (time_t)(now / CLOCK_SECOND);
	char word[16] = "", rest = 0;
	int days = 0, hour = 0, minute = 0;
	struct tm today;

	if (!localtime_r(&seconds, &today))
		return false;
	bool plain = sscanf(text, "%2d:%2d%c", &hour, &minute, &rest) == 2;
	int got = plain ? 0 : sscanf(text, "%15[A-Za-z] %2d:%2d%c", word, &hour, &minute, &rest);
	bool later = hour * 60 + minute > today.tm_hour * 60 + today.tm_min;
	if (plain)
		days = ahead ? !later : -later;
	else if ((got != 1 && got != 3) || (got == 1 && strlen(word) != strlen(text)) ||
		 !day_word(word, today.tm_wday, later, ahead, &days))
		return false;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return false;
	/* At noon a day more is a day more whatever clocks do that night. */
	struct tm noon = {.tm_year = today.tm_year,
		.tm_mon = today.tm_mon,
		.tm_mday = today.tm_mday + days,
		.tm_hour = 12,
		.tm_isdst = -1};
	if (mktime(&noon) == (time_t)-1)
		return false;
	*day = (struct tm){.tm_year = noon.tm_year,
		.tm_mon = noon.tm_mon,
		.tm_mday = noon.tm_mday,
		.tm_hour = hour,
		.tm_min = minute};
	return true;
}

static bool local_day(struct str text, int64_t now, bool ahead, struct tm *day)
{
	char copy[32];

	if (text.len == 0 || text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.len);
	copy[text.len] = 0;
	*day = (struct tm){0};
	if (parse_date(copy, day))
		return true;
	*day = (struct tm){0};
	return parse_word(copy, now, ahead, day);
}

static bool parse_local(struct str text, int64_t now, bool ahead, int64_t *time)
{
	struct tm day;
	int64_t seconds = local_day(text, now, ahead, &day) ? moment_of(&day) : -1;

	*time = seconds * CLOCK_SECOND;
	return seconds >= 0;
}

bool when_parse(struct str text, int64_t now, int64_t *time)
{
	int64_t span;

	if (parse_span(text, &span)) {
		*time = now - span;
		return true;
	}
	return parse_local(text, now, false, time) || clock_parse(text, time);
}

bool when_ahead(struct str text, int64_t now, int64_t *time)
{
	int64_t span;

	if (parse_span(text, &span)) {
		*time = now + span;
		return true;
	}
	return parse_local(text, now, true, time) || clock_parse(text, time);
}

bool when_is_skipped(struct str text, int64_t now)
{
	struct tm day, month;

	if (!local_day(text, now, true, &day) || moment_of(&day) >= 0)
		return false;
	month = day;
	month.tm_hour = 12;
	return moment_of(&month) >= 0;
}

void when_span(int64_t microseconds, struct buf *out)
{
	long long s = (long long)(microseconds / CLOCK_SECOND);

	if (s < 60)
		buf_printf(out, _("%lld s"), s);
	else if (s < 3600)
		buf_printf(out, _("%lld min"), s / 60);
	else if (s < 86400 && s / 60 % 60)
		buf_printf(out, _("%lld h %lld min"), s / 3600, s / 60 % 60);
	else if (s < 86400)
		buf_printf(out, _("%lld h"), s / 3600);
	else if (s / 3600 % 24)
		buf_printf(out, _("%lld d %lld h"), s / 86400, s / 3600 % 24);
	else
		buf_printf(out, _("%lld d"), s / 86400);
}

/* One unit is enough for a glance. */
static void rough(int64_t microseconds, struct buf *out)
{
	long long s = (long long)(microseconds / CLOCK_SECOND);

	if (s < 60)
		buf_printf(out, _("%lld s"), s);
	else if (s < 3600)
		buf_printf(out, _("%lld min"), s / 60);
	else if (s < 172800)
		buf_printf(out, _("%lld h"), s / 3600);
	else
		buf_printf(out, _("%lld d"), s / 86400);
}

static void local_date(int64_t time, struct buf *out)
{
	time_t seconds = (time_t)(time / CLOCK_SECOND);
	struct tm tm;
	char text[32];

	if (localtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d", &tm))
		buf_text(out, text);
}

void when_relative(int64_t time, int64_t now, struct buf *out)
{
	struct buf span = {0};
	int64_t apart = time > now ? time - now : now - time;

	if (apart >= 30 * CLOCK_DAY) {
		local_date(time, out);
		return;
	}
	rough(apart, &span);
	if (apart < CLOCK_SECOND)
		buf_text(out, _("just now"));
	else if (time > now)
		buf_printf(out, _("in %s"), buf_cstr(&span));
	else
		buf_printf(out, _("%s ago"), buf_cstr(&span));
	buf_free(&span);
}

void when_local(int64_t time, struct buf *out)
{
	time_t seconds = (time_t)(time / CLOCK_SECOND);
	struct tm tm;
	char text[64];

	if (localtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M %Z", &tm))
		buf_text(out, text);
}

/* Days between two local dates: at noon, so that no change of clocks counts. */
static int64_t days_between(struct tm from, struct tm to)
{
	from.tm_hour = to.tm_hour = 12;
	from.tm_min = to.tm_min = from.tm_sec = to.tm_sec = 0;
	from.tm_isdst = to.tm_isdst = -1;
	double seconds = difftime(mktime(&to), mktime(&from));

	return (int64_t)(seconds / 86400 + (seconds < 0 ? -0.5 : 0.5));
}

void when_due(int64_t time, int64_t now, struct buf *out)
{
	time_t at = (time_t)(time / CLOCK_SECOND), today = (time_t)(now / CLOCK_SECOND);
	struct tm then, here;
	char text[64];

	if (!localtime_r(&at, &then) || !localtime_r(&today, &here))
		return;
	int64_t days = days_between(here, then);
	size_t len = days == 0                   ? strftime(text, sizeof(text), "%H:%M", &then)
	             : days > 0 && days < 7      ? strftime(text, sizeof(text), "%a %H:%M", &then)
	             : days > -180 && days < 180 ? strftime(text, sizeof(text), "%d %b %H:%M", &then)
	                                         : strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &then);
	if (days == 0)
		buf_text(out, _("today "));
	if (len)
		buf_text(out, text);
}
