#include "config.h"

#include "client/inbox.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/i18n.h"
#include "client/tty.h"

#define CHROME 4 /* lines that are no rows: title, head, the line's suggestion, what happened */

struct inbox {
	struct call *call;
	struct tty *tty;
	struct json_object *lines;
	size_t at;       /* in lines */
	size_t past;     /* lines that were left out in front of these */
	int64_t all;     /* lines that there are */
	bool more;       /* behind these */
	struct buf said; /* what happened last */
	int code;
	bool over;
};

static size_t line_count(const struct inbox *inbox)
{
	return inbox->lines ? json_object_array_length(inbox->lines) : 0;
}

static struct json_object *this_line(const struct inbox *inbox)
{
	return inbox->at < line_count(inbox) ? json_object_array_get_idx(inbox->lines, inbox->at) : NULL;
}

static void say(struct inbox *inbox, struct str text)
{
	buf_clear(&inbox->said);
	screen_cell(text, &inbox->said);
}

/* Ask the desk; the answer, or NULL where it refused, which is said. Takes params. */
static struct json_object *ask(struct inbox *inbox, const char *method, struct json_object *params)
{
	struct rpc_message answer;
	struct json_object *result = NULL;
	struct err err;

	bool told = link_call(inbox->call->link, method, params, NULL, NULL, &answer, &err);
	json_object_put(params);
	if (!told) {
		say(inbox, str_of(err.text));
		inbox->code = EXIT_NO_DAEMON;
		inbox->over = true;
		return NULL;
	}
	if (answer.kind == RPC_ERROR)
		say(inbox, answer.text);
	else
		result = json_object_get(answer.result);
	rpc_free(&answer);
	return result;
}

static struct json_object *copy_params(const struct inbox *inbox)
{
	struct json_object *params = json_object_new_object();

	json_object_object_foreach(inbox->call->invocation->params, name, value)
		json_object_object_add(params, name, json_object_get(value));
	return params;
}

/* The page behind so many lines. */
static void load(struct inbox *inbox, size_t past)
{
	struct json_object *params = copy_params(inbox), *page;
	char cursor[24];

	if (past > 0) {
		snprintf(cursor, sizeof(cursor), "%zu", past);
		json_object_object_add(params, "cursor", json_object_new_string(cursor));
	}
	page = ask(inbox, "inbox", params);
	if (!page)
		return;
	json_object_put(inbox->lines);
	inbox->lines = json_object_get(member_of(page, "items"));
	inbox->all = member_number(page, "lines");
	inbox->more = member_of(page, "next") != NULL;
	inbox->past = past;
	if (inbox->at > line_count(inbox))
		inbox->at = line_count(inbox);
	json_object_put(page);
}

/* ---- drawing ---- */

static void put_line(struct buf *out, int row, struct str text)
{
	buf_printf(out, "\x1b[%d;1H\x1b[0m\x1b[2K", row);
	buf_str(out, text);
}

static void draw_title(const struct inbox *inbox, int columns, struct buf *out)
{
	struct buf text = {0};

	buf_printf(&text,
		_("[%zu/%lld] o open l link r reject n notice a answer d done s skip u undo q quit"),
		inbox->past + inbox->at + 1, (long long)inbox->all);
	buf_text(out, "\x1b[1m");
	tty_cell(buf_view(&text), columns, out);
	buf_text(out, "\x1b[0m");
	buf_free(&text);
}

static void draw_rows(const struct inbox *inbox, int rows, int columns, struct buf *out)
{
	size_t first = inbox->at >= (size_t)rows ? inbox->at - (size_t)rows + 1 : 0;

	for (int row = 0; row < rows; row++) {
		size_t i = first + (size_t)row;
		put_line(out, 3 + row, STR(""));
		if (i >= line_count(inbox))
			continue;
		if (i == inbox->at)
			buf_text(out, "\x1b[7m");
		inbox_row(json_object_array_get_idx(inbox->lines, i), inbox->past + i + 1,
			inbox->call->screen.now, columns, out);
		buf_text(out, "\x1b[0m");
	}
}

