#include "config.h"

#include "courier/courier.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "courier/post.h"
#include "proc/outward.h"

#define LOOK_INTERVAL  CLOCK_SECOND
#define LEASE          "5 minutes" /* for making a mail; sending has its own */
#define PAUSE_FIRST    (5 * CLOCK_SECOND)
#define PAUSE_MOST     (300 * CLOCK_SECOND)
#define DRAIN_LIMIT    (8 * CLOCK_SECOND)
#define FIRST_KEY_LOOK (5 * CLOCK_SECOND)
#define KEY_LOOK_SOON  (CLOCK_SECOND / 4) /* many contacts may come at once */

/* --- draining --- */

static void on_free(struct pg *pg, const struct pg_result *result, void *context)
{
	struct post *post = context;

	(void)pg;
	(void)result;
	room_drained(post->room);
}

static void let_go(struct post *post, pg_result_fn *call)
{
	struct pg_parameter me = {.value = str_of(post->id)};

	pg_query(post->pg, "SELECT courier_free($1)", &me, 1, true, call, post);
}

static void finish_drain(struct post *post)
{
	if (post->deliveries)
		return;
	if (post->pg && pg_is_up(post->pg))
		let_go(post, on_free);
	else
		room_drained(post->room);
}

static void drain_is_over(void *context)
{
	struct post *post = context;

	room_drained(post->room);
}

static void courier_drain(struct room *room)
{
	struct post *post = room_state(room);

	if (post->draining)
		return;
	post->draining = true;
	timer_free(&post->resume);
	post->resume = timer_new(post->loop, drain_is_over, post);
	timer_set(post->resume, DRAIN_LIMIT);
	delivery_drop_idle(post);
	finish_drain(post);
}

static void on_look(void *context)
{
	post_look(context);
}

static void on_resume(void *context)
{
	post_look(context);
}

static void on_key_look(void *context)
{
	key_watch_look(context);
}

/* A key was imported, or a contact has another one: what the desk says of it before a mail goes must hold. */
static void on_keys_changed(struct pg *pg, const char *channel, const char *payload, void *context)
{
	struct post *post = context;

	(void)pg;
	(void)channel;
	(void)payload;
	if (room_conf(post->room)->keys_enabled && !post->draining)
		timer_set(post->key_look, KEY_LOOK_SOON);
}

/* --- the next mail --- */

static bool may_look(const struct post *post)
{
	return post->pg && pg_is_up(post->pg) && post->freed && !post->looking && !post->draining &&
	       room_conf(post->room)->out_server.len > 0 && !timer_pending(post->resume) &&
	       post->delivery_count < post->sender_count;
}

static void on_taken(struct pg *pg, const struct pg_result *result, void *context)
{
	struct post *post = context;

	(void)pg;
	post->looking = false;
	if (result->outcome == PG_REFUSED)
		log_error("taking a mail: %s", result->text);
	if (result->outcome != PG_DONE || result->rows == 0 || !pg_value(result, 0, 0).p || post->draining) {
		timer_set(post->look, LOOK_INTERVAL);
		return;
	}
	delivery_start(post, pg_value_int(result, 0, 0));
	post_look(post);
}

void post_look(struct post *post)
{
	struct pg_parameter parameters[] = {{.value = str_of(post->id)}, {.value = STR(LEASE)}};

	if (post->draining)
		finish_drain(post);
	if (!may_look(post)) {
		timer_set(post->look, LOOK_INTERVAL);
		return;
	}
	post->looking = true;
	pg_query(post->pg, "SELECT courier_take($1, $2)", parameters, ARRAY_LEN(parameters), true, on_taken,
		post);
}

/* --- the server --- */

static void on_said(struct pg *pg, const struct pg_result *result, void *context)
{
	(void)pg;
	(void)context;
	if (result->outcome == PG_REFUSED)
		log_error("an alarm about mails out: %s", result->text);
}

static void say(struct post *post, const char *sql, struct str text)
{
	struct pg_parameter parameters[] = {{.value = room_conf(post->room)->out_server}, {.value = text}};

	pg_query(post->pg, sql, parameters, text.p ? 2 : 1, true, on_said, post);
}

void post_trouble(struct post *post, const char *text)
{
	post->pause = post->pause == 0               ? PAUSE_FIRST
	              : post->pause * 2 < PAUSE_MOST ? post->pause * 2
	                                             : PAUSE_MOST;
	timer_set(post->resume, post->pause);
	if (!post->alarmed)
		log_error("the mail server is not to be had: %s", text);
	post->alarmed = true;
	say(post, "SELECT alarm_raise('mail-server', $1, NULL, 'no mail can be sent: ' || $2)", str_of(text));
}

void post_reached(struct post *post)
{
	if (post->alarmed || !post->cleared)
		say(post, "SELECT alarm_over('mail-server', $1)", STR_NONE);
	post->alarmed = false;
	post->cleared = true;
	post->pause = 0;
}

/* It goes when the texts have been mended and read anew. */
void post_wordless(struct post *post, const char *text)
{
	struct pg_parameter parameters[] = {{.value = str_of(text)}};

	pg_query(post->pg,
		"SELECT alarm_raise('mail-template', 'mail_out', NULL, 'a mail waits for its text: ' || $1)",
		parameters, 1, true, on_said, post);
}

/* By a start or a reload they have been read anew. */
static void reword(struct post *post)
{
	pg_query(post->pg, "SELECT courier_reworded()", NULL, 0, true, on_said, post);
}

/* --- the room --- */

