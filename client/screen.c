#include "config.h"

#include "client/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/charset.h"
#include "client/i18n.h"
#include "client/when.h"
#include "client/width.h"

void screen_init(struct screen *screen)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	*screen = (struct screen){.now = clock_now()};
	screen->terminal = isatty(STDOUT_FILENO);
	screen->color = screen->terminal && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

void screen_flush(struct screen *screen)
{
	char charset[CHARSET_NAME];

	if (screen->terminal && screen->out.len && charset_of_terminal(charset)) {
		struct buf out = {0};
		charset_put(buf_view(&screen->out), charset, &out);
		buf_free(&screen->out);
		screen->out = out;
	}
	if (screen->out.len)
		fwrite(screen->out.data, 1, screen->out.len, stdout);
	fflush(stdout);
	buf_clear(&screen->out);
}

void screen_free(struct screen *screen)
{
	buf_free(&screen->out);
}

/* What must not reach a terminal: it is acted on, turns text around, or hides. */
static bool is_harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x61c || c == 0x180e ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	       c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

static void append_visible(uint32_t c, struct buf *out)
{
	if (c < 0x100)
		buf_printf(out, "\\x%02x", (unsigned)c);
	else
		buf_printf(out, "\\u%04x", (unsigned)c);
}

static void append_safe(struct str *text, struct buf *out)
{
	struct str from = *text;
	uint32_t c = utf8_next(text);
	size_t len = from.len - text->len;

	if (c == 0xfffd && len == 1)
		append_visible((unsigned char)*from.p, out);
	else if (is_harmful(c))
		append_visible(c, out);
	else
		buf_append(out, from.p, len);
}

void screen_safe(struct str text, struct buf *out)
{
	while (text.len) {
		if (*text.p == '\n' || *text.p == '\t') {
			buf_char(out, *text.p);
			text = (struct str){text.p + 1, text.len - 1};
		} else if (text.len >= 2 && text.p[0] == '\r' && text.p[1] == '\n') {
			text = (struct str){text.p + 1, text.len - 1};
		} else {
			append_safe(&text, out);
		}
	}
}

void screen_cell(struct str text, struct buf *out)
{
	bool blank = false;

	text = str_trim(text);
	while (text.len) {
		if (strchr(" \t\r\n\f\v", *text.p) && *text.p) {
			blank = true;
			text = (struct str){text.p + 1, text.len - 1};
			continue;
		}
		if (blank)
			buf_char(out, ' ');
		blank = false;
		append_safe(&text, out);
	}
}

static const struct {
	const char *word;
	const char *color;
} severities[] = {{"critical", "\033[1;97;41m"}, {"high", "\033[1;31m"}, {"medium", "\033[33m"},
	{"low", "\033[36m"}, {"info", "\033[2m"}},
  tlps[] = {{"red", "\033[1;31m"}, {"amber+strict", "\033[1;33m"}, {"amber", "\033[33m"},
	  {"green", "\033[32m"}, {"clear", "\033[37m"}};

const char *screen_severity_color(const char *severity)
{
	for (size_t i = 0; i < ARRAY_LEN(severities); i++)
		if (!strcmp(severities[i].word, severity))
			return severities[i].color;
	return "";
}

const char *screen_tlp_color(const char *tlp)
{
	for (size_t i = 0; i < ARRAY_LEN(tlps); i++)
		if (!strcmp(tlps[i].word, tlp))
			return tlps[i].color;
	return "";
}

void screen_colored(struct screen *screen, const char *color, const char *text)
{
	bool on = screen->color && *color;

	buf_printf(&screen->out, "%s%s%s", on ? color : "", text, on ? "\033[0m" : "");
}

void screen_heading(struct screen *screen, const char *text)
{
	screen_colored(screen, "\033[1m", text);
	buf_char(&screen->out, '\n');
}

static void append_size(double bytes, struct buf *out)
{
	static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
	size_t unit = 0;

	for (; bytes >= 1024 && unit + 1 < ARRAY_LEN(units); unit++)
		bytes /= 1024;
	buf_printf(out, unit && bytes < 10 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

static void append_time(const struct screen *screen, struct str text, enum cell cell, struct buf *out)
{
	int64_t time;

	if (!clock_parse(text, &time)) {
		screen_cell(text, out);
		return;
	}
	if (cell == CELL_AGO) {
		when_relative(time, screen->now, out);
		return;
	}
	if (cell == CELL_DUE) {
		when_due(time, screen->now, out);
		return;
	}
	when_local(time, out);
	if (screen->now - time < 30 * CLOCK_DAY && time - screen->now < 30 * CLOCK_DAY) {
		buf_text(out, " (");
		when_relative(time, screen->now, out);
		buf_char(out, ')');
	}
}

static void append_list(struct json_object *list, struct buf *out)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		if (i)
			buf_text(out, ", ");
		screen_cell(str_of(json_object_get_string(json_object_array_get_idx(list, i))), out);
	}
}

void screen_value(const struct screen *screen, struct json_object *value, enum cell cell, struct buf *out)
{
	if (!value)
		return;
	if (cell == CELL_FLAG || json_object_is_type(value, json_type_boolean)) {
		buf_text(out, json_object_get_boolean(value) ? _("yes") : cell == CELL_FLAG ? "" : _("no"));
		return;
	}
	if (json_object_is_type(value, json_type_array)) {
		append_list(value, out);
		return;
	}
	struct str text = {json_object_get_string(value), 0};
	text.len = strlen(text.p);
	if (cell == CELL_SIZE)
		append_size(json_object_get_double(value), out);
	else if (cell == CELL_SPAN)
		when_span(json_object_get_int64(value) * CLOCK_SECOND, out);
	else if (cell == CELL_AGO || cell == CELL_TIME || cell == CELL_DUE)
		append_time(screen, text, cell, out);
	else
		screen_cell(text, out);
}

void screen_label(struct screen *screen, const char *title, int width)
{
	buf_text(&screen->out, title);
	buf_char(&screen->out, ' ');
	for (int at = width_text(str_of(title)) + 1; at < width; at++)
		buf_char(&screen->out, ' ');
}

void screen_text(struct screen *screen, int indent, struct str text)
{
	if (screen->terminal)
		width_wrap(text, indent, width_terminal(), &screen->out);
	else
		buf_str(&screen->out, text);
	buf_char(&screen->out, '\n');
}

void screen_block(struct screen *screen, int indent, struct str text)
{
	struct buf safe = {0};
	struct str line;

	screen_safe(str_trim(text), &safe);
	struct str rest = buf_view(&safe);
	while (str_split(&rest, '\n', &line)) {
		buf_printf(&screen->out, "%*s", indent, "");
		screen_text(screen, indent, line);
	}
	buf_free(&safe);
}

struct json_object *member_of(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (object && json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, name, &value);
	return value;
}

const char *member_text(struct json_object *object, const char *name)
{
	struct json_object *value = member_of(object, name);

	return value ? json_object_get_string(value) : "";
}

int64_t member_number(struct json_object *object, const char *name)
{
	return json_object_get_int64(member_of(object, name));
}

bool member_true(struct json_object *object, const char *name)
{
	return json_object_get_boolean(member_of(object, name));
}
