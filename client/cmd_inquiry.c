#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/command.h"
#include "client/draft.h"
#include "client/i18n.h"

#define QUESTION_MAX 100000

static const struct column list_columns[] = {
	{"inquiry", N_("INQUIRY"), CELL_NUMBER, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"due", N_("DUE"), CELL_AGO, false},
	{"case", N_("CASE"), CELL_TEXT, false},
	{"ask", N_("ASK"), CELL_NUMBER, true},
	{"to", N_("WHOM"), CELL_TEXT, true},
	{"question", N_("QUESTION"), CELL_TEXT, true},
	{"mail", N_("ANSWER"), CELL_TEXT, true},
	{"answer", N_("NOTE"), CELL_TEXT, true},
};

static const struct column one_columns[] = {
	{"state", N_("state"), CELL_TEXT, false},
	{"case", N_("case"), CELL_TEXT, false},
	{"to", N_("whom"), CELL_TEXT, false},
	{"address", N_("address"), CELL_TEXT, false},
	{"asked", N_("asked"), CELL_TIME, false},
	{"asked_by", N_("by"), CELL_TEXT, false},
	{"due", N_("due"), CELL_TIME, false},
	{"number", N_("mail out"), CELL_TEXT, false},
	{"mail_state", N_("its state"), CELL_TEXT, false},
	{"why", N_("gate"), CELL_TEXT, false},
	{"reminders", N_("reminders"), CELL_NUMBER, false},
	{"mail", N_("answer"), CELL_TEXT, false},
	{"word", N_("says"), CELL_TEXT, false},
	{"answer", N_("note"), CELL_TEXT, false},
	{"ended", N_("ended"), CELL_TIME, false},
};

static const struct column ask_columns[] = {
	{"ask", N_("ASK"), CELL_NUMBER, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"until", N_("UNTIL"), CELL_AGO, false},
	{"whom", N_("WHOM"), CELL_TEXT, true},
	{"of", N_("ASKED"), CELL_NUMBER, false},
	{"yes", N_("YES"), CELL_NUMBER, false},
	{"no", N_("NO"), CELL_NUMBER, false},
	{"checking", N_("CHECKING"), CELL_NUMBER, false},
	{"other", N_("OTHER"), CELL_NUMBER, false},
	{"silent", N_("NO ANSWER"), CELL_NUMBER, false},
	{"case", N_("CASE"), CELL_TEXT, true},
	{"subject", N_("SUBJECT"), CELL_TEXT, true},
};

static const struct column sector_columns[] = {
	{"sector", N_("SECTOR"), CELL_TEXT, true},
	{"of", N_("ASKED"), CELL_NUMBER, false},
	{"yes", N_("YES"), CELL_NUMBER, false},
	{"no", N_("NO"), CELL_NUMBER, false},
	{"checking", N_("CHECKING"), CELL_NUMBER, false},
	{"other", N_("OTHER"), CELL_NUMBER, false},
	{"silent", N_("NO ANSWER"), CELL_NUMBER, false},
};

static const struct column said_columns[] = {
	{"organisation", N_("WHOSE"), CELL_TEXT, true},
	{"word", N_("SAYS"), CELL_TEXT, false},
	{"answered", N_("WHEN"), CELL_AGO, false},
	{"late", N_("LATE"), CELL_FLAG, true},
	{"mail", N_("MAIL"), CELL_TEXT, true},
	{"mails", N_("MAILS"), CELL_NUMBER, true},
	{"from", N_("FROM"), CELL_TEXT, true},
	{"reached", N_("REACHED"), CELL_TEXT, true},
	{"reminders", N_("REMINDED"), CELL_NUMBER, true},
	{"note", N_("NOTE"), CELL_TEXT, true},
};

/* ---- shown ---- */

static void inquiry_list(struct call *call, struct json_object *result)
{
	call_page(call, list_columns, ARRAY_LEN(list_columns), result, _("No question is open."));
}

static void show_thread(struct call *call, struct json_object *thread)
{
	struct buf head = {0};

	for (size_t i = 0; thread && i < json_object_array_length(thread); i++) {
		struct json_object *mail = json_object_array_get_idx(thread, i);
		buf_clear(&head);
		buf_text(&head, !strcmp(member_text(mail, "way"), "out") ? _("out ") : _("in "));
		screen_cell(str_of(member_text(mail, "id")), &head);
		buf_char(&head, ' ');
		screen_cell(str_of(member_text(mail, "who")), &head);
		buf_char(&head, ' ');
		screen_cell(str_of(member_text(mail, "state")), &head);
		screen_printf(&call->screen, "\n");
		screen_heading(&call->screen, buf_cstr(&head));
		screen_block(&call->screen, 2, str_of(member_text(mail, "text")));
	}
	buf_free(&head);
}

static void inquiry_one(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, _("question %lld\n"), (long long)member_number(result, "inquiry"));
	screen_object(&call->screen, one_columns, ARRAY_LEN(one_columns), result);
	if (member_number(result, "seconds"))
		screen_printf(&call->screen, _("it goes in %lld s: cirt undo takes it back\n"),
			(long long)member_number(result, "seconds"));
	show_thread(call, member_of(result, "thread"));
}

static void ask_list(struct call *call, struct json_object *result)
{
	call_page(call, ask_columns, ARRAY_LEN(ask_columns), result, _("Nothing is asked."));
}

