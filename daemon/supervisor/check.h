#ifndef SUPERVISOR_CHECK_H
#define SUPERVISOR_CHECK_H

#include "conf/conf.h"

/* Read a configuration and what it names; every mistake is logged with its file and line. `first` gets the
 * first as FILE:LINE: what was expected, and how many more there are; NULL: not wanted. */
bool check_read(const char *path, struct arena *arena, struct conf *conf, struct buf *first);
/* Whether a plugin of this name is built in: triage knows. */
typedef bool check_builtin(struct str plugin);
/* Whether a plugin can be used and knows this option. */
typedef bool check_option(const struct conf *conf, struct str plugin, struct str option, struct err *err);
/*
 * `cirtd -t`: every mistake as FILE:LINE: what was expected, on standard error; 0, or 2 if there was one.
 * Also what a start goes on without: rules, plugins and their files.
 */
int check_print(const char *path, check_builtin *is_builtin, check_option *takes);
/* Options that only a restart applies keep their values; each that was changed is logged. */
void check_keep_fixed(const struct conf *running, struct conf *now);

#endif
