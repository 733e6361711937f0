#include "config.h"

#include "client/inbox.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "client/i18n.h"
#include "client/tty.h"

/* How the lines of the inbox are drawn; the last column takes what is left. */
#define WIDTH_NUMBER 4
#define WIDTH_COUNT  6
#define WIDTH_SEEN   12

static void local_time(const char *stamp, struct tm *tm)
{
	int64_t time = 0;
	time_t seconds;

	clock_parse(str_of(stamp), &time);
	seconds = (time_t)(time / CLOCK_SECOND);
	localtime_r(&seconds, tm);
}

/* "05:12–06:40", "04:31"; of another day "22 Nov". */
static void seen_text(struct json_object *line, int64_t now, char text[32])
{
	struct tm first, last, today;
	time_t seconds = (time_t)(now / CLOCK_SECOND);

	localtime_r(&seconds, &today);
	local_time(member_text(line, "first"), &first);
	local_time(member_text(line, "last"), &last);
	if (last.tm_yday != today.tm_yday || last.tm_year != today.tm_year) {
		strftime(text, 32, "%d %b", &last);
		return;
	}
	bool same_day = first.tm_yday == last.tm_yday && first.tm_year == last.tm_year;
	if (same_day && (first.tm_hour != last.tm_hour || first.tm_min != last.tm_min))
		snprintf(text, 32, "%02d:%02d-%02d:%02d", first.tm_hour, first.tm_min, last.tm_hour,
			last.tm_min);
	else
		strftime(text, 32, "%H:%M", &last);
}

static void put_cell(const char *text, int columns, struct buf *out)
{
	struct buf safe = {0};

	screen_cell(str_of(text), &safe);
	tty_cell(buf_view(&safe), columns - 1, out);
	buf_char(out, ' ');
	buf_free(&safe);
}

static void put_columns(const char *const texts[6], int columns, struct buf *out)
{
	int rest = columns - WIDTH_NUMBER - WIDTH_COUNT - WIDTH_SEEN;
	int what = rest * 2 / 5, whose = rest / 4;
	const int widths[6] = {WIDTH_NUMBER, WIDTH_COUNT, what, whose, WIDTH_SEEN, rest - what - whose};

	for (int i = 0; i < 6; i++)
		put_cell(texts[i], widths[i], out);
}

void inbox_head(int columns, struct buf *out)
{
	const char *const titles[6] = {"#", "n", _("what"), _("whose"), _("seen"), _("suggested")};

	put_columns(titles, columns, out);
}

const char *inbox_suggestion(struct json_object *line)
{
	return member_text(member_of(line, "suggested"), "text");
}

void inbox_row(struct json_object *line, size_t number, int64_t now, int columns, struct buf *out)
{
	char at[24], count[24], seen[32];
	const char *whose = member_text(line, "whose");

	snprintf(at, sizeof(at), "%zu", number);
	snprintf(count, sizeof(count), "%lld", (long long)member_number(line, "n"));
	seen_text(line, now, seen);
	const char *const texts[6] = {
		at, count, member_text(line, "what"), *whose ? whose : "-", seen, inbox_suggestion(line)};
	put_columns(texts, columns, out);
}
