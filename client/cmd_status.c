#include "config.h"

#include <stdio.h>

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"
#include "client/when.h"

static const struct column room_columns[] = {
	{"room", N_("ROOM"), CELL_TEXT, false},
	{"pid", N_("PID"), CELL_NUMBER, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"restarts", N_("RESTARTS"), CELL_NUMBER, false},
	{"uptime", N_("UP"), CELL_SPAN, false},
	{"errors", N_("ERRORS"), CELL_NUMBER, false},
	{"work", N_("WORK"), CELL_TEXT, true},
};

/* What of a room's counters says how it does, most telling first. */
static const struct {
	const char *room;
	const char *counters[7];
} telling[] = {
	{"spool", {"entries", "sealed", "refused", "poison"}},
	{"triage", {"entries", "items", "quarantined"}},
	{"store", {"new", "folded", "quarantined", "unknown"}},
	{"intake",
		{"mails", "lines", "mails_refused", "refused_certificate", "mails_broken", "lines_broken"}},
	{"desk", {"requests", "denied", "submits_broken"}},
	{"exchange", {"pulls", "failed"}},
	{"keeper", {"correlated", "cases_opened"}},
	{"keys", {"opened", "failed", "timeouts", "locked_keys"}},
	{"courier", {"sent", "failed", "held", "put_off"}},
};

static void describe_counter(struct json_object *room, const char *name, struct buf *out)
{
	int64_t value = member_number(member_of(room, "counters"), name);
	double rate = json_object_get_double(member_of(member_of(room, "rates"), name));

	if (value == 0)
		return;
	buf_text(out, out->len ? " · " : "");
	for (const char *c = name; *c; c++)
		buf_append(out, *c == '_' ? " " : c, 1);
	buf_printf(out, " %lld", (long long)value);
	if (rate >= 0.05)
		buf_printf(out, rate < 10 ? " (%.1f/s)" : " (%.0f/s)", rate);
}

/* "lines 5210 (26/s) · mails 11": since the process started, and how fast just now. */
static void describe_work(struct json_object *room, struct buf *out)
{
	const char *name = member_text(room, "name");

	for (size_t i = 0; i < ARRAY_LEN(telling); i++)
		for (const char *const *counter = telling[i].counters;
			!strcmp(telling[i].room, name) && *counter; counter++)
			describe_counter(room, *counter, out);
}

static struct json_object *room_row(struct json_object *room)
{
	struct json_object *row = json_object_new_object();
	static const char *const copied[] = {"pid", "state", "restarts", "uptime"};
	struct buf text = {0};

	buf_text(&text, member_text(room, "name"));
	if (!strcmp(member_text(room, "name"), "triage"))
		buf_printf(&text, " %lld", (long long)member_number(room, "instance"));
	json_object_object_add(row, "room", json_object_new_string(buf_cstr(&text)));
	for (size_t i = 0; i < ARRAY_LEN(copied); i++)
		json_object_object_add(row, copied[i], json_object_get(member_of(room, copied[i])));
	if (member_number(member_of(room, "counters"), "log_errors"))
		json_object_object_add(
			row, "errors", json_object_get(member_of(member_of(room, "counters"), "log_errors")));
	buf_clear(&text);
	describe_work(room, &text);
	json_object_object_add(row, "work", json_object_new_string(buf_cstr(&text)));
	buf_free(&text);
	return row;
}

static void show_rooms(struct call *call, struct json_object *rooms)
{
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; rooms && i < json_object_array_length(rooms); i++)
		json_object_array_add(rows, room_row(json_object_array_get_idx(rooms, i)));
	screen_table(&call->screen, room_columns, ARRAY_LEN(room_columns), rows);
	json_object_put(rows);
}

static void append_size(struct call *call, struct json_object *object, const char *member, struct buf *out)
{
	screen_value(&call->screen, member_of(object, member), CELL_SIZE, out);
}

static void show_backlog(struct call *call, struct json_object *backlog)
{
	struct buf size = {0}, limit = {0};

	if (!backlog) {
		screen_colored(
			&call->screen, "\033[1;31m", _("BACKLOG   unknown: the spool does not answer"));
		screen_printf(&call->screen, "\n");
		return;
	}
	append_size(call, backlog, "bytes", &size);
	append_size(call, backlog, "limit", &limit);
	screen_printf(&call->screen, _("BACKLOG   %lld entries, %s of %s"),
		(long long)member_number(backlog, "entries"), buf_cstr(&size), buf_cstr(&limit));
	if (member_number(backlog, "reruns"))
		screen_printf(
			&call->screen, _(", %lld re-runs"), (long long)member_number(backlog, "reruns"));
	if (member_number(backlog, "sealed")) {
		char text[100];
		snprintf(text, sizeof(text), _("%lld wait sealed: cirt key unlock"),
			(long long)member_number(backlog, "sealed"));
		screen_printf(&call->screen, " · ");
		screen_colored(&call->screen, "\033[1;31m", text);
	}
	if (!strcmp(member_text(backlog, "doors"), "closed")) {
		screen_printf(&call->screen, " · ");
		screen_colored(&call->screen, "\033[1;31m", _("DOORS CLOSED: the spool is full"));
	}
	screen_printf(&call->screen, "\n");
	buf_free(&size);
	buf_free(&limit);
}

