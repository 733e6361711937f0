#include "config.h"

#include "wire/stix_bundle.h"

#include "base/mem.h"
#include "wire/json_cut.h"

#define RESYNC_MAX 64

/* What the members of an object without a list of objects say that it is. */
struct outside {
	bool typed;   /* it has a type that is not bundle */
	bool bundle;  /* or that is */
	bool objects; /* there are some, and they are no list */
	bool other;   /* members that no page of TAXII has */
};

static void outside_note(
	struct stix_bundle *bundle, struct outside *outside, struct str key, struct str value)
{
	value = json_plain_string(value);
	if (str_equal(key, STR("type"))) {
		outside->bundle = str_equal(value, STR("bundle"));
		outside->typed = !outside->bundle && value.len > 0;
	}
	bundle->old |= outside->bundle && str_equal(key, STR("spec_version")) && str_equal(value, STR("2.0"));
	outside->objects |= str_equal(key, STR("objects"));
	outside->other |= !str_equal(key, STR("more")) && !str_equal(key, STR("next"));
}

/* Behind the bracket of an object: is there a list of objects in it? False, with err: it is not JSON. */
static bool members_read(struct stix_bundle *bundle, struct outside *outside, struct err *err)
{
	enum json_step step;
	struct str key;
	struct str value;

	while ((step = json_member_key(&bundle->rest, &key)) == JSON_STEP_VALUE) {
		if (str_equal(key, STR("objects")) && !outside->typed && json_open(&bundle->rest, '[')) {
			bundle->in_object = true;
			return true;
		}
		if (!json_skip_value(&bundle->rest, bundle->max_depth + 2, &value))
			return err_set(err, ERR_MALFORMED,
				"member \"" STR_FMT "\" does not end, or nests too deep",
				STR_ARG(utf8_cut(key, 40)));
		outside_note(bundle, outside, key, value);
	}
	return step == JSON_STEP_END ||
	       err_set(err, ERR_MALFORMED, "not JSON at byte %zu: expected a member or }",
		       (size_t)(bundle->rest.p - bundle->text.p));
}

bool stix_bundle_open(
	struct stix_bundle *bundle, struct str text, size_t max_depth, unsigned *resyncs, struct err *err)
{
	struct outside outside = {0};

	*bundle =
		(struct stix_bundle){.text = text, .rest = text, .max_depth = max_depth, .resyncs = resyncs};
	if (json_open(&bundle->rest, '['))
		return true;
	if (!json_open(&bundle->rest, '{'))
		return err_set(
			err, ERR_MALFORMED, "expected a STIX bundle, a TAXII envelope or a list of objects");
	if (!members_read(bundle, &outside, err))
		return false;
	if (bundle->in_object)
		return true;
	if (outside.objects && !outside.typed)
		return err_set(err, ERR_MALFORMED, "expected `objects` to be a list of STIX objects");
	if (outside.other && !outside.typed && !outside.bundle)
		return err_set(err, ERR_MALFORMED,
			"expected a STIX bundle, a TAXII envelope or an object with a type");
	bundle->single = outside.typed;
	bundle->none = !outside.typed;
	bundle->text.len = (size_t)(bundle->rest.p - bundle->text.p);
	return true;
}

static bool is_stix(struct str object, size_t max_depth)
{
	struct str key, value;
	unsigned found = 0;

	if (!json_open(&object, '{'))
		return false;
	while (found != 3 && json_member(&object, max_depth, &key, &value) == JSON_STEP_VALUE)
		found |= str_equal(key, STR("type")) ? 1 : str_equal(key, STR("id")) ? 2 : 0;
	return found == 3;
}

/* The next object behind one that has no end: a comma, then an object with type and id. *broken is what was
 * passed over. */
static void resync(struct stix_bundle *bundle, struct str *broken)
{
	struct str rest = bundle->rest;
	const char *end = rest.p + rest.len;
	const char *brace = rest.len ? memchr(rest.p + 1, '{', rest.len - 1) : NULL;

	for (; brace && *bundle->resyncs < RESYNC_MAX;
		brace = memchr(brace + 1, '{', (size_t)(end - brace - 1))) {
		const char *before = brace;
		struct str from = {brace, (size_t)(end - brace)};
		struct str value;
		while (before > rest.p && strchr(" \t\r\n", before[-1]))
			before--;
		if (before == rest.p || before[-1] != ',')
			continue;
		++*bundle->resyncs;
		if (!json_skip_value(&from, bundle->max_depth, &value) || !is_stix(value, bundle->max_depth))
			continue;
		*broken = (struct str){rest.p, (size_t)(before - 1 - rest.p)};
		bundle->rest = (struct str){brace, (size_t)(end - brace)};
		return;
	}
	*broken = rest;
	bundle->rest = (struct str){end, 0};
}

bool stix_bundle_next(struct stix_bundle *bundle, struct str *piece, bool *good)
{
	*good = true;
	if (bundle->none)
		return false;
	if (bundle->single) {
		*piece = bundle->text;
		bundle->none = true;
		return true;
	}
	switch (json_element(&bundle->rest, bundle->max_depth + (size_t)2 * STIX_NESTING, piece)) {
	case JSON_STEP_VALUE:
		return true;
	case JSON_STEP_END:
		return false;
	case JSON_STEP_BROKEN:
		break;
	}
	*good = false;
	resync(bundle, piece);
	return true;
}

bool stix_bundle_close(struct stix_bundle *bundle)
{
	struct str rest = bundle->rest;
	enum json_step step = JSON_STEP_END;
	struct str key;
	struct str value;

	while (bundle->in_object &&
		(step = json_member(&rest, bundle->max_depth, &key, &value)) == JSON_STEP_VALUE) {
		if (str_equal(key, STR("objects")) && value.p[0] == '[')
			return false;
		bundle->rest = rest;
	}
	if (step == JSON_STEP_END)
		bundle->rest = rest;
	json_skip_space(&bundle->rest);
	return step == JSON_STEP_END || bundle->rest.len == 0;
}

bool stix_is_bundle(struct str piece, size_t max_depth)
{
	struct str key;
	struct str value;

	/* Most objects have no such word in them. */
	if (!memmem(piece.p, piece.len, "\"bundle\"", 8) || !json_open(&piece, '{'))
		return false;
	while (json_member(&piece, max_depth, &key, &value) == JSON_STEP_VALUE)
		if (str_equal(key, STR("type")))
			return str_equal(json_plain_string(value), STR("bundle"));
	return false;
}
