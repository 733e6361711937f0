#include "store/batch.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"

#define MONTHS 16

struct batch {
	struct pg *pg;
	struct landing *landing;
	batch_end_fn *end;
	void *context;
	int64_t (*covered)(int32_t month, void *context);
	bool trial;
	int stage;
	struct batch_result result;
	struct month_need needs[MONTHS];
	size_t months;
	struct columns wanted; /* months and counts */
};

/* send: false if there is nothing to send. take: false to give up the transaction; result.end says why. */
struct stage {
	bool (*send)(struct batch *batch);
	bool (*take)(struct batch *batch, const struct pg_result *rows);
};

static void on_stage(struct pg *pg, const struct pg_result *result, void *context);

static void send(struct batch *batch, const char *name, const char *sql, struct columns *columns, size_t more,
	const struct pg_parameter *extra)
{
	struct pg_parameter parameters[COLUMNS + 4];
	size_t count = 0;
	if (columns) {
		columns_parameters(columns, parameters);
		count = columns->width;
	}
	for (size_t i = 0; i < more; i++)
		parameters[count++] = extra[i];
	pg_step_prepared(batch->pg, name, sql, parameters, count, true, on_stage, batch);
}

/* Every transaction writes, so that its commit waits for the standby even where all of it had landed before
 * (trap 3). Last, as all transactions of this node take this row. */
static bool send_heartbeat(struct batch *batch)
{
	struct buf node = {0};
	pg_put_i32(&node, lookup_node(batch->landing->lookup));
	struct pg_parameter parameter = {.value = buf_view(&node), .binary = true, .type = PG_INT4};
	send(batch, "heartbeat", "UPDATE node SET batches = batches + 1, seen = now() WHERE id = $1", NULL, 1,
		&parameter);
	buf_free(&node);
	return true;
}

static bool send_versions(struct batch *batch)
{
	if (!batch->landing->known_versions.count) {
		landing_order(batch->landing);
		return false;
	}
	send(batch, "versions",
		"SELECT u.n, EXISTS (SELECT FROM stix_object o WHERE o.id = u.id AND o.version = u.version "
		"AND "
		"o.source = u.source AND o.exercise = u.exercise), c.version, c.modified, c.created_by, "
		"c.revoked, c.digest, c.count, c.trust, c.source, c.report, c.tlp::text "
		"FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS u (id, exercise, scope, version, source, "
		"n) "
		"JOIN stix_current c ON c.id = u.id AND c.exercise = u.exercise AND c.scope = u.scope",
		&batch->landing->known_versions, 0, NULL);
	return true;
}

static bool take_versions(struct batch *batch, const struct pg_result *rows)
{
	for (int row = 0; row < rows->rows; row++) {
		struct str digest = pg_value(rows, row, 6);
		struct version_state state = {
			.known = true,
			.version = pg_value(rows, row, 2),
			.modified = time_of_pg(pg_value_int(rows, row, 3)),
			.created_by = pg_value(rows, row, 4),
			.revoked = pg_value_int(rows, row, 5),
			.count = pg_value_int(rows, row, 7),
			.trust = (int)pg_value_int(rows, row, 8),
			.source = (int32_t)pg_value_int(rows, row, 9),
			.report = pg_value_int(rows, row, 10),
		};
		if (digest.len == FINGERPRINT_LEN)
			memcpy(state.digest, digest.p, FINGERPRINT_LEN);
		tlp_parse(pg_value(rows, row, 11), &state.tlp);
		landing_version_known(batch->landing, (size_t)pg_value_int(rows, row, 0) - 1,
			pg_value_int(rows, row, 1), &state);
	}
	landing_order(batch->landing);
	return true;
}

static struct pg_parameter number_parameter(struct buf *space, int64_t value)
{
	buf_clear(space);
	pg_put_i64(space, value);
	return (struct pg_parameter){.value = buf_view(space), .binary = true, .type = PG_INT8};
}

/* Mails are placed first: what is of a case, or spam, is no report and folds with none. */
static bool send_letters(struct batch *batch)
{
	const struct letter_rules *rules = &batch->landing->rules;
	struct buf limits[3] = {{0}};
	if (!batch->landing->letters.count)
		return false;
	struct pg_parameter parameters[4] = {
		{.value = rules->tag.p ? rules->tag : STR(""), .binary = true, .type = PG_TEXT},
		number_parameter(&limits[0], rules->sender_limit),
		number_parameter(&limits[1], rules->domain_limit),
		number_parameter(&limits[2], rules->span),
	};
	send(batch, "letters",
		"SELECT number, place, of_case, by_way, is_known, why, lane FROM letters_place($1, $2, $3, "
		"$4, $5, "
		"$6, $7, $8, $9, $10, $11, $13, $14, $15, make_interval(secs => $16 / 1e6), $12)",
		&batch->landing->letters, ARRAY_LEN(parameters), parameters);
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		buf_free(&limits[i]);
	return true;
}

