#ifndef TRIAGE_PLUGIN_HOST_H
#define TRIAGE_PLUGIN_HOST_H

#include "base/buf.h"
#include "conf/conf.h"
#include "wire/reading.h"

/*
 * Loads the plugins that the configuration names and runs their hooks (plugins/api/cirt_plugin.h). A plugin
 * is built in, or the module NAME.so in conf.plugin_dir. One that cannot be used is refused with the reason,
 * the others stand.
 */
struct plugin_host;

/* The bytes of a file that an option of a plugin names; STR_NONE: there is none. They must outlive the host.
 */
typedef struct str plugin_file_fn(const char *plugin, const char *option, void *context);

/*
 * Asked before each hook: stage is "plugin NAME". False: leave this plugin out for this item.
 */
typedef bool plugin_enter_fn(uint32_t item, const char *stage, void *context);

/* After the user change, before the sandbox: opens modules. */
struct plugin_host *plugin_host_load(const struct conf *conf, plugin_file_fn *file, void *context);
/* Whether this plugin can be used as far as its descriptor says, and has this option; opens its module. */
bool plugin_takes(const struct conf *conf, struct str plugin, struct str option, struct err *err);
void plugin_host_free(struct plugin_host **host);
size_t plugin_host_count(const struct plugin_host *host);

/* CIRT_STAGE_ITEM for the item at this index of reading->items. */
void plugin_host_item(struct plugin_host *host, struct reading *reading, size_t index, plugin_enter_fn *enter,
	void *context);
/* CIRT_STAGE_PART. */
void plugin_host_part(struct plugin_host *host, struct reading *reading, size_t index,
	const struct part *part, plugin_enter_fn *enter, void *context);

/* Member for the hello:
 * ,"plugins":{"items":[{"name","state":"loaded","version","summary","stages","built_in"} or
 * {"name","state":"refused","reason"}],"next":null} */
void plugin_host_describe(const struct plugin_host *host, struct buf *json);

#endif
