#include "config.h"

#include "wire/xarf.h"

#include "base/mem.h"
#include "model/severity.h"
#include "model/storable.h"
#include "wire/json_cut.h"
#include "wire/json_read.h"
#include "wire/json_scan.h"
#include "wire/machine.h"

#define LOOK 65536

bool xarf_json_is(struct str text)
{
	struct str rest = {text.p, text.len < LOOK ? text.len : LOOK};
	bool version = false, inside = false;
	struct str key, value;

	json_skip_space(&rest);
	if (!json_open(&rest, '{'))
		return false;
	while (json_member_key(&rest, &key) == JSON_STEP_VALUE) {
		if (str_equal(key, STR("xarf_version")))
			return true;
		version |= str_equal(key, STR("Version"));
		inside |= str_equal(key, STR("ReporterInfo")) || str_equal(key, STR("Report"));
		if (version && inside)
			return true;
		if (!json_skip_value(&rest, reading_limits_default.max_depth, &value))
			return false;
	}
	return false;
}

/* --- what both versions have --- */

/* Members that name something, and what it is in the matter. */
struct naming {
	const char *member;
	enum observable_type type;
	enum observable_role role;
};

static void take_named(struct reading *reading, struct report *report, struct json_object *object,
	const struct naming *namings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct str value = json_text(object, namings[i].member);
		if (value.len > 0)
			reading_observable(reading, report, namings[i].type, namings[i].role, value);
	}
}

static void take_digest(struct reading *reading, struct report *report, struct str value)
{
	static const enum observable_type digests[] = {
		OBSERVABLE_SHA256, OBSERVABLE_SHA1, OBSERVABLE_MD5, OBSERVABLE_SHA512};

	for (size_t i = 0; i < ARRAY_LEN(digests); i++)
		if (reading_observable(reading, report, digests[i], OBSERVED_INDICATOR, value))
			return;
}

static uint16_t port_of(struct json_object *object, const char *member)
{
	struct json_object *value = json_of(object, member, json_type_int);
	int64_t port = value ? json_object_get_int64(value) : 0;

	return port > 0 && port < 65536 ? (uint16_t)port : 0;
}

static void take_time(struct json_object *object, const char *member, struct report *report)
{
	fields_time(json_text(object, member), &report->observed);
}

/* Bytes that the sender laid beside it: kept with the report, and scanned. */
static void take_exhibit(struct reading *reading, uint32_t item, struct str name, struct str media_type,
	struct str payload, bool base64)
{
	struct buf bytes = {0};
	struct str kept;

	if (base64)
		base64_decode(payload, false, &bytes);
	kept = arena_str(reading->arena, base64 ? buf_view(&bytes) : payload);
	buf_free(&bytes);
	if (kept.len == 0)
		return;
	media_type = arena_str(reading->arena, media_type);
	reading_evidence(reading, item, name, media_type, kept);
	reading_part(reading, item, PART_FILE | (str_starts(media_type, STR("text/")) ? PART_TEXT : 0u), name,
		media_type, kept);
}

/* "open-redis" for a service, "cve-2026-1234": what is sharper than the type's own word. */
static void sharpen(struct reading *reading, struct report *report, struct str service, struct str cve)
{
	if (cve.len > 0 && reading_observable(reading, report, OBSERVABLE_CVE, OBSERVED_INDICATOR, cve))
		report->identifier = machine_word(reading->arena, STR(""), cve);
	else if (service.len > 0 && str_equal(report->identifier, STR("open-service")))
		report->identifier = machine_word(reading->arena, STR("open-"), service);
}

/* --- version 4 --- */

static void source_v4(struct reading *reading, struct report *report, struct str text)
{
	struct observable guessed;

	if (observable_guess(text, reading->arena, &guessed))
		reading_observable(reading, report, guessed.type, OBSERVED_SOURCE, text);
	else
		reading_note(reading, report,
			"source_identifier is neither address, name, URL nor mail address: " STR_FMT,
			STR_ARG(utf8_cut(text, 100)));
}

static void evidence_v4(struct reading *reading, uint32_t item, struct json_object *object)
{
	struct json_object *list = json_of(object, "evidence", json_type_array);

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		take_exhibit(reading, item, arena_printf(reading->arena, "evidence-%zu", i + 1),
			json_text(one, "content_type"), json_text(one, "payload"), true);
	}
}