static void show_database(struct call *call, struct json_object *database)
{
	struct buf text = {0};

	if (member_true(database, "up")) {
		buf_text(&text, _("DATABASE  up, PostgreSQL "));
		screen_cell(str_of(member_text(database, "version")), &text);
		if (member_of(database, "size")) {
			buf_text(&text, ", ");
			append_size(call, database, "size", &text);
		}
		if (member_of(database, "schema"))
			buf_printf(&text, _(", schema %lld"), (long long)member_number(database, "schema"));
		screen_colored(&call->screen, "", buf_cstr(&text));
	} else {
		buf_text(&text, _("DATABASE  down: "));
		screen_cell(str_of(member_text(database, "why")), &text);
		screen_colored(&call->screen, "\033[1;31m", buf_cstr(&text));
		screen_printf(&call->screen, "\n          %s",
			_("What comes in is kept in the spool and lands when it is back."));
	}
	screen_printf(&call->screen, "\n");
	buf_free(&text);
}

/* A room that has not said yet what holds it says nothing of the sandbox. */
static bool is_running(struct json_object *room)
{
	return strcmp(member_text(room, "state"), "running") == 0;
}

/* Names the rooms that the kernel does not hold as it should. */
static void show_sandbox(struct call *call, struct json_object *rooms)
{
	struct buf loose = {0};
	bool any = false;

	for (size_t i = 0; rooms && i < json_object_array_length(rooms); i++) {
		struct json_object *room = json_object_array_get_idx(rooms, i),
				   *enforced = member_of(room, "enforced");
		if (!enforced || !is_running(room))
			continue;
		any = true;
		if (!member_number(enforced, "landlock"))
			buf_printf(&loose, " %s", member_text(room, "name"));
	}
	if (loose.len) {
		screen_colored(&call->screen, "\033[1;31m", _("SANDBOX   without Landlock:"));
		screen_colored(&call->screen, "\033[1;31m", buf_cstr(&loose));
		screen_printf(&call->screen, "\n");
	} else if (any) {
		screen_printf(&call->screen, "%s\n",
			_("SANDBOX   Landlock and a system call filter in every room"));
	}
	buf_free(&loose);
}

/* A room that has nobody to give mail to keeps it. */
static void show_mail(struct call *call, struct json_object *rooms)
{
	for (size_t i = 0; rooms && i < json_object_array_length(rooms); i++) {
		struct json_object *room = json_object_array_get_idx(rooms, i);

		if (!strcmp(member_text(room, "name"), "courier") &&
			member_number(member_of(room, "counters"), "not_configured"))
			screen_printf(&call->screen, "%s\n",
				_("MAIL OUT  not configured: mails stay queued (mail_out.server)"));
	}
}

static void show_alarms(struct call *call, struct json_object *database)
{
	char text[100];
	int64_t alarms = member_number(database, "alarms");

	if (alarms <= 0)
		return;
	snprintf(text, sizeof(text), _("ALARMS    %lld open: cirt alarm list"), (long long)alarms);
	screen_colored(&call->screen, "\033[1;31m", text);
	screen_printf(&call->screen, "\n");
}

/* A changed configuration that was not taken: what held before holds. */
static void show_refused(struct call *call, struct json_object *refused)
{
	struct buf since = {0}, text = {0};

	if (!refused)
		return;
	screen_value(&call->screen, member_of(refused, "since"), CELL_AGO, &since);
	buf_printf(&text, _("CONFIG    refused %s: "), buf_cstr(&since));
	screen_cell(str_of(member_text(refused, "why")), &text);
	screen_colored(&call->screen, "\033[1;31m", buf_cstr(&text));
	screen_printf(&call->screen, "\n");
	buf_free(&since);
	buf_free(&text);
}

static void status_show(struct call *call, struct json_object *result)
{
	struct buf uptime = {0};

	screen_value(&call->screen, member_of(result, "started"), CELL_AGO, &uptime);
	screen_printf(&call->screen, _("cirtd %s on %s"), member_text(result, "version"),
		member_text(result, "node"));
	if (uptime.len)
		screen_printf(&call->screen, _(", started %s"), buf_cstr(&uptime));
	screen_printf(&call->screen, "\n\n");
	show_rooms(call, member_of(result, "rooms"));
	screen_printf(&call->screen, "\n");
	show_backlog(call, member_of(result, "backlog"));
	show_database(call, member_of(result, "database"));
	show_alarms(call, member_of(result, "database"));
	show_refused(call, member_of(result, "refused"));
	show_mail(call, member_of(result, "rooms"));
	show_sandbox(call, member_of(result, "rooms"));
	buf_free(&uptime);
}

static void show_sums(struct call *call, const char *title, struct json_object *sums, const char *total)
{
	screen_printf(&call->screen, "%-9s %10lld  %s", title, (long long)member_number(sums, total), total);
	const char *sign = " =";
	json_object_object_foreach(sums, key, value)
	{
		if (!strcmp(key, total))
			continue;
		screen_printf(
			&call->screen, "%s %lld %s", sign, (long long)json_object_get_int64(value), key);
		sign = " +";
	}
	screen_printf(&call->screen, "\n");
}

static void ledger_show(struct call *call, struct json_object *result)
{
	struct json_object *notes = member_of(result, "notes");

	show_sums(call, _("ENTRIES"), member_of(result, "entries"), "received");
	show_sums(call, _("ITEMS"), member_of(result, "items"), "found");
	if (member_true(result, "balanced"))
		screen_colored(&call->screen, "\033[32m", _("balanced"));
	else
		screen_colored(&call->screen, "\033[1;31m", _("NOT BALANCED"));
	screen_printf(&call->screen, "\n");
	for (size_t i = 0; notes && i < json_object_array_length(notes); i++)
		screen_block(&call->screen, 2,
			str_of(json_object_get_string(json_object_array_get_idx(notes, i))));
}

const struct command status_commands[] = {
	{"status", status_show, NULL},
	{"ledger", ledger_show, NULL},
	{NULL, NULL, NULL},
};
