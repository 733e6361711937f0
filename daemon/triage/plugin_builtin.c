#include "config.h"

#include "triage/plugin_builtin.h"

#include <stddef.h>

#ifdef PLUGIN_NETINFO_BUILTIN
extern const struct cirt_plugin cirt_plugin_netinfo;
#endif

const struct cirt_plugin *const plugin_builtins[] = {
#ifdef PLUGIN_NETINFO_BUILTIN
	&cirt_plugin_netinfo,
#endif
	NULL,
};
