#ifndef WIRE_NATIVE_H
#define WIRE_NATIVE_H

#include "wire/reading.h"

/*
 * The native line: one JSON object a line, for sensors that have no format of their own. The schema is closed
 * (etc/schema/native-line.json): unknown keys stand only under "extra". "type" and one observable are
 * required.
 *
 * Lines end with LF or CR LF; empty ones are passed over. A line that is not what it must be becomes a
 * quarantined item with its bytes and what was expected; its neighbours are read. The report's doc is the
 * line, byte for byte.
 *
 * lines_read() itself, the reader of entries, is declared in wire/reading.h.
 */

/* One line, without its end. Adds exactly one item. */
void native_line_read(struct reading *reading, struct str line, struct str part);

#endif
