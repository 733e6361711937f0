#ifndef SUPERVISOR_COMMANDS_H
#define SUPERVISOR_COMMANDS_H

#include "supervisor/database.h"

/* What `cirtd COMMAND` does instead of running; each returns an exit status. */
int command_sample_config(void);
/* psql on our database as its owner; argv: further arguments for it, ends with NULL. */
int command_psql(const char *conf_path, char **argv);
/* As root: the user that PostgreSQL runs as, where it is managed. What needs no more rights runs so. */
bool command_become_owner(const struct conf *conf, struct err *err);

#endif
