#include "config.h"

#include "model/severity.h"

#include "base/mem.h"

static const char *const names[] = {"info", "low", "medium", "high", "critical"};
#define STEP 20

const char *severity_name(int severity)
{
	if (severity < 0)
		return "unknown";
	size_t step = (size_t)severity / STEP;
	return names[step < ARRAY_LEN(names) ? step : ARRAY_LEN(names) - 1];
}

bool severity_parse(struct str text, int *severity)
{
	uint64_t number;
	text = str_trim(text);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_equal_nocase(text, str_of(names[i]))) {
			*severity = (int)i * STEP + STEP / 2;
			return true;
		}
	}
	if (!str_to_u64(text, &number) || number > 100)
		return false;
	*severity = (int)number;
	return true;
}