static void draw(struct inbox *inbox)
{
	int lines, columns;
	struct buf out = {0}, safe = {0};

	tty_size(inbox->tty, &lines, &columns);
	int rows = lines > CHROME ? lines - CHROME : 1;
	inbox->call->screen.now = clock_now();
	put_line(&out, 1, STR(""));
	draw_title(inbox, columns, &out);
	put_line(&out, 2, STR(""));
	inbox_head(columns, &out);
	draw_rows(inbox, rows, columns, &out);
	put_line(&out, lines - 1, STR(""));
	if (this_line(inbox)) {
		buf_text(&safe, _("enter shows it"));
		buf_text(&safe, *inbox_suggestion(this_line(inbox)) ? " · " : "");
		screen_cell(str_of(inbox_suggestion(this_line(inbox))), &safe);
	} else
		buf_text(&safe, _("nothing more is new: q leaves"));
	tty_cell(buf_view(&safe), columns, &out);
	put_line(&out, lines, STR(""));
	tty_cell(buf_view(&inbox->said), columns, &out);
	tty_write(inbox->tty, buf_view(&out));
	buf_free(&safe);
	buf_free(&out);
}

/* The last line of the screen, emptied, for a question. */
static void to_bottom(const struct inbox *inbox)
{
	int lines, columns;
	struct buf out = {0};

	tty_size(inbox->tty, &lines, &columns);
	put_line(&out, lines, STR(""));
	tty_write(inbox->tty, buf_view(&out));
	buf_free(&out);
}

/* ---- acts ---- */

static struct json_object *of_line(struct json_object *line)
{
	struct json_object *params = json_object_new_object();
	char group[24];

	snprintf(group, sizeof(group), "%lld", (long long)member_number(line, "group"));
	json_object_object_add(params, "group", json_object_new_string(group));
	json_object_object_add(params, "upto", json_object_new_string(member_text(line, "upto")));
	return params;
}

/* One act on the line that is marked, which is then gone from the list. Takes params. */
static void act(struct inbox *inbox, const char *method, struct json_object *params)
{
	struct json_object *result = ask(inbox, method, params);
	struct buf text = {0};

	if (!result)
		return;
	buf_text(&text, member_text(result, "what"));
	if (member_number(result, "reports") > 0 || member_number(result, "mails") > 0)
		buf_text(&text, _(". u = undo"));
	if (member_number(result, "reports") > 0) {
		json_object_array_del_idx(inbox->lines, inbox->at, 1);
		inbox->all--;
	}
	say(inbox, buf_view(&text));
	buf_free(&text);
	json_object_put(result);
}

static void link_line(struct inbox *inbox, struct json_object *line)
{
	struct json_object *params = of_line(line);
	struct buf number = {0};

	if (!*member_text(member_of(line, "suggested"), "case")) {
		to_bottom(inbox);
		if (!tty_line(inbox->tty, _("into case: "), &number)) {
			json_object_put(params);
			say(inbox, STR(""));
			return;
		}
		json_object_object_add(params, "case", json_object_new_string(buf_cstr(&number)));
		buf_free(&number);
	}
	act(inbox, "inbox.link", params);
}

static const struct {
	char key;
	const char *reason;
} reasons[] = {{'s', "spam"}, {'n', "not-ours"}, {'f', "false-alarm"}, {'d', "duplicate"}, {'t', "test"}};

static void reject_line(struct inbox *inbox, struct json_object *line)
{
	struct json_object *params;
	const char *reason = NULL;

	to_bottom(inbox);
	tty_write(inbox->tty, str_of(_("why? s spam  n not ours  f false alarm  d duplicate  t test")));
	int key = tty_key(inbox->tty);
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (key == reasons[i].key)
			reason = reasons[i].reason;
	if (key == TTY_END)
		inbox->over = true;
	say(inbox, STR(""));
	if (!reason)
		return;
	params = of_line(line);
	json_object_object_add(params, "reason", json_object_new_string(reason));
	act(inbox, "inbox.reject", params);
}

static void undo(struct inbox *inbox)
{
	struct json_object *result = ask(inbox, "undo", json_object_new_object());
	struct buf text = {0};

	if (!result)
		return;
	buf_printf(&text, _("undone: %s"), member_text(result, "what"));
	load(inbox, inbox->past);
	say(inbox, buf_view(&text));
	buf_free(&text);
	json_object_put(result);
}

