#include "config.h"

#include "wire/native.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/severity.h"
#include "model/storable.h"
#include "wire/json_scan.h"

#define NATIVE_VERSION    1
#define MAX_SENDER_ID     200
#define MAX_OBSERVABLES   1000
#define OBSERVABLES_SHOWN "an observable (source, target or observables)"

/* One line being read: its report becomes an item only when all of the line was understood. */
struct line {
	struct reading *reading;
	struct json_scan scan;
	struct report report;
};

struct field {
	const char *name;
	bool (*read)(struct line *line, const struct field *field);
	size_t offset; /* in struct report */
	size_t max;    /* bytes, or the highest value */
	enum observable_role role;
};

static bool fail(struct line *line, const struct field *field, const char *expected, struct str got)
{
	char shown[JSON_SHOWN];

	return json_scan_fail(
		&line->scan, "%s: expected %s, got \"%s\"", field->name, expected, json_shown(got, shown));
}

static bool text_of(struct line *line, const struct field *field, struct str *text)
{
	if (json_scan_kind(&line->scan) != JSON_STRING)
		return json_scan_fail(&line->scan, "%s: expected a text in double quotes", field->name);
	return json_scan_string(&line->scan, text);
}

static bool integer_of(
	struct line *line, const struct field *field, int64_t low, int64_t high, int64_t *value)
{
	if (json_scan_kind(&line->scan) == JSON_NUMBER) {
		if (!json_scan_integer(&line->scan, value))
			return err_prefix(line->scan.err, "%s", field->name);
		if (*value >= low && *value <= high)
			return true;
	}
	return json_scan_fail(&line->scan, "%s: expected a whole number from %lld to %lld", field->name,
		(long long)low, (long long)high);
}

static void *member(struct line *line, const struct field *field)
{
	return (char *)&line->report + field->offset;
}

/* A name or id: must not be cut, because it is compared. */
static bool read_name(struct line *line, const struct field *field)
{
	struct str text = STR_NONE;

	if (!text_of(line, field, &text))
		return false;
	if (text.len > field->max)
		return json_scan_fail(&line->scan, "%s: expected at most %zu bytes, got %zu", field->name,
			field->max, text.len);
	*(struct str *)member(line, field) = text;
	return true;
}

static struct str lower(struct arena *arena, struct str text)
{
	char *out = arena_alloc(arena, text.len + 1);

	for (size_t i = 0; i < text.len; i++)
		out[i] = (char)(text.p[i] >= 'A' && text.p[i] <= 'Z' ? text.p[i] | 0x20 : text.p[i]);
	return (struct str){out, text.len};
}

static bool read_lower_name(struct line *line, const struct field *field)
{
	struct str *text = member(line, field);

	if (!read_name(line, field))
		return false;
	for (size_t i = 0; i < text->len; i++) {
		if (text->p[i] >= 'A' && text->p[i] <= 'Z') {
			*text = lower(line->reading->arena, *text);
			break;
		}
	}
	return true;
}

/* Text for people: too long, it is cut, and a note says so. */
static bool read_prose(struct line *line, const struct field *field)
{
	struct str text = STR_NONE;
	bool changed = false;

	if (!text_of(line, field, &text))
		return false;
	*(struct str *)member(line, field) = storable_text(text, field->max, line->reading->arena, &changed);
	if (changed)
		reading_note(line->reading, &line->report, "%s cut to %zu bytes", field->name, field->max);
	return true;
}

static bool read_version(struct line *line, const struct field *field)
{
	int64_t version = 0;

	return integer_of(line, field, NATIVE_VERSION, NATIVE_VERSION, &version);
}

static bool read_type(struct line *line, const struct field *field)
{
	struct str text = STR_NONE;
	const char *near;
	char shown[JSON_SHOWN];

	if (!text_of(line, field, &text))
		return false;
	if (rsit_parse(text, &line->report.type))
		return true;
	near = rsit_suggest(text);
	if (!near)
		return fail(line, field, "an RSIT type such as infected-system", text);
	return json_scan_fail(&line->scan, "%s: expected an RSIT type, got \"%s\": did you mean \"%s\"?",
		field->name, json_shown(text, shown), near);
}

static bool read_time(struct line *line, const struct field *field)
{
	struct str text = STR_NONE;

	if (!text_of(line, field, &text))
		return false;
	return clock_parse(text, &line->report.observed) ||
	       fail(line, field, "RFC 3339 such as 2026-11-22T10:00:00Z", text);
}

static bool read_tlp(struct line *line, const struct field *field)
{
	struct str text = STR_NONE;

	if (!text_of(line, field, &text))
		return false;
	return tlp_parse(text, &line->report.tlp) ||
	       fail(line, field, "clear, green, amber, amber+strict or red", text);
}

