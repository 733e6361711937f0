#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/str.h"

/* Time is int64_t microseconds since 1970-01-01T00:00:00Z. */
#define CLOCK_UNKNOWN INT64_MIN
#define CLOCK_SECOND  INT64_C(1000000)
#define CLOCK_DAY     (INT64_C(86400) * CLOCK_SECOND)

int64_t clock_now(void);
int64_t clock_monotonic(void); /* microseconds, for intervals only */
/* RFC 3339, any offset, up to nine fractional digits (cut to six), a leap second read as :59.999999. */
bool clock_parse(struct str text, int64_t *time);
#define CLOCK_TEXT 32
/* "2026-11-22T10:00:00Z", or with six fractional digits where they are not zero; years 0000..9999, clamped.
 */
const char *clock_format(int64_t time, char text[CLOCK_TEXT]);
int32_t clock_day(int64_t time);    /* days since 1970-01-01, UTC */
int32_t clock_yyyymm(int64_t time); /* 202611 */
int64_t clock_of_civil(int year, int month, int day, int hour, int minute, int second);

#endif
