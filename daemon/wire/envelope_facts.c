#include "wire/envelope_facts.h"

#include "wire/json_read.h"

#define ENVELOPE_DEPTH 8

static void take_recipients(struct json_object *to, struct arena *arena, struct envelope_facts *facts)
{
	bool list = json_object_is_type(to, json_type_array);
	size_t count = list ? json_object_array_length(to) : 1;

	facts->to = arena_alloc(arena, count * sizeof(*facts->to));
	for (size_t i = 0; to && i < count; i++) {
		struct str address = json_value_text(list ? json_object_array_get_idx(to, i) : to);
		if (address.len > 0)
			facts->to[facts->to_count++] = arena_str(arena, address);
	}
}

/* "a.csv" of https://feeds.example/x/a.csv?key=1 */
static struct str last_of_url(struct str url)
{
	size_t end = 0, start = 0;

	while (end < url.len && url.p[end] != '?' && url.p[end] != '#')
		end++;
	for (size_t i = 0; i < end; i++)
		start = url.p[i] == '/' ? i + 1 : start;
	return (struct str){url.p + start, end - start};
}

/* As Shadowserver names its files; what its list says of a report counts more than how that calls the file.
 */
static struct str report_file(struct str day, struct str type, struct arena *arena)
{
	return arena_printf(arena, STR_FMT "-" STR_FMT "-api.csv", STR_ARG(day), STR_ARG(type));
}

bool envelope_read(struct str envelope, struct arena *arena, struct envelope_facts *facts)
{
	struct json_object *object = NULL, *from, *to = NULL, *report;

	*facts = (struct envelope_facts){.door = STR_NONE};
	if (envelope.len == 0 || !json_read(envelope, ENVELOPE_DEPTH, &object, NULL) ||
		!json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		return false;
	}
	facts->door = arena_str(arena, json_text(object, "door"));
	facts->peer = arena_str(arena, json_text(object, "peer"));
	from = json_of(object, "from", json_type_string);
	facts->has_from = from != NULL;
	facts->from = arena_str(arena, json_value_text(from));
	facts->file = arena_str(arena, json_text(object, "file"));
	report = json_of(object, "report", json_type_object);
	if (facts->file.len == 0 && report && json_text(report, "type").len > 0)
		facts->file = report_file(json_text(report, "day"), json_text(report, "type"), arena);
	if (facts->file.len == 0 && json_text(object, "url").len > 0)
		facts->file = arena_str(arena, last_of_url(json_text(object, "url")));
	json_object_object_get_ex(object, "to", &to);
	take_recipients(to, arena, facts);
	json_object_put(object);
	return true;
}
