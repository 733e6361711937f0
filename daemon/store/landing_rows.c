#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/storable.h"
#include "store/landing.h"

/* How long a fingerprint is remembered beyond its window, so that a relapse can name what it is a relapse of.
 */
#define REMEMBER (90 * CLOCK_DAY)

const char *const copy_statements[COPY_TABLES] = {
	[COPY_REPORT] = "COPY report (id, received, first_seen, sequence, previous, asn, spool, fingerprint, "
			"source, item, exercise, "
			"organisation, scope, type, tlp, pap, severity, confidence, trust, rule_version, "
			"rule, rule_key, sender_id, "
			"identifier, malware, country, title, text, doc, observables, keys, notes, tags) "
			"FROM STDIN (FORMAT binary)",
	[COPY_SIGHTING] =
		"COPY sighting (report, day, source, node, count, first, last) FROM STDIN (FORMAT binary)",
	[COPY_VERDICT] = "COPY verdict (report, number, engine, rule, set_digest, part, outcome) FROM STDIN "
			 "(FORMAT binary)",
	[COPY_ITEM] = "COPY item (id, received, sequence, spool, source, item, exercise, kind, tlp, subkind, "
		      "part, sender_id, title, "
		      "text, doc, observables, notes, keys) FROM STDIN (FORMAT binary)",
	[COPY_LETTER] = "COPY letter (mail, received, message_id, sender, dmarc) FROM STDIN (FORMAT binary)",
	[COPY_CASE_LETTER] = "COPY case_letter_queue (item, case_id, way, known, sender, tags) FROM STDIN "
			     "(FORMAT binary)",
	[COPY_GUESS] = "COPY letter_guess (report, case_id, way, sender) FROM STDIN (FORMAT binary)",
	[COPY_SPAM] = "COPY spam (id, last, items, day, spool, sequence, received, source, exercise, sender, "
		      "reason, title, envelope, size, bytes) FROM STDIN (FORMAT binary)",
	[COPY_WAITING] = "COPY letter_waiting (mail, received, message_id) FROM STDIN (FORMAT binary)",
	[COPY_BACK] = "COPY letter_back (mail, received, source, exercise, kind, placed, sealed, sender, "
		      "message_id, replies, tags, returned, dmarc, machine, door) FROM STDIN (FORMAT binary)",
	[COPY_NOTICE] = "COPY notice_arrival (reports) FROM STDIN (FORMAT binary)",
	[COPY_INBOX] = "COPY inbox_arrival (reports) FROM STDIN (FORMAT binary)",
	[COPY_ATTACHMENT] =
		"COPY attachment (report, sequence, spool, number, month, size, digest, name, media_type) "
		"FROM STDIN (FORMAT binary)",
	[COPY_EVIDENCE] = "COPY evidence (month, digest, size, bytes) FROM STDIN (FORMAT binary)",
	[COPY_REPORT_LINK] = "COPY report_link (a, b, kind) FROM STDIN (FORMAT binary)",
	[COPY_RAISE] =
		"COPY raise_queue (report, source, severity, confidence, trust) FROM STDIN (FORMAT binary)",
	[COPY_CORRELATION] = "COPY correlation_queue (report, rule) FROM STDIN (FORMAT binary)",
	[COPY_VERSION] =
		"COPY report_version (report, object, version, source, received, organisation, title, "
		"observables, keys, notes) FROM STDIN (FORMAT binary)",
	[COPY_REVISION] = "COPY revision_queue (report, kind, object, version, source, newer, organisation) "
			  "FROM STDIN (FORMAT binary)",
	[COPY_QUARANTINE] = "COPY quarantine (day, spool, sequence, item, received, source, exercise, "
			    "format, stage, part, reason, "
			    "sqlstate, envelope, size, bytes) FROM STDIN (FORMAT binary)",
	[COPY_SIMILARITY] =
		"COPY similarity_queue (report, number, kind, part, digest) FROM STDIN (FORMAT binary)",
};

