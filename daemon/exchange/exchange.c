#include "config.h"

#include "exchange/exchange.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "exchange/collector.h"
#include "exchange/probe.h"
#include "proc/outward.h"

/* How long a commit that is on its way is waited for when the room drains. */
#define DRAIN_LIMIT (5 * CLOCK_SECOND)

struct exchange {
	struct room *room;
	struct collector collector;
	struct probes *probes;
	struct timer *drain_timer;
	struct timer *patience; /* runs while there is no edge to the spool */
};

static void exchange_drained(struct exchange *exchange)
{
	if (exchange->collector.draining && !collector_busy(&exchange->collector)) {
		timer_stop(exchange->drain_timer);
		room_drained(exchange->room);
	}
}

static void on_sources(const struct source_table *table, void *context)
{
	struct exchange *exchange = context;

	collector_sources(&exchange->collector, table);
}

static void on_doors(void *context)
{
	struct exchange *exchange = context;

	if (appender_has_edge(exchange->collector.appender))
		timer_stop(exchange->patience);
	else
		timer_set(exchange->patience, APPENDER_PATIENCE);
	collector_resume(&exchange->collector);
}

static void patience_is_over(void *context)
{
	struct exchange *exchange = context;
	struct err err;

	err_set(&err, ERR_SYSTEM, "the spool has not come back");
	room_fail(exchange->room, &err);
}

static void on_change(void *context)
{
	struct exchange *exchange = context;

	collector_resume(&exchange->collector);
}

static const struct appender_calls appender_calls = {
	.sources = on_sources, .doors = on_doors, .drained = on_change};

static void set_fetcher(struct exchange *exchange)
{
	const struct conf *conf = room_conf(exchange->room);
	struct fetcher_settings settings = {.ca = room_grant(exchange->room, "exchange.ca"),
		.certificate = room_grant(exchange->room, "exchange.certificate"),
		.key = room_grant(exchange->room, "exchange.key"),
		.timeout = conf->feed_timeout,
		.min_speed = conf->feed_min_speed};

	fetcher_set(exchange->collector.fetcher, &settings);
}

static void set_limits(struct collector *collector, const struct conf *conf)
{
	collector->interval = conf->feed_interval;
	collector->max_size = conf->feed_max_size;
	collector->patience = conf->feed_item_patience;
	collector->pull_time = conf->feed_pull_time;
}

static bool exchange_load(struct room *room, struct err *err)
{
	struct exchange *exchange = mem_alloc(sizeof(*exchange));
	struct collector *collector = &exchange->collector;
	const struct conf *conf = room_conf(room);

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(exchange);
		return err_set(err, ERR_SYSTEM, "libcurl does not start");
	}
	exchange->room = room;
	room_set_state(room, exchange);
	collector->loop = room_loop(room);
	set_limits(collector, conf);
	collector->feeds = map_new();
	exchange->probes = probes_new(collector);
	exchange->patience = timer_new(collector->loop, patience_is_over, exchange);
	collector->appender = appender_new(collector->loop, &appender_calls, exchange);
	collector->fetcher = fetcher_new(collector->loop, &(struct fetcher_settings){.timeout = 0}, err);
	if (collector->fetcher)
		set_fetcher(exchange);
	return collector->fetcher != NULL;
}

static void exchange_plan(struct room *room, struct sandbox *plan)
{
	(void)room;
	outward_plan(plan);
}

static bool exchange_prove(struct room *room, struct err *err)
{
	(void)room;
	return outward_prove("443", err);
}

static bool exchange_start(struct room *room, struct err *err)
{
	struct exchange *exchange = room_state(room);

	(void)err;
	exchange->collector.catalogue = catalogue_new(room_loop(room), room_grant(room, "db.conninfo"),
		room_grant(room, "db.password"), on_change, exchange);
	return true;
}

static void exchange_edge(struct room *room, enum edge_kind kind, enum room_id peer, unsigned instance,
	uint32_t generation, int fd)
{
	struct exchange *exchange = room_state(room);

	(void)instance;
	if (kind == EDGE_APPEND && peer == ROOM_SPOOL)
		appender_edge(exchange->collector.appender, generation, fd);
	else if (kind == EDGE_PROBE && peer == ROOM_DESK)
		probes_edge(exchange->probes, fd);
	else
		fd_close(&fd);
}

static void exchange_reload(struct room *room, const struct conf *old)
{
	struct exchange *exchange = room_state(room);

	(void)old;
	set_limits(&exchange->collector, room_conf(room));
	set_fetcher(exchange);
}

static void drain_is_over(void *context)
{
	struct exchange *exchange = context;

	room_drained(exchange->room);
}

static void exchange_drain(struct room *room)
{
	struct exchange *exchange = room_state(room);

	if (exchange->collector.draining)
		return;
	exchange->drain_timer = timer_new(room_loop(room), drain_is_over, exchange);
	timer_set(exchange->drain_timer, DRAIN_LIMIT);
	collector_drain(&exchange->collector);
	exchange_drained(exchange);
}

static void exchange_count(struct room *room)
{
	struct exchange *exchange = room_state(room);
	const struct collector *collector = &exchange->collector;

	room_counter(room, "feeds", map_count(collector->feeds));
	room_counter(room, "pulls", collector->pulls);
	room_counter(room, "not_modified", collector->not_modified);
	room_counter(room, "failed", collector->failed);
	room_counter(room, "pages", collector->pages);
	room_counter(room, "bytes", collector->bytes);
	exchange_drained(exchange);
}

static void exchange_stop(struct room *room)
{
	struct exchange *exchange = room_state(room);
	struct collector *collector;

	if (!exchange)
		return;
	collector = &exchange->collector;
	probes_free(&exchange->probes);
	collector_stop(collector);
	map_free(&collector->feeds);
	fetcher_free(&collector->fetcher);
	catalogue_free(&collector->catalogue);
	appender_free(&collector->appender);
	timer_free(&exchange->drain_timer);
	timer_free(&exchange->patience);
	curl_global_cleanup();
	free(exchange);
	room_set_state(room, NULL);
}

const struct room_spec exchange_room = {
	.id = ROOM_EXCHANGE,
	.load = exchange_load,
	.plan = exchange_plan,
	.prove = exchange_prove,
	.start = exchange_start,
	.edge = exchange_edge,
	.reload = exchange_reload,
	.drain = exchange_drain,
	.count = exchange_count,
	.stop = exchange_stop,
};
