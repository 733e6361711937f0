#include "config.h"

#include "courier/courier.h"

#include <curl/curl.h>
#include <netdb.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "pg/pg.h"

struct courier {
	struct room *room;
	struct pg *pg; /* NULL: no database */
};

static bool courier_load(struct room *room, struct err *err)
{
	struct courier *courier = mem_alloc(sizeof(*courier));

	courier->room = room;
	room_set_state(room, courier);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, ERR_SYSTEM, "libcurl does not start");
	return true;
}

static void courier_plan(struct room *room, struct sandbox *plan)
{
	/* Names are resolved and certificates are trusted by files (trap 7). */
	static const char *const files[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf",
		"/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/ssl",
		"/usr/lib/ssl", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
		"/run/systemd/resolve", "/etc/localtime", "/usr/share/zoneinfo"};
	static const char *const libraries[] = {
		"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"};

	(void)room;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		sandbox_allow(plan, files[i], SANDBOX_READ);
	/* nsswitch.conf may name modules, which are loaded when the first name is looked up. */
	for (size_t i = 0; i < ARRAY_LEN(libraries); i++)
		sandbox_allow(plan, libraries[i], SANDBOX_READ_EXEC);
	plan->executable_maps = true;
	plan->unix_sockets = true;
	plan->inet_connect = true;
	plan->threads = true;
}

static bool courier_prove(struct room *room, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	int problem = getaddrinfo("localhost", "25", &hints, &found);

	(void)room;
	if (problem != 0)
		return err_set(err, ERR_DENIED, "localhost cannot be resolved in the sandbox: %s",
			gai_strerror(problem));
	freeaddrinfo(found);
	return true;
}

static void on_state(struct pg *pg, bool up, const char *why, void *context)
{
	(void)pg;
	(void)up;
	(void)why;
	(void)context;
}

static bool courier_start(struct room *room, struct err *err)
{
	struct courier *courier = room_state(room);
	struct pg_settings settings = {.conninfo = room_grant(room, "db.conninfo"),
		.user = STR("cirt_courier"),
		.password = room_grant(room, "db.password"),
		.search_path = STR("cirt"),
		.schema = PG_SCHEMA,
		.name = "cirtd courier"};

	(void)err;
	if (settings.conninfo.len > 0)
		courier->pg = pg_new(room_loop(room), &settings, on_state, courier);
	return true;
}

static void courier_edge(struct room *room, enum edge_kind kind, enum room_id peer, unsigned instance,
	uint32_t generation, int fd)
{
	(void)room;
	(void)kind;
	(void)peer;
	(void)instance;
	(void)generation;
	fd_close(&fd);
}

static void courier_drain(struct room *room)
{
	room_drained(room);
}

static void courier_count(struct room *room)
{
	room_counter(room, "not_configured", room_conf(room)->out_server.len == 0);
}

static void courier_stop(struct room *room)
{
	struct courier *courier = room_state(room);

	if (!courier)
		return;
	pg_free(&courier->pg);
	curl_global_cleanup();
	free(courier);
	room_set_state(room, NULL);
}

const struct room_spec courier_room = {
	.id = ROOM_COURIER,
	.load = courier_load,
	.plan = courier_plan,
	.prove = courier_prove,
	.start = courier_start,
	.edge = courier_edge,
	.drain = courier_drain,
	.count = courier_count,
	.stop = courier_stop,
};