static void put_reports(struct json_object *reports, int columns, int *row, int lines, struct buf *out)
{
	for (size_t i = 0; reports && i < json_object_array_length(reports) && *row < lines - 1; i++) {
		struct json_object *report = json_object_array_get_idx(reports, i);
		struct buf text = {0}, safe = {0};
		buf_printf(&text, "%s  %s  %s  %s", member_text(report, "id"),
			member_text(report, "severity"), member_text(report, "organisation"),
			member_text(report, "title"));
		screen_cell(buf_view(&text), &safe);
		put_line(out, (*row)++, STR(""));
		tty_cell(buf_view(&safe), columns, out);
		buf_free(&safe);
		buf_free(&text);
	}
}

static void put_text(struct str text, int columns, int *row, int lines, struct buf *out)
{
	struct str piece;

	while (*row < lines / 2 && str_split(&text, '\n', &piece)) {
		struct buf safe = {0};
		screen_cell(piece, &safe);
		put_line(out, (*row)++, STR(""));
		tty_cell(buf_view(&safe), columns, out);
		buf_free(&safe);
	}
}

/* What is in the line: the text of people's mail, and its reports. Any key goes back. */
static void show_line(struct inbox *inbox, struct json_object *line)
{
	struct json_object *shown = ask(inbox, "inbox.show", of_line(line));
	int lines, columns, row = 3;
	struct buf out = {0};

	if (!shown)
		return;
	tty_size(inbox->tty, &lines, &columns);
	buf_text(&out, "\x1b[2J");
	put_line(&out, 1, STR(""));
	inbox_row(line, inbox->past + inbox->at + 1, inbox->call->screen.now, columns, &out);
	if (*member_text(shown, "text"))
		put_text(str_of(member_text(shown, "text")), columns, &row, lines, &out);
	row++;
	put_reports(member_of(shown, "items"), columns, &row, lines, &out);
	put_line(&out, lines, str_of(_("any key goes back")));
	tty_write(inbox->tty, buf_view(&out));
	buf_free(&out);
	json_object_put(shown);
	if (tty_key(inbox->tty) == TTY_END)
		inbox->over = true;
	tty_write(inbox->tty, STR("\x1b[2J"));
}

/* ---- keys ---- */

static void go_on(struct inbox *inbox)
{
	say(inbox, STR(""));
	if (this_line(inbox))
		inbox->at++;
}

static void move_key(struct inbox *inbox, int key)
{
	switch (key) {
	case 's':
	case 'j':
	case TTY_DOWN:
		go_on(inbox);
		break;
	case 'k':
	case TTY_UP:
		if (inbox->at > 0)
			inbox->at--;
		break;
	case 'u':
		undo(inbox);
		break;
	case 'q':
	case TTY_END:
		inbox->over = true;
		break;
	default:
		break;
	}
}

static void take_key(struct inbox *inbox, int key)
{
	struct json_object *line = this_line(inbox);

	if (line && key == 'o')
		act(inbox, "inbox.open", of_line(line));
	else if (line && key == 'n')
		act(inbox, "inbox.notice", of_line(line));
	else if (line && key == 'a')
		act(inbox, "inbox.answer", of_line(line));
	else if (line && key == 'd')
		act(inbox, "inbox.done", of_line(line));
	else if (line && key == 'l')
		link_line(inbox, line);
	else if (line && key == 'r')
		reject_line(inbox, line);
	else if (line && key == '\n')
		show_line(inbox, line);
	else
		move_key(inbox, key);
}

int inbox_work(struct call *call)
{
	struct inbox inbox = {.call = call, .code = call_connect(call)};

	if (inbox.code != EXIT_DONE)
		return inbox.code;
	load(&inbox, 0);
	if (!inbox.lines) {
		fprintf(stderr, "cirt: %s\n", buf_cstr(&inbox.said));
		buf_free(&inbox.said);
		return inbox.code ? inbox.code : EXIT_FAILED;
	}
	inbox.tty = tty_open();
	while (inbox.tty && !inbox.over) {
		draw(&inbox);
		take_key(&inbox, tty_key(inbox.tty));
		/* What was skipped stays in front. */
		if (!inbox.over && inbox.at >= line_count(&inbox) && inbox.more) {
			load(&inbox, inbox.past + inbox.at);
			inbox.at = 0;
		}
	}
	tty_close(&inbox.tty);
	if (inbox.code != EXIT_DONE)
		fprintf(stderr, "cirt: %s\n", buf_cstr(&inbox.said));
	json_object_put(inbox.lines);
	buf_free(&inbox.said);
	return inbox.code;
}
