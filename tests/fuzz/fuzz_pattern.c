#include <stdint.h>
#include <stdlib.h>

#include "wire/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(65536);
	struct pattern pattern;
	struct err err = {0};

	if (pattern_parse((struct str){(const char *)data, size}, arena, &pattern, &err)) {
		if (pattern.observation_count == 0 || pattern.comparison_count == 0)
			abort();
	} else if (err.code == ERR_NONE) {
		abort();
	}
	arena_free(&arena);
	return 0;
}
