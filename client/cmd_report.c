#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

static const struct column list_columns[] = {
	{"id", N_("ID"), CELL_TEXT, false},
	{"severity", N_("SEVERITY"), CELL_SEVERITY, false},
	{"classification", N_("TYPE"), CELL_TEXT, true},
	{"identifier", N_("IDENTIFIER"), CELL_TEXT, COLUMN_SPARE},
	{"tlp", N_("TLP"), CELL_TLP, COLUMN_SPARE},
	{"count", N_("N"), CELL_NUMBER, false},
	{"last_seen", N_("LAST SEEN"), CELL_AGO, false},
	{"source", N_("SOURCE"), CELL_TEXT, COLUMN_SPARE},
	{"organisation", N_("WHOSE"), CELL_TEXT, COLUMN_SPARE},
	{"case", N_("CASE"), CELL_TEXT, false},
	{"title", N_("TITLE"), CELL_TEXT, true},
};

static const struct column show_columns[] = {
	{"id", N_("report"), CELL_TEXT, false},
	{"title", N_("title"), CELL_TEXT, false},
	{"severity", N_("severity"), CELL_SEVERITY, false},
	{"classification", N_("type"), CELL_TEXT, false},
	{"identifier", N_("identifier"), CELL_TEXT, false},
	{"malware", N_("malware"), CELL_TEXT, false},
	{"tlp", N_("TLP"), CELL_TLP, false},
	{"pap", N_("PAP"), CELL_TLP, false},
	{"confidence", N_("confidence"), CELL_NUMBER, false},
	{"state", N_("state"), CELL_TEXT, false},
	{"exercise", N_("EXERCISE"), CELL_TEXT, false},
	{"source", N_("source"), CELL_TEXT, false},
	{"sender_id", N_("sender's id"), CELL_TEXT, false},
	{"organisation", N_("whose"), CELL_TEXT, false},
	{"country", N_("country"), CELL_TEXT, false},
	{"asn", N_("AS"), CELL_NUMBER, false},
	{"count", N_("seen"), CELL_NUMBER, false},
	{"first_seen", N_("first seen"), CELL_TIME, false},
	{"last_seen", N_("last seen"), CELL_TIME, false},
	{"received", N_("received"), CELL_TIME, false},
	{"gone", N_("gone"), CELL_TIME, false},
	{"revoked", N_("revoked"), CELL_TIME, false},
	{"entry", N_("entry"), CELL_TEXT, false},
	{"case", N_("case"), CELL_TEXT, false},
	{"probably", N_("probably of case"), CELL_TEXT, false},
	{"answers_probably", N_("probably an answer to"), CELL_TEXT, false},
	{"tags", N_("tags"), CELL_LIST, false},
	{"notes", N_("notes"), CELL_LIST, false},
};

/* Of a STIX object: which version holds, and what a newer one says. */
static const struct column version_columns[] = {
	{"version", N_("VERSION"), CELL_TEXT, false},
	{"source", N_("SOURCE"), CELL_TEXT, false},
	{"holds", N_("HOLDS"), CELL_FLAG, false},
	{"revoked", N_("REVOKED"), CELL_FLAG, false},
	{"title", N_("TITLE"), CELL_TEXT, true},
	{"observables", N_("OBSERVABLES"), CELL_LIST, true},
};

static const struct column observable_columns[] = {
	{"type", N_("OBSERVABLE"), CELL_TEXT, false},
	{"role", N_("ROLE"), CELL_TEXT, false},
	{"value", N_("VALUE"), CELL_TEXT, false},
};

static const struct column verdict_columns[] = {
	{"rule", N_("RULE"), CELL_TEXT, false},
	{"engine", N_("ENGINE"), CELL_TEXT, false},
	{"part", N_("IN"), CELL_TEXT, true},
	{"outcome", N_("OUTCOME"), CELL_TEXT, true},
	{"seen", N_("IN A SIGHTING"), CELL_AGO, true},
};

static const struct column later_columns[] = {
	{"rule", N_("LATER RULE"), CELL_TEXT, false},
	{"engine", N_("ENGINE"), CELL_TEXT, false},
	{"part", N_("IN"), CELL_TEXT, true},
	{"would", N_("WOULD BE"), CELL_SEVERITY, false},
	{"at", N_("FOUND"), CELL_AGO, false},
	{"rescan", N_("RESCAN"), CELL_NUMBER, false},
};

static const struct column evidence_columns[] = {
	{"name", N_("EVIDENCE"), CELL_TEXT, true},
	{"media_type", N_("TYPE"), CELL_TEXT, false},
	{"size", N_("SIZE"), CELL_SIZE, false},
	{"digest", N_("SHA-256"), CELL_TEXT, false},
};

static const struct column sighting_columns[] = {
	{"day", N_("DAY"), CELL_TEXT, false},
	{"source", N_("SEEN BY"), CELL_TEXT, false},
	{"node", N_("NODE"), CELL_TEXT, false},
	{"count", N_("TIMES"), CELL_NUMBER, false},
	{"first", N_("FIRST"), CELL_AGO, false},
	{"last", N_("LAST"), CELL_AGO, false},
};

static const struct column similar_columns[] = {
	{"report", N_("SIMILAR"), CELL_TEXT, false},
	{"score", N_("SCORE"), CELL_TEXT, false},
	{"case", N_("CASE"), CELL_TEXT, false},
	{"title", N_("TITLE"), CELL_TEXT, true},
};

