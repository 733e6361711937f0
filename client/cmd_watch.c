#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "client/command.h"
#include "client/i18n.h"

struct watching {
	struct call *call;
	int64_t left; /* lines to show; -1: no end */
};

static void append_clock(const char *text, struct buf *out)
{
	char stamp[16] = "--:--:--";
	int64_t time;
	struct tm tm;

	if (clock_parse(str_of(text), &time)) {
		time_t seconds = (time_t)(time / CLOCK_SECOND);
		if (localtime_r(&seconds, &tm))
			strftime(stamp, sizeof(stamp), "%H:%M:%S", &tm);
	}
	buf_text(out, stamp);
}

/* "15:04:05 report 202611-123 high phishing sensor-1 Title" */
static void show_line(struct call *call, const char *kind, struct json_object *item)
{
	struct buf *out = &call->screen.out;
	struct buf text = {0};
	bool is_case = !strcmp(kind, "case");

	append_clock(member_text(item, is_case ? "changed" : "received"), out);
	screen_printf(&call->screen, " %-6s ", kind);
	screen_cell(str_of(member_text(item, is_case ? "number" : "id")), &text);
	screen_printf(&call->screen, "%-14s ", buf_cstr(&text));
	buf_clear(&text);
	buf_printf(&text, "%-8s", member_text(item, "severity"));
	screen_colored(&call->screen, screen_severity_color(member_text(item, "severity")), buf_cstr(&text));
	buf_char(out, ' ');
	screen_colored(&call->screen, screen_tlp_color(member_text(item, "tlp")), member_text(item, "tlp"));
	buf_char(out, ' ');
	screen_cell(str_of(member_text(item, is_case ? "state" : "source")), out);
	buf_char(out, ' ');
	screen_cell(str_of(member_text(item, "classification")), out);
	buf_text(out, " · ");
	screen_cell(str_of(member_text(item, "title")), out);
	buf_char(out, '\n');
	buf_free(&text);
}

static void show(struct watching *watching, const struct rpc_message *message)
{
	struct call *call = watching->call;
	struct json_object *item = member_of(message->params, "item");
	const char *kind = member_text(message->params, "kind");

	if (!str_equal(message->method, STR("watch.item")) || watching->left == 0)
		return;
	if (call->invocation->json) {
		rpc_json_text(&call->screen.out, message->params, false);
		buf_char(&call->screen.out, '\n');
	} else {
		show_line(call, kind, item);
	}
	screen_flush(&call->screen);
	if (watching->left > 0)
		watching->left--;
}

static int watch_run(struct call *call)
{
	struct json_object *params = call->invocation->params;
	struct watching watching = {call, member_of(params, "count") ? member_number(params, "count") : -1};
	struct rpc_message message;
	struct err err;
	int code = call_connect(call);

	if (code != EXIT_DONE)
		return code;
	if (link_ask(call->link, "watch", params, &err) < 0)
		return call_broken(call, &err);
	while (watching.left != 0) {
		if (!link_next(call->link, &message, &err)) {
			rpc_free(&message);
			return call_broken(call, &err);
		}
		if (message.kind == RPC_ERROR)
			code = call_failed(call, &message);
		else if (message.kind == RPC_NOTIFICATION)
			show(&watching, &message);
		rpc_free(&message);
		/* A reader that went away (`cirt watch | head`) is told by SIGPIPE or by this. */
		if (code != EXIT_DONE || ferror(stdout))
			break;
	}
	return code;
}

const struct command watch_commands[] = {{"watch", NULL, watch_run}, {NULL, NULL, NULL}};