static const struct column look_columns[] = {
	{"organisation", N_("ORGANISATION"), CELL_TEXT, true},
	{"to", N_("ADDRESS"), CELL_TEXT, false},
	{"key", N_("KEY"), CELL_TEXT, false},
	{"gate", N_("GATE"), CELL_TEXT, false},
	{"why", N_("WHY"), CELL_TEXT, false},
};

/* Nothing was asked yet. */
static void ask_look(struct call *call, struct json_object *result)
{
	screen_table(&call->screen, look_columns, ARRAY_LEN(look_columns), member_of(result, "items"));
	screen_printf(&call->screen, _("\n%lld mails to %lld organisations, TLP:%s%s. Nothing was sent.\n"),
		(long long)member_number(result, "mails"), (long long)member_number(result, "organisations"),
		member_text(result, "tlp"),
		member_true(result, "two_people") ? _(": two people have to let them go") : "");
}

static void ask_one(struct call *call, struct json_object *result)
{
	if (member_true(result, "dry_run")) {
		ask_look(call, result);
		return;
	}
	struct screen *screen = &call->screen;
	struct json_object *names = member_of(result, "unreached_names"),
			   *approval = member_of(result, "approval");
	struct buf line = {0};

	screen_cell(str_of(member_text(result, "subject")), &line);
	screen_printf(screen, _("ask %lld: %s\n"), (long long)member_number(result, "ask"), buf_cstr(&line));
	screen_printf(screen,
		_(" %lld asked: %lld yes, %lld no, %lld checking, %lld other, %lld no answer (%lld not "
		  "reached)\n"),
		(long long)member_number(result, "of"), (long long)member_number(result, "yes"),
		(long long)member_number(result, "no"), (long long)member_number(result, "checking"),
		(long long)member_number(result, "other"), (long long)member_number(result, "silent"),
		(long long)member_number(result, "unreached"));
	buf_clear(&line);
	if (strcmp(member_text(result, "state"), "closed") != 0)
		screen_value(screen, member_of(result, "until"), CELL_TIME, &line);
	if (line.len)
		screen_printf(screen, _(" answers are expected until %s\n"), buf_cstr(&line));
	for (size_t i = 0; names && i < json_object_array_length(names); i++) {
		buf_clear(&line);
		screen_cell(str_of(json_object_get_string(json_object_array_get_idx(names, i))), &line);
		screen_printf(screen, _(" no contact: %s\n"), buf_cstr(&line));
	}
	if (approval && member_true(result, "waits"))
		screen_printf(screen, _(" %lld mails wait for a second person: cirt approve give %s\n"),
			(long long)member_number(result, "mails"), member_text(approval, "approval"));
	else if (member_number(result, "mails"))
		screen_printf(screen, _(" %lld mails go: cirt undo takes them back for a minute\n"),
			(long long)member_number(result, "mails"));
	if (member_of(result, "sectors")) {
		screen_table(screen, sector_columns, ARRAY_LEN(sector_columns), member_of(result, "sectors"));
		screen_printf(screen, "\n");
		screen_table(screen, said_columns, ARRAY_LEN(said_columns), member_of(result, "items"));
	}
	buf_free(&line);
}

static void ask_set(struct call *call, struct json_object *result)
{
	struct buf line = {0};

	screen_cell(str_of(member_text(result, "to")), &line);
	buf_text(&line, ": ");
	screen_cell(
		str_of(*member_text(result, "word") ? member_text(result, "word") : _("no answer")), &line);
	screen_printf(&call->screen, "%s\n", buf_cstr(&line));
	buf_free(&line);
}

/* ---- asked ---- */

/* --question is a file, and of one party also the words themselves. */
static int run_question(struct call *call, bool or_words)
{
	struct json_object *params = call->invocation->params;
	const char *said = member_text(params, "question");
	struct buf text = {0};
	struct err err;

	if (!*said || (or_words && strcmp(said, "-") != 0 && access(said, R_OK) != 0))
		return call_ask(call);
	if (!text_read(said, QUESTION_MAX, &text, &err)) {
		bool named = str_starts(str_of(err.text), str_of(said));
		fprintf(stderr, "cirt: %s%s%s\n", named ? "" : said, named ? "" : ": ", err.text);
		buf_free(&text);
		return EXIT_USAGE;
	}
	json_object_object_add(params, "question", json_object_new_string_len(text.data, (int)text.len));
	buf_free(&text);
	return call_ask(call);
}

static int run_inquiry(struct call *call)
{
	return run_question(call, true);
}

static int run_ask(struct call *call)
{
	return run_question(call, false);
}

const struct command inquiry_commands[] = {
	{"inquiry.new", inquiry_one, run_inquiry},
	{"inquiry.list", inquiry_list, NULL},
	{"inquiry.show", inquiry_one, NULL},
	{"inquiry.answered", inquiry_one, NULL},
	{"inquiry.drop", inquiry_one, NULL},
	{"inquiry.remind", inquiry_one, NULL},
	{"ask", ask_one, run_ask},
	{"ask.list", ask_list, NULL},
	{"ask.show", ask_one, NULL},
	{"ask.set", ask_set, NULL},
	{"ask.remind", ask_one, NULL},
	{"ask.close", ask_one, NULL},
	{NULL, NULL, NULL},
};
