#include "config.h"

#include "wire/told.h"

#include "wire/csv.h"

#define TABLE_CELL 40 /* characters of a column at most */

static unsigned columns(bool sanitised)
{
	return sanitised ? ROW_SANITISED : ROW_FIELDS;
}

static void put_cell(struct buf *out, struct str cell)
{
	bool formula = csv_is_formula(cell), quoted = formula;

	for (size_t i = 0; i < cell.len; i++)
		quoted |= cell.p[i] == '"' || cell.p[i] == ',' || cell.p[i] == '\n' || cell.p[i] == '\r' ||
		          cell.p[i] == ';';
	if (quoted)
		buf_char(out, '"');
	if (formula)
		buf_char(out, '\'');
	for (size_t i = 0; i < cell.len; i++) {
		if (cell.p[i] == '"')
			buf_char(out, '"');
		buf_char(out, cell.p[i]);
	}
	if (quoted)
		buf_char(out, '"');
}

void told_csv_head(struct buf *out, bool sanitised)
{
	for (unsigned i = 0; i < columns(sanitised); i++)
		buf_printf(out, "%s%s", i > 0 ? "," : "", row_fields[i].name);
	buf_text(out, "\r\n");
}

void told_csv_row(struct buf *out, const struct told_row *row, bool sanitised)
{
	for (unsigned i = 0; i < columns(sanitised); i++) {
		if (i > 0)
			buf_char(out, ',');
		put_cell(out, row->field[i]);
	}
	buf_text(out, "\r\n");
}

/* --- for people --- */

static const enum row_field shown[] = {
	ROW_LAST, ROW_IP, ROW_NAME, ROW_PORT, ROW_TYPE, ROW_IDENTIFIER, ROW_SEVERITY, ROW_COUNT, ROW_MALWARE};
#define SHOWN (sizeof(shown) / sizeof(shown[0]))

static size_t characters(struct str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	return count;
}

/* Longer values are not cut: they push the rest of their line aside. */
static void put_padded(struct buf *out, struct str cell, size_t width, bool last)
{
	size_t len = characters(cell);

	buf_str(out, cell);
	for (; !last && len < width; len++)
		buf_char(out, ' ');
	if (!last)
		buf_text(out, "  ");
}

static void put_line(
	struct buf *out, const struct told_row *row, const size_t widths[SHOWN], size_t last_column)
{
	for (size_t i = 0; i < SHOWN; i++)
		if (widths[i] > 0)
			put_padded(out, row ? row->field[shown[i]] : str_of(row_fields[shown[i]].name),
				widths[i], i == last_column);
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->len--;
	buf_char(out, '\n');
}

void told_table(struct buf *out, const struct told_row *rows, size_t count)
{
	size_t widths[SHOWN] = {0}, last_column = 0;

	for (size_t i = 0; i < SHOWN; i++) {
		for (size_t k = 0; k < count; k++) {
			size_t len = characters(rows[k].field[shown[i]]);

			if (len > widths[i])
				widths[i] = len < TABLE_CELL ? len : TABLE_CELL;
		}
		if (widths[i] == 0)
			continue;
		if (widths[i] < strlen(row_fields[shown[i]].name))
			widths[i] = strlen(row_fields[shown[i]].name);
		last_column = i;
	}
	put_line(out, NULL, widths, last_column);
	for (size_t k = 0; k < count; k++)
		put_line(out, &rows[k], widths, last_column);
}
