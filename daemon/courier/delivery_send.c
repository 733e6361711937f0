#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "courier/delivery.h"
#include "courier/permit.h"
#include "model/reply_seal.h"

/* Before the database is told again what became of a mail. */
#define TELL_WAIT CLOCK_SECOND
/* What a lease lasts longer than sending may. */
#define MARGIN (60 * CLOCK_SECOND)

/* --- what became of it --- */

static void tell_sent(void *context);

static void on_told(struct pg *pg, const struct pg_result *result, void *context)
{
	struct delivery *delivery = context;

	(void)pg;
	if (result->outcome == PG_DONE) {
		delivery_end(delivery);
		return;
	}
	/* It is out: that must be known before anything else becomes of it. */
	log_warn("mail " STR_FMT " was sent, and the database does not take it yet: %s",
		STR_ARG(delivery->facts.number), result->text);
	timer_set(delivery->retry, TELL_WAIT);
}

static void tell_sent(void *context)
{
	struct delivery *delivery = context;
	struct str more[] = {arena_printf(delivery->arena, "%s%s", delivery->result.text,
		delivery->again ? " (sent again: nobody knows whether an earlier attempt was taken)" : "")};

	delivery_query(delivery, "SELECT courier_sent($1, $2, $3)", more, ARRAY_LEN(more), on_told);
}

static void take_result(struct delivery *delivery)
{
	const struct sending_result *result = &delivery->result;
	const int64_t backoff = (int64_t)room_conf(delivery->post->room)->out_backoff;
	struct str said = arena_printf(delivery->arena, "unknown: %s", result->text);

	/* What is not known of an earlier attempt stays unknown, until the mail is taken. */
	if (delivery->again)
		said = arena_printf(
			delivery->arena, "unknown of an earlier attempt; the last: %s", result->text);
	switch (result->outcome) {
	case SENDING_TAKEN:
		delivery->taken = true;
		delivery->post->counts.sent++;
		delivery->post->counts.again += delivery->again;
		post_reached(delivery->post);
		log_info("mail " STR_FMT " was sent", STR_ARG(delivery->facts.number));
		tell_sent(delivery);
		break;
	case SENDING_REFUSED:
		post_reached(delivery->post);
		delivery_fail(
			delivery, result->text, delivery->again ? said.p : result->text, result->address);
		break;
	case SENDING_UNKNOWN:
		delivery_put_off(delivery, backoff, true,
			"nobody knows whether it was taken: the same mail is sent again", said.p);
		break;
	case SENDING_LATER:
		if (result->server)
			post_trouble(delivery->post, result->text);
		delivery_put_off(
			delivery, backoff, true, result->text, delivery->again ? said.p : result->text);
	}
}

void delivery_sent(struct sender *sender, const struct sending_result *result, void *context)
{
	struct post *post = context;

	for (size_t i = 0; i < post->sender_count; i++) {
		struct delivery *delivery = post->using[i];

		if (post->senders[i] != sender || !delivery)
			continue;
		post->using[i] = NULL;
		delivery->sender = NULL;
		delivery->result = *result;
		take_result(delivery);
		return;
	}
}

/* --- sending --- */

/* Bounces of this mail come to an address of its own. */
static struct str envelope_sender(struct delivery *delivery)
{
	const struct post *post = delivery->post;
	const struct conf *conf = room_conf(post->room);
	struct str base = conf->out_bounce, sealed;
	const char *at = memrchr(delivery->house.from.p, '@', delivery->house.from.len);

	if (base.len == 0 && at)
		base = arena_printf(delivery->arena, "bounce%s", at);
	sealed = reply_address(
		room_grant(post->room, "reply.key"), base, delivery->facts.number, delivery->arena);
	return sealed.len > 0 ? sealed : delivery->house.from;
}

