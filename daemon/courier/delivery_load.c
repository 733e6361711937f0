#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "courier/delivery.h"
#include "model/reply_seal.h"

/* Rows that the database gives at once. */
#define PAGE 1000

/* --- facts --- */

static struct str text_of(struct delivery *delivery, const struct pg_result *result, const char *column)
{
	struct str value = pg_value(result, 0, pg_column(result, column));

	return arena_str(delivery->arena, value.p ? value : STR(""));
}

static void take_house(struct delivery *delivery)
{
	const struct conf *conf = room_conf(delivery->post->room);
	struct arena *arena = delivery->arena;
	struct str key = room_grant(delivery->post->room, "reply.key");
	struct str from = conf->out_from, reply = conf->reply_address;

	if (from.len == 0)
		from = arena_printf(arena, "cirt@" STR_FMT, STR_ARG(conf->hostname));
	if (reply.len == 0)
		reply = arena_printf(arena, "case@" STR_FMT, STR_ARG(conf->hostname));
	delivery->house = (struct letter_house){.name = arena_str(arena, conf->out_name),
		.from = arena_str(arena, from),
		.reply = reply_address(key, reply, delivery->facts.number, arena),
		.zip_over = conf->out_zip_over,
		.max_size = conf->out_max_size,
		.now = clock_now()};
}

static enum key_policy policy_of(struct str name)
{
	return str_equal(name, STR("required"))    ? KEY_REQUIRED
	       : str_equal(name, STR("preferred")) ? KEY_PREFERRED
	                                           : KEY_NEVER;
}

static void add_key(struct delivery *delivery, enum seal_kind kind, struct str key)
{
	if (key.len > 0 && delivery->key_count < DELIVERY_KEYS)
		delivery->keys[delivery->key_count++] = (struct key_choice){.kind = kind, .key = key};
}

static bool take_facts(struct delivery *delivery, const struct pg_result *result)
{
	struct letter_facts *facts = &delivery->facts;
	struct str format = text_of(delivery, result, "format");

	if (!mail_kind_parse(text_of(delivery, result, "kind"), &facts->kind) ||
		!tlp_parse(text_of(delivery, result, "tlp"), &facts->tlp))
		return false;
	facts->format = str_equal(format, STR("xarf"))     ? TABLE_XARF
	                : str_equal(format, STR("inline")) ? TABLE_INLINE
	                                                   : TABLE_CSV;
	facts->sanitised = str_equal(text_of(delivery, result, "sanitised"), STR("t"));
	facts->number = text_of(delivery, result, "number");
	facts->language = text_of(delivery, result, "language");
	facts->template = text_of(delivery, result, "template");
	facts->address = text_of(delivery, result, "address");
	facts->message_id = text_of(delivery, result, "message_id");
	facts->in_reply_to = text_of(delivery, result, "in_reply_to");
	facts->organisation = text_of(delivery, result, "organisation");
	facts->contact = text_of(delivery, result, "contact");
	facts->exercise = text_of(delivery, result, "exercise");
	facts->case_number = text_of(delivery, result, "case_number");
	for (unsigned i = 0; i < MAIL_FIELDS; i++)
		if (mail_fields[i].given[0])
			facts->given[i] = text_of(delivery, result, mail_fields[i].given);
	delivery->made = str_equal(text_of(delivery, result, "made"), STR("t"));
	delivery->policy = policy_of(text_of(delivery, result, "policy"));
	add_key(delivery, SEAL_PGP, text_of(delivery, result, "pgp"));
	add_key(delivery, SEAL_CMS, text_of(delivery, result, "smime"));
	take_house(delivery);
	return true;
}

/* --- steps of the transaction --- */

/* The delivery may end before its transaction does: the room drains. */
struct loading {
	struct post *post;
	struct delivery *delivery;
	char problem[256];
};

static void on_dropped(struct pg *pg, const struct pg_result *result, void *context)
{
	(void)pg;
	(void)result;
	(void)context;
}

/* inside: the transaction has not ended. */
static bool goes_on(struct loading *loading, const struct pg_result *result, bool inside)
{
	if (!delivery_lives(loading->post, loading->delivery)) {
		if (result->outcome == PG_DONE && inside)
			pg_rollback(loading->post->pg, on_dropped, loading->post);
		free(loading);
		return false;
	}
	if (result->outcome == PG_DONE)
		return true;
	delivery_answered(loading->delivery, result, "reading it");
	free(loading);
	return false;
}

static void step(struct loading *loading, const char *sql, bool courier, pg_result_fn *call)
{
	struct pg_parameter parameters[] = {
		{.value = str_of(loading->delivery->id_text)}, {.value = str_of(loading->post->id)}};

	pg_step(loading->post->pg, sql, parameters, courier ? 2 : 1, call, loading);
}

