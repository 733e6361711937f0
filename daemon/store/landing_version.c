#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/landing.h"

/* Which version of a STIX object holds (STIX 2.1 section 3.6), and what that does to its report. */

static int by_text(struct str a, struct str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.p, b.p, len) : 0;
	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int32_t exercise_of(const struct landing *landing, const struct version *version)
{
	return landing->landed[version->landed].key.exercise;
}

static int by_key(const struct landing *landing, const struct version *a, const struct version *b)
{
	int order = by_text(a->object->id, b->object->id);
	if (order)
		return order;
	if (exercise_of(landing, a) != exercise_of(landing, b))
		return exercise_of(landing, a) < exercise_of(landing, b) ? -1 : 1;
	return (a->scope > b->scope) - (a->scope < b->scope);
}

static int by_key_and_arrival(const void *a, const void *b, void *context)
{
	const struct landing *landing = context;
	const struct version *left = &landing->versions[*(const size_t *)a];
	const struct version *right = &landing->versions[*(const size_t *)b];
	int order = by_key(landing, left, right);
	return order ? order : (left > right) - (left < right);
}

static struct version *version_at(const struct landing *landing, size_t place)
{
	return &landing->versions[landing->version_order[place]];
}

/* --- which there are --- */

static void add_version(struct landing *landing, const struct stix_object *object, struct landed *landed)
{
	size_t index = (size_t)(landed - landing->landed);
	size_t count = landing->version_count++;
	struct version *version = &landing->versions[count];

	*version = (struct version){.object = object,
		.landed = index,
		.scope = landed->source && landed->source->restricted ? (int32_t)landed->ticket->entry.source
	                                                              : 0,
		.only = count == 0 || landing->versions[count - 1].landed != index,
		.report = -1 - (int64_t)index};
	if (!clock_parse(object->version, &version->modified))
		version->modified = 0;
	landing->version_order[count] = count;
}

static size_t count_objects(const struct landing *landing)
{
	size_t count = 0;
	for (size_t i = 0; i < landing->ticket_count; i++)
		for (size_t j = 0; j < landing->tickets[i]->finding_count; j++)
			count += landing->tickets[i]->findings[j].object_count;
	return count;
}

/* What went into quarantine is there, and not here. */
static void add_versions(struct landing *landing, size_t place)
{
	const struct ticket *ticket = landing->tickets[place];
	for (size_t i = 0; !ticket->poison && i < ticket->finding_count; i++)
		for (size_t j = 0; j < ticket->findings[i].object_count; j++) {
			const struct stix_object *object = &ticket->findings[i].objects[j];
			struct landed *landed = landing_item(landing, place, object->item);
			if (landed && landed->makes_row)
				add_version(landing, object, landed);
		}
}

static void put_known(struct landing *landing, const struct version *version)
{
	struct columns *columns = &landing->known_versions;
	put_text(column(columns, 0), version->object->id);
	put_i32(column(columns, 1), exercise_of(landing, version));
	put_i32(column(columns, 2), version->scope);
	put_text(column(columns, 3), version->object->version);
	put_i32(column(columns, 4), (int32_t)landing->landed[version->landed].ticket->entry.source);
	columns_next(columns);
}

void landing_versions(struct landing *landing)
{
	static const uint32_t types[] = {PG_TEXT, PG_INT4, PG_INT4, PG_TEXT, PG_INT4};
	size_t most = count_objects(landing) + 1;

	landing->versions = arena_alloc(landing->arena, most * sizeof *landing->versions);
	landing->version_order = arena_alloc(landing->arena, most * sizeof *landing->version_order);
	landing->version_groups = arena_alloc(landing->arena, most * sizeof *landing->version_groups);
	for (size_t i = 0; i < landing->ticket_count; i++)
		add_versions(landing, i);
	columns_begin(&landing->known_versions, types, ARRAY_LEN(types));
	qsort_r(landing->version_order, landing->version_count, sizeof *landing->version_order,
		by_key_and_arrival, landing);
	for (size_t i = 0; i < landing->version_count; i++) {
		const struct version *version = version_at(landing, i);
		put_known(landing, version);
		if (i == 0 || by_key(landing, version_at(landing, i - 1), version))
			landing->version_groups[landing->version_group_count++] =
				(struct version_group){.first = i};
		landing->version_groups[landing->version_group_count - 1].end = i + 1;
	}
}