static bool take_letters(struct batch *batch, const struct pg_result *rows)
{
	bool stays = true;
	for (int row = 0; row < rows->rows; row++) {
		struct str place = pg_value(rows, row, 1);
		struct placed placed = {
			.place = str_equal(place, STR("spam"))     ? PLACE_SPAM
		                 : str_equal(place, STR("case"))   ? PLACE_CASE
		                 : str_equal(place, STR("notice")) ? PLACE_NOTICE
		                                                   : PLACE_GUESS,
			.of_case = pg_value_int(rows, row, 2),
			.way = pg_value(rows, row, 3),
			.known = pg_value_int(rows, row, 4) != 0,
			.why = pg_value(rows, row, 5),
			.lane = pg_value(rows, row, 6),
		};
		stays &= landing_place(batch->landing, (size_t)pg_value_int(rows, row, 0), &placed);
	}
	if (!stays) {
		batch->result.end = BATCH_OVERTAKEN;
		return false;
	}
	return true;
}

static bool send_known(struct batch *batch)
{
	if (!batch->landing->families.count) {
		landing_decide(batch->landing);
		return false;
	}
	send(batch, "known",
		"SELECT u.n, f.tlp::text, f.scope, f.report, f.first, f.last, f.severity, f.confidence, "
		"f.trust "
		"FROM unnest($1, $2) WITH ORDINALITY AS u (digest, exercise, n) "
		"JOIN fingerprint f ON f.digest = u.digest AND f.exercise = u.exercise",
		&batch->landing->families, 0, NULL);
	return true;
}

static bool take_known(struct batch *batch, const struct pg_result *rows)
{
	for (int row = 0; row < rows->rows; row++) {
		enum tlp tlp = TLP_UNSTATED;
		tlp_parse(pg_value(rows, row, 1), &tlp);
		struct fold_state state = {
			.report = pg_value_int(rows, row, 3),
			.first = time_of_pg(pg_value_int(rows, row, 4)),
			.last = time_of_pg(pg_value_int(rows, row, 5)),
			.severity = (int)pg_value_int(rows, row, 6),
			.confidence = (int)pg_value_int(rows, row, 7),
			.trust = (int)pg_value_int(rows, row, 8),
		};
		landing_known(batch->landing, (size_t)pg_value_int(rows, row, 0) - 1, tlp,
			(int32_t)pg_value_int(rows, row, 2), &state);
	}
	landing_decide(batch->landing);
	return true;
}

static bool send_ids(struct batch *batch)
{
	static const uint32_t types[] = {PG_INT4, PG_INT4};
	batch->months = landing_needs(batch->landing, batch->needs, MONTHS);
	if (!batch->months) {
		landing_encode(batch->landing);
		return false;
	}
	columns_begin(&batch->wanted, types, ARRAY_LEN(types));
	for (size_t i = 0; i < batch->months; i++) {
		put_i32(column(&batch->wanted, 0), batch->needs[i].month);
		put_i32(column(&batch->wanted, 1), batch->needs[i].count);
		columns_next(&batch->wanted);
	}
	send(batch, "ids",
		"SELECT u.month, id FROM unnest($1, $2) AS u (month, n), LATERAL report_ids(u.month, u.n) AS "
		"id",
		&batch->wanted, 0, NULL);
	return true;
}

static bool take_ids(struct batch *batch, const struct pg_result *rows)
{
	int32_t month = 0;
	size_t cursor = 0;
	int64_t covered = 0;
	for (int row = 0; row < rows->rows; row++) {
		int32_t of = (int32_t)pg_value_int(rows, row, 0);
		int64_t id = pg_value_int(rows, row, 1);
		if (of != month) {
			month = of;
			cursor = 0;
			covered = batch->covered(month, batch->context);
		}
		landing_id(batch->landing, month, &cursor, id);
		batch->result.last_id = id;
		if (id >= covered) {
			batch->result.end = BATCH_OVERTAKEN;
			return false;
		}
	}
	landing_encode(batch->landing);
	return true;
}

