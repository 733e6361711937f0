#include "store/accounts.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "store/rows.h"

struct line {
	uint8_t spool[UUID_LEN];
	struct book book;
	uint64_t upto;
	bool dirty;
};

struct accounts {
	struct pg *pg;
	struct map *lines; /* by spool, source, day */
	struct columns columns;
	bool writing;
};

struct accounts *accounts_new(struct pg *pg)
{
	struct accounts *accounts = mem_alloc(sizeof *accounts);
	accounts->pg = pg;
	accounts->lines = map_new();
	return accounts;
}

static bool accounts_next(const struct accounts *accounts, size_t *cursor, struct line **line)
{
	struct str key;
	void *value;
	if (!map_next_str(accounts->lines, cursor, &key, &value))
		return false;
	*line = value;
	return true;
}

void accounts_free(struct accounts **accounts)
{
	struct accounts *it = *accounts;
	if (!it)
		return;
	size_t cursor = 0;
	struct line *line;
	while (accounts_next(it, &cursor, &line))
		free(line);
	map_free(&it->lines);
	columns_free(&it->columns);
	free(it);
	*accounts = NULL;
}

void accounts_say(struct accounts *accounts, const uint8_t spool[UUID_LEN], uint64_t upto,
	const struct book *said, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct buf key = {0};
		buf_append(&key, spool, UUID_LEN);
		buf_append(&key, &said[i].source, sizeof said[i].source);
		buf_append(&key, &said[i].day, sizeof said[i].day);
		struct line *line = map_get_str(accounts->lines, buf_view(&key));
		if (!line) {
			line = mem_alloc(sizeof *line);
			memcpy(line->spool, spool, UUID_LEN);
			map_put_str(accounts->lines, buf_view(&key), line);
		}
		line->dirty |= line->book.entries != said[i].entries || line->book.bytes != said[i].bytes;
		line->book = said[i];
		line->upto = upto;
		buf_free(&key);
	}
	accounts_write(accounts);
}

bool accounts_are_written(const struct accounts *accounts)
{
	size_t cursor = 0;
	struct line *line;
	while (accounts_next(accounts, &cursor, &line))
		if (line->dirty)
			return false;
	return !accounts->writing;
}

static void on_written(struct pg *pg, const struct pg_result *result, void *context)
{
	struct accounts *accounts = context;
	size_t cursor = 0;
	struct line *line;
	(void)pg;
	accounts->writing = false;
	if (result->outcome == PG_DONE) {
		accounts_write(accounts);
		return;
	}
	/* Absolute values may be written twice, so all of them are. */
	while (accounts_next(accounts, &cursor, &line))
		line->dirty = true;
	if (result->outcome == PG_REFUSED)
		log_error_f(LOG_F({"sqlstate", result->sqlstate}), "the books cannot be written: %s",
			result->text);
}

void accounts_write(struct accounts *accounts)
{
	static const uint32_t types[] = {PG_UUID, PG_INT4, PG_DATE, PG_INT8, PG_INT8, PG_INT8};
	struct pg_parameter parameters[ARRAY_LEN(types)];
	size_t cursor = 0;
	struct line *line;
	if (accounts->writing)
		return;
	columns_begin(&accounts->columns, types, ARRAY_LEN(types));
	while (accounts_next(accounts, &cursor, &line)) {
		if (!line->dirty)
			continue;
		put_uuid(column(&accounts->columns, 0), line->spool);
		put_i32(column(&accounts->columns, 1), (int32_t)line->book.source);
		put_day(column(&accounts->columns, 2), line->book.day);
		put_i64(column(&accounts->columns, 3), (int64_t)line->book.entries);
		put_i64(column(&accounts->columns, 4), (int64_t)line->book.bytes);
		put_i64(column(&accounts->columns, 5), (int64_t)line->upto);
		columns_next(&accounts->columns);
		line->dirty = false;
	}
	if (!accounts->columns.count)
		return;
	columns_parameters(&accounts->columns, parameters);
	accounts->writing = true;
	/* Only a spool that was put back to an earlier moment says less. What it had received since then
	 * landed. */
	pg_query(accounts->pg,
		"INSERT INTO books (spool, source, day, entries, bytes, upto) "
		"SELECT * FROM unnest($1, $2, $3, $4, $5, $6) "
		"ON CONFLICT (spool, source, day) DO UPDATE SET "
		"entries = greatest(books.entries, excluded.entries), bytes = greatest(books.bytes, "
		"excluded.bytes), "
		"upto = greatest(books.upto, excluded.upto), "
		"said = CASE WHEN excluded.entries > books.entries THEN now() ELSE books.said END",
		parameters, ARRAY_LEN(types), true, on_written, accounts);
}
