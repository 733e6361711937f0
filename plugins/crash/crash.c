/* For tests only: dies on any item whose text, or any part whose bytes, hold the marker. */
#include <signal.h>
#include <string.h>

#include "cirt_plugin.h"

#define MARKER "CIRTD-TEST-CRASH"

static int holds(const char *bytes, size_t len)
{
	for (size_t i = 0; bytes && i + sizeof(MARKER) - 1 <= len; i++)
		if (memcmp(bytes + i, MARKER, sizeof(MARKER) - 1) == 0)
			return 1;
	return 0;
}

static int hook(const struct cirt_api *api, struct cirt_item *item, enum cirt_stage stage, void *state)
{
	const char *name, *media_type, *bytes;
	size_t len = 0;

	(void)state;
	bytes = stage == CIRT_STAGE_PART ? api->part(item, &name, &media_type, &len) : api->text(item, &len);
	if (holds(bytes, len)) {
		/* As a wild pointer would, and under a sanitizer too. */
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
	}
	return 0;
}

CIRT_PLUGIN_EXPORT(crash) = {
	.abi = CIRT_PLUGIN_ABI,
	.name = "crash",
	.version = "1",
	.summary = "for tests: crashes on " MARKER,
	.stages = CIRT_STAGE_ITEM | CIRT_STAGE_PART,
	.hook = hook,
};