static bool send_entries(struct batch *batch)
{
	if (!batch->landing->entries.count)
		return false;
	send(batch, "entries",
		"INSERT INTO ledger (day, spool, sequence, received, source, exercise, node, format, "
		"disposition, digest, size, found, "
		"reports, folded, correspondence, context, spam, quarantined, first_id, last_id, rerun, "
		"envelope, bookmark_owner, "
		"bookmark_value, folds) SELECT a, b, c, d, e, f, g, h::source_format, i::disposition, j, k, "
		"l, m, "
		"n, o, p, q, r, s, t, u, v, w, x, y "
		"FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, "
		"$18, $19, $20, $21, $22, $23, $24, $25) "
		"AS u (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y) "
		"ON CONFLICT DO NOTHING RETURNING day, spool, sequence",
		&batch->landing->entries, 0, NULL);
	return true;
}

/* Only what comes back is ours to land. */
static bool take_entries(struct batch *batch, const struct pg_result *rows)
{
	struct landing *landing = batch->landing;
	if ((size_t)rows->rows == landing->ticket_count)
		return true;
	struct map *returned = map_new();
	struct buf key = {0};
	for (int row = 0; row < rows->rows; row++) {
		buf_clear(&key);
		for (int i = 0; i < 3; i++)
			buf_str(&key, pg_value(rows, row, i));
		map_put_str(returned, buf_view(&key), landing);
	}
	batch->result.clashing = arena_alloc(landing->arena, landing->ticket_count * sizeof(bool));
	for (size_t i = 0; i < landing->ticket_count; i++) {
		struct buf fields = {0};
		const struct entry_id *id = &landing->tickets[i]->entry.id;
		put_day(&fields, id->day);
		put_uuid(&fields, id->spool);
		put_i64(&fields, (int64_t)id->sequence);
		buf_clear(&key);
		/* Each field has its length before it there, and has not here. */
		buf_append(&key, fields.data + 4, 4);
		buf_append(&key, fields.data + 12, UUID_LEN);
		buf_append(&key, fields.data + 12 + UUID_LEN + 4, 8);
		batch->result.clashing[i] = !map_get_str(returned, buf_view(&key));
		buf_free(&fields);
	}
	map_free(&returned);
	buf_free(&key);
	batch->result.end = BATCH_CLASH;
	return false;
}

/* New ones are inserted, known ones moved only where they are still what they were when read. */
static bool send_made(struct batch *batch)
{
	if (!batch->landing->made.count)
		return false;
	send(batch, "made",
		"WITH made AS (INSERT INTO fingerprint (digest, exercise, tlp, scope, severity, confidence, "
		"trust, report, first, last, "
		"expires) SELECT a, b, c::tlp, d, e, f, g, h, i, j, k FROM unnest($1, $2, $3, $4, $5, $6, "
		"$7, $8, $9, $10, $11) "
		"AS u (a, b, c, d, e, f, g, h, i, j, k) ON CONFLICT DO NOTHING RETURNING 1) SELECT count(*) "
		"FROM made",
		&batch->landing->made, 0, NULL);
	return true;
}

static bool all_written(struct batch *batch, const struct pg_result *rows, const struct columns *columns)
{
	if ((size_t)pg_value_int(rows, 0, 0) == columns->count)
		return true;
	batch->result.end = BATCH_OVERTAKEN;
	return false;
}

static bool take_made(struct batch *batch, const struct pg_result *rows)
{
	return all_written(batch, rows, &batch->landing->made);
}

static bool send_moved(struct batch *batch)
{
	if (!batch->landing->moved.count)
		return false;
	send(batch, "moved",
		"WITH moved AS (UPDATE fingerprint f SET severity = greatest(f.severity, u.severity), "
		"confidence = greatest(f.confidence, u.confidence), trust = greatest(f.trust, u.trust), "
		"report = u.report, "
		"first = CASE WHEN u.report = f.report THEN least(f.first, u.first) ELSE u.first END, last = "
		"greatest(f.last, u.last), "
		"expires = greatest(f.expires, u.expires) "
		"FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS u (digest, exercise, tlp, "
		"scope, severity, confidence, "
		"trust, report, first, last, expires, was) WHERE f.digest = u.digest AND f.exercise = "
		"u.exercise AND f.tlp = u.tlp::tlp "
		"AND f.scope = u.scope AND f.report = u.was RETURNING 1) SELECT count(*) FROM moved",
		&batch->landing->moved, 0, NULL);
	return true;
}

