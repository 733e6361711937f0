#include <stdint.h>
#include <stdlib.h>

#include "wire/mbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* However it is cut: it goes on, ends, and gives no more than there is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mbox mbox = {.bytes = {(const char *)data, size}};
	struct buf space = {0};
	struct str mail;
	size_t last = 0;

	while (mbox_next(&mbox, &space, &mail)) {
		if (mbox.offset <= last || mbox.offset > size || mail.len > mbox.offset - last)
			abort();
		last = mbox.offset;
	}
	if (last != size)
		abort();
	buf_free(&space);
	return 0;
}
