/*
 * Shadowserver's Reports API: a call lists the reports of one day, and each is a CSV file to download. Calls
 * are POSTed JSON with the key in it, signed by the header HMAC2: HMAC-SHA256 of the body under the secret,
 * in hex; the source's auth is "KEY:SECRET". Downloads need neither.
 *
 * Days are gone through one by one, from the day behind the last one that is complete, so that a gap of any
 * length is filled. Reports come late: a day counts as complete when it lies back a while.
 */
#include "exchange/feed_list.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "wire/json_cut.h"
#include "wire/json_read.h"

#define DOWNLOAD     "https://dl.shadowserver.org/"
#define LIST_DEPTH   16
#define SETTLED_DAYS 3 /* behind which a day is complete */
#define FIRST_DAYS   7 /* how far back a source begins that says nothing */

struct shadowserver {
	struct buf base; /* ends with a slash */
	struct buf download;
	int64_t since; /* day, as clock_day(); 0: not said */
	int64_t day;   /* whose list is next or at hand */
	bool held;     /* an earlier day is not complete */
};

static struct shadowserver *own_of(struct feed *feed)
{
	return ((struct list *)feed->way)->own;
}

static bool day_parse(struct str text, int64_t *day)
{
	char stamp[32];
	int64_t time;

	if (text.len != 10)
		return false;
	(void)snprintf(stamp, sizeof(stamp), "%.10sT00:00:00Z", text.p);
	if (!clock_parse(str_of(stamp), &time))
		return false;
	*day = clock_day(time);
	return true;
}

static const char *day_text(int64_t day, char text[CLOCK_TEXT])
{
	clock_format(day * CLOCK_DAY, text);
	text[10] = '\0';
	return text;
}

static void add_slash(struct buf *url)
{
	if (!str_ends(buf_view(url), STR("/")))
		buf_char(url, '/');
}

static void reports_start(struct feed *feed)
{
	struct shadowserver *own = own_of(feed);
	int64_t last;

	own->held = false;
	own->day = own->since > 0 ? own->since : clock_day(clock_now()) - FIRST_DAYS;
	if (day_parse(str_of(feed->cursor.last), &last) && (own->since == 0 || last >= own->since))
		own->day = last + 1;
}

/* The key goes into the call, the secret stays here. */
static bool put_call(struct feed *feed, struct feed_step *step, struct str date, struct err *err)
{
	struct str secret = str_of(catalogue_auth(feed->collector->catalogue, feed->source.id));
	struct str key;
	uint8_t mac[SHA256_LEN];
	char hex[SHA256_HEX];

	if (!str_split(&secret, ':', &key) || key.len == 0 || secret.len == 0)
		return err_set(err, ERR_DENIED, "its auth is not KEY:SECRET");
	buf_text(&step->post, "{\"apikey\":");
	buf_json_string(&step->post, key);
	buf_text(&step->post, ",\"date\":");
	buf_json_string(&step->post, date);
	buf_char(&step->post, '}');
	hmac_sha256(secret, buf_view(&step->post), mac);
	buf_printf(&step->header, "HMAC2: %s", hex_encode(mac, sizeof(mac), hex));
	buf_printf(&step->url, STR_FMT "reports/list", STR_ARG(buf_view(&own_of(feed)->base)));
	step->accept = "application/json";
	return true;
}

static bool reports_ask(struct feed *feed, struct feed_step *step, struct err *err)
{
	struct shadowserver *own = own_of(feed);
	char text[CLOCK_TEXT];

	if (own->day > clock_day(clock_now())) {
		step->kind = STEP_DONE;
		return true;
	}
	step->kind = STEP_FETCH;
	return put_call(feed, step, str_of(day_text(own->day, text)), err);
}

static bool is_wanted(struct feed *feed, struct str type)
{
	struct str rest = feed->filter;
	struct str word;

	if (rest.len == 0)
		return true;
	while (str_split(&rest, ' ', &word))
		if (str_equal(word, type))
			return true;
	return false;
}

