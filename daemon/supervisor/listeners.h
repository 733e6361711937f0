#ifndef SUPERVISOR_LISTENERS_H
#define SUPERVISOR_LISTENERS_H

#include "conf/conf.h"
#include "ipc/graph.h"

/* The listening sockets: opened once, kept over restarts of the rooms that accept on them. */
struct listeners;

struct listener {
	enum room_id room;
	const char *name; /* "lmtp", "smtp", "sensor", "desk" */
	char *address;
	int fd;
};

struct listeners *listeners_open(const struct conf *conf, struct err *err); /* NULL: failed */
void listeners_close(struct listeners **listeners);
const struct listener *listeners_at(const struct listeners *listeners, size_t index); /* NULL past the end */

#endif
