#include "config.h"

#include "intake/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/mail.h"
#include "intake/sensor.h"

/* Taken in one turn of the loop, and the rest when there are no descriptors left. */
#define ACCEPT_TURN 64
#define ACCEPT_REST (CLOCK_SECOND / 10)

enum door { DOOR_LMTP, DOOR_SMTP, DOOR_SENSOR };

struct listener {
	struct doors *doors;
	struct listener *next;
	enum door door;
	char *name;
	char *address;
	int fd;
	struct watch *watch;
	struct timer *rest;
	int64_t said_at; /* that a connection was refused; monotonic */
};

static void refuse(struct listener *listener, int fd, uint64_t *counter, const char *why)
{
	static const char busy[] = "421 4.3.2 too many sessions, try again later\r\n";

	++*counter;
	/* Whoever is refused can come again at once: the log must not grow with that. */
	if (clock_monotonic() - listener->said_at > CLOCK_SECOND) {
		listener->said_at = clock_monotonic();
		log_warn_f(LOG_F({"door", listener->name}), "connection refused: %s", why);
	}
	if (listener->door != DOOR_SENSOR)
		(void)send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	fd_close(&fd);
}

/* A quarter is the mail server's own, which comes by LMTP: strangers who hold SMTP sessions open and say
 * nothing do not shut it out. */
static bool mail_has_room(const struct listener *listener, uint64_t most)
{
	const struct doors *doors = listener->doors;

	if (listener->door == DOOR_SMTP && doors->smtp_sessions >= most - most / 4)
		return false;
	return map_count(doors->mails) < most;
}

static void take_sensor(struct listener *listener, int fd, uint64_t peer)
{
	struct doors *doors = listener->doors;
	const struct conf *conf = room_conf(doors->room);

	if (!doors->sensor_tls || map_count(doors->sensors) >= conf->sensor_max_sessions)
		refuse(listener, fd, &doors->counters.refused_full, "too many sessions");
	else if (!peers_enter(doors->sensor_peers, peer, conf->sensor_max_per_address))
		refuse(listener, fd, &doors->counters.refused_crowded, "too many sessions from its address");
	else
		sensor_new(doors, fd, peer);
}

static void take_mail(struct listener *listener, int fd, uint64_t peer)
{
	struct doors *doors = listener->doors;
	const struct conf *conf = room_conf(doors->room);
	bool lmtp = listener->door == DOOR_LMTP;

	if (!mail_has_room(listener, conf->mail_max_sessions))
		refuse(listener, fd, &doors->counters.refused_full, "too many sessions");
	else if (!lmtp && !peers_enter(doors->smtp_peers, peer, conf->mail_max_per_address))
		refuse(listener, fd, &doors->counters.refused_crowded, "too many sessions from its address");
	else
		mail_new(doors, fd, lmtp, lmtp ? 0 : peer);
}

static void on_rest_over(void *context)
{
	struct listener *listener = context;

	watch_set(listener->watch, LOOP_READ);
}

static void on_acceptable(int fd, unsigned ready, void *context)
{
	struct listener *listener = context;

	(void)ready;
	for (int i = 0; i < ACCEPT_TURN; i++) {
		struct sockaddr_storage address = {0};
		socklen_t size = sizeof(address);
		int connection =
			accept4(fd, (struct sockaddr *)(void *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (connection >= 0 && listener->door == DOOR_SENSOR) {
			take_sensor(listener, connection, peers_key(&address));
		} else if (connection >= 0) {
			take_mail(listener, connection, peers_key(&address));
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_warn_f(LOG_F({"door", listener->name}), "no connection can be accepted: %s",
				strerror(errno));
			watch_set(listener->watch, 0);
			timer_set(listener->rest, ACCEPT_REST);
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return;
		}
	}
}

static bool door_parse(const char *name, enum door *door)
{
	static const char *const names[] = {
		[DOOR_LMTP] = "lmtp", [DOOR_SMTP] = "smtp", [DOOR_SENSOR] = "sensor"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], name) == 0) {
			*door = (enum door)i;
			return true;
		}
	}
	return false;
}

void listener_new(struct doors *doors, const char *name, const char *address, int fd)
{
	struct listener *listener;
	enum door door;

	if (!door_parse(name, &door)) {
		log_error("there is no door \"%s\"", name);
		fd_close(&fd);
		return;
	}
	listener = mem_alloc(sizeof(*listener));
	listener->doors = doors;
	listener->door = door;
	listener->name = mem_strdup(name);
	listener->address = mem_strdup(address);
	listener->fd = fd;
	listener->next = doors->listeners;
	doors->listeners = listener;
	fd_nonblock(fd, NULL);
	listener->watch = watch_new(doors->loop, fd, on_acceptable, listener);
	listener->rest = timer_new(doors->loop, on_rest_over, listener);
	watch_set(listener->watch, LOOP_READ);
	log_info_f(LOG_F({"door", name}, {"address", address}), "door is open");
}

void listeners_free(struct doors *doors)
{
	while (doors->listeners) {
		struct listener *listener = doors->listeners;

		doors->listeners = listener->next;
		watch_free(&listener->watch);
		timer_free(&listener->rest);
		fd_close(&listener->fd);
		free(listener->name);
		free(listener->address);
		free(listener);
	}
}
