#include "wire/stix_sco.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "wire/jcs.h"
#include "wire/json_cut.h"

/* 00abedb4-aa42-466c-9c01-fed23315a9b7 */
static const uint8_t namespace[UUID_LEN] = {
	0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7};

/* The properties that contribute (STIX 2.1 section 6, "ID Contributing Properties" of each type). */
static const struct {
	const char *type;
	const char *properties;
} contributing[] = {
	{"artifact", "hashes payload_bin"},
	{"autonomous-system", "number"},
	{"directory", "path"},
	{"domain-name", "value"},
	{"email-addr", "value"},
	{"email-message", "from_ref subject body"},
	{"file", "hashes name parent_directory_ref extensions"},
	{"ipv4-addr", "value"},
	{"ipv6-addr", "value"},
	{"mac-addr", "value"},
	{"mutex", "name"},
	{"network-traffic", "start end src_ref dst_ref src_port dst_port protocols extensions"},
	{"software", "name cpe swid vendor version"},
	{"url", "value"},
	{"user-account", "account_type user_id account_login"},
	{"windows-registry-key", "key values"},
	{"x509-certificate", "hashes serial_number"},
};

static bool word_in(const char *list, struct str word)
{
	struct str rest = str_of(list);
	struct str item;

	while (str_split(&rest, ' ', &item))
		if (str_equal(item, word))
			return true;
	return false;
}

static const char *contributing_of(struct str type)
{
	for (size_t i = 0; i < ARRAY_LEN(contributing); i++)
		if (str_equal(type, str_of(contributing[i].type)))
			return contributing[i].properties;
	return NULL;
}

static void put_member(struct buf *out, struct str key, struct str value)
{
	buf_char(out, out->len > 1 ? ',' : '{');
	buf_char(out, '"');
	buf_str(out, key);
	buf_text(out, "\":");
	buf_str(out, value);
}

/* Of several digests one contributes: the first there is of these, else the first. */
static bool put_hashes(struct buf *out, struct str hashes, size_t max_depth)
{
	static const struct str order[] = {{"MD5", 3}, {"SHA-1", 5}, {"SHA-256", 7}, {"SHA-512", 7}};
	struct str chosen_key = STR_NONE, chosen = STR_NONE;
	struct str key, value;
	size_t best = ARRAY_LEN(order) + 1;

	if (!json_open(&hashes, '{'))
		return false;
	while (json_member(&hashes, max_depth, &key, &value) == JSON_STEP_VALUE) {
		size_t rank = 0;
		while (rank < ARRAY_LEN(order) && !str_equal(key, order[rank]))
			rank++;
		if (rank >= best)
			continue;
		best = rank;
		chosen_key = key;
		chosen = value;
	}
	if (!chosen.p)
		return false;
	put_member(out, STR("hashes"), STR("{\""));
	buf_str(out, chosen_key);
	buf_text(out, "\":");
	buf_str(out, chosen);
	buf_char(out, '}');
	return true;
}

static bool name_of(const char *properties, struct str object, size_t max_depth, struct buf *name)
{
	struct str key, value;
	bool found = false;

	if (!json_open(&object, '{'))
		return false;
	while (json_member(&object, max_depth, &key, &value) == JSON_STEP_VALUE) {
		if (!word_in(properties, key))
			continue;
		if (str_equal(key, STR("hashes")))
			found |= put_hashes(name, value, max_depth);
		else {
			put_member(name, key, value);
			found = true;
		}
	}
	buf_char(name, '}');
	return found;
}

bool stix_sco_id(struct str type, struct str object, size_t max_depth, struct arena *arena, struct str *id)
{
	const char *properties = contributing_of(type);
	struct buf name = {0}, canonical = {0};
	uint8_t uuid[UUID_LEN];
	char text[UUID_TEXT];
	bool good = properties && name_of(properties, object, max_depth, &name) &&
	            jcs_write(buf_view(&name), (unsigned)max_depth, arena, &canonical, NULL);

	if (good) {
		uuid_v5(namespace, buf_view(&canonical), uuid);
		*id = arena_printf(arena, STR_FMT "--%s", STR_ARG(type), uuid_format(uuid, text));
	}
	buf_free(&name);
	buf_free(&canonical);
	return good;
}

bool stix_id_is_named(struct str id)
{
	return id.len > 36 && id.p[id.len - 36 + 14] == '5';
}
