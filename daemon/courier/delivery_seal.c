#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "courier/delivery.h"
#include "wire/mail_body.h"
#include "wire/mail_head.h"

/* How long a mail waits for a key to be unlocked, and for the room keys. */
#define LOCKED_WAIT (30 * CLOCK_SECOND)
#define KEYS_WAIT   (300 * CLOCK_SECOND)

static void try_key(struct delivery *delivery);
static void seal_plain(struct delivery *delivery);

/* --- stored --- */

static void on_stored(struct pg *pg, const struct pg_result *result, void *context)
{
	struct delivery *delivery = context;

	(void)pg;
	if (!delivery_answered(delivery, result, "keeping its bytes"))
		return;
	if (result->rows == 0) {
		delivery_end(delivery); /* somebody else's by now */
		return;
	}
	delivery->made = true;
	delivery_send(delivery);
}

static void store(struct delivery *delivery)
{
	struct buf hex = {0};
	struct str more[2];

	if (delivery->mail.len > delivery->house.max_size) {
		delivery_hold(delivery, "the mail would be larger than mail_out.max_size", false);
		return;
	}
	buf_text(&hex, "\\x");
	hex_encode(delivery->mail.data, delivery->mail.len, buf_space(&hex, 2 * delivery->mail.len + 1));
	buf_grow(&hex, 2 * delivery->mail.len);
	more[0] = buf_view(&hex);
	more[1] = delivery->sealed.p ? delivery->sealed : STR("");
	delivery->post->counts.encrypted += delivery->sealed.len > 0;
	delivery_query(delivery,
		"UPDATE outbox SET bytes = $3, sealed = $4, rendered = now() WHERE id = $1 AND holder = $2 "
		"AND state = 'queued' AND bytes IS NULL RETURNING id",
		more, ARRAY_LEN(more), on_stored);
	buf_free(&hex);
}

/* Head and what the keys made, or did not have to, of the entity. */
static void finish(struct delivery *delivery, bool hides, struct str body)
{
	buf_clear(&delivery->mail);
	compose_head(delivery->compose, hides, &delivery->mail);
	buf_str(&delivery->mail, body);
	store(delivery);
}

/* --- what keys say --- */

/* True: it goes on with what came; else the delivery went another way. */
static bool take_answer(struct delivery *delivery, const struct seal_answer *answer)
{
	char why[300];

	snprintf(why, sizeof(why), STR_FMT, (int)(answer->reason.len < 250 ? answer->reason.len : 250),
		answer->reason.p);
	switch (answer->outcome) {
	case SEAL_DONE:
		return true;
	case SEAL_LOCKED:
	case SEAL_AWAY:
		delivery_put_off(delivery, LOCKED_WAIT, false, why, "");
		return false;
	case SEAL_NO_KEY:
	case SEAL_EXPIRED:
	case SEAL_REVOKED:
		if (delivery->key == 0)
			snprintf(delivery->why_no_key, sizeof(delivery->why_no_key), "%s", why);
		delivery->key++;
		try_key(delivery);
		return false;
	default:
		delivery_put_off(delivery, KEYS_WAIT, false, why, "");
		return false;
	}
}

static void ask(struct delivery *delivery, enum seal_kind kind, struct str signer, struct str recipient,
	sealer_fn *call)
{
	struct seal seal = {kind, signer, recipient, buf_view(&delivery->entity)};

	sealer_ask(delivery->post->sealer, &seal, call, delivery);
}

/* --- in the clear --- */

static void on_signed(const struct seal_answer *answer, void *context)
{
	struct delivery *delivery = context;
	bool pgp = room_conf(delivery->post->room)->out_pgp.len > 0;
	struct buf wrapped = {0};

	if (!take_answer(delivery, answer))
		return;
	mail_wrap(&wrapped, pgp ? WRAP_PGP_SIGNED : WRAP_CMS_SIGNED, delivery->facts.message_id,
		buf_view(&delivery->entity), answer->bytes, answer->micalg);
	finish(delivery, false, buf_view(&wrapped));
	buf_free(&wrapped);
}

static void seal_plain(struct delivery *delivery)
{
	const struct conf *conf = room_conf(delivery->post->room);

	buf_clear(&delivery->entity);
	compose_entity(delivery->compose, false, &delivery->entity);
	delivery->sealed = STR_NONE;
	if (conf->out_pgp.len > 0)
		ask(delivery, SEAL_PGP, conf->out_pgp, STR_NONE, on_signed);
	else if (conf->out_smime.len > 0)
		ask(delivery, SEAL_CMS, conf->out_smime, STR_NONE, on_signed);
	else
		finish(delivery, false, buf_view(&delivery->entity));
}

/* --- encrypted --- */

static void on_encrypted(const struct seal_answer *answer, void *context)
{
	struct delivery *delivery = context;
	const struct key_choice *key = &delivery->keys[delivery->key];
	bool pgp = key->kind == SEAL_PGP;
	struct buf wrapped = {0};

	if (!take_answer(delivery, answer))
		return;
	mail_wrap(&wrapped, pgp ? WRAP_PGP_ENCRYPTED : WRAP_CMS_ENCRYPTED, delivery->facts.message_id,
		STR_NONE, answer->bytes, STR_NONE);
	delivery->sealed =
		arena_printf(delivery->arena, "%s " STR_FMT, pgp ? "openpgp" : "smime", STR_ARG(key->key));
	finish(delivery, true, buf_view(&wrapped));
	buf_free(&wrapped);
}

