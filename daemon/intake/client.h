#ifndef INTAKE_CLIENT_H
#define INTAKE_CLIENT_H

#include "model/source.h"
#include "proc/stream.h"

/*
 * Which sensor source a client certificate is. A source's match is words by space, any of which will do:
 *
 *	san:NAME     a subject alternative name, or the CN; whatever its case
 *	pin:HEX      SHA-256 of the public key (SubjectPublicKeyInfo)
 *	issuer:DN    last, the rest of the text: the san: words count only under this issuer, as RFC 2253
 *writes it
 *
 * client_source() is NULL where none matches; an enabled one goes before a disabled one.
 */
bool client_matches(const struct source *source, const struct peer_certificate *certificate);
const struct source *client_source(
	const struct source_table *table, const struct peer_certificate *certificate);

#endif
