#ifndef WIRE_AUTH_RESULTS_H
#define WIRE_AUTH_RESULTS_H

#include "wire/spam_verdict.h"

/*
 * What our own mail servers found out about who sent a mail: Authentication-Results (RFC 8601), of which only
 * DMARC (RFC 7489) says something about the address that people see. Pure, and of any bytes.
 */

/*
 * The result of DMARC for the domain of sender (an address): "pass", "fail", "none" …, in lower case. ""
 * where none of `hops` says one, where two of their fields differ, where it is of another domain
 * (header.from), or where the mail has more than one From, of which nobody knows which one was looked at.
 * Only fields whose authserv-id is a name in `hops` count; a server at the border removes what comes in with
 * its own name (RFC 8601 section 5). mail: the whole mail, of which only the header section is looked at.
 */
struct str auth_dmarc(const struct spam_hops *hops, struct str mail, struct str sender, struct arena *arena);

#endif
