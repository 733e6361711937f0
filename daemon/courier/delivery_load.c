#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "courier/delivery.h"
#include "courier/permit.h"
#include "model/reply_seal.h"

/* Rows that the database gives at once. */
#define PAGE 1000
/* Of a mail that somebody wrote. */
#define REFUSED "something in it may not leave any more"

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
		.reply = reply_address(key, reply, delivery->facts.reply, arena),
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
	facts->reply = text_of(delivery, result, "reply");
	for (unsigned i = 0; i < MAIL_FIELDS; i++)
		if (mail_fields[i].given[0])
			facts->given[i] = text_of(delivery, result, mail_fields[i].given);
	delivery->barred = str_equal(text_of(delivery, result, "barred"), STR("t"));
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
	struct buf refused; /* arrays of the rows that our own gate does not let, and why */
	struct buf reasons;
	uint64_t refused_count;
	uint64_t seen; /* rows, those too */
	bool changed;  /* what it tells is not what was counted */
	char problem[256];
};

static void loading_free(struct loading *loading)
{
	buf_free(&loading->refused);
	buf_free(&loading->reasons);
	free(loading);
}

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
		loading_free(loading);
		return false;
	}
	if (result->outcome == PG_DONE)
		return true;
	delivery_answered(loading->delivery, result, "reading it");
	loading_free(loading);
	return false;
}

/* $1 is the mail, $2 the courier. */
static void step(struct loading *loading, const char *sql, pg_result_fn *call)
{
	struct pg_parameter parameters[] = {
		{.value = str_of(loading->delivery->id_text)}, {.value = str_of(loading->post->id)}};

	pg_step(loading->post->pg, sql, parameters, ARRAY_LEN(parameters), call, loading);
}

static void on_over(struct pg *pg, const struct pg_result *result, void *context)
{
	struct loading *loading = context;
	struct delivery *delivery = loading->delivery;
	struct err err = {0};
	bool changed = loading->changed;

	(void)pg;
	if (!goes_on(loading, result, false))
		return;
	memcpy(err.text, loading->problem, sizeof(err.text));
	loading_free(loading);
	if (delivery->made)
		delivery_send(delivery);
	else if (changed)
		delivery_put_off(
			delivery, CLOCK_SECOND, false, "what it tells has changed while it was read", "");
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
	loading_free(loading);
}

static void finish(struct loading *loading, const char *problem)
{
	snprintf(loading->problem, sizeof(loading->problem), "%s", problem);
	pg_commit(loading->post->pg, on_over, loading);
}

/* Rows that are left out are none of the mail's; where all are, a person has to look at it. What was counted
 * is taken for told in the end, and must have been shown. */
static void rows_are_in(struct loading *loading)
{
	struct delivery *delivery = loading->delivery;

	loading->changed = loading->seen != delivery->told;
	delivery->told -= loading->refused_count;
	finish(loading, delivery->told > 0 ? "" : "nothing in it may leave any more");
}

static void on_left_out(struct pg *pg, const struct pg_result *result, void *context)
{
	struct loading *loading = context;

	(void)pg;
	if (!goes_on(loading, result, true))
		return;
	/* What would be taken for told, and was not. */
	if (result->rows == 0 || (uint64_t)pg_value_int(result, 0, 0) != loading->refused_count)
		finish(loading, "what may not leave any more could not be marked so");
	else
		rows_are_in(loading);
}

static void leave_out(struct loading *loading)
{
	struct pg_parameter parameters[] = {{.value = str_of(loading->delivery->id_text)},
		{.value = str_of(loading->post->id)}, {.value = STR_NONE}, {.value = STR_NONE}};

	pg_array_end(&loading->refused);
	pg_array_end(&loading->reasons);
	parameters[2].value = buf_view(&loading->refused);
	parameters[3].value = buf_view(&loading->reasons);
	pg_step(loading->post->pg, "SELECT courier_leave_out($1, $2, $3, $4)", parameters,
		ARRAY_LEN(parameters), on_left_out, loading);
}

static void refuse(struct loading *loading, int64_t row, const char *why)
{
	if (loading->refused_count++ == 0) {
		pg_array_begin(&loading->refused);
		pg_array_begin(&loading->reasons);
	}
	pg_array_int(&loading->refused, row);
	pg_array_text(&loading->reasons, str_of(why));
}

/* Somebody wrote it: what it tells stands in its text, and cannot be left out of that. */
static bool is_written(const struct delivery *delivery)
{
	return delivery->facts.kind == MAIL_OTHER;
}

/* The columns of a row: its id, what the gate is asked by, what it tells. */
#define ROW_FIRST_VALUE (1 + PERMIT_COLUMN_COUNT)

