#include "config.h"

#include "wire/arf.h"

#include "base/mem.h"
#include "wire/fields.h"
#include "wire/machine.h"

/* RFC 5965 7.3 and what others registered. The first row is for types that are none of them. */
static const struct {
	const char *feedback;
	const char *type;
	const char *identifier;
	enum arf_kind kind;
} feedback_types[] = {
	{"other", "undetermined", "feedback", ARF_REPORT},
	{"abuse", "spam", "feedback-abuse", ARF_REPORT},
	{"opt-out", "spam", "feedback-opt-out", ARF_REPORT},
	{"opt-out-list", "spam", "feedback-opt-out", ARF_REPORT},
	{"complaint", "spam", "feedback-abuse", ARF_REPORT},
	{"fraud", "phishing", "feedback-fraud", ARF_REPORT},
	{"virus", "malware-distribution", "feedback-virus", ARF_REPORT},
	{"auth-failure", "masquerade", "auth-failure", ARF_REPORT},
	{"dkim", "masquerade", "auth-failure", ARF_REPORT},
	{"not-spam", "undetermined", "feedback-not-spam", ARF_PRAISE},
	{"xarf", "undetermined", "feedback", ARF_XARF},
};

static size_t row_of(const struct fields *fields)
{
	struct str feedback = fields_value(fields, "Feedback-Type");

	for (size_t i = 0; i < ARRAY_LEN(feedback_types); i++)
		if (str_equal_nocase(feedback, str_of(feedback_types[i].feedback)))
			return i;
	return 0;
}

enum arf_kind arf_kind(struct str text)
{
	struct arena *arena = arena_new(0);
	enum arf_kind kind = ARF_NONE;
	struct fields fields;

	fields_read(text, false, arena, &fields);
	if (fields_value(&fields, "Feedback-Type").len > 0)
		kind = feedback_types[row_of(&fields)].kind;
	arena_free(&arena);
	return kind;
}

/* Each field that names something, and what it is in the matter; a field may stand there many times. */
static const struct {
	const char *name;
	enum observable_type type;
	enum observable_role role;
} named[] = {
	{"Source-IP", OBSERVABLE_IP, OBSERVED_SOURCE},
	{"Original-Mail-From", OBSERVABLE_EMAIL, OBSERVED_SOURCE},
	{"Original-Rcpt-To", OBSERVABLE_EMAIL, OBSERVED_TARGET},
	{"Reported-Domain", OBSERVABLE_NAME, OBSERVED_UNKNOWN},
	{"DKIM-Domain", OBSERVABLE_NAME, OBSERVED_UNKNOWN},
	{"Reported-URI", OBSERVABLE_URL, OBSERVED_INDICATOR},
};

static struct str bare(struct str value)
{
	if (value.len >= 2 && value.p[0] == '<' && value.p[value.len - 1] == '>')
		value = (struct str){value.p + 1, value.len - 2};
	return str_trim(value);
}

/* "IPv6:2001:db8::1 (one of ours)": a literal of RFC 5321, with a comment behind it. */
static struct str literal(struct str value)
{
	const char *end = value.len ? memchr(value.p, '(', value.len) : NULL;

	if (end)
		value = str_trim((struct str){value.p, (size_t)(end - value.p)});
	if (value.len > 2 && value.p[0] == '[' && value.p[value.len - 1] == ']')
		value = (struct str){value.p + 1, value.len - 2};
	if (value.len > 5 && str_equal_nocase((struct str){value.p, 5}, STR("IPv6:")))
		value = (struct str){value.p + 5, value.len - 5};
	return value;
}

static void take_observables(struct reading *reading, struct report *report, const struct fields *fields)
{
	for (size_t i = 0; i < fields->count; i++) {
		for (size_t n = 0; n < ARRAY_LEN(named); n++) {
			struct str value = bare(fields->values[i]);
			enum observable_type type = named[n].type;

			if (!str_equal_nocase(fields->names[i], str_of(named[n].name)) || value.len == 0)
				continue;
			if (type == OBSERVABLE_IP)
				value = literal(value);
			if (type == OBSERVABLE_URL && str_starts(value, STR("mailto:"))) {
				value = (struct str){value.p + 7, value.len - 7};
				type = OBSERVABLE_EMAIL;
			}
			if (!reading_observable(reading, report, type, named[n].role, value) &&
				type == OBSERVABLE_IP)
				reading_note(reading, report, "%s: expected an address", named[n].name);
		}
	}
}

static void take_time(struct reading *reading, struct report *report, const struct fields *fields)
{
	struct str arrival = fields_value(fields, "Arrival-Date");

	if (arrival.len == 0)
		arrival = fields_value(fields, "Received-Date");
	if (arrival.len > 0 && !fields_time(arrival, &report->observed))
		reading_note(reading, report, "Arrival-Date: expected a date");
}

/* RFC 5965 3.1, and 3.1 of RFC 6591: what each must have. Much of what comes has not. */
static void check(struct reading *reading, struct report *report, const struct fields *fields)
{
	static const char *const required[] = {"Feedback-Type", "User-Agent", "Version"};

	for (size_t i = 0; i < ARRAY_LEN(required); i++)
		if (fields_value(fields, required[i]).len == 0)
			reading_note(reading, report, "the feedback report has no %s", required[i]);
	if (str_equal_nocase(fields_value(fields, "Feedback-Type"), STR("auth-failure")) &&
		fields_value(fields, "Auth-Failure").len == 0)
		reading_note(reading, report, "the feedback report has no Auth-Failure");
}

void arf_report(struct reading *reading, struct report *report, struct str text)
{
	struct fields fields;
	uint64_t incidents;
	size_t row;

	fields_read(text, false, reading->arena, &fields);
	row = row_of(&fields);
	rsit_parse(str_of(feedback_types[row].type), &report->type);
	report->identifier = str_of(feedback_types[row].identifier);
	report->doc = arena_str(reading->arena, text);
	if (str_to_u64(fields_value(&fields, "Incidents"), &incidents) && incidents > 0)
		report->count = incidents < INT32_MAX ? (int64_t)incidents : INT32_MAX;
	take_observables(reading, report, &fields);
	take_time(reading, report, &fields);
	check(reading, report, &fields);
}
