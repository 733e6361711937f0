#include "config.h"

#include "courier/table_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "wire/zip_write.h"

#define PIECE 65536 /* of a table, before it goes into the archive */
#define NAME  64

struct table_file {
	struct table_plan plan;
	struct buf csv; /* all of it, or what is not in the archive yet */
	struct buf loose[TABLE_LOOSE];
	size_t loose_count;
	size_t xarf_count;
	struct buf zipped;
	struct zip_writer *zip; /* NULL: not large yet */
	bool csv_begun;
	char names[TABLE_LOOSE + 2][NAME];
	struct mail_part parts[TABLE_LOOSE + 2];
	size_t part_count;
};

struct table_file *table_file_new(const struct table_plan *plan)
{
	struct table_file *file = mem_alloc(sizeof(*file));

	file->plan = *plan;
	return file;
}

void table_file_free(struct table_file **file)
{
	struct table_file *old = *file;

	*file = NULL;
	if (!old)
		return;
	zip_writer_free(&old->zip);
	for (size_t i = 0; i < TABLE_LOOSE; i++)
		buf_free(&old->loose[i]);
	buf_free(&old->csv);
	buf_free(&old->zipped);
	free(old);
}

/* "N2026-000123.csv", "N2026-000123-7.json": our own number, and nothing else that came from anywhere. */
static void make_name(const struct table_file *file, size_t which, const char *end, char name[NAME])
{
	char number[24];
	size_t len = 0;

	for (size_t i = 0; i < file->plan.sender.number.len && len + 1 < sizeof(number); i++) {
		char c = file->plan.sender.number.p[i];

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '-')
			number[len++] = c;
	}
	number[len] = 0;
	if (which > 0)
		snprintf(name, NAME, "%s-%zu%s", number, which, end);
	else
		snprintf(name, NAME, "%s%s", number, end);
}

static bool check_size(const struct table_file *file, struct err *err)
{
	size_t size = file->csv.len + file->zipped.len;

	for (size_t i = 0; i < file->loose_count; i++)
		size += file->loose[i].len;
	/* base64 adds a third, and signing some more */
	return size <= file->plan.max_size / 4 * 3 ||
	       err_set(err, ERR_NOSPACE, "the mail would be larger than mail_out.max_size");
}

static bool add_xarf(struct table_file *file, struct str bytes, struct err *err)
{
	char name[NAME];

	make_name(file, ++file->xarf_count, ".json", name);
	return zip_writer_file(file->zip, name, err) && zip_writer_add(file->zip, bytes, err);
}

/* From here on all goes into an archive. */
static bool open_zip(struct table_file *file, struct err *err)
{
	char name[NAME];
	bool ok;

	file->zip = zip_writer_new(&file->zipped, err);
	if (!file->zip)
		return false;
	if (file->plan.format == TABLE_CSV) {
		make_name(file, 0, ".csv", name);
		ok = zip_writer_file(file->zip, name, err) &&
		     zip_writer_add(file->zip, buf_view(&file->csv), err);
		buf_clear(&file->csv);
		return ok;
	}
	ok = true;
	file->xarf_count = 0;
	for (size_t i = 0; ok && i < file->loose_count; i++)
		ok = add_xarf(file, buf_view(&file->loose[i]), err);
	for (size_t i = 0; i < file->loose_count; i++)
		buf_free(&file->loose[i]);
	file->loose_count = 0;
	return ok;
}

static bool add_csv(struct table_file *file, const struct told_row *row, struct err *err)
{
	if (!file->csv_begun)
		told_csv_head(&file->csv, file->plan.sanitised);
	file->csv_begun = true;
	told_csv_row(&file->csv, row, file->plan.sanitised);
	if (file->plan.format != TABLE_CSV)
		return true;
	if (!file->zip && file->csv.len > file->plan.zip_over && !open_zip(file, err))
		return false;
	if (!file->zip || file->csv.len < PIECE)
		return true;
	if (!zip_writer_add(file->zip, buf_view(&file->csv), err))
		return false;
	buf_clear(&file->csv);
	return true;
}

bool table_file_row(struct table_file *file, const struct told_row *row, struct err *err)
{
	struct buf json = {0};
	bool ok = true;

	if (file->plan.format == TABLE_CSV || !told_xarf(&json, row, &file->plan.sender)) {
		/* What X-ARF has no words for is told in a table beside it. */
		ok = add_csv(file, row, err);
	} else if (!file->zip && file->loose_count < TABLE_LOOSE && json.len <= file->plan.zip_over) {
		file->loose[file->loose_count++] = json;
		file->xarf_count = file->loose_count;
		json = (struct buf){0};
	} else {
		ok = (file->zip || open_zip(file, err)) && add_xarf(file, buf_view(&json), err);
	}
	buf_free(&json);
	return ok && check_size(file, err);
}

static void add_part(
	struct table_file *file, const char *type, size_t which, const char *end, struct str bytes)
{
	char *name = file->names[file->part_count];

	make_name(file, which, end, name);
	file->parts[file->part_count++] = (struct mail_part){type, name, bytes};
}

bool table_file_end(struct table_file *file, struct err *err)
{
	bool csv_is_zipped = file->zip && file->plan.format == TABLE_CSV;

	if (csv_is_zipped && !zip_writer_add(file->zip, buf_view(&file->csv), err))
		return false;
	if (file->zip && !zip_writer_end(file->zip, err))
		return false;
	if (file->zip)
		add_part(file, "application/zip", 0,
			file->plan.format == TABLE_CSV ? ".csv.zip" : ".xarf.zip", buf_view(&file->zipped));
	for (size_t i = 0; i < file->loose_count; i++)
		add_part(file, "application/json", i + 1, ".json", buf_view(&file->loose[i]));
	if (file->csv.len > 0 && !csv_is_zipped)
		add_part(file, "text/csv; charset=utf-8", 0, ".csv", buf_view(&file->csv));
	return check_size(file, err);
}

size_t table_file_parts(const struct table_file *file)
{
	return file->part_count;
}

const struct mail_part *table_file_part(const struct table_file *file, size_t at)
{
	return &file->parts[at];
}
