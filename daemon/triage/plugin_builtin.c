#include "config.h"

#include "triage/plugin_builtin.h"

#include <stddef.h>

#ifdef PLUGIN_LOOKALIKE_BUILTIN
extern const struct cirt_plugin cirt_plugin_lookalike;
#endif
#ifdef PLUGIN_NETINFO_BUILTIN
extern const struct cirt_plugin cirt_plugin_netinfo;
#endif
#ifdef PLUGIN_SIMILAR_BUILTIN
extern const struct cirt_plugin cirt_plugin_similar;
#endif
#ifdef PLUGIN_WARNINGLIST_BUILTIN
extern const struct cirt_plugin cirt_plugin_warninglist;
#endif

const struct cirt_plugin *const plugin_builtins[] = {
#ifdef PLUGIN_LOOKALIKE_BUILTIN
	&cirt_plugin_lookalike,
#endif
#ifdef PLUGIN_NETINFO_BUILTIN
	&cirt_plugin_netinfo,
#endif
#ifdef PLUGIN_SIMILAR_BUILTIN
	&cirt_plugin_similar,
#endif
#ifdef PLUGIN_WARNINGLIST_BUILTIN
	&cirt_plugin_warninglist,
#endif
	NULL,
};