/* The reader knows what a file is about by its name. */
static void about_report(struct json_object *report, struct str day, struct buf *about)
{
	struct str type = utf8_cut(json_text(report, "type"), 100);
	struct str file = utf8_cut(json_text(report, "file"), 200);
	struct buf name = {0};

	if (file.len > 0)
		buf_str(&name, file);
	else
		buf_printf(&name, STR_FMT "-" STR_FMT ".csv", STR_ARG(day), STR_ARG(type));
	buf_text(about, ",\"file\":");
	buf_json_string(about, buf_view(&name));
	buf_text(about, ",\"report\":");
	buf_json_string(about, type);
	buf_free(&name);
}

static void add_report(struct feed *feed, struct json_object *report, size_t number)
{
	struct buf about = {0};
	char text[CLOCK_TEXT], place[64];
	struct feed_item item = {.version = STR("taken")};

	day_text(own_of(feed)->day, text);
	if (!json_object_is_type(report, json_type_object) || json_text(report, "id").len == 0) {
		(void)snprintf(place, sizeof(place), "no id: %s report %zu", text, number + 1);
		list_bad(feed, str_of(place), "expected a report with its id");
		return;
	}
	if (!is_wanted(feed, json_text(report, "type")))
		return;
	about_report(report, str_of(text), &about);
	item.name = json_text(report, "id");
	item.about = buf_view(&about);
	item.order = own_of(feed)->day;
	list_add(feed, &item);
	buf_free(&about);
}

/* An object instead of a list is the API's way to refuse. */
static bool say_refusal(struct str body, struct err *err)
{
	struct json_object *answer = NULL;

	if (!json_read(body, LIST_DEPTH, &answer, err))
		return false;
	if (json_object_is_type(answer, json_type_object))
		err_set(err, ERR_DENIED, "the API says: " STR_FMT,
			STR_ARG(utf8_cut(json_text(answer, "error"), 120)));
	else
		err_set(err, ERR_MALFORMED, "expected a list of reports");
	json_object_put(answer);
	return false;
}

static bool reports_read(
	struct feed *feed, const struct fetch_result *result, struct str body, struct err *err)
{
	struct str rest = body, piece;
	enum json_step step;

	if (result->status != 200)
		return err_set(
			err, ERR_MALFORMED, "the server answered 304, but was asked without a condition");
	json_skip_space(&rest);
	if (!json_open(&rest, '['))
		return say_refusal(body, err);
	for (size_t i = 0; (step = json_element(&rest, JSON_CUT_DEPTH, &piece)) == JSON_STEP_VALUE; i++) {
		struct json_object *report = NULL;

		if (!json_read(piece, LIST_DEPTH, &report, NULL))
			report = NULL;
		add_report(feed, report, i);
		json_object_put(report);
	}
	return step == JSON_STEP_END || err_set(err, ERR_MALFORMED, "the list of reports is not JSON");
}

static bool reports_fetch(
	struct feed *feed, const struct feed_item *item, struct feed_step *step, struct err *err)
{
	(void)err;
	step->format = FORMAT_SHADOWSERVER;
	step->also = true;
	buf_printf(
		&step->url, STR_FMT STR_FMT, STR_ARG(buf_view(&own_of(feed)->download)), STR_ARG(item->name));
	return true;
}

static void reports_over(struct feed *feed, bool missing)
{
	struct shadowserver *own = own_of(feed);
	int64_t today = clock_day(clock_now());
	char text[CLOCK_TEXT];

	own->held = own->held || missing;
	if (!own->held && own->day <= today - SETTLED_DAYS)
		cursor_set(feed->cursor.last, sizeof(feed->cursor.last), str_of(day_text(own->day, text)));
	own->day++;
}

static void reports_free(void *way)
{
	struct shadowserver *own = way;

	buf_free(&own->base);
	buf_free(&own->download);
	free(own);
}

static const struct list_kind reports = {.prefix = "report",
	.start = reports_start,
	.ask = reports_ask,
	.read = reports_read,
	.fetch = reports_fetch,
	.over = reports_over,
	.free = reports_free};

static void *reports_begin(struct feed *feed)
{
	struct shadowserver *own = mem_alloc(sizeof(*own));

	buf_text(&own->base, feed->url);
	add_slash(&own->base);
	buf_str(&own->download, feed->download.len > 0 ? feed->download : STR(DOWNLOAD));
	add_slash(&own->download);
	day_parse(feed->since, &own->since);
	return list_new(&reports, own);
}

const struct feed_way feed_way_shadowserver = {.begin = reports_begin, LIST_WAY, .cursor = true};