static bool take_moved(struct batch *batch, const struct pg_result *rows)
{
	return all_written(batch, rows, &batch->landing->moved);
}

/* As with fingerprints: written only where it is still what was read. */
static bool send_versions_made(struct batch *batch)
{
	if (!batch->landing->versions_made.count)
		return false;
	send(batch, "versions_made",
		"WITH made AS (INSERT INTO stix_current (id, exercise, scope, modified, version, created_by, "
		"revoked, digest, count, trust, source, report, tlp) SELECT a, b, c, d, e, f, g, h, i, j, k, "
		"l, "
		"m::tlp FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) AS u (a, b, c, "
		"d, "
		"e, f, g, h, i, j, k, l, m) ON CONFLICT DO NOTHING RETURNING 1) SELECT count(*) FROM made",
		&batch->landing->versions_made, 0, NULL);
	return true;
}

static bool take_versions_made(struct batch *batch, const struct pg_result *rows)
{
	return all_written(batch, rows, &batch->landing->versions_made);
}

static bool send_versions_moved(struct batch *batch)
{
	if (!batch->landing->versions_moved.count)
		return false;
	send(batch, "versions_moved",
		"WITH moved AS (UPDATE stix_current c SET modified = u.modified, version = u.version, "
		"created_by "
		"= u.created_by, revoked = u.revoked, digest = u.digest, count = u.count, trust = u.trust, "
		"source = u.source, report = u.report, tlp = u.tlp::tlp FROM unnest($1, $2, $3, $4, $5, $6, "
		"$7, "
		"$8, $9, $10, $11, $12, $13, $14) AS u (id, exercise, scope, modified, version, created_by, "
		"revoked, digest, count, trust, source, report, tlp, was) WHERE c.id = u.id AND c.exercise = "
		"u.exercise AND c.scope = u.scope AND c.version = u.was RETURNING 1) SELECT count(*) FROM "
		"moved",
		&batch->landing->versions_moved, 0, NULL);
	return true;
}

static bool take_versions_moved(struct batch *batch, const struct pg_result *rows)
{
	return all_written(batch, rows, &batch->landing->versions_moved);
}

static bool send_seen(struct batch *batch)
{
	if (!batch->landing->seen.count)
		return false;
	send(batch, "seen",
		"INSERT INTO sighting AS s (report, day, source, node, count, first, last) "
		"SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (report, day, source, node) DO "
		"UPDATE SET "
		"count = s.count + excluded.count, first = least(s.first, excluded.first), last = "
		"greatest(s.last, excluded.last)",
		&batch->landing->seen, 0, NULL);
	return true;
}

/* Bytes are large: only those that are not there are sent, and by COPY, which takes no second copy of them.
 */
static bool send_evidence(struct batch *batch)
{
	if (!batch->landing->evidence.count) {
		landing_finish(batch->landing);
		return false;
	}
	send(batch, "evidence",
		"SELECT u.n FROM unnest($1, $2) WITH ORDINALITY AS u (month, digest, n) "
		"JOIN evidence e ON e.month = u.month AND e.digest = u.digest",
		&batch->landing->evidence, 0, NULL);
	return true;
}

static bool take_evidence(struct batch *batch, const struct pg_result *rows)
{
	for (int row = 0; row < rows->rows; row++)
		landing_file_known(batch->landing, (size_t)pg_value_int(rows, row, 0) - 1);
	landing_finish(batch->landing);
	return true;
}

/* In the select list, so that large values do not go through a tuple store. */
static bool send_objects(struct batch *batch)
{
	if (!batch->landing->objects.count)
		return false;
	send(batch, "objects",
		"INSERT INTO stix_object (id, version, source, exercise, report, received, type, spec, "
		"created_by, revoked, tlp, text) "
		"SELECT a, b, c, d, e, f, g, h, i, j, k::tlp, l FROM (SELECT unnest($1) AS a, unnest($2) AS "
		"b, unnest($3) AS c, "
		"unnest($4) AS d, unnest($5) AS e, unnest($6) AS f, unnest($7) AS g, unnest($8) AS h, "
		"unnest($9) AS i, unnest($10) AS j, "
		"unnest($11) AS k, unnest($12) AS l) AS u ON CONFLICT DO NOTHING",
		&batch->landing->objects, 0, NULL);
	return true;
}

