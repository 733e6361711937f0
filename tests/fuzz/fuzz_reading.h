#ifndef FUZZ_READING_H
#define FUZZ_READING_H

#include <stdint.h>
#include <stdlib.h>

#include "wire/reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold of every reading, whatever the input: numbers rise by one, texts are storable, all can be
 * packed and unpacked. */
static inline void fuzz_check_reading(const struct reading *reading)
{
	struct finding finding = {.items = reading->items,
		.item_count = reading->item_count,
		.evidence = reading->evidence,
		.evidence_count = reading->evidence_count,
		.objects = reading->objects,
		.object_count = reading->object_count};
	struct finding again;
	struct buf packed = {0};
	struct err err;

	for (size_t i = 0; i < reading->item_count; i++) {
		const struct item *item = &reading->items[i];
		if (item->number != i || !utf8_valid(item->report.title) || !utf8_valid(item->report.text) ||
			!utf8_valid(item->reason) ||
			memchr(item->report.text.p ? item->report.text.p : "", 0, item->report.text.len))
			abort();
		for (size_t o = 0; o < item->report.observable_count; o++)
			if (!utf8_valid(item->report.observables[o].value) ||
				item->report.observables[o].value.len == 0)
				abort();
	}
	finding_encode(&finding, &packed);
	if (!finding_decode(buf_view(&packed), reading->arena, &again, &err) ||
		again.item_count != reading->item_count)
		abort();
	buf_free(&packed);
}

static inline int fuzz_read(const uint8_t *data, size_t size,
	bool (*read)(struct reading *reading, struct str bytes, struct str envelope, struct err *err))
{
	struct arena *arena = arena_new(65536);
	struct reading reading = {.arena = arena, .limits = &reading_limits_default};
	struct err err;

	if (read(&reading, (struct str){(const char *)data, size},
		    STR("{\"from\":\"a@example.net\",\"to\":[\"report@cirt.example\"]}"), &err))
		fuzz_check_reading(&reading);
	arena_free(&arena);
	return 0;
}

#endif
