#ifndef WIRE_JSON_SCAN_H
#define WIRE_JSON_SCAN_H

#include "base/arena.h"
#include "base/err.h"

/*
 * A strict pull reader of JSON (RFC 8259) for the lines of sensors, and for cutting long texts into pieces
 * before a tree is made of them. A line costs about a tenth of what json-c's tree of it costs, and what a
 * tree hides is refused here: a key that stands twice, NUL, a lone surrogate, bytes that are not UTF-8,
 * numbers such as 01 or NaN.
 *
 * Functions return false (or -1) with err filled: what was expected, and at which column. After that nothing
 * more may be read. Strings point into the text where they have no escapes, else into the arena.
 */
struct json_scan {
	const char *start;
	const char *p;
	const char *end;
	unsigned depth;
	unsigned max_depth;
	bool nul;   /* \u0000 is let through: for text that is kept as it is, and not read */
	bool first; /* no member or element of the innermost object or array has been read yet */
	/* Set after opening: an escaped NUL is read as U+2400 and a lone surrogate as U+FFFD, since what
	 * somebody else's sensor quotes of an attacker must not hide the attack. */
	bool mend;
	bool mended; /* that was done */
	struct arena *arena;
	struct err *err;
};

enum json_kind { JSON_NOTHING, JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_NUMBER, JSON_BOOL, JSON_NULL };

/* False if text is not UTF-8. NUL is refused until the caller sets `nul`. */
bool json_scan_open(
	struct json_scan *scan, struct str text, unsigned max_depth, struct arena *arena, struct err *err);
enum json_kind json_scan_kind(struct json_scan *scan); /* of the value that comes next */
bool json_scan_object(struct json_scan *scan);         /* enter one */
int json_scan_key(struct json_scan *scan,
	struct str *key); /* 1: a key, its value comes next; 0: the object ended; -1 */
bool json_scan_array(struct json_scan *scan);
int json_scan_element(struct json_scan *scan); /* 1: a value comes next; 0: the array ended; -1 */
bool json_scan_string(struct json_scan *scan, struct str *value);
bool json_scan_integer(
	struct json_scan *scan, int64_t *value); /* a whole number, without fraction and exponent */
bool json_scan_bool(struct json_scan *scan, bool *value);
/* Pass over any value, checking all of it, keys that stand twice too. *text (may be NULL) gets its bytes. */
bool json_scan_skip(struct json_scan *scan, struct str *text);
bool json_scan_end(struct json_scan *scan); /* nothing but white space is left */
/* Fill err with the column in front; returns false. */
bool json_scan_fail(struct json_scan *scan, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text from outside as it may stand in an error: one line, at most about 40 bytes. */
#define JSON_SHOWN 64
const char *json_shown(struct str text, char shown[JSON_SHOWN]);

#endif
