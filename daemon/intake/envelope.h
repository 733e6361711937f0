#ifndef INTAKE_ENVELOPE_H
#define INTAKE_ENVELOPE_H

#include "base/buf.h"

/* What a door knows of an entry besides its bytes, as a JSON object of at most ENVELOPE_MAX bytes. Members
 * that are empty are left out. */
#define ENVELOPE_MAX 4096

struct envelope_mail {
	struct str door; /* "lmtp", "smtp" */
	struct str peer;
	struct str tls; /* "TLSv1.3 …" */
	struct str helo;
	struct str from; /* always there: "" is the null sender */
	bool utf8;       /* SMTPUTF8 */
	struct str *to;  /* those that belong to the entry's source; what has no room is counted in
	                    "to_left_out" */
	size_t to_count;
};

struct envelope_sensor {
	struct str peer;
	struct str fingerprint; /* of the client certificate */
	struct str session;     /* its bookmark's owner */
	uint64_t first_line;    /* number in session or connection, from 1 */
	bool too_long;          /* one line, longer than sensor.max_line; to be quarantined unparsed */
};

void envelope_mail(struct buf *out, const struct envelope_mail *mail);
void envelope_sensor(struct buf *out, const struct envelope_sensor *sensor);

#endif
