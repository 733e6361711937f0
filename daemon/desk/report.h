#ifndef DESK_REPORT_H
#define DESK_REPORT_H

#include "desk/request.h"

/* A row of report_view v, as every list shows it. */
#define REPORT_JSON                                                                                    \
	"json_build_object('id', v.number, 'source', v.source, 'classification', v.classification,"    \
	" 'identifier', v.identifier, 'malware', nullif(v.malware, ''), 'severity', v.severity_name, " \
	"'tlp', v.tlp,"                                                                                \
	" 'title', v.title, 'state', v.state, 'organisation', v.organisation, 'first_seen', "          \
	"stamp(v.first_seen),"                                                                         \
	" 'last_seen', stamp(v.last_seen), 'received', stamp(v.received), 'count', v.count, 'case', "  \
	"v.\"case\","                                                                                  \
	" 'exercise', nullif(v.exercise, ''))"

/* "202611-123", or the number itself. */
bool report_id_parse(struct str text, int64_t *id);
/* The id that params name; false: refused. */
bool report_named(struct request *request, const char *member, int64_t *id);

/* What `report list` and `report search` can be narrowed by. */
struct report_filter {
	int64_t limit, cursor;
	struct str source, since, type, state;
	int64_t severity; /* at least; -1: any */
	int64_t source_id;
	int64_t least; /* the least id that `since` leaves */
};
bool report_filter_read(struct request *request, struct report_filter *filter);
/* Then: the source's id and the least id that `since` leaves, by one query; then `next`. */
void report_filter_resolve(struct request *request, request_rows_fn *next);
/* After that: these, out of the result. False: refused. */
bool report_filter_take(
	struct request *request, const struct pg_result *result, struct report_filter *filter);

#endif
