#include "config.h"

#include "desk/query.h"

void query_start(struct query *query, struct arena *arena, const char *piece)
{
	*query = (struct query){.arena = arena};
	query_add(query, piece);
}

void query_add(struct query *query, const char *piece)
{
	const char *place;

	while ((place = strstr(piece, "$?")) != NULL) {
		buf_append(&query->sql, piece, (size_t)(place - piece));
		buf_printf(&query->sql, "$%zu", ++query->places);
		piece = place + 2;
	}
	buf_text(&query->sql, piece);
}

void query_str(struct query *query, struct str value)
{
	if (query->count < QUERY_VALUES)
		query->values[query->count++] = (struct pg_parameter){.value = value};
}

void query_int(struct query *query, int64_t value)
{
	query_str(query, arena_printf(query->arena, "%lld", (long long)value));
}

void query_bool(struct query *query, bool value)
{
	query_str(query, value ? STR("t") : STR("f"));
}

void query_end(struct query *query)
{
	buf_free(&query->sql);
}
