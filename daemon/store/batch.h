#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/landing.h"

/*
 * One transaction as a list of statements. Each is sent after the one before it was answered; most batches
 * send eight. The order of tables is the same in every transaction: ledger, fingerprint, sighting, report
 * (trap 14).
 */
enum batch_end {
	BATCH_DONE,      /* committed, or rolled back where it was only a trial */
	BATCH_CLASH,     /* the ledger has some of these entries: see `clashing` */
	BATCH_OVERTAKEN, /* another node was faster with a fingerprint, or partitions are wanted: do it again
	                  */
	BATCH_FAILED     /* see outcome and sqlstate */
};

struct batch_result {
	enum batch_end end;
	enum pg_outcome outcome;
	char sqlstate[6];
	const char *text;
	bool *clashing;  /* by ticket of the landing */
	int64_t last_id; /* highest id used */
};

struct batch;
typedef void batch_end_fn(const struct batch_result *result, void *context);

struct batch *batch_new(struct pg *pg, struct landing *landing, batch_end_fn *end, void *context);
void batch_free(struct batch **batch);
/* Run what landing_build() has made. trial: roll back at the end. covered: ids from there on have no
 * partition. */
void batch_run(struct batch *batch, bool trial, int64_t (*covered)(int32_t month, void *context));

#endif
