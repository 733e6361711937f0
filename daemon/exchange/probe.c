#include "exchange/probe.h"

#include <curl/curl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "exchange/feed.h"
#include "exchange/fetch_policy.h"
#include "ipc/edge_probe.h"
#include "proc/channel.h"
#include "wire/json_read.h"
#include "wire/taxii.h"

#define ROOTS_MAX       20u
#define COLLECTIONS_MAX 1000u
#define ANSWER_MAX      ((uint64_t)1 << 20)
#define DEPTH_MAX       16
#define PROBE_TIME      (60 * CLOCK_SECOND)

/* What the answer at hand is of. */
enum stage { STAGE_FIRST, STAGE_SECOND, STAGE_ROOT, STAGE_COLLECTIONS };

struct probe {
	LIST_ENTRY(probe) link;
	struct probes *probes;
	uint32_t ask;
	char *url; /* where the operator pointed, with a slash at its end */
	char *auth;
	struct timer *timer;
	struct fetch *fetch;
	struct buf body;
	enum stage stage;
	char *roots[ROOTS_MAX];
	size_t root_count;
	size_t at; /* root at hand */
	size_t collection_count;
	struct json_object *result;
	struct json_object *root; /* of result, at hand */
};

LIST_HEAD(probe_list, probe);

struct probes {
	struct collector *collector;
	struct channel *channel; /* NULL: the desk is not there */
	struct probe_list running;
};

static void probe_free(struct probe *probe)
{
	LIST_REMOVE(probe, link);
	fetch_cancel(&probe->fetch);
	timer_free(&probe->timer);
	buf_free(&probe->body);
	for (size_t i = 0; i < probe->root_count; i++)
		free(probe->roots[i]);
	json_object_put(probe->result);
	mem_wipe(probe->auth, strlen(probe->auth));
	free(probe->auth);
	free(probe->url);
	free(probe);
}

static void tell(struct probes *probes, uint32_t ask, bool ok, struct str text)
{
	struct probe_told told = {.ask = ask, .ok = ok, .text = text};

	if (!probes->channel)
		return;
	probe_told_encode(&told, channel_begin(probes->channel));
	channel_end(probes->channel, PROBE_TOLD);
}

static void probe_fail(struct probe *probe, const char *why)
{
	tell(probe->probes, probe->ask, false, str_of(why));
	probe_free(probe);
}

static void probe_done(struct probe *probe)
{
	tell(probe->probes, probe->ask, true, str_of(json_object_to_json_string(probe->result)));
	probe_free(probe);
}

/* Asking */

static bool probe_ready(void *context)
{
	(void)context;
	return true;
}

static bool probe_bytes(struct str bytes, void *context)
{
	struct probe *probe = context;

	buf_str(&probe->body, bytes);
	return true;
}

static void probe_ended(const struct fetch_result *result, void *context);

static const struct fetch_calls probe_calls = {probe_ready, probe_bytes, probe_ended};

static bool probe_ask(struct probe *probe, const char *url, struct err *err)
{
	bool far = !url_same_origin(url, probe->url);
	struct fetch_request request = {.url = url,
		.accept = TAXII_ACCEPT,
		.auth = far ? "" : probe->auth,
		.far = far,
		.max_size = ANSWER_MAX};

	buf_clear(&probe->body);
	probe->fetch = fetch_new(probe->probes->collector->fetcher, &request, &probe_calls, probe, err);
	return probe->fetch != NULL;
}

/* A URL that a server named, whole, with a slash at its end; NULL: it is none that is fetched. */
static char *resolve(const char *base, struct str text)
{
	CURLU *parts = curl_url();
	char *given = mem_strndup(text.p, text.len);
	char *whole = NULL;
	char *found = NULL;
	bool plain;

	if (parts && curl_url_set(parts, CURLUPART_URL, base, 0) == CURLUE_OK &&
		curl_url_set(parts, CURLUPART_URL, given, 0) == CURLUE_OK &&
		curl_url_get(parts, CURLUPART_URL, &whole, 0) == CURLUE_OK && url_check(whole, &plain, NULL))
		found = mem_printf("%s%s", whole, str_ends(str_of(whole), STR("/")) ? "" : "/");
	curl_free(whole);
	curl_url_cleanup(parts);
	free(given);
	return found;
}

/* Answers */

static void copy_member(struct json_object *to, struct json_object *from, const char *name)
{
	struct json_object *value = NULL;

	if (json_object_object_get_ex(from, name, &value) && !json_object_is_type(value, json_type_object) &&
		!json_object_is_type(value, json_type_null))
		json_object_object_add(to, name, json_object_get(value));
}

