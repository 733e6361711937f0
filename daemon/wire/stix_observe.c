#include "wire/stix_observe.h"

#include <stdio.h>

#include "base/mem.h"
#include "model/storable.h"
#include "wire/pattern.h"

#define DEPTH_MAX 5
#define REFS_MAX  5000

/* Which property of which object is an observable; in patterns the same path. */
static const struct {
	const char *type, *path;
	enum observable_type observable;
} values[] = {
	{"ipv4-addr", "value", OBSERVABLE_IP},
	{"ipv6-addr", "value", OBSERVABLE_IP},
	{"domain-name", "value", OBSERVABLE_NAME},
	{"url", "value", OBSERVABLE_URL},
	{"email-addr", "value", OBSERVABLE_EMAIL},
	{"mac-addr", "value", OBSERVABLE_MAC},
	{"autonomous-system", "number", OBSERVABLE_ASN},
	{"file", "name", OBSERVABLE_FILENAME},
	{"artifact", "url", OBSERVABLE_URL},
	{"mutex", "name", OBSERVABLE_MUTEX},
	{"windows-registry-key", "key", OBSERVABLE_REGISTRY},
	{"user-account", "account_login", OBSERVABLE_ACCOUNT},
	{"user-account", "user_id", OBSERVABLE_ACCOUNT},
	{"cryptocurrency-wallet", "value", OBSERVABLE_WALLET},
	{"cryptocurrency-wallet", "address", OBSERVABLE_WALLET},
};

/* Paths that only patterns use: they reach through references. */
static const struct {
	const char *type, *path;
	enum observable_type observable;
} through[] = {
	{"network-traffic", "src_ref.value", OBSERVABLE_IP},
	{"network-traffic", "dst_ref.value", OBSERVABLE_IP},
	{"network-traffic", "src_ref.value", OBSERVABLE_NAME},
	{"network-traffic", "dst_ref.value", OBSERVABLE_NAME},
	{"network-traffic", "extensions.http-request-ext.request_header.User-Agent", OBSERVABLE_USER_AGENT},
	{"email-message", "from_ref.value", OBSERVABLE_EMAIL},
	{"email-message", "sender_ref.value", OBSERVABLE_EMAIL},
	{"domain-name", "resolves_to_refs[*].value", OBSERVABLE_IP},
	{"process", "image_ref.name", OBSERVABLE_FILENAME},
	{"process", "binary_ref.name", OBSERVABLE_FILENAME},
};

/* References of observables to observables, and the role that they give. */
static const struct {
	const char *type, *property;
	enum observable_role role; /* OBSERVED_UNKNOWN: as before */
} references[] = {
	{"network-traffic", "src_ref", OBSERVED_SOURCE},
	{"network-traffic", "dst_ref", OBSERVED_TARGET},
	{"email-message", "from_ref", OBSERVED_UNKNOWN},
	{"email-message", "sender_ref", OBSERVED_UNKNOWN},
	{"domain-name", "resolves_to_refs", OBSERVED_UNKNOWN},
	{"file", "content_ref", OBSERVED_UNKNOWN},
	{"file", "contains_refs", OBSERVED_UNKNOWN},
	{"process", "image_ref", OBSERVED_UNKNOWN},
	{"process", "binary_ref", OBSERVED_UNKNOWN},
	{"process", "opened_connection_refs", OBSERVED_UNKNOWN},
	{"observed-data", "object_refs", OBSERVED_UNKNOWN},
	{"malware", "sample_refs", OBSERVED_UNKNOWN},
	{"sighting", "observed_data_refs", OBSERVED_UNKNOWN},
};

static bool add(struct stix_observing *observing, enum observable_type type, struct str value)
{
	return reading_observable(observing->reading, observing->report, type, observing->role, value);
}

static bool digest_type(struct str name, enum observable_type *type)
{
	return observable_type_parse(name, type) &&
	       (*type == OBSERVABLE_MD5 || *type == OBSERVABLE_SHA1 || *type == OBSERVABLE_SHA224 ||
		       *type == OBSERVABLE_SHA256 || *type == OBSERVABLE_SHA384 ||
		       *type == OBSERVABLE_SHA512);
}

