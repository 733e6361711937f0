#include "config.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

/* Old evidence under the rules of today: asked for, watched until its end, and what it found. */

#define BAR_WIDTH 30
#define PAUSE     200000000 /* ns between two looks at how far it is */

static const struct column list_columns[] = {
	{"rescan", N_("RESCAN"), CELL_NUMBER, false},
	{"asked", N_("ASKED"), CELL_AGO, false},
	{"by", N_("BY"), CELL_TEXT, false},
	{"since", N_("SINCE"), CELL_TIME, true},
	{"until", N_("UNTIL"), CELL_TIME, true},
	{"rule", N_("RULE"), CELL_TEXT, true},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"pieces", N_("LOOKED AT"), CELL_NUMBER, false},
	{"total", N_("OF"), CELL_NUMBER, false},
	{"found", N_("FOUND"), CELL_NUMBER, false},
};

static const struct column one_columns[] = {
	{"rescan", N_("rescan"), CELL_NUMBER, false},
	{"state", N_("state"), CELL_TEXT, false},
	{"by", N_("asked for by"), CELL_TEXT, false},
	{"asked", N_("asked"), CELL_TIME, false},
	{"ended", N_("ended"), CELL_TIME, false},
	{"since", N_("received since"), CELL_TIME, false},
	{"until", N_("received before"), CELL_TIME, false},
	{"rule", N_("only rule"), CELL_TEXT, false},
	{"rules", N_("of the rules"), CELL_TEXT, false},
	{"pieces", N_("pieces looked at"), CELL_NUMBER, false},
	{"total", N_("of"), CELL_NUMBER, false},
	{"bytes", N_("in all"), CELL_SIZE, false},
	{"found", N_("new matches"), CELL_NUMBER, false},
};

static const struct column match_columns[] = {
	{"rule", N_("RULE"), CELL_TEXT, false},
	{"part", N_("IN"), CELL_TEXT, true},
	{"report", N_("REPORT"), CELL_TEXT, false},
	{"case", N_("CASE"), CELL_TEXT, false},
	{"digest", N_("SHA-256"), CELL_TEXT, true},
	{"at", N_("FOUND"), CELL_AGO, false},
};

static void say_count(struct call *call, struct json_object *result, const char *name, const char *text)
{
	long long count = (long long)member_number(result, name);

	if (count > 0)
		screen_printf(&call->screen, "%6lld %s\n", count, text);
}

/* What nobody could look at, or not all of it. */
static void show_gaps(struct call *call, struct json_object *result)
{
	say_count(call, result, "gone", _("files are gone: their time was over"));
	say_count(call, result, "sealed",
		_("pieces have something encrypted that could not be opened now; what had been opened when "
		  "it came was looked at"));
	say_count(call, result, "unfinished", _("pieces were not scanned to their end: over the time limit"));
	say_count(call, result, "unreadable", _("pieces cannot be read any more as what they were"));
	say_count(
		call, result, "failed", _("pieces ended the workers that looked at them, and are left out"));
	if (member_true(result, "changed"))
		screen_printf(&call->screen, "%s\n",
			_("The rules changed while it ran: a part of it was looked at with other rules."));
}

static void show_refused(struct json_object *result)
{
	struct json_object *refused = member_of(result, "refused");

	for (size_t i = 0; refused && i < json_object_array_length(refused); i++) {
		struct buf line = {0};
		screen_cell(str_of(json_object_get_string(json_object_array_get_idx(refused, i))), &line);
		fprintf(stderr, _("cirt: without rules that do not compile: %s\n"), buf_cstr(&line));
		buf_free(&line);
	}
}

static void show_one(struct call *call, struct json_object *result)
{
	struct json_object *matches = member_of(result, "matches");

	screen_object(&call->screen, one_columns, ARRAY_LEN(one_columns), result);
	show_gaps(call, result);
	if (!matches || json_object_array_length(matches) == 0)
		return;
	screen_heading(&call->screen, _("What matches now"));
	screen_table(&call->screen, match_columns, ARRAY_LEN(match_columns), matches);
	call_more(call, result);
}

static void show(struct call *call, struct json_object *result)
{
	if (member_of(result, "items"))
		call_page(call, list_columns, ARRAY_LEN(list_columns), result, _("No rescans."));
	else
		show_one(call, result);
}