static void copy_members(struct json_object *to, struct json_object *from, const char *const *names)
{
	for (; *names; names++)
		copy_member(to, from, *names);
}

static void take_discovery(struct probe *probe, struct json_object *answer)
{
	static const char *const names[] = {"title", "description", "contact", "default", NULL};
	struct json_object *roots = json_of(answer, "api_roots", json_type_array);

	copy_members(probe->result, answer, names);
	for (size_t i = 0; roots && i < json_object_array_length(roots) && probe->root_count < ROOTS_MAX;
		i++) {
		char *url = resolve(probe->url, json_value_text(json_object_array_get_idx(roots, i)));

		if (url)
			probe->roots[probe->root_count++] = url;
	}
}

static void begin_root(struct probe *probe)
{
	struct json_object *roots = json_of(probe->result, "roots", json_type_array);

	probe->root = json_object_new_object();
	json_object_object_add(probe->root, "url", json_object_new_string(probe->roots[probe->at]));
	json_object_array_add(roots, probe->root);
}

static void take_root(struct probe *probe, struct json_object *answer)
{
	static const char *const names[] = {"title", "description", "versions", "max_content_length", NULL};

	copy_members(probe->root, answer, names);
}

static void take_collections(struct probe *probe, struct json_object *answer)
{
	static const char *const names[] = {
		"id", "title", "description", "alias", "can_read", "can_write", "media_types", NULL};
	struct json_object *list = json_of(answer, "collections", json_type_array);
	struct json_object *all = json_of(probe->result, "collections", json_type_array);

	for (size_t i = 0;
		list && i < json_object_array_length(list) && probe->collection_count < COLLECTIONS_MAX;
		i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		struct json_object *shown;
		char *path, *url;

		if (!json_object_is_type(one, json_type_object) || json_text(one, "id").len == 0)
			continue;
		path = mem_printf("collections/" STR_FMT "/", STR_ARG(json_text(one, "id")));
		url = resolve(probe->roots[probe->at], str_of(path));
		shown = json_object_new_object();
		copy_members(shown, one, names);
		if (url)
			json_object_object_add(shown, "url", json_object_new_string(url));
		json_object_array_add(all, shown);
		probe->collection_count++;
		free(path);
		free(url);
	}
}

/* Going on */

static void root_problem(struct probe *probe, const char *text)
{
	json_object_object_add(probe->root, "problem", json_object_new_string(text));
}

static void next_root(struct probe *probe);

static void ask_collections(struct probe *probe)
{
	char *url = mem_printf("%scollections/", probe->roots[probe->at]);
	struct err err;

	probe->stage = STAGE_COLLECTIONS;
	if (!probe_ask(probe, url, &err)) {
		root_problem(probe, err.text);
		probe->at++;
		next_root(probe);
	}
	free(url);
}

static void next_root(struct probe *probe)
{
	struct err err;

	while (probe->at < probe->root_count) {
		begin_root(probe);
		probe->stage = STAGE_ROOT;
		if (probe_ask(probe, probe->roots[probe->at], &err))
			return;
		root_problem(probe, err.text);
		probe->at++;
	}
	probe_done(probe);
}

/* What stands at the URL itself: a server's discovery, one of its roots, or a root's collections. */
static void take_first(struct probe *probe, struct json_object *answer)
{
	struct str url = str_of(probe->url);

	if (json_of(answer, "collections", json_type_array) && str_ends(url, STR("/collections/"))) {
		probe->roots[probe->root_count++] = mem_strndup(url.p, url.len - strlen("collections/"));
		begin_root(probe);
		take_collections(probe, answer);
		probe_done(probe);
	} else if (json_of(answer, "versions", json_type_array)) {
		probe->roots[probe->root_count++] = mem_strdup(probe->url);
		begin_root(probe);
		take_root(probe, answer);
		ask_collections(probe);
	} else if (json_text(answer, "title").len > 0) {
		take_discovery(probe, answer);
		next_root(probe);
	} else {
		probe_fail(probe, "expected TAXII 2.1: a discovery, an API root or its collections");
	}
}

static void take_answer(struct probe *probe, struct json_object *answer)
{
	switch (probe->stage) {
	case STAGE_FIRST:
	case STAGE_SECOND:
		take_first(probe, answer);
		break;
	case STAGE_ROOT:
		take_root(probe, answer);
		ask_collections(probe);
		break;
	case STAGE_COLLECTIONS:
		take_collections(probe, answer);
		probe->at++;
		next_root(probe);
		break;
	}
}

