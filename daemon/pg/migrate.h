#ifndef PG_MIGRATE_H
#define PG_MIGRATE_H

#include "base/err.h"
#include "base/str.h"

/* What a short-lived process does to the schema, blocking. */
struct migrate_settings {
	const char *conninfo;      /* without user and password */
	struct str owner_password; /* of cirt_owner; p NULL: libpq finds its own way in */
	struct str admin_password; /* managed: of the superuser postgres, who makes roles and database; else p
	                              NULL */
	struct str passwords;      /* managed: lines role:password that the roles get */
	const char *folder;        /* roles.sql and NNN-name.sql */
};

/*
 * Apply what has not been applied, in order of number, each file in one transaction with its row in
 * cirt.migration (version, name, digest). Refuses (ERR_CONFLICT) where a file differs from what was applied
 * under its number, or where the database has a number that the folder lacks. Two at a time wait for each
 * other. ERR_AGAIN: the server could not be reached.
 */
bool migrate_run(const struct migrate_settings *settings, unsigned *applied, struct err *err);

#endif
