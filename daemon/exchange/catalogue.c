#include "exchange/catalogue.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "pg/pg.h"

/* How long pulls wait for the first answer after start. */
#define FIRST_WAIT (5 * CLOCK_SECOND)
/* After the database refused, as it does before it has its schema. */
#define RETRY_WAIT (2 * CLOCK_SECOND)
/* Reports not yet written; more are dropped. */
#define REPORTS_MAX 64
#define PROBLEM_MAX 501

struct catalogue {
	struct pg *pg; /* NULL: no database */
	struct timer *first;
	struct timer *retry;
	bool known;
	bool reading;
	bool again;       /* asked for while it was being read */
	struct map *auth; /* by source */
	catalogue_fn *changed;
	void *context;
};

static void auth_clear(struct map *auth)
{
	size_t cursor = 0;
	uint64_t id;
	void *value;

	while (map_next(auth, &cursor, &id, &value)) {
		map_remove(auth, id);
		mem_wipe(value, strlen(value));
		free(value);
	}
}

static void catalogue_settle(struct catalogue *catalogue)
{
	catalogue->known = true;
	timer_stop(catalogue->first);
	catalogue->changed(catalogue->context);
}

static void on_first_over(void *context)
{
	struct catalogue *catalogue = context;

	log_warn("feeds are pulled without credentials: %s", pg_why_down(catalogue->pg));
	catalogue_settle(catalogue);
}

/* Who waited for an answer that does not come goes on with what was read last. */
static void go_on(struct catalogue *catalogue)
{
	if (catalogue->known)
		catalogue->changed(catalogue->context);
}

static void on_auth(struct pg *pg, const struct pg_result *result, void *context)
{
	struct catalogue *catalogue = context;

	(void)pg;
	catalogue->reading = false;
	if (result->outcome == PG_REFUSED)
		log_warn("credentials of feeds: %s", result->text);
	if (result->outcome != PG_DONE) {
		timer_set(catalogue->retry, RETRY_WAIT);
		go_on(catalogue);
		return;
	}
	auth_clear(catalogue->auth);
	for (int row = 0; row < result->rows; row++) {
		struct str auth = pg_value(result, row, 1);

		map_put(catalogue->auth, (uint64_t)pg_value_int(result, row, 0),
			mem_strndup(auth.p, auth.len));
	}
	if (catalogue->again)
		catalogue_refresh(catalogue);
	if (!catalogue->reading)
		catalogue_settle(catalogue);
}

void catalogue_refresh(struct catalogue *catalogue)
{
	catalogue->again = catalogue->reading;
	if (!catalogue->pg || catalogue->reading || !pg_is_up(catalogue->pg))
		return;
	catalogue->reading = true;
	pg_query(
		catalogue->pg, "SELECT source, auth FROM feed_secrets()", NULL, 0, false, on_auth, catalogue);
}

static void on_retry(void *context)
{
	catalogue_refresh(context);
}

static void on_state(struct pg *pg, bool up, const char *why, void *context)
{
	struct catalogue *catalogue = context;

	(void)pg;
	(void)why;
	catalogue->reading = false;
	if (up)
		catalogue_refresh(catalogue);
	else
		go_on(catalogue);
}

struct catalogue *catalogue_new(
	struct loop *loop, struct str conninfo, struct str password, catalogue_fn *changed, void *context)
{
	struct catalogue *catalogue = mem_alloc(sizeof(*catalogue));
	struct pg_settings settings = {.conninfo = conninfo,
		.user = STR("cirt_exchange"),
		.password = password,
		.search_path = STR("cirt"),
		.schema = PG_SCHEMA,
		.name = "cirtd exchange"};

	catalogue->auth = map_new();
	catalogue->changed = changed;
	catalogue->context = context;
	catalogue->known = conninfo.len == 0;
	catalogue->first = timer_new(loop, on_first_over, catalogue);
	catalogue->retry = timer_new(loop, on_retry, catalogue);
	if (conninfo.len == 0)
		return catalogue;
	timer_set(catalogue->first, FIRST_WAIT);
	catalogue->pg = pg_new(loop, &settings, on_state, catalogue);
	return catalogue;
}

void catalogue_free(struct catalogue **catalogue)
{
	if (!*catalogue)
		return;
	pg_free(&(*catalogue)->pg);
	timer_free(&(*catalogue)->first);
	timer_free(&(*catalogue)->retry);
	auth_clear((*catalogue)->auth);
	map_free(&(*catalogue)->auth);
	free(*catalogue);
	*catalogue = NULL;
}

bool catalogue_known(const struct catalogue *catalogue)
{
	return catalogue->known && !catalogue->reading;
}

const char *catalogue_auth(const struct catalogue *catalogue, uint32_t source)
{
	const char *auth = map_get(catalogue->auth, source);

	return auth ? auth : "";
}

static void on_reported(struct pg *pg, const struct pg_result *result, void *context)
{
	(void)pg;
	(void)context;
	if (result->outcome == PG_REFUSED)
		log_error("state of a feed: %s", result->text);
}

/* What is told may quote the other side: the database takes UTF-8 only. */
static void plain_text(struct str text, char *plain, size_t size)
{
	bool valid = utf8_valid(text);

	text = utf8_cut(text, size - 1);
	for (size_t i = 0; i < text.len; i++)
		plain[i] = (char)(valid || (unsigned char)text.p[i] < 0x80 ? text.p[i] : '?');
	plain[text.len] = '\0';
}

void catalogue_report(struct catalogue *catalogue, const struct pull_end *end)
{
	char id[16], wait[32], pages[16], problem[PROBLEM_MAX];
	struct pg_parameter parameters[] = {{.value = {id, 0}},
		{.value = str_of(end->well ? "true" : "false")},
		{.value = str_of(trouble_name(end->trouble))}, {.value = {problem, 0}}, {.value = {wait, 0}},
		{.value = {pages, 0}}};

	if (!catalogue->pg || !pg_is_up(catalogue->pg) || pg_queued(catalogue->pg) >= REPORTS_MAX)
		return;
	parameters[0].value.len = (size_t)snprintf(id, sizeof(id), "%u", end->source);
	plain_text(str_of(end->problem), problem, sizeof(problem));
	parameters[3].value.len = strlen(problem);
	parameters[4].value.len =
		(size_t)snprintf(wait, sizeof(wait), "%lld milliseconds", (long long)(end->wait / 1000));
	parameters[5].value.len = (size_t)snprintf(pages, sizeof(pages), "%u", end->pages);
	pg_query(catalogue->pg, "SELECT feed_ended($1, $2, $3, $4, $5, $6)", parameters,
		ARRAY_LEN(parameters), true, on_reported, NULL);
}

bool catalogue_items(struct catalogue *catalogue, uint32_t source, bool fresh, struct str changes)
{
	char id[16];
	struct pg_parameter parameters[] = {
		{.value = {id, 0}}, {.value = str_of(fresh ? "true" : "false")}, {.value = changes}};

	if (!catalogue->pg || !pg_is_up(catalogue->pg) || pg_queued(catalogue->pg) >= REPORTS_MAX)
		return false;
	parameters[0].value.len = (size_t)snprintf(id, sizeof(id), "%u", source);
	pg_query(catalogue->pg, "SELECT feed_items($1, $2, $3)", parameters, ARRAY_LEN(parameters), true,
		on_reported, NULL);
	return true;
}