/* S/MIME signs first, and encrypts what that made. */
static void on_signed_inside(const struct seal_answer *answer, void *context)
{
	struct delivery *delivery = context;
	struct buf wrapped = {0};

	if (!take_answer(delivery, answer))
		return;
	mail_wrap(&wrapped, WRAP_CMS_SIGNED, delivery->facts.message_id, buf_view(&delivery->entity),
		answer->bytes, answer->micalg);
	buf_free(&delivery->entity);
	delivery->entity = wrapped;
	ask(delivery, SEAL_CMS, STR_NONE, delivery->keys[delivery->key].key, on_encrypted);
}

static void encrypt(struct delivery *delivery)
{
	const struct conf *conf = room_conf(delivery->post->room);
	const struct key_choice *key = &delivery->keys[delivery->key];

	buf_clear(&delivery->entity);
	compose_entity(delivery->compose, true, &delivery->entity);
	if (key->kind == SEAL_PGP)
		ask(delivery, SEAL_PGP, conf->out_pgp, key->key, on_encrypted);
	else if (conf->out_smime.len > 0)
		ask(delivery, SEAL_CMS, conf->out_smime, STR_NONE, on_signed_inside);
	else
		ask(delivery, SEAL_CMS, STR_NONE, key->key, on_encrypted);
}

/* --- whose key --- */

static bool fill(struct delivery *delivery)
{
	struct err err;

	if (compose_fill(delivery->compose, &err))
		return true;
	post_wordless(delivery->post, err.text);
	delivery_put_off(delivery, KEYS_WAIT, false, err.text, "");
	return false;
}

static void on_readdressed(struct pg *pg, const struct pg_result *result, void *context)
{
	struct delivery *delivery = context;
	struct key_choice *key = &delivery->keys[delivery->key];

	(void)pg;
	if (!delivery_answered(delivery, result, "readdressing it"))
		return;
	if (result->rows == 0 || !str_equal(pg_value(result, 0, 0), STR("t"))) {
		delivery_end(delivery);
		return;
	}
	key->contact = 0;
	delivery->facts.address = key->address;
	delivery->facts.contact = key->name;
	if (fill(delivery))
		encrypt(delivery);
}

/* A key of somebody else is tried before the mail becomes his: a first question is only about the key. */
static void on_tried(const struct seal_answer *answer, void *context)
{
	struct delivery *delivery = context;
	const struct key_choice *key = &delivery->keys[delivery->key];
	struct str more[2];

	if (!take_answer(delivery, answer))
		return;
	more[0] = arena_printf(delivery->arena, "%d", key->contact);
	more[1] = str_of(delivery->why_no_key);
	delivery_query(
		delivery, "SELECT courier_readdress($1, $2, $3, $4)", more, ARRAY_LEN(more), on_readdressed);
}

static void add_other(
	struct delivery *delivery, const struct pg_result *result, int row, int column, enum seal_kind kind)
{
	struct str key = pg_value(result, row, column);

	if (key.len == 0 || delivery->key_count == DELIVERY_KEYS)
		return;
	delivery->keys[delivery->key_count++] =
		(struct key_choice){.contact = (int32_t)pg_value_int(result, row, 0),
			.address = arena_str(delivery->arena, pg_value(result, row, 1)),
			.name = arena_str(delivery->arena, pg_value(result, row, 2)),
			.kind = kind,
			.key = arena_str(delivery->arena, key)};
}

static void on_others(struct pg *pg, const struct pg_result *result, void *context)
{
	struct delivery *delivery = context;

	(void)pg;
	if (!delivery_answered(delivery, result, "looking for other keys"))
		return;
	for (int row = 0; row < result->rows; row++) {
		add_other(delivery, result, row, 3, SEAL_PGP);
		add_other(delivery, result, row, 4, SEAL_CMS);
	}
	try_key(delivery);
}

/* None of its keys will do. */
static void without_key(struct delivery *delivery)
{
	if (delivery->policy != KEY_REQUIRED) {
		seal_plain(delivery);
	} else if (!delivery->others_asked) {
		delivery->others_asked = true;
		delivery_query(delivery,
			"SELECT contact, address, name, pgp, smime FROM courier_others($1, $2)", NULL, 0,
			on_others);
	} else {
		delivery_hold(delivery,
			delivery->why_no_key[0] ? delivery->why_no_key
						: "a key is required, and none is known",
			true);
	}
}

static void try_key(struct delivery *delivery)
{
	const struct key_choice *key = &delivery->keys[delivery->key];

	if (!room_conf(delivery->post->room)->keys_enabled) {
		snprintf(delivery->why_no_key, sizeof(delivery->why_no_key),
			"there is no room keys to encrypt it");
		delivery->key = delivery->key_count;
		delivery->others_asked = true;
	}
	if (delivery->key >= delivery->key_count) {
		without_key(delivery);
	} else if (key->contact != 0) {
		buf_clear(&delivery->entity);
		buf_text(&delivery->entity, "test");
		ask(delivery, key->kind, STR_NONE, key->key, on_tried);
	} else {
		encrypt(delivery);
	}
}

void delivery_seal(struct delivery *delivery)
{
	if (!mail_address_is(delivery->facts.address)) {
		delivery_fail(delivery, "the address cannot stand in a mail: an ASCII address was expected",
			"", true);
		return;
	}
	if (!fill(delivery))
		return;
	/* That one waits is said in the clear: there is no key for it. */
	if (delivery->policy == KEY_NEVER || delivery->facts.kind == MAIL_KEY_WAITS)
		seal_plain(delivery);
	else
		try_key(delivery);
}
