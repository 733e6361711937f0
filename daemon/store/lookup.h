#ifndef STORE_LOOKUP_H
#define STORE_LOOKUP_H

#include "model/source.h"
#include "pg/pg.h"
#include "store/country.h"
#include "store/organisation.h"

/*
 * The small tables that the store needs for every report, kept in memory and read again when their revision
 * rises: sources, exercises, fold and correlation rules, organisations, delegations, folds taken apart.
 */
struct lookup;

/* The sources were read anew. */
typedef void lookup_sources_fn(const struct source_table *table, void *context);
/* All is there: landing may begin, or go on. */
typedef void lookup_ready_fn(void *context);

struct lookup *lookup_new(
	struct pg *pg, struct str node, lookup_sources_fn *sources, lookup_ready_fn *ready, void *context);
void lookup_free(struct lookup **lookup);
void lookup_reload(struct lookup *lookup); /* everything: on each connection */
void lookup_poll(struct lookup *lookup);   /* compare revisions, read what changed */
bool lookup_is_ready(const struct lookup *lookup);

const struct source_table *lookup_sources(const struct lookup *lookup);
const struct organisations *lookup_organisations(const struct lookup *lookup);
const struct countries *lookup_countries(const struct lookup *lookup);
int32_t lookup_node(const struct lookup *lookup); /* our row of `node` */
/* -1: not known yet; then ask, and ready() is called when it is. */
int32_t lookup_exercise(const struct lookup *lookup, struct str name);
void lookup_ask_exercise(struct lookup *lookup, struct str name);
int64_t lookup_quiet(const struct lookup *lookup, enum rsit_type type); /* microseconds */
/* True if somebody took this source's sightings out of such a fold: it folds alone. */
bool lookup_parted(const struct lookup *lookup, const uint8_t digest[FINGERPRINT_LEN], int32_t exercise,
	uint32_t source);

/* What correlation rules look at. */
struct correlation_facts {
	enum source_kind kind;
	enum rsit_type type;
	int severity; /* -1 unknown */
	bool critical;
};
/* The rule that wants a case for it by itself; 0: none, it waits in the inbox. */
int32_t lookup_rule(const struct lookup *lookup, const struct correlation_facts *facts);

#endif
