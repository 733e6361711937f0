#include <stdint.h>
#include <stdlib.h>

#include "wire/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(65536);
	struct str html = {(const char *)data, size};
	struct str beneath;

	if (html_charset(html).len > size)
		abort();
	html_text(html, arena, &beneath);
	arena_free(&arena);
	return 0;
}
