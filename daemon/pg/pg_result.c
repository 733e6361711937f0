#include <stdlib.h>

#include "pg/pg_private.h"

struct str pg_value(const struct pg_result *result, int row, int column)
{
	const PGresult *rows = result->handle;
	if (!rows || row >= result->rows || column < 0 || column >= result->columns ||
		PQgetisnull(rows, row, column))
		return STR_NONE;
	return (struct str){PQgetvalue(rows, row, column), (size_t)PQgetlength(rows, row, column)};
}

static int64_t big_endian(struct str bytes)
{
	uint64_t value = bytes.len && (bytes.p[0] & 0x80) ? UINT64_MAX : 0;
	for (size_t i = 0; i < bytes.len && i < 8; i++)
		value = value << 8 | (uint8_t)bytes.p[i];
	return (int64_t)value;
}

int64_t pg_value_int(const struct pg_result *result, int row, int column)
{
	struct str value = pg_value(result, row, column);
	if (!value.p)
		return 0;
	if (PQfformat(result->handle, column) == 1)
		return big_endian(value);
	if (str_equal(value, STR("t")))
		return 1;
	int64_t number = 0;
	return str_to_i64(value, &number) ? number : 0;
}

int pg_column(const struct pg_result *result, const char *name)
{
	return result->handle ? PQfnumber(result->handle, name) : -1;
}
