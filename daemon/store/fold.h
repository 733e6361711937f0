#ifndef STORE_FOLD_H
#define STORE_FOLD_H

#include "base/hash.h"
#include "model/report.h"

/*
 * When a report is the same incident seen again. Pure: what the database knows goes in, what is to be written
 * comes out. The key holds everything that must be equal (trap 10): the lane, the TLP, and for restricted or
 * parted sources the source.
 */
struct fold_key {
	uint8_t digest[FINGERPRINT_LEN];
	int32_t exercise; /* 0 = real */
	enum tlp tlp;
	int32_t scope; /* 0, or the source that folds alone */
};

int fold_key_compare(const struct fold_key *a, const struct fold_key *b);
/* Digest and lane alone: those of one family are the same incident told under different conditions. */
int fold_family_compare(const struct fold_key *a, const struct fold_key *b);

/* What is known of a key: a row of `fingerprint`. report 0: nothing. */
struct fold_state {
	int64_t report;
	int64_t first;
	int64_t last;
	int severity; /* -1 unknown */
	int confidence;
	int trust;
};

struct fold_limits {
	int64_t quiet;   /* longer than that without a sighting: a relapse */
	int64_t max_age; /* no fold runs longer: a continuation */
};

enum fold_verdict {
	FOLD_NEW,
	FOLD_AGAIN,
	FOLD_RELAPSE,
	FOLD_CONTINUATION,
	FOLD_APART /* so much older than what is known that it is an incident of its own; the key keeps
	              pointing to the newer */
};

/* What an event at `time` is. The times of one key must come in order, earliest first. */
enum fold_verdict fold_decide(const struct fold_state *state, const struct fold_limits *limits, int64_t time);
/* Move the state on by an event with this verdict; `report` is the one that it went to. */
void fold_apply(struct fold_state *state, enum fold_verdict verdict, int64_t report, int64_t time);
/* True if the cached end is old enough to be moved: by more than a twentieth of the window (trap 14). */
bool fold_worth_moving(
	const struct fold_state *was, const struct fold_state *now, const struct fold_limits *limits);
/* Event time clamped to [received - max_late, received]; unknown is received. */
int64_t fold_time(int64_t observed, int64_t received, int64_t max_late);

#endif
