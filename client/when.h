#ifndef CLIENT_WHEN_H
#define CLIENT_WHEN_H

#include "base/buf.h"
#include "base/str.h"

/* Times for people: what they type, and what they read. Microseconds since 1970, as everywhere. */

/*
 * "90s", "15m", "2h", "3d", "1w" before now; "2026-11-22", "2026-11-22 14:30" in local time, "22:10" as the
 * last such time, "yesterday 22:10", "Fri 14:00"; RFC 3339. Of a time that clocks show twice the first; one
 * that they leave out is none.
 */
bool when_parse(struct str text, int64_t now, int64_t *time);
/* The same ahead of now: "2h" from now, "22:10" as the next such time, "tomorrow 09:00", the next Friday. */
bool when_ahead(struct str text, int64_t now, int64_t *time);
/* Whether text names a local time that clocks leave out that day. */
bool when_is_skipped(struct str text, int64_t now);
/* "12 s ago", "3 min ago", "2 h ago", "5 d ago"; from 30 days on the date. "in …" for what is ahead. */
void when_relative(int64_t time, int64_t now, struct buf *out);
/* "2026-11-22 15:04 CET": local, with the zone. */
void when_local(int64_t time, struct buf *out);
/* "today 22:35", "Wed 09:00" within a week, "24 Dec 14:00" within half a year, else with the year: local. */
void when_due(int64_t time, int64_t now, struct buf *out);
/* "1 d 2 h", "15 h 43 min", "12 s" */
void when_span(int64_t microseconds, struct buf *out);

#endif
