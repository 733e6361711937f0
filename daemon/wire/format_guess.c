#include "base/mem.h"
#include "wire/json_cut.h"
#include "wire/reading.h"
#include "wire/shadowserver.h"
#include "wire/xarf.h"
#include "wire/zeek_log.h"

#define LOOK 65536

/* MISP: {"Event": …}, {"response": …}, or a list of such. */
static bool looks_like_misp(struct str rest)
{
	struct str key;

	if (json_open(&rest, '['))
		json_skip_space(&rest);
	return json_open(&rest, '{') && json_member_key(&rest, &key) == JSON_STEP_VALUE &&
	       (str_equal(key, STR("Event")) || str_equal(key, STR("response")));
}

/* STIX says so in its first object: a bundle, an envelope with objects, or an object with id and
 * spec_version. */
static bool looks_like_stix(struct str rest)
{
	struct str key;
	struct str value;

	if (!json_open(&rest, '{'))
		return false;
	while (json_member_key(&rest, &key) == JSON_STEP_VALUE) {
		if (str_equal(key, STR("objects")) || str_equal(key, STR("spec_version")))
			return true;
		if (!json_skip_value(&rest, reading_limits_default.max_depth, &value))
			return false;
		value = json_plain_string(value);
		if (str_equal(key, STR("type")) && str_equal(value, STR("bundle")))
			return true;
		if (str_equal(key, STR("id")) && value.len > 36 + 2 &&
			memcmp(value.p + value.len - 36 - 2, "--", 2) == 0)
			return true;
	}
	return false;
}

/* What a sensor writes a line of: one of the members that tell the formats of wire/lines.c apart. */
static bool looks_like_line(struct str rest)
{
	static const char *const marks[] = {
		"v", "event_type", "Format", "classification.type", "_path", "ts", "note", "seen.indicator"};
	struct str key;
	struct str value;

	if (!json_open(&rest, '{'))
		return false;
	while (json_member(&rest, reading_limits_default.max_depth, &key, &value) == JSON_STEP_VALUE)
		for (size_t i = 0; i < ARRAY_LEN(marks); i++)
			if (str_equal(key, str_of(marks[i])))
				return true;
	return false;
}

enum format format_guess(struct str bytes)
{
	struct str rest = {bytes.p, bytes.len < LOOK ? bytes.len : LOOK};

	json_skip_space(&rest);
	if (rest.len == 0)
		return FORMAT_MAIL;
	if (looks_like_misp(rest))
		return FORMAT_MISP;
	if (*rest.p == '[') {
		rest = (struct str){rest.p + 1, rest.len - 1};
		json_skip_space(&rest);
		if (xarf_json_is(rest))
			return FORMAT_XARF;
		return looks_like_line(rest) ? FORMAT_LINES : FORMAT_STIX;
	}
	if (zeek_is_log(rest))
		return FORMAT_ZEEK;
	if (shadowserver_is(STR_NONE, rest))
		return FORMAT_SHADOWSERVER;
	if (*rest.p != '{')
		return FORMAT_MAIL;
	if (xarf_json_is(rest))
		return FORMAT_XARF;
	return looks_like_stix(rest) ? FORMAT_STIX : FORMAT_LINES;
}

bool format_says(struct str bytes, enum format *format)
{
	struct str rest = {bytes.p, bytes.len < LOOK ? bytes.len : LOOK};

	json_skip_space(&rest);
	if (looks_like_misp(rest))
		return false;
	json_open(&rest, '[');
	json_skip_space(&rest);
	if (xarf_json_is(rest))
		return false;
	*format = looks_like_line(rest) ? FORMAT_LINES : FORMAT_STIX;
	return *format == FORMAT_LINES || looks_like_stix(rest);
}