static void on_over(struct pg *pg, const struct pg_result *result, void *context)
{
	struct loading *loading = context;
	struct delivery *delivery = loading->delivery;
	struct err err = {0};

	(void)pg;
	if (!goes_on(loading, result, false))
		return;
	memcpy(err.text, loading->problem, sizeof(err.text));
	free(loading);
	if (delivery->made)
		delivery_send(delivery);
	else if (err.text[0] || !compose_end(delivery->compose, &err))
		delivery_hold(delivery, err.text, false);
	else
		delivery_seal(delivery);
}

static void on_gone(struct pg *pg, const struct pg_result *result, void *context)
{
	struct loading *loading = context;

	(void)pg;
	if (!goes_on(loading, result, false))
		return;
	delivery_end(loading->delivery);
	free(loading);
}

static void finish(struct loading *loading, const char *problem)
{
	snprintf(loading->problem, sizeof(loading->problem), "%s", problem);
	pg_commit(loading->post->pg, on_over, loading);
}

static void on_rows(struct pg *pg, const struct pg_result *result, void *context)
{
	struct loading *loading = context;
	struct err err = {0};
	bool ok = true;

	if (!goes_on(loading, result, true))
		return;
	for (int row = 0; ok && row < result->rows; row++) {
		struct told_row told;

		for (int i = 0; i < (int)ROW_FIELDS; i++)
			told.field[i] = pg_value(result, row, i);
		ok = compose_row(loading->delivery->compose, &told, &err);
	}
	room_alive(loading->post->room);
	if (ok && result->rows == PAGE)
		pg_step(pg, "FETCH 1000 FROM told", NULL, 0, on_rows, loading);
	else
		finish(loading, ok ? "" : err.text);
}

static void on_declared(struct pg *pg, const struct pg_result *result, void *context)
{
	struct loading *loading = context;

	if (goes_on(loading, result, true))
		pg_step(pg, "FETCH 1000 FROM told", NULL, 0, on_rows, loading);
}

/* The columns of row_fields, in their order. */
static void declare(struct loading *loading)
{
	struct buf sql = {0};

	buf_text(&sql, "DECLARE told NO SCROLL CURSOR FOR SELECT ");
	for (unsigned i = 0; i < ROW_FIELDS; i++) {
		const char *comma = i > 0 ? ", " : "";

		if (i == ROW_FIRST || i == ROW_LAST)
			buf_printf(&sql,
				"%sto_char((content ->> '%s')::timestamptz AT TIME ZONE 'UTC', "
				"'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
				comma, row_fields[i].given);
		else if (i == ROW_OBSERVABLES)
			buf_printf(&sql,
				"%sarray_to_string(ARRAY(SELECT jsonb_array_elements_text(content -> '%s')), "
				"E'\\n')",
				comma, row_fields[i].given);
		else
			buf_printf(&sql, "%scontent ->> '%s'", comma, row_fields[i].given);
	}
	buf_text(
		&sql, " FROM disclosure WHERE outbox = $1 AND left_out IS NULL AND told IS NULL ORDER BY id");
	step(loading, buf_cstr(&sql), false, on_declared);
	buf_free(&sql);
}

static void on_checked(struct pg *pg, const struct pg_result *result, void *context)
{
	struct loading *loading = context;
	struct delivery *delivery = loading->delivery;

	(void)pg;
	if (!goes_on(loading, result, true))
		return;
	delivery->told = (uint64_t)pg_value_int(result, 0, 0);
	delivery->compose = compose_new(&delivery->facts, &delivery->house, delivery->post->texts);
	if (delivery->told > 0)
		declare(loading);
	else
		finish(loading,
			delivery->facts.kind == MAIL_NOTICE ? "nothing in it may leave any more" : "");
}

static void on_mail(struct pg *pg, const struct pg_result *result, void *context)
{
	struct loading *loading = context;
	struct delivery *delivery = loading->delivery;

	if (!goes_on(loading, result, true))
		return;
	if (result->rows == 0 || !take_facts(delivery, result))
		pg_rollback(pg, on_gone, loading);
	else if (delivery->made)
		finish(loading, "");
	else
		step(loading, "SELECT told, refused FROM courier_check($1, $2)", true, on_checked);
}

static void on_begun(struct pg *pg, const struct pg_result *result, void *context)
{
	struct loading *loading = context;
	struct buf sql = {0};

	(void)pg;
	if (!goes_on(loading, result, true))
		return;
	buf_text(&sql, "SELECT *");
	for (unsigned i = 0; i < MAIL_FIELDS; i++)
		if (mail_fields[i].given[0])
			buf_printf(
				&sql, ", fields ->> '%s' AS %s", mail_fields[i].given, mail_fields[i].given);
	buf_text(&sql, " FROM courier_mail($1, $2)");
	step(loading, buf_cstr(&sql), true, on_mail);
	buf_free(&sql);
}

void delivery_load(struct delivery *delivery)
{
	struct loading *loading = mem_alloc(sizeof(*loading));

	loading->post = delivery->post;
	loading->delivery = delivery;
	pg_begin(delivery->post->pg, "BEGIN", on_begun, loading);
}
