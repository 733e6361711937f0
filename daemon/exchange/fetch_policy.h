#ifndef EXCHANGE_FETCH_POLICY_H
#define EXCHANGE_FETCH_POLICY_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/str.h"

/*
 * Where a fetch may go. The URL that an operator named may lead anywhere; plain http only to a loopback
 * address. Where a server leads from there, to another origin (scheme, host, port), only https to a public
 * address is followed, and no credentials go along: else a feed could have us ask what only we can reach.
 */
bool address_is_loopback(const struct sockaddr *address);
/* Not loopback, private, shared, link-local, multicast, reserved or a way around into one of these (RFC
 * 6890). */
bool address_is_public(const struct sockaddr *address);

/* False with err: not a URL that is fetched. *plain: it is http. */
bool url_check(const char *url, bool *plain, struct err *err);
/* Whether both have the same scheme, host and port. */
bool url_same_origin(const char *a, const char *b);

/* A Retry-After (RFC 9110 10.2.3), seconds or an HTTP date, as microseconds from now: 0 to a day, whatever it
 * says; -1: it is neither. */
int64_t retry_after_parse(struct str value, int64_t now);

#endif
