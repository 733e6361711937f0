#include "config.h"

#include <libsmartcols.h>
#include <stdlib.h>

#include "base/mem.h"
#include "client/i18n.h"
#include "client/screen.h"
#include "client/width.h"

#define COLUMNS_MAX 16
#define NARROWEST   8  /* a column is not cut below this */
#define MAIN_WANTED 20 /* spare columns go before the one that says what it is about is cut below this */

/* A table before it is printed: its cells as text, and how wide each column is to be. */
struct grid {
	const struct screen *screen;
	const struct column *columns[COLUMNS_MAX];
	size_t columns_shown;
	struct json_object *rows;
	size_t row_count;
	int widths[COLUMNS_MAX];
};

static struct json_object *grid_row(const struct grid *grid, size_t row)
{
	return json_object_array_get_idx(grid->rows, row);
}

static void grid_text(const struct grid *grid, size_t row, const struct column *column, struct buf *text)
{
	buf_clear(text);
	screen_value(grid->screen, member_of(grid_row(grid, row), column->member), column->cell, text);
}

static int natural_width(const struct grid *grid, const struct column *column, bool *empty)
{
	int widest = width_text(str_of(_(column->title)));
	struct buf text = {0};

	*empty = true;
	for (size_t row = 0; row < grid->row_count; row++) {
		grid_text(grid, row, column, &text);
		int width = width_text(buf_view(&text));
		widest = width > widest ? width : widest;
		*empty = *empty && text.len == 0;
	}
	buf_free(&text);
	return widest;
}

/* Columns that say nothing in any row are left out. */
static void grid_measure(struct grid *grid, const struct column *columns, size_t count)
{
	for (size_t i = 0; i < count && grid->columns_shown < COLUMNS_MAX; i++) {
		bool empty;
		int width = natural_width(grid, &columns[i], &empty);
		if (empty && i > 0)
			continue;
		grid->widths[grid->columns_shown] = width;
		grid->columns[grid->columns_shown++] = &columns[i];
	}
}

/* The column that says what a row is about: the last that may only be cut. */
static size_t main_column(const struct grid *grid)
{
	for (size_t i = grid->columns_shown; i-- > 0;)
		if (grid->columns[i]->cut == COLUMN_CUT)
			return i;
	return grid->columns_shown - 1;
}

/* Whether it fits no terminal so wide, though all was cut that may be: the main column down to `main`. */
static bool grid_is_too_wide(const struct grid *grid, int width, int main)
{
	int total = (int)grid->columns_shown - 1;

	for (size_t i = 0; i < grid->columns_shown; i++) {
		int least = i == main_column(grid) ? main : NARROWEST;
		bool whole = grid->columns[i]->cut == COLUMN_KEPT || grid->widths[i] < least;
		total += whole ? grid->widths[i] : least;
	}
	return total > width;
}

static void grid_leave(struct grid *grid, size_t left)
{
	grid->columns_shown--;
	for (size_t i = left; i < grid->columns_shown; i++) {
		grid->columns[i] = grid->columns[i + 1];
		grid->widths[i] = grid->widths[i + 1];
	}
}

/* Leave out what there is no room for, from behind: what is spare, and then what is neither the first column
 * nor the main one. */
static void grid_narrow(struct grid *grid, int width)
{
	for (size_t i = grid->columns_shown; i-- > 1 && grid_is_too_wide(grid, width, MAIN_WANTED);)
		if (grid->columns[i]->cut == COLUMN_SPARE)
			grid_leave(grid, i);
	for (size_t i = grid->columns_shown; i-- > 1 && grid_is_too_wide(grid, width, NARROWEST);)
		if (i != main_column(grid))
			grid_leave(grid, i);
}

/* The widest column that may be cut gives first, so that all keep what can be kept. */
static void grid_fit(struct grid *grid, int width)
{
	int total = (int)grid->columns_shown - 1;

	for (size_t i = 0; i < grid->columns_shown; i++)
		total += grid->widths[i];
	for (; total > width; total--) {
		size_t widest = COLUMNS_MAX;
		for (size_t i = 0; i < grid->columns_shown; i++)
			if (grid->columns[i]->cut && grid->widths[i] > NARROWEST &&
				(widest == COLUMNS_MAX || grid->widths[i] > grid->widths[widest]))
				widest = i;
		if (widest == COLUMNS_MAX)
			return;
		grid->widths[widest]--;
	}
}