static const char *pap_of(const struct landed *landed)
{
	enum pap pap = landed->item->report.pap;
	if (!pap && landed->source)
		pap = landed->source->pap;
	return pap_name(pap ? pap : PAP_AMBER);
}

static void put_report_numbers(const struct landed *landed, int32_t organisation, struct buf *out)
{
	const struct entry *entry = &landed->ticket->entry;
	const struct report *report = &landed->item->report;
	put_i64(out, landed->id);
	put_time(out, entry->received);
	put_time(out, landed->time);
	put_i64(out, (int64_t)entry->id.sequence);
	put_i64_known(out, landed->previous);
	put_i64(out, report->asn);
	put_uuid(out, entry->id.spool);
	put_uuid(out, landed->key.digest);
	put_i32(out, (int32_t)entry->source);
	put_i32(out, (int32_t)landed->item->number);
	put_i32(out, landed->key.exercise);
	if (organisation)
		put_i32(out, organisation);
	else
		put_null(out);
	put_i32(out, landed->key.scope);
	put_word(out, rsit_name(landed->type));
	put_word(out, tlp_name(landed->key.tlp));
	put_word(out, pap_of(landed));
	put_i16(out, landed->severity);
	put_i16_known(out, report->confidence);
	put_i16(out, landed->source ? landed->source->trust : 0);
	put_i16(out, report->fingerprint.version);
}

/* As the sender says; else where registries have delegated the source's address, if it is nobody's that we
 * serve. */
static struct str country_of(const struct landing *landing, const struct report *report, int32_t organisation)
{
	struct netaddr address;

	if (organisation || report->country.len)
		return report->country;
	for (size_t i = 0; i < report->observable_count; i++)
		if (report->observables[i].type == OBSERVABLE_IP &&
			report->observables[i].role == OBSERVED_SOURCE)
			return netaddr_parse(report->observables[i].value, &address)
			               ? country_of_address(lookup_countries(landing->lookup), &address)
			               : STR_NONE;
	return STR_NONE;
}

static void put_verdicts(struct landing *landing, const struct landed *landed)
{
	const struct report *report = &landed->item->report;
	struct rows *rows = &landing->copies[COPY_VERDICT];

	for (size_t i = 0; i < report->verdict_count; i++) {
		const struct verdict *verdict = &report->verdicts[i];
		rows_start(rows, 7);
		put_i64(&rows->bytes, landed->id);
		put_i32(&rows->bytes, (int32_t)i);
		put_text(&rows->bytes, verdict->engine);
		put_text(&rows->bytes, verdict->rule);
		put_text(&rows->bytes, verdict->set_digest);
		put_text(&rows->bytes, verdict->part);
		put_text(&rows->bytes, verdict->outcome);
	}
}

static void put_report(struct landing *landing, const struct landed *landed, int32_t organisation)
{
	const struct report *report = &landed->item->report;
	struct rows *rows = &landing->copies[COPY_REPORT];
	struct buf *out = &rows->bytes;
	int64_t keys[REPORT_KEYS];
	rows_start(rows, 33);
	put_report_numbers(landed, organisation, out);
	put_text(out, report->fingerprint.rule);
	put_text(out, report->fingerprint.key);
	put_text(out, report->sender_id);
	put_text(out, report->identifier);
	put_text(out, report->malware);
	put_text(out, country_of(landing, report, organisation));
	put_text(out, report->title);
	put_text(out, report->text);
	put_text(out, report->doc);
	put_observables(out, report->observables, report->observable_count);
	put_numbers(out, keys, report_keys(report, keys));
	put_notes(landing, landed, out);
	put_texts(out, report->tags, report->tag_count);
	put_verdicts(landing, landed);
}

