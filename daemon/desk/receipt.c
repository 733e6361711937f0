#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "desk/handlers.h"

/*
 * What became of what a sender was told is in. The spool is asked first, because what it has not released may
 * be nowhere else; then the ledger, which has all that landed. So a receipt is answered while the entry waits
 * and while the database is away, as far as anybody knows then.
 */
#define BEFORE_ALL (-2) /* the entry as such is item -1 */

struct receipt_ask {
	struct receipt wanted;
	int64_t limit;
	int64_t after;               /* items behind that one */
	uint32_t question;           /* to the spool; 0: none open */
	size_t source;               /* of a line: place in the source table of the next to be asked for */
	struct json_object *waiting; /* what the spool says of it; NULL */
	bool landed;                 /* as the spool says */
	struct json_object *also;    /* what else was told in the same words; NULL */
	char why[256];               /* the spool could not be asked */
};

#define SHOWN "landed_may_see(e.id, p.who, p.role)"

/* One item: what became of it, and of that since; of what whoever asks may not read, no more than that it
 * came. */
#define ITEM_JSON                                                                                            \
	"json_build_object('item', nullif(e.item, -1), 'became', e.became, 'report', CASE WHEN e.became IN " \
	"('report', 'folded') THEN report_number(e.id) END, 'id', CASE WHEN e.became NOT IN ('report', "     \
	"'folded', 'quarantined') THEN report_number(e.id) END, 'title', CASE WHEN " SHOWN                   \
	" THEN coalesce(CASE WHEN r.id IS NOT "                                                              \
	"NULL "                                                                                              \
	"THEN report_title(r.title, r.type, r.identifier, r.malware, r.observables) END, i.title) END, "     \
	"'kind', "                                                                                           \
	"nullif(i.subkind, ''), 'case', CASE WHEN " SHOWN                                                    \
	" THEN coalesce((SELECT c.number FROM case_report t JOIN cases c ON c.id "                           \
	"= "                                                                                                 \
	"t.case_id "                                                                                         \
	"WHERE t.report = r.id AND t.ended IS NULL), (SELECT c.number FROM case_letter t JOIN cases c ON "   \
	"c.id = case_now(t.case_id) WHERE t.item = i.id)) END, 'quarantine', q.id, 'state', "                \
	"coalesce(q.state::text, "                                                                           \
	"CASE WHEN r.id IS NOT NULL THEN coalesce((SELECT u.state FROM report_status u WHERE u.report = "    \
	"r.id), 'new')::text END), 'stage', q.stage, 'reason', q.reason, 'acted', (SELECT "                  \
	"json_build_object('act', a.act, 'by', a.actor, 'at', stamp(a.at), 'reason', nullif(a.reason, '')) " \
	"FROM ledger_act a WHERE a.quarantine = q.id AND a.act <> 'rerun' ORDER BY a.id DESC LIMIT 1))"

#define ITEM_FROM                                                                                           \
	" e LEFT JOIN report r ON e.became IN ('report', 'folded') AND r.id = e.id LEFT JOIN item i ON "    \
	"e.became <> 'quarantined' AND i.id = e.id LEFT JOIN quarantine q ON e.became = 'quarantined' AND " \
	"q.id = e.id"

/* What was run again out of this entry's quarantine, and what became of that. */
#define RERUNS                                                                                        \
	"(SELECT json_agg(json_build_object('entry', entry_number(k.day, k.spool, k.sequence), "      \
	"'quarantine', k.rerun, 'landed', stamp(k.landed), 'state', k.disposition, 'items', (SELECT " \
	"json_agg(" ITEM_JSON                                                                         \
	" ORDER BY e.item) FROM entry_items(k.day, k.spool, k.sequence, -2, 50)" ITEM_FROM            \
	")) ORDER BY k.landed) FROM quarantine z JOIN ledger k ON k.rerun = z.id WHERE z.spool = "    \
	"l.spool AND z.sequence = l.sequence AND z.day = l.day)"