static bool send_copies(struct batch *batch)
{
	const char *sql[COPY_TABLES];
	struct str data[COPY_TABLES];
	size_t count = 0;
	for (size_t i = 0; i < COPY_TABLES; i++) {
		const struct rows *rows = &batch->landing->copies[i];
		if (!rows->count)
			continue;
		sql[count] = copy_statements[i];
		data[count++] = buf_view(&rows->bytes);
	}
	if (!count)
		return false;
	pg_step_copy(batch->pg, sql, data, count, on_stage, batch);
	return true;
}

/* Found before, by the report or by a sighting: no second row. So many are kept of a report, whatever names
 * its senders give to files. */
static bool send_verdicts(struct batch *batch)
{
	if (!batch->landing->verdicts.count)
		return false;
	send(batch, "verdicts",
		"INSERT INTO verdict (report, number, engine, rule, set_digest, part, outcome, seen) "
		"SELECT report, number, engine, rule, set_digest, part, outcome, seen FROM (SELECT u.*, "
		"row_number() OVER (PARTITION BY u.report ORDER BY u.number) + (SELECT count(*) FROM verdict "
		"w "
		"WHERE w.report = u.report) AS place FROM (SELECT DISTINCT ON (report, number) * FROM "
		"unnest($1, "
		"$2, $3, $4, $5, $6, $7, $8) AS u (report, number, engine, rule, set_digest, part, outcome, "
		"seen) "
		"ORDER BY report, number, seen) u WHERE NOT EXISTS (SELECT FROM verdict w WHERE w.report = "
		"u.report AND w.rule = u.rule AND w.part = u.part AND w.outcome = u.outcome)) u "
		"WHERE place <= 128 ORDER BY report, number ON CONFLICT DO NOTHING",
		&batch->landing->verdicts, 0, NULL);
	return true;
}

static bool send_sums(struct batch *batch)
{
	if (!batch->landing->sums.count)
		return false;
	struct buf node = {0};
	pg_put_i32(&node, lookup_node(batch->landing->lookup));
	struct pg_parameter parameter = {.value = buf_view(&node), .binary = true, .type = PG_INT4};
	send(batch, "sums",
		"INSERT INTO ledger_day AS d (day, source, node, entries_processed, entries_quarantined, "
		"found, reports, folded, "
		"correspondence, context, spam, quarantined) SELECT a, b, $12, c, d, e, f, g, h, i, j, k "
		"FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS u (a, b, c, d, e, f, g, h, i, "
		"j, k) "
		"ON CONFLICT (day, source, node) DO UPDATE SET entries_processed = d.entries_processed + "
		"excluded.entries_processed, "
		"entries_quarantined = d.entries_quarantined + excluded.entries_quarantined, found = d.found "
		"+ excluded.found, "
		"reports = d.reports + excluded.reports, folded = d.folded + excluded.folded, "
		"correspondence = d.correspondence + excluded.correspondence, context = d.context + "
		"excluded.context, "
		"spam = d.spam + excluded.spam, quarantined = d.quarantined + excluded.quarantined",
		&batch->landing->sums, 1, &parameter);
	buf_free(&node);
	return true;
}

static bool send_arrivals(struct batch *batch)
{
	if (!batch->landing->arrivals.count)
		return false;
	send(batch, "arrivals",
		"INSERT INTO arrival AS a (month, minute, first_id) SELECT * FROM unnest($1, $2, $3) "
		"ON CONFLICT (month, minute) DO UPDATE SET first_id = least(a.first_id, excluded.first_id)",
		&batch->landing->arrivals, 0, NULL);
	return true;
}

/* A re-run of an entry moves it and its items from quarantined; one of an item moves that item. Refused
 * again, it stays. */
