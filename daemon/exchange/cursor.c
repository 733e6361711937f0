#include "exchange/cursor.h"

#include <json-c/json.h>
#include <stddef.h>

#include "base/mem.h"

static const struct cursor_member {
	const char *name;
	size_t offset;
	size_t size;
} members[] = {
#define MEMBER(name)                                                                     \
	{                                                                                \
#name, offsetof(struct cursor, name), sizeof(((struct cursor *)0)->name) \
	}
	MEMBER(etag),
	MEMBER(modified),
	MEMBER(added_after),
	MEMBER(next),
	MEMBER(last),
	MEMBER(digest),
#undef MEMBER
};

/* A URL may be long: the bookmark names it by its digest. */
static void url_digest(struct str url, char text[SHA256_HEX])
{
	uint8_t digest[SHA256_LEN];

	sha256(url, digest);
	hex_encode(digest, sizeof(digest), text);
}

void cursor_set(char *member, size_t size, struct str text)
{
	bool plain = text.len < size && utf8_valid(text);

	for (size_t i = 0; plain && i < text.len; i++)
		plain = (unsigned char)text.p[i] >= 0x20 && text.p[i] != 0x7f;
	if (plain && text.len > 0)
		memcpy(member, text.p, text.len);
	member[plain ? text.len : 0] = '\0';
}

static struct str text_of(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, name, &value) || !json_object_is_type(value, json_type_string))
		return STR("");
	return (struct str){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
}

bool cursor_decode(struct str json, struct str url, struct cursor *cursor)
{
	struct json_tokener *tokener = json_tokener_new_ex(4);
	struct json_object *object = NULL;
	char digest[SHA256_HEX];
	bool same;

	*cursor = (struct cursor){.etag = ""};
	if (json.len > 0 && json.len <= CURSOR_MAX)
		object = json_tokener_parse_ex(tokener, json.p, (int)json.len);
	json_tokener_free(tokener);
	url_digest(url, digest);
	same = json_object_is_type(object, json_type_object) &&
	       str_equal(text_of(object, "url"), str_of(digest));
	for (size_t i = 0; same && i < ARRAY_LEN(members); i++)
		cursor_set((char *)cursor + members[i].offset, members[i].size,
			text_of(object, members[i].name));
	json_object_put(object);
	return same;
}

void cursor_encode(const struct cursor *cursor, struct str url, struct buf *out)
{
	char digest[SHA256_HEX];

	url_digest(url, digest);
	buf_printf(out, "{\"url\":\"%s\"", digest);
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		struct str value = str_of((const char *)cursor + members[i].offset);

		if (value.len == 0)
			continue;
		buf_printf(out, ",\"%s\":", members[i].name);
		buf_json_string(out, value);
	}
	buf_char(out, '}');
}
