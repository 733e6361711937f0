#ifndef WIRE_QUAD_H
#define WIRE_QUAD_H

#include "base/str.h"

/*
 * Is the dotted quad from start to end of a running text a number of something else: a version ("FortiOS
 * 7.0.12.5", "fixed in 7.4.3.2", "7.4.3.2 and later"), a date or time, a telephone number? By the words
 * around it, as far as its line and sentence go. "FortiOS at 198.51.100.7" is an address.
 */
bool quad_is_number(struct str text, size_t start, size_t end);

#endif
