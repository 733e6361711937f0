#ifndef DESK_CASE_H
#define DESK_CASE_H

#include "desk/visible.h"

/* A row of case_view v, as every list shows it to whoever asks: asks_add(). */
#define CASE_JSON                                                                                         \
	"json_build_object('number', v.number, 'title', v.title, 'state', v.state, 'severity', "          \
	"v.severity_name,"                                                                                \
	" 'tlp', v.tlp, 'classification', v.classification, 'identifier', nullif(v.identifier, ''),"      \
	" 'organisation', v.organisation, 'reports', v.reports, 'assignee', v.assignee, 'opened', "       \
	"stamp(v.opened),"                                                                                \
	" 'changed', stamp(v.changed), 'merged_into', v.merged_into, 'exercise', nullif(v.exercise, '')," \
	" 'restricted', v.restricted, 'mails_new', nullif((SELECT count(*) FROM case_letter w WHERE "     \
	"w.case_id = "                                                                                    \
	"v.id AND w.seen IS NULL) + CASE v.state WHEN 'new' THEN case_mails_begun(v.id) ELSE 0 END, 0), " \
	"'tags', case_tags(v.id), 'campaign', campaign_shown(v.campaign, "                                \
	"asks.who, asks.role), 'news', news_count(v.id, asks.who), 'due', (SELECT "                       \
	"stamp(d.due) FROM case_due d WHERE d.case_id = v.id))"

#endif
