#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/mem.h"
#include "client/org_file.h"
#include "wire/csv.h"

/*
 * What registries publish: "delegated-*-extended" statistics (lines with bars), complaints as CSV of prefix
 * and email, and RIPE database objects, where a network names an abuse-c or an organisation that does, and
 * that a role with its abuse-mailbox.
 */
struct registry {
	struct arena *arena;
	struct map *mailboxes; /* of a role, by handle in capitals → struct str */
	struct map *abuse_c;   /* of an organisation, the same */
	org_row_fn *row;
	void *context;
	struct err *err;
	size_t before; /* bytes of the files that have been read */
};

/* One object of a RIPE database: what of it matters. */
struct object {
	uint64_t line;
	struct str class, key, handle, abuse_c, abuse_mailbox, org;
};

static struct str line_next(struct str *rest)
{
	const char *end = memchr(rest->p, '\n', rest->len);
	size_t len = end ? (size_t)(end - rest->p) : rest->len;
	struct str line = {rest->p, len};

	rest->p += len + (end != NULL);
	rest->len -= len + (end != NULL);
	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

static void attribute_take(struct object *object, struct str name, struct str value)
{
	const char *comment = memchr(value.p, '#', value.len);

	if (comment)
		value = str_trim((struct str){value.p, (size_t)(comment - value.p)});
	if (!object->class.len) {
		object->class = name;
		object->key = value;
	}
	if (str_equal(name, STR("nic-hdl")))
		object->handle = value;
	else if (str_equal(name, STR("abuse-c")))
		object->abuse_c = value;
	else if (str_equal(name, STR("abuse-mailbox")))
		object->abuse_mailbox = value;
	else if (str_equal(name, STR("org")))
		object->org = value;
}

/* The next object; false at the end. Lines that go on with a blank or + belong to the one before: none of
 * them matters here. */
static bool object_next(struct str *rest, uint64_t *line, struct object *object)
{
	*object = (struct object){0};
	while (rest->len) {
		struct str one = line_next(rest);
		++*line;
		if (!str_trim(one).len) {
			if (object->class.len)
				return true;
			continue;
		}
		const char *colon = memchr(one.p, ':', one.len);
		if (one.p[0] == '%' || one.p[0] == '#' || one.p[0] == ' ' || one.p[0] == '\t' ||
			one.p[0] == '+' || !colon)
			continue;
		if (!object->class.len)
			object->line = *line;
		struct str name = {one.p, (size_t)(colon - one.p)};
		attribute_take(object, name, str_trim((struct str){colon + 1, one.len - name.len - 1}));
	}
	return object->class.len > 0;
}

static struct str capitals(struct registry *r, struct str text)
{
	char *copy = arena_alloc(r->arena, text.len + 1);

	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 32);
		copy[i] = c;
	}
	return (struct str){copy, text.len};
}

static void remember(struct registry *r, struct map *map, struct str handle, struct str value)
{
	struct str *kept = arena_alloc(r->arena, sizeof *kept);

	if (!handle.len || !value.len)
		return;
	*kept = value;
	map_put_str(map, capitals(r, handle), kept);
}

static void objects_remember(struct registry *r, struct str text)
{
	struct object object;
	uint64_t line = 0;

	while (object_next(&text, &line, &object))
		if (str_equal(object.class, STR("role")) || str_equal(object.class, STR("person")))
			remember(r, r->mailboxes, object.handle, object.abuse_mailbox);
		else if (str_equal(object.class, STR("organisation")))
			remember(r, r->abuse_c, object.key, object.abuse_c);
}

static struct str known(struct registry *r, struct map *map, struct str handle)
{
	struct str *found = handle.len ? map_get_str(map, capitals(r, handle)) : NULL;

	return found ? *found : STR_NONE;
}

static bool give(struct registry *r, uint64_t line, const char *record, struct str value, struct str email,
	const char *problem, size_t offset)
{
	struct json_object *row = json_object_new_object();

	json_object_object_add(row, "line", json_object_new_int64((int64_t)line));
	if (problem) {
		json_object_object_add(row, "problem", json_object_new_string(problem));
	} else {
		json_object_object_add(row, "record", json_object_new_string(record));
		json_object_object_add(
			row, "value", json_object_new_string_len(value.p ? value.p : "", (int)value.len));
		if (email.p)
			json_object_object_add(
				row, "email", json_object_new_string_len(email.p, (int)email.len));
	}
	return r->row(row, r->before + offset, r->context, r->err);
}

