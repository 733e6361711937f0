#include "config.h"

#include "supervisor/listeners.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define BACKLOG 512

struct listeners {
	struct listener *all;
	size_t count;
};

/* A socket file that nobody answers on is left over from a supervisor that was killed. */
static bool remove_stale(const struct sockaddr_un *at, struct err *err)
{
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answered = probe >= 0 && connect(probe, (const struct sockaddr *)at, sizeof(*at)) == 0;
	fd_close(&probe);
	if (answered)
		return err_set(err, ERR_CONFLICT, "%s: another program listens there", at->sun_path);
	if (unlink(at->sun_path) < 0 && errno != ENOENT)
		return err_errno(err, "%s", at->sun_path);
	return true;
}

static bool listen_unix(const char *path, int *fd, struct err *err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(at.sun_path))
		return err_set(err, ERR_MALFORMED, "%s: a socket's path may have %zu bytes at most", path,
			sizeof(at.sun_path) - 1);
	memcpy(at.sun_path, path, strlen(path));
	if (!remove_stale(&at, err))
		return false;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Who may speak is decided by who connects, not by the file. */
	if (*fd < 0 || bind(*fd, (struct sockaddr *)&at, sizeof(at)) < 0 || chmod(path, 0666) < 0 ||
		listen(*fd, BACKLOG) < 0) {
		err_errno(err, "listening on %s", path);
		fd_close(fd);
		return false;
	}
	return true;
}

/* "host:port", "[v6]:port", "*:port". */
static bool split_address(const char *address, char **host, char **port)
{
	const char *colon = strrchr(address, ':');
	if (!colon || colon == address || colon[1] == 0)
		return false;
	size_t len = (size_t)(colon - address);
	if (address[0] == '[' && address[len - 1] == ']')
		*host = mem_strndup(address + 1, len - 2);
	else
		*host = mem_strndup(address, len);
	*port = mem_strdup(colon + 1);
	return true;
}

static bool open_tcp(const struct addrinfo *at, const char *address, int *fd, struct err *err)
{
	int on = 1;
	*fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return err_errno(err, "listening on %s", address);
	setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (at->ai_family == AF_INET6)
		setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(*fd, at->ai_addr, at->ai_addrlen) < 0 || listen(*fd, BACKLOG) < 0) {
		err_errno(err, "listening on %s", address);
		fd_close(fd);
		return false;
	}
	return true;
}

static bool listen_tcp(const char *address, int *fd, struct err *err)
{
	struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char *host = NULL, *port = NULL;
	if (!split_address(address, &host, &port))
		return err_set(err, ERR_MALFORMED,
			"%s: expected ADDRESS:PORT, [ADDRESS]:PORT, *:PORT or a path", address);
	bool any = strcmp(host, "*") == 0;
	int result = getaddrinfo(any ? NULL : host, port, &hints, &found);
	bool ok = result == 0 ? open_tcp(found, address, fd, err)
	                      : err_set(err, ERR_MALFORMED, "%s: expected an address and a port: %s", address,
					gai_strerror(result));
	if (found)
		freeaddrinfo(found);
	free(host);
	free(port);
	return ok;
}

static bool add(
	struct listeners *listeners, enum room_id room, const char *name, struct str address, struct err *err)
{
	struct listener *at;
	listeners->all = mem_resize(listeners->all, (listeners->count + 1) * sizeof(*listeners->all));
	at = &listeners->all[listeners->count];
	*at = (struct listener){
		.room = room, .name = name, .address = mem_strndup(address.p, address.len), .fd = -1};
	listeners->count++;
	return at->address[0] == '/' ? listen_unix(at->address, &at->fd, err)
	                             : listen_tcp(at->address, &at->fd, err);
}

static bool add_list(struct listeners *listeners, enum room_id room, const char *name,
	const struct conf_list *list, struct err *err)
{
	for (size_t i = 0; i < list->count; i++)
		if (!add(listeners, room, name, list->values[i], err))
			return false;
	return true;
}

static bool add_desk(struct listeners *listeners, const struct conf *conf, struct err *err)
{
	char *path = conf->desk_socket.len > 0 ? mem_strndup(conf->desk_socket.p, conf->desk_socket.len)
	                                       : mem_printf(STR_FMT "/cirt.sock", STR_ARG(conf->run));
	bool ok = add(listeners, ROOM_DESK, "desk", str_of(path), err) &&
	          add_list(listeners, ROOM_DESK, "desk.tls", &conf->desk_listen, err);
	free(path);
	return ok;
}

struct listeners *listeners_open(const struct conf *conf, struct err *err)
{
	struct listeners *listeners = mem_alloc(sizeof(*listeners));
	if (!add_list(listeners, ROOM_INTAKE, "lmtp", &conf->lmtp_listen, err) ||
		!add_list(listeners, ROOM_INTAKE, "smtp", &conf->smtp_listen, err) ||
		!add_list(listeners, ROOM_INTAKE, "sensor", &conf->sensor_listen, err) ||
		!add_desk(listeners, conf, err))
		listeners_close(&listeners);
	return listeners;
}

void listeners_close(struct listeners **listeners)
{
	struct listeners *old = *listeners;
	*listeners = NULL;
	if (!old)
		return;
	for (size_t i = 0; i < old->count; i++) {
		if (old->all[i].fd >= 0 && old->all[i].address[0] == '/')
			unlink(old->all[i].address);
		fd_close(&old->all[i].fd);
		free(old->all[i].address);
	}
	free(old->all);
	free(old);
}

const struct listener *listeners_at(const struct listeners *listeners, size_t index)
{
	return index < listeners->count ? &listeners->all[index] : NULL;
}
