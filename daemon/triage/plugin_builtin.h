#ifndef TRIAGE_PLUGIN_BUILTIN_H
#define TRIAGE_PLUGIN_BUILTIN_H

#include "base/str.h"
#include "cirt_plugin.h"

/* The plugins that are built in, by --with-NAME=yes; ends with NULL. */
extern const struct cirt_plugin *const plugin_builtins[];
/* NULL: none has this name. */
const struct cirt_plugin *plugin_builtin_find(struct str name);
bool plugin_is_builtin(struct str name);

#endif
