#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "model/observable.h"
#include "wire/told.h"
#include "wire/xarf.h"

/* Our own namespace for report ids: a version 4 UUID, drawn once. */
static const uint8_t id_space[UUID_LEN] = {
	0x5b, 0x0e, 0x1f, 0x6c, 0x3d, 0x92, 0x4c, 0x7a, 0x9d, 0x41, 0x27, 0xe8, 0x60, 0xb3, 0xfa, 0x15};

/* Types of RSIT that have one of X-ARF. What a pair demands beyond protocol and first_seen stands here. */
static const struct {
	const char *type;
	const char *category;
	const char *name;
	const char *member; /* demanded too; NULL */
} pairs[] = {
	{"infected-system", "connection", "infected_host", "bot_type"},
	{"brute-force", "connection", "login_attack", NULL},
	{"scanner", "connection", "port_scan", NULL},
	{"ddos", "connection", "ddos", NULL},
	{"dos", "connection", "ddos", NULL},
	{"phishing", "content", "phishing", "url"},
	{"malware-distribution", "content", "malware", "url"},
	{"application-compromise", "content", "remote_compromise", "url"},
	{"potentially-unwanted-accessible", "vulnerability", "open_service", "service"},
	{"vulnerable-system", "vulnerability", "open_service", "service"},
	{"ddos-amplifier", "vulnerability", "open_service", "service"},
	{"weak-crypto", "vulnerability", "misconfiguration", "service"},
	{"misconfiguration", "vulnerability", "misconfiguration", "service"},
};

static void put(struct json_object *object, const char *name, struct str value)
{
	if (value.len > 0)
		json_object_object_add(object, name, json_object_new_string_len(value.p, (int)value.len));
}

static void put_number(struct json_object *object, const char *name, struct str value, int64_t max)
{
	uint64_t number;

	if (str_to_u64(value, &number) && number <= (uint64_t)max)
		json_object_object_add(object, name, json_object_new_int64((int64_t)number));
}

static void put_party(struct json_object *object, const char *name, const struct told_sender *sender)
{
	struct json_object *party = json_object_new_object();
	const char *at =
		sender->contact.len > 0 ? memrchr(sender->contact.p, '@', sender->contact.len) : NULL;

	put(party, "org", sender->org.len > 0 ? sender->org : STR("CIRT"));
	put(party, "contact", sender->contact);
	if (at)
		put(party, "domain",
			(struct str){at + 1, sender->contact.len - (size_t)(at + 1 - sender->contact.p)});
	json_object_object_add(object, name, party);
}

/* The first observable of a kind: "url * VALUE". */
static struct str observable_of(const struct told_row *row, struct str kind)
{
	struct str rest = row->field[ROW_OBSERVABLES], line, word;

	while (rest.len > 0 && str_split(&rest, '\n', &line))
		if (str_split(&line, ' ', &word) && str_equal(word, kind) && str_split(&line, ' ', &word))
			return line;
	return STR_NONE;
}

static struct str member_value(const struct told_row *row, const char *member)
{
	if (strcmp(member, "url") == 0)
		return observable_of(row, STR("url"));
	if (strcmp(member, "bot_type") == 0)
		return row->field[ROW_MALWARE].len > 0 ? row->field[ROW_MALWARE] : row->field[ROW_IDENTIFIER];
	return row->field[ROW_IDENTIFIER];
}

static void put_kind(struct json_object *object, const struct told_row *row)
{
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct str value = pairs[i].member ? member_value(row, pairs[i].member) : STR_NONE;

		if (!str_equal(row->field[ROW_TYPE], str_of(pairs[i].type)) ||
			(pairs[i].member && value.len == 0))
			continue;
		put(object, "category", str_of(pairs[i].category));
		put(object, "type", str_of(pairs[i].name));
		if (pairs[i].member)
			put(object, pairs[i].member, value);
		if (strcmp(pairs[i].category, "connection") == 0)
			put(object, "protocol", STR("tcp"));
		return;
	}
	put(object, "category", STR("reputation"));
	put(object, "type", STR("threat_intelligence"));
	put(object, "threat_type", row->field[ROW_TYPE].len > 0 ? row->field[ROW_TYPE] : STR("undetermined"));
}

static void put_id(struct json_object *object, const struct told_row *row, const struct told_sender *sender)
{
	struct buf name = {0};
	uint8_t uuid[UUID_LEN];
	char text[UUID_TEXT];

	buf_str(&name, sender->number);
	buf_char(&name, ' ');
	buf_str(&name, row->field[ROW_REPORT]);
	uuid_v5(id_space, buf_view(&name), uuid);
	put(object, "report_id", str_of(uuid_format(uuid, text)));
	buf_free(&name);
}

static void put_tags(struct json_object *object, const struct told_row *row)
{
	struct json_object *tags = json_object_new_array();
	static const struct {
		const char *space;
		enum row_field field;
	} known[] = {{"rsit", ROW_TYPE}, {"identifier", ROW_IDENTIFIER}, {"severity", ROW_SEVERITY},
		{"malware", ROW_MALWARE}, {"report", ROW_REPORT}};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct str value = row->field[known[i].field];
		struct buf tag = {0};

		if (value.len == 0)
			continue;
		buf_printf(&tag, "%s:" STR_FMT, known[i].space, STR_ARG(value));
		json_object_array_add(tags, json_object_new_string(buf_cstr(&tag)));
		buf_free(&tag);
	}
	json_object_object_add(object, "tags", tags);
}

bool told_xarf(struct buf *out, const struct told_row *row, const struct told_sender *sender)
{
	struct str subject = row->hit                     ? STR_NONE
	                     : row->field[ROW_IP].len > 0 ? row->field[ROW_IP]
	                                                  : row->field[ROW_NAME];
	struct json_object *object;

	if (subject.len == 0)
		subject = observable_of(row, STR("url"));
	if (subject.len == 0)
		return false;
	object = json_object_new_object();
	put(object, "xarf_version", STR("4.2.0"));
	put_id(object, row, sender);
	put(object, "timestamp", row->field[ROW_LAST]);
	put_party(object, "reporter", sender);
	put_party(object, "sender", sender);
	put(object, "source_identifier", subject);
	put_number(object, "source_port", row->field[ROW_PORT], 65535);
	put_kind(object, row);
	put(object, "first_seen",
		row->field[ROW_FIRST].len > 0 ? row->field[ROW_FIRST] : row->field[ROW_LAST]);
	put(object, "last_seen", row->field[ROW_LAST]);
	put(object, "description", row->field[ROW_TITLE]);
	put_tags(object, row);
	buf_text(out, json_object_to_json_string_ext(
			      object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	buf_char(out, '\n');
	json_object_put(object);
	return true;
}
