#ifndef MODEL_NETADDR_H
#define MODEL_NETADDR_H

#include "base/str.h"

/* An IP address or prefix. IPv4-mapped IPv6 is read as IPv4. */
struct netaddr {
	uint8_t family; /* 4 or 6 */
	uint8_t bits;   /* prefix length: 32 or 128 for one address */
	uint8_t bytes[16];
};

#define NETADDR_TEXT 56
/* Strict dotted quad (no leading zeros) or RFC 4291; "/len" allowed, host bits behind it cleared. */
bool netaddr_parse(struct str text, struct netaddr *addr);
const char *netaddr_format(
	const struct netaddr *addr, char text[NETADDR_TEXT]); /* RFC 5952; "/len" unless whole */
struct netaddr netaddr_prefix(const struct netaddr *addr, unsigned bits);
bool netaddr_contains(const struct netaddr *prefix, const struct netaddr *addr);
int netaddr_compare(const struct netaddr *a, const struct netaddr *b);

#endif
