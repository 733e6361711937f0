#include <stdint.h>
#include <stdlib.h>

#include "wire/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each record lies within the text, behind the one before; fields within the record or the arena. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct arena *arena = arena_new(65536);
	const char *behind = text.p;
	struct csv_record record;
	struct csv csv;
	struct err err;
	enum csv_step step;

	csv_open(&csv, text);
	csv.separator = csv_separator(text);
	csv.comment = '#';
	csv.max_record = 4096;
	while ((step = csv_next(&csv, arena, &record, &err)) != CSV_END) {
		if (record.bytes.p < behind || record.bytes.p + record.bytes.len > text.p + text.len ||
			(step == CSV_RECORD) != (record.count > 0) || record.count > csv.max_fields)
			abort();
		behind = record.bytes.p + record.bytes.len;
		for (size_t i = 0; i < record.count; i++)
			if (record.fields[i].len > record.bytes.len)
				abort();
		arena_reset(arena);
	}
	arena_free(&arena);
	return 0;
}