static void answer_failed(struct probe *probe, const struct fetch_result *result, const char *why)
{
	struct err err;

	/* A server may be named without the path that all have (TAXII 2.1 1.6.4). */
	if (probe->stage == STAGE_FIRST && result->status == 404) {
		char *url = resolve(probe->url, STR("/taxii2/"));

		probe->stage = STAGE_SECOND;
		if (url && probe_ask(probe, url, &err)) {
			free(url);
			return;
		}
		free(url);
	}
	if (probe->stage == STAGE_FIRST || probe->stage == STAGE_SECOND) {
		probe_fail(probe, why);
		return;
	}
	root_problem(probe, why);
	probe->at++;
	next_root(probe);
}

static void probe_ended(const struct fetch_result *result, void *context)
{
	struct probe *probe = context;
	struct json_object *answer = NULL;
	struct err err = {0};

	probe->fetch = NULL;
	if (result->problem)
		err_set(&err, ERR_SYSTEM, "%s", result->problem);
	else if (result->status != 200)
		err_set(&err, ERR_DENIED, "the server answered %ld", result->status);
	else if (json_read(buf_view(&probe->body), DEPTH_MAX, &answer, &err) &&
		 !json_object_is_type(answer, json_type_object))
		err_set(&err, ERR_MALFORMED, "expected a JSON object of TAXII 2.1");
	if (err.code != ERR_NONE)
		answer_failed(probe, result, err.text);
	else
		take_answer(probe, answer);
	json_object_put(answer);
}

static void on_time(void *context)
{
	probe_fail(context, "the server has not answered in a minute");
}

/* From the desk */

static void discover(struct probes *probes, const struct probe_ask *ask)
{
	struct probe *probe = mem_alloc(sizeof(*probe));
	struct err err;

	probe->probes = probes;
	probe->ask = ask->ask;
	probe->url = mem_printf(STR_FMT "%s", STR_ARG(ask->url), str_ends(ask->url, STR("/")) ? "" : "/");
	probe->auth = mem_strndup(ask->auth.p, ask->auth.len);
	probe->result = json_object_new_object();
	json_object_object_add(probe->result, "url", json_object_new_string(probe->url));
	json_object_object_add(probe->result, "roots", json_object_new_array());
	json_object_object_add(probe->result, "collections", json_object_new_array());
	probe->timer = timer_new(probes->collector->loop, on_time, probe);
	timer_set(probe->timer, PROBE_TIME);
	LIST_INSERT_HEAD(&probes->running, probe, link);
	if (!probe_ask(probe, probe->url, &err))
		probe_fail(probe, err.text);
}

static void pull(struct probes *probes, const struct probe_ask *ask)
{
	struct feed *feed = map_get(probes->collector->feeds, ask->source);

	if (feed && feed_pull_again(feed, ask->items))
		tell(probes, ask->ask, true, STR("{\"pulling\":true}"));
	else
		tell(probes, ask->ask, false,
			feed ? STR("it is being pulled already") : STR("the exchange does not know it yet"));
}

static void on_frame(struct channel *channel, struct frame *frame, void *context)
{
	struct probes *probes = context;
	struct probe_ask ask;

	if ((frame->type != PROBE_DISCOVER && frame->type != PROBE_PULL) ||
		!probe_ask_decode(frame->body, &ask))
		channel_break(channel, "a frame that is not of the edge of probes");
	else if (frame->type == PROBE_DISCOVER)
		discover(probes, &ask);
	else
		pull(probes, &ask);
}

static void end_all(struct probes *probes)
{
	struct probe *probe = LIST_FIRST(&probes->running);

	while (probe) {
		struct probe *next = LIST_NEXT(probe, link);

		probe_free(probe);
		probe = next;
	}
	channel_free(&probes->channel);
}

static void on_closed(struct channel *channel, const char *why, void *context)
{
	(void)channel;
	(void)why;
	end_all(context);
}

struct probes *probes_new(struct collector *collector)
{
	struct probes *probes = mem_alloc(sizeof(*probes));

	probes->collector = collector;
	LIST_INIT(&probes->running);
	return probes;
}

void probes_edge(struct probes *probes, int fd)
{
	end_all(probes);
	probes->channel =
		channel_new(probes->collector->loop, fd, PROBE_VERSION, on_frame, on_closed, probes);
}

void probes_free(struct probes **probes)
{
	if (!*probes)
		return;
	end_all(*probes);
	free(*probes);
	*probes = NULL;
}
