#include "fuzz_reading.h"

#include "base/buf.h"

/* The first line says what stands in the columns, the rest is the list. */
static struct str columns;

static bool read_by_columns(struct reading *reading, struct str bytes, struct str envelope, struct err *err)
{
	struct buf json = {0};
	bool read;

	(void)envelope;
	buf_text(&json, "{\"csv\":{\"columns\":");
	buf_json_string(&json, columns);
	buf_text(&json, "}}");
	read = csv_read(reading, bytes, buf_view(&json), err);
	buf_free(&json);
	return read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t front = end ? (size_t)(end - data) : 0;

	columns = (struct str){(const char *)data, front};
	return fuzz_read(data + front, size - front, read_by_columns);
}
