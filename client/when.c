#include "config.h"

#include "client/when.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "client/i18n.h"

static const struct {
	char letter;
	int64_t seconds;
} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};

static bool parse_ago(struct str text, int64_t now, int64_t *time)
{
	uint64_t count;

	if (text.len < 2 || !str_to_u64((struct str){text.p, text.len - 1}, &count) || count > 1000000)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].letter == text.p[text.len - 1]) {
			*time = now - (int64_t)count * units[i].seconds * CLOCK_SECOND;
			return true;
		}
	}
	return false;
}

static bool parse_local(struct str text, int64_t *time)
{
	struct tm day = {0};
	char copy[32], rest = 0;

	if (text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.len);
	copy[text.len] = 0;
	int got = sscanf(copy, "%4d-%2d-%2d%*1[ T]%2d:%2d%c", &day.tm_year, &day.tm_mon, &day.tm_mday,
		&day.tm_hour, &day.tm_min, &rest);
	bool plain_day = got == 3 && text.len == strlen("2026-11-22");
	if (!plain_day && !(got == 5 && text.len == strlen("2026-11-22 14:30")))
		return false;
	day.tm_year -= 1900;
	day.tm_mon -= 1;
	day.tm_isdst = -1;
	struct tm asked = day;
	time_t seconds = mktime(&day);
	/* mktime makes 2 March of 30 February: that was a mistake, not a date. */
	if (seconds == (time_t)-1 || day.tm_mon != asked.tm_mon || day.tm_mday != asked.tm_mday)
		return false;
	*time = (int64_t)seconds * CLOCK_SECOND;
	return true;
}

bool when_parse(struct str text, int64_t now, int64_t *time)
{
	return parse_ago(text, now, time) || parse_local(text, time) || clock_parse(text, time);
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
