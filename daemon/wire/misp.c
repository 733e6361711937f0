/*
 * MISP events (the core format of MISP): a file of a feed {"Event": …}, the answer of restSearch
 * {"response": [{"Event": …}, …]}, or a list of events. The event is context, kept whole; each of its
 * objects, and each attribute outside of one that is an observable, is a report. Attributes that are none
 * stay in the event. Text is cut before it is parsed, so that memory follows the largest attribute, not the
 * event.
 */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/storable.h"
#include "wire/json_cut.h"
#include "wire/json_read.h"
#include "wire/misp_report.h"

#define STAGE          "misp"
#define EVENT_MAX_META 65536u /* a member of an event that is read for what it says of all */

struct events {
	struct reading *reading;
	struct arena *arena; /* of the event in hand; outlives flushes */
	struct misp_event event;
	uint32_t item; /* of the event in hand */
	size_t number;
	size_t depth;
	bool full;
	const char *end;
};

/* What is said of the event */

static struct str scalar(struct events *events, struct str value)
{
	struct json_object *object = NULL;
	struct str text = STR("");

	if (value.len <= EVENT_MAX_META && json_read(value, events->depth, &object, NULL)) {
		if (json_object_is_type(object, json_type_string))
			text = arena_str(events->arena, json_value_text(object));
		else if (json_object_is_type(object, json_type_int))
			text = arena_printf(events->arena, "%lld", (long long)json_object_get_int64(object));
	}
	json_object_put(object);
	return text;
}

static void event_member(struct events *events, struct str key, struct str value)
{
	static const int severities[] = {70, 50, 30}; /* threat level: high, medium, low */
	struct misp_event *event = &events->event;
	struct json_object *object = NULL;
	uint64_t level = 0;

	if (str_equal(key, STR("uuid"))) {
		event->uuid = utf8_cut(scalar(events, value), 64);
	} else if (str_equal(key, STR("info"))) {
		event->info = scalar(events, value);
	} else if (str_equal(key, STR("date"))) {
		struct str day = scalar(events, value);
		clock_parse(arena_printf(events->arena, STR_FMT "T00:00:00Z", STR_ARG(utf8_cut(day, 10))),
			&event->date);
	} else if (str_equal(key, STR("threat_level_id"))) {
		if (str_to_u64(scalar(events, value), &level) && level >= 1 && level <= ARRAY_LEN(severities))
			event->severity = severities[level - 1];
	} else if (value.len <= EVENT_MAX_META &&
		   (str_equal(key, STR("Orgc")) || str_equal(key, STR("Tag"))) &&
		   json_read(value, events->depth, &object, NULL)) {
		if (json_object_is_type(object, json_type_object))
			event->organisation = arena_str(events->arena, json_text(object, "name"));
		else if (json_object_is_type(object, json_type_array))
			misp_tags(object, events->arena, &event->tags, &event->tag_count);
		json_object_put(object);
	}
}

static void event_item(struct events *events, struct str text, const char *part)
{
	struct reading *reading = events->reading;
	struct item *item = reading_item(reading, ITEM_CONTEXT);

	events->item = item->number;
	item->part = arena_str(reading->arena, str_of(part));
	misp_event_apply(reading, &item->report, &events->event);
	item->report.sender_id =
		arena_str(reading->arena, storable_text(events->event.uuid, 64, reading->arena, NULL));
	if (events->event.organisation.len > 0)
		item->report.text =
			arena_str(reading->arena, storable_text(arena_printf(reading->arena, "by " STR_FMT,
									STR_ARG(events->event.organisation)),
							  MAX_TEXT, reading->arena, NULL));
	if (text.len <= MAX_DOC && storable_is(text, MAX_DOC))
		item->report.doc = text;
	else
		reading_evidence(reading, item->number, STR("event.json"), STR("application/json"), text);
}

/* Attributes and objects */

static void quarantine(struct events *events, struct str part, struct str piece, const char *reason)
{
	reading_quarantine(events->reading, part, STAGE, piece, "%s", reason);
}