static bool read_percent(struct line *line, const struct field *field)
{
	int64_t value = 0;

	if (!integer_of(line, field, 0, 100, &value))
		return false;
	*(int *)member(line, field) = (int)value;
	return true;
}

static bool read_port(struct line *line, const struct field *field)
{
	int64_t value = 0;

	if (!integer_of(line, field, 0, UINT16_MAX, &value))
		return false;
	*(uint16_t *)member(line, field) = (uint16_t)value;
	return true;
}

static bool read_asn(struct line *line, const struct field *field)
{
	int64_t value = 0;

	if (!integer_of(line, field, 0, UINT32_MAX, &value))
		return false;
	if (field->role == OBSERVED_SOURCE)
		line->report.asn = (uint32_t)value;
	return true;
}

static bool read_ip(struct line *line, const struct field *field)
{
	struct str text = STR_NONE;

	if (!text_of(line, field, &text))
		return false;
	return reading_observable(line->reading, &line->report, OBSERVABLE_IP, field->role, text) ||
	       fail(line, field, "an IPv4 or IPv6 address or prefix", text);
}

static bool read_host(struct line *line, const struct field *field)
{
	struct str text = STR_NONE;

	if (!text_of(line, field, &text))
		return false;
	return reading_observable(line->reading, &line->report, OBSERVABLE_NAME, field->role, text) ||
	       fail(line, field, "a DNS name", text);
}

static bool read_extra(struct line *line, const struct field *field)
{
	if (json_scan_kind(&line->scan) != JSON_OBJECT)
		return json_scan_fail(&line->scan, "%s: expected an object", field->name);
	return json_scan_skip(&line->scan, NULL);
}

static bool unknown_key(
	struct line *line, const char *where, struct str key, const struct field *fields, size_t count)
{
	char names[160], shown[JSON_SHOWN];
	size_t len = 0;

	names[0] = '\0';
	for (size_t i = 0; i < count && len < sizeof(names); i++)
		len += (size_t)snprintf(
			names + len, sizeof(names) - len, "%s%s", i ? ", " : "", fields[i].name);
	return json_scan_fail(
		&line->scan, "unknown key \"%s\"%s: expected %s", json_shown(key, shown), where, names);
}

/* An object of the closed schema: each key of `fields` at most once. *seen gets a bit per field. */
static bool read_members(
	struct line *line, const char *where, const struct field *fields, size_t count, unsigned *seen)
{
	struct str key;
	int more;

	*seen = 0;
	if (!json_scan_object(&line->scan))
		return false;
	while ((more = json_scan_key(&line->scan, &key)) > 0) {
		size_t i = 0;
		while (i < count && !str_equal(key, str_of(fields[i].name)))
			i++;
		if (i == count)
			return unknown_key(line, where, key, fields, count);
		if (*seen & 1u << i)
			return json_scan_fail(
				&line->scan, "key \"%s\"%s stands twice", fields[i].name, where);
		*seen |= 1u << i;
		if (!fields[i].read(line, &fields[i]))
			return false;
	}
	return more == 0;
}

#define IN_REPORT(name) offsetof(struct report, name)

static const struct field source_fields[] = {
	{"ip", read_ip, 0, 0, OBSERVED_SOURCE},
	{"port", read_port, IN_REPORT(source_port), 0, OBSERVED_SOURCE},
	{"name", read_host, 0, 0, OBSERVED_SOURCE},
	{"asn", read_asn, 0, 0, OBSERVED_SOURCE},
};

static const struct field target_fields[] = {
	{"ip", read_ip, 0, 0, OBSERVED_TARGET},
	{"port", read_port, IN_REPORT(target_port), 0, OBSERVED_TARGET},
	{"name", read_host, 0, 0, OBSERVED_TARGET},
	{"asn", read_asn, 0, 0, OBSERVED_TARGET},
};

static bool read_source(struct line *line, const struct field *field)
{
	unsigned seen;

	(void)field;
	return read_members(line, " in source", source_fields, ARRAY_LEN(source_fields), &seen);
}

static bool read_target(struct line *line, const struct field *field)
{
	unsigned seen;

	(void)field;
	return read_members(line, " in target", target_fields, ARRAY_LEN(target_fields), &seen);
}

/* The three texts of an element of "observables", in the order of its schema; *seen gets a bit for each that
 * is there. */
