#include "wire/stix_check.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"

/* required: all of these; one_of: at least one of them (STIX 2.1 sections 4 to 7) */
static const struct type_row {
	const char *name;
	enum stix_kind kind;
	const char *required;
	const char *one_of;
} types[] = {
	{"artifact", STIX_SCO, "", "payload_bin url"},
	{"attack-pattern", STIX_SDO, "name", ""},
	{"autonomous-system", STIX_SCO, "number", ""},
	{"campaign", STIX_SDO, "name", ""},
	{"course-of-action", STIX_SDO, "name", ""},
	{"directory", STIX_SCO, "path", ""},
	{"domain-name", STIX_SCO, "value", ""},
	{"email-addr", STIX_SCO, "value", ""},
	{"email-message", STIX_SCO, "is_multipart", ""},
	{"extension-definition", STIX_META, "name schema version extension_types", ""},
	{"file", STIX_SCO, "", "hashes name"},
	{"grouping", STIX_SDO, "context object_refs", ""},
	{"identity", STIX_SDO, "name", ""},
	{"incident", STIX_SDO, "name", ""},
	{"indicator", STIX_SDO, "pattern pattern_type valid_from", ""},
	{"infrastructure", STIX_SDO, "name", ""},
	{"intrusion-set", STIX_SDO, "name", ""},
	{"ipv4-addr", STIX_SCO, "value", ""},
	{"ipv6-addr", STIX_SCO, "value", ""},
	{"language-content", STIX_META, "object_ref contents", ""},
	{"location", STIX_SDO, "", "region country latitude"},
	{"mac-addr", STIX_SCO, "value", ""},
	{"malware", STIX_SDO, "is_family", ""},
	{"malware-analysis", STIX_SDO, "product", "result analysis_sco_refs"},
	{"marking-definition", STIX_META, "", "definition_type extensions"},
	{"mutex", STIX_SCO, "name", ""},
	{"network-traffic", STIX_SCO, "protocols", "src_ref dst_ref"},
	{"note", STIX_SDO, "content object_refs", ""},
	{"observed-data", STIX_SDO, "first_observed last_observed number_observed", "objects object_refs"},
	{"opinion", STIX_SDO, "opinion object_refs", ""},
	{"process", STIX_SCO, "", ""},
	{"relationship", STIX_SRO, "relationship_type source_ref target_ref", ""},
	{"report", STIX_SDO, "name published object_refs", ""},
	{"sighting", STIX_SRO, "sighting_of_ref", ""},
	{"software", STIX_SCO, "name", ""},
	{"threat-actor", STIX_SDO, "name", ""},
	{"tool", STIX_SDO, "name", ""},
	{"url", STIX_SCO, "value", ""},
	{"user-account", STIX_SCO, "", ""},
	{"vulnerability", STIX_SDO, "name", ""},
	{"windows-registry-key", STIX_SCO, "", ""},
	{"x509-certificate", STIX_SCO, "", ""},
};

/* Required by 2.1 only. */
static const char *const new_in_21 = "pattern_type is_family context protocols";

enum form {
	FORM_STRING,
	FORM_TIME,
	FORM_ID,
	FORM_IDS,
	FORM_STRINGS,
	FORM_BOOL,
	FORM_INTEGER,
	FORM_OBJECT,
	FORM_LIST
};

