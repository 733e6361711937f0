#ifndef NETINFO_MMDB_H
#define NETINFO_MMDB_H

#include "prefix_table.h"

/*
 * A MaxMind database (MaxMind DB File Format 2.0) out of its bytes. libmaxminddb opens paths only: the bytes
 * go into a memory file, which it maps; so nothing is left to be opened when the sandbox has closed.
 */
struct mmdb;

bool mmdb_is(const char *bytes, size_t len); /* does it have the mark of one? */
struct mmdb *mmdb_open(const char *bytes, size_t len, char *error, size_t size);
void mmdb_close(struct mmdb *mmdb);
bool mmdb_find(const struct mmdb *mmdb, struct net_address address, struct net_info *info);

#endif