static const struct column link_columns[] = {
	{"kind", N_("LINK"), CELL_TEXT, false},
	{"report", N_("REPORT"), CELL_TEXT, false},
	{"title", N_("TITLE"), CELL_TEXT, true},
	{"reason", N_("BECAUSE"), CELL_TEXT, true},
};

static void report_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result, _("No reports."));
}

/* A table under the object, where there is anything in it. */
static void section(struct call *call, const struct column *columns, size_t count, struct json_object *rows)
{
	if (!rows || json_object_array_length(rows) == 0)
		return;
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, columns, count, rows);
}

/* "host=203.0.113.7|port=3389" as a table of what two reports must agree in. */
static void show_key(struct call *call, const char *key)
{
	struct str rest = str_of(key), part, name;
	struct buf value = {0};

	while (str_split(&rest, '|', &part)) {
		struct str text = part;
		if (!str_split(&text, '=', &name) || text.len == 0)
			continue;
		buf_clear(&value);
		screen_cell(text, &value);
		screen_printf(&call->screen, "  %-12.*s %s\n", (int)name.len, name.p, buf_cstr(&value));
	}
	buf_free(&value);
}

static void show_previous(struct call *call, struct json_object *why)
{
	const char *previous = member_text(why, "previous"), *relation = member_text(why, "relation");

	if (!*previous)
		return;
	if (!strcmp(relation, "relapse"))
		screen_printf(&call->screen,
			_("It is a relapse of %s: the same came back after a longer quiet time.\n"),
			previous);
	else
		screen_printf(&call->screen,
			_("It goes on from %s, which had run for as long as one report may.\n"), previous);
}

static void show_why(struct call *call, struct json_object *why, int64_t count)
{
	if (!why)
		return;
	screen_printf(&call->screen, "\n");
	screen_heading(&call->screen, _("WHY IT FOLDS"));
	screen_printf(&call->screen,
		_("Reports are the same incident seen again when rule %s (version %lld) finds the same in "
		  "all of these:\n"),
		member_text(why, "rule"), (long long)member_number(why, "version"));
	show_key(call, member_text(why, "key"));
	if (count > 1)
		screen_printf(&call->screen, _("That was so %lld times, and this report counts them.\n"),
			(long long)count);
	if (*member_text(why, "window"))
		screen_printf(&call->screen,
			_("After %s without it, the next one is a relapse: a new report that names this "
			  "one.\n"),
			member_text(why, "window"));
	show_previous(call, why);
	if (*member_text(why, "apart"))
		screen_printf(&call->screen,
			_("Only what %s sends folds into it: its reports are kept apart from those of "
			  "others.\n"),
			member_text(why, "apart"));
	section(call, link_columns, ARRAY_LEN(link_columns), member_of(why, "links"));
	if (count > 1)
		screen_printf(&call->screen, "\n%s cirt report unfold %s\n", _("undo:"),
			member_text(why, "report"));
}

/* What the sender wrote: for people where there is such a text, else the document, JSON line by line. */
static void show_text(struct call *call, struct json_object *result)
{
	const char *text = member_text(result, "text"), *doc = member_text(result, "doc");

	if (!*text && !*doc)
		return;
	screen_printf(&call->screen, "\n");
	screen_heading(&call->screen, *text ? _("TEXT") : _("AS SENT"));
	struct json_object *parsed = *text ? NULL : json_tokener_parse(doc);
	if (parsed)
		text = json_object_to_json_string_ext(parsed,
			JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
	screen_block(&call->screen, 2, str_of(*text ? text : doc));
	json_object_put(parsed);
}

static void report_show(struct call *call, struct json_object *result)
{
	screen_object(&call->screen, show_columns, ARRAY_LEN(show_columns), result);
	section(call, observable_columns, ARRAY_LEN(observable_columns), member_of(result, "observables"));
	section(call, version_columns, ARRAY_LEN(version_columns), member_of(result, "versions"));
	section(call, verdict_columns, ARRAY_LEN(verdict_columns), member_of(result, "verdicts"));
	section(call, later_columns, ARRAY_LEN(later_columns), member_of(result, "later"));
	section(call, evidence_columns, ARRAY_LEN(evidence_columns), member_of(result, "evidence"));
	section(call, sighting_columns, ARRAY_LEN(sighting_columns), member_of(result, "sightings"));
	section(call, similar_columns, ARRAY_LEN(similar_columns), member_of(result, "similar"));
	show_why(call, member_of(result, "why"), member_number(result, "count"));
	show_text(call, result);
}

static void report_unfold(struct call *call, struct json_object *result)
{
	struct json_object *items = member_of(result, "items");

	for (size_t i = 0; items && i < json_object_array_length(items); i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		screen_printf(&call->screen,
			_("What source %s saw again is report %s now. Look: cirt report show %s --why\n"),
			member_text(item, "source"), member_text(item, "into"), member_text(item, "into"));
	}
}

const struct command report_commands[] = {
	{"report.list", report_list, NULL},
	{"report.search", report_list, NULL},
	{"report.show", report_show, NULL},
	{"report.unfold", report_unfold, NULL},
	{NULL, NULL, NULL},
};