static const struct property_row {
	const char *name;
	int64_t least, most; /* of an integer */
	enum form form;
	bool always; /* for custom types too */
} properties[] = {
	{"analysis_sco_refs", 0, 0, FORM_IDS, false},
	{"confidence", 0, 100, FORM_INTEGER, true},
	{"content", 0, 0, FORM_STRING, false},
	{"contents", 0, 0, FORM_OBJECT, false},
	{"context", 0, 0, FORM_STRING, false},
	{"count", 0, 999999999, FORM_INTEGER, false},
	{"created", 0, 0, FORM_TIME, true},
	{"created_by_ref", 0, 0, FORM_ID, true},
	{"definition", 0, 0, FORM_OBJECT, false},
	{"definition_type", 0, 0, FORM_STRING, false},
	{"description", 0, 0, FORM_STRING, true},
	{"dst_ref", 0, 0, FORM_ID, false},
	{"extensions", 0, 0, FORM_OBJECT, true},
	{"external_references", 0, 0, FORM_LIST, true},
	{"first_observed", 0, 0, FORM_TIME, false},
	{"first_seen", 0, 0, FORM_TIME, false},
	{"granular_markings", 0, 0, FORM_LIST, true},
	{"hashes", 0, 0, FORM_OBJECT, false},
	{"indicator_types", 0, 0, FORM_STRINGS, false},
	{"is_family", 0, 0, FORM_BOOL, false},
	{"is_multipart", 0, 0, FORM_BOOL, false},
	{"kill_chain_phases", 0, 0, FORM_LIST, false},
	{"labels", 0, 0, FORM_STRINGS, true},
	{"last_observed", 0, 0, FORM_TIME, false},
	{"last_seen", 0, 0, FORM_TIME, false},
	{"modified", 0, 0, FORM_TIME, true},
	{"name", 0, 0, FORM_STRING, true},
	{"number", 0, UINT32_MAX, FORM_INTEGER, false},
	{"number_observed", 1, 999999999, FORM_INTEGER, false},
	{"object_marking_refs", 0, 0, FORM_IDS, true},
	{"object_ref", 0, 0, FORM_ID, false},
	{"object_refs", 0, 0, FORM_IDS, false},
	{"objects", 0, 0, FORM_OBJECT, false},
	{"observed_data_refs", 0, 0, FORM_IDS, false},
	{"opinion", 0, 0, FORM_STRING, false},
	{"path", 0, 0, FORM_STRING, false},
	{"pattern", 0, 0, FORM_STRING, false},
	{"pattern_type", 0, 0, FORM_STRING, false},
	{"product", 0, 0, FORM_STRING, false},
	{"protocols", 0, 0, FORM_STRINGS, false},
	{"published", 0, 0, FORM_TIME, false},
	{"relationship_type", 0, 0, FORM_STRING, false},
	{"report_types", 0, 0, FORM_STRINGS, false},
	{"revoked", 0, 0, FORM_BOOL, true},
	{"sighting_of_ref", 0, 0, FORM_ID, false},
	{"source_ref", 0, 0, FORM_ID, false},
	{"spec_version", 0, 0, FORM_STRING, true},
	{"src_ref", 0, 0, FORM_ID, false},
	{"target_ref", 0, 0, FORM_ID, false},
	{"valid_from", 0, 0, FORM_TIME, false},
	{"valid_until", 0, 0, FORM_TIME, false},
	{"value", 0, 0, FORM_STRING, false},
	{"where_sighted_refs", 0, 0, FORM_IDS, false},
};

/* The second may not be before the first; strict: nor at the same time. */
static const struct {
	const char *first, *second;
	bool strict;
} spans[] = {{"created", "modified", false}, {"first_observed", "last_observed", false},
	{"first_seen", "last_seen", false}, {"valid_from", "valid_until", true},
	{"start_time", "stop_time", true}};

static const struct type_row *row_of(struct str type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_equal(type, str_of(types[i].name)))
			return &types[i];
	return NULL;
}

enum stix_kind stix_kind_of(struct str type)
{
	const struct type_row *row = row_of(type);

	return row ? row->kind : STIX_CUSTOM;
}

