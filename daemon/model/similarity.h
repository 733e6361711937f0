#ifndef MODEL_SIMILARITY_H
#define MODEL_SIMILARITY_H

#include "base/str.h"

/* What near-duplicates of a report are found by. It links reports, with a score; it never folds them. */
enum similarity_kind { SIMILARITY_TEXT = 1, SIMILARITY_FILE, SIMILARITY_KINDS };

struct similarity {
	enum similarity_kind kind;
	struct str part; /* which part; "" the text */
	struct str digest;
};

#define SIMILARITIES_MAX 16 /* of a report */

const char *similarity_name(enum similarity_kind kind); /* "text" */
bool similarity_parse(struct str text, enum similarity_kind *kind);
/*
 * Whether a digest is one of its kind. text: MinHash, 64 bytes as 128 lower-case hex digits. file: ssdeep,
 * "blocksize:hash:hash" with hashes of at most 64 characters of base64.
 */
bool similarity_valid(enum similarity_kind kind, struct str digest);

#endif
