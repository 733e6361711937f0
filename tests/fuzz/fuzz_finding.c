#include <stdint.h>
#include <stdlib.h>

#include "model/item.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What comes over the edge from triage is hostile: decoding checks all of it, and what it accepts packs to
 * itself. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(65536);
	struct finding finding, again;
	struct buf packed = {0};
	struct err err;

	if (finding_decode((struct str){(const char *)data, size}, arena, &finding, &err)) {
		finding_encode(&finding, &packed);
		if (!finding_decode(buf_view(&packed), arena, &again, &err) ||
			again.item_count != finding.item_count)
			abort();
	}
	buf_free(&packed);
	arena_free(&arena);
	return 0;
}
