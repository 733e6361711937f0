#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include "conf/conf.h"
#include "ipc/graph.h"

struct supervisor_settings {
	const char *conf_path;
	const char *sql_folder;
	const char *version;
	const enum room_id *rooms; /* that this program has */
	size_t room_count;
};

/* Run until SIGTERM; the exit status: 0, 1 for what failed, 2 for a mistake in the configuration. */
int supervisor_run(const struct supervisor_settings *settings);

#endif
