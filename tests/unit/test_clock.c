#include "config.h"

#include "unit.h"

#include <time.h>

#include "base/clock.h"

static void test_reads_rfc_3339(void **state)
{
	static const struct {
		const char *text;
		const char *utc;
	} good[] = {
		{"2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"},
		{"2026-11-22t10:00:00z", "2026-11-22T10:00:00Z"},
		{"2026-11-22 10:00:00+01:30", "2026-11-22T08:30:00Z"},
		{"2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"},
		{"2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00Z"},
		{"2026-11-22T10:00:00.5Z", "2026-11-22T10:00:00.500000Z"},
		{"2026-11-22T10:00:00.123456789-00:00", "2026-11-22T10:00:00.123456Z"},
		{"2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z"},
		{"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
		{"0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"},
		{"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
	};
	static const char *const bad[] = {"", "2026", "2026-11-22", "2026-11-22T10:00:00",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-22T24:00:00Z",
		"2026-11-22T10:60:00Z", "2026-11-22T10:00:61Z", "2026-11-22T10:00:00.Z",
		"2026-11-22T10:00:00.1234567890Z", "2026-11-22T10:00:00+0100", "2026-11-22T10:00:00+24:00",
		"2026-11-22T10:00:00Zx", " 2026-11-22T10:00:00Z", "20a6-11-22T10:00:00Z"};
	int64_t time;
	char text[CLOCK_TEXT];
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(clock_parse(str_of(good[i].text), &time));
		assert_string_equal(clock_format(time, text), good[i].utc);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(clock_parse(str_of(bad[i]), &time));
}

/* Any time is written and read again; libc agrees about its calendar. */
static void test_round_trip_and_calendar(void **state)
{
	uint64_t seed = 4;
	(void)state;
	for (int round = 0; round < 20000; round++) {
		const int64_t years = 9998;
		int64_t time = (int64_t)(chance(&seed) % (uint64_t)(years * 365 * CLOCK_DAY)) -
		               1968 * 365 * CLOCK_DAY;
		char text[CLOCK_TEXT];
		int64_t again;
		assert_true(clock_parse(str_of(clock_format(time, text)), &again));
		assert_true(again == time);
		time_t seconds = (time_t)(clock_day(time) * INT64_C(86400));
		struct tm civil;
		gmtime_r(&seconds, &civil);
		assert_int_equal(clock_yyyymm(time), (civil.tm_year + 1900) * 100 + civil.tm_mon + 1);
		assert_true(clock_of_civil(civil.tm_year + 1900, civil.tm_mon + 1, civil.tm_mday, 0, 0, 0) <=
			    time);
		assert_true(time - clock_day(time) * CLOCK_DAY < CLOCK_DAY);
	}
}

static void test_times_out_of_range_are_clamped(void **state)
{
	char text[CLOCK_TEXT];
	(void)state;
	assert_string_equal(clock_format(INT64_MIN, text), "0000-01-01T00:00:00Z");
	assert_string_equal(clock_format(INT64_MAX, text), "9999-12-31T23:59:59.999999Z");
	assert_int_equal(clock_day(-1), -1);
	assert_int_equal(clock_day(0), 0);
	assert_int_equal(clock_yyyymm(-1), 196912);
	assert_true(clock_now() > clock_of_civil(2024, 1, 1, 0, 0, 0));
	int64_t before = clock_monotonic();
	assert_true(clock_monotonic() >= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_rfc_3339),
		cmocka_unit_test(test_round_trip_and_calendar),
		cmocka_unit_test(test_times_out_of_range_are_clamped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