static void observe_hashes(struct stix_observing *observing, const struct json_object *object)
{
	struct json_object *hashes = json_of(object, "hashes", json_type_object);
	enum observable_type type;

	if (!hashes)
		return;
	json_object_object_foreach(hashes, name, value) if (digest_type(str_of(name), &type))
		add(observing, type, json_value_text(value));
}

static void observe_values(
	struct stix_observing *observing, struct str type, const struct json_object *object)
{
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct json_object *value;
		char number[24];
		if (!str_equal(type, str_of(values[i].type)) ||
			!json_object_object_get_ex(object, values[i].path, &value))
			continue;
		if (json_object_is_type(value, json_type_int)) {
			snprintf(number, sizeof(number), "%lld", (long long)json_object_get_int64(value));
			add(observing, values[i].observable, str_of(number));
		} else if (json_object_is_type(value, json_type_string)) {
			add(observing, values[i].observable, json_value_text(value));
		}
	}
}

static void observe_user_agent(struct stix_observing *observing, const struct json_object *object)
{
	struct json_object *extensions = json_of(object, "extensions", json_type_object);
	struct json_object *http =
		extensions ? json_of(extensions, "http-request-ext", json_type_object) : NULL;
	struct json_object *headers = http ? json_of(http, "request_header", json_type_object) : NULL;
	struct json_object *agents = headers ? json_of(headers, "User-Agent", json_type_array) : NULL;

	if (headers && json_text(headers, "User-Agent").len > 0)
		add(observing, OBSERVABLE_USER_AGENT, json_text(headers, "User-Agent"));
	for (size_t i = 0; agents && i < json_object_array_length(agents); i++)
		add(observing, OBSERVABLE_USER_AGENT, json_value_text(json_object_array_get_idx(agents, i)));
}

static void observe_ref(struct stix_observing *observing, struct json_object *ref)
{
	struct str id = json_value_text(ref);
	struct json_object *object;
	char key[64];

	if (id.len == 0)
		return;
	if (observing->dictionary) {
		if (id.len >= sizeof(key))
			return;
		snprintf(key, sizeof(key), STR_FMT, STR_ARG(id));
		object = json_object_get(json_of(observing->dictionary, key, json_type_object));
	} else {
		object = stix_index_get(observing->index, id);
	}
	if (object)
		stix_observe(observing, object);
	json_object_put(object);
}

void stix_observe_refs(struct stix_observing *observing, struct json_object *refs)
{
	size_t count = json_object_is_type(refs, json_type_array) ? json_object_array_length(refs) : 0;

	if (json_object_is_type(refs, json_type_string))
		observe_ref(observing, refs);
	for (size_t i = 0; i < count && i < REFS_MAX; i++)
		observe_ref(observing, json_object_array_get_idx(refs, i));
	if (count > REFS_MAX)
		reading_note(observing->reading, observing->report,
			"only the first %d of %zu references were followed", REFS_MAX, count);
}

static void observe_references(
	struct stix_observing *observing, struct str type, const struct json_object *object)
{
	for (size_t i = 0; i < ARRAY_LEN(references); i++) {
		enum observable_role role = observing->role;
		struct json_object *refs;
		if (!str_equal(type, str_of(references[i].type)) ||
			!json_object_object_get_ex(object, references[i].property, &refs))
			continue;
		if (references[i].role != OBSERVED_UNKNOWN && role != OBSERVED_INDICATOR)
			observing->role = references[i].role;
		stix_observe_refs(observing, refs);
		observing->role = role;
	}
}

/* STIX 2.0: observables without identifiers, in a dictionary that they refer to by its keys */
static void observe_dictionary(struct stix_observing *observing, struct json_object *dictionary)
{
	struct json_object *before = observing->dictionary;

	observing->dictionary = dictionary;
	json_object_object_foreach(dictionary, name, value)
	{
		(void)name;
		if (json_object_is_type(value, json_type_object))
			stix_observe(observing, value);
	}
	observing->dictionary = before;
}