/* The keeper finds what is alike, so that landing does not wait for it. */
static void put_similarities(struct landing *landing, const struct landed *landed)
{
	const struct report *report = &landed->item->report;
	struct rows *rows = &landing->copies[COPY_SIMILARITY];
	for (size_t i = 0; i < report->similarity_count; i++) {
		const struct similarity *similarity = &report->similarities[i];
		rows_start(rows, 5);
		put_i64(&rows->bytes, landed->id);
		put_i16(&rows->bytes, (int)i);
		put_word(&rows->bytes, similarity_name(similarity->kind));
		put_text(&rows->bytes, similarity->part);
		put_text(&rows->bytes, similarity->digest);
	}
}

static void put_link(struct landing *landing, int64_t newer, int64_t older, const char *kind)
{
	struct rows *rows = &landing->copies[COPY_REPORT_LINK];
	rows_start(rows, 3);
	put_i64(&rows->bytes, newer);
	put_i64(&rows->bytes, older);
	put_word(&rows->bytes, kind);
}

/* A machine's statement that came by mail has a document of its own: nobody waits for an answer. */
static enum source_kind kind_of(const struct landed *landed)
{
	enum source_kind kind = landed->source ? landed->source->kind : SOURCE_DESK;
	return kind == SOURCE_MAILBOX && landed->item->report.doc.len > 0 ? SOURCE_FEED : kind;
}

static void put_correlation(struct landing *landing, const struct landed *landed, int32_t organisation)
{
	enum source_kind kind = kind_of(landed);
	struct correlation_facts facts = {
		.kind = kind,
		.type = landed->type,
		.severity = landed->severity,
		.critical = organisation_is_critical(lookup_organisations(landing->lookup), organisation),
	};
	int32_t rule = lookup_rule(landing->lookup, &facts);
	if (!rule)
		return;
	struct rows *rows = &landing->copies[COPY_CORRELATION];
	rows_start(rows, 2);
	put_i64(&rows->bytes, landed->id);
	put_i32(&rows->bytes, rule);
}

static bool names_source_address(const struct report *report)
{
	for (size_t i = 0; i < report->observable_count; i++)
		if (report->observables[i].type == OBSERVABLE_IP &&
			report->observables[i].role == OBSERVED_SOURCE)
			return true;
	return false;
}

/* What a person wrote to us a person answers. Of what is nobody's that we know, a sensor's line costs
 * nothing. */
static void note_notice(struct landing *landing, const struct landed *landed, int32_t organisation)
{
	const struct report *report = &landed->item->report;
	enum source_kind kind = kind_of(landed);
	if (kind == SOURCE_MAILBOX || (kind == SOURCE_DESK && !report->doc.len))
		return;
	if (organisation || report->country.len || (kind != SOURCE_SENSOR && names_source_address(report)))
		landing->notices[landing->notice_count++] = landed->id;
}

/* One row that names them all. */
static void put_arrivals(struct rows *rows, const int64_t *ids, size_t count)
{
	if (!count)
		return;
	rows_start(rows, 1);
	put_numbers(&rows->bytes, ids, count);
}

static void encode_report(struct landing *landing, const struct landed *landed)
{
	const struct organisations *organisations = lookup_organisations(landing->lookup);
	int32_t organisation =
		organisation_of_report(organisations, landed->type, &landed->item->report, landed->time);
	put_report(landing, landed, organisation);
	put_similarities(landing, landed);
	if (!landed_expired(landed)) {
		put_correlation(landing, landed, organisation);
		note_notice(landing, landed, organisation);
		landing->fresh[landing->fresh_count++] = landed->id;
	}
	if (landed->verdict == FOLD_RELAPSE)
		put_link(landing, landed->id, landed->previous, "relapse");
	else if (landed->verdict == FOLD_CONTINUATION)
		put_link(landing, landed->id, landed->previous, "continuation");
}