static void fill_v4(struct reading *reading, struct report *report, struct json_object *object)
{
	static const struct naming namings[] = {
		{"destination_ip", OBSERVABLE_IP, OBSERVED_TARGET},
		{"url", OBSERVABLE_URL, OBSERVED_INDICATOR},
		{"domain", OBSERVABLE_NAME, OBSERVED_INDICATOR},
		{"registered_domain", OBSERVABLE_NAME, OBSERVED_INDICATOR},
		{"legitimate_site", OBSERVABLE_URL, OBSERVED_IMITATED},
		{"smtp_from", OBSERVABLE_EMAIL, OBSERVED_SOURCE},
		{"sender_address", OBSERVABLE_EMAIL, OBSERVED_SOURCE},
		{"user_agent", OBSERVABLE_USER_AGENT, OBSERVED_INDICATOR},
		{"malware_family", OBSERVABLE_MALWARE, OBSERVED_INDICATOR},
	};
	struct json_object *confidence;

	source_v4(reading, report, json_text(object, "source_identifier"));
	take_named(reading, report, object, namings, ARRAY_LEN(namings));
	take_time(object, "timestamp", report);
	report->sender_id = arena_str(reading->arena, json_text(object, "report_id"));
	report->target_port = port_of(object, "destination_port");
	report->malware = machine_word(reading->arena, STR(""), json_text(object, "malware_family"));
	if (json_object_object_get_ex(object, "confidence", &confidence))
		report->confidence = (int)(json_object_get_double(confidence) * 100);
	if (json_text(object, "service").len > 0)
		report->source_port =
			port_of(object, port_of(object, "service_port") ? "service_port" : "source_port");
	sharpen(reading, report, json_text(object, "service"), json_text(object, "cve_id"));
}

/* --- version 3 --- */

static void samples_v3(struct reading *reading, uint32_t item, struct json_object *report)
{
	struct json_object *list = json_of(report, "Samples", json_type_array);

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		struct json_object *base64 = json_of(one, "Base64Encoded", json_type_boolean);
		take_exhibit(reading, item, arena_printf(reading->arena, "sample-%zu", i + 1),
			json_text(one, "ContentType"), json_text(one, "Payload"),
			base64 && json_object_get_boolean(base64));
	}
}

static void objects_v3(struct reading *reading, struct report *report, struct json_object *said)
{
	static const struct naming source[] = {
		{"IP", OBSERVABLE_IP, OBSERVED_SOURCE}, {"URL", OBSERVABLE_URL, OBSERVED_INDICATOR}};
	static const struct naming account[] = {{"AccountIdentifier", OBSERVABLE_ACCOUNT, OBSERVED_SOURCE},
		{"AccountName", OBSERVABLE_ACCOUNT, OBSERVED_SOURCE},
		{"AccountEmail", OBSERVABLE_EMAIL, OBSERVED_SOURCE}};
	struct json_object *inner = json_of(said, "Source", json_type_object);

	if (inner)
		take_named(reading, report, inner, source, ARRAY_LEN(source));
	inner = json_of(said, "FileHash", json_type_object);
	if (inner)
		take_digest(reading, report, json_text(inner, "HashValue"));
	inner = json_of(said, "Account", json_type_object);
	if (inner)
		take_named(reading, report, inner, account, ARRAY_LEN(account));
}

static void fill_v3(struct reading *reading, struct report *report, struct json_object *object)
{
	static const struct naming namings[] = {
		{"SourceIp", OBSERVABLE_IP, OBSERVED_SOURCE},
		{"SourceUrl", OBSERVABLE_URL, OBSERVED_INDICATOR},
		{"DestinationIp", OBSERVABLE_IP, OBSERVED_TARGET},
		{"SmtpMailFromAddress", OBSERVABLE_EMAIL, OBSERVED_SOURCE},
		{"SmtpRcptToAddress", OBSERVABLE_EMAIL, OBSERVED_TARGET},
		{"RpzDomain", OBSERVABLE_NAME, OBSERVED_INDICATOR},
		{"FileName", OBSERVABLE_FILENAME, OBSERVED_INDICATOR},
		{"MalwareName", OBSERVABLE_MALWARE, OBSERVED_INDICATOR},
	};
	struct json_object *said = json_of(object, "Report", json_type_object);

	take_named(reading, report, said, namings, ARRAY_LEN(namings));
	objects_v3(reading, report, said);
	take_time(said, "Date", report);
	report->sender_id = arena_str(reading->arena, json_text(said, "ReporterCaseID"));
	report->malware = machine_word(reading->arena, STR(""), json_text(said, "MalwareName"));
	report->target_port = port_of(said, "DestinationPort");
	severity_parse(json_text(said, "ReporterSeverity"), &report->severity);
	sharpen(reading, report, json_text(said, "ServiceName"), json_text(said, "CVE"));
	if (str_starts(report->identifier, STR("open-")))
		report->source_port = port_of(said, "SourcePort");
}

/* --- items --- */

/* What the sender keeps to itself (xarf-spec: `_internal`) must not be stored. */
static struct str without_internal(struct reading *reading, struct str text)
{
	struct str rest = text, key, value, before;

	json_skip_space(&rest);
	json_open(&rest, '{');
	for (before = rest; json_member_key(&rest, &key) == JSON_STEP_VALUE; before = rest) {
		if (!json_skip_value(&rest, reading->limits->max_depth, &value))
			return text;
		if (!str_equal(key, STR("_internal")))
			continue;
		json_skip_space(&before);
		if (before.len > 0 && *before.p != ',') { /* the first one: the comma behind it goes too */
			json_skip_space(&rest);
			if (rest.len > 0 && *rest.p == ',')
				rest = (struct str){rest.p + 1, rest.len - 1};
		}
		text = arena_printf(
			reading->arena, STR_FMT STR_FMT, (int)(before.p - text.p), text.p, STR_ARG(rest));
		return without_internal(reading, text);
	}
	return text;
}

