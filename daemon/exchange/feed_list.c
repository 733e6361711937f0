#include "exchange/feed_list.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

#define NAME_MAX_BYTES 100
#define ITEMS_MAX      200000u
#define BODY_MAX       ((size_t)64 << 20)

struct list *list_new(const struct list_kind *kind, void *own)
{
	struct list *list = mem_alloc(sizeof(*list));

	list->kind = kind;
	list->own = own;
	list->arena = arena_new(4096);
	list->known = map_new();
	return list;
}

void list_end(void *way)
{
	struct list *list = way;
	size_t cursor = 0;
	struct str key;
	void *value;

	while (map_next_str(list->known, &cursor, &key, &value))
		free(value);
	map_free(&list->known);
	arena_free(&list->arena);
	buf_free(&list->body);
	if (list->kind->free)
		list->kind->free(list->own);
	free(list);
}

static bool name_ok(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
			c != '-' && c != '_')
			return false;
	}
	return name.len > 0 && name.len <= NAME_MAX_BYTES;
}

bool list_add(struct list *list, const struct feed_item *item, struct err *err)
{
	const char *known;

	if (!name_ok(item->name) || item->version.len > 60)
		return err_set(err, ERR_MALFORMED,
			"the list names \"" STR_FMT "\", which is no name of an item",
			STR_ARG(utf8_cut(item->name, 60)));
	if (list->count == ITEMS_MAX)
		return err_set(err, ERR_NOSPACE, "the list names more than %u items", ITEMS_MAX);
	known = map_get_str(list->known, item->name);
	if (known && str_equal(str_of(known), item->version))
		return true;
	if (list->count == 0)
		list->items = arena_alloc(list->arena, sizeof(*list->items));
	else if ((list->count & (list->count - 1)) == 0)
		list->items = arena_grow(list->arena, list->items, list->count * sizeof(*list->items),
			2 * list->count * sizeof(*list->items));
	list->items[list->count++] = (struct feed_item){.name = arena_str(list->arena, item->name),
		.version = arena_str(list->arena, item->version),
		.about = arena_str(list->arena, item->about),
		.order = item->order};
	return true;
}

static void part_begin(struct list *list)
{
	arena_reset(list->arena);
	list->items = NULL;
	list->count = list->at = 0;
	list->listed = list->asked = list->missing = list->too_long = false;
	buf_clear(&list->body);
}

void list_start(struct feed *feed)
{
	struct list *list = feed->way;

	part_begin(list);
	list->kind->start(feed);
}

static void owner_of(const struct feed *feed, const struct feed_item *item, char owner[FEED_OWNER])
{
	const struct list *list = feed->way;

	(void)snprintf(owner, FEED_OWNER, "%s/%u/" STR_FMT, list->kind->prefix, feed->source.id,
		STR_ARG(item->name));
}

bool list_next(struct feed *feed, struct feed_step *step, struct err *err)
{
	struct list *list = feed->way;

	if (list->listed && list->at == list->count) {
		bool missing = list->missing;

		part_begin(list);
		list->kind->over(feed, missing);
	}
	if (!list->listed) {
		step->keep = true;
		step->json = true;
		buf_clear(&list->body);
		return list->kind->ask(feed, step, err);
	}
	owner_of(feed, &list->items[list->at], step->owner);
	if (!list->asked) {
		step->kind = STEP_ASK;
		return true;
	}
	step->kind = STEP_FETCH;
	buf_str(&step->member, list->items[list->at].about);
	return list->kind->fetch(feed, &list->items[list->at], step, err);
}

static void remember(struct list *list)
{
	const struct feed_item *item = &list->items[list->at];

	free(map_put_str(list->known, item->name, mem_strndup(item->version.p, item->version.len)));
	list->at++;
	list->asked = false;
}

void list_known(struct feed *feed, struct str value)
{
	struct list *list = feed->way;
	struct cursor taken;

	if (value.p && cursor_decode(value, str_of(feed->url), &taken) &&
		str_equal(str_of(taken.last), list->items[list->at].version))
		remember(list);
	else
		list->asked = true;
}

void list_bytes(struct feed *feed, struct str bytes)
{
	struct list *list = feed->way;

	if (!feed->step.keep)
		return;
	if (list->body.len + bytes.len > BODY_MAX)
		list->too_long = true;
	else
		buf_str(&list->body, bytes);
}

static int by_order(const void *a, const void *b)
{
	const struct feed_item *left = a, *right = b;

	if (left->order != right->order)
		return left->order < right->order ? -1 : 1;
	return strcmp(left->name.p, right->name.p);
}

enum feed_page list_page(
	struct feed *feed, const struct fetch_result *result, enum trouble *trouble, struct err *err)
{
	struct list *list = feed->way;

	if (list->too_long) {
		*trouble = TROUBLE_TOO_LARGE;
		err_set(err, ERR_NOSPACE, "its list is longer than %zu MB", BODY_MAX >> 20);
		return PAGE_BAD;
	}
	if (feed->step.keep) {
		if (!list->kind->read(feed, result, buf_view(&list->body), err))
			return PAGE_BAD;
		if (list->count > 1)
			qsort(list->items, list->count, sizeof(*list->items), by_order);
		list->listed = true;
		return PAGE_KNOWN;
	}
	if (result->status == 304) {
		err_set(err, ERR_MALFORMED, "the server answered 304, but was asked without a condition");
		return PAGE_BAD;
	}
	cursor_set(feed->after.last, sizeof(feed->after.last), list->items[list->at].version);
	return feed->size > 0 ? PAGE_NEW : PAGE_KNOWN;
}

void list_taken(struct feed *feed)
{
	if (!feed->step.keep)
		remember(feed->way);
}

/* An item may be gone between the list and its turn; the others are not to wait for it. */
bool list_forgive(struct feed *feed, long status)
{
	struct list *list = feed->way;

	if (feed->step.keep || (status != 404 && status != 410))
		return false;
	feed_part(feed, TROUBLE_GONE, "the server answered %ld for " STR_FMT, status,
		STR_ARG(list->items[list->at].name));
	list->missing = true;
	list->at++;
	list->asked = false;
	return true;
}