bool stix_is_old(const struct json_object *object, bool old)
{
	if (json_text(object, "spec_version").len > 0)
		return str_equal(json_text(object, "spec_version"), STR("2.0"));
	return old || json_text(object, "modified").len > 0 || json_text(object, "created").len > 0;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* type--8-4-4-4-12. *newer: the UUID's version came after STIX 2.1, which knows those of RFC 4122: no harm.
 */
static bool id_good(struct str id, bool *newer)
{
	struct str uuid;

	if (id.len < 36 + 3 || id.len > 250 + 38 || memcmp(id.p + id.len - 38, "--", 2) != 0)
		return false;
	uuid = (struct str){id.p + id.len - 36, 36};
	for (size_t i = 0; i < uuid.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? uuid.p[i] != '-' : !is_hex(uuid.p[i]))
			return false;
	}
	for (size_t i = 0; i < id.len - 38; i++)
		if (!(id.p[i] >= 'a' && id.p[i] <= 'z') && !(id.p[i] >= '0' && id.p[i] <= '9') &&
			id.p[i] != '-')
			return false;
	*newer = *newer || uuid.p[14] > '5';
	return uuid.p[14] >= '1' && uuid.p[14] <= '8' && strchr("89abAB", uuid.p[19]);
}

struct checking {
	const struct json_object *object;
	char *flaw;
	struct err *err;
};

static void flaw_set(struct checking *checking, const char *name, const char *text)
{
	if (!checking->flaw[0])
		snprintf(checking->flaw, STIX_FLAW, "%s: %s", name, text);
}

static bool refuse(struct checking *checking, const char *name, const char *wanted)
{
	return err_set(checking->err, ERR_MALFORMED, "%s: expected %s", name, wanted);
}

static bool check_id(struct checking *checking, const char *name, struct json_object *value)
{
	bool newer = false;

	if (!id_good(json_value_text(value), &newer))
		return refuse(checking, name,
			"an identifier: type--UUID, of a version and the variant of RFC 4122");
	if (newer)
		flaw_set(checking, name, "a UUID of a version that RFC 4122 does not know");
	return true;
}

static bool check_time(struct checking *checking, const char *name, struct json_object *value)
{
	struct str text = json_value_text(value);
	int64_t time;

	if (!clock_parse(text, &time))
		return refuse(checking, name, "a time such as 2026-11-22T10:00:00.000Z");
	if (text.p[text.len - 1] != 'Z')
		flaw_set(checking, name, "not in UTC with Z");
	return true;
}

static bool check_list(struct checking *checking, const char *name, struct json_object *list, enum form form)
{
	size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	if (count == 0)
		return refuse(checking, name, "a list that is not empty");
	for (size_t i = 0; i < count; i++) {
		struct json_object *value = json_object_array_get_idx(list, i);
		if (form == FORM_IDS && !check_id(checking, name, value))
			return false;
		if (form == FORM_STRINGS && !json_object_is_type(value, json_type_string))
			return refuse(checking, name, "a list of strings");
		if (form == FORM_LIST && !json_object_is_type(value, json_type_object))
			return refuse(checking, name, "a list of objects");
	}
	return true;
}

static bool check_integer(
	struct checking *checking, const struct property_row *row, struct json_object *value)
{
	int64_t number = json_object_get_int64(value);

	if (json_object_is_type(value, json_type_int) && number >= row->least && number <= row->most)
		return true;
	return err_set(checking->err, ERR_MALFORMED, "%s: expected a whole number %lld to %lld", row->name,
		(long long)row->least, (long long)row->most);
}

static bool check_property(
	struct checking *checking, const struct property_row *row, struct json_object *value)
{
	switch (row->form) {
	case FORM_STRING:
		return json_object_is_type(value, json_type_string) ||
		       refuse(checking, row->name, "a string");
	case FORM_BOOL:
		return json_object_is_type(value, json_type_boolean) ||
		       refuse(checking, row->name, "true or false");
	case FORM_OBJECT:
		return (json_object_is_type(value, json_type_object) &&
			       json_object_object_length(value) > 0) ||
		       refuse(checking, row->name, "a dictionary that is not empty");
	case FORM_TIME:
		return check_time(checking, row->name, value);
	case FORM_ID:
		return check_id(checking, row->name, value);
	case FORM_INTEGER:
		return check_integer(checking, row, value);
	case FORM_IDS:
	case FORM_STRINGS:
	case FORM_LIST:
		return check_list(checking, row->name, value, row->form);
	}
	return true;
}