/* $after, $limit and $line stand in `p`. Of a line only its own item is listed, where each line is one. */
#define RECEIPT_JSON                                                                                        \
	"json_build_object('entry', entry_number(l.day, l.spool, l.sequence), 'state', coalesce((SELECT "   \
	"w.state::text FROM quarantine w WHERE w.spool = l.spool AND w.sequence = l.sequence AND w.day = "  \
	"l.day AND w.item IS NULL), l.disposition::text), 'received', stamp(l.received), 'landed', "        \
	"stamp(l.landed), 'source', s.name, 'exercise', nullif(x.name, ''), 'format', l.format, 'size', "   \
	"l.size, 'digest', encode(l.digest, 'hex'), 'node', nullif(n.name, ''), 'envelope', "               \
	"CASE WHEN NOT EXISTS (SELECT FROM entry_items(l.day, l.spool, l.sequence, -2, 50) e WHERE "        \
	"NOT " SHOWN ") THEN nullif(l.envelope, '') END, 'line', p.line, 'counts', "                        \
	"json_build_object('found', l.found, 'reports', "                                                   \
	"l.reports, 'folded', l.folded, 'correspondence', l.correspondence, 'context', l.context, 'spam', " \
	"l.spam, 'quarantined', l.quarantined, 'discarded', l.discarded), 'rerun_of', (SELECT "             \
	"json_build_object('quarantine', z.id, 'entry', entry_number(z.day, z.spool, z.sequence)) FROM "    \
	"quarantine z WHERE z.id = l.rerun), 'items', coalesce((SELECT json_agg(" ITEM_JSON                 \
	" ORDER BY e.item) FROM entry_items(l.day, l.spool, l.sequence, coalesce(o.only - 1, p.after), "    \
	"CASE "                                                                                             \
	"WHEN o.only IS NULL THEN p.most ELSE 1 END)" ITEM_FROM                                             \
	" WHERE o.only IS NULL OR e.item = o.only), '[]'), 'reruns', coalesce(" RERUNS ", '[]'))"

#define RECEIPT_FROM                                                                                        \
	" l CROSS JOIN p CROSS JOIN LATERAL (SELECT CASE WHEN p.line IS NOT NULL THEN CASE WHEN "           \
	"l.bookmark_value::bigint - v.line + 1 = l.found THEN (p.line - v.line)::int END END AS only FROM " \
	"(SELECT substring(l.envelope from '\"line\":([0-9]+)')::bigint AS line) v) o LEFT JOIN source s "  \
	"ON "                                                                                               \
	"s.id = l.source LEFT JOIN exercise x ON x.id = l.exercise LEFT JOIN node n ON n.id = l.node"

static void receipt_release(struct request *request)
{
	struct receipt_ask *ask = request->state;

	if (ask->question)
		appender_forget(request->desk->appender, ask->question);
	json_object_put(ask->waiting);
	json_object_put(ask->also);
	free(ask);
}

/* As the door told it. */
static const char *name_of(const struct receipt *receipt, char text[80])
{
	char uuid[UUID_TEXT], day[CLOCK_TEXT];

	if (receipt->of_line) {
		snprintf(text, 80, "%s:%" PRIu64, uuid_format(receipt->session, uuid), receipt->line);
		return text;
	}
	clock_format(receipt->day * CLOCK_DAY, day);
	snprintf(text, 80, "%.4s%.2s%.2s-%s-%" PRIu64, day, day + 5, day + 8, receipt->spool,
		receipt->sequence);
	return text;
}

static void add_text(struct json_object *object, const char *name, struct str text)
{
	if (text.len > 0)
		json_object_object_add(object, name, json_object_new_string_len(text.p, (int)text.len));
}

/* What no one has looked into yet has the members of what has landed. */
static void add_no_items(struct json_object *object)
{
	json_object_object_add(object, "items", json_object_new_array());
	json_object_object_add(object, "next", NULL);
}

/* ---- answers ---- */

static void refuse_unknown(struct request *request)
{
	const struct receipt_ask *ask = request->state;
	char text[80];

	if (ask->why[0])
		request_refuse_hint(request, RPC_UNAVAILABLE, "Ask again in a moment.",
			"%s has not landed, and the spool could not be asked: %s",
			name_of(&ask->wanted, text), ask->why);
	else
		request_refuse_hint(request, RPC_NOT_FOUND,
			"The doors tell it: \"250 ... queued as ID\", `cirt submit`, or SESSION:LINE of a "
			"sensor's "
			"session that was acknowledged that far.",
			"nothing was taken in as %s", name_of(&ask->wanted, text));
}

static void answer_waiting(struct request *request, const char *state)
{
	struct receipt_ask *ask = request->state;

	json_object_object_add(ask->waiting, "also", json_object_get(ask->also));
	json_object_object_add(ask->waiting, "state", json_object_new_string(state));
	request_answer(request, json_object_get(ask->waiting));
}

/* One more than the limit was asked for: a last one says that there are more. */
static void cut_page(struct json_object *receipt, int64_t limit)
{
	struct json_object *items = json_object_object_get(receipt, "items"), *last;
	size_t count = json_object_array_length(items);
	char next[24];

	if ((int64_t)count <= limit) {
		json_object_object_add(receipt, "next", NULL);
		return;
	}
	json_object_array_del_idx(items, (size_t)limit, count - (size_t)limit);
	last = json_object_array_get_idx(items, (size_t)limit - 1);
	snprintf(next, sizeof(next), "%lld",
		(long long)json_object_get_int64(json_object_object_get(last, "item")));
	json_object_object_add(receipt, "next", json_object_new_string(next));
}

