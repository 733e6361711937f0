#include "config.h"

#include <libsmartcols.h>
#include <stdlib.h>

#include "base/mem.h"
#include "client/i18n.h"
#include "client/screen.h"

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

static void add_column(struct libscols_table *table, const struct column *column)
{
	int flags = column->cut ? SCOLS_FL_TRUNC : 0;

	if (column->cell == CELL_NUMBER || column->cell == CELL_SIZE)
		flags |= SCOLS_FL_RIGHT;
	scols_table_new_column(table, _(column->title), column->width, flags);
}

static void add_row(const struct screen *screen, struct libscols_table *table, const struct column *columns,
	size_t count, struct json_object *row)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	struct buf text = {0};

	for (size_t i = 0; line && i < count; i++) {
		struct json_object *value = member_of(row, columns[i].member);
		buf_clear(&text);
		screen_value(screen, value, columns[i].cell, &text);
		scols_line_set_data(line, i, buf_cstr(&text));
		const char *color = cell_color(screen, &columns[i], value);
		if (*color)
			scols_cell_set_color(scols_line_get_cell(line, i), color);
	}
	buf_free(&text);
}

void screen_table(struct screen *screen, const struct column *columns, size_t count, struct json_object *rows)
{
	struct libscols_table *table = scols_new_table();
	char *text = NULL;

	if (!table)
		return;
	scols_table_enable_colors(table, screen->color);
	for (size_t i = 0; i < count; i++)
		add_column(table, &columns[i]);
	size_t row_count = rows ? json_object_array_length(rows) : 0;
	for (size_t i = 0; i < row_count; i++)
		add_row(screen, table, columns, count, json_object_array_get_idx(rows, i));
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
		if ((int)strlen(_(columns[i].title)) > widest)
			widest = (int)strlen(_(columns[i].title));
	for (size_t i = 0; i < count; i++) {
		struct json_object *value = member_of(object, columns[i].member);
		buf_clear(&text);
		screen_value(screen, value, columns[i].cell, &text);
		if (text.len == 0)
			continue;
		screen_printf(screen, "%-*s  ", widest, _(columns[i].title));
		screen_colored(screen, cell_color(screen, &columns[i], value), buf_cstr(&text));
		buf_char(&screen->out, '\n');
	}
	buf_free(&text);
}
