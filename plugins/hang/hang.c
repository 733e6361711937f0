/* For tests only: never comes back from CIRTD-TEST-HANG, sleeps on CIRTD-TEST-SLEEP, takes its time over
 * CIRTD-TEST-SLOW. */
#include <string.h>
#include <unistd.h>

#include "cirt_plugin.h"

static int holds(const char *bytes, size_t len, const char *marker)
{
	size_t marker_len = strlen(marker);

	for (size_t i = 0; bytes && i + marker_len <= len; i++)
		if (memcmp(bytes + i, marker, marker_len) == 0)
			return 1;
	return 0;
}

static int hook(const struct cirt_api *api, struct cirt_item *item, enum cirt_stage stage, void *state)
{
	const char *name, *media_type, *bytes;
	volatile int forever = 1;
	size_t len = 0;

	(void)state;
	bytes = stage == CIRT_STAGE_PART ? api->part(item, &name, &media_type, &len) : api->text(item, &len);
	while (forever && holds(bytes, len, "CIRTD-TEST-HANG"))
		continue;
	while (forever && holds(bytes, len, "CIRTD-TEST-SLEEP"))
		sleep(1);
	if (holds(bytes, len, "CIRTD-TEST-SLOW"))
		usleep(200000);
	return 0;
}

CIRT_PLUGIN_EXPORT(hang) = {
	.abi = CIRT_PLUGIN_ABI,
	.name = "hang",
	.version = "1",
	.summary = "for tests: hangs on CIRTD-TEST-HANG",
	.stages = CIRT_STAGE_ITEM | CIRT_STAGE_PART,
	.hook = hook,
};
