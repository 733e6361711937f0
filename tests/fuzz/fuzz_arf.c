#include "fuzz_reading.h"

#include "wire/arf.h"
#include "wire/xarf.h"

/* The fields of a feedback report, and the flat YAML of X-ARF. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(65536);
	struct reading reading = {.arena = arena, .limits = &reading_limits_default};
	struct str text = {(const char *)data, size};

	arf_kind(text);
	arf_report(&reading, &reading_item(&reading, ITEM_REPORT)->report, text);
	xarf_text_is(text);
	xarf_text_item(&reading, STR("part 2"), STR("abuse report about 198.51.100.44"), text);
	fuzz_check_reading(&reading);
	arena_free(&arena);
	return 0;
}
