#include "config.h"

#include "wire/misp_report.h"

#include "base/clock.h"
#include "base/mem.h"
#include "model/storable.h"
#include "wire/json_read.h"

#define TAG_EVENT "misp:event"

/*
 * Types of attributes that are observables, and what a value with "|" in it holds behind the bar. A role of
 * none is INDICATOR where the attribute is to be used for detection (to_ids), else unknown.
 */
static const struct {
	const char *name;
	enum observable_type type;
	enum observable_role role;
	enum observable_type second; /* OBSERVABLE_OTHER: nothing, or a port */
} types[] = {
	{"ip-src", OBSERVABLE_IP, OBSERVED_SOURCE, OBSERVABLE_OTHER},
	{"ip-dst", OBSERVABLE_IP, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"ip-src|port", OBSERVABLE_IP, OBSERVED_SOURCE, OBSERVABLE_OTHER},
	{"ip-dst|port", OBSERVABLE_IP, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"ip", OBSERVABLE_IP, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"domain", OBSERVABLE_NAME, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"domain|ip", OBSERVABLE_NAME, OBSERVED_UNKNOWN, OBSERVABLE_IP},
	{"hostname", OBSERVABLE_NAME, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"hostname|port", OBSERVABLE_NAME, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"url", OBSERVABLE_URL, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"email", OBSERVABLE_EMAIL, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"email-src", OBSERVABLE_EMAIL, OBSERVED_SOURCE, OBSERVABLE_OTHER},
	{"email-reply-to", OBSERVABLE_EMAIL, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"email-dst", OBSERVABLE_EMAIL, OBSERVED_TARGET, OBSERVABLE_OTHER},
	{"target-email", OBSERVABLE_EMAIL, OBSERVED_TARGET, OBSERVABLE_OTHER},
	{"target-machine", OBSERVABLE_NAME, OBSERVED_TARGET, OBSERVABLE_OTHER},
	{"target-user", OBSERVABLE_ACCOUNT, OBSERVED_TARGET, OBSERVABLE_OTHER},
	{"md5", OBSERVABLE_MD5, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"sha1", OBSERVABLE_SHA1, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"sha256", OBSERVABLE_SHA256, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"sha512", OBSERVABLE_SHA512, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"filename", OBSERVABLE_FILENAME, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"filename|md5", OBSERVABLE_FILENAME, OBSERVED_UNKNOWN, OBSERVABLE_MD5},
	{"filename|sha1", OBSERVABLE_FILENAME, OBSERVED_UNKNOWN, OBSERVABLE_SHA1},
	{"filename|sha256", OBSERVABLE_FILENAME, OBSERVED_UNKNOWN, OBSERVABLE_SHA256},
	{"filename|sha512", OBSERVABLE_FILENAME, OBSERVED_UNKNOWN, OBSERVABLE_SHA512},
	{"malware-sample", OBSERVABLE_FILENAME, OBSERVED_UNKNOWN, OBSERVABLE_MD5},
	{"attachment", OBSERVABLE_FILENAME, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"email-attachment", OBSERVABLE_FILENAME, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"mutex", OBSERVABLE_MUTEX, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"regkey", OBSERVABLE_REGISTRY, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"regkey|value", OBSERVABLE_REGISTRY, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"user-agent", OBSERVABLE_USER_AGENT, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"mac-address", OBSERVABLE_MAC, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"AS", OBSERVABLE_ASN, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"vulnerability", OBSERVABLE_CVE, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"btc", OBSERVABLE_WALLET, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"xmr", OBSERVABLE_WALLET, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
	{"github-username", OBSERVABLE_ACCOUNT, OBSERVED_UNKNOWN, OBSERVABLE_OTHER},
};

/* Galaxies whose clusters are families: misp-galaxy:malpedia="Emotet". */
static const char *const families[] = {"misp-galaxy:malpedia=", "misp-galaxy:ransomware=",
	"misp-galaxy:botnet=", "misp-galaxy:banker=", "misp-galaxy:stealer=", "misp-galaxy:rat=",
	"misp-galaxy:mitre-malware=", "misp-galaxy:tool=", "misp-galaxy:backdoor=", "misp-galaxy:android="};

bool misp_flag(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, name, &value))
		return false;
	if (json_object_is_type(value, json_type_string))
		return str_equal(json_value_text(value), STR("1")) ||
		       str_equal_nocase(json_value_text(value), STR("true"));
	return json_object_is_type(value, json_type_boolean) ? json_object_get_boolean(value)
	                                                     : json_object_get_int64(value) != 0;
}

