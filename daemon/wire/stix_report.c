#include "wire/stix_report.h"

#include "base/clock.h"
#include "base/mem.h"
#include "model/storable.h"
#include "wire/stix_class.h"
#include "wire/stix_marking.h"
#include "wire/stix_observe.h"

#define INCIDENT_CORE "extension-definition--ef765651-680c-498d-9894-99799f2fa126"

static const struct {
	const char *type;
	const char *times[4]; /* when it happened: the first that is there */
} reports[] = {
	{"indicator", {"valid_from", "modified", "created"}},
	{"sighting", {"first_seen", "last_seen", "modified", "created"}},
	{"observed-data", {"first_observed", "modified", "created"}},
	{"incident", {"first_seen", "modified", "created"}},
	{"report", {"published", "modified", "created"}},
	{"grouping", {"modified", "created"}},
};

bool stix_is_report(struct str type)
{
	for (size_t i = 0; i < ARRAY_LEN(reports); i++)
		if (str_equal(type, str_of(reports[i].type)))
			return true;
	return false;
}

/* --- what all have --- */

static struct str text_in(struct reading *reading, struct str text, size_t max)
{
	return arena_str(reading->arena, storable_text(text, max, reading->arena, NULL));
}

static struct str lower_in(struct reading *reading, struct str text)
{
	struct str copy = text_in(reading, text, MAX_IDENTIFIER);
	char *p = arena_alloc(reading->arena, copy.len + 1);

	for (size_t i = 0; i < copy.len; i++)
		p[i] = (char)(copy.p[i] >= 'A' && copy.p[i] <= 'Z' ? copy.p[i] + 32 : copy.p[i]);
	return (struct str){p, copy.len};
}

static void take_labels(struct reading *reading, struct report *report, const struct json_object *object)
{
	struct json_object *labels = json_of(object, "labels", json_type_array);

	for (size_t i = 0; labels && i < json_object_array_length(labels) && i < 100; i++)
		reading_tag(reading, report, json_value_text(json_object_array_get_idx(labels, i)));
}

/* A CVE among the external references is what exactly the report is about. */
static void take_external(struct reading *reading, struct report *report, const struct json_object *object)
{
	struct json_object *list = json_of(object, "external_references", json_type_array);

	for (size_t i = 0; list && i < json_object_array_length(list) && i < 1000; i++) {
		struct str id = json_text(json_object_array_get_idx(list, i), "external_id");
		if (id.len == 0 ||
			!reading_observable(reading, report, OBSERVABLE_CVE, OBSERVED_INDICATOR, id))
			continue;
		if (report->identifier.len == 0)
			report->identifier = lower_in(reading, id);
	}
}

static void take_time(struct report *report, const struct json_object *object)
{
	struct str type = json_text(object, "type");

	for (size_t i = 0; i < ARRAY_LEN(reports); i++) {
		if (!str_equal(type, str_of(reports[i].type)))
			continue;
		for (size_t t = 0; t < ARRAY_LEN(reports[i].times) && reports[i].times[t]; t++)
			if (clock_parse(json_text(object, reports[i].times[t]), &report->observed))
				return;
	}
}

static void take_count(struct report *report, const struct json_object *object, const char *key)
{
	struct json_object *count = json_of(object, key, json_type_int);

	if (count && json_object_get_int64(count) > 0)
		report->count = json_object_get_int64(count);
}

static void take_malware(struct reading *reading, struct report *report, const struct json_object *object)
{
	if (!str_equal(json_text(object, "type"), STR("malware")) || json_text(object, "name").len == 0)
		return;
	report->malware = lower_in(reading, json_text(object, "name"));
	reading_observable(
		reading, report, OBSERVABLE_MALWARE, OBSERVED_INDICATOR, json_text(object, "name"));
}

/* --- one function per kind --- */

static void indicator(struct stix_observing *observing, struct json_object *object)
{
	struct report *report = observing->report;
	struct str language = json_text(object, "pattern_type");
	struct str pattern = json_text(object, "pattern");
	struct json_object *target;
	struct err err = {0};

	if (!clock_parse(json_text(object, "valid_until"), &report->valid_until))
		report->valid_until = 0;
	if (language.len > 0 && !str_equal(language, STR("stix")))
		reading_note(observing->reading, report,
			"the pattern is in " STR_FMT " and was kept, not read",
			STR_ARG(utf8_cut(language, 40)));
	else if (!stix_observe_pattern(observing, pattern, &err))
		reading_note(observing->reading, report, "the pattern cannot be read: %s", err.text);
	if (report->title.len == 0)
		report->title = text_in(observing->reading, pattern, 200);
	target = stix_index_indicated(observing->index, json_text(object, "id"));
	if (target) {
		take_malware(observing->reading, report, target);
		take_external(observing->reading, report, target);
		stix_classify(report, target);
	}
	json_object_put(target);
}

