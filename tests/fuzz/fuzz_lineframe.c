#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "wire/lineframe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* First byte: length of the pieces; then how much is taken at once; then what the sensor says. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lineframe_most most;
	struct lineframe *frame;
	struct lineframe_piece got;
	struct buf in = {0};
	size_t piece;

	if (size < 2)
		return 0;
	piece = (size_t)data[0] + 1;
	most = (struct lineframe_most){(size_t)(data[1] & 15) * 8 + 1, (uint64_t)(data[1] >> 4) + 1};
	frame = lineframe_new(48);
	for (size_t at = 2; at < size; at += piece) {
		enum lineframe_step step;

		buf_append(&in, data + at, size - at < piece ? size - at : piece);
		(void)lineframe_ready(frame, &in);
		while ((step = lineframe_next(frame, &in, &most, &got)) != LINEFRAME_MORE &&
			step != LINEFRAME_BROKEN) {
			if (step == LINEFRAME_LINES &&
				(got.lines == 0 || got.bytes.p[got.bytes.len - 1] != '\n'))
				abort();
			if (data[0] & 1)
				(void)lineframe_ready(frame, &in);
		}
		if (step == LINEFRAME_BROKEN)
			break;
	}
	lineframe_free(&frame);
	buf_free(&in);
	return 0;
}