void misp_tags(struct json_object *list, struct arena *arena, struct str **tags, size_t *count)
{
	*tags = arena_alloc(arena, MISP_TAGS * sizeof(**tags));
	*count = 0;
	for (size_t i = 0; list && i < json_object_array_length(list) && *count < MISP_TAGS; i++) {
		struct json_object *tag = json_object_array_get_idx(list, i);
		struct str name =
			json_object_is_type(tag, json_type_object) ? json_text(tag, "name") : STR_NONE;

		if (name.len > 0)
			(*tags)[(*count)++] = arena_str(arena, name);
	}
}

/* What stands behind the "=" of a tag, without its quotes. */
static struct str tag_value(struct str tag)
{
	struct str name;

	if (!str_split(&tag, '=', &name) || !tag.p)
		return STR("");
	tag = str_trim(tag);
	if (tag.len >= 2 && tag.p[0] == '"' && tag.p[tag.len - 1] == '"')
		tag = (struct str){tag.p + 1, tag.len - 2};
	return tag;
}

static bool starts_nocase(struct str text, struct str prefix)
{
	return text.len >= prefix.len && str_equal_nocase((struct str){text.p, prefix.len}, prefix);
}

static struct str lower(struct arena *arena, struct str text)
{
	struct str copy = arena_str(arena, storable_text(text, MAX_IDENTIFIER, arena, NULL));
	char *p = (char *)(uintptr_t)copy.p; /* ours */

	for (size_t i = 0; i < copy.len; i++)
		p[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i]);
	return copy;
}

/* "Emotet - S0367" is MITRE's way to write a family. */
static struct str family_of(struct str value)
{
	const char *dash = value.len > 0 ? memmem(value.p, value.len, " - ", 3) : NULL;

	return str_trim(dash ? (struct str){value.p, (size_t)(dash - value.p)} : value);
}

void misp_tag_apply(struct reading *reading, struct report *report, struct str tag)
{
	enum tlp tlp = TLP_UNSTATED;
	enum pap pap = PAP_UNSTATED;
	enum rsit_type type;

	reading_tag(reading, report, tag);
	if (starts_nocase(tag, STR("tlp:")) && tlp_parse(tag, &tlp) && tlp > report->tlp)
		report->tlp = tlp;
	else if (starts_nocase(tag, STR("pap:")) && pap_parse(tag, &pap) && pap > report->pap)
		report->pap = pap;
	else if (starts_nocase(tag, STR("rsit:")) && report->type == RSIT_NONE &&
		 rsit_parse(tag_value(tag), &type))
		report->type = type;
	for (size_t i = 0; i < ARRAY_LEN(families) && report->malware.len == 0; i++)
		if (starts_nocase(tag, str_of(families[i])))
			report->malware = lower(reading->arena, family_of(tag_value(tag)));
}

void misp_event_apply(struct reading *reading, struct report *report, const struct misp_event *event)
{
	for (size_t i = 0; i < event->tag_count; i++)
		misp_tag_apply(reading, report, event->tags[i]);
	if (event->uuid.len > 0)
		reading_tag(reading, report,
			arena_printf(reading->arena, TAG_EVENT "=\"" STR_FMT "\"", STR_ARG(event->uuid)));
	report->severity = event->severity;
	report->observed = event->date;
	report->title =
		arena_str(reading->arena, storable_text(event->info, MAX_TITLE, reading->arena, NULL));
}

