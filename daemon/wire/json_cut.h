#ifndef WIRE_JSON_CUT_H
#define WIRE_JSON_CUT_H

#include "base/str.h"

/*
 * A linear look at JSON text without building it, so that a bundle of 27 MB costs the memory of its largest
 * object (trap 28). It finds where values begin and end, by brackets and strings; whether what stands between
 * is right is for the parser that reads the piece.
 */
enum json_step {
	JSON_STEP_VALUE, /* *value (and *key) have been set */
	JSON_STEP_END,   /* the closing bracket has been read */
	JSON_STEP_BROKEN /* the text ends early, or something else stands here; *rest is where */
};

#define JSON_CUT_DEPTH 512 /* nothing is deeper, whatever the caller allows */

/* Cut white space and a byte order mark off the front. */
void json_skip_space(struct str *rest);
/* Cut one value of any kind off *rest; nesting beyond max_depth is refused. */
bool json_skip_value(struct str *rest, size_t max_depth, struct str *value);
/* Cut the opening bracket ('{' or '[') off *rest. */
bool json_open(struct str *rest, char bracket);
/* The next member of an object whose bracket was opened; key is what stands between the quotes, escapes and
 * all. */
enum json_step json_member(struct str *rest, size_t max_depth, struct str *key, struct str *value);
/* As json_member(), but stops behind the colon: the caller reads the value. */
enum json_step json_member_key(struct str *rest, struct str *key);
/* The next element of an array whose bracket was opened. */
enum json_step json_element(struct str *rest, size_t max_depth, struct str *value);
/* A string's text between its quotes, if it has no escapes; else "" — enough for identifiers. */
struct str json_plain_string(struct str value);

#endif