static struct version_group *group_at(struct landing *landing, size_t place)
{
	size_t low = 0;
	size_t high = landing->version_group_count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (landing->version_groups[middle].first <= place)
			low = middle;
		else
			high = middle;
	}
	return &landing->version_groups[low];
}

void landing_version_known(struct landing *landing, size_t place, bool had, const struct version_state *state)
{
	struct version_group *group;
	if (place >= landing->version_count)
		return;
	version_at(landing, place)->had = had;
	group = group_at(landing, place);
	if (group->was.known)
		return;
	group->was = *state;
	group->was.version = arena_str(landing->arena, state->version);
	group->was.created_by = arena_str(landing->arena, state->created_by);
}

/* --- what holds --- */

static int trust_of(const struct landed *landed)
{
	return landed->source ? landed->source->trust : 0;
}

static int32_t source_of(const struct landed *landed)
{
	return (int32_t)landed->ticket->entry.source;
}

static bool same_content(const struct version_state *state, const struct stix_object *object)
{
	static const uint8_t unknown[FINGERPRINT_LEN];
	return memcmp(state->digest, unknown, FINGERPRINT_LEN) == 0 ||
	       memcmp(object->digest, unknown, FINGERPRINT_LEN) == 0 ||
	       memcmp(state->digest, object->digest, FINGERPRINT_LEN) == 0;
}

/* Only its creator makes versions of an object. Who that is, each source says itself: so one that is trusted
 * less than the one we have it from does not change it either. */
static bool may_change(
	const struct version_state *state, const struct version *version, const struct landed *landed)
{
	struct str creator = version->object->created_by;
	if (state->revoked)
		return false;
	if (creator.len && state->created_by.len && !str_equal(creator, state->created_by))
		return false;
	return source_of(landed) == state->source || trust_of(landed) >= state->trust;
}

/* Under the version that holds: some revoke without a new time of modification. What is revoked stays so, so
 * that the order in which the two come does not matter. */
static bool revokes(
	const struct version_state *state, const struct version *version, const struct landed *landed)
{
	return version->object->revoked && may_change(state, version, landed);
}

static enum version_verdict judge(
	const struct version_state *state, const struct version *version, const struct landed *landed)
{
	if (!state->known)
		return VERSION_FIRST;
	if (version->modified < state->modified)
		return VERSION_STALE;
	if (version->modified > state->modified)
		return may_change(state, version, landed) ? VERSION_NEWER : VERSION_REFUSED;
	/* What has no versions is named by what it is. */
	if (version->modified && !same_content(state, version->object))
		return revokes(state, version, landed) ? VERSION_NEWER : VERSION_CONFLICT;
	return version->had || source_of(landed) == state->source ? VERSION_AGAIN : VERSION_KNOWN;
}

static void take_over(struct version_state *state, const struct version *version, const struct landed *landed)
{
	const struct stix_object *object = version->object;
	*state = (struct version_state){
		.known = true,
		.revoked = object->revoked,
		.version = object->version,
		.created_by = object->created_by.len ? object->created_by : state->created_by,
		.modified = version->modified,
		.count = landed->item->report.count,
		.trust = trust_of(landed),
		.source = source_of(landed),
		.report = state->report,
		.tlp = state->tlp,
	};
	memcpy(state->digest, object->digest, FINGERPRINT_LEN);
}

static void join_report(struct landed *landed, const struct version_state *state, enum landed_way way)
{
	landed->way = way;
	landed->makes_row = false;
	landed->verdict = FOLD_AGAIN;
	landed->id = state->report;
	landed->fellow = state->report < 0 ? (size_t)-state->report : 0;
}

static void become_report(struct version_state *state, size_t index, const struct landed *landed)
{
	state->report = -1 - (int64_t)index;
	state->tlp = landed->is_report ? landed->key.tlp : TLP_UNSTATED;
}

