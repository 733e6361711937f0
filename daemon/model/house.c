#include "config.h"

#include "model/house.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "base/mem.h"
#include "model/calendar.h"
#include "model/playbook.h"
#include "model/regime.h"

struct house {
	struct json_object *all, *calendar, *holidays, *regimes, *playbooks;
};

static struct json_object *text_of(struct str text)
{
	return json_object_new_string_len(text.p, (int)text.len);
}

/* "NIS.conf:12: a time … was expected" */
static void add_problem(
	struct json_object *into, struct str file, const char *ending, int line, const struct buf *fault)
{
	struct buf text = {0};

	buf_printf(&text, STR_FMT "%s:%d: ", STR_ARG(file), ending, line);
	buf_str(&text, buf_view(fault));
	json_object_object_add(into, "problem", text_of(buf_view(&text)));
	buf_free(&text);
}

static void add_hours(struct house *house, struct str text)
{
	struct json_object *hours = json_object_new_array();
	struct buf fault = {0};

	json_object_object_add(house->calendar, "hours", hours);
	if (!calendar_hours_read(text, hours, &fault))
		json_object_object_add(house->calendar, "problem", text_of(buf_view(&fault)));
	buf_free(&fault);
}

struct house *house_new(struct str zone, struct str hours)
{
	struct house *house = mem_alloc(sizeof(*house));

	house->all = json_object_new_object();
	house->calendar = json_object_new_object();
	house->holidays = json_object_new_array();
	house->regimes = json_object_new_array();
	house->playbooks = json_object_new_array();
	json_object_object_add(house->all, "calendar", house->calendar);
	json_object_object_add(house->all, "regimes", house->regimes);
	json_object_object_add(house->all, "playbooks", house->playbooks);
	json_object_object_add(house->calendar, "holidays", house->holidays);
	if (zone.len > 0)
		json_object_object_add(house->calendar, "zone", text_of(zone));
	add_hours(house, hours);
	return house;
}

void house_free(struct house **house)
{
	if (*house)
		json_object_put((*house)->all);
	free(*house);
	*house = NULL;
}

typedef struct json_object *reader_fn(struct str bytes, int *line, struct buf *fault);

static void add_sheet(struct json_object *list, struct str name, struct str bytes, reader_fn *read)
{
	struct json_object *sheet = json_object_new_object(), *body;
	struct buf fault = {0};
	int line = 0;

	body = read(bytes, &line, &fault);
	json_object_object_add(sheet, "name", text_of(name));
	if (body)
		json_object_object_add(sheet, "body", body);
	else
		add_problem(sheet, name, ".conf", line, &fault);
	json_object_array_add(list, sheet);
	buf_free(&fault);
}

static void add_holidays(struct house *house, struct str name, struct str bytes)
{
	struct buf fault = {0};
	int line = 0;

	if (!calendar_holidays_read(bytes, house->holidays, &line, &fault))
		add_problem(house->calendar, name, "", line, &fault);
	buf_free(&fault);
}

void house_add(struct house *house, struct str name, struct str bytes)
{
	struct str rest = name, kind;

	str_split(&rest, '/', &kind);
	if (str_equal(name, STR("zone")) && !json_object_object_get(house->calendar, "zone"))
		json_object_object_add(house->calendar, "zone", text_of(bytes));
	else if (str_equal(kind, STR("regime")))
		add_sheet(house->regimes, rest, bytes, regime_read);
	else if (str_equal(kind, STR("playbook")))
		add_sheet(house->playbooks, rest, bytes, playbook_read);
	else if (str_equal(kind, STR("holidays")))
		add_holidays(house, rest, bytes);
}

void house_json(const struct house *house, struct buf *json)
{
	buf_clear(json);
	buf_text(json, json_object_to_json_string_ext(house->all, JSON_C_TO_STRING_PLAIN));
}
