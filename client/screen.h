#ifndef CLIENT_SCREEN_H
#define CLIENT_SCREEN_H

#include <json-c/json.h>

#include "base/buf.h"

/*
 * What people see. Text that came from outside goes through screen_safe() or screen_cell() before it gets
 * near a terminal, always.
 */
struct screen {
	bool color; /* stdout is a terminal, and NO_COLOR is not set */
	bool terminal;
	bool all_columns; /* of tables, however narrow the terminal is */
	int64_t now;
	struct buf out; /* collected, written by screen_flush() */
};

void screen_init(struct screen *screen);
void screen_flush(struct screen *screen);
void screen_free(struct screen *screen);

/* Controls, escapes, characters that turn text around or cannot be seen, and bytes that are not UTF-8 are
 * shown as \x1b, \u202e. Newlines and tabs stay. */
void screen_safe(struct str text, struct buf *out);
/* The same in one line: white space of any kind is one blank. */
void screen_cell(struct str text, struct buf *out);

/* Colours, as libsmartcols names them and as sequences for running text; "" where there is none. */
const char *screen_severity_color(const char *severity);
const char *screen_tlp_color(const char *tlp);
/* Put text in a colour where the screen has any. */
void screen_colored(struct screen *screen, const char *color, const char *text);
#define screen_printf(screen, ...) buf_printf(&(screen)->out, __VA_ARGS__)
void screen_heading(struct screen *screen, const char *text);

/* How a value is shown. */
enum cell {
	CELL_TEXT,
	CELL_NUMBER,
	CELL_SIZE, /* bytes */
	CELL_AGO,  /* RFC 3339 → "3 min ago" */
	CELL_SPAN, /* seconds */
	CELL_TIME, /* RFC 3339 → local, and how long ago */
	CELL_DUE,  /* RFC 3339 → "today 22:35", "Wed 09:00", "24 Dec 14:00" */
	CELL_SEVERITY,
	CELL_TLP,
	CELL_FLAG, /* true → "yes", false → "" */
	CELL_LIST  /* array of texts, by comma */
};

/* value as text for `cell`; "" for null. Safe for a terminal. */
void screen_value(const struct screen *screen, struct json_object *value, enum cell cell, struct buf *out);

/* What a column gives where the terminal is narrow: nothing, what is long of its cells, or, before others are
 * cut to nothing, itself. The first two may be written false and true. */
enum column_room { COLUMN_KEPT = false, COLUMN_CUT = true, COLUMN_SPARE };

/* A table of objects: one column per member, fitted to the terminal. */
struct column {
	const char *member;
	const char *title; /* translated when printed */
	enum cell cell;
	enum column_room cut;
};

void screen_table(
	struct screen *screen, const struct column *columns, size_t count, struct json_object *rows);
/* One object as "title  value" lines; members that are null, "" or absent are left out. */
void screen_object(
	struct screen *screen, const struct column *columns, size_t count, struct json_object *object);
/* title, and blanks up to column `width`. */
void screen_label(struct screen *screen, const char *title, int width);
/* Text that is safe already, from column `indent` to the end of a line: on a terminal it is broken at blanks,
 * and goes on below where it began. */
void screen_text(struct screen *screen, int indent, struct str text);
/* Text over several lines, each behind `indent` blanks. */
void screen_block(struct screen *screen, int indent, struct str text);

/* Members by name; "" and 0 where there are none. */
struct json_object *member_of(struct json_object *object, const char *name);
const char *member_text(struct json_object *object, const char *name);
int64_t member_number(struct json_object *object, const char *name);
bool member_true(struct json_object *object, const char *name);

#endif
