#ifndef WIRE_ZEEK_LOG_H
#define WIRE_ZEEK_LOG_H

#include "wire/reading.h"

/*
 * A log as Zeek writes it where nobody asked for JSON: lines of columns below "#separator", "#fields" and
 * "#types". It is read as a file only, since a row means nothing without the lines above it.
 */
bool zeek_is_log(struct str bytes); /* by its first lines */
void zeek_log_read(struct reading *reading, struct str bytes);

#endif