static void observe_ports(struct stix_observing *observing, const struct json_object *object)
{
	struct json_object *port = json_of(object, "dst_port", json_type_int);

	if (port && observing->report->target_port == 0)
		observing->report->target_port = (uint16_t)json_object_get_int64(port);
	port = json_of(object, "src_port", json_type_int);
	if (port && observing->report->source_port == 0)
		observing->report->source_port = (uint16_t)json_object_get_int64(port);
}

static void observe_cves(struct stix_observing *observing, const struct json_object *object)
{
	struct json_object *list = json_of(object, "external_references", json_type_array);

	add(observing, OBSERVABLE_CVE, json_text(object, "name"));
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *reference = json_object_array_get_idx(list, i);
		if (json_object_is_type(reference, json_type_object))
			add(observing, OBSERVABLE_CVE, json_text(reference, "external_id"));
	}
}

void stix_observe(struct stix_observing *observing, struct json_object *object)
{
	struct str type = json_text(object, "type");
	struct json_object *dictionary;

	if (observing->depth == DEPTH_MAX)
		return;
	observing->depth++;
	observe_values(observing, type, object);
	observe_hashes(observing, object);
	observe_references(observing, type, object);
	dictionary = json_of(object, "objects", json_type_object);
	if (dictionary && !observing->dictionary && str_equal(type, STR("observed-data")))
		observe_dictionary(observing, dictionary);
	if (str_equal(type, STR("network-traffic"))) {
		observe_user_agent(observing, object);
		observe_ports(observing, object);
	} else if (str_equal(type, STR("vulnerability"))) {
		observe_cves(observing, object);
	} else if (str_equal(type, STR("malware"))) {
		add(observing, OBSERVABLE_MALWARE, json_text(object, "name"));
	} else if (str_equal(type, STR("indicator"))) {
		enum observable_role role = observing->role;
		observing->role = OBSERVED_INDICATOR;
		stix_observe_pattern(observing, json_text(object, "pattern"), NULL);
		observing->role = role;
	}
	observing->depth--;
}

static bool take(struct stix_observing *observing, enum observable_type type,
	const struct pattern_comparison *comparison)
{
	bool good = false;

	for (size_t i = 0; i < comparison->value_count; i++)
		good |= add(observing, type, comparison->values[i]);
	return good;
}

/* "file:hashes[*] = '…'": any digest, told by its length */
static void take_any_digest(struct stix_observing *observing, const struct pattern_comparison *comparison)
{
	static const enum observable_type types[] = {OBSERVABLE_MD5, OBSERVABLE_SHA1, OBSERVABLE_SHA224,
		OBSERVABLE_SHA256, OBSERVABLE_SHA384, OBSERVABLE_SHA512};

	for (size_t i = 0; i < comparison->value_count; i++)
		for (size_t t = 0; t < ARRAY_LEN(types); t++)
			add(observing, types[t], comparison->values[i]);
}

static void take_comparison(struct stix_observing *observing, const struct pattern_comparison *comparison)
{
	enum observable_type type;

	if (comparison->negated ||
		(comparison->operator!= PATTERN_EQUAL && comparison->operator!= PATTERN_IN && comparison->
			operator!= PATTERN_SUBSET))
		return;
	if (str_equal(comparison->path, STR("hashes[*]"))) {
		take_any_digest(observing, comparison);
		return;
	}
	if (str_starts(comparison->path, STR("hashes."))) {
		if (digest_type((struct str){comparison->path.p + 7, comparison->path.len - 7}, &type))
			take(observing, type, comparison);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (str_equal(comparison->type, str_of(values[i].type)) &&
			str_equal(comparison->path, str_of(values[i].path)))
			take(observing, values[i].observable, comparison);
	for (size_t i = 0; i < ARRAY_LEN(through); i++)
		if (str_equal(comparison->type, str_of(through[i].type)) &&
			str_equal(comparison->path, str_of(through[i].path)) &&
			take(observing, through[i].observable, comparison))
			return;
}

bool stix_observe_pattern(struct stix_observing *observing, struct str pattern, struct err *err)
{
	struct pattern parsed;

	if (!pattern_parse(pattern, observing->reading->arena, &parsed, err))
		return false;
	for (size_t i = 0; i < parsed.comparison_count; i++)
		take_comparison(observing, &parsed.comparisons[i]);
	return true;
}
