#include "fuzz_reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(65536);
	struct reading reading = {.arena = arena, .limits = &reading_limits_default};
	struct item *item = reading_item(&reading, ITEM_REPORT);

	extract_observables(&reading, &item->report, (struct str){(const char *)data, size});
	fuzz_check_reading(&reading);
	arena_free(&arena);
	return 0;
}