static void start(struct delivery *delivery)
{
	struct post *post = delivery->post;
	const struct conf *conf = room_conf(post->room);
	struct str password = room_grant(post->room, "mail_out.password"), from = envelope_sender(delivery);
	struct sender_settings settings = {.server = conf->out_server,
		.hello = conf->hostname,
		.user = conf->out_user,
		.ca = room_grant(post->room, "mail_out.ca"),
		.tls_off = conf->out_tls_off,
		.timeout = (int64_t)conf->out_timeout};
	size_t i = 0;

	str_split(&password, '\n', &settings.password);
	delivery->from = mem_strndup(from.p, from.len);
	delivery->to = mem_strndup(delivery->facts.address.p, delivery->facts.address.len);
	while (i < post->sender_count && (post->using[i] || sender_is_busy(post->senders[i])))
		i++;
	if (i == post->sender_count) {
		delivery_put_off(delivery, CLOCK_SECOND, false, "no connection was free", "");
		return;
	}
	post->using[i] = delivery;
	delivery->sender = post->senders[i];
	sender_start(delivery->sender, &settings,
		&(struct sending){delivery->from, delivery->to, buf_view(&delivery->mail)});
}

static int64_t lease(const struct delivery *delivery)
{
	const struct conf *conf = room_conf(delivery->post->room);

	return sender_limit((int64_t)conf->out_timeout, delivery->mail.len) + MARGIN;
}

static void on_begin(struct pg *pg, const struct pg_result *result, void *context)
{
	struct delivery *delivery = context;
	struct str word;

	(void)pg;
	if (!delivery_answered(delivery, result, "beginning to send it"))
		return;
	word = result->rows > 0 ? pg_value(result, 0, 0) : STR_NONE;
	delivery->again = str_equal(word, STR("again"));
	delivery->post->counts.held += str_equal(word, STR("held"));
	/* One that slept long over the answer does not begin: another courier may have it before it is sent.
	 */
	if ((delivery->again || str_equal(word, STR("go"))) && !delivery->post->draining &&
		clock_monotonic() - delivery->begun < lease(delivery) / 2)
		start(delivery);
	else
		delivery_end(delivery);
}

static void begin(struct delivery *delivery)
{
	struct str more[] = {
		arena_printf(delivery->arena, "%lld milliseconds", (long long)(lease(delivery) / 1000))};

	delivery->begun = clock_monotonic();
	delivery_query(delivery, "SELECT courier_begin($1, $2, $3)", more, ARRAY_LEN(more), on_begin);
}

/* Our own gate, of what stands in the bytes, before there is a connection; the database asks its own then. */
static void on_facts(struct pg *pg, const struct pg_result *result, void *context)
{
	struct delivery *delivery = context;
	struct err err = {0};

	(void)pg;
	if (!delivery_answered(delivery, result, "asking whether it may leave"))
		return;
	if (result->rows == 0) {
		delivery_end(delivery); /* somebody else's by now */
		return;
	}
	for (int row = 0; row < result->rows; row++)
		if (!permit_row(result, row, 0, &err)) {
			delivery_hold(delivery,
				arena_printf(delivery->arena, "something in it may not leave any more: %s",
					err.text)
					.p,
				false);
			return;
		}
	begin(delivery);
}

static void ask_gate(struct delivery *delivery)
{
	delivery_query(delivery,
		"SELECT DISTINCT " PERMIT_COLUMNS " FROM (SELECT * FROM courier_lane($1, $2) "
		"UNION ALL SELECT * FROM courier_rows($1, $2)) f WHERE NOT f.left_out",
		NULL, 0, on_facts);
}

static void on_bytes(struct pg *pg, const struct pg_result *result, void *context)
{
	struct delivery *delivery = context;
	struct str hex;

	(void)pg;
	if (!delivery_answered(delivery, result, "reading its bytes"))
		return;
	hex = result->rows > 0 ? pg_value(result, 0, 0) : STR_NONE;
	if (hex.len < 4 || !hex_decode((struct str){hex.p + 2, hex.len - 2},
				   buf_space(&delivery->mail, hex.len / 2 - 1), hex.len / 2 - 1)) {
		delivery_end(delivery);
		return;
	}
	buf_grow(&delivery->mail, hex.len / 2 - 1);
	ask_gate(delivery);
}

void delivery_send(struct delivery *delivery)
{
	delivery->retry = timer_new(delivery->post->loop, tell_sent, delivery);
	if (delivery->mail.len > 0)
		ask_gate(delivery);
	else
		delivery_query(delivery,
			"SELECT bytes FROM outbox WHERE id = $1 AND holder = $2 AND state = 'queued'", NULL,
			0, on_bytes);
}