static void show_dry(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, _("%lld pieces with %lld bytes would be looked at.\n"),
		(long long)member_number(result, "total"), (long long)member_number(result, "bytes"));
	show_gaps(call, result);
}

/* --- until its end --- */

static void draw(struct json_object *result, bool last)
{
	int64_t total = member_number(result, "total"), pieces = member_number(result, "pieces");
	int64_t done = pieces > total ? total : pieces;
	int full = total > 0 ? (int)(done * BAR_WIDTH / total) : 0;

	if (!isatty(STDERR_FILENO))
		return;
	fputc('\r', stderr);
	fprintf(stderr, _("rescan %lld: ["), (long long)member_number(result, "rescan"));
	for (int i = 0; i < BAR_WIDTH; i++)
		fputc(i < full ? '#' : '-', stderr);
	fprintf(stderr, _("] %lld of %lld, matches: %lld "), (long long)pieces, (long long)total,
		(long long)member_number(result, "found"));
	fputs(last ? "\r\033[K" : "", stderr);
	fflush(stderr);
}

static bool has_ended(struct json_object *result)
{
	const char *state = member_text(result, "state");

	return strcmp(state, "done") == 0 || strcmp(state, "stopped") == 0;
}

/* How far it is; the answer of its end is shown. False: that was it. */
static bool look(struct call *call, struct json_object *params, int *code)
{
	struct rpc_message answer;
	struct err err;
	bool ended;

	if (!link_call(call->link, "rules.show", params, NULL, NULL, &answer, &err)) {
		*code = call_broken(call, &err);
		return false;
	}
	ended = answer.kind == RPC_ERROR || has_ended(answer.result);
	if (answer.kind == RPC_ERROR) {
		*code = call_failed(call, &answer);
	} else {
		draw(answer.result, ended);
		if (ended && call->invocation->json)
			call_json(call, answer.result);
		else if (ended)
			show_one(call, answer.result);
	}
	rpc_free(&answer);
	return !ended;
}

static int watch(struct call *call, int64_t rescan)
{
	const struct timespec pause = {0, PAUSE};
	struct json_object *params = json_object_new_object();
	char number[24];
	int code = EXIT_DONE;

	snprintf(number, sizeof(number), "%lld", (long long)rescan);
	json_object_object_add(params, "rescan", json_object_new_string(number));
	if (isatty(STDERR_FILENO))
		fprintf(stderr, _("It goes on by itself; ctrl-C only ends watching: cirt rules show %s\n"),
			number);
	while (look(call, params, &code))
		nanosleep(&pause, NULL);
	json_object_put(params);
	return code;
}

static int answered(struct call *call, struct json_object *result, bool background)
{
	bool dry = member_true(result, "dry_run");

	show_refused(result);
	if (!dry && !background)
		return watch(call, member_number(result, "rescan"));
	if (call->invocation->json)
		call_json(call, result);
	else if (dry)
		show_dry(call, result);
	else
		screen_printf(&call->screen, _("Rescan %lld looks at %lld pieces: cirt rules show %lld\n"),
			(long long)member_number(result, "rescan"), (long long)member_number(result, "total"),
			(long long)member_number(result, "rescan"));
	return EXIT_DONE;
}

static int rescan(struct call *call)
{
	struct json_object *params = call->invocation->params;
	bool background = member_true(params, "background");
	struct rpc_message answer;
	struct err err;
	int code = call_connect(call);

	if (code != EXIT_DONE)
		return code;
	json_object_object_del(params, "background");
	if (!link_call(call->link, call->method, params, NULL, NULL, &answer, &err))
		return call_broken(call, &err);
	code = answer.kind == RPC_ERROR ? call_failed(call, &answer)
	                                : answered(call, answer.result, background);
	rpc_free(&answer);
	return code;
}

static void stopped(struct call *call, struct json_object *result)
{
	screen_printf(&call->screen, _("Rescan %lld has ended. What it found stays.\n"),
		(long long)member_number(result, "rescan"));
}

const struct command rescan_commands[] = {
	{"rules.rescan", NULL, rescan},
	{"rules.show", show, NULL},
	{"rules.stop", stopped, NULL},
	{NULL, NULL, NULL},
};
