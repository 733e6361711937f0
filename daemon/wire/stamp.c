#include "config.h"

#include "wire/stamp.h"

#define STAMP_MAX 48
/* The last second of the year 9999. */
#define EPOCH_MAX UINT64_C(253402300799)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Where the offset would begin: behind "2026-11-22T10:00:00" and its fraction. */
static size_t clock_end(struct str text)
{
	size_t end = 19;

	if (text.len <= end || text.p[end] != '.')
		return end;
	end++;
	while (end < text.len && is_digit(text.p[end]))
		end++;
	return end;
}

static bool epoch_parse(struct str text, int64_t *time)
{
	struct str seconds;
	uint64_t whole = 0;
	int64_t micros = 0;
	int64_t scale = CLOCK_SECOND / 10;

	str_split(&text, '.', &seconds);
	if (!str_to_u64(seconds, &whole) || whole > EPOCH_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!is_digit(text.p[i]))
			return false;
		micros += (text.p[i] - '0') * scale;
		scale /= 10;
	}
	*time = (int64_t)whole * CLOCK_SECOND + micros;
	return true;
}

bool stamp_parse(struct str text, int64_t *time, bool *zoneless)
{
	char whole[STAMP_MAX + 2];
	size_t end;

	text = str_trim(text);
	if (clock_parse(text, time) || epoch_parse(text, time))
		return true;
	if (text.len < 19 || text.len > STAMP_MAX)
		return false;
	end = clock_end(text);
	memcpy(whole, text.p, text.len);
	if (end == text.len) {
		whole[text.len] = 'Z';
		if (!clock_parse((struct str){whole, text.len + 1}, time))
			return false;
		*zoneless = true;
		return true;
	}
	if (text.len != end + 5)
		return false;
	memmove(whole + end + 4, whole + end + 3, 2);
	whole[end + 3] = ':';
	return clock_parse((struct str){whole, text.len + 1}, time);
}
