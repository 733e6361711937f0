#include <stdint.h>
#include <stdlib.h>

#include "wire/header_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(65536);
	struct charset_outcome outcome;
	char unknown[HEADER_CHARSET];

	if (!utf8_valid(header_text(
		    (struct str){(const char *)data, size}, STR("koi8-r"), arena, &outcome, unknown)))
		abort();
	arena_free(&arena);
	return 0;
}