/* A strict look first: what json-c would let pass, such as a key that stands twice. */
static bool parse(struct reading *reading, struct str text, struct json_object **object, struct err *err)
{
	struct json_scan scan;

	if (!json_scan_open(&scan, text, (unsigned)reading->limits->max_depth, reading->arena, err) ||
		!json_scan_skip(&scan, NULL) || !json_scan_end(&scan) ||
		!json_read(text, reading->limits->max_depth, object, err))
		return false;
	if (json_object_is_type(*object, json_type_object))
		return true;
	json_object_put(*object);
	return err_set(err, ERR_MALFORMED, "expected an X-ARF report, a JSON object");
}

static const struct xarf_type *check(struct json_object *object, bool v4, struct buf *faults)
{
	struct json_object *report = json_of(object, "Report", json_type_object);
	const struct xarf_type *type;

	if (v4) {
		type = xarf_type_v4(json_text(object, "category"), json_text(object, "type"));
		xarf_check_v4(object, type, faults);
		return type;
	}
	type = report ? xarf_type_v3(json_text(report, "ReportClass"), json_text(report, "ReportType"))
	              : NULL;
	xarf_check_v3(object, type, faults);
	return type;
}

static struct str title_of(struct reading *reading, const struct report *report, struct str title)
{
	const struct observable *about = NULL;

	if (title.len > 0)
		return title;
	for (size_t i = 0; i < report->observable_count && !about; i++)
		if (report->observables[i].role == OBSERVED_SOURCE ||
			report->observables[i].type == OBSERVABLE_URL)
			about = &report->observables[i];
	return storable_text(arena_printf(reading->arena, STR_FMT "%s" STR_FMT, STR_ARG(report->identifier),
				     about ? ": " : "", STR_ARG(about ? about->value : STR_NONE)),
		MAX_TITLE, reading->arena, NULL);
}

static void report_add(struct reading *reading, struct str part, struct str title, struct str text,
	struct json_object *object, const struct xarf_type *type, bool v4)
{
	struct item *item = reading_item(reading, ITEM_REPORT);
	struct report *report = &item->report;
	uint32_t number = item->number;

	item->part = arena_str(reading->arena, part);
	rsit_parse(str_of(type->type), &report->type);
	report->identifier = str_of(type->identifier);
	report->doc = without_internal(reading, arena_str(reading->arena, text));
	if (v4)
		fill_v4(reading, report, object);
	else
		fill_v3(reading, report, object);
	extract_observables(reading, report, title);
	report->title = title_of(reading, report, title);
	reading_part(reading, number, PART_EVENT, STR("doc"), STR("application/json"), report->doc);
	if (v4)
		evidence_v4(reading, number, object);
	else
		samples_v3(reading, number, json_of(object, "Report", json_type_object));
}

bool xarf_json_item(struct reading *reading, struct str part, struct str title, struct str text)
{
	struct json_object *object = NULL;
	const struct xarf_type *type;
	struct buf faults = {0};
	struct err err = {0};
	bool v4, ok;

	if (!machine_may_read(reading, part, "xarf", text))
		return false;
	if (!parse(reading, text, &object, &err)) {
		reading_quarantine(reading, part, "xarf", text, "%s", err.text);
		return false;
	}
	v4 = json_object_object_get_ex(object, "xarf_version", NULL);
	type = check(object, v4, &faults);
	ok = faults.len == 0 && type;
	if (ok)
		report_add(reading, part, title, text, object, type, v4);
	else
		reading_quarantine(reading, part, "xarf", text, "%s", buf_cstr(&faults));
	buf_free(&faults);
	json_object_put(object);
	return ok;
}

/* --- files and pages: one, a list, or one behind the other --- */

static bool rest_is_full(struct reading *reading, struct str rest)
{
	struct str reason;

	if (!reading_is_full(reading, &reason))
		return false;
	reading_quarantine(reading, STR("rest"), "xarf", rest, STR_FMT, STR_ARG(reason));
	return true;
}

bool xarf_read(struct reading *reading, struct str bytes, struct str envelope, struct err *err)
{
	struct str rest = bytes, value = STR_NONE;
	size_t number = 0;
	bool list;

	(void)envelope;
	json_skip_space(&rest);
	list = json_open(&rest, '[');
	if (!list && (rest.len == 0 || *rest.p != '{'))
		return err_set(err, ERR_MALFORMED, "expected X-ARF: a JSON object, or a list of them");
	for (;;) {
		json_skip_space(&rest);
		if (list && rest.len > 0 && *rest.p == ',')
			rest = (struct str){rest.p + 1, rest.len - 1};
		json_skip_space(&rest);
		if (rest.len == 0 || (list && *rest.p == ']') || rest_is_full(reading, rest))
			return true;
		value = rest;
		if (!json_skip_value(&rest, reading->limits->max_depth, &value))
			rest = STR_NONE; /* the item itself says what is wrong with it */
		xarf_json_item(
			reading, arena_printf(reading->arena, "report %zu", ++number), STR_NONE, value);
		reading_flush(reading);
	}
}
