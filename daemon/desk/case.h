#ifndef DESK_CASE_H
#define DESK_CASE_H

#include "desk/request.h"

/* A row of case_view v, as every list shows it. */
#define CASE_JSON                                                                                         \
	"json_build_object('number', v.number, 'title', v.title, 'state', v.state, 'severity', "          \
	"v.severity_name,"                                                                                \
	" 'tlp', v.tlp, 'classification', v.classification, 'identifier', nullif(v.identifier, ''),"      \
	" 'organisation', v.organisation, 'reports', v.reports, 'assignee', v.assignee, 'opened', "       \
	"stamp(v.opened),"                                                                                \
	" 'changed', stamp(v.changed), 'merged_into', v.merged_into, 'exercise', nullif(v.exercise, '')," \
	" 'restricted', v.restricted, 'mails_new', nullif((SELECT count(*) FROM case_letter w WHERE "     \
	"w.case_id = "                                                                                    \
	"v.id AND w.seen IS NULL), 0), 'tags', case_tags(v.id), 'campaign', v.campaign, 'due', (SELECT "  \
	"stamp(d.due) FROM case_due d WHERE d.case_id = v.id))"

/* Restricted cases are for who has them, and from lead on: a condition on cases c. */
void case_add_visible(struct query *query, const struct request *request);

#endif
