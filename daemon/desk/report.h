#ifndef DESK_REPORT_H
#define DESK_REPORT_H

#include "desk/visible.h"

/* A row of v, which is report_view or REPORT_ROWS, as every list shows it to whoever asks: asks_add(). */
#define REPORT_JSON                                                                                        \
	"json_build_object('id', v.number, 'source', v.source, 'classification', v.classification,"        \
	" 'identifier', nullif(v.identifier, ''), 'malware', nullif(v.malware, ''), 'severity', "          \
	"v.severity_name, "                                                                                \
	"'tlp', v.tlp,"                                                                                    \
	" 'title', v.title, 'state', v.state, 'organisation', v.organisation, 'first_seen', "              \
	"stamp(v.first_seen),"                                                                             \
	" 'last_seen', stamp(v.last_seen), 'received', stamp(v.received), 'count', v.count, 'case', "      \
	"v.\"case\","                                                                                      \
	" 'exercise', nullif(v.exercise, ''), 'probably', (SELECT min(pc.number) FROM letter_guess g "     \
	"JOIN cases pc ON pc.id = g.case_id WHERE g.report = v.id AND (asks.role IN ('lead', 'admin') OR " \
	"case_may_see(pc.id, asks.who))))"

/* Ids of reports, to be shown as a page. */
struct report_ids {
	int64_t *ids;
	size_t count, max;
};
void report_ids_start(struct report_ids *ids, size_t max, struct arena *arena);
void report_ids_add(struct report_ids *ids, int64_t id); /* what is over max is left out */
/* The statement that gives REPORT_JSON and the id of each, newest first. It reads only the partitions that
 * these ids lie in. */
void report_ids_query(const struct report_ids *ids, const struct request *request, struct query *query);
/* Answer with these as a page; next 0: the last one. */
void report_ids_answer(struct request *request, const struct report_ids *ids, int64_t next);

/* "202611-123", or the number itself. */
bool report_id_parse(struct str text, int64_t *id);
/* The id that params name; false: refused. */
bool report_named(struct request *request, const char *member, int64_t *id);

/* What `report list` and `report search` can be narrowed by. */
struct report_filter {
	int64_t limit, cursor;
	struct str source, since, type, state, identifier;
	struct str org;     /* "-": nobody's */
	struct str country; /* two letters */
	int64_t severity;   /* at least; -1: any */
	int64_t source_id;
	int64_t org_id; /* 0: nobody's */
	int64_t least;  /* the least id that `since` leaves */
	struct report_ids found;
};
bool report_filter_read(struct request *request, struct report_filter *filter);
/* Then: the source's id and the least id that `since` leaves, by one query; then `next`. */
void report_filter_resolve(struct request *request, request_rows_fn *next);
/* After that: these, out of the result. False: refused. */
bool report_filter_take(
	struct request *request, const struct pg_result *result, struct report_filter *filter);

/* What a search found among the reports, newest first; next 0: all there is, else where to go on. */
typedef void report_found_fn(struct request *request, const struct report_ids *ids, int64_t next);
/* Look for it, narrowed by the filters that were asked for; limit 0: as asked. Then `then`. */
struct search;
void report_search(
	struct request *request, const struct search *search, int64_t limit, report_found_fn *then);

/*
 * Conditions on whose it is by now and on its country, where they were asked for; columns: an alias with
 * id, organisation and country of a report.
 */
void report_filter_whose(const struct report_filter *filter, const char *columns, struct query *query);

#endif
