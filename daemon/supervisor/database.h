#ifndef SUPERVISOR_DATABASE_H
#define SUPERVISOR_DATABASE_H

#include "conf/conf.h"

/* Where the database is and who we are there, managed or not. The supervisor itself never connects. */
struct database {
	char *folder;         /* managed: its data folder */
	char *socket;         /* managed: the folder of its socket */
	char *conninfo;       /* libpq's, without user and password */
	struct buf passwords; /* lines role:password */
};

bool database_open(const struct conf *conf, struct database *database, struct err *err);
void database_close(struct database *database);
struct str database_password(const struct database *database, const char *role);

#endif