static void report_item(struct events *events, struct report *report, struct str part, struct str piece)
{
	struct reading *reading = events->reading;
	struct item *item = reading_item(reading, ITEM_REPORT);

	report->doc = piece;
	item->part = part;
	item->report = *report;
	reading_part(reading, item->number, PART_EVENT, STR("doc"), STR("application/json"), piece);
}

static enum misp_value attribute_report(
	struct events *events, struct report *report, struct json_object *attribute)
{
	enum misp_value value = misp_attribute_observe(events->reading, report, attribute);

	if (value == MISP_TAKEN)
		misp_member_apply(events->reading, report, attribute, json_text(attribute, "type"),
			json_text(attribute, "value"));
	return value;
}

static bool object_attribute(struct events *events, struct report *report, struct json_object *attribute)
{
	struct str *tags;
	size_t count;

	if (misp_flag(attribute, "deleted") ||
		misp_attribute_observe(events->reading, report, attribute) != MISP_TAKEN)
		return false;
	if (misp_flag(attribute, "to_ids"))
		reading_tag(events->reading, report, STR("misp:to_ids=\"true\""));
	misp_tags(json_of(attribute, "Tag", json_type_array), events->reading->arena, &tags, &count);
	for (size_t i = 0; i < count; i++)
		misp_tag_apply(events->reading, report, tags[i]);
	return true;
}

/* The values of an object belong together: one report. */
static enum misp_value object_report(struct events *events, struct report *report, struct json_object *object)
{
	struct json_object *list = json_of(object, "Attribute", json_type_array);
	struct str first = STR("");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *attribute = json_object_array_get_idx(list, i);

		if (json_object_is_type(attribute, json_type_object) &&
			object_attribute(events, report, attribute) && first.len == 0)
			first = json_text(attribute, "value");
	}
	if (report->observable_count == 0)
		return MISP_OTHER;
	misp_member_apply(events->reading, report, object, json_text(object, "name"), first);
	return MISP_TAKEN;
}

typedef enum misp_value member_fn(struct events *events, struct report *report, struct json_object *member);

static void read_member(struct events *events, struct str part, struct str piece, member_fn *read)
{
	struct reading *reading = events->reading;
	struct report report = {.severity = -1, .confidence = -1, .count = 1, .observed = CLOCK_UNKNOWN};
	struct json_object *member = NULL;
	struct err err;

	if (piece.len > reading->limits->max_line) {
		quarantine(events, part, piece, "it is longer than what is read of one attribute or object");
		return;
	}
	if (!json_read(piece, events->depth, &member, &err)) {
		quarantine(events, part, piece, err.text);
		return;
	}
	if (!json_object_is_type(member, json_type_object)) {
		quarantine(events, part, piece, "expected an attribute or object of MISP");
	} else if (!misp_flag(member, "deleted")) {
		misp_event_apply(reading, &report, &events->event);
		switch (read(events, &report, member)) {
		case MISP_TAKEN:
			report_item(events, &report, part, piece);
			break;
		case MISP_WRONG:
			quarantine(events, part, piece, "expected a value of the attribute's type");
			break;
		case MISP_OTHER:
			break;
		}
	}
	json_object_put(member);
}

static void read_members(struct events *events, struct str list, const char *name, member_fn *read)
{
	struct reading *reading = events->reading;
	struct str piece, reason;

	if (!json_open(&list, '['))
		return;
	for (size_t i = 0; !events->full && json_element(&list, events->depth, &piece) == JSON_STEP_VALUE;
		i++) {
		struct str part =
			arena_printf(reading->arena, "events[%zu].%s[%zu]", events->number, name, i);

		if (reading->at)
			reading->at(reading, reading->next_item, STAGE);
		events->full = reading_is_full(reading, &reason);
		if (events->full)
			reading_quarantine(reading, part, STAGE,
				(struct str){piece.p, (size_t)(events->end - piece.p)}, STR_FMT,
				STR_ARG(reason));
		else if (reading->left_out && reading->left_out(reading, reading->next_item, &reason))
			reading_quarantine(reading, part, STAGE, piece, STR_FMT, STR_ARG(reason));
		else
			read_member(events, part, piece, read);
		reading_flush(reading);
	}
}

/* Events */

static void event_begin(struct events *events)
{
	arena_reset(events->arena);
	events->event = (struct misp_event){.date = CLOCK_UNKNOWN, .severity = -1};
}

