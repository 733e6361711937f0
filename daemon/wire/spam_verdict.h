#ifndef WIRE_SPAM_VERDICT_H
#define WIRE_SPAM_VERDICT_H

#include "base/arena.h"

/*
 * What rspamd or SpamAssassin on a mail server of ours wrote into a mail's header. Anybody can write such a
 * field into what he sends, so that only those count that stand above whatever came in from outside: each hop
 * puts its Received field on top of the mail as it got it, and a field below one that is not a trusted hop's
 * was there before.
 *
 * A hop is trusted that names itself (`by`) with a name in `hops`, and that handed the mail on to us, or to a
 * trusted hop which wrote down its address (`from … [192.0.2.10]`) as one in `hops` or of the machine itself.
 * A field above all Received fields is of who spoke with our door; what stands right below the last trusted
 * one may be our mail server's, which is where a milter puts it, or its sender's, who then calls his own mail
 * spam.
 */
struct spam_hops {
	const struct str *hops; /* names, addresses, prefixes */
	size_t count;
};

/* Is this name or address one of them, and so nobody's trace but our own? */
bool spam_hop_listed(const struct spam_hops *hops, struct str host);
/*
 * The address in the value of a Received field that is ours though it is not in `hops` itself: a hop (`by`)
 * wrote it down behind the name of another one, which it had looked up ("from x (mx.cirt.example
 * [192.0.2.25]) by imap.cirt.example"). "" if there is none; lies in value.
 */
struct str spam_hop_relay(const struct spam_hops *hops, struct str value);
/* Does what the door says of its peer ("192.0.2.1:4711", "unix") make it a trusted hop? A Unix socket is the
 * machine's own. */
bool spam_peer_trusted(const struct spam_hops *hops, struct str peer);

/* A header field as it stands, name and value trimmed, the value folded and cut at 4,000 bytes. */
typedef void spam_hop_field(struct str name, struct str value, void *context);
/* Each field of the header section that a trusted hop may have written, from the top. What stands below the
 * last Received field of theirs may be the sender's own. */
void spam_hop_fields(const struct spam_hops *hops, struct str mail, spam_hop_field *take, void *context);

/*
 * Why the trusted hops call the mail spam, such as "rspamd 15.2 of 15"; p NULL where they do not, or say
 * nothing. mail: the whole mail, of which only the header section is looked at.
 */
struct str spam_verdict(const struct spam_hops *hops, struct str mail, struct arena *arena);

#endif
