#include "wire/json_cut.h"

static void advance(struct str *rest, size_t count)
{
	rest->p += count;
	rest->len -= count;
}

void json_skip_space(struct str *rest)
{
	if (rest->len >= 3 && memcmp(rest->p, "\xef\xbb\xbf", 3) == 0)
		advance(rest, 3);
	while (rest->len > 0 && (*rest->p == ' ' || *rest->p == '\n' || *rest->p == '\r' || *rest->p == '\t'))
		advance(rest, 1);
}

bool json_open(struct str *rest, char bracket)
{
	json_skip_space(rest);
	if (rest->len == 0 || *rest->p != bracket)
		return false;
	advance(rest, 1);
	return true;
}

/* *at stands on the opening quote; afterwards behind the closing one. */
static bool skip_string(struct str text, size_t *at)
{
	for (size_t i = *at + 1; i < text.len; i++) {
		if (text.p[i] == '\\') {
			i++;
		} else if (text.p[i] == '"') {
			*at = i + 1;
			return true;
		}
	}
	return false;
}

static bool skip_container(struct str text, size_t max_depth, size_t *end)
{
	char open[JSON_CUT_DEPTH];
	size_t depth = 0;
	size_t i = 0;

	if (max_depth > JSON_CUT_DEPTH)
		max_depth = JSON_CUT_DEPTH;
	while (i < text.len) {
		char c = text.p[i];
		if (c == '"') {
			if (!skip_string(text, &i))
				return false;
			continue;
		}
		i++;
		if (c == '{' || c == '[') {
			if (depth == max_depth)
				return false;
			open[depth++] = c;
		} else if (c == '}' || c == ']') {
			if (depth == 0 || open[--depth] != (c == '}' ? '{' : '['))
				return false;
			if (depth == 0) {
				*end = i;
				return true;
			}
		}
	}
	return false;
}

static size_t scalar_end(struct str text)
{
	size_t i = 0;

	while (i < text.len && !strchr(",]}{[\" \n\r\t", text.p[i]))
		i++;
	return i;
}

bool json_skip_value(struct str *rest, size_t max_depth, struct str *value)
{
	size_t end = 0;

	json_skip_space(rest);
	if (rest->len == 0)
		return false;
	if (*rest->p == '"') {
		if (!skip_string(*rest, &end))
			return false;
	} else if (*rest->p == '{' || *rest->p == '[') {
		if (!skip_container(*rest, max_depth, &end))
			return false;
	} else {
		end = scalar_end(*rest);
		if (end == 0)
			return false;
	}
	*value = (struct str){rest->p, end};
	advance(rest, end);
	return true;
}

/* Behind a value stands a comma, or the closing bracket, which is left for the next call to find. */
static bool skip_separator(struct str *rest, char closing)
{
	json_skip_space(rest);
	if (rest->len > 0 && *rest->p == closing)
		return true;
	if (rest->len == 0 || *rest->p != ',')
		return false;
	advance(rest, 1);
	return true;
}

/* True and *step where the object or array ends here. */
static bool at_end(struct str *rest, char closing)
{
	json_skip_space(rest);
	if (rest->len == 0 || *rest->p != closing)
		return false;
	advance(rest, 1);
	return true;
}

enum json_step json_member_key(struct str *rest, struct str *key)
{
	struct str start;
	struct str quoted;

	json_skip_space(rest);
	if (rest->len > 0 && *rest->p == ',')
		advance(rest, 1);
	start = *rest;
	if (at_end(rest, '}'))
		return JSON_STEP_END;
	if (rest->len == 0 || *rest->p != '"' || !json_skip_value(rest, 1, &quoted) ||
		!json_open(rest, ':')) {
		*rest = start;
		return JSON_STEP_BROKEN;
	}
	*key = (struct str){quoted.p + 1, quoted.len - 2};
	return JSON_STEP_VALUE;
}

enum json_step json_member(struct str *rest, size_t max_depth, struct str *key, struct str *value)
{
	struct str start = *rest;
	enum json_step step = json_member_key(rest, key);

	if (step == JSON_STEP_VALUE &&
		(!json_skip_value(rest, max_depth, value) || !skip_separator(rest, '}'))) {
		*rest = start;
		return JSON_STEP_BROKEN;
	}
	return step;
}

enum json_step json_element(struct str *rest, size_t max_depth, struct str *value)
{
	struct str start;

	if (at_end(rest, ']'))
		return JSON_STEP_END;
	start = *rest;
	if (!json_skip_value(rest, max_depth, value) || !skip_separator(rest, ']')) {
		*rest = start;
		return JSON_STEP_BROKEN;
	}
	return JSON_STEP_VALUE;
}

struct str json_plain_string(struct str value)
{
	if (value.len < 2 || value.p[0] != '"' || memchr(value.p, '\\', value.len))
		return STR_NONE;
	return (struct str){value.p + 1, value.len - 2};
}