/* False: it is not an object whose members can be told apart. */
static bool read_event(struct events *events, struct str text)
{
	struct reading *reading = events->reading;
	struct str rest = text, key, value, part, reason;
	enum json_step step;

	event_begin(events);
	if (!json_open(&rest, '{'))
		return false;
	while ((step = json_member(&rest, events->depth, &key, &value)) == JSON_STEP_VALUE)
		event_member(events, key, value);
	if (step != JSON_STEP_END)
		return false;
	part = arena_printf(events->arena, "events[%zu]", events->number);
	if (reading->at)
		reading->at(reading, reading->next_item, STAGE);
	if (reading->left_out && reading->left_out(reading, reading->next_item, &reason)) {
		reading_quarantine(reading, part, STAGE, text, STR_FMT, STR_ARG(reason));
		return true;
	}
	event_item(events, text, part.p);
	rest = text;
	json_open(&rest, '{');
	while (!events->full && json_member(&rest, events->depth, &key, &value) == JSON_STEP_VALUE) {
		if (str_equal(key, STR("Attribute")))
			read_members(events, value, "Attribute", attribute_report);
		else if (str_equal(key, STR("Object")))
			read_members(events, value, "Object", object_report);
	}
	return true;
}

/* {"Event": …}, or the event itself. */
static void read_wrapped(struct events *events, struct str piece)
{
	struct str rest = piece, key, value, event = STR("");
	bool good = json_open(&rest, '{');

	while (good && json_member(&rest, events->depth, &key, &value) == JSON_STEP_VALUE) {
		if (str_equal(key, STR("Event")))
			event = value;
		else if (str_equal(key, STR("Attribute")) || str_equal(key, STR("Object")))
			event = event.len > 0 ? event : piece;
	}
	if (event.len == 0 || !read_event(events, event))
		reading_quarantine(events->reading,
			arena_printf(events->reading->arena, "events[%zu]", events->number), STAGE, piece,
			"expected an event of MISP");
	events->number++;
	reading_flush(events->reading);
}

static bool read_list(struct events *events, struct str list, struct err *err)
{
	struct str piece;
	enum json_step step = JSON_STEP_END;

	json_open(&list, '[');
	while (!events->full && (step = json_element(&list, events->depth, &piece)) == JSON_STEP_VALUE)
		read_wrapped(events, piece);
	if (step == JSON_STEP_BROKEN && events->number == 0)
		return err_set(err, ERR_MALFORMED, "expected a list of events of MISP");
	if (step == JSON_STEP_BROKEN)
		reading_quarantine(events->reading, STR("behind the events"), STAGE, list,
			"the list of events ends early");
	return true;
}

/* The list of an answer to restSearch; the text itself where it is an event. */
static struct str list_of(struct events *events, struct str text)
{
	struct str rest = text, key, value;

	if (!json_open(&rest, '{'))
		return text;
	while (json_member(&rest, events->depth, &key, &value) == JSON_STEP_VALUE)
		if (str_equal(key, STR("response")))
			return value;
	return text;
}

bool misp_read(struct reading *reading, struct str bytes, struct str envelope, struct err *err)
{
	struct events events = {
		.reading = reading, .end = bytes.p + bytes.len, .depth = reading->limits->max_depth};
	struct str text = bytes, rest;
	bool good = true;

	(void)envelope;
	if (events.depth > JSON_CUT_DEPTH)
		events.depth = JSON_CUT_DEPTH;
	json_skip_space(&text);
	rest = text;
	if (!json_skip_value(&rest, events.depth, &text) || (text.p[0] != '{' && text.p[0] != '['))
		return err_set(err, ERR_MALFORMED, "expected JSON: {\"Event\": …} or {\"response\": [ … ]}");
	json_skip_space(&rest);
	if (rest.len > 0)
		return err_set(err, ERR_MALFORMED, "expected the end of the JSON text, got %zu bytes more",
			rest.len);
	events.arena = arena_new(16384);
	text = list_of(&events, text);
	if (text.p[0] == '[')
		good = read_list(&events, text, err);
	else
		read_wrapped(&events, text);
	arena_free(&events.arena);
	return good;
}
