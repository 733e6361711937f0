#include "config.h"

#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t clock_read(clockid_t which)
{
	struct timespec now;
	clock_gettime(which, &now);
	return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec / 1000;
}

int64_t clock_now(void)
{
	return clock_read(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar; years begin in March, so that February ends
 * them. */
static int64_t days_of_civil(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static void civil_of_days(int64_t days, int *year, int *month, int *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t from_march = (5 * day_of_year + 2) / 153;
	*day = (int)(day_of_year - (153 * from_march + 2) / 5 + 1);
	*month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
	*year = (int)(year_of_era + era * 400 + (*month <= 2));
}

int64_t clock_of_civil(int year, int month, int day, int hour, int minute, int second)
{
	return days_of_civil(year, month, day) * CLOCK_DAY +
	       ((int64_t)hour * 3600 + (int64_t)minute * 60 + second) * CLOCK_SECOND;
}

/* Take exactly `digits` digits off the front of text. */
static bool take_number(struct str *text, size_t digits, int *number)
{
	if (text->len < digits)
		return false;
	*number = 0;
	for (size_t i = 0; i < digits; i++) {
		char c = text->p[i];
		if (c < '0' || c > '9')
			return false;
		*number = *number * 10 + (c - '0');
	}
	text->p += digits;
	text->len -= digits;
	return true;
}

static bool take_char(struct str *text, const char *any_of)
{
	if (text->len == 0 || text->p[0] == '\0' || !strchr(any_of, text->p[0]))
		return false;
	text->p++;
	text->len--;
	return true;
}

static bool take_date(struct str *text, int *year, int *month, int *day)
{
	static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (!take_number(text, 4, year) || !take_char(text, "-") || !take_number(text, 2, month) ||
		!take_char(text, "-") || !take_number(text, 2, day))
		return false;
	if (*month < 1 || *month > 12 || *day < 1 || *day > lengths[*month - 1])
		return false;
	bool leap = (*year % 4 == 0 && *year % 100 != 0) || *year % 400 == 0;
	return *month != 2 || *day < 29 || leap;
}

/* ".123456789": one to nine digits, what is beyond microseconds is dropped. */
static bool take_fraction(struct str *text, int *micros)
{
	*micros = 0;
	if (!take_char(text, "."))
		return true;
	int digits = 0;
	int scale = 100000;
	int digit;
	while (text->len > 0 && take_number(text, 1, &digit)) {
		*micros += digit * scale;
		scale /= 10;
		digits++;
	}
	return digits >= 1 && digits <= 9;
}

/* Z, or the offset from UTC in minutes. */
static bool take_offset(struct str *text, int *minutes)
{
	*minutes = 0;
	if (take_char(text, "Zz"))
		return true;
	bool west = text->len > 0 && text->p[0] == '-';
	int hour, minute;
	if (!take_char(text, "+-") || !take_number(text, 2, &hour) || !take_char(text, ":") ||
		!take_number(text, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*minutes = (hour * 60 + minute) * (west ? -1 : 1);
	return true;
}

bool clock_parse(struct str text, int64_t *time)
{
	int year, month, day, hour, minute, second, micros, offset;
	if (!take_date(&text, &year, &month, &day) || !take_char(&text, "Tt ") ||
		!take_number(&text, 2, &hour) || !take_char(&text, ":") || !take_number(&text, 2, &minute) ||
		!take_char(&text, ":") || !take_number(&text, 2, &second) || !take_fraction(&text, &micros) ||
		!take_offset(&text, &offset))
		return false;
	if (text.len > 0 || hour > 23 || minute > 59 || second > 60)
		return false;
	if (second == 60) {
		second = 59;
		micros = 999999;
	}
	*time = clock_of_civil(year, month, day, hour, minute, second) + micros -
	        (int64_t)offset * 60 * CLOCK_SECOND;
	return true;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

const char *clock_format(int64_t time, char text[CLOCK_TEXT])
{
	const int64_t first = clock_of_civil(0, 1, 1, 0, 0, 0);
	const int64_t last = clock_of_civil(10000, 1, 1, 0, 0, 0) - 1;
	time = time < first ? first : time > last ? last : time;
	int64_t days = floor_div(time, CLOCK_DAY);
	int64_t micros = time - days * CLOCK_DAY;
	int seconds = (int)(micros / CLOCK_SECOND);
	int fraction = (int)(micros % CLOCK_SECOND);
	int year, month, day;
	civil_of_days(days, &year, &month, &day);
	int len = snprintf(text, CLOCK_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u", (unsigned)year % 10000u,
		(unsigned)month % 100u, (unsigned)day % 100u, (unsigned)seconds / 3600u % 100u,
		(unsigned)seconds / 60u % 60u, (unsigned)seconds % 60u);
	if (fraction)
		snprintf(text + len, (size_t)(CLOCK_TEXT - len), ".%06uZ", (unsigned)fraction % 1000000u);
	else
		snprintf(text + len, (size_t)(CLOCK_TEXT - len), "Z");
	return text;
}

int32_t clock_day(int64_t time)
{
	return (int32_t)floor_div(time, CLOCK_DAY);
}

int32_t clock_yyyymm(int64_t time)
{
	int year, month, day;
	civil_of_days(floor_div(time, CLOCK_DAY), &year, &month, &day);
	return year * 100 + month;
}
