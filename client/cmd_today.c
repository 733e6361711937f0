#include "config.h"

#include <stdio.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"
#include "client/news.h"
#include "client/when.h"
#include "client/width.h"

/* What to type next stands in this column, or behind what is longer. */
#define NEXT_COLUMN 76
#define TEXT_COLUMN 18
#define TASK_WIDTH  45

/* A line below one of those with a title. */
static void show_more(struct call *call, struct buf *text, const char *next)
{
	struct screen *screen = &call->screen;
	int width = width_terminal(), end = TEXT_COLUMN + width_text(buf_view(text));
	int column = end < NEXT_COLUMN ? NEXT_COLUMN : end;

	if (*next && screen->terminal && column + 2 + width_text(str_of(next)) > width)
		column = end; /* where there is no room for that column: behind the text, or below */
	if (*next && (!screen->terminal || column + 2 + width_text(str_of(next)) <= width)) {
		for (; end < column; end++)
			buf_char(text, ' ');
		buf_printf(text, "  %s", next);
		next = "";
	}
	screen_text(screen, TEXT_COLUMN, buf_view(text));
	if (*next)
		screen_printf(screen, "%*s%s\n", TEXT_COLUMN, "", next);
	buf_clear(text);
}

/* " ALARMS   1  what                     next": a line for what there is, none for what there is not. */
static void show_line(struct call *call, const char *title, int64_t count, struct buf *text, const char *next)
{
	buf_char(&call->screen.out, ' ');
	screen_label(&call->screen, title, 10);
	screen_printf(&call->screen, "%5lld  ", (long long)count);
	show_more(call, text, next);
}

/* "5 new · 3 again": one more part of a line, where there is any. */
static void part(struct buf *text, int64_t count, const char *what)
{
	if (count <= 0)
		return;
	buf_text(text, text->len ? " · " : "");
	buf_printf(text, "%lld %s", (long long)count, what);
}

static void show_alarms(struct call *call, struct json_object *alarms, struct buf *text)
{
	struct json_object *items = member_of(alarms, "items");
	char next[64];

	for (size_t i = 0; items && i < json_object_array_length(items); i++) {
		struct json_object *alarm = json_object_array_get_idx(items, i);
		/* Most say what it is about once more. */
		if (!str_starts(str_of(member_text(alarm, "text")), str_of(member_text(alarm, "subject")))) {
			screen_cell(str_of(member_text(alarm, "subject")), text);
			buf_text(text, ": ");
		}
		screen_cell(utf8_cut(str_of(member_text(alarm, "text")), 160), text);
		snprintf(next, sizeof(next), "cirt alarm ack %lld", (long long)member_number(alarm, "id"));
		if (i == 0) {
			show_line(call, _("ALARMS"), member_number(alarms, "open"), text, next);
			continue;
		}
		screen_printf(&call->screen, "%*s", TEXT_COLUMN, "");
		show_more(call, text, next);
	}
	if (member_number(alarms, "open") > 3)
		screen_printf(&call->screen, "%*scirt alarm list\n", TEXT_COLUMN, "");
}

static const struct {
	const char *kind;
	const char *one;
	const char *many;
} senders[] = {
	{"stranger", N_("citizen"), N_("citizens")},
	{"government", N_("government"), N_("government")},
	{"bank", N_("bank"), N_("banks")},
	{"isp", N_("ISP"), N_("ISPs")},
	{"hospital", N_("hospital"), N_("hospitals")},
	{"utility", N_("utility"), N_("utilities")},
	{"education", N_("education"), N_("education")},
	{"media", N_("press"), N_("press")},
	{"business", N_("business"), N_("businesses")},
	{"other", N_("constituent"), N_("constituents")},
};

/* "9 citizens, 3 banks, 1 CERT-FR": other teams by their name. */
static void describe_senders(struct json_object *from, struct buf *text)
{
	for (size_t i = 0; from && i < json_object_array_length(from); i++) {
		struct json_object *sender = json_object_array_get_idx(from, i);
		int64_t count = member_number(sender, "count");
		buf_text(text, i ? ", " : "");
		buf_printf(text, "%lld ", (long long)count);
		if (*member_text(sender, "name")) {
			screen_cell(str_of(member_text(sender, "name")), text);
			continue;
		}
		for (size_t k = 0; k < ARRAY_LEN(senders); k++)
			if (!strcmp(senders[k].kind, member_text(sender, "kind")))
				buf_text(text, _(count == 1 ? senders[k].one : senders[k].many));
	}
}

