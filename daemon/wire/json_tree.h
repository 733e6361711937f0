#ifndef WIRE_JSON_TREE_H
#define WIRE_JSON_TREE_H

#include "wire/json_scan.h"

/*
 * A line of JSON as a tree in an arena, for formats that are read by name and have too many keys to be read
 * in one pass. Numbers stay text, so that none of 64 bits goes through a double.
 */
struct json_node {
	enum json_kind kind;
	bool truth;              /* of JSON_BOOL */
	struct str key;          /* of a member */
	struct str text;         /* of a string its meaning, of a number what is written */
	struct json_node *child; /* first member or element */
	struct json_node *next;  /* behind this one */
};

#define JSON_TREE_NODES 50000 /* a line of more values than this is refused */

/* The whole of text, mended (see json_scan.h); a key that stands twice is refused. *mended: something was. */
const struct json_node *json_tree_read(
	struct str text, unsigned max_depth, struct arena *arena, bool *mended, struct err *err);
/* A member by name, NULL if there is none, or it is null; node may be NULL, or no object. */
const struct json_node *json_tree_get(const struct json_node *node, const char *key);
const struct json_node *json_tree_get_nocase(const struct json_node *node, const char *key);
/* A member that is text or a number; "" (p NULL) if there is none. */
struct str json_tree_text(const struct json_node *node, const char *key);
struct str json_node_text(const struct json_node *node);
/* A whole number in a node, or in a text that is one; false if it is none or not within the bounds. */
bool json_node_integer(const struct json_node *node, int64_t low, int64_t high, int64_t *value);

#endif