static void land_newer(struct version_state *state, const struct version *version, struct landed *landed)
{
	int64_t more = landed->item->report.count - state->count;
	take_over(state, version, landed);
	if (version->object->revoked && state->tlp)
		return; /* its own row tells of the revocation; the report is the one that it revokes */
	if (!landed->is_report || state->tlp != landed->key.tlp) {
		become_report(state, version->landed, landed);
		return;
	}
	join_report(landed, state, WAY_UPDATE);
	landed->more = more > 0 ? more : 0;
}

static void decide(struct landing *landing, struct version_group *group, struct version *version)
{
	struct landed *landed = &landing->landed[version->landed];
	struct version_state *state = &group->now;
	if (!version->only)
		return;
	version->verdict = judge(state, version, landed);
	switch (version->verdict) {
	case VERSION_FIRST:
		take_over(state, version, landed);
		become_report(state, version->landed, landed);
		break;
	case VERSION_NEWER:
		land_newer(state, version, landed);
		break;
	case VERSION_KNOWN:
		if (!landed->is_report || state->revoked)
			join_report(landed, state, WAY_PASSED);
		else if (state->tlp == landed->key.tlp)
			join_report(landed, state, WAY_SEEN);
		break;
	default:
		join_report(landed, state, WAY_PASSED);
	}
	if (landed->way != WAY_OWN || (version->object->revoked && state->tlp))
		version->report = state->report;
}

void landing_decide_versions(struct landing *landing)
{
	for (size_t i = 0; i < landing->version_group_count; i++) {
		struct version_group *group = &landing->version_groups[i];
		group->now = group->was;
		for (size_t j = group->first; j < group->end; j++)
			decide(landing, group, version_at(landing, j));
	}
}

void landing_resolve_versions(struct landing *landing)
{
	for (size_t i = 0; i < landing->version_count; i++)
		landing->versions[i].report = landing_resolved(landing, landing->versions[i].report);
	for (size_t i = 0; i < landing->version_group_count; i++)
		landing->version_groups[i].now.report =
			landing_resolved(landing, landing->version_groups[i].now.report);
}

/* --- rows --- */

static void put_state(
	struct columns *columns, const struct landing *landing, const struct version_group *group)
{
	const struct version *first = version_at(landing, group->first);
	const struct version_state *now = &group->now;
	put_text(column(columns, 0), first->object->id);
	put_i32(column(columns, 1), exercise_of(landing, first));
	put_i32(column(columns, 2), first->scope);
	put_time(column(columns, 3), now->modified);
	put_text(column(columns, 4), now->version);
	put_text(column(columns, 5), now->created_by);
	put_bool(column(columns, 6), now->revoked);
	put_uuid(column(columns, 7), now->digest);
	put_i64(column(columns, 8), now->count);
	put_i16(column(columns, 9), now->trust);
	put_i32(column(columns, 10), now->source);
	put_i64_known(column(columns, 11), now->report);
	if (now->tlp)
		put_word(column(columns, 12), tlp_name(now->tlp));
	else
		put_null(column(columns, 12));
	if (group->was.known)
		put_text(column(columns, 13), group->was.version);
	columns_next(columns);
}

static void encode_states(struct landing *landing)
{
	for (size_t i = 0; i < landing->version_group_count; i++) {
		const struct version_group *group = &landing->version_groups[i];
		if (!group->was.known && group->now.known)
			put_state(&landing->versions_made, landing, group);
		else if (group->now.modified != group->was.modified ||
			 group->now.revoked != group->was.revoked)
			put_state(&landing->versions_moved, landing, group);
	}
}

static int32_t organisation_in(const struct landing *landing, const struct landed *landed)
{
	return organisation_of_report(
		lookup_organisations(landing->lookup), landed->type, &landed->item->report, landed->time);
}

static void put_organisation(struct buf *out, int32_t organisation)
{
	if (organisation)
		put_i32(out, organisation);
	else
		put_null(out);
}