static void find_line_in_spool(struct request *request);

static void on_ledger(struct request *request, const struct pg_result *result)
{
	struct receipt_ask *ask = request->state;

	if (result->rows > 0) {
		struct json_object *receipt = result_json(result, 0, 0);
		cut_page(receipt, ask->limit);
		json_object_object_add(receipt, "also", json_object_get(ask->also));
		request_answer(request, receipt);
	} else if (ask->waiting) {
		answer_waiting(request, ask->landed ? "landed" : "pending");
	} else if (ask->wanted.of_line) {
		find_line_in_spool(request);
	} else {
		refuse_unknown(request);
	}
}

/* ---- the ledger ---- */

static void ask_ledger(struct request *request)
{
	const struct receipt_ask *ask = request->state;
	const struct receipt *wanted = &ask->wanted;
	char day[CLOCK_TEXT], uuid[UUID_TEXT];
	struct query query;

	query_start(&query, request->arena,
		"WITH p AS MATERIALIZED (SELECT $?::int AS after, $?::int AS most, $?::text AS who, $?::text "
		"AS role, $?::bigint AS line) SELECT " RECEIPT_JSON " FROM ");
	query_int(&query, ask->after);
	query_int(&query, ask->limit + 1);
	query_str(&query, str_of(request->operator.name));
	query_str(&query, str_of(role_name(request->operator.role)));
	if (wanted->of_line) {
		query_int(&query, (int64_t)wanted->line);
		query_add(&query, "entry_of_line($?::uuid, $?::bigint)" RECEIPT_FROM);
		query_str(&query, str_of(uuid_format(wanted->session, uuid)));
		query_int(&query, (int64_t)wanted->line);
	} else {
		clock_format(wanted->day * CLOCK_DAY, day);
		query_str(&query, STR_NONE);
		query_add(&query, "entry_find($?::date, $?, $?::bigint)" RECEIPT_FROM);
		query_str(&query, (struct str){day, 10});
		query_str(&query, str_of(wanted->spool));
		query_int(&query, (int64_t)wanted->sequence);
	}
	request_query(request, &query, on_ledger);
}

/* Without the database the spool's word is all there is. */
static void go_on(struct request *request)
{
	struct receipt_ask *ask = request->state;

	if (desk_pg(request->desk)) {
		if (request_database(request))
			ask_ledger(request);
	} else if (ask->waiting) {
		answer_waiting(request, ask->landed ? "landed" : "pending");
	} else if (ask->wanted.of_line && ask->source == 0) {
		find_line_in_spool(request);
	} else {
		request_refuse_hint(request, RPC_UNAVAILABLE, "Ask again when it is back.",
			"it is not in the spool any more, and the database is away: %s",
			pg_why_down(request->desk->pg[0]));
	}
}

/* ---- the spool ---- */

static struct json_object *waiting_of(struct request *request, const struct append_found *found)
{
	const struct entry *entry = &found->entry;
	const struct source *source = source_by_id(appender_sources(request->desk->appender), entry->source);
	struct json_object *waiting = json_object_new_object();
	char text[ENTRY_ID_TEXT], stamp[CLOCK_TEXT], digest[SHA256_HEX];

	clock_format(entry->received, stamp);
	json_object_object_add(waiting, "entry", json_object_new_string(entry_id_format(&entry->id, text)));
	json_object_object_add(waiting, "in_hand", json_object_new_boolean(found->place == APPEND_IN_HAND));
	json_object_object_add(waiting, "received", json_object_new_string(stamp));
	if (source)
		add_text(waiting, "source", source->name);
	add_text(waiting, "exercise", entry->exercise);
	json_object_object_add(waiting, "format", json_object_new_string(format_name(entry->format)));
	json_object_object_add(waiting, "size", json_object_new_int64((int64_t)entry->size));
	json_object_object_add(
		waiting, "digest", json_object_new_string(hex_encode(entry->digest, SHA256_LEN, digest)));
	add_text(waiting, "envelope", entry->envelope);
	add_no_items(waiting);
	return waiting;
}

static bool is_wanted(const struct receipt *wanted, const struct entry_id *id)
{
	char spool[9];

	return id->day == wanted->day && strcmp(hex_encode(id->spool, 4, spool), wanted->spool) == 0;
}

