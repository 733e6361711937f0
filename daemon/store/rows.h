#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include "base/hash.h"
#include "model/observable.h"
#include "pg/pg.h"

/*
 * Rows on their way into PostgreSQL, in binary. `rows` are the bytes of one COPY: rows_start(), then each
 * field in the order of the table's statement. `columns` are arrays of equal length, one per column, for
 * `unnest`.
 */
struct rows {
	struct buf bytes;
	size_t count;
};

void rows_start(struct rows *rows, int16_t fields); /* one more row */
void rows_end(struct rows *rows);                   /* after the last row; nothing where there is none */
void rows_clear(struct rows *rows);
void rows_free(struct rows *rows);

/* One field each, into a row or, as an element, into a column. */
void put_null(struct buf *out);
void put_bool(struct buf *out, bool value);
void put_i16(struct buf *out, int value);
void put_i16_known(struct buf *out, int value); /* NULL where it is negative */
void put_i32(struct buf *out, int32_t value);
void put_i64(struct buf *out, int64_t value);
void put_i64_known(struct buf *out, int64_t value); /* NULL where it is 0 */
void put_text(struct buf *out, struct str value);
void put_word(struct buf *out, const char *value); /* text, or a value of an enum */
void put_uuid(struct buf *out, const uint8_t uuid[UUID_LEN]);
void put_time(struct buf *out, int64_t time); /* microseconds since 1970 */
void put_day(struct buf *out, int32_t day);   /* days since 1970 */
void put_texts(struct buf *out, const struct str *values, size_t count);
void put_observables(
	struct buf *out, const struct observable *observables, size_t count); /* "type role value" */
void put_numbers(struct buf *out, const int64_t *values, size_t count);

/* PostgreSQL's microseconds since 2000 as ours. */
int64_t time_of_pg(int64_t value);

#define COLUMNS 32
struct columns {
	size_t width;
	uint32_t types[COLUMNS]; /* of the elements */
	struct buf arrays[COLUMNS];
	size_t count; /* elements in each */
};

/* Element types as in enum of pg/pg.h. */
void columns_begin(struct columns *columns, const uint32_t *types, size_t width);
/* The array that takes the next field; columns_next() after the last of a row. */
static inline struct buf *column(struct columns *columns, size_t which)
{
	return &columns->arrays[which];
}
void columns_next(struct columns *columns);
/* Fill as many parameters as there are columns; valid until the columns change. */
void columns_parameters(struct columns *columns, struct pg_parameter *parameters);
void columns_free(struct columns *columns);

#endif
