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
	{"doing", N_("PER SECOND"), CELL_TEXT, true},
};

static int rate_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* What every room counts says nothing about its work. */
static bool is_work(const char *counter)
{
	static const char *const common[] = {"cpu_ms", "log_errors", "log_warnings", "sandbox_refused"};

	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (!strcmp(counter, common[i]))
			return false;
	return true;
}

/* "lines 5210 · acks 26": the busiest few; silence says nothing. */
static void describe_rates(struct json_object *rates, struct buf *out)
{
	double values[64];
	size_t count = 0;
	int shown = 0;

	if (!json_object_is_type(rates, json_type_object))
		return;
	json_object_object_foreach(rates, key, value)
	{
		double rate = json_object_get_double(value);
		if (rate >= 0.05 && is_work(key) && count < ARRAY_LEN(values))
			values[count++] = rate;
	}
	qsort(values, count, sizeof(*values), rate_order);
	double least = count > 3 ? values[2] : 0.05;
	json_object_object_foreach(rates, name, rated)
	{
		double rate = json_object_get_double(rated);
		if (rate < least || shown == 3 || !is_work(name))
			continue;
		buf_printf(out, rate < 10 ? "%s%s %.1f" : "%s%s %.0f", shown++ ? " · " : "", name, rate);
	}
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
	buf_clear(&text);
	describe_rates(member_of(room, "rates"), &text);
	json_object_object_add(row, "doing", json_object_new_string(buf_cstr(&text)));
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