static bool send_acts(struct batch *batch)
{
	if (!batch->landing->acts.count)
		return false;
	struct buf node = {0};
	pg_put_i32(&node, lookup_node(batch->landing->lookup));
	struct pg_parameter parameter = {.value = buf_view(&node), .binary = true, .type = PG_INT4};
	send(batch, "acts",
		"WITH u AS (SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS u (id, "
		"read, found, reports, folded, "
		"correspondence, context, spam, quarantined, stage, reason)), "
		"q AS (UPDATE quarantine q SET state = CASE WHEN u.read THEN 'processed' ELSE 'quarantined' "
		"END::quarantine_state, "
		"attempts = q.attempts + 1, stage = CASE WHEN u.read THEN q.stage ELSE u.stage END, "
		"reason = CASE WHEN u.read THEN q.reason ELSE u.reason END, changed = now() FROM u WHERE "
		"q.id = u.id "
		"RETURNING q.id, q.item, q.day, q.source, u.read, u.found, u.reports, u.folded, "
		"u.correspondence, u.context, u.spam, "
		"u.quarantined) "
		"INSERT INTO ledger_act (quarantine, act, day, source, node, entries_processed, "
		"entries_quarantined, found, reports, folded, "
		"correspondence, context, spam, quarantined) SELECT id, 'rerun', day, source, $12, "
		"CASE WHEN read AND item IS NULL THEN 1 ELSE 0 END, CASE WHEN read AND item IS NULL THEN -1 "
		"ELSE 0 END, "
		"found - CASE WHEN read AND item IS NOT NULL THEN 1 ELSE 0 END, reports, folded, "
		"correspondence, context, spam, "
		"quarantined - CASE WHEN read AND item IS NOT NULL THEN 1 ELSE 0 END FROM q",
		&batch->landing->acts, 1, &parameter);
	buf_free(&node);
	return true;
}

/* Two nodes may say it of the same feeds at once: in one order. */
static bool send_feeds(struct batch *batch)
{
	if (!batch->landing->feeds.count)
		return false;
	send(batch, "feeds",
		"SELECT b FROM (SELECT * FROM unnest($1, $2, $3) AS u (a, b, c) ORDER BY a, b OFFSET 0) AS u "
		"WHERE feed_columns_seen(a, b, string_to_array(c, chr(10)))",
		&batch->landing->feeds, 0, NULL);
	return true;
}

static bool take_feeds(struct batch *batch, const struct pg_result *rows)
{
	(void)batch;
	for (int row = 0; row < rows->rows; row++)
		log_warn("the columns of feed \"" STR_FMT "\" have changed: cirt alarm list",
			STR_ARG(pg_value(rows, row, 0)));
	return true;
}

static const struct stage stages[] = {
	{send_letters, take_letters},
	{send_versions, take_versions},
	{send_known, take_known},
	{send_ids, take_ids},
	{send_entries, take_entries},
	{send_made, take_made},
	{send_moved, take_moved},
	{send_versions_made, take_versions_made},
	{send_versions_moved, take_versions_moved},
	{send_seen, NULL},
	{send_evidence, take_evidence},
	{send_objects, NULL},
	{send_copies, NULL},
	{send_verdicts, NULL},
	{send_sums, NULL},
	{send_arrivals, NULL},
	{send_acts, NULL},
	{send_feeds, take_feeds},
	{send_heartbeat, NULL},
};

struct batch *batch_new(struct pg *pg, struct landing *landing, batch_end_fn *end, void *context)
{
	struct batch *batch = mem_alloc(sizeof *batch);
	batch->pg = pg;
	batch->landing = landing;
	batch->end = end;
	batch->context = context;
	return batch;
}

void batch_free(struct batch **batch)
{
	if (*batch)
		columns_free(&(*batch)->wanted);
	free(*batch);
	*batch = NULL;
}

static void on_end(struct pg *pg, const struct pg_result *result, void *context)
{
	struct batch *batch = context;
	(void)pg;
	if (result->outcome != PG_DONE) {
		batch->result.end = BATCH_FAILED;
		batch->result.outcome = result->outcome;
		snprintf(batch->result.sqlstate, sizeof batch->result.sqlstate, "%s", result->sqlstate);
	}
	batch->result.text = result->text;
	batch->end(&batch->result, batch->context);
}

static void on_stage(struct pg *pg, const struct pg_result *result, void *context)
{
	struct batch *batch = context;
	if (result->outcome != PG_DONE) {
		on_end(pg, result, context);
		return;
	}
	if (batch->stage >= 0 && stages[batch->stage].take && !stages[batch->stage].take(batch, result)) {
		pg_rollback(pg, on_end, batch);
		return;
	}
	while (++batch->stage < (int)ARRAY_LEN(stages))
		if (stages[batch->stage].send(batch))
			return;
	if (batch->trial)
		pg_rollback(pg, on_end, batch);
	else
		pg_commit(pg, on_end, batch);
}

void batch_run(struct batch *batch, bool trial, int64_t (*covered)(int32_t month, void *context))
{
	batch->trial = trial;
	batch->covered = covered;
	batch->stage = -1;
	batch->result = (struct batch_result){.end = BATCH_DONE};
	pg_begin(batch->pg, "BEGIN", on_stage, batch);
}