static void show_people(struct call *call, struct json_object *people, struct buf *text)
{
	int64_t unread = member_number(people, "unread"), loose = member_number(people, "inbox");
	const char *next = "";

	buf_text(text, _("mails unread"));
	if (unread > 0) {
		buf_text(text, ": ");
		describe_senders(member_of(people, "from"), text);
	}
	/* Those of a case, and those of none. */
	if (unread > loose)
		next = "cirt case list --unread";
	else if (loose > 0)
		next = "cirt inbox";
	show_line(call, _("PEOPLE"), unread, text, next);
	if (loose == 0 || unread == loose)
		return;
	screen_printf(&call->screen, "%*s", TEXT_COLUMN, "");
	buf_printf(text, _("%lld of them in the inbox"), (long long)loose);
	show_more(call, text, "cirt inbox");
}

/* "shadowserver, 41 files: 2655 again · 431 new · 19 relapse · 7 quarantined" */
static void show_lane(
	struct call *call, const char *title, struct json_object *lane, bool files, struct buf *text)
{
	struct json_object *first = member_of(lane, "first");
	int64_t entries = member_number(lane, "entries");
	struct buf sums = {0};

	for (size_t i = 0; first && i < json_object_array_length(first); i++) {
		buf_text(text, i ? ", " : "");
		screen_cell(str_of(json_object_get_string(json_object_array_get_idx(first, i))), text);
	}
	if (member_number(lane, "sources") > 3)
		buf_printf(text, _(" and %lld more"), (long long)member_number(lane, "sources") - 3);
	if (files)
		buf_printf(text, ", %lld %s", (long long)entries, entries == 1 ? _("file") : _("files"));
	part(&sums, member_number(lane, "again"), _("again"));
	part(&sums, member_number(lane, "new"), _("new"));
	part(&sums, member_number(lane, "relapse"), _("relapse"));
	part(&sums, member_number(lane, "quarantined"), _("quarantined"));
	if (sums.len)
		buf_printf(text, ": %s", buf_cstr(&sums));
	buf_free(&sums);
	show_line(call, title, member_number(lane, "rows"), text,
		member_number(lane, "quarantined") ? "cirt quarantine list" : "");
}

/* "by phone, by chat or in person: 2 new · 1 again" */
static void show_calls(struct call *call, struct json_object *calls, struct buf *text)
{
	struct buf sums = {0};

	if (!calls)
		return;
	part(&sums, member_number(calls, "new"), _("new"));
	part(&sums, member_number(calls, "again"), _("again"));
	part(&sums, member_number(calls, "quarantined"), _("quarantined"));
	buf_text(text, _("by phone, by chat or in person"));
	if (sums.len)
		buf_printf(text, ": %s", buf_cstr(&sums));
	buf_free(&sums);
	show_line(call, _("CALLS"), member_number(calls, "rows"), text, "");
}

static void show_cases(struct call *call, struct json_object *cases, struct buf *text)
{
	if (member_number(cases, "open") == 0)
		return;
	buf_text(text, _("open"));
	part(text, member_number(cases, "new"), _("nobody has taken"));
	part(text, member_number(cases, "critical"), _("critical"));
	show_line(call, _("CASES"), member_number(cases, "open"), text, "cirt case list");
}

static void describe_held(struct json_object *notices, struct buf *text)
{
	struct json_object *not_told = member_of(notices, "not_told");
	int64_t waits = member_number(not_told, "asks-permission") + member_number(not_told, "no-contact") +
	                member_number(not_told, "held");

	part(text, member_number(notices, "held"), _("held"));
	part(text, waits, _("reports wait for a contact, a permission or a person"));
	part(text, member_number(not_told, "suppressed"), _("suppressed"));
}

static void show_notices(struct call *call, struct json_object *notices, struct buf *text)
{
	int64_t ready = member_number(notices, "ready"), gathering = member_number(notices, "gathering");
	int64_t count = ready + gathering, organisations = member_number(notices, "organisations");
	struct buf full = {0};

	buf_text(text, ready ? _("mails ready") : _("mails"));
	if (count > 0 && organisations > 0)
		buf_printf(text,
			ngettext(" for %lld organisation", " for %lld organisations",
				(unsigned long)organisations),
			(long long)organisations);
	if (gathering) {
		screen_value(&call->screen, member_of(notices, "full"), CELL_AGO, &full);
		part(text, gathering, _("gather"));
		buf_printf(text, _(", full %s"), buf_cstr(&full));
	}
	describe_held(notices, text);
	show_line(call, _("NOTICES"), count, text,
		count + member_number(notices, "held") ? "cirt notice preview" : "");
	buf_free(&full);
}

