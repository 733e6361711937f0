#ifndef MODEL_ENTRY_H
#define MODEL_ENTRY_H

#include "base/hash.h"
#include "model/source.h"

/* Which entry: unique for good (trap 2). */
struct entry_id {
	int32_t day; /* received, days since 1970, UTC */
	uint8_t spool[UUID_LEN];
	uint64_t sequence;
};

/* "20261122-1f3a…-17": what a sender is told and `cirt receipt` takes: day, first 8 hex digits of spool,
 * sequence */
#define ENTRY_ID_TEXT 48
const char *entry_id_format(const struct entry_id *id, char text[ENTRY_ID_TEXT]);

/*
 * What a sender was told, as people give it back. An entry: of its spool only the first bytes are told. A
 * line of a sensor's session: "SESSION:LINE", the line that {"ack":LINE} acknowledged.
 */
struct receipt {
	bool of_line;
	int32_t day;
	char spool[9]; /* 8 hex digits, lower case */
	uint64_t sequence;
	uint8_t session[UUID_LEN];
	uint64_t line;
};

/* Finds the first of either within text of any kind: in brackets, in a whole "250 2.0.0 queued as …"; text is
 * moved on to where it begins. False: there is none. */
bool receipt_find(struct str *text, struct receipt *receipt);

/* What the spool itself says of an entry; never through triage (trap 5). */
struct entry {
	struct entry_id id;
	int64_t received;
	uint32_t source; /* id in the source table */
	enum lane lane;
	enum format format;
	uint64_t size;
	uint8_t digest[SHA256_LEN];
	struct str exercise; /* "" = real */
	struct str envelope; /* JSON from the door: peer, helo, from, to, url, file name … at most 4 KB */
	/* A re-run out of quarantine: the row of table quarantine; 0 = received from outside. Never counted
	 * as received. */
	uint64_t rerun;
};

/* What the spool took in, absolute, per source and UTC day; counted in the commit that took it. */
struct book {
	uint32_t source;
	int32_t day;
	uint64_t entries;
	uint64_t bytes;
};

#endif
