#include <stdint.h>
#include <stdlib.h>

#include "wire/jcs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is canonical is its own canonical form. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(65536);
	struct buf once = {0}, twice = {0};
	struct err err = {0};

	if (jcs_write((struct str){(const char *)data, size}, 100, arena, &once, &err)) {
		if (!jcs_write(buf_view(&once), 100, arena, &twice, &err) ||
			!str_equal(buf_view(&once), buf_view(&twice)))
			abort();
	} else if (err.code == ERR_NONE || once.len > 0) {
		abort();
	}
	buf_free(&once);
	buf_free(&twice);
	arena_free(&arena);
	return 0;
}
