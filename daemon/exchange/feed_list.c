#include "exchange/feed_list.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "wire/json_read.h"

#define ITEMS_MAX    200000u /* of one part of a list; the others have their turn in the next pull */
#define BODY_MAX     ((size_t)64 << 20)
#define VERSION_MAX  60u
#define LOST_MAX     8u /* items in a row that cannot be had: it is the server */
#define WANTED_DEPTH 4

struct list *list_new(const struct list_kind *kind, void *own)
{
	struct list *list = mem_alloc(sizeof(*list));

	list->kind = kind;
	list->own = own;
	list->arena = arena_new(4096);
	list->known = map_new();
	list->troubles = item_troubles_new();
	list->wanted_arena = arena_new(1024);
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
	item_troubles_free(&list->troubles);
	arena_free(&list->wanted_arena);
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
	return name.len > 0 && name.len <= ITEM_NAME_MAX;
}

static void add_copy(
	struct arena *arena, const struct feed_item *item, struct feed_item **items, size_t *count)
{
	size_t size = sizeof(**items);

	if (*count == 0)
		*items = arena_alloc(arena, size);
	else if ((*count & (*count - 1)) == 0)
		*items = arena_grow(arena, *items, *count * size, 2 * *count * size);
	(*items)[(*count)++] = (struct feed_item){.name = arena_str(arena, item->name),
		.version = arena_str(arena, item->version),
		.about = arena_str(arena, item->about),
		.order = item->order,
		.late = item->late};
}

static bool is_known(const struct list *list, const struct feed_item *item)
{
	const char *known = map_get_str(list->known, item->name);

	return known && str_equal(str_of(known), item->version);
}

void list_add(struct feed *feed, const struct feed_item *item)
{
	struct list *list = feed->way;
	struct feed_item one = *item;
	enum item_turn turn;

	if (!name_ok(item->name) || item->version.len > VERSION_MAX) {
		list_bad(feed, item->name, "it is no name of an item");
		return;
	}
	item_listed(list->troubles, item->name);
	if (is_known(list, item)) {
		item_taken(list->troubles, item->name);
		return;
	}
	turn = item_turn(list->troubles, item, clock_monotonic());
	if (turn == ITEM_GIVEN_UP)
		return;
	if (turn == ITEM_LATER || list->count == ITEMS_MAX) {
		list->missing = true;
		return;
	}
	one.late = item_troubled(list->troubles, item->name);
	add_copy(list->arena, &one, &list->items, &list->count);
}

/* A text of theirs as what it can be told by: nothing that a screen or a database would stumble over. */
static struct str plain_name(struct str name, char plain[ITEM_NAME_MAX])
{
	size_t len = name.len < ITEM_NAME_MAX ? name.len : ITEM_NAME_MAX;

	if (len == 0)
		return STR("(no name)");
	for (size_t i = 0; i < len; i++)
		plain[i] = (char)(name.p[i] >= 0x20 && name.p[i] < 0x7f ? name.p[i] : '?');
	return (struct str){plain, len};
}

void list_bad(struct feed *feed, struct str name, const char *problem)
{
	struct list *list = feed->way;
	char plain[ITEM_NAME_MAX];
	struct feed_item item = {.name = plain_name(name, plain), .version = STR(""), .about = STR("")};
	int64_t now = clock_monotonic();
	enum item_turn turn = item_turn(list->troubles, &item, now);

	item_listed(list->troubles, item.name);
	if (turn == ITEM_GIVEN_UP)
		return;
	list->missing = true;
	feed_part(feed, TROUBLE_MALFORMED, "the list names \"" STR_FMT "\": %s", STR_ARG(item.name), problem);
	if (turn == ITEM_NOW)
		item_failed(list->troubles, &item, TROUBLE_MALFORMED, problem, now,
			(int64_t)feed->collector->patience);
}

static void part_begin(struct list *list)
{
	arena_reset(list->arena);
	list->items = NULL;
	list->count = list->at = 0;
	list->listed = list->asked = list->missing = list->again = list->too_long = false;
	buf_clear(&list->body);
}

