#include <stdint.h>
#include <stdlib.h>

#include "wire/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every run lies in the text and behind the one before; nothing grows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct arena *arena = arena_new(4096);
	struct str run, name, decoded;
	size_t last = 0;

	for (size_t at = 0; transfer_base64(text, &at, &run); last = at) {
		if (at <= last || at > size || run.p < text.p || run.p + run.len > text.p + size)
			abort();
		for (unsigned skip = 0; skip < transfer_base64_ways(run); skip++)
			if (transfer_base64_all(run, skip, arena).len > run.len)
				abort();
	}
	last = 0;
	for (size_t at = 0; transfer_uu(text, arena, &at, &name, &decoded); last = at)
		if (at <= last || at > size || decoded.len > 64 * size)
			abort();
	if (transfer_quoted(text, arena).len > size || transfer_base64_all(text, 0, arena).len > size)
		abort();
	transfer_base64_is_clean(text);
	arena_free(&arena);
	return 0;
}
