#ifndef WIRE_JCS_H
#define WIRE_JCS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * The canonical form of a JSON text (RFC 8785): no white space, members in the order of their keys' UTF-16
 * code units, numbers as ECMAScript writes them, the shortest escapes. Two texts of one meaning have one
 * canonical form, so that it can be digested.
 *
 * It is appended to *out; keys live in the arena. False, with err: not I-JSON (RFC 7493) — a key that stands
 * twice, a lone surrogate, a number beyond the range of a double, bytes that are not UTF-8 — or nested
 * deeper than max_depth; *out is then as it was. Takes one pass, and one copy a level.
 */
bool jcs_write(struct str json, unsigned max_depth, struct arena *arena, struct buf *out, struct err *err);

#endif
