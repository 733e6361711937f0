#ifndef SUPERVISOR_POSTMASTER_H
#define SUPERVISOR_POSTMASTER_H

#include <sys/types.h>

#include "supervisor/database.h"

/* What lies in the data folder of a managed PostgreSQL. Nothing here starts or ends a process. */
enum cluster_kind { CLUSTER_NONE, CLUSTER_OURS, CLUSTER_OTHER_VERSION };

/* *version: of the data folder, "" if there is none. */
enum cluster_kind cluster_look(const char *folder, int program_version, char version[16]);
/* A postmaster that lives on this folder: its process, and the folder of its socket (caller frees); 0 if
 * none. */
pid_t postmaster_find(const char *folder, char **socket);
bool postmaster_is_ready(const char *folder, pid_t pid);
/* Our settings, rewritten at each start, beside postgresql.conf, which is the operator's and wins. */
bool cluster_configure(
	const struct database *database, const char *folder, const char *user, struct err *err);

#endif