static void show_sent(struct call *call, struct json_object *notices, struct buf *text)
{
	int64_t sent = member_number(notices, "sent");

	part(text, member_number(notices, "queued"), _("with the courier"));
	part(text, member_number(notices, "failed"), _("failed"));
	part(text, member_number(notices, "bounced"), _("came back"));
	part(text, member_number(notices, "answered"), _("answered"));
	if (sent || text->len)
		show_line(call, _("SENT"), sent, text,
			member_number(notices, "failed") + member_number(notices, "bounced")
				? "cirt notice list"
				: "");
	if (member_number(notices, "drill")) {
		buf_text(text, _("mails of an exercise, for its own directory only"));
		show_line(call, _("DRILL"), member_number(notices, "drill"), text, "");
	}
}

/* "2026-000412 our answer to the early warning of City Hospital due today 22:35 (in 15 h 43 min)" */
static void show_clocks(struct call *call, struct json_object *clocks, struct buf *text)
{
	struct json_object *items = member_of(clocks, "items");
	int64_t due = member_number(clocks, "due"),
		shown = items ? (int64_t)json_object_array_length(items) : 0;

	for (int64_t i = 0; i < shown; i++) {
		struct json_object *clock = json_object_array_get_idx(items, (size_t)i);
		int64_t at = 0;
		clock_parse(str_of(member_text(clock, "due")), &at);
		buf_text(text, member_text(clock, "case"));
		buf_text(text, !strcasecmp(member_text(clock, "whose"), "ours") ? _(" our ") : _(" their "));
		screen_cell(str_of(member_text(clock, "what")), text);
		bool late = at <= call->screen.now;
		struct buf span = {0};
		buf_text(text, late ? _(" WAS DUE ") : _(" due "));
		when_due(at, call->screen.now, text);
		when_span(late ? call->screen.now - at : at - call->screen.now, &span);
		buf_printf(text, late ? _(" (%s ago)") : _(" (in %s)"), buf_cstr(&span));
		buf_free(&span);
		if (i == 0) {
			show_line(call, _("CLOCKS"), due, text, "cirt clock list");
			continue;
		}
		screen_printf(&call->screen, "%*s", TEXT_COLUMN, "");
		show_more(call, text, "");
	}
}

/* "2026-000398 (hoster), 2026-000377 (police)": cases and whom they waited for; `when` of those that still
 * do. */
static void describe_waits(
	struct call *call, struct json_object *waits, const char *what, const char *when, struct buf *text)
{
	size_t count = waits ? json_object_array_length(waits) : 0;

	if (count == 0)
		return;
	buf_text(text, text->len ? " · " : "");
	buf_text(text, what);
	for (size_t i = 0; i < count && i < 3; i++) {
		struct json_object *wait = json_object_array_get_idx(waits, i);
		int64_t at;
		buf_printf(text, "%s%s (", i ? ", " : " ", member_text(wait, "case"));
		screen_cell(utf8_cut(str_of(member_text(wait, "for")), 40), text);
		if (when && clock_parse(str_of(member_text(wait, when)), &at)) {
			buf_text(text, ", ");
			when_due(at, call->screen.now, text);
		} else if (!strcmp(member_text(wait, "why"), "answer")) {
			buf_text(text, _(" has answered"));
		}
		buf_char(text, ')');
	}
	buf_text(text, count > 3 ? " …" : "");
}

static void show_waiting(struct call *call, struct json_object *day, struct buf *text)
{
	struct json_object *waits = member_of(day, "waits"), *back = member_of(waits, "back");
	int64_t waiting = member_number(member_of(day, "cases"), "waiting");
	int64_t asked = member_number(member_of(day, "releases"), "asked");

	describe_waits(call, back, _("back:"), NULL, text);
	describe_waits(call, member_of(waits, "next"), _("next:"), "until", text);
	part(text, asked, _("sources asked for a release"));
	if (waiting + asked || text->len)
		show_line(call, _("WAITING"), waiting + asked, text,
			waiting ? "cirt case list --state waiting" : "");
}

static struct json_object *first_of(struct json_object *day_part)
{
	struct json_object *items = member_of(day_part, "items");

	return json_object_is_type(items, json_type_array) ? json_object_array_get_idx(items, 0) : NULL;
}

