#ifndef DESK_VISIBLE_H
#define DESK_VISIBLE_H

#include "desk/request.h"

/*
 * What an operator may not read is left out of a statement, so that nothing tells him that it is there: cases
 * that are restricted, all that came to them, and TLP:RED that is not for him (sql/096-eyes.sql). Each adds a
 * condition that begins with AND; to those from lead on everything is shown, and nothing is added.
 */

/* Of cases c. */
void case_add_visible(struct query *query, const struct request *request);
/* Only what is in the case that is named, or nothing: that one is refused to who may not see it. column: an
 * expression without parameters. */
void case_add_named(struct query *query, const struct request *request, const char *column, struct str named);
/* Of a report; row: the alias of a table with its id and tlp. */
void report_add_visible(struct query *query, const struct request *request, const char *row);
/* Of a mail that is no report: item i. */
void mail_add_visible(struct query *query, const struct request *request);
/* Of whatever has a report's number; column: an expression without parameters. */
void landed_add_visible(struct query *query, const struct request *request, const char *column);
/* For the list behind FROM: `asks`, with who and role, for functions that want to know them. */
void asks_add(struct query *query, const struct request *request);
/* Of alarm a. */
void alarm_add_visible(struct query *query, const struct request *request);

#endif
