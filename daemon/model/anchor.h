#ifndef MODEL_ANCHOR_H
#define MODEL_ANCHOR_H

#include "base/hash.h"
#include "base/sign.h"

/*
 * What the journal was at one moment, signed, in a file outside the database: one line of JSON each, chained
 * by the hash of the line before. A Merkle root over the heads of all chains: leaves in byte order of their
 * object, as in RFC 6962 §2.1.
 */
struct anchor {
	uint64_t number; /* 1, 2, 3 … in its file */
	int64_t at;
	uint64_t records; /* rows of the journal */
	uint64_t last;    /* the greatest id among them */
	uint64_t heads;   /* chains */
	uint8_t root[SHA256_LEN];
	uint8_t previous[SHA256_LEN]; /* of the line before, without its newline; zeros for the first */
	struct str node;
	uint8_t signature[SIGNATURE_LEN];
};

/* The line without its end, then its signature. The text points into out. */
bool anchor_write(const struct anchor *anchor, struct str private_pem, struct buf *out, struct err *err);
/* A line without its newline: ERR_MALFORMED if it is none, ERR_DENIED if the signature does not hold. node
 * points into it. */
bool anchor_read(struct str line, struct str public_pem, struct anchor *anchor, struct err *err);

/*
 * A whole file: every line checked, and that each follows from the one before. A line that was never finished
 * (the machine stopped) is passed over, and counted in *torn; it may only be one that cannot be read. *last
 * is the newest anchor; number 0 if there is none. ERR_CORRUPT: lines are missing, changed or in another
 * order; text says which.
 */
bool anchor_file_check(
	struct str bytes, struct str public_pem, struct anchor *last, size_t *torn, struct err *err);

/* The same, anchor by anchor, for who must not stop for long: start with {.rest = bytes, .public_pem = …}. 1:
 * walk->last is the next one; 0: that was the end; -1: ERR_CORRUPT. */
struct anchor_walk {
	struct str rest;
	struct str public_pem;
	struct str line; /* of `last` */
	struct anchor last;
	size_t lines, torn;
};
int anchor_walk_next(struct anchor_walk *walk, struct err *err);

/* The root, leaf by leaf. */
struct merkle {
	uint8_t stack[64][SHA256_LEN];
	uint64_t leaves;
};

void merkle_begin(struct merkle *merkle);
void merkle_head(struct merkle *merkle, struct str object, uint64_t n, struct str hash);
void merkle_root(
	const struct merkle *merkle, uint8_t root[SHA256_LEN]); /* of no leaves: SHA-256 of nothing */

#endif
