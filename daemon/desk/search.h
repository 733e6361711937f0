#ifndef DESK_SEARCH_H
#define DESK_SEARCH_H

#include "base/arena.h"
#include "base/err.h"
#include "model/netaddr.h"

/* What a person typed into a search, as what can be looked up. */
#define SEARCH_KEYS 512

struct search {
	int64_t *keys; /* any of these: model/observable.h */
	size_t key_count;
	bool narrowed; /* keys of wider prefixes were taken: only addresses inside `prefix` count */
	struct netaddr prefix;
	struct str words; /* to be looked for in title and text too; "" = not */
};

/* Addresses and prefixes, names, URLs, mail addresses, digests, CVEs, identifiers, words. `only_words`:
 * whatever it looks like. False: a prefix that is too wide to be looked up. */
bool search_parse(
	struct str what, bool only_words, struct arena *arena, struct search *search, struct err *err);

#endif
