#include "store/rows.h"

#include "base/clock.h"

/* 2000-01-01, where PostgreSQL's time begins. */
#define PG_EPOCH_DAY 10957
#define PG_EPOCH     (PG_EPOCH_DAY * CLOCK_DAY)

static const char copy_head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";

/* Dimensions, has-NULL, type, length, lower bound. */
#define ARRAY_HEAD 20

void rows_start(struct rows *rows, int16_t fields)
{
	if (!rows->bytes.len)
		buf_append(&rows->bytes, copy_head, sizeof copy_head);
	pg_put_i16(&rows->bytes, fields);
	rows->count++;
}

void rows_end(struct rows *rows)
{
	if (rows->count)
		pg_put_i16(&rows->bytes, -1);
}

void rows_clear(struct rows *rows)
{
	buf_clear(&rows->bytes);
	rows->count = 0;
}

void rows_free(struct rows *rows)
{
	buf_free(&rows->bytes);
	rows->count = 0;
}

void put_null(struct buf *out)
{
	pg_put_i32(out, -1);
}

void put_bool(struct buf *out, bool value)
{
	pg_put_i32(out, 1);
	buf_char(out, value ? 1 : 0);
}

void put_i16(struct buf *out, int value)
{
	pg_put_i32(out, 2);
	pg_put_i16(out, (int16_t)value);
}

void put_i16_known(struct buf *out, int value)
{
	if (value < 0)
		put_null(out);
	else
		put_i16(out, value);
}

void put_i32(struct buf *out, int32_t value)
{
	pg_put_i32(out, 4);
	pg_put_i32(out, value);
}

void put_i64(struct buf *out, int64_t value)
{
	pg_put_i32(out, 8);
	pg_put_i64(out, value);
}

void put_i64_known(struct buf *out, int64_t value)
{
	if (value)
		put_i64(out, value);
	else
		put_null(out);
}

void put_text(struct buf *out, struct str value)
{
	pg_put_str(out, value);
}

void put_word(struct buf *out, const char *value)
{
	pg_put_str(out, str_of(value));
}

void put_uuid(struct buf *out, const uint8_t uuid[UUID_LEN])
{
	pg_put_str(out, (struct str){(const char *)uuid, UUID_LEN});
}

void put_time(struct buf *out, int64_t time)
{
	put_i64(out, time - PG_EPOCH);
}

int64_t time_of_pg(int64_t value)
{
	return value + PG_EPOCH;
}

void put_day(struct buf *out, int32_t day)
{
	put_i32(out, day - PG_EPOCH_DAY);
}

/* Arrays inside a row have their length in bytes before them, known only at their end. */
static size_t array_start(struct buf *out, uint32_t element, size_t count)
{
	size_t at = out->len;
	pg_put_i32(out, 0);
	pg_binary_array(out, element, count);
	return at;
}

static void i32_at(struct buf *out, size_t at, size_t value)
{
	uint8_t *bytes = (uint8_t *)out->data + at;
	for (size_t i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

void put_texts(struct buf *out, const struct str *values, size_t count)
{
	size_t at = array_start(out, PG_TEXT, count);
	for (size_t i = 0; i < count; i++)
		put_text(out, values[i]);
	i32_at(out, at, out->len - at - 4);
}

/* "type role value" each */
void put_observables(struct buf *out, const struct observable *observables, size_t count)
{
	size_t at = array_start(out, PG_TEXT, count);
	for (size_t i = 0; i < count; i++) {
		const struct observable *observable = &observables[i];
		size_t start = out->len;
		pg_put_i32(out, 0);
		buf_text(out, observable_type_name(observable->type));
		buf_char(out, ' ');
		buf_text(out, observable_role_name(observable->role));
		buf_char(out, ' ');
		buf_str(out, observable->value);
		i32_at(out, start, out->len - start - 4);
	}
	i32_at(out, at, out->len - at - 4);
}

void put_numbers(struct buf *out, const int64_t *values, size_t count)
{
	size_t at = array_start(out, PG_INT8, count);
	for (size_t i = 0; i < count; i++)
		put_i64(out, values[i]);
	i32_at(out, at, out->len - at - 4);
}

static uint32_t array_of(uint32_t element)
{
	static const struct {
		uint32_t element;
		uint32_t array;
	} types[] = {
		{PG_BOOL, PG_BOOL_ARRAY},
		{PG_BYTEA, PG_BYTEA_ARRAY},
		{PG_INT2, PG_INT2_ARRAY},
		{PG_INT4, PG_INT4_ARRAY},
		{PG_INT8, PG_INT8_ARRAY},
		{PG_TEXT, PG_TEXT_ARRAY},
		{PG_DATE, PG_DATE_ARRAY},
		{PG_TIMESTAMPTZ, PG_TIMESTAMPTZ_ARRAY},
		{PG_UUID, PG_UUID_ARRAY},
	};
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i].element == element)
			return types[i].array;
	return 0;
}

void columns_begin(struct columns *columns, const uint32_t *types, size_t width)
{
	columns->width = width;
	columns->count = 0;
	for (size_t i = 0; i < width; i++) {
		columns->types[i] = types[i];
		buf_clear(&columns->arrays[i]);
		pg_binary_array(&columns->arrays[i], types[i], 1);
	}
}

void columns_next(struct columns *columns)
{
	columns->count++;
}

void columns_parameters(struct columns *columns, struct pg_parameter *parameters)
{
	for (size_t i = 0; i < columns->width; i++) {
		struct buf *array = &columns->arrays[i];
		if (columns->count) {
			i32_at(array, ARRAY_HEAD - 8, columns->count);
		} else {
			buf_clear(array);
			pg_binary_array(array, columns->types[i], 0);
		}
		parameters[i] = (struct pg_parameter){
			.value = buf_view(array), .binary = true, .type = array_of(columns->types[i])};
	}
}

void columns_free(struct columns *columns)
{
	for (size_t i = 0; i < COLUMNS; i++)
		buf_free(&columns->arrays[i]);
}
