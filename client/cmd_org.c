#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

/* The register: whom we serve, what they hold, whose something is. */

static const struct column list_columns[] = {
	{"name", N_("NAME"), CELL_TEXT, true},
	{"kind", N_("KIND"), CELL_TEXT, COLUMN_SPARE},
	{"sector", N_("SECTOR"), CELL_TEXT, COLUMN_SPARE},
	{"criticality", N_("CRITICALITY"), CELL_TEXT, COLUMN_SPARE},
	{"country", N_("CC"), CELL_TEXT, COLUMN_SPARE},
	{"prefixes", N_("PREFIXES"), CELL_NUMBER, COLUMN_SPARE},
	{"contacts", N_("CONTACTS"), CELL_NUMBER, COLUMN_SPARE},
	{"until", N_("UNTIL"), CELL_AGO, false},
};

static const struct column show_columns[] = {
	{"name", N_("organisation"), CELL_TEXT, false},
	{"kind", N_("kind"), CELL_TEXT, false},
	{"sector", N_("sector"), CELL_TEXT, false},
	{"criticality", N_("criticality"), CELL_TEXT, false},
	{"country", N_("country"), CELL_TEXT, false},
	{"parent", N_("belongs to"), CELL_TEXT, false},
	{"groups", N_("groups"), CELL_LIST, false},
	{"handle", N_("handle"), CELL_TEXT, false},
	{"from", N_("from"), CELL_TIME, false},
	{"until", N_("until"), CELL_TIME, false},
	{"origin", N_("made by"), CELL_TEXT, false},
	{"note", N_("note"), CELL_TEXT, false},
};

static const struct column entry_columns[] = {
	{"value", N_("HOLDS"), CELL_TEXT, false},
	{"from", N_("FROM"), CELL_TIME, false},
	{"until", N_("UNTIL"), CELL_TIME, false},
	{"origin", N_("MADE BY"), CELL_TEXT, false},
};

static const struct column contact_columns[] = {
	{"id", N_("ID"), CELL_NUMBER, false},
	{"role", N_("ROLE"), CELL_TEXT, false},
	{"email", N_("MAIL"), CELL_TEXT, false},
	{"phone", N_("PHONE"), CELL_TEXT, true},
	{"language", N_("LANGUAGE"), CELL_TEXT, false},
	{"policy", N_("ENCRYPTION"), CELL_TEXT, false},
	{"until", N_("UNTIL"), CELL_AGO, false},
};

static const struct column who_columns[] = {
	{"what", N_("asked"), CELL_TEXT, false},
	{"at", N_("at"), CELL_TIME, false},
	{"outcome", N_("is"), CELL_TEXT, false},
	{"organisation", N_("organisation"), CELL_TEXT, false},
	{"entry", N_("by"), CELL_TEXT, false},
	{"from", N_("from"), CELL_TIME, false},
	{"until", N_("until"), CELL_TIME, false},
	{"kind", N_("kind"), CELL_TEXT, false},
	{"sector", N_("sector"), CELL_TEXT, false},
	{"criticality", N_("criticality"), CELL_TEXT, false},
	{"country", N_("country"), CELL_TEXT, false},
	{"delegated", N_("delegated as"), CELL_TEXT, false},
	{"registry", N_("registry"), CELL_TEXT, false},
	{"national_cirt", N_("national CIRT"), CELL_TEXT, false},
	{"abuse", N_("takes complaints"), CELL_TEXT, false},
	{"abuse_prefix", N_("of"), CELL_TEXT, false},
};

static const struct column before_columns[] = {
	{"organisation", N_("BEFORE"), CELL_TEXT, true},
	{"entry", N_("BY"), CELL_TEXT, false},
	{"from", N_("FROM"), CELL_TIME, false},
	{"until", N_("UNTIL"), CELL_TIME, false},
};

static void table_of(struct call *call, const struct column *columns, size_t count, struct json_object *rows)
{
	if (!rows || json_object_array_length(rows) == 0)
		return;
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, columns, count, rows);
}

static void org_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result,
		_("No organisations. Make one: cirt org new NAME, or many: cirt org import FILE"));
}

static void org_show(struct call *call, struct json_object *result)
{
	static const char *const kinds[] = {"prefixes", "asns", "domains", "brands"};
	struct json_object *entries = json_object_new_array();

	screen_object(&call->screen, show_columns, ARRAY_LEN(show_columns), result);
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct json_object *of_kind = member_of(result, kinds[k]);
		for (size_t i = 0; of_kind && i < json_object_array_length(of_kind); i++)
			json_object_array_add(
				entries, json_object_get(json_object_array_get_idx(of_kind, i)));
	}
	table_of(call, entry_columns, ARRAY_LEN(entry_columns), entries);
	table_of(call, contact_columns, ARRAY_LEN(contact_columns), member_of(result, "contacts"));
	json_object_put(entries);
}

static void org_who(struct call *call, struct json_object *result)
{
	screen_object(&call->screen, who_columns, ARRAY_LEN(who_columns), result);
	table_of(call, contact_columns, ARRAY_LEN(contact_columns), member_of(result, "contacts"));
	table_of(call, before_columns, ARRAY_LEN(before_columns), member_of(result, "before"));
}

/* Lines domain,organisation: a file for the lookalike plugin. */
static void org_domains(struct call *call, struct json_object *result)
{
	struct json_object *items = member_of(result, "items");
	size_t count = items ? json_object_array_length(items) : 0;
	struct buf cell = {0};

	screen_printf(&call->screen, "domain,organisation\n");
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		buf_clear(&cell);
		screen_cell(str_of(member_text(item, "domain")), &cell);
		buf_char(&cell, ',');
		screen_cell(str_of(member_text(item, "organisation")), &cell);
		screen_printf(&call->screen, "%s\n", buf_cstr(&cell));
	}
	buf_free(&cell);
}

const struct command org_commands[] = {
	{"org.list", org_list, NULL},
	{"org.show", org_show, NULL},
	{"org.new", org_show, NULL},
	{"org.set", org_show, NULL},
	{"org.close", org_show, NULL},
	{"org.who", org_who, NULL},
	{"org.import", NULL, org_import_run},
	{"org.export", NULL, org_export_run},
	{"org.registry", NULL, org_registry_run},
	{"org.domains", org_domains, NULL},
	{NULL, NULL, NULL},
};
