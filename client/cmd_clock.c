#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"
#include "client/when.h"

/* What is due: clocks, filings and the laws behind them, cases that wait. */

static const struct column clock_columns[] = {
	{"due", N_("DUE"), CELL_DUE, false},
	{"in", N_("IN"), CELL_TEXT, false},
	{"case", N_("CASE"), CELL_TEXT, false},
	{"whose", N_("WHOSE"), CELL_TEXT, false},
	{"what", N_("WHAT"), CELL_TEXT, true},
	{"regime", N_("REGIME"), CELL_TEXT, COLUMN_SPARE},
	{"remind", N_("REMIND"), CELL_DUE, COLUMN_SPARE},
	{"filing", N_("FILING"), CELL_TEXT, COLUMN_SPARE},
	{"id", N_("CLOCK"), CELL_NUMBER, false},
};

static const struct column one_clock[] = {
	{"what", N_("what"), CELL_TEXT, false},
	{"case", N_("case"), CELL_TEXT, false},
	{"whose", N_("whose"), CELL_TEXT, false},
	{"regime", N_("regime"), CELL_TEXT, false},
	{"filing", N_("filing"), CELL_TEXT, false},
	{"state", N_("state"), CELL_TEXT, false},
	{"due", N_("due"), CELL_TIME, false},
	{"left", N_("left"), CELL_SPAN, false},
	{"remind", N_("remind"), CELL_TIME, false},
	{"met", N_("met"), CELL_TIME, false},
	{"why", N_("why"), CELL_TEXT, false},
	{"id", N_("clock"), CELL_NUMBER, false},
};

static const struct column filing_columns[] = {
	{"filing", N_("FILING"), CELL_TEXT, false},
	{"case", N_("CASE"), CELL_TEXT, false},
	{"regime", N_("REGIME"), CELL_TEXT, false},
	{"who", N_("WHO"), CELL_TEXT, true},
	{"aware", N_("AWARE"), CELL_AGO, false},
	{"received", N_("RECEIVED"), CELL_TEXT, true},
	{"next", N_("NEXT DUE"), CELL_DUE, false},
	{"state", N_("STATE"), CELL_TEXT, false},
};

static const struct column one_filing[] = {
	{"case", N_("case"), CELL_TEXT, false},
	{"who", N_("who"), CELL_TEXT, false},
	{"regime", N_("regime"), CELL_TEXT, false},
	{"version", N_("version of it"), CELL_NUMBER, false},
	{"law", N_("law"), CELL_TEXT, false},
	{"aware", N_("aware since"), CELL_TIME, false},
	{"assumed", N_("nobody said so"), CELL_FLAG, false},
	{"opened", N_("opened"), CELL_TIME, false},
	{"opened_by", N_("by"), CELL_TEXT, false},
	{"closed", N_("closed"), CELL_TIME, false},
	{"outcome", N_("outcome"), CELL_TEXT, false},
};

static const struct column stage_columns[] = {
	{"title", N_("STAGE"), CELL_TEXT, true},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"due", N_("DUE"), CELL_DUE, false},
	{"received", N_("RECEIVED"), CELL_DUE, false},
	{"from", N_("FROM"), CELL_TEXT, true},
	{"answer_state", N_("OUR ANSWER"), CELL_TEXT, false},
	{"answer_due", N_("DUE"), CELL_DUE, false},
	{"answered", N_("ANSWERED"), CELL_DUE, false},
};

static const struct column extension_columns[] = {
	{"what", N_("EXTENDED"), CELL_TEXT, true},
	{"was", N_("FROM"), CELL_DUE, false},
	{"due", N_("TO"), CELL_DUE, false},
	{"ground", N_("GROUND"), CELL_TEXT, true},
	{"actor", N_("BY"), CELL_TEXT, false},
};

static const struct column regime_columns[] = {
	{"regime", N_("REGIME"), CELL_TEXT, false},
	{"version", N_("VERSION"), CELL_NUMBER, false},
	{"title", N_("TITLE"), CELL_TEXT, true},
	{"stages", N_("STAGES"), CELL_TEXT, true},
	{"open", N_("OPEN"), CELL_NUMBER, false},
	{"problem", N_("WRONG IN ITS FILE"), CELL_TEXT, true},
};

static const struct column one_regime[] = {
	{"title", N_("title"), CELL_TEXT, false},
	{"law", N_("law"), CELL_TEXT, false},
	{"version", N_("version"), CELL_NUMBER, false},
	{"conditions", N_("who files"), CELL_TEXT, false},
	{"loaded", N_("since"), CELL_TIME, false},
};

static const struct column rule_columns[] = {
	{"stage", N_("STAGE"), CELL_TEXT, false},
	{"whose", N_("WHOSE"), CELL_TEXT, false},
	{"within", N_("WITHIN"), CELL_TEXT, false},
	{"start", N_("FROM"), CELL_TEXT, false},
	{"warn", N_("WARN BEFORE"), CELL_TEXT, false},
	{"answer", N_("WE ANSWER WITHIN"), CELL_TEXT, false},
};