/* Yours: the next first, and what is over. */
static void show_tasks(struct call *call, struct json_object *tasks, struct buf *text)
{
	struct json_object *next = first_of(tasks);
	int64_t nobodys = member_number(tasks, "nobodys");
	struct buf title = {0};

	if (next) {
		buf_text(text, member_text(next, "case"));
		buf_char(text, ' ');
		screen_cell(str_of(member_text(next, "title")), &title);
		width_cut(&title, TASK_WIDTH);
		buf_str(text, buf_view(&title));
		buf_free(&title);
	}
	part(text, member_number(tasks, "overdue"), _("overdue"));
	part(text, nobodys, _("overdue and nobody's"));
	if (text->len)
		show_line(call, _("TASKS"), member_number(tasks, "mine"), text,
			member_number(tasks, "mine") ? "cirt task list --mine" : "cirt task list --overdue");
}

/* "2026-000012 bank wave: 3 by amira · 1 mail, today 14:02": what others did in cases that one follows. */
static void show_news(struct call *call, struct json_object *news, struct buf *text)
{
	struct json_object *items = member_of(news, "items");
	struct buf title = {0};

	for (size_t i = 0; items && i < json_object_array_length(items); i++) {
		struct json_object *one = json_object_array_get_idx(items, i);
		if (member_true(one, "exercise"))
			buf_printf(text, "%s ", _("EXERCISE"));
		buf_printf(text, "%s ", member_text(one, "case"));
		screen_cell(str_of(member_text(one, "title")), &title);
		width_cut(&title, TASK_WIDTH);
		buf_printf(text, "%s: ", buf_cstr(&title));
		news_describe(&call->screen, one, text);
		buf_clear(&title);
		if (i == 0) {
			show_line(
				call, _("NEWS"), member_number(news, "cases"), text, "cirt case list --news");
			continue;
		}
		screen_printf(&call->screen, "%*s", TEXT_COLUMN, "");
		show_more(call, text, "");
	}
	buf_free(&title);
}

static void show_measures(struct call *call, struct json_object *measures, struct buf *text)
{
	struct json_object *first = first_of(measures);

	if (!first)
		return;
	screen_cell(str_of(member_text(first, "kind")), text);
	buf_char(text, ' ');
	screen_cell(utf8_cut(str_of(member_text(first, "target")), 40), text);
	buf_printf(text, ", %s (",
		!strcmp(member_text(first, "state"), "expired") ? _("expired") : _("to be reviewed"));
	screen_cell(str_of(member_text(first, "owner")), text);
	buf_char(text, ')');
	show_line(call, _("MEASURES"), member_number(measures, "due"), text, "cirt measure list --due");
}

/* What waits for a second person. */
static void show_approvals(struct call *call, struct json_object *approvals, struct buf *text)
{
	int64_t asked = member_number(approvals, "asked"), mails = member_number(approvals, "mails"),
		alone = member_number(approvals, "countersign");

	part(text, asked, _("asked"));
	part(text, mails, mails == 1 ? _("mail") : _("mails"));
	part(text, alone, _("done alone, to be countersigned"));
	part(text, member_number(approvals, "late"), _("late"));
	if (text->len)
		show_line(call, _("TWO"), asked + mails + alone, text, "cirt approve list");
}

static void show_heading(struct call *call, struct json_object *day)
{
	struct json_object *operator= member_of(day, "operator");
	struct buf text = {0}, name = {0};

	when_local(call->screen.now, &text);
	screen_cell(str_of(member_text(operator, "name")), &name);
	screen_printf(&call->screen, _("%s · you: %s (%s) · today: since 00:00 UTC\n"), buf_cstr(&text),
		buf_cstr(&name), member_text(operator, "role"));
	buf_free(&text);
	buf_free(&name);
}

static void today_show(struct call *call, struct json_object *day)
{
	struct json_object *intake = member_of(day, "intake");
	struct buf text = {0};

	show_heading(call, day);
	show_alarms(call, member_of(day, "alarms"), &text);
	show_clocks(call, member_of(day, "clocks"), &text);
	show_tasks(call, member_of(day, "tasks"), &text);
	show_news(call, member_of(day, "news"), &text);
	show_measures(call, member_of(day, "measures"), &text);
	show_approvals(call, member_of(day, "approvals"), &text);
	show_people(call, member_of(day, "people"), &text);
	show_cases(call, member_of(day, "cases"), &text);
	show_calls(call, member_of(intake, "calls"), &text);
	if (member_of(intake, "feeds"))
		show_lane(call, _("FEEDS"), member_of(intake, "feeds"), true, &text);
	if (member_of(intake, "sensors"))
		show_lane(call, _("SENSORS"), member_of(intake, "sensors"), false, &text);
	show_notices(call, member_of(day, "notices"), &text);
	show_sent(call, member_of(day, "notices"), &text);
	show_waiting(call, day, &text);
	buf_free(&text);
}

const struct command today_commands[] = {
	{"today", today_show, NULL},
	{NULL, NULL, NULL},
};
