#include "list_read.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct reader {
	struct lists *lists;
	list_complaint_fn *complaint;
	void *context;
};

/* MISP's words for what an attribute is. */
static const struct {
	const char *attribute;
	unsigned subjects;
} attributes[] = {
	{"ip-src", SUBJECT_IP},
	{"ip-dst", SUBJECT_IP},
	{"ip", SUBJECT_IP},
	{"domain", SUBJECT_NAME},
	{"hostname", SUBJECT_NAME},
	{"url", SUBJECT_URL},
	{"uri", SUBJECT_URL},
	{"link", SUBJECT_URL},
	{"email", SUBJECT_EMAIL},
	{"email-src", SUBJECT_EMAIL},
	{"email-dst", SUBJECT_EMAIL},
	{"email-reply-to", SUBJECT_EMAIL},
	{"whois-registrant-email", SUBJECT_EMAIL},
	{"dns-soa-email", SUBJECT_EMAIL},
	{"target-email", SUBJECT_EMAIL},
	{"md5", SUBJECT_DIGEST},
	{"sha1", SUBJECT_DIGEST},
	{"sha256", SUBJECT_DIGEST},
	{"sha512", SUBJECT_DIGEST},
	{"AS", SUBJECT_ASN},
	{"filename", SUBJECT_FILENAME},
	{"user-agent", SUBJECT_USER_AGENT},
	{"mac-address", SUBJECT_MAC},
	{"btc", SUBJECT_WALLET},
	{"xmr", SUBJECT_WALLET},
};

static const char *const types[LIST_TYPES] = {
	[LIST_STRING] = "string",
	[LIST_SUBSTRING] = "substring",
	[LIST_HOSTNAME] = "hostname",
	[LIST_CIDR] = "cidr",
	[LIST_REGEX] = "regex",
};

/* "filename|sha256" is a pair of both. */
static unsigned attribute_subjects(const char *text)
{
	unsigned subjects = 0;

	while (*text) {
		size_t len = strcspn(text, "|");
		for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
			if (strlen(attributes[i].attribute) == len &&
				memcmp(attributes[i].attribute, text, len) == 0)
				subjects |= attributes[i].subjects;
		text += len + (text[len] == '|');
	}
	return subjects;
}

static const char *member_text(struct json_object *object, const char *name)
{
	struct json_object *member;

	return json_object_object_get_ex(object, name, &member) &&
	                       json_object_is_type(member, json_type_string)
	               ? json_object_get_string(member)
	               : NULL;
}

static unsigned subjects_of(struct json_object *object)
{
	struct json_object *member;
	unsigned subjects = 0;

	if (!json_object_object_get_ex(object, "matching_attributes", &member) ||
		!json_object_is_type(member, json_type_array) || json_object_array_length(member) == 0)
		return SUBJECT_ANY;
	for (size_t i = 0; i < json_object_array_length(member); i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(member, i));
		subjects |= strcmp(text ? text : "", "ALL") == 0 ? SUBJECT_ANY
		                                                 : attribute_subjects(text ? text : "");
	}
	return subjects;
}

static void complain(const struct reader *reader, const char *list, const char *what, const char *why)
{
	char text[512];

	snprintf(text, sizeof(text), "list \"%.200s\": %.200s: %s", list, what, why);
	reader->complaint(text, reader->context);
}

static void read_entries(const struct reader *reader, int number, struct json_object *entries)
{
	const char *name = lists_get(reader->lists, (uint32_t)number)->name;

	for (size_t i = 0; i < json_object_array_length(entries); i++) {
		struct json_object *entry = json_object_array_get_idx(entries, i);
		const char *text = json_object_get_string(entry);
		const char *why = !json_object_is_type(entry, json_type_string)
		                          ? "expected a string"
		                          : lists_put(reader->lists, (uint32_t)number, text,
						    (size_t)json_object_get_string_len(entry));
		if (why)
			complain(reader, name, text ? text : "null", why);
	}
}

static void read_list(const struct reader *reader, struct json_object *object)
{
	const char *name = member_text(object, "name"), *type = member_text(object, "type");
	const char *category = member_text(object, "category");
	struct json_object *entries;
	struct list list = {.name = (char *)(uintptr_t)name, .type = LIST_TYPES};
	int number;

	if (!name || !json_object_object_get_ex(object, "list", &entries) ||
		!json_object_is_type(entries, json_type_array)) {
		complain(reader, name ? name : "", "left out", "expected name and list");
		return;
	}
	for (int i = 0; i < LIST_TYPES; i++)
		if (strcmp(type ? type : "string", types[i]) == 0)
			list.type = (enum list_type)i;
	if (list.type == LIST_TYPES) {
		complain(reader, name, type, "expected type string, substring, hostname, cidr or regex");
		return;
	}
	list.subjects = subjects_of(object);
	list.harmless = !category || strcasecmp(category, "Known identifier") != 0;
	number = lists_add(reader->lists, &list);
	if (number >= 0)
		read_entries(reader, number, entries);
}

static void read_value(const struct reader *reader, struct json_object *value)
{
	if (json_object_is_type(value, json_type_object)) {
		read_list(reader, value);
		return;
	}
	for (size_t i = 0; json_object_is_type(value, json_type_array) && i < json_object_array_length(value);
		i++)
		if (json_object_is_type(json_object_array_get_idx(value, i), json_type_object))
			read_list(reader, json_object_array_get_idx(value, i));
}

static size_t skip_blank(const char *bytes, size_t len)
{
	size_t at = 0;

	while (at < len && (bytes[at] == ' ' || bytes[at] == '\t' || bytes[at] == '\r' || bytes[at] == '\n'))
		at++;
	return at;
}

int lists_read(struct lists *lists, const char *bytes, size_t len, list_complaint_fn *complaint,
	void *context, char *error, size_t size)
{
	struct json_tokener *tokener = json_tokener_new();
	struct reader reader = {lists, complaint, context};
	size_t at = skip_blank(bytes, len);
	int result = 0;

	while (tokener && result == 0 && at < len) {
		size_t rest = len - at < INT_MAX ? len - at : INT_MAX;
		struct json_object *value = json_tokener_parse_ex(tokener, bytes + at, (int)rest);
		enum json_tokener_error why = json_tokener_get_error(tokener);
		if (why != json_tokener_success) {
			snprintf(error, size, "at byte %zu: expected JSON: %s",
				at + json_tokener_get_parse_end(tokener), json_tokener_error_desc(why));
			result = -1;
		} else {
			read_value(&reader, value);
			at += json_tokener_get_parse_end(tokener);
			at += skip_blank(bytes + at, len - at);
		}
		json_object_put(value);
		json_tokener_reset(tokener);
	}
	json_tokener_free(tokener);
	return tokener ? result : -1;
}
