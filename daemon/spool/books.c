#include "spool/books.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/pack.h"

struct row {
	struct book book;
	bool unwritten;
	bool unsent;
};

struct books {
	struct kv *kv;
	unsigned table;
	struct map *rows;
	size_t unwritten;
};

static uint64_t row_id(uint32_t source, int32_t day)
{
	return (uint64_t)source << 32 | (uint32_t)day;
}

static void rows_free(struct books *books)
{
	size_t cursor = 0;
	uint64_t id;
	void *row;

	while (map_next(books->rows, &cursor, &id, &row))
		free(row);
	map_free(&books->rows);
	books->unwritten = 0;
}

struct books *books_new(struct kv *kv, unsigned table)
{
	struct books *books = mem_alloc(sizeof(*books));

	books->kv = kv;
	books->table = table;
	books->rows = map_new();
	return books;
}

void books_free(struct books **books)
{
	if (!*books)
		return;
	rows_free(*books);
	free(*books);
	*books = NULL;
}

static struct row *row_of(struct books *books, uint32_t source, int32_t day)
{
	struct row *row = map_get(books->rows, row_id(source, day));

	if (!row) {
		row = mem_alloc(sizeof(*row));
		row->book.source = source;
		row->book.day = day;
		map_put(books->rows, row_id(source, day), row);
	}
	return row;
}

static bool load_row(void *context, struct str key, struct str value)
{
	struct unpack in = {.rest = value};
	struct row *row = row_of(context, kv_u32(key, 0), (int32_t)kv_u32(key, 4));

	row->book.entries = unpack_u64(&in);
	row->book.bytes = unpack_u64(&in);
	row->unsent = true;
	return true;
}

void books_load(struct books *books)
{
	const struct kv_key all = {.len = 0};

	rows_free(books);
	books->rows = map_new();
	kv_each(books->kv, KV_COMMITTED, books->table, &all, load_row, books);
	kv_release(books->kv);
}

void books_count(struct books *books, uint32_t source, int32_t day, uint64_t bytes)
{
	struct row *row = row_of(books, source, day);

	row->book.entries++;
	row->book.bytes += bytes;
	row->unsent = true;
	if (!row->unwritten)
		books->unwritten++;
	row->unwritten = true;
}

static struct kv_key row_key(const struct book *book)
{
	struct kv_key key = {.len = 0};

	kv_key_u32(&key, book->source);
	kv_key_u32(&key, (uint32_t)book->day);
	return key;
}

void books_write(struct books *books)
{
	struct buf value = {0};
	size_t cursor = 0;
	uint64_t id;
	void *found;

	while (books->unwritten && map_next(books->rows, &cursor, &id, &found)) {
		struct row *row = found;
		struct kv_key key = row_key(&row->book);

		if (!row->unwritten)
			continue;
		buf_clear(&value);
		pack_u64(&value, row->book.entries);
		pack_u64(&value, row->book.bytes);
		kv_put(books->kv, books->table, &key, buf_view(&value), false);
		row->unwritten = false;
		books->unwritten--;
	}
	buf_free(&value);
}

void books_clear(struct books *books)
{
	size_t cursor = 0;
	uint64_t id;
	void *row;

	while (map_next(books->rows, &cursor, &id, &row)) {
		struct kv_key key = row_key(&((struct row *)row)->book);

		kv_delete(books->kv, books->table, &key);
	}
	rows_free(books);
	books->rows = map_new();
}

struct book *books_list(struct books *books, bool unsent_only, struct arena *arena, size_t *count)
{
	struct book *list = arena_alloc(arena, (map_count(books->rows) + 1) * sizeof(*list));
	size_t cursor = 0;
	size_t used = 0;
	uint64_t id;
	void *found;

	while (map_next(books->rows, &cursor, &id, &found)) {
		struct row *row = found;

		if (unsent_only && !row->unsent)
			continue;
		if (unsent_only)
			row->unsent = false;
		list[used++] = row->book;
	}
	*count = used;
	return list;
}
