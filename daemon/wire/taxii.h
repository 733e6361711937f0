#ifndef WIRE_TAXII_H
#define WIRE_TAXII_H

#include "base/buf.h"
#include "base/err.h"

/*
 * What a client of TAXII 2.1 must know of an envelope (TAXII 2.1 3.7) that it passes on without keeping it:
 * the members `more` and `next`, and whether there is any object. Bytes in pieces of any length; it is no
 * check that they are JSON.
 */
struct taxii_scan;

#define TAXII_NEXT_MAX 1024

struct taxii_scan *taxii_scan_new(void);
void taxii_scan_free(struct taxii_scan **scan);
void taxii_scan_reset(struct taxii_scan *scan);
void taxii_scan_bytes(struct taxii_scan *scan, struct str bytes);
bool taxii_scan_ended(const struct taxii_scan *scan);   /* the outermost object was closed */
bool taxii_scan_objects(const struct taxii_scan *scan); /* `objects` holds something */
/* Not an object, or its `objects` is no list: not an empty page, but none. */
bool taxii_scan_stray(const struct taxii_scan *scan);
bool taxii_scan_more(const struct taxii_scan *scan);
struct str taxii_scan_next(
	struct taxii_scan *scan); /* decoded; "" if there is none or it is over TAXII_NEXT_MAX */

/*
 * A filter in words, "type=indicator,malware version=all", as the query it is (TAXII 2.1 3.4):
 * "&match%5Btype%5D=indicator%2Cmalware&…". False: a word is none of id, type, version, spec_version with a
 * value.
 */
bool taxii_filter(struct str words, struct buf *query, struct err *err);

/*
 * The URL of a page: collection + "objects/?limit=…" + filter + "&added_after=…&next=…", what is empty
 * left out, all escaped; filter is as taxii_filter() makes it. A slash is added to the collection where it
 * has none.
 */
void taxii_page_url(struct str collection, unsigned limit, struct str filter, struct str added_after,
	struct str next, struct buf *out);
#define TAXII_ACCEPT "application/taxii+json;version=2.1"

#endif