/* The part of a value in front of the bar, and behind it. */
static struct str value_cut(struct str value, struct str *second)
{
	const char *bar = value.len > 0 ? memrchr(value.p, '|', value.len) : NULL;

	*second = STR("");
	if (!bar)
		return value;
	*second = (struct str){bar + 1, value.len - (size_t)(bar - value.p) - 1};
	return (struct str){value.p, (size_t)(bar - value.p)};
}

static void take_port(struct report *report, enum observable_role role, struct str text)
{
	uint64_t port = 0;

	if (!str_to_u64(text, &port) || port > 65535)
		return;
	if (role == OBSERVED_SOURCE)
		report->source_port = (uint16_t)port;
	else
		report->target_port = (uint16_t)port;
}

enum misp_value misp_attribute_observe(
	struct reading *reading, struct report *report, struct json_object *attribute)
{
	struct str type = json_text(attribute, "type");
	struct str value = json_text(attribute, "value");
	struct str second = STR("");
	enum observable_role role;
	size_t i = 0;
	bool taken;

	while (i < ARRAY_LEN(types) && !str_equal(type, str_of(types[i].name)))
		i++;
	if (i == ARRAY_LEN(types))
		return MISP_OTHER;
	if (memchr(type.p, '|', type.len) || types[i].second != OBSERVABLE_OTHER)
		value = value_cut(value, &second);
	role = types[i].role;
	if (str_equal(json_text(attribute, "category"), STR("Targeting data")))
		role = OBSERVED_TARGET;
	else if (role == OBSERVED_UNKNOWN && misp_flag(attribute, "to_ids"))
		role = OBSERVED_INDICATOR;
	if (second.len > 0 && str_ends(type, STR("|port")))
		take_port(report, role, second);
	taken = reading_observable(reading, report, types[i].type, role, value);
	if (second.len > 0 && types[i].second != OBSERVABLE_OTHER)
		taken |= reading_observable(reading, report, types[i].second, role, second);
	return taken ? MISP_TAKEN : MISP_WRONG;
}

static void add_line(struct buf *text, const char *name, struct str value)
{
	if (value.len == 0)
		return;
	buf_text(text, name);
	buf_str(text, utf8_cut(value, MAX_TEXT / 4));
	buf_char(text, '\n');
}

void misp_member_apply(struct reading *reading, struct report *report, struct json_object *member,
	struct str kind, struct str value)
{
	struct str uuid = json_text(member, "uuid");
	struct buf text = {0};
	struct str *tags;
	size_t count;
	int64_t seen;

	misp_tags(json_of(member, "Tag", json_type_array), reading->arena, &tags, &count);
	for (size_t i = 0; i < count; i++)
		misp_tag_apply(reading, report, tags[i]);
	if (misp_flag(member, "to_ids"))
		reading_tag(reading, report, STR("misp:to_ids=\"true\""));
	if (clock_parse(json_text(member, "first_seen"), &seen))
		report->observed = seen;
	report->sender_id =
		arena_str(reading->arena, storable_text(uuid, MAX_IDENTIFIER, reading->arena, NULL));
	report->global_id = uuid.len > 0;
	if (report->title.len > 0)
		buf_printf(&text, STR_FMT ": ", STR_ARG(report->title));
	buf_printf(&text, STR_FMT " " STR_FMT, STR_ARG(utf8_cut(kind, 60)), STR_ARG(utf8_cut(value, 200)));
	report->title = arena_str(
		reading->arena, storable_text(str_trim(buf_view(&text)), MAX_TITLE, reading->arena, NULL));
	buf_clear(&text);
	add_line(&text, "", json_text(member, "comment"));
	add_line(&text, "category: ", json_text(member, "category"));
	add_line(&text, "category: ", json_text(member, "meta-category"));
	report->text =
		arena_str(reading->arena, storable_text(buf_view(&text), MAX_TEXT, reading->arena, NULL));
	buf_free(&text);
}
