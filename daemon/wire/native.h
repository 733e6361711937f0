#ifndef WIRE_NATIVE_H
#define WIRE_NATIVE_H

#include "wire/reading.h"

/*
 * The native line: one JSON object a line, for sensors that have no format of their own. The schema is closed
 * (etc/schema/native-line.json): unknown keys stand only under "extra". "type" and one observable are
 * required.
 *
 * The report's doc is the line, byte for byte. lines.h tells how an entry is cut into lines.
 */

/* One line, without its end: adds exactly one item. False, with err: it is not what it must be, and adds
 * none. */
bool native_line_read(struct reading *reading, struct str line, struct str part, struct err *err);

#endif