static bool objects_give(struct registry *r, struct str text)
{
	struct str rest = text;
	struct object object;
	uint64_t line = 0;
	bool ok = true;

	while (ok && object_next(&rest, &line, &object)) {
		if (!str_equal(object.class, STR("inetnum")) && !str_equal(object.class, STR("inet6num")))
			continue;
		struct str handle = object.abuse_c.len ? object.abuse_c : known(r, r->abuse_c, object.org);
		struct str email = known(r, r->mailboxes, handle);
		if (email.len)
			ok = give(r, object.line, "abuse", object.key, email, NULL, text.len - rest.len);
	}
	return ok;
}

static bool delegated_give(struct registry *r, struct str text)
{
	struct str rest = text;
	uint64_t line = 0;
	bool ok = true;

	while (ok && rest.len) {
		struct str one = str_trim(line_next(&rest));
		line++;
		if (!one.len || one.p[0] == '#')
			continue;
		if (memchr(one.p, '|', one.len))
			ok = give(r, line, "delegated", one, STR_NONE, NULL, text.len - rest.len);
		else
			ok = give(r, line, NULL, STR_NONE, STR_NONE,
				"expected registry|cc|type|start|value|date|status", text.len - rest.len);
	}
	return ok;
}

static bool complaints_give(struct registry *r, struct str text)
{
	struct csv_record record;
	int prefix = -1, email = -1;
	enum csv_step step;
	struct csv csv;
	struct err bad;
	bool ok = true;

	csv_open(&csv, text);
	csv.separator = csv_separator(text);
	while (ok && (step = csv_next(&csv, r->arena, &record, &bad)) != CSV_END) {
		size_t offset = text.len - csv.rest.len;
		if (step == CSV_BAD) {
			ok = give(r, record.line, NULL, STR_NONE, STR_NONE, bad.text, offset);
		} else if (prefix < 0) {
			prefix = csv_column(&record, STR("prefix"));
			email = csv_column(&record, STR("email"));
			if (prefix < 0 || email < 0)
				return err_set(r->err, ERR_MALFORMED,
					"expected delegated statistics, objects of a RIPE database, or CSV "
					"with "
					"columns prefix and email");
		} else if ((size_t)prefix >= record.count || (size_t)email >= record.count) {
			ok = give(r, record.line, NULL, STR_NONE, STR_NONE,
				"expected a prefix and an address", offset);
		} else {
			ok = give(r, record.line, "abuse", str_trim(record.fields[prefix]),
				str_trim(record.fields[email]), NULL, offset);
		}
	}
	return ok;
}

enum look { LOOK_CSV, LOOK_DELEGATED, LOOK_OBJECTS };

/* By the first line that is no comment. */
static enum look look_of(struct str text)
{
	while (text.len) {
		struct str one = str_trim(line_next(&text));
		if (!one.len || one.p[0] == '#' || one.p[0] == '%')
			continue;
		if (memchr(one.p, '|', one.len))
			return LOOK_DELEGATED;
		const char *colon = memchr(one.p, ':', one.len);
		return colon && !memchr(one.p, ',', (size_t)(colon - one.p)) ? LOOK_OBJECTS : LOOK_CSV;
	}
	return LOOK_CSV;
}

bool org_registry_rows(const struct str *texts, size_t count, org_row_fn *row, void *context, struct err *err)
{
	struct registry r = {.arena = arena_new(65536),
		.mailboxes = map_new(),
		.abuse_c = map_new(),
		.row = row,
		.context = context,
		.err = err};
	bool ok = true;

	for (size_t i = 0; i < count; i++)
		if (look_of(texts[i]) == LOOK_OBJECTS)
			objects_remember(&r, texts[i]);
	for (size_t i = 0; ok && i < count; i++) {
		enum look look = look_of(texts[i]);
		ok = look == LOOK_OBJECTS     ? objects_give(&r, texts[i])
		     : look == LOOK_DELEGATED ? delegated_give(&r, texts[i])
		                              : complaints_give(&r, texts[i]);
		r.before += texts[i].len;
	}
	map_free(&r.mailboxes);
	map_free(&r.abuse_c);
	arena_free(&r.arena);
	return ok;
}
