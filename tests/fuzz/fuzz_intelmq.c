#include "fuzz_reading.h"
#include "wire/lines.h"

static bool intelmq_read(struct reading *reading, struct str bytes, struct str envelope, struct err *err)
{
	(void)envelope;
	return lines_read_as(reading, bytes, FORMAT_INTELMQ, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_read(data, size, intelmq_read);
}