static bool has(const struct json_object *object, struct str name)
{
	char key[64];

	snprintf(key, sizeof(key), STR_FMT, STR_ARG(name));
	return json_object_object_get_ex(object, key, NULL);
}

static bool word_in(const char *list, struct str word)
{
	struct str rest = str_of(list);
	struct str item;

	while (str_split(&rest, ' ', &item))
		if (str_equal(item, word))
			return true;
	return false;
}

static bool check_required(struct checking *checking, const struct type_row *row, bool old)
{
	struct str rest = str_of(row->required);
	struct str name;

	while (str_split(&rest, ' ', &name)) {
		if (name.len == 0 || has(checking->object, name) || (old && word_in(new_in_21, name)))
			continue;
		return err_set(checking->err, ERR_MALFORMED, "%s: required property " STR_FMT " is missing",
			row->name, STR_ARG(name));
	}
	if (!row->one_of[0])
		return true;
	rest = str_of(row->one_of);
	while (str_split(&rest, ' ', &name))
		if (has(checking->object, name))
			return true;
	return err_set(
		checking->err, ERR_MALFORMED, "%s: expected at least one of %s", row->name, row->one_of);
}

static bool check_spans(struct checking *checking)
{
	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		int64_t first, second;
		if (!clock_parse(json_text(checking->object, spans[i].first), &first) ||
			!clock_parse(json_text(checking->object, spans[i].second), &second))
			continue;
		if (second < first || (spans[i].strict && second == first))
			return err_set(checking->err, ERR_MALFORMED, "%s is before %s", spans[i].second,
				spans[i].first);
	}
	return true;
}

static bool check_identity(struct checking *checking, struct str type, enum stix_kind kind)
{
	struct str id = json_text(checking->object, "id");
	bool newer = false;

	if (type.len < 3 || type.len > 250)
		return refuse(checking, "type", "3 to 250 of a-z 0-9 -");
	if (!id_good(id, &newer) || !str_starts(id, type) || id.len != type.len + 38)
		return refuse(
			checking, "id", "its type, -- and a UUID of a version and the variant of RFC 4122");
	if (newer)
		flaw_set(checking, "id", "a UUID of a version that RFC 4122 does not know");
	if (kind != STIX_SCO && kind != STIX_CUSTOM && json_text(checking->object, "created").len == 0)
		return refuse(checking, "created", "a time");
	if ((kind == STIX_SDO || kind == STIX_SRO) && json_text(checking->object, "modified").len == 0)
		return refuse(checking, "modified", "a time");
	return true;
}

/* Header values are lists since 2.1; many converters write strings. */
static void check_headers(struct checking *checking)
{
	struct json_object *extensions = json_of(checking->object, "extensions", json_type_object);
	struct json_object *http =
		extensions ? json_of(extensions, "http-request-ext", json_type_object) : NULL;
	struct json_object *headers = http ? json_of(http, "request_header", json_type_object) : NULL;

	if (!headers)
		return;
	json_object_object_foreach(headers, name, value)
	{
		(void)name;
		if (!json_object_is_type(value, json_type_array))
			flaw_set(checking, "request_header", "values should be lists");
	}
}

bool stix_check(const struct json_object *object, bool old, char flaw[STIX_FLAW], struct err *err)
{
	struct checking checking = {object, flaw, err};
	struct str type = json_text(object, "type");
	const struct type_row *row = row_of(type);

	flaw[0] = 0;
	if (!check_identity(&checking, type, row ? row->kind : STIX_CUSTOM))
		return false;
	old = stix_is_old(object, old) && !(row && row->kind == STIX_SCO);
	if (row && !check_required(&checking, row, old))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
		struct json_object *value;
		if ((row || properties[i].always) &&
			json_object_object_get_ex(object, properties[i].name, &value) &&
			!check_property(&checking, &properties[i], value))
			return false;
	}
	check_headers(&checking);
	return check_spans(&checking);
}
