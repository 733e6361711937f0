#ifndef WARNINGLIST_LISTS_H
#define WARNINGLIST_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Lists of what is known, and whether a value stands in one. An exact value, a host name, a prefix or a part
 * of a value costs a few hashes, however long the lists are; regular expressions are tried one by one, with
 * bounded effort.
 */
struct lists;

/* How the entries of a list are meant: `type` in the MISP format. */
enum list_type { LIST_STRING, LIST_SUBSTRING, LIST_HOSTNAME, LIST_CIDR, LIST_REGEX, LIST_TYPES };

/* What kind of value an observable is; several of them as bits are what a list speaks of. */
enum subject {
	SUBJECT_IP = 1 << 0,
	SUBJECT_NAME = 1 << 1,
	SUBJECT_URL = 1 << 2,
	SUBJECT_EMAIL = 1 << 3,
	SUBJECT_DIGEST = 1 << 4,
	SUBJECT_ASN = 1 << 5,
	SUBJECT_FILENAME = 1 << 6,
	SUBJECT_USER_AGENT = 1 << 7,
	SUBJECT_MAC = 1 << 8,
	SUBJECT_WALLET = 1 << 9,
	SUBJECT_ANY = (1 << 10) - 1
};

struct list {
	char *name;
	enum list_type type;
	unsigned subjects;
	bool harmless; /* of category "False positive": what stands in it is no threat by itself */
};

struct lists *lists_new(void);
void lists_free(struct lists *lists);
/* Takes a copy of the name. Returns its number, or -1 without memory. */
int lists_add(struct lists *lists, const struct list *list);
/* One entry of that list. NULL, or what was expected. */
const char *lists_put(struct lists *lists, uint32_t list, const char *text, size_t len);
const struct list *lists_get(const struct lists *lists, uint32_t list);
size_t lists_count(const struct lists *lists);
size_t lists_entries(const struct lists *lists);

/* A value stands in a list; `entry` is what the list says. whole: all of the value is known; else only the
 * host of a URL that goes on after it, where anybody may have put something. */
typedef void lists_match_fn(const struct list *list, const char *entry, bool whole, void *context);

/* What regular expressions may still cost: each match takes one. */
struct lists_effort {
	unsigned matches;
};
/* value: normalised, NUL-terminated. */
void lists_find(const struct lists *lists, enum subject subject, const char *value,
	struct lists_effort *effort, lists_match_fn *match, void *context);

#endif