static void encode_item(struct landing *landing, const struct landed *landed)
{
	static const char *const kinds[] = {
		[ITEM_CORRESPONDENCE] = "correspondence", [ITEM_SPAM] = "spam", [ITEM_CONTEXT] = "context"};
	const struct entry *entry = &landed->ticket->entry;
	const struct item *item = landed->item;
	const struct report *report = &item->report;
	struct rows *rows = &landing->copies[COPY_ITEM];
	struct buf *out = &rows->bytes;
	int64_t keys[REPORT_KEYS];
	size_t key_count = landed->kind == ITEM_CONTEXT ? 0 : report_keys(report, keys);
	rows_start(rows, 18);
	put_i64(out, landed->id);
	put_time(out, entry->received);
	put_i64(out, (int64_t)entry->id.sequence);
	put_uuid(out, entry->id.spool);
	put_i32(out, (int32_t)entry->source);
	put_i32(out, (int32_t)item->number);
	put_i32(out, landed->key.exercise);
	put_word(out, kinds[landed->kind]);
	put_word(out, tlp_name(landed->key.tlp));
	put_text(out, landed->subkind);
	put_text(out, item->part);
	put_text(out, report->sender_id);
	put_text(out, report->title);
	put_text(out, report->text);
	put_text(out, report->doc);
	put_observables(out, report->observables, report->observable_count);
	put_texts(out, report->notes, report->note_count);
	put_numbers(out, keys, key_count);
	/* What a party answers is evidence: who signed it, and what was found in its files. */
	if (landed->kind == ITEM_CORRESPONDENCE)
		put_verdicts(landing, landed);
}

static void put_quarantine(struct landing *landing, const struct ticket *ticket, int64_t item,
	struct str stage, struct str part, struct str reason, const char *sqlstate, struct str bytes)
{
	const struct entry *entry = &ticket->entry;
	struct rows *rows = &landing->copies[COPY_QUARANTINE];
	struct buf *out = &rows->bytes;
	rows_start(rows, 15);
	put_day(out, entry->id.day);
	put_uuid(out, entry->id.spool);
	put_i64(out, (int64_t)entry->id.sequence);
	if (item >= 0)
		put_i32(out, (int32_t)item);
	else
		put_null(out);
	put_time(out, entry->received);
	put_i32(out, (int32_t)entry->source);
	put_i32(out, lookup_exercise(landing->lookup, entry->exercise));
	put_word(out, format_name(entry->format));
	put_text(out, stage);
	put_text(out, part);
	put_text(out, reason);
	put_word(out, sqlstate);
	put_text(out, entry->envelope);
	put_i64(out, (int64_t)bytes.len);
	put_text(out, bytes);
}

/* An item that PostgreSQL refuses goes into quarantine as what its sender wrote, as far as we have it. */
static void encode_quarantined(struct landing *landing, const struct landed *landed)
{
	const struct item *item = landed->item;
	if (item->kind == ITEM_QUARANTINED) {
		put_quarantine(landing, landed->ticket, item->number, item->stage, item->part, item->reason,
			"", item->bytes);
		return;
	}
	const struct report *report = &item->report;
	const char *sqlstate = landed->ticket->refused_items[landed->position];
	struct str bytes = report->doc.len ? report->doc : report->text.len ? report->text : report->title;
	struct str reason =
		arena_printf(landing->arena, "the database refused it with SQLSTATE %s", sqlstate);
	put_quarantine(
		landing, landed->ticket, item->number, STR("store"), item->part, reason, sqlstate, bytes);
}

/* A re-run that fails again stays in the row where it was. */
static void encode_poison(struct landing *landing, const struct ticket *ticket)
{
	struct str reason = ticket->reason.len ? ticket->reason : STR("it could not be read");
	struct str stage = ticket->stage.len ? ticket->stage : STR("triage");
	if (!ticket->entry.rerun)
		put_quarantine(landing, ticket, -1, stage, STR(""), reason, ticket->sqlstate, ticket->bytes);
}

