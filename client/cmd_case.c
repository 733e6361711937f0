#include "config.h"

#include <stdio.h>

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

#define NOTE_MOST 1000000 /* bytes; the desk takes no more */

static const struct column list_columns[] = {
	{"number", N_("NUMBER"), CELL_TEXT, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"severity", N_("SEVERITY"), CELL_SEVERITY, false},
	{"tlp", N_("TLP"), CELL_TLP, false},
	{"classification", N_("TYPE"), CELL_TEXT, COLUMN_SPARE},
	{"tags", N_("TAGS"), CELL_LIST, COLUMN_SPARE},
	{"reports", N_("REPORTS"), CELL_NUMBER, COLUMN_SPARE},
	{"mails_new", N_("NEW MAILS"), CELL_NUMBER, false},
	{"news", N_("NEWS"), CELL_NUMBER, false},
	{"due", N_("DUE"), CELL_AGO, false},
	{"assignee", N_("WHO"), CELL_TEXT, true},
	{"opened", N_("OPENED"), CELL_AGO, COLUMN_SPARE},
	{"organisation", N_("WHOSE"), CELL_TEXT, COLUMN_SPARE},
	{"campaign", N_("CAMPAIGN"), CELL_TEXT, COLUMN_SPARE},
	{"title", N_("TITLE"), CELL_TEXT, true},
};

static void case_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result, _("No cases."));
}

static void add_part(struct buf *line, const char *text)
{
	if (!*text)
		return;
	if (line->len)
		buf_text(line, " · ");
	screen_cell(str_of(text), line);
}

/* One line on what a case has become. */
static void case_changed(struct call *call, struct json_object *result)
{
	struct buf line = {0};

	screen_cell(str_of(member_text(result, "number")), &line);
	buf_char(&line, ' ');
	screen_cell(str_of(member_text(result, "state")), &line);
	if (*member_text(result, "outcome") && !strcmp(member_text(result, "state"), "closed"))
		add_part(&line, member_text(result, "outcome"));
	add_part(&line, member_text(result, "severity"));
	add_part(&line, *member_text(result, "assignee") ? member_text(result, "assignee") : _("nobody's"));
	add_part(&line, member_text(result, "organisation"));
	add_part(&line, member_text(result, "title"));
	screen_printf(&call->screen, "%s\n", buf_cstr(&line));
	buf_free(&line);
}

/* "2026-000412 tags: phishing, press" */
static void show_words(struct call *call, struct json_object *result, const char *member, const char *title)
{
	struct buf words = {0};

	screen_value(&call->screen, member_of(result, member), CELL_LIST, &words);
	screen_printf(&call->screen, "%s %s: %s\n", member_text(result, "number"), title,
		words.len ? buf_cstr(&words) : _("none"));
	buf_free(&words);
}

static void case_tagged(struct call *call, struct json_object *result)
{
	show_words(call, result, "tags", _("tags"));
}

static void case_watched(struct call *call, struct json_object *result)
{
	show_words(call, result, "watchers", _("is watched by"));
}

static void case_noted(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, _("note %lld in %s\n"), (long long)member_number(result, "note"),
		member_text(result, "number"));
}

static void case_merged(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, _("%s is merged into %s. Undo: cirt case split %s\n"),
		member_text(result, "number"), member_text(result, "merged_into"),
		member_text(result, "number"));
}

static void case_split(struct call *call, struct json_object *result)
{
	if (!member_of(result, "moved")) {
		screen_printf(
			&call->screen, _("%s stands by itself again.\n"), member_text(result, "number"));
		return;
	}
	screen_printf(&call->screen, _("Reports moved from %s to %s: %lld. Undo: cirt undo %lld\n"),
		member_text(result, "from"), member_text(result, "number"),
		(long long)member_number(result, "moved"), (long long)member_number(result, "act"));
}

static bool note_fits(const struct buf *text, const char *verb)
{
	if (text->len > NOTE_MOST)
		fprintf(stderr,
			_("cirt %s: standard input is longer than 1 MB, which is the most that a note "
			  "may have.\nWhat is longer is evidence: cirt submit FILE\n"),
			verb);
	else if (!utf8_valid(buf_view(text)))
		fprintf(stderr, _("cirt %s: standard input is not text in UTF-8\n"), verb);
	else
		return true;
	return false;
}

static void case_restricted(struct call *call, struct json_object *result)
{
	struct buf members = {0};

	screen_value(&call->screen, member_of(result, "members"), CELL_LIST, &members);
	if (member_true(result, "restricted"))
		screen_printf(&call->screen, _("%s is restricted; members: %s\n"),
			member_text(result, "case"),
			members.len ? buf_cstr(&members) : _("none besides assignee, watchers and leads"));
	else
		screen_printf(&call->screen, _("%s is seen by everybody.\n"), member_text(result, "case"));
	buf_free(&members);
}

/* "-" as the only word of the note: all of standard input. */
static bool read_note(struct json_object *params, const char *verb)
{
	struct json_object *words = member_of(params, "text");
	struct buf text = {0};
	char piece[4096];
	size_t got;

	if (json_object_array_length(words) != 1 ||
		strcmp(json_object_get_string(json_object_array_get_idx(words, 0)), "-") != 0)
		return true;
	while (text.len <= NOTE_MOST && (got = fread(piece, 1, sizeof(piece), stdin)) > 0)
		buf_append(&text, piece, got);
	bool ok = note_fits(&text, verb);
	if (ok) {
		struct json_object *one = json_object_new_array();
		json_object_array_add(
			one, json_object_new_string_len(text.data ? text.data : "", (int)text.len));
		json_object_object_add(params, "text", one);
	}
	buf_free(&text);
	return ok;
}

int case_note(struct call *call)
{
	const struct verb *verb = call->invocation->verb;
	char title[32];

	snprintf(title, sizeof(title), "%s %s", verb->noun, verb->verb);
	return read_note(call->invocation->params, title) ? call_ask(call) : EXIT_FAILED;
}

const struct command case_commands[] = {
	{"case.list", case_list, NULL},
	{"case.show", case_show, NULL},
	{"case.take", case_changed, NULL},
	{"case.set", case_changed, NULL},
	{"case.note", case_noted, case_note},
	{"case.tag", case_tagged, NULL},
	{"case.untag", case_tagged, NULL},
	{"case.watch", case_watched, NULL},
	{"case.unwatch", case_watched, NULL},
	{"case.move", case_changed, NULL},
	{"case.merge", case_merged, NULL},
	{"case.split", case_split, NULL},
	{"case.close", case_changed, NULL},
	{"case.reopen", case_changed, NULL},
	{"case.restrict", case_restricted, NULL},
	{"case.unrestrict", case_restricted, NULL},
	{"case.read", case_changed, NULL},
	{NULL, NULL, NULL},
};
