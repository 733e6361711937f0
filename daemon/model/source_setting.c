#include "config.h"

#include <json-c/json.h>

#include "base/mem.h"
#include "model/source.h"

#define KIND(kind)     (1u << (kind))
#define SETTINGS_DEPTH 4

const struct source_setting source_settings[] = {
	{"columns", 0, true, "what stands in each column: \"time ip malware\" or \"HEADER=ip OTHER=time\""},
	{"separator", 0, true, "what stands between columns: one of , ; | tab"},
	{"comment", 0, true, "the character that a comment line begins with, or none"},
	{"filter", KIND(SOURCE_TAXII) | KIND(SOURCE_MISP) | KIND(SOURCE_SHADOWSERVER), false,
		"taxii: \"type=indicator,malware version=all\"; misp: a JSON object for restSearch; "
		"shadowserver: report types"},
	{"since", KIND(SOURCE_TAXII) | KIND(SOURCE_MISP) | KIND(SOURCE_MISP_FEED) | KIND(SOURCE_SHADOWSERVER),
		false, "the day from which on all is taken, such as 2026-11-01"},
	{"download", KIND(SOURCE_SHADOWSERVER), false, "the URL that a report's id is put behind"},
	{"contact", ~0u, false,
		"whom to ask whether it may be passed on: one address, or more with commas between them"},
	{"acknowledge", KIND(SOURCE_MAILBOX), false,
		"no, where nobody is told that his report has arrived; or yes"},
	{.name = NULL},
};

bool source_kind_pulled(enum source_kind kind)
{
	return ((KIND(SOURCE_FEED) | KIND(SOURCE_TAXII) | KIND(SOURCE_MISP) | KIND(SOURCE_MISP_FEED) |
			KIND(SOURCE_SHADOWSERVER)) >>
		       (unsigned)kind) &
	       1u;
}

static struct json_object *settings_of(const struct source *source)
{
	struct json_tokener *tokener;
	struct json_object *object = NULL;

	if (source->settings.len == 0)
		return NULL;
	tokener = json_tokener_new_ex(SETTINGS_DEPTH);
	object = json_tokener_parse_ex(tokener, source->settings.p, (int)source->settings.len);
	json_tokener_free(tokener);
	if (object && !json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		object = NULL;
	}
	return object;
}

static struct str text_of(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (!object || !json_object_object_get_ex(object, name, &value) ||
		!json_object_is_type(value, json_type_string))
		return STR("");
	return (struct str){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
}

struct str source_setting(const struct source *source, const char *name, struct arena *arena)
{
	struct json_object *object = settings_of(source);
	struct str value = arena_str(arena, text_of(object, name));

	json_object_put(object);
	return value;
}

void source_envelope(const struct source *source, struct buf *json)
{
	struct json_object *object;
	const char *between = "";

	if (source->format != FORMAT_CSV)
		return;
	object = settings_of(source);
	buf_text(json, ",\"csv\":{");
	for (const struct source_setting *setting = source_settings; setting->name; setting++) {
		struct str value = text_of(object, setting->name);

		if (!setting->csv || value.len == 0)
			continue;
		buf_printf(json, "%s\"%s\":", between, setting->name);
		buf_json_string(json, value);
		between = ",";
	}
	buf_char(json, '}');
	json_object_put(object);
}
