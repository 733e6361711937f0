#ifndef CLIENT_PLACE_H
#define CLIENT_PLACE_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Where the daemon listens: a Unix socket here, or a server and what to show it. Of the command line, else of
 * CIRT_SOCKET or CIRT_SERVER, else of the first of $XDG_CONFIG_HOME/cirt/cirt.conf (~/.config) and
 * /etc/cirt.conf that there is; else the socket of the packages.
 */
struct place {
	char *socket;
	char *server;                 /* "desk.example:6515"; NULL: the socket */
	char *certificate, *key, *ca; /* paths of PEM files; NULL: not said */
};

/* What was said on the command line; NULL where nothing was. */
struct place_said {
	const char *socket, *server, *certificate, *key, *ca;
};

bool place_find(const struct place_said *said, struct place *place, struct err *err);
void place_clear(struct place *place);
/* Which daemon that is: the server or the path of the socket. */
const char *place_name(const struct place *place);
/* One file: lines "name = value" of socket, server, certificate, key and ca; "#" begins a comment. What
 * stands in `place` already stays. */
bool place_read(struct str text, const char *path, struct place *place, struct err *err);

#endif