static void set_texts(struct post *post)
{
	texts_free(&post->texts);
	post->texts = texts_new(room_grant(post->room, "templates"));
	if (texts_count(post->texts) == 0 && room_conf(post->room)->out_server.len > 0)
		log_error("no templates: no mail can be written");
}

static bool courier_load(struct room *room, struct err *err)
{
	struct post *post = mem_alloc(sizeof(*post));
	struct str id = room_grant(room, "courier.id");
	uint8_t uuid[UUID_LEN];

	post->room = room;
	post->loop = room_loop(room);
	room_set_state(room, post);
	if (!uuid_parse(str_trim(id), uuid))
		return err_set(err, ERR_CORRUPT, "secrets/courier.id: a UUID was expected");
	uuid_format(uuid, post->id);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, ERR_SYSTEM, "libcurl does not start");
	post->sealer = sealer_new(post->loop);
	post->look = timer_new(post->loop, on_look, post);
	post->resume = timer_new(post->loop, on_resume, post);
	post->key_look = timer_new(post->loop, on_key_look, post);
	set_texts(post);
	return true;
}

static void courier_plan(struct room *room, struct sandbox *plan)
{
	(void)room;
	outward_plan(plan);
}

static bool courier_prove(struct room *room, struct err *err)
{
	(void)room;
	return outward_prove("25", err);
}

static void on_freed(struct pg *pg, const struct pg_result *result, void *context)
{
	struct post *post = context;

	(void)pg;
	if (result->outcome == PG_REFUSED)
		log_error("letting go of what was held before: %s", result->text);
	post->freed = result->outcome == PG_DONE;
	post_look(post);
}

/* What was held when the connection went is taken anew; unless a mail is just being given to the server. */
static void on_state(struct pg *pg, bool up, const char *why, void *context)
{
	struct post *post = context;

	(void)pg;
	(void)why;
	post->looking = false;
	if (!up || post->draining)
		return;
	reword(post);
	delivery_drop_idle(post);
	post->freed = post->deliveries != NULL;
	if (post->freed)
		post_look(post);
	else
		let_go(post, on_freed);
}

static bool courier_start(struct room *room, struct err *err)
{
	static const char *const on_connect[] = {
		"SET cirt.actor = 'courier'", "SET statement_timeout = '120s'", NULL};
	struct post *post = room_state(room);
	struct pg_settings settings = {.conninfo = room_grant(room, "db.conninfo"),
		.user = STR("cirt_courier"),
		.password = room_grant(room, "db.password"),
		.search_path = STR("cirt"),
		.schema = PG_SCHEMA,
		.name = "cirtd courier",
		.on_connect = on_connect};

	for (size_t i = 0; i < room_conf(room)->out_connections && i < POST_SENDERS; i++) {
		post->senders[i] = sender_new(post->loop, delivery_sent, post, err);
		if (!post->senders[i])
			return false;
		post->sender_count++;
	}
	if (settings.conninfo.len > 0)
		post->pg = pg_new(post->loop, &settings, on_state, post);
	if (room_conf(room)->keys_enabled && post->pg) {
		timer_set(post->key_look, FIRST_KEY_LOOK);
		pg_listen(post->pg, "cirt_keys", on_keys_changed, post);
	}
	return true;
}

static void courier_edge(struct room *room, enum edge_kind kind, enum room_id peer, unsigned instance,
	uint32_t generation, int fd)
{
	struct post *post = room_state(room);

	(void)instance;
	(void)generation;
	if (kind == EDGE_KEYS && peer == ROOM_KEYS)
		sealer_edge(post->sealer, fd);
	else
		fd_close(&fd);
}

static void courier_reload(struct room *room, const struct conf *old)
{
	struct post *post = room_state(room);

	(void)old;
	/* Mails that are being made look into the old ones. */
	delivery_drop_idle(post);
	post->freed = post->deliveries != NULL;
	set_texts(post);
	post->pause = 0;
	timer_stop(post->resume);
	if (post->pg && pg_is_up(post->pg))
		reword(post);
	if (post->pg && pg_is_up(post->pg) && !post->freed)
		let_go(post, on_freed);
	else
		post_look(post);
}

static void courier_count(struct room *room)
{
	const struct post *post = room_state(room);

	room_counter(room, "not_configured", room_conf(room)->out_server.len == 0);
	room_counter(room, "under_way", post->delivery_count);
	room_counter(room, "sent", post->counts.sent);
	room_counter(room, "encrypted", post->counts.encrypted);
	room_counter(room, "sent_again", post->counts.again);
	room_counter(room, "put_off", post->counts.put_off);
	room_counter(room, "held", post->counts.held);
	room_counter(room, "failed", post->counts.failed);
	room_counter(room, "templates", texts_count(post->texts));
}

static void courier_stop(struct room *room)
{
	struct post *post = room_state(room);

	if (!post)
		return;
	for (size_t i = 0; i < post->sender_count; i++)
		sender_free(&post->senders[i]);
	pg_free(&post->pg);
	delivery_free_all(post);
	sealer_free(&post->sealer);
	texts_free(&post->texts);
	timer_free(&post->look);
	timer_free(&post->resume);
	timer_free(&post->key_look);
	curl_global_cleanup();
	free(post);
	room_set_state(room, NULL);
}

const struct room_spec courier_room = {
	.id = ROOM_COURIER,
	.load = courier_load,
	.plan = courier_plan,
	.prove = courier_prove,
	.start = courier_start,
	.edge = courier_edge,
	.reload = courier_reload,
	.drain = courier_drain,
	.count = courier_count,
	.stop = courier_stop,
};
