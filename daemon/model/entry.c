#include "config.h"

#include "model/entry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

const char *entry_id_format(const struct entry_id *id, char text[ENTRY_ID_TEXT])
{
	char day[CLOCK_TEXT], spool[2 * 4 + 1];
	clock_format(id->day * CLOCK_DAY, day);
	snprintf(text, ENTRY_ID_TEXT, "%.4s%.2s%.2s-%s-%" PRIu64, day, day + 5, day + 8,
		hex_encode(id->spool, 4, spool), id->sequence);
	return text;
}

#define DAY_DIGITS   8u
#define SPOOL_DIGITS 8u
#define UUID_DIGITS  36u

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A whole number, all digits that there are. */
static bool take_number(struct str text, size_t at, uint64_t *number)
{
	size_t end = at;

	while (end < text.len && is_digit(text.p[end]))
		end++;
	return (end == text.len || !is_hex(text.p[end])) &&
	       str_to_u64((struct str){text.p + at, end - at}, number);
}

static bool take_day(struct str text, int32_t *day)
{
	char date[] = "0000-00-00T00:00:00Z";
	int64_t time;

	memcpy(date, text.p, 4);
	memcpy(date + 5, text.p + 4, 2);
	memcpy(date + 8, text.p + 6, 2);
	if (!clock_parse(str_of(date), &time))
		return false;
	*day = (int32_t)(time / CLOCK_DAY);
	return true;
}

/* "20261122-1f3a55aa-17" at the beginning. */
static bool take_entry(struct str text, struct receipt *receipt)
{
	if (text.len < DAY_DIGITS + SPOOL_DIGITS + 3 || text.p[DAY_DIGITS] != '-' ||
		text.p[DAY_DIGITS + 1 + SPOOL_DIGITS] != '-')
		return false;
	for (size_t i = 0; i < SPOOL_DIGITS; i++) {
		char c = text.p[DAY_DIGITS + 1 + i];
		if (!is_digit(text.p[i]) || !is_hex(c))
			return false;
		receipt->spool[i] = (char)(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
	}
	receipt->spool[SPOOL_DIGITS] = '\0';
	receipt->of_line = false;
	return take_day(text, &receipt->day) &&
	       take_number(text, DAY_DIGITS + SPOOL_DIGITS + 2, &receipt->sequence);
}

static bool take_line(struct str text, struct receipt *receipt)
{
	receipt->of_line = true;
	return text.len > UUID_DIGITS + 1 && text.p[UUID_DIGITS] == ':' &&
	       uuid_parse((struct str){text.p, UUID_DIGITS}, receipt->session) &&
	       take_number(text, UUID_DIGITS + 1, &receipt->line) && receipt->line > 0;
}

bool receipt_find(struct str *text, struct receipt *receipt)
{
	for (size_t at = 0; at < text->len; at++) {
		struct str rest = {text->p + at, text->len - at};
		/* Not in the middle of something longer. */
		if (at > 0 && (is_hex(text->p[at - 1]) || text->p[at - 1] == '-'))
			continue;
		*receipt = (struct receipt){.of_line = false};
		if (take_line(rest, receipt) || take_entry(rest, receipt)) {
			*text = rest;
			return true;
		}
	}
	return false;
}