static bool take_row(struct loading *loading, const struct pg_result *result, int row, struct err *err)
{
	struct told_row told;
	struct err why;

	loading->seen++;
	if (!permit_row(result, row, 1, &why)) {
		refuse(loading, pg_value_int(result, row, 0), why.text);
		return true;
	}
	if (is_written(loading->delivery))
		return true;
	for (int i = 0; i < (int)ROW_FIELDS; i++)
		told.field[i] = pg_value(result, row, ROW_FIRST_VALUE + i);
	told.hit = str_equal(pg_value(result, row, ROW_FIRST_VALUE + (int)ROW_FIELDS), STR("true"));
	return compose_row(loading->delivery->compose, &told, err);
}

static void on_rows(struct pg *pg, const struct pg_result *result, void *context)
{
	struct loading *loading = context;
	struct err err = {0};
	bool ok = true;

	if (!goes_on(loading, result, true))
		return;
	for (int row = 0; ok && row < result->rows; row++)
		ok = take_row(loading, result, row, &err);
	room_alive(loading->post->room);
	if (ok && result->rows == PAGE)
		pg_step(pg, "FETCH 1000 FROM told", NULL, 0, on_rows, loading);
	else if (!ok)
		finish(loading, err.text);
	else if (loading->refused_count > 0 && is_written(loading->delivery))
		finish(loading, REFUSED);
	else if (loading->refused_count > 0)
		leave_out(loading);
	else
		rows_are_in(loading);
}

static void on_declared(struct pg *pg, const struct pg_result *result, void *context)
{
	struct loading *loading = context;

	if (goes_on(loading, result, true))
		pg_step(pg, "FETCH 1000 FROM told", NULL, 0, on_rows, loading);
}

/* Of each row its id, what our gate asks, and the columns of row_fields in their order. Each is looked up by
 * the key of the mail and the report: a join may read the whole table, and ask the gate of the database,
 * which costs most of all, about the rows of all other mails. */
static void declare(struct loading *loading)
{
	struct buf sql = {0};

	buf_text(&sql, "DECLARE told NO SCROLL CURSOR FOR SELECT d.id, " PERMIT_COLUMNS);
	for (unsigned i = 0; i < ROW_FIELDS; i++) {
		if (i == ROW_FIRST || i == ROW_LAST)
			buf_printf(&sql,
				", to_char((content ->> '%s')::timestamptz AT TIME ZONE 'UTC', "
				"'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
				row_fields[i].given);
		else if (i == ROW_OBSERVABLES)
			buf_printf(&sql,
				", array_to_string(ARRAY(SELECT jsonb_array_elements_text(content -> '%s')), "
				"E'\\n')",
				row_fields[i].given);
		else
			buf_printf(&sql, ", content ->> '%s'", row_fields[i].given);
	}
	buf_text(&sql, ", content ->> 'hit' FROM courier_rows($1, $2) f CROSS JOIN LATERAL (SELECT x.id, "
		       "x.told, x.content "
		       "FROM disclosure x WHERE x.outbox = $1 AND x.report = f.report OFFSET 0) d "
		       "WHERE NOT f.left_out AND d.told IS NULL ORDER BY d.id");
	step(loading, buf_cstr(&sql), on_declared);
	buf_free(&sql);
}

static void on_checked(struct pg *pg, const struct pg_result *result, void *context)
{
	struct loading *loading = context;
	struct delivery *delivery = loading->delivery;
	bool had;

	(void)pg;
	if (!goes_on(loading, result, true))
		return;
	delivery->told = (uint64_t)pg_value_int(result, 0, 0);
	had = delivery->facts.kind == MAIL_NOTICE || pg_value_int(result, 0, 1) > 0;
	delivery->compose = compose_new(&delivery->facts, &delivery->house, delivery->post->texts);
	if (is_written(delivery) && (delivery->barred || pg_value_int(result, 0, 1) > 0))
		finish(loading, REFUSED);
	else if (delivery->told > 0)
		declare(loading);
	else
		finish(loading, had ? "nothing in it may leave any more" : "");
}

/* The mail itself, whatever it tells. */
static void on_lane(struct pg *pg, const struct pg_result *result, void *context)
{
	struct loading *loading = context;
	struct err err = {0};

	(void)pg;
	if (!goes_on(loading, result, true))
		return;
	if (result->rows == 0)
		finish(loading, "nothing is known of where it may go");
	else if (!permit_row(result, 0, 0, &err))
		finish(loading, err.text);
	else
		step(loading, "SELECT told, refused FROM courier_check($1, $2)", on_checked);
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
		step(loading, "SELECT " PERMIT_COLUMNS " FROM courier_lane($1, $2) f", on_lane);
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
	step(loading, buf_cstr(&sql), on_mail);
	buf_free(&sql);
}

void delivery_load(struct delivery *delivery)
{
	struct loading *loading = mem_alloc(sizeof(*loading));

	loading->post = delivery->post;
	loading->delivery = delivery;
	pg_begin(delivery->post->pg, "BEGIN", on_begun, loading);
}
