#include "config.h"

#include "client/seen.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

#define KEPT_MOST 500 /* the last so many cases */
#define FILE_MOST 262144

/* "SOCKET NUMBER REVISION" a line, the newest last. */
static bool folder(struct buf *path)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state == '/')
		buf_printf(path, "%s", state);
	else if (home && *home == '/')
		buf_printf(path, "%s/.local/state", home);
	else
		return false;
	return true;
}

/* ~/.local/state is made on many systems by the first who needs it. */
static bool make_folders(const char *path)
{
	char *copy = mem_strdup(path);
	struct stat st;

	for (char *at = strchr(copy + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		mkdir(copy, 0700);
		*at = '/';
	}
	mkdir(copy, 0700);
	bool ok = stat(copy, &st) == 0 && S_ISDIR(st.st_mode);
	free(copy);
	return ok;
}

static bool file_path(struct buf *path)
{
	if (!folder(path))
		return false;
	buf_text(path, "/cirt");
	if (!make_folders(buf_cstr(path)))
		return false;
	buf_text(path, "/seen");
	return true;
}

/* Whether a line is of this case at this desk; then its revision. */
static bool line_is(struct str line, const char *socket, const char *number, int64_t *revision)
{
	struct str where, what;

	return str_split(&line, ' ', &where) && str_split(&line, ' ', &what) && line.p &&
	       str_equal(where, str_of(socket)) && str_equal(what, str_of(number)) &&
	       str_to_i64(line, revision);
}

static bool seen_find(const struct buf *text, const char *socket, const char *number, int64_t *revision)
{
	struct str rest = buf_view(text), line;
	bool found = false;

	while (rest.len && str_split(&rest, '\n', &line))
		found = line_is(line, socket, number, revision) || found;
	return found;
}

/* A file name with blanks would be two words: that desk is not remembered. */
static bool may_keep(const struct call *call)
{
	return !call->invocation->json && !strchr(place_name(call->place), ' ') &&
	       !strchr(place_name(call->place), '\n');
}

static size_t lines_of(struct str text)
{
	size_t lines = 0;

	for (size_t i = 0; i < text.len; i++)
		lines += text.p[i] == '\n';
	return lines;
}

static void seen_put(const struct call *call, const char *number, int64_t revision)
{
	struct buf path = {0}, was = {0}, now = {0};
	struct str rest, line;
	struct err err;
	int64_t old;

	if (file_path(&path)) {
		file_read(buf_cstr(&path), FILE_MOST, &was, &err);
		rest = buf_view(&was);
		size_t drop = lines_of(rest) >= KEPT_MOST ? lines_of(rest) - KEPT_MOST + 1 : 0;
		while (rest.len && str_split(&rest, '\n', &line)) {
			if (drop > 0)
				drop--;
			else if (line.len && !line_is(line, place_name(call->place), number, &old))
				buf_printf(&now, "%.*s\n", (int)line.len, line.p);
		}
		buf_printf(&now, "%s %s %" PRId64 "\n", place_name(call->place), number, revision);
		/* Two at once: the last one's file stays, whole. */
		file_write_atomic(buf_cstr(&path), 0600, buf_view(&now), &err);
	}
	buf_free(&path);
	buf_free(&was);
	buf_free(&now);
}

/* "412" is of this year or of the last, as the desk has it; "2026-412" is 2026-000412. */
static void full_number(const char *typed, int back, char number[32])
{
	const char *dash = strchr(typed, '-');
	time_t now = (time_t)(clock_now() / CLOCK_SECOND);
	struct tm tm = {0};
	long year, count = strtol(dash ? dash + 1 : typed, NULL, 10);

	gmtime_r(&now, &tm);
	year = dash ? strtol(typed, NULL, 10) : tm.tm_year + 1900 - back;
	snprintf(number, 32, "%04ld-%06ld", year % 10000, count % 1000000000);
}

static bool takes_if(const struct verb *verb)
{
	for (const struct verb_option *option = verb->options; option->name; option++)
		if (!strcmp(option->name, "if"))
			return true;
	return false;
}

void seen_ask(struct call *call)
{
	struct json_object *params = call->invocation->params;
	const char *typed = member_text(params, "number");
	struct buf path = {0}, text = {0};
	char number[32];
	struct err err;
	int64_t revision;
	bool found = false;

	if (!may_keep(call) || !takes_if(call->invocation->verb) || !isdigit((unsigned char)*typed) ||
		member_of(params, "if"))
		return;
	if (folder(&path)) {
		buf_text(&path, "/cirt/seen");
		file_read(buf_cstr(&path), FILE_MOST, &text, &err);
	}
	for (int back = 0; back < 2 && !found; back++) {
		full_number(typed, back, number);
		found = seen_find(&text, place_name(call->place), number, &revision);
	}
	if (found) {
		snprintf(number, sizeof(number), "%" PRId64, revision);
		json_object_object_add(params, "if", json_object_new_string(number));
	}
	buf_free(&path);
	buf_free(&text);
}

void seen_answer(struct call *call, const struct rpc_message *answer)
{
	const struct verb *verb = call->invocation->verb;
	bool is_error = answer->kind == RPC_ERROR;
	struct json_object *told = is_error ? answer->data : answer->result;
	struct json_object *revision = member_of(told, "revision");
	char number[32];

	if (!may_keep(call) || !revision || (strcmp(call->method, "case.show") != 0 && !takes_if(verb)))
		return;
	/* What it was told of now has been seen. */
	if (is_error)
		full_number(member_text(call->invocation->params, "number"), 0, number);
	else
		snprintf(number, sizeof(number), "%.31s", member_text(told, "number"));
	if (isdigit((unsigned char)*number))
		seen_put(call, number, json_object_get_int64(revision));
}
