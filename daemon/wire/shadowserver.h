#ifndef WIRE_SHADOWSERVER_H
#define WIRE_SHADOWSERVER_H

#include "wire/reading.h"

/*
 * Shadowserver's daily reports: CSV, one event a row, read by the names of its columns, whatever others there
 * are. What a report is about is told by its type ("scan_rdp"), which stands in the name of its file
 * (2026-11-22-scan_rdp-example-asn.csv), and is looked up in a table.
 */

/* Is this one: such a file name, or a header with its columns? */
bool shadowserver_is(struct str name, struct str bytes);
/*
 * Add an item of context that tells the columns, and one item per row: a report, or the row in quarantine.
 * Calls reading_flush() between rows: bytes and name must not lie in the arena. source names the feed when
 * the file's name does not: a subject, "".
 */
void shadowserver_rows(struct reading *reading, struct str name, struct str subject, struct str bytes);
/* The address in a text where the report is to be fetched; "" if there is none. */
struct str shadowserver_link(struct str text);

/* --- shadowserver_type.c --- */
struct shadowserver_type {
	const char *name; /* as in file names, without the 6 of IPv6; "scan_*" for all others so named */
	const char *type; /* RSIT */
	const char *identifier; /* for "*": a prefix to what stands in the place of it */
	int severity;           /* where a row says none */
	unsigned flags;
};
enum {
	SHADOWSERVER_SERVICE = 1, /* the port is that of a service, and tells two findings apart */
	SHADOWSERVER_FAMILY = 2,  /* the malware's family is the better identifier */
	SHADOWSERVER_TAG = 4      /* so is a CVE in the column `tag` */
};
/* NULL: none. *rest: what stands where a row's name has its "*". */
const struct shadowserver_type *shadowserver_type_of(struct str name, struct str *rest);

/* The whole table, for who tells or tests it. */
const struct shadowserver_type *shadowserver_types(size_t *count);

#endif
