/*
 * MISP, both ways: a feed, which is a folder with manifest.json and a file for each event; and an instance,
 * asked by restSearch. Either way a list says which events there are in which version (their timestamp), and
 * each that is new or has changed is fetched by itself.
 *
 * The list of an instance comes in pages, twice: by `timestamp`, which moves when an event is edited, and by
 * `publish_timestamp`, because an event that was edited long ago is shown to others only when it is
 * published. From where a list begins is the server's own time at which the last complete one began, less an
 * overlap.
 */
#include "exchange/feed_list.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "wire/json_cut.h"
#include "wire/json_read.h"

#define LIST_DEPTH 64
#define UUID_BYTES 36u
#define LIMIT      500
#define PAGES_MAX  20000u
#define OVERLAP    600 /* seconds */

static const char *const lists[] = {"timestamp", "publish_timestamp"};

struct misp {
	struct buf base; /* ends with a slash */
	int64_t since;   /* seconds; 0: all */
	bool unchanged;  /* feed: the manifest is as before */
	bool listed;     /* feed: in this pull */
	char etag[CURSOR_TEXT];
	char modified[64];
	unsigned list;           /* instance: of lists[] */
	unsigned page;           /* from 1 */
	size_t found;            /* events on the page at hand */
	char digest[SHA256_HEX]; /* of the page before */
	int64_t began;           /* seconds, by the server's clock */
	bool held;               /* an event is to be tried again: the lists begin where they began */
};

static void *misp_begin(struct feed *feed, const struct list_kind *kind)
{
	struct misp *misp = mem_alloc(sizeof(*misp));
	struct str base = str_of(feed->url);
	int64_t since;

	if (str_ends(base, STR("/manifest.json")))
		base.len -= strlen("manifest.json");
	buf_str(&misp->base, base);
	if (!str_ends(base, STR("/")))
		buf_char(&misp->base, '/');
	if (clock_parse(arena_printf(feed->arena, "%.10sT00:00:00Z", feed->since.p), &since) && since > 0)
		misp->since = since / CLOCK_SECOND;
	return list_new(kind, misp);
}

static void misp_free(void *own)
{
	struct misp *misp = own;

	buf_free(&misp->base);
	free(misp);
}

static struct misp *misp_of(struct feed *feed)
{
	return ((struct list *)feed->way)->own;
}

/* A timestamp is seconds, as a number or in quotes. event: NULL where it is no object. */
static void add_event(struct feed *feed, struct str uuid, struct json_object *event)
{
	struct json_object *value = NULL;
	struct feed_item item = {.name = uuid};
	char version[24];
	int64_t timestamp = 0;

	if (!event || !json_object_object_get_ex(event, "timestamp", &value) ||
		!str_to_i64(str_of(json_object_get_string(value)), &timestamp) || uuid.len != UUID_BYTES) {
		list_bad(feed, uuid, "expected an event by its uuid, with its timestamp");
		return;
	}
	if (timestamp < misp_of(feed)->since)
		return;
	item.version = (struct str){
		version, (size_t)snprintf(version, sizeof(version), "%lld", (long long)timestamp)};
	item.order = timestamp;
	list_add(feed, &item);
}

static void about_event(const struct feed_item *item, struct feed_step *step)
{
	int64_t timestamp = 0; /* of one that an operator asks for, and whose version was none */

	str_to_i64(item->version, &timestamp);
	step->format = FORMAT_MISP;
	step->json = true;
	step->accept = "application/json";
	buf_printf(&step->member, ",\"event\":\"" STR_FMT "\",\"timestamp\":%lld", STR_ARG(item->name),
		(long long)timestamp);
}

/* A feed */

static void folder_start(struct feed *feed)
{
	struct list *list = feed->way;

	misp_of(feed)->listed = misp_of(feed)->unchanged = false;
	if (list->wanted_count == 0)
		return;
	/* What has no name that could be asked for is in the manifest, or nowhere any more. */
	feed->cursor.etag[0] = '\0';
	feed->cursor.modified[0] = '\0';
}

static bool folder_ask(struct feed *feed, struct feed_step *step, struct err *err)
{
	struct misp *misp = misp_of(feed);

	(void)err;
	step->kind = misp->listed ? STEP_DONE : STEP_FETCH;
	step->accept = "application/json";
	step->conditional = true;
	buf_printf(&step->url, STR_FMT "manifest.json", STR_ARG(buf_view(&misp->base)));
	return true;
}

