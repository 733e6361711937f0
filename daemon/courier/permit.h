#ifndef COURIER_PERMIT_H
#define COURIER_PERMIT_H

#include "base/err.h"
#include "model/gate.h"
#include "pg/pg.h"

/*
 * The gate as the courier asks it: of facts that the database gives (courier_fact in
 * sql/), and not of what the database has decided. A fact that is not there, or that no
 * word of ours says, lets nothing out.
 */

/* Columns of a question, in the order in which they are read; of "f". */
#define PERMIT_COLUMNS                                                                         \
	"f.of_tlp, f.of_pap, f.may_notify, f.restricted, f.allowed, f.recipient, f.exercise, " \
	"f.in_directory, f.form, f.approved, f.consistent AND f.theirs"
#define PERMIT_COLUMN_COUNT 11

/* What one row says, its columns from `first` on. *err: why it may not leave, for people. */
bool permit_row(const struct pg_result *result, int row, int first, struct err *err);

/* The same of values in text, which a test gives: PERMIT_COLUMN_COUNT of them, p NULL where there is none. */
bool permit_values(const struct str *values, struct err *err);

#endif
