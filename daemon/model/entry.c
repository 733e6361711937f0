#include "config.h"

#include "model/entry.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

const char *entry_id_format(const struct entry_id *id, char text[ENTRY_ID_TEXT])
{
	char day[CLOCK_TEXT], spool[2 * 4 + 1];
	clock_format(id->day * CLOCK_DAY, day);
	snprintf(text, ENTRY_ID_TEXT, "%.4s%.2s%.2s-%s-%" PRIu64, day, day + 5, day + 8,
		hex_encode(id->spool, 4, spool), id->sequence);
	return text;
}