static void encode_fingerprint(struct landing *landing, const struct group *group)
{
	const struct landed *landed = &landing->landed[landing->order[group->first]];
	struct fold_limits limits = {lookup_quiet(landing->lookup, landed->type), landing->limits.max_age};
	const struct fold_state *was = &group->was;
	const struct fold_state *now = &group->now;
	bool raised =
		now->severity > was->severity || now->confidence > was->confidence || now->trust > was->trust;
	if (group->known && now->report == was->report && !raised && !fold_worth_moving(was, now, &limits))
		return;
	struct columns *columns = group->known ? &landing->moved : &landing->made;
	put_uuid(column(columns, 0), landed->key.digest);
	put_i32(column(columns, 1), landed->key.exercise);
	put_word(column(columns, 2), tlp_name(landed->key.tlp));
	put_i32(column(columns, 3), landed->key.scope);
	put_i16(column(columns, 4), now->severity);
	put_i16(column(columns, 5), now->confidence);
	put_i16(column(columns, 6), now->trust);
	put_i64(column(columns, 7), now->report);
	put_time(column(columns, 8), now->first);
	put_time(column(columns, 9), now->last);
	put_time(column(columns, 10), now->last + limits.quiet + REMEMBER);
	if (group->known)
		put_i64(column(columns, 11), was->report);
	columns_next(columns);
	if (!group->known || now->report != was->report || !raised)
		return;
	struct rows *rows = &landing->copies[COPY_RAISE];
	rows_start(rows, 5);
	put_i64(&rows->bytes, now->report);
	put_i32(&rows->bytes, (int32_t)landed->ticket->entry.source);
	put_i16_known(&rows->bytes, now->severity);
	put_i16_known(&rows->bytes, now->confidence);
	put_i16_known(&rows->bytes, now->trust);
}

/* A new report of a family that is known under another TLP or scope is linked to it, and never touches it
 * (trap 10). */
static void encode_siblings(struct landing *landing)
{
	for (size_t i = 0; i < landing->group_count; i++) {
		const struct group *group = &landing->groups[i];
		const struct group *before = i ? group - 1 : NULL;
		if (group->known)
			continue;
		int64_t mine = landing->landed[landing->order[group->first]].id;
		if (group->sibling)
			put_link(landing, mine, group->sibling, "same-incident");
		else if (before && before->family == group->family)
			put_link(landing, mine, before->now.report, "same-incident");
	}
}

struct sight {
	int64_t report;
	int32_t day;
	int32_t source;
	int64_t count;
	int64_t first;
	int64_t last;
	bool fresh; /* its report is new: no such row can be there */
};

static int by_sight(const void *a, const void *b)
{
	const struct sight *left = a;
	const struct sight *right = b;
	if (left->report != right->report)
		return left->report < right->report ? -1 : 1;
	if (left->day != right->day)
		return left->day < right->day ? -1 : 1;
	return (left->source > right->source) - (left->source < right->source);
}

static void put_sight(const struct landing *landing, const struct sight *sight, struct buf *const fields[7])
{
	put_i64(fields[0], sight->report);
	put_day(fields[1], sight->day);
	put_i32(fields[2], sight->source);
	put_i32(fields[3], lookup_node(landing->lookup));
	put_i64(fields[4], sight->count);
	put_time(fields[5], sight->first);
	put_time(fields[6], sight->last);
}

static void encode_sight(struct landing *landing, const struct sight *sight)
{
	struct buf *fields[7];
	if (sight->fresh) {
		struct rows *rows = &landing->copies[COPY_SIGHTING];
		rows_start(rows, 7);
		for (size_t i = 0; i < 7; i++)
			fields[i] = &rows->bytes;
		put_sight(landing, sight, fields);
		return;
	}
	for (size_t i = 0; i < 7; i++)
		fields[i] = column(&landing->seen, i);
	put_sight(landing, sight, fields);
	columns_next(&landing->seen);
}

