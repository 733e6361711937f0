#ifndef WIRE_REFANG_H
#define WIRE_REFANG_H

#include "base/arena.h"

/* Stands for a dot that was defanged: its writer meant a name or an address, whatever it looks like. */
#define REFANGED_DOT '\1'

/*
 * A copy of text in which the common ways to make indicators harmless are undone: hxxp, xxxp, meow, http[s],
 * fxp, [.] (.) {.} <.> [dot] (dot), [@] [at] (at) <at>, [:] [::] [://] [/], "http:\\", a lone "[.", "\." —
 * with or without a space on both sides — and "evil dot example dot com" where the last word is a top-level
 * name. What hides in them is taken out: characters of no width, soft hyphens, soft line breaks of
 * quoted-printable that was not decoded, line breaks inside "<http://…>" (RFC 3986 appendix C), backslashes
 * before the slashes of a URL; letters and digits of full width are those of ASCII, a full stop of full width
 * between them is a dot, a dash in the number of a CVE a hyphen. Control characters become spaces. Linear;
 * the result is never longer than text.
 */
struct str text_refang(struct str text, struct arena *arena);

#endif
