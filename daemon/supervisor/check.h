#ifndef SUPERVISOR_CHECK_H
#define SUPERVISOR_CHECK_H

#include "conf/conf.h"

/* Read a configuration and what it names; every mistake is logged with its file and line. */
bool check_read(const char *path, struct arena *arena, struct conf *conf);
/* `cirtd -t`: every mistake as FILE:LINE: what was expected, on standard error; 0, or 2 if there was one. */
int check_print(const char *path);
/* Options that only a restart applies keep their values; each that was changed is logged. */
void check_keep_fixed(const struct conf *running, struct conf *now);

#endif
