#include "config.h"

#include "base/clock.h"
#include "base/mem.h"
#include "model/storable.h"
#include "wire/machine.h"
#include "wire/xarf.h"

/* X-ARF 0.1 and 0.2: report.txt, flat YAML. */

#define LOOK 16384

static struct str head_of(struct str text)
{
	return (struct str){text.p, text.len < LOOK ? text.len : LOOK};
}

bool xarf_text_is(struct str text)
{
	struct arena *arena = arena_new(0);
	struct fields fields;
	bool is;

	fields_read(head_of(text), true, arena, &fields);
	is = fields_value(&fields, "Report-Type").len > 0 &&
	     (fields_value(&fields, "Reported-From").len > 0 || fields_value(&fields, "Source").len > 0);
	arena_free(&arena);
	return is;
}

/* What Source is by Source-Type, and where that says nothing, by itself. */
static bool take_source(struct reading *reading, struct report *report, const struct fields *fields)
{
	static const struct {
		const char *name;
		enum observable_type type;
		enum observable_role role;
	} types[] = {
		{"ip-address", OBSERVABLE_IP, OBSERVED_SOURCE},
		{"ipv4", OBSERVABLE_IP, OBSERVED_SOURCE},
		{"ipv6", OBSERVABLE_IP, OBSERVED_SOURCE},
		{"uri", OBSERVABLE_URL, OBSERVED_INDICATOR},
		{"url", OBSERVABLE_URL, OBSERVED_INDICATOR},
		{"domain", OBSERVABLE_NAME, OBSERVED_SOURCE},
		{"hostname", OBSERVABLE_NAME, OBSERVED_SOURCE},
		{"email-address", OBSERVABLE_EMAIL, OBSERVED_SOURCE},
	};
	struct str source = fields_value(fields, "Source"), type = fields_value(fields, "Source-Type");
	struct observable guessed;

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_equal_nocase(type, str_of(types[i].name)) &&
			reading_observable(reading, report, types[i].type, types[i].role, source))
			return true;
	return source.len > 0 && observable_guess(source, reading->arena, &guessed) &&
	       reading_observable(reading, report, guessed.type,
		       guessed.type == OBSERVABLE_URL ? OBSERVED_INDICATOR : OBSERVED_SOURCE, source);
}

static void take_fields(struct reading *reading, struct report *report, const struct fields *fields)
{
	static const struct {
		const char *name;
		enum observable_type type;
		enum observable_role role;
	} named[] = {
		{"Domain", OBSERVABLE_NAME, OBSERVED_SOURCE},
		{"Download-Link", OBSERVABLE_URL, OBSERVED_INDICATOR},
		{"Targeted-URL", OBSERVABLE_URL, OBSERVED_TARGET},
		{"Destination", OBSERVABLE_IP, OBSERVED_TARGET},
	};
	struct str date = fields_value(fields, "Date");
	uint64_t port;

	for (size_t i = 0; i < ARRAY_LEN(named); i++)
		reading_observable(
			reading, report, named[i].type, named[i].role, fields_value(fields, named[i].name));
	if (date.len > 0 && !fields_time(date, &report->observed))
		reading_note(reading, report, "Date: expected a date");
	report->sender_id = fields_value(fields, "Report-ID");
	tlp_parse(fields_value(fields, "TLP"), &report->tlp);
	if (str_to_u64(fields_value(fields, "Port"), &port) && port < 65536)
		report->target_port = (uint16_t)port;
}

bool xarf_text_item(struct reading *reading, struct str part, struct str title, struct str text)
{
	struct report report = {.severity = -1, .confidence = -1, .count = 1, .observed = CLOCK_UNKNOWN};
	const struct xarf_type *type;
	struct fields fields;
	struct item *item;

	if (!machine_may_read(reading, part, "xarf", text))
		return false;
	text = arena_str(reading->arena, text);
	fields_read(text, true, reading->arena, &fields);
	type = xarf_type_text(fields_value(&fields, "Category"), fields_value(&fields, "Report-Type"));
	if (!take_source(reading, &report, &fields)) {
		reading_quarantine(reading, part, "xarf", text,
			"Source: expected an address, a name, a URL or a mail address, as Source-Type says");
		return false;
	}
	take_fields(reading, &report, &fields);
	rsit_parse(str_of(type->type), &report.type);
	report.identifier = str_of(type->identifier);
	report.doc = text;
	extract_observables(reading, &report, title);
	report.title = title.len > 0 ? title
	                             : storable_text(fields_value(&fields, "Report-Type"), MAX_TITLE,
					       reading->arena, NULL);
	item = reading_item(reading, ITEM_REPORT);
	item->part = arena_str(reading->arena, part);
	item->report = report;
	reading_said(reading, &item->report);
	reading_part(reading, item->number, PART_EVENT, STR("doc"), STR("text/plain"), text);
	return true;
}