/* "15 h 43 min", or how long it has been over; what is left of one that stands. */
static void add_span(const struct call *call, struct json_object *row)
{
	const char *due = member_text(row, "due");
	struct buf text = {0};
	int64_t at;

	if (member_of(row, "left")) {
		when_span(member_number(row, "left") * CLOCK_SECOND, &text);
		buf_text(&text, _(" left, stands"));
	} else if (!strncmp(member_text(row, "state"), "met", 3) ||
		   !strcmp(member_text(row, "state"), "ended")) {
		buf_text(&text, member_text(row, "state"));
	} else if (clock_parse(str_of(due), &at)) {
		when_span(at > call->screen.now ? at - call->screen.now : call->screen.now - at, &text);
		if (at <= call->screen.now)
			buf_text(&text, _(" over"));
	}
	json_object_object_add(row, "in", json_object_new_string(buf_cstr(&text)));
	buf_free(&text);
}

static void clock_list(struct call *call, struct json_object *result)
{
	struct json_object *items = member_of(result, "items");

	for (size_t i = 0; items && i < json_object_array_length(items); i++)
		add_span(call, json_object_array_get_idx(items, i));
	call_page(call, clock_columns, ARRAY_LEN(clock_columns), result, _("Nothing is due."));
}

static void clock_one(struct call *call, struct json_object *result)
{
	screen_object(&call->screen, one_clock, ARRAY_LEN(one_clock), result);
}

static void filing_list(struct call *call, struct json_object *result)
{
	call_page(call, filing_columns, ARRAY_LEN(filing_columns), result, _("No filing is open."));
}

static void show_rows(struct call *call, const struct column *columns, size_t count, struct json_object *rows)
{
	if (!rows || !json_object_array_length(rows))
		return;
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, columns, count, rows);
}

static void filing_one(struct call *call, struct json_object *result)
{
	screen_heading(&call->screen, member_text(result, "filing"));
	screen_object(&call->screen, one_filing, ARRAY_LEN(one_filing), result);
	show_rows(call, stage_columns, ARRAY_LEN(stage_columns), member_of(result, "stages"));
	show_rows(call, extension_columns, ARRAY_LEN(extension_columns), member_of(result, "extensions"));
}

static void regime_list(struct call *call, struct json_object *result)
{
	call_page(call, regime_columns, ARRAY_LEN(regime_columns), result,
		_("There is none: clocks.regimes in cirtd.conf says where their files are."));
}

static void regime_one(struct call *call, struct json_object *result)
{
	screen_heading(&call->screen, member_text(result, "regime"));
	screen_object(&call->screen, one_regime, ARRAY_LEN(one_regime), result);
	show_rows(call, rule_columns, ARRAY_LEN(rule_columns), member_of(result, "stages"));
}

/* "2026-000398 waits for hoster until Fri 27 Nov 14:00 CET (in 4 d) · 2 clocks stand" */
static void case_waits(struct call *call, struct json_object *result)
{
	struct buf whom = {0}, until = {0};
	int64_t paused = member_number(result, "paused");

	screen_cell(str_of(member_text(result, "waits_for")), &whom);
	if (*member_text(result, "party")) {
		buf_text(&whom, " (");
		screen_cell(str_of(member_text(result, "party")), &whom);
		buf_text(&whom, ")");
	}
	screen_value(&call->screen, member_of(result, "until"), CELL_TIME, &until);
	screen_printf(&call->screen, _("%s waits for %s until %s"), member_text(result, "number"),
		buf_cstr(&whom), buf_cstr(&until));
	if (paused > 0)
		screen_printf(&call->screen, _(" · service clocks that stand: %lld"), (long long)paused);
	screen_printf(&call->screen, _("\nundo: cirt undo %lld\n"), (long long)member_number(result, "act"));
	buf_free(&whom);
	buf_free(&until);
}

const struct command clock_commands[] = {
	{"clock.list", clock_list, NULL},
	{"clock.new", clock_one, NULL},
	{"clock.pause", clock_one, NULL},
	{"clock.resume", clock_one, NULL},
	{"clock.extend", clock_one, NULL},
	{"clock.met", clock_one, NULL},
	{"filing.new", filing_one, NULL},
	{"filing.list", filing_list, NULL},
	{"filing.show", filing_one, NULL},
	{"filing.set", filing_one, NULL},
	{"filing.answer", filing_one, NULL},
	{"filing.extend", filing_one, NULL},
	{"filing.close", filing_one, NULL},
	{"regime.list", regime_list, NULL},
	{"regime.show", regime_one, NULL},
	{"case.wait", case_waits, NULL},
	{NULL, NULL, NULL},
};
