#ifndef LOOKALIKE_SKELETON_H
#define LOOKALIKE_SKELETON_H

#include <stdbool.h>
#include <stddef.h>

/* A label of a domain has 63 bytes; as UTF-8 its characters take four each at most. */
#define LABEL_MAX    63u
#define SKELETON_MAX (LABEL_MAX * 4 + 1)

/*
 * What a label looks like: letters that look the same are the same. Punycode (RFC 3492) is decoded, letters
 * of other scripts become those of ASCII that they look like, and so do digits (0 o, 1 l, 3 e, 5 s) and pairs
 * (rn m, vv w, cl d). `plain` gets the label as a person reads it, UTF-8 in lower case. False: it is no
 * label.
 */
bool skeleton_of_label(const char *label, size_t len, char plain[SKELETON_MAX], char skeleton[SKELETON_MAX]);

/*
 * Steps from one to the other: add, take away or exchange a byte, or swap two neighbours. More than `most` is
 * most + 1. Both are at most SKELETON_MAX long.
 */
unsigned edit_distance(const char *a, const char *b, unsigned most);

#endif