static void sighting(struct stix_observing *observing, struct json_object *object)
{
	struct json_object *seen = stix_index_get(observing->index, json_text(object, "sighting_of_ref"));
	struct str name = STR_NONE;

	take_count(observing->report, object, "count");
	if (seen) {
		name = json_text(seen, "name").len > 0 ? json_text(seen, "name") : json_text(seen, "pattern");
		take_malware(observing->reading, observing->report, seen);
		stix_classify(observing->report, seen);
		observing->role = OBSERVED_INDICATOR;
		stix_observe(observing, seen);
		observing->role = OBSERVED_UNKNOWN;
	}
	stix_observe(observing, object);
	if (name.len == 0)
		name = json_text(object, "sighting_of_ref");
	observing->report->title = arena_printf(observing->reading->arena, "Sighting of " STR_FMT,
		STR_ARG(storable_text(utf8_cut(name, 300), 300, observing->reading->arena, NULL)));
	json_object_put(seen);
}

static void observed_data(struct stix_observing *observing, struct json_object *object)
{
	struct report *report = observing->report;

	take_count(report, object, "number_observed");
	stix_observe(observing, object);
	if (report->title.len > 0)
		return;
	if (report->observable_count > 0)
		report->title = arena_printf(observing->reading->arena, "Observed " STR_FMT,
			STR_ARG(utf8_cut(report->observables[0].value, 300)));
	else
		report->title = STR("Observed data");
}

static void incident(struct stix_observing *observing, struct json_object *object)
{
	struct json_object *extensions = json_of(object, "extensions", json_type_object);
	struct json_object *core = extensions ? json_of(extensions, INCIDENT_CORE, json_type_object) : NULL;
	struct json_object *criticality = core ? json_of(core, "criticality", json_type_int) : NULL;
	int64_t value = criticality ? json_object_get_int64(criticality) : -1;

	if (value >= 0 && value <= 100)
		observing->report->severity = (int)value;
	if (core)
		stix_classify_list(observing->report, core, "incident_types");
}

/* A report or a grouping is about what it names. */
static void collection(struct stix_observing *observing, struct json_object *object)
{
	struct json_object *refs = json_of(object, "object_refs", json_type_array);

	stix_observe_refs(observing, refs);
	for (size_t i = 0; refs && i < json_object_array_length(refs) && i < 1000; i++) {
		struct str id = json_value_text(json_object_array_get_idx(refs, i));
		struct json_object *part;
		if (observing->report->malware.len > 0 || !str_starts(id, STR("malware--")))
			continue;
		part = stix_index_get(observing->index, id);
		if (part)
			take_malware(observing->reading, observing->report, part);
		json_object_put(part);
	}
	if (observing->report->title.len == 0)
		observing->report->title =
			text_in(observing->reading, json_text(object, "context"), MAX_TITLE);
}

static const struct {
	const char *type;
	enum observable_role role;
	void (*fill)(struct stix_observing *observing, struct json_object *object);
} fillers[] = {
	{"indicator", OBSERVED_INDICATOR, indicator},
	{"sighting", OBSERVED_UNKNOWN, sighting},
	{"observed-data", OBSERVED_UNKNOWN, observed_data},
	{"incident", OBSERVED_UNKNOWN, incident},
	{"report", OBSERVED_UNKNOWN, collection},
	{"grouping", OBSERVED_UNKNOWN, collection},
};

static void fill_report(
	struct reading *reading, struct report *report, struct stix_index *index, struct json_object *object)
{
	struct str type = json_text(object, "type");
	struct json_object *confidence = json_of(object, "confidence", json_type_int);
	struct stix_observing observing = {.reading = reading, .report = report, .index = index};
	bool spent = stix_index_spent(index);

	if (confidence)
		report->confidence = (int)json_object_get_int64(confidence);
	report->tlp = stix_tlp(index, object);
	take_time(report, object);
	take_labels(reading, report, object);
	stix_classify(report, object);
	take_external(reading, report, object);
	for (size_t i = 0; i < ARRAY_LEN(fillers); i++) {
		if (!str_equal(type, str_of(fillers[i].type)))
			continue;
		observing.role = fillers[i].role;
		fillers[i].fill(&observing, object);
	}
	stix_classify_rest(report, object);
	if (!spent && stix_index_spent(index))
		reading_note(reading, report,
			"the bundle's references are too many to follow; some objects were not resolved");
}

void stix_report(struct reading *reading, struct report *report, struct stix_index *index,
	struct json_object *object, struct str text)
{
	struct str type = json_text(object, "type");

	report->sender_id = text_in(reading, json_text(object, "id"), MAX_IDENTIFIER);
	report->global_id = true;
	report->doc = arena_str(reading->arena, text);
	report->title = text_in(reading, json_text(object, "name"), MAX_TITLE);
	report->text = text_in(reading, json_text(object, "description"), MAX_TEXT);
	stix_marking_notes(reading, report, index, object);
	if (stix_is_report(type))
		fill_report(reading, report, index, object);
	if (report->title.len == 0)
		report->title = text_in(reading, json_text(object, "value"), MAX_TITLE);
	if (report->title.len == 0)
		report->title = text_in(reading, type, MAX_TITLE);
}
