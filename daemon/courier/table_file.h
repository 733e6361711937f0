#ifndef COURIER_TABLE_FILE_H
#define COURIER_TABLE_FILE_H

#include "courier/compose.h"
#include "wire/mail_body.h"
#include "wire/told.h"

/* The rows of a mail as files: one CSV, or an X-ARF for each; zipped while they come in, once they are large.
 */
struct table_file;

struct table_plan {
	enum table_format format; /* TABLE_CSV or TABLE_XARF */
	bool sanitised;
	uint64_t zip_over;
	uint64_t max_size;
	struct told_sender sender; /* its number names the files; must live as long */
};

/* More X-ARF than this go into an archive. */
#define TABLE_LOOSE 10

struct table_file *table_file_new(const struct table_plan *plan);
void table_file_free(struct table_file **file);
bool table_file_row(struct table_file *file, const struct told_row *row, struct err *err);
bool table_file_end(struct table_file *file, struct err *err);
/* After the end. Bytes live as long as the file. */
size_t table_file_parts(const struct table_file *file);
const struct mail_part *table_file_part(const struct table_file *file, size_t at);

#endif
