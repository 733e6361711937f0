#ifndef TRIAGE_PLUGIN_BUILTIN_H
#define TRIAGE_PLUGIN_BUILTIN_H

#include "cirt_plugin.h"

/* The plugins that are built in, by --with-NAME=yes; ends with NULL. */
extern const struct cirt_plugin *const plugin_builtins[];

#endif