static void on_found(const struct append_found *found, const struct err *err, void *context)
{
	struct request *request = context;
	struct receipt_ask *ask = request->state;

	ask->question = 0;
	if (err)
		snprintf(ask->why, sizeof(ask->why), "%s", err->text);
	if (found && found->place != APPEND_NOT_HERE && is_wanted(&ask->wanted, &found->entry.id)) {
		ask->waiting = waiting_of(request, found);
		ask->landed = found->place == APPEND_KEPT;
	}
	go_on(request);
}

static void answer_line(struct request *request, const struct source *source)
{
	const struct receipt_ask *ask = request->state;
	struct json_object *answer = json_object_new_object();
	char uuid[UUID_TEXT];

	json_object_object_add(
		answer, "session", json_object_new_string(uuid_format(ask->wanted.session, uuid)));
	json_object_object_add(answer, "line", json_object_new_int64((int64_t)ask->wanted.line));
	/* While the database is away nobody can say whether it has landed. */
	json_object_object_add(
		answer, "state", json_object_new_string(desk_pg(request->desk) ? "pending" : "taken"));
	add_text(answer, "source", source->name);
	add_no_items(answer);
	request_answer(request, answer);
}

static void on_bookmark(struct str value, const struct err *err, void *context)
{
	struct request *request = context;
	struct receipt_ask *ask = request->state;
	const struct source_table *table = appender_sources(request->desk->appender);
	uint64_t durable = 0;

	ask->question = 0;
	if (err) {
		snprintf(ask->why, sizeof(ask->why), "%s", err->text);
		refuse_unknown(request);
	} else if (value.p && str_to_u64(value, &durable) && durable >= ask->wanted.line &&
		   ask->source <= table->count) {
		answer_line(request, &table->sources[ask->source - 1]);
	} else {
		find_line_in_spool(request);
	}
}

/* Which sensor a session is of, nobody was told: one after the other is asked for. */
static void find_line_in_spool(struct request *request)
{
	struct receipt_ask *ask = request->state;
	const struct source_table *table = appender_sources(request->desk->appender);
	char owner[80], uuid[UUID_TEXT];

	while (ask->source < table->count && table->sources[ask->source].kind != SOURCE_SENSOR)
		ask->source++;
	if (ask->source >= table->count) {
		refuse_unknown(request);
		return;
	}
	snprintf(owner, sizeof(owner), "session/%u/%s", table->sources[ask->source++].id,
		uuid_format(ask->wanted.session, uuid));
	ask->question = appender_bookmark(request->desk->appender, str_of(owner), on_bookmark, request);
	if (!ask->question) {
		snprintf(ask->why, sizeof(ask->why), "it is away");
		refuse_unknown(request);
	}
}

/* ---- the question ---- */

/* An SMTP door has one reply for all that a mail became: an entry for each source. */
static struct json_object *others_of(struct str text)
{
	struct json_object *others = NULL;
	struct receipt one;
	char name[80];

	while (receipt_find(&text, &one)) {
		if (!others)
			others = json_object_new_array();
		json_object_array_add(others, json_object_new_string(name_of(&one, name)));
		text = (struct str){text.p + 1, text.len - 1};
	}
	return others;
}

static bool read_receipt(struct request *request, struct receipt *wanted, struct str *rest)
{
	struct str text = STR_NONE;

	if (!request_words(request, "id", &text))
		return false;
	if (receipt_find(&text, wanted)) {
		*rest = (struct str){text.p + 1, text.len - 1};
		return true;
	}
	request_refuse_hint(request, RPC_INVALID_PARAMS,
		"An {\"ack\":N} of a sensor is asked for as SESSION:N, with the session that its hello "
		"named.",
		"expected what a door said: 20261122-1f3a55aa-17, or SESSION:LINE");
	return false;
}

void desk_receipt_show(struct request *request)
{
	struct receipt wanted = {.of_line = false};
	struct receipt_ask *ask;
	int64_t limit, cursor;
	struct str rest;

	if (!read_receipt(request, &wanted, &rest) || !request_page(request, &limit, &cursor))
		return;
	ask = mem_alloc(sizeof(*ask));
	ask->wanted = wanted;
	ask->limit = limit;
	ask->also = others_of(rest);
	ask->after = cursor >= 0 && cursor < INT32_MAX ? cursor : BEFORE_ALL;
	request->state = ask;
	request->release = receipt_release;
	if (!wanted.of_line) {
		ask->question = appender_find(request->desk->appender, wanted.sequence, on_found, request);
		if (ask->question)
			return;
		snprintf(ask->why, sizeof(ask->why), "it is away");
	}
	go_on(request);
}
