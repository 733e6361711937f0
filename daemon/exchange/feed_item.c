#include "exchange/feed_item.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

#define TRIES_MIN    3u
#define FIRST_WAIT   (60 * CLOCK_SECOND)
#define FIRST_PART   64 /* of the patience, where that is less */
#define LAST_PART    4
#define PROBLEM_MAX  200u
#define WAIT_DOUBLES 30u

struct item_trouble {
	char *version;
	char *about;
	char *problem;
	int64_t order;
	enum trouble trouble;
	unsigned tries;
	int64_t first; /* try, of clock_monotonic() */
	int64_t due;
	bool given_up;
	bool taken; /* it goes when that has been told */
	bool changed;
	bool listed;
};

struct item_troubles {
	struct map *map; /* by name */
};

struct item_troubles *item_troubles_new(void)
{
	struct item_troubles *troubles = mem_alloc(sizeof(*troubles));

	troubles->map = map_new();
	return troubles;
}

static void trouble_free(struct item_trouble *one)
{
	free(one->version);
	free(one->about);
	free(one->problem);
	free(one);
}

void item_troubles_free(struct item_troubles **troubles)
{
	size_t cursor = 0;
	struct str name;
	void *one;

	if (!*troubles)
		return;
	while (map_next_str((*troubles)->map, &cursor, &name, &one))
		trouble_free(one);
	map_free(&(*troubles)->map);
	free(*troubles);
	*troubles = NULL;
}

static struct item_trouble *find(const struct item_troubles *troubles, struct str name)
{
	struct item_trouble *one = map_get_str(troubles->map, name);

	return one && !one->taken ? one : NULL;
}

bool item_troubled(const struct item_troubles *troubles, struct str name)
{
	return find(troubles, name) != NULL;
}

enum item_turn item_turn(const struct item_troubles *troubles, const struct feed_item *item, int64_t now)
{
	const struct item_trouble *one = find(troubles, item->name);

	if (!one || !str_equal(str_of(one->version), item->version))
		return ITEM_NOW;
	if (one->given_up)
		return ITEM_GIVEN_UP;
	return one->due <= now ? ITEM_NOW : ITEM_LATER;
}

static void keep(char **member, struct str text)
{
	free(*member);
	*member = mem_strndup(text.p ? text.p : "", text.len);
}

static struct item_trouble *add(struct item_troubles *troubles, struct str name)
{
	struct item_trouble *one = mem_alloc(sizeof(*one));

	keep(&one->version, STR(""));
	keep(&one->about, STR(""));
	map_put_str(troubles->map, name, one);
	return one;
}

static int64_t wait_after(unsigned tries, int64_t patience)
{
	int64_t wait = patience / FIRST_PART < FIRST_WAIT ? patience / FIRST_PART : FIRST_WAIT;
	int64_t last = patience / LAST_PART;

	for (unsigned i = 1; i < tries && i < WAIT_DOUBLES && wait < last; i++)
		wait *= 2;
	return wait < last ? wait : last;
}

bool item_failed(struct item_troubles *troubles, const struct feed_item *item, enum trouble trouble,
	const char *problem, int64_t now, int64_t patience)
{
	struct item_trouble *one = map_get_str(troubles->map, item->name);

	if (!one && map_count(troubles->map) >= ITEM_TROUBLES)
		return false;
	if (!one)
		one = add(troubles, item->name);
	if (one->taken || one->tries == 0 || !str_equal(str_of(one->version), item->version)) {
		one->taken = one->given_up = false;
		one->tries = 0;
		one->first = now;
	}
	keep(&one->version, item->version);
	keep(&one->about, item->about);
	keep(&one->problem, utf8_cut(str_of(problem), PROBLEM_MAX));
	one->order = item->order;
	one->trouble = trouble;
	one->tries++;
	one->due = now + wait_after(one->tries, patience);
	one->given_up = one->tries >= TRIES_MIN && now - one->first >= patience;
	one->changed = one->listed = true;
	return true;
}

void item_taken(struct item_troubles *troubles, struct str name)
{
	struct item_trouble *one = find(troubles, name);

	if (one)
		one->taken = one->changed = true;
}

void item_again(struct item_troubles *troubles, const struct feed_item *item)
{
	struct item_trouble *one = map_get_str(troubles->map, item->name);

	if (!one)
		one = add(troubles, item->name);
	keep(&one->version, item->version);
	keep(&one->about, item->about);
	one->given_up = one->taken = false;
	one->tries = 0;
	one->due = 0;
}

static void each(struct item_troubles *troubles, void (*act)(struct item_trouble *one))
{
	size_t cursor = 0;
	struct str name;
	void *one;

	while (map_next_str(troubles->map, &cursor, &name, &one))
		act(one);
}

static void is_unlisted(struct item_trouble *one)
{
	one->listed = false;
}

void item_listing(struct item_troubles *troubles)
{
	each(troubles, is_unlisted);
}

void item_listed(struct item_troubles *troubles, struct str name)
{
	struct item_trouble *one = find(troubles, name);

	if (one)
		one->listed = true;
}

static void forget_unlisted(struct item_trouble *one)
{
	if (!one->listed)
		one->taken = one->changed = true;
}

void item_listing_over(struct item_troubles *troubles)
{
	each(troubles, forget_unlisted);
}

int64_t item_next(const struct item_troubles *troubles, int64_t now)
{
	size_t cursor = 0;
	struct str name;
	void *value;
	int64_t next = -1;

	while (map_next_str(troubles->map, &cursor, &name, &value)) {
		const struct item_trouble *one = value;
		int64_t wait = one->due > now ? one->due - now : 0;

		if (!one->taken && !one->given_up && (next < 0 || wait < next))
			next = wait;
	}
	return next;
}

static void put_text(struct buf *json, const char *name, const char *text)
{
	buf_printf(json, ",\"%s\":", name);
	buf_json_string(json, str_of(text ? text : ""));
}

bool item_changes(const struct item_troubles *troubles, struct buf *json)
{
	size_t cursor = 0, count = 0;
	struct str name;
	void *value;

	buf_char(json, '[');
	while (map_next_str(troubles->map, &cursor, &name, &value)) {
		const struct item_trouble *one = value;

		if (!one->changed)
			continue;
		buf_text(json, count++ > 0 ? ",{\"item\":" : "{\"item\":");
		buf_json_string(json, name);
		put_text(json, "version", one->version);
		put_text(json, "about", one->about);
		put_text(json, "trouble", trouble_name(one->trouble));
		put_text(json, "problem", one->problem);
		buf_printf(json, ",\"place\":%lld,\"tries\":%u,\"given_up\":%s,\"taken\":%s}",
			(long long)one->order, one->tries, one->given_up ? "true" : "false",
			one->taken ? "true" : "false");
	}
	buf_char(json, ']');
	return count > 0;
}

void item_told(struct item_troubles *troubles)
{
	size_t cursor = 0;
	struct str name;
	void *value;

	while (map_next_str(troubles->map, &cursor, &name, &value)) {
		struct item_trouble *one = value;

		one->changed = false;
		if (!one->taken)
			continue;
		map_remove_str(troubles->map, name);
		trouble_free(one);
	}
}
