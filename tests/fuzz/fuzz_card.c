#include <stdint.h>
#include <stdlib.h>

#include "wire/card.h"
#include "wire/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a mark makes UTF-8 is that, and is bounded; so is what a card becomes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(65536);
	struct str bytes = {(const char *)data, size};
	size_t bad;
	struct str text = charset_unmarked(bytes, arena, &bad);

	if (text.len > size + size / 2 || (text.len + 3 != size && text.p != bytes.p && !utf8_valid(text)))
		abort();
	if (card_text(text, arena).len > 3 * text.len + 3)
		abort();
	arena_free(&arena);
	return 0;
}
