#include "config.h"

#include <stdio.h>

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"
#include "client/org_file.h"

/* The register as `cirt org import` reads it: CSV with a record a line, or JSON with an organisation a line.
 */

static const char *const columns[] = {"record", "organisation", "value", "from", "until", "kind", "sector",
	"criticality", "country", "parent", "handle", "note", "name", "role", "email", "phone", "language",
	"zone", "schedule", "format", "policy", "pgp", "smime", "priority", "title"};

static void put_cell(struct buf *out, const char *text)
{
	bool guarded = org_cell_guarded(str_of(text));

	if (!strpbrk(text, ",\"\r\n") && *text != ' ' && !guarded) {
		buf_text(out, text);
		return;
	}
	buf_char(out, '"');
	if (guarded)
		buf_char(out, '\'');
	for (; *text; text++) {
		if (*text == '"')
			buf_char(out, '"');
		buf_char(out, *text);
	}
	buf_char(out, '"');
}

/* A line of what stands in `from`; what is not of this record stays empty. */
static void put_record(struct buf *out, const char *record, const char *organisation, const char *value,
	struct json_object *from)
{
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		const char *cell = i == 0   ? record
		                   : i == 1 ? organisation
		                   : i == 2 ? value
		                   : from   ? member_text(from, columns[i])
		                            : "";
		char number[24];
		if (from && i > 2 && json_object_is_type(member_of(from, columns[i]), json_type_int)) {
			snprintf(number, sizeof number, "%lld", (long long)member_number(from, columns[i]));
			cell = number;
		}
		if (i)
			buf_char(out, ',');
		/* An organisation's name stands in its own column. */
		put_cell(out,
			i > 2 && !strcmp(record, "organisation") && !strcmp(columns[i], "name") ? "" : cell);
	}
	buf_text(out, "\n");
}

static void put_organisation(struct buf *out, struct json_object *item)
{
	static const char *const lists[][2] = {
		{"prefixes", "prefix"}, {"asns", "asn"}, {"domains", "domain"}, {"brands", "brand"}};
	const char *name = member_text(item, "name");

	put_record(out, "organisation", name, "", item);
	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		struct json_object *list = member_of(item, lists[k][0]);
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			struct json_object *one = json_object_array_get_idx(list, i);
			put_record(out, lists[k][1], name, member_text(one, "value"), one);
		}
	}
	struct json_object *contacts = member_of(item, "contacts"), *groups = member_of(item, "groups");
	for (size_t i = 0; i < json_object_array_length(contacts); i++)
		put_record(out, "contact", name, "", json_object_array_get_idx(contacts, i));
	for (size_t i = 0; i < json_object_array_length(groups); i++)
		put_record(out, "member", name, json_object_get_string(json_object_array_get_idx(groups, i)),
			NULL);
}

struct export
{
	struct call *call;
	bool json;
	struct buf out;
};

/* What identifies a row here, and who made it, means nothing elsewhere. */
static void forget_ours(struct json_object *one)
{
	static const char *const ours[] = {"id", "organisation", "origin", "bounced", "tested"};

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		json_object_object_del(one, ours[i]);
}

static void put_json(struct export *export, struct json_object *item)
{
	static const char *const lists[] = {"prefixes", "asns", "domains", "brands", "contacts"};

	forget_ours(item);
	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		struct json_object *list = member_of(item, lists[k]);
		for (size_t i = 0; list && i < json_object_array_length(list); i++)
			forget_ours(json_object_array_get_idx(list, i));
	}
	buf_text(&export->out, json_object_to_json_string_ext(
				       item, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	buf_text(&export->out, "\n");
}

static void put_group(struct export *export, struct json_object *item)
{
	if (!export->json) {
		put_record(&export->out, "group", "", member_text(item, "name"), item);
		return;
	}
	struct json_object *group = json_object_new_object();
	static const char *const members[] = {"title", "sector", "kind"};
	json_object_object_add(group, "group", json_object_get(member_of(item, "name")));
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		json_object_object_add(group, members[i], json_object_get(member_of(item, members[i])));
	put_json(export, group);
	json_object_put(group);
}

/* On a terminal nothing but text; into a file the bytes as they are. */
static void flush(struct export *export)
{
	if (export->call->screen.terminal)
		screen_safe(buf_view(&export->out), &export->call->screen.out);
	else
		buf_str(&export->call->screen.out, buf_view(&export->out));
	buf_clear(&export->out);
	screen_flush(&export->call->screen);
}

static void put_item(struct export *export, bool groups, struct json_object *item)
{
	if (groups)
		put_group(export, item);
	else if (export->json)
		put_json(export, item);
	else
		put_organisation(&export->out, item);
}

/* All pages of one method. */
static int pages(struct export *export, const char *method, bool groups)
{
	struct json_object *next = NULL;
	int code = EXIT_DONE;

	do {
		struct json_object *params = json_object_new_object();
		struct rpc_message answer = {0};
		struct err err;
		if (next)
			json_object_object_add(params, "cursor", next);
		next = NULL;
		bool ok = link_call(export->call->link, method, params, NULL, NULL, &answer, &err);
		json_object_put(params);
		if (!ok)
			return call_broken(export->call, &err);
		if (answer.kind == RPC_ERROR) {
			code = call_failed(export->call, &answer);
		} else {
			struct json_object *items = member_of(answer.result, "items");
			for (size_t i = 0; items && i < json_object_array_length(items); i++)
				put_item(export, groups, json_object_array_get_idx(items, i));
			flush(export);
			next = json_object_get(member_of(answer.result, "next"));
		}
		rpc_free(&answer);
	} while (code == EXIT_DONE && next);
	return code;
}

int org_export_run(struct call *call)
{
	const char *format = member_text(call->invocation->params, "format");
	struct export export = {.call = call, .json = call->invocation->json || !strcmp(format, "json")};
	int code;

	if (*format && strcmp(format, "csv") != 0 && strcmp(format, "json") != 0) {
		fprintf(stderr, _("cirt org export: --format: expected csv or json, not \"%s\"\n"), format);
		return EXIT_USAGE;
	}
	code = call_connect(call);
	if (code != EXIT_DONE)
		return code;
	if (!export.json) {
		for (size_t i = 0; i < ARRAY_LEN(columns); i++)
			buf_printf(&export.out, "%s%s", i ? "," : "", columns[i]);
		buf_text(&export.out, "\n");
	}
	code = pages(&export, "group.list", true);
	if (code == EXIT_DONE)
		code = pages(&export, "org.export", false);
	buf_free(&export.out);
	return code;
}
