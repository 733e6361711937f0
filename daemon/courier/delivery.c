#include "config.h"

#include "courier/delivery.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

bool delivery_lives(const struct post *post, const struct delivery *delivery)
{
	for (const struct delivery *one = post->deliveries; one; one = one->next)
		if (one == delivery)
			return true;
	return false;
}

void delivery_start(struct post *post, int64_t id)
{
	struct delivery *delivery = mem_alloc(sizeof(*delivery));

	delivery->post = post;
	delivery->id = id;
	snprintf(delivery->id_text, sizeof(delivery->id_text), "%lld", (long long)id);
	delivery->arena = arena_new(16384);
	delivery->next = post->deliveries;
	post->deliveries = delivery;
	post->delivery_count++;
	delivery_load(delivery);
}

static void unlink_one(struct delivery *delivery)
{
	struct post *post = delivery->post;
	struct delivery **at = &post->deliveries;

	while (*at != delivery)
		at = &(*at)->next;
	*at = delivery->next;
	post->delivery_count--;
	for (size_t i = 0; i < post->sender_count; i++)
		if (post->using[i] == delivery)
			post->using[i] = NULL;
}

static void free_one(struct delivery *delivery)
{
	unlink_one(delivery);
	sealer_forget(delivery->post->sealer, delivery);
	compose_free(&delivery->compose);
	buf_free(&delivery->entity);
	buf_free(&delivery->mail);
	timer_free(&delivery->retry);
	arena_free(&delivery->arena);
	free(delivery->from);
	free(delivery->to);
	free(delivery);
}

void delivery_end(struct delivery *delivery)
{
	struct post *post = delivery->post;

	free_one(delivery);
	post_look(post);
}

void delivery_free_all(struct post *post)
{
	struct delivery *next;

	for (struct delivery *one = post->deliveries; one; one = next) {
		next = one->next;
		free_one(one);
	}
}

void delivery_drop_idle(struct post *post)
{
	struct delivery *next;

	for (struct delivery *one = post->deliveries; one; one = next) {
		next = one->next;
		if (!one->sender && !one->taken)
			free_one(one);
	}
}

/* --- the database --- */

/* An answer may come when the delivery has ended: its room drains. */
struct asked {
	struct post *post;
	struct delivery *delivery;
	pg_result_fn *call;
};

static void on_answer(struct pg *pg, const struct pg_result *result, void *context)
{
	struct asked asked = *(struct asked *)context;

	free(context);
	if (delivery_lives(asked.post, asked.delivery))
		asked.call(pg, result, asked.delivery);
}

void delivery_query(
	struct delivery *delivery, const char *sql, const struct str *more, size_t count, pg_result_fn *call)
{
	struct pg_parameter parameters[DELIVERY_PARAMETERS] = {
		{.value = str_of(delivery->id_text)}, {.value = str_of(delivery->post->id)}};
	struct asked *asked = mem_alloc(sizeof(*asked));

	*asked = (struct asked){delivery->post, delivery, call};
	for (size_t i = 0; i < count && i + 2 < DELIVERY_PARAMETERS; i++)
		parameters[i + 2].value = more[i];
	pg_query(delivery->post->pg, sql, parameters, count + 2, true, on_answer, asked);
}

/* Where the database is away, the mail is taken again: at once when it is back, or when its time is over. */
bool delivery_answered(struct delivery *delivery, const struct pg_result *result, const char *what)
{
	if (result->outcome == PG_DONE)
		return true;
	if (result->outcome == PG_REFUSED) {
		log_error("mail %s: %s: %s", delivery->id_text, what, result->text);
		/* Nobody else gets it right at once either: it waits until its lease is over. */
	}
	delivery_end(delivery);
	return false;
}

static void on_ended(struct pg *pg, const struct pg_result *result, void *context)
{
	struct delivery *delivery = context;

	(void)pg;
	if (delivery_answered(delivery, result, "noting what became of it"))
		delivery_end(delivery);
}

void delivery_put_off(
	struct delivery *delivery, int64_t wait, bool bounded, const char *why, const char *said)
{
	long long patience = (long long)(room_conf(delivery->post->room)->out_retry / 1000);
	struct str more[] = {arena_printf(delivery->arena, "%lld milliseconds", (long long)(wait / 1000)),
		bounded ? arena_printf(delivery->arena, "%lld milliseconds", patience) : STR_NONE,
		str_of(why), str_of(said)};

	delivery->post->counts.put_off++;
	log_info("mail " STR_FMT " waits: %s", STR_ARG(delivery->facts.number), why);
	delivery_query(
		delivery, "SELECT courier_put_off($1, $2, $3, $4, $5, $6)", more, ARRAY_LEN(more), on_ended);
}

void delivery_hold(struct delivery *delivery, const char *why, bool no_key)
{
	const char *at = delivery->house.from.len > 0
	                         ? memrchr(delivery->house.from.p, '@', delivery->house.from.len)
	                         : NULL;
	struct str more[] = {str_of(why), str_of(no_key ? "true" : "false"),
		at ? (struct str){at + 1,
			     delivery->house.from.len - (size_t)(at + 1 - delivery->house.from.p)}
		   : STR("localhost")};

	delivery->post->counts.held++;
	log_warn("mail " STR_FMT " is held: %s", STR_ARG(delivery->facts.number), why);
	delivery_query(delivery, "SELECT courier_hold($1, $2, $3, $4, $5)", more, ARRAY_LEN(more), on_ended);
}

void delivery_fail(struct delivery *delivery, const char *why, const char *said, bool theirs)
{
	struct str more[] = {str_of(why), str_of(said), str_of(theirs ? "true" : "false")};

	delivery->post->counts.failed++;
	log_warn("mail " STR_FMT " has failed: %s", STR_ARG(delivery->facts.number), why);
	delivery_query(delivery, "SELECT courier_fail($1, $2, $3, $4, $5)", more, ARRAY_LEN(more), on_ended);
}