static bool folder_read(
	struct feed *feed, const struct fetch_result *result, struct str body, struct err *err)
{
	struct misp *misp = misp_of(feed);
	struct str key, value;
	enum json_step step;

	misp->unchanged = result->status == 304;
	if (misp->unchanged)
		return feed->cursor.etag[0] || feed->cursor.modified[0] ||
		       err_set(err, ERR_MALFORMED,
			       "the server answered 304, but was asked without a condition");
	cursor_set(misp->etag, sizeof(misp->etag), str_of(result->etag));
	cursor_set(misp->modified, sizeof(misp->modified), str_of(result->modified));
	json_skip_space(&body);
	if (!json_open(&body, '{'))
		return err_set(err, ERR_MALFORMED, "expected manifest.json, an object of events by uuid");
	while ((step = json_member(&body, JSON_CUT_DEPTH, &key, &value)) == JSON_STEP_VALUE) {
		struct json_object *event = NULL;

		if (!json_read(value, LIST_DEPTH, &event, NULL) ||
			!json_object_is_type(event, json_type_object)) {
			json_object_put(event);
			event = NULL;
		}
		add_event(feed, key, event);
		json_object_put(event);
	}
	return step == JSON_STEP_END || err_set(err, ERR_MALFORMED, "manifest.json is not JSON");
}

static bool folder_fetch(
	struct feed *feed, const struct feed_item *item, struct feed_step *step, struct err *err)
{
	(void)err;
	about_event(item, step);
	buf_printf(&step->url, STR_FMT STR_FMT ".json", STR_ARG(buf_view(&misp_of(feed)->base)),
		STR_ARG(item->name));
	return true;
}

/* The manifest is asked under its condition only once all that it names was taken. */
static void folder_over(struct feed *feed, bool missing)
{
	struct misp *misp = misp_of(feed);

	misp->listed = true;
	if (misp->unchanged)
		return;
	cursor_set(feed->cursor.etag, sizeof(feed->cursor.etag), missing ? STR("") : str_of(misp->etag));
	cursor_set(feed->cursor.modified, sizeof(feed->cursor.modified),
		missing ? STR("") : str_of(misp->modified));
}

static const struct list_kind folder = {.prefix = "misp",
	.start = folder_start,
	.ask = folder_ask,
	.read = folder_read,
	.fetch = folder_fetch,
	.over = folder_over,
	.free = misp_free,
	.whole = true};

static void *folder_begin(struct feed *feed)
{
	return misp_begin(feed, &folder);
}

/* An instance */

static void instance_start(struct feed *feed)
{
	struct misp *misp = misp_of(feed);

	misp->list = 0;
	misp->page = 1;
	misp->began = 0;
	misp->held = false;
	misp->digest[0] = '\0';
}

/* What the operator filters by, and on top of it what we ask. */
static void put_query(struct feed *feed, struct feed_step *step, struct json_object *query)
{
	struct json_object *whole = NULL;

	if (feed->filter.len == 0 || !json_read(feed->filter, LIST_DEPTH, &whole, NULL) ||
		!json_object_is_type(whole, json_type_object)) {
		json_object_put(whole);
		whole = json_object_new_object();
	}
	json_object_object_foreach(query, key, value)
		json_object_object_add(whole, key, json_object_get(value));
	json_object_object_add(whole, "returnFormat", json_object_new_string("json"));
	buf_text(&step->post, json_object_to_json_string(whole));
	buf_printf(&step->url, STR_FMT "events/restSearch", STR_ARG(buf_view(&misp_of(feed)->base)));
	step->accept = "application/json";
	json_object_put(whole);
	json_object_put(query);
}

