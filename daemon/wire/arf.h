#ifndef WIRE_ARF_H
#define WIRE_ARF_H

#include "wire/reading.h"

/* Feedback reports (RFC 5965, 6430, 6591, 6692): the fields of a part message/feedback-report. */
enum arf_kind {
	ARF_NONE,   /* no Feedback-Type: not one */
	ARF_REPORT, /* something happened */
	ARF_PRAISE, /* not-spam (RFC 6430): nothing did */
	ARF_XARF    /* an X-ARF of version 3 stands in the next part */
};
enum arf_kind arf_kind(struct str text);
/* Fill a report from the fields; what is missing or wrong becomes notes. */
void arf_report(struct reading *reading, struct report *report, struct str text);

#endif