static struct sight sight_of(const struct landed *landed, bool fresh)
{
	const struct report *report = &landed->item->report;
	return (struct sight){
		.report = landed->id,
		.day = clock_day(landed->time),
		.source = (int32_t)landed->ticket->entry.source,
		.count = report->count > 0 ? report->count : 1,
		.first = landed->time,
		.last = landed->time,
		.fresh = fresh,
	};
}

/* A newer version has been seen no more often than it says; who tells a known one has seen it too. */
static size_t add_versions(const struct landing *landing, struct sight *sights)
{
	size_t count = 0;
	for (size_t i = 0; i < landing->landed_count; i++) {
		const struct landed *landed = &landing->landed[i];
		if (landed->way != WAY_SEEN && (landed->way != WAY_UPDATE || landed->more == 0))
			continue;
		sights[count] =
			sight_of(landed, landed->fellow && landing->landed[landed->fellow - 1].makes_row);
		if (landed->way == WAY_UPDATE)
			sights[count].count = landed->more;
		count++;
	}
	return count;
}

static void encode_sightings(struct landing *landing)
{
	struct sight *sights = arena_alloc(landing->arena, (landing->landed_count + 1) * sizeof *sights);
	size_t count = add_versions(landing, sights);
	for (size_t i = 0; i < landing->group_count; i++)
		for (size_t j = landing->groups[i].first; j < landing->groups[i].end; j++) {
			const struct landed *landed = &landing->landed[landing->order[j]];
			bool fresh = !landing->groups[i].known || landed->id != landing->groups[i].was.report;
			sights[count++] = sight_of(landed, fresh);
		}
	qsort(sights, count, sizeof *sights, by_sight);
	for (size_t i = 0; i < count;) {
		struct sight sum = sights[i++];
		for (; i < count && by_sight(&sum, &sights[i]) == 0; i++) {
			sum.count += sights[i].count;
			sum.first = sights[i].first < sum.first ? sights[i].first : sum.first;
			sum.last = sights[i].last > sum.last ? sights[i].last : sum.last;
		}
		encode_sight(landing, &sum);
	}
}

void landing_encode_rows(struct landing *landing)
{
	static const uint32_t fingerprint[] = {PG_UUID, PG_INT4, PG_TEXT, PG_INT4, PG_INT2, PG_INT2, PG_INT2,
		PG_INT8, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_INT8};
	static const uint32_t sighting[] = {
		PG_INT8, PG_DATE, PG_INT4, PG_INT4, PG_INT8, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ};
	columns_begin(&landing->made, fingerprint, ARRAY_LEN(fingerprint) - 1);
	columns_begin(&landing->moved, fingerprint, ARRAY_LEN(fingerprint));
	columns_begin(&landing->seen, sighting, ARRAY_LEN(sighting));
	landing->notices = arena_alloc(landing->arena, (landing->landed_count + 1) * sizeof(int64_t));
	landing->notice_count = 0;
	landing->fresh = arena_alloc(landing->arena, (landing->landed_count + 1) * sizeof(int64_t));
	landing->fresh_count = 0;
	for (size_t i = 0; i < landing->landed_count; i++) {
		const struct landed *landed = &landing->landed[i];
		if (landed->is_report && landed->makes_row)
			encode_report(landing, landed);
		else if (landed->makes_row)
			encode_item(landing, landed);
		else if (!landed->is_report && landed->way == WAY_OWN)
			encode_quarantined(landing, landed);
	}
	put_arrivals(&landing->copies[COPY_NOTICE], landing->notices, landing->notice_count);
	put_arrivals(&landing->copies[COPY_INBOX], landing->fresh, landing->fresh_count);
	for (size_t i = 0; i < landing->ticket_count; i++)
		if (landing->tickets[i]->poison)
			encode_poison(landing, landing->tickets[i]);
	for (size_t i = 0; i < landing->group_count; i++)
		encode_fingerprint(landing, &landing->groups[i]);
	encode_siblings(landing);
	encode_sightings(landing);
}
