#include <stdint.h>
#include <stdlib.h>

#include "wire/armour.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The pieces are the text, in order and without a gap; each block is found again by itself, or is made whole.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data, size};
	const char *at = rest.p;
	struct armour armour, again;

	armour_guess(rest);
	while (armour_next(&rest, &armour)) {
		struct str block = armour.block;

		if (armour.before.p != at || armour.block.p != at + armour.before.len || block.len == 0 ||
			rest.p != block.p + block.len)
			abort();
		if (armour.odd) {
			struct arena *arena = arena_new(4096);
			if (armour_clean(&armour, arena).len > 2 * armour.block.len + 100)
				abort();
			arena_free(&arena);
		} else if (armour_guess(block) != armour.kind || !armour_next(&block, &again) ||
			   again.before.len != 0 || again.block.len != armour.block.len)
			abort();
		at = rest.p;
	}
	if (rest.p != at || rest.p + rest.len != (const char *)data + size)
		abort();
	return 0;
}