static const char *cell_color(
	const struct screen *screen, const struct column *column, struct json_object *value)
{
	if (!screen->color || !value)
		return "";
	if (column->cell == CELL_SEVERITY)
		return screen_severity_color(json_object_get_string(value));
	if (column->cell == CELL_TLP)
		return screen_tlp_color(json_object_get_string(value));
	return "";
}

static void add_columns(struct libscols_table *table, const struct grid *grid)
{
	struct buf title = {0};

	for (size_t i = 0; i < grid->columns_shown; i++) {
		bool right = grid->columns[i]->cell == CELL_NUMBER || grid->columns[i]->cell == CELL_SIZE;
		buf_clear(&title);
		buf_text(&title, _(grid->columns[i]->title));
		width_cut(&title, grid->widths[i]);
		scols_table_new_column(table, buf_cstr(&title), 0, right ? SCOLS_FL_RIGHT : 0);
	}
	buf_free(&title);
}

static void add_row(struct libscols_table *table, const struct grid *grid, size_t row)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	struct buf text = {0};

	for (size_t i = 0; line && i < grid->columns_shown; i++) {
		struct json_object *value = member_of(grid_row(grid, row), grid->columns[i]->member);
		grid_text(grid, row, grid->columns[i], &text);
		if (grid->columns[i]->cut)
			width_cut(&text, grid->widths[i]);
		scols_line_set_data(line, i, buf_cstr(&text));
		const char *color = cell_color(grid->screen, grid->columns[i], value);
		if (*color)
			scols_cell_set_color(scols_line_get_cell(line, i), color);
	}
	buf_free(&text);
}

void screen_table(struct screen *screen, const struct column *columns, size_t count, struct json_object *rows)
{
	struct grid grid = {
		.screen = screen, .rows = rows, .row_count = rows ? json_object_array_length(rows) : 0};
	struct libscols_table *table = scols_new_table();
	char *text = NULL;

	if (!table)
		return;
	grid_measure(&grid, columns, count);
	if (screen->terminal && !screen->all_columns)
		grid_narrow(&grid, width_terminal());
	if (screen->terminal)
		grid_fit(&grid, width_terminal());
	scols_table_enable_colors(table, screen->color);
	/* Cells are harmless already, and "\x1b" must not be escaped once more. */
	scols_table_enable_noencoding(table, 1);
	/* It is fitted to the terminal already, and what libsmartcols cannot fit it tries for ever. */
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	add_columns(table, &grid);
	for (size_t i = 0; i < grid.row_count; i++)
		add_row(table, &grid, i);
	if (scols_print_table_to_string(table, &text) == 0 && text) {
		size_t len = strlen(text);
		buf_append(&screen->out, text, len);
		if (len && text[len - 1] != '\n')
			buf_char(&screen->out, '\n');
	}
	free(text);
	scols_unref_table(table);
}

void screen_object(
	struct screen *screen, const struct column *columns, size_t count, struct json_object *object)
{
	struct buf text = {0};
	int widest = 0;

	for (size_t i = 0; i < count; i++)
		if (width_text(str_of(_(columns[i].title))) > widest)
			widest = width_text(str_of(_(columns[i].title)));
	for (size_t i = 0; i < count; i++) {
		struct json_object *value = member_of(object, columns[i].member);
		buf_clear(&text);
		screen_value(screen, value, columns[i].cell, &text);
		if (text.len == 0)
			continue;
		screen_label(screen, _(columns[i].title), widest + 2);
		bool plain = !*cell_color(screen, &columns[i], value);
		if (plain)
			screen_text(screen, widest + 2, buf_view(&text));
		else
			screen_colored(screen, cell_color(screen, &columns[i], value), buf_cstr(&text));
		buf_text(&screen->out, plain ? "" : "\n");
	}
	buf_free(&text);
}
