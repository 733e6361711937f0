#ifndef WIRE_CARD_H
#define WIRE_CARD_H

#include "base/arena.h"

/*
 * iCalendar (RFC 5545) and vCard (RFC 6350, and 2.1 as phones still write it) as text in which indicators can
 * be looked for. Pure, linear, and of any bytes.
 */

/* Does it begin with BEGIN:VCALENDAR or BEGIN:VCARD? */
bool card_is(struct str text);

struct card_property {
	struct str name;  /* "DESCRIPTION", as it stands; with its group: "item1.URL" */
	struct str value; /* unfolded and decoded, in arena memory */
	bool binary;      /* it stood there in base64: a file */
};

/* Cut the next property off *rest: lines that continue it are joined, quoted-printable and base64 decoded,
 * "\n", "\," and "\;" resolved. False: there is no more. */
bool card_next(struct str *rest, struct arena *arena, struct card_property *property);
/* Each property that is text on a line of its own, "DESCRIPTION: …". */
struct str card_text(struct str text, struct arena *arena);

#endif