static bool instance_ask(struct feed *feed, struct feed_step *step, struct err *err)
{
	struct misp *misp = misp_of(feed);
	struct json_object *query;
	uint64_t from = 0;

	(void)err;
	if (misp->list == ARRAY_LEN(lists)) {
		step->kind = STEP_DONE;
		return true;
	}
	step->kind = STEP_FETCH;
	if (str_to_u64(str_of(feed->cursor.added_after), &from) && from > OVERLAP)
		from -= OVERLAP;
	if ((int64_t)from < misp->since)
		from = (uint64_t)misp->since;
	query = json_object_new_object();
	json_object_object_add(query, "metadata", json_object_new_boolean(true));
	json_object_object_add(query, "limit", json_object_new_int(LIMIT));
	json_object_object_add(query, "page", json_object_new_int((int)misp->page));
	if (from > 0)
		json_object_object_add(query, lists[misp->list], json_object_new_int64((int64_t)from));
	put_query(feed, step, query);
	return true;
}

static void take_event(struct feed *feed, struct str piece)
{
	struct json_object *wrapped = NULL;
	struct json_object *event = NULL;
	struct misp *misp = misp_of(feed);
	char place[48];

	if (json_read(piece, LIST_DEPTH, &wrapped, NULL))
		event = json_of(wrapped, "Event", json_type_object);
	(void)snprintf(
		place, sizeof(place), "no uuid: %s page %u, %zu", lists[misp->list], misp->page, misp->found);
	add_event(feed, json_text(event, "uuid").len > 0 ? json_text(event, "uuid") : str_of(place), event);
	json_object_put(wrapped);
}

static bool response_of(struct str body, struct str *list, struct err *err)
{
	struct str key, value;

	json_skip_space(&body);
	if (json_open(&body, '{'))
		while (json_member(&body, LIST_DEPTH, &key, &value) == JSON_STEP_VALUE)
			if (str_equal(key, STR("response")) && value.p[0] == '[') {
				*list = value;
				return json_open(list, '[');
			}
	return err_set(err, ERR_MALFORMED, "expected the answer of restSearch: {\"response\": [ … ]}");
}

static bool instance_read(
	struct feed *feed, const struct fetch_result *result, struct str body, struct err *err)
{
	struct misp *misp = misp_of(feed);
	struct str rest, piece;
	enum json_step step;

	if (result->status != 200)
		return err_set(
			err, ERR_MALFORMED, "the server answered 304, but was asked without a condition");
	if (misp->began == 0)
		misp->began = (result->date != CLOCK_UNKNOWN ? result->date : clock_now()) / CLOCK_SECOND;
	misp->found = 0;
	if (!response_of(body, &rest, err))
		return false;
	/* One that ignores the page has said all that it has. */
	if (strcmp(misp->digest, feed->after.digest) == 0)
		return true;
	memcpy(misp->digest, feed->after.digest, sizeof(misp->digest));
	while ((step = json_element(&rest, JSON_CUT_DEPTH, &piece)) == JSON_STEP_VALUE) {
		misp->found++;
		take_event(feed, piece);
	}
	return step == JSON_STEP_END || err_set(err, ERR_MALFORMED, "the answer of restSearch is not JSON");
}

static bool instance_fetch(
	struct feed *feed, const struct feed_item *item, struct feed_step *step, struct err *err)
{
	struct json_object *query = json_object_new_object();

	(void)err;
	json_object_object_add(query, "uuid", json_object_new_string_len(item->name.p, (int)item->name.len));
	put_query(feed, step, query);
	about_event(item, step);
	step->also = true;
	return true;
}

static void instance_over(struct feed *feed, bool missing)
{
	struct misp *misp = misp_of(feed);

	misp->held = misp->held || missing;
	if (misp->found > 0 && misp->page < PAGES_MAX) {
		misp->page++;
		return;
	}
	misp->list++;
	misp->page = 1;
	misp->digest[0] = '\0';
	if (misp->list == ARRAY_LEN(lists) && !misp->held)
		(void)snprintf(feed->cursor.added_after, sizeof(feed->cursor.added_after), "%lld",
			(long long)misp->began);
}

static const struct list_kind instance = {.prefix = "misp",
	.start = instance_start,
	.ask = instance_ask,
	.read = instance_read,
	.fetch = instance_fetch,
	.over = instance_over,
	.free = misp_free};

static void *instance_begin(struct feed *feed)
{
	return misp_begin(feed, &instance);
}

const struct feed_way feed_way_misp_feed = {.begin = folder_begin, LIST_WAY, .cursor = false};

const struct feed_way feed_way_misp = {.begin = instance_begin, LIST_WAY, .cursor = true};