static bool read_observable_texts(struct line *line, struct str texts[3], unsigned *seen)
{
	static const char *const names[] = {"type", "value", "role"};
	char shown[JSON_SHOWN];
	struct str key;
	int more;

	*seen = 0;
	if (!json_scan_object(&line->scan))
		return false;
	while ((more = json_scan_key(&line->scan, &key)) > 0) {
		size_t i = 0;
		while (i < ARRAY_LEN(names) && !str_equal(key, str_of(names[i])))
			i++;
		if (i == ARRAY_LEN(names))
			return json_scan_fail(&line->scan,
				"unknown key \"%s\" in observables: expected type, value, role",
				json_shown(key, shown));
		if (*seen & 1u << i)
			return json_scan_fail(
				&line->scan, "key \"%s\" in observables stands twice", names[i]);
		*seen |= 1u << i;
		if (!json_scan_string(&line->scan, &texts[i]))
			return false;
	}
	return more == 0;
}

static bool read_observable(struct line *line, const struct field *field)
{
	struct str texts[3] = {STR_NONE, STR_NONE, STR_NONE};
	enum observable_type type;
	enum observable_role role = OBSERVED_INDICATOR;
	unsigned seen;

	if (!read_observable_texts(line, texts, &seen))
		return false;
	if ((seen & 3) != 3)
		return json_scan_fail(&line->scan, "observables: expected type and value in each");
	if (!observable_type_parse(texts[0], &type))
		return fail(line, field, "a type such as ip, name, url, email or sha256", texts[0]);
	if ((seen & 4) && !observable_role_parse(texts[2], &role))
		return fail(line, field, "a role such as source, target or indicator", texts[2]);
	return reading_observable(line->reading, &line->report, type, role, texts[1]) ||
	       json_scan_fail(&line->scan, "observables: expected a value of type %s, got \"%s\"",
		       observable_type_name(type), json_shown(texts[1], (char[JSON_SHOWN]){0}));
}

static bool read_observables(struct line *line, const struct field *field)
{
	size_t count = 0;
	int more;

	if (json_scan_kind(&line->scan) != JSON_ARRAY)
		return json_scan_fail(&line->scan, "observables: expected an array");
	if (!json_scan_array(&line->scan))
		return false;
	while ((more = json_scan_element(&line->scan)) > 0) {
		if (count++ == MAX_OBSERVABLES)
			return json_scan_fail(
				&line->scan, "observables: expected at most %d", MAX_OBSERVABLES);
		if (!read_observable(line, field))
			return false;
	}
	return more == 0;
}

/* In the order in which senders mostly write them. */
static const struct field line_fields[] = {
	{"v", read_version, 0, 0, 0},
	{"id", read_name, IN_REPORT(sender_id), MAX_SENDER_ID, 0},
	{"type", read_type, 0, 0, 0},
	{"time", read_time, 0, 0, 0},
	{"title", read_prose, IN_REPORT(title), MAX_TITLE, 0},
	{"text", read_prose, IN_REPORT(text), MAX_TEXT, 0},
	{"source", read_source, 0, 0, 0},
	{"target", read_target, 0, 0, 0},
	{"identifier", read_lower_name, IN_REPORT(identifier), MAX_IDENTIFIER, 0},
	{"malware", read_lower_name, IN_REPORT(malware), MAX_IDENTIFIER, 0},
	{"severity", read_percent, IN_REPORT(severity), 0, 0},
	{"confidence", read_percent, IN_REPORT(confidence), 0, 0},
	{"tlp", read_tlp, 0, 0, 0},
	{"observables", read_observables, 0, 0, 0},
	{"extra", read_extra, 0, 0, 0},
};
#define SEEN_TYPE (1u << 2)

static bool line_parse(struct line *line, struct str text, struct err *err)
{
	unsigned seen;

	if (!json_scan_open(
		    &line->scan, text, (unsigned)line->reading->limits->max_depth, line->reading->arena, err))
		return false;
	if (json_scan_kind(&line->scan) != JSON_OBJECT)
		return err_set(err, ERR_MALFORMED, "expected a JSON object");
	if (!read_members(line, "", line_fields, ARRAY_LEN(line_fields), &seen) ||
		!json_scan_end(&line->scan))
		return false;
	if (!(seen & SEEN_TYPE))
		return err_set(err, ERR_MALFORMED, "expected \"type\", an RSIT type such as infected-system");
	if (line->report.observable_count == 0)
		return err_set(err, ERR_MALFORMED, "expected " OBSERVABLES_SHOWN);
	return true;
}

bool native_line_read(struct reading *reading, struct str line, struct str part, struct err *err)
{
	struct line state;
	struct item *item;

	state.reading = reading;
	state.report =
		(struct report){.severity = -1, .confidence = -1, .count = 1, .observed = CLOCK_UNKNOWN};
	if (!line_parse(&state, line, err))
		return false;
	item = reading_item(reading, ITEM_REPORT);
	item->part = part;
	item->report = state.report;
	reading_said(reading, &item->report);
	item->report.doc = line;
	reading_part(reading, item->number, PART_EVENT, STR("doc"), STR("application/json"), line);
	return true;
}
