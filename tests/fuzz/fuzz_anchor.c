#include <stdint.h>
#include <stdlib.h>

#include "model/anchor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key that the seeds are signed for. */
static const char key_pem[] = "-----BEGIN PUBLIC KEY-----\n"
			      "MCowBQYDK2VwAyEAx1wwdfP/6QTnG3oOj6e4BQIrCSgf92iyPFPjzckmhyE=\n"
			      "-----END PUBLIC KEY-----\n";

/* A file of anchors that anybody may have written: read to its end or called broken, and the newest is its
 * last. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = {(const char *)data, size};
	struct anchor last;
	struct err err = {0};
	size_t torn = 0;

	if (anchor_file_check(bytes, str_of(key_pem), &last, &torn, &err)) {
		if (last.number > size)
			abort();
	} else if (err.code == ERR_NONE) {
		abort();
	}
	return 0;
}
