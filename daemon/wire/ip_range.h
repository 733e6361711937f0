#ifndef WIRE_IP_RANGE_H
#define WIRE_IP_RANGE_H

#include "model/netaddr.h"

/* "192.0.2.1-192.0.2.9", cut into the prefixes that cover it and nothing else. */
struct ip_range {
	struct netaddr next; /* the first address not covered yet */
	struct netaddr last;
	bool over;
};

/* False if it is no range of one family, the lower end first. Spaces around the dash are allowed. */
bool ip_range_parse(struct str text, struct ip_range *range);
/* The largest prefix that begins at the front of the range; false at the end. */
bool ip_range_next(struct ip_range *range, struct netaddr *prefix);

#endif