void list_start(struct feed *feed)
{
	struct list *list = feed->way;

	part_begin(list);
	list->lost = 0;
	list->kind->start(feed);
	if (list->wanted_count == 0)
		return;
	list->items = list->wanted;
	list->count = list->wanted_count;
	list->listed = list->again = true;
}

static void part_over(struct feed *feed)
{
	struct list *list = feed->way;
	bool missing = list->missing, again = list->again;

	part_begin(list);
	if (!again) {
		list->kind->over(feed, missing);
		return;
	}
	arena_reset(list->wanted_arena);
	list->wanted_count = 0;
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

	if (list->listed && list->at == list->count)
		part_over(feed);
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
	item_taken(list->troubles, item->name);
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

	if (left->late != right->late)
		return left->late ? 1 : -1;
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
		item_listing(list->troubles);
		if (!list->kind->read(feed, result, buf_view(&list->body), err))
			return PAGE_BAD;
		if (list->kind->whole && result->status == 200)
			item_listing_over(list->troubles);
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
	struct list *list = feed->way;

	if (feed->step.keep)
		return;
	list->lost = 0;
	remember(list);
}

/* The item at hand could not be had. Where the server asks for patience, or nothing of it can be had, the
 * pull ends; the next one begins with others. */
bool list_spare(struct feed *feed, enum trouble trouble, const char *why)
{
	struct list *list = feed->way;
	const struct feed_item *item = list->items + list->at;

	if (feed->step.keep || !list->listed || list->at >= list->count)
		return false;
	feed_part(feed, trouble, STR_FMT ": %s", STR_ARG(item->name), why);
	list->missing = true;
	if (!item_failed(list->troubles, item, trouble, why, clock_monotonic(),
		    (int64_t)feed->collector->patience))
		return false;
	list->at++;
	list->asked = false;
	return trouble != TROUBLE_BUSY && ++list->lost < LOST_MAX;
}

int64_t list_ended(struct feed *feed)
{
	struct list *list = feed->way;
	struct buf json = {0};

	if ((item_changes(list->troubles, &json) || !list->told) &&
		catalogue_items(feed->collector->catalogue, feed->source.id, !list->told, buf_view(&json))) {
		item_told(list->troubles);
		list->told = true;
	}
	buf_free(&json);
	return item_next(list->troubles, clock_monotonic());
}

/* What an operator asks for came from the database: it was ours, and is looked at all the same. */
static bool about_ok(struct str about)
{
	struct buf whole = {0};
	struct json_object *object = NULL;
	bool good;

	buf_printf(&whole, "{\"x\":0" STR_FMT "}", STR_ARG(about));
	good = json_read(buf_view(&whole), WANTED_DEPTH, &object, NULL) &&
	       json_object_is_type(object, json_type_object);
	json_object_put(object);
	buf_free(&whole);
	return good;
}

static void want(struct list *list, struct json_object *row)
{
	struct feed_item item = {.name = json_text(row, "item"),
		.version = json_text(row, "version"),
		.about = json_text(row, "about")};
	struct json_object *place = json_of(row, "place", json_type_int);

	if (place)
		item.order = json_object_get_int64(place);
	item_again(list->troubles, &item);
	/* What has no name that can be asked for comes back where it is listed still. */
	if (name_ok(item.name) && item.version.len <= VERSION_MAX && about_ok(item.about))
		add_copy(list->wanted_arena, &item, &list->wanted, &list->wanted_count);
	else
		item_taken(list->troubles, item.name);
}

void list_again(struct feed *feed, struct str items)
{
	struct list *list = feed->way;
	struct json_object *rows = NULL;

	if (json_read(items, WANTED_DEPTH, &rows, NULL) && json_object_is_type(rows, json_type_array))
		for (size_t i = 0; i < json_object_array_length(rows) && i < ITEM_TROUBLES; i++)
			want(list, json_object_array_get_idx(rows, i));
	json_object_put(rows);
}
