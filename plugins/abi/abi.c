/*
 * For tests: a plugin that was compiled for another version of the header. Compiled once with the oldest
 * number that the host takes, and once with one that it does not know yet.
 */
#include "cirt_plugin.h"

#ifndef ABI_NAME
#define ABI_NAME   "abi-oldest"
#define ABI_NUMBER CIRT_PLUGIN_ABI_OLDEST
#endif

static int hook(const struct cirt_api *api, struct cirt_item *item, enum cirt_stage stage, void *state)
{
	(void)stage;
	(void)state;
	api->add_tag(item, ABI_NAME);
	return 0;
}

CIRT_PLUGIN_EXPORT(abi) = {
	.abi = ABI_NUMBER,
	.name = ABI_NAME,
	.version = "1",
	.summary = "says that it ran",
	.stages = CIRT_STAGE_ITEM,
	.hook = hook,
};
