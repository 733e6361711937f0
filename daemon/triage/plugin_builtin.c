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

const struct cirt_plugin *plugin_builtin_find(struct str name)
{
	for (const struct cirt_plugin *const *plugin = plugin_builtins; *plugin; plugin++)
		if (str_equal(str_of((*plugin)->name), name))
			return *plugin;
	return NULL;
}

bool plugin_is_builtin(struct str name)
{
	return plugin_builtin_find(name) != NULL;
}