static void put_revision(struct landing *landing, const struct version *version, int64_t report,
	const char *kind, int64_t newer, int32_t organisation)
{
	struct rows *rows = &landing->copies[COPY_REVISION];
	struct buf *out = &rows->bytes;
	rows_start(rows, 7);
	put_i64(out, report);
	put_word(out, kind);
	put_text(out, version->object->id);
	put_text(out, version->object->version);
	put_i32(out, source_of(&landing->landed[version->landed]));
	put_i64_known(out, newer);
	put_organisation(out, organisation);
}

static void put_report_version(struct landing *landing, const struct version *version, int32_t organisation)
{
	const struct landed *landed = &landing->landed[version->landed];
	const struct report *report = &landed->item->report;
	struct rows *rows = &landing->copies[COPY_VERSION];
	struct buf *out = &rows->bytes;
	int64_t keys[REPORT_KEYS];
	rows_start(rows, 10);
	put_i64(out, landed->id);
	put_text(out, version->object->id);
	put_text(out, version->object->version);
	put_i32(out, source_of(landed));
	put_time(out, landed->ticket->entry.received);
	put_organisation(out, organisation);
	put_text(out, report->title);
	put_observables(out, report->observables, report->observable_count);
	put_numbers(out, keys, report_keys(report, keys));
	put_notes(landing, landed, out);
}

/* The keeper raises the report, if this is more than it knew. */
static void put_raise(struct landing *landing, const struct landed *landed)
{
	struct rows *rows = &landing->copies[COPY_RAISE];
	rows_start(rows, 5);
	put_i64(&rows->bytes, landed->id);
	put_i32(&rows->bytes, source_of(landed));
	put_i16_known(&rows->bytes, landed->severity);
	put_i16_known(&rows->bytes, landed->item->report.confidence);
	put_i16_known(&rows->bytes, trust_of(landed));
}

/* before: the report as it was before this version; 0 = there was none. */
static void encode_version(struct landing *landing, const struct version *version, int64_t before)
{
	const struct landed *landed = &landing->landed[version->landed];
	if (landed->way == WAY_UPDATE) {
		int32_t organisation = organisation_in(landing, landed);
		put_report_version(landing, version, organisation);
		put_revision(landing, version, landed->id, "updated", 0, organisation);
	}
	if (landed->way == WAY_UPDATE || landed->way == WAY_SEEN)
		put_raise(landing, landed);
	if (!before)
		return;
	if (version->verdict == VERSION_NEWER && version->object->revoked)
		put_revision(landing, version, before, "revoked", 0, 0);
	else if (version->verdict == VERSION_NEWER && landed->way == WAY_OWN && landed->id != before)
		put_revision(landing, version, before, "replaced", landed->id, 0);
	else if (version->verdict == VERSION_REFUSED && !version->had)
		put_revision(landing, version, before, "refused", 0, 0);
	else if (version->verdict == VERSION_CONFLICT && !version->had)
		put_revision(landing, version, before, "conflict", 0, 0);
}

/* The report that each version of a group found, as the versions before it left it. */
static void encode_group(struct landing *landing, const struct version_group *group)
{
	int64_t report = group->was.tlp ? group->was.report : 0;
	for (size_t i = group->first; i < group->end; i++) {
		const struct version *version = version_at(landing, i);
		const struct landed *landed = &landing->landed[version->landed];
		bool holds = version->verdict == VERSION_FIRST || version->verdict == VERSION_NEWER;
		if (!version->only)
			continue;
		encode_version(landing, version, report);
		if (holds && landed->is_report)
			report = landed->id;
	}
}

void landing_encode_versions(struct landing *landing)
{
	static const uint32_t types[] = {PG_TEXT, PG_INT4, PG_INT4, PG_TIMESTAMPTZ, PG_TEXT, PG_TEXT, PG_BOOL,
		PG_UUID, PG_INT8, PG_INT2, PG_INT4, PG_INT8, PG_TEXT, PG_TEXT};
	columns_begin(&landing->versions_made, types, ARRAY_LEN(types) - 1);
	columns_begin(&landing->versions_moved, types, ARRAY_LEN(types));
	encode_states(landing);
	for (size_t i = 0; i < landing->version_group_count; i++)
		encode_group(landing, &landing->version_groups[i]);
}
