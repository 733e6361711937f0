#include "base/hash.h"
#include "wire/jcs.h"
#include "wire/json_cut.h"
#include "wire/pattern.h"
#include "wire/reading.h"
#include "wire/stix_check.h"
#include "wire/stix_index.h"
#include "wire/stix_marking.h"
#include "wire/stix_report.h"
#include "wire/stix_sco.h"

/* After a broken object the next one is looked for; so often that it costs no more than reading the bundle
 * again. */
#define RESYNC_MAX 64

/* What is being read, and where in it. */
struct bundle {
	struct reading *reading;
	struct stix_index *index;
	struct str whole;
	struct str rest;      /* behind the opening bracket of the list of objects */
	bool in_object;       /* the list is a member: others may follow */
	bool single;          /* one object, not a list: it is `whole` */
	bool old;             /* says that it is STIX 2.0 */
	size_t number;        /* of the object at hand */
	struct buf canonical; /* its canonical JSON */
	unsigned resyncs;
};

static size_t depth_of(const struct bundle *bundle)
{
	return bundle->reading->limits->max_depth;
}

/* Find the list of objects in a bundle or envelope; or see that it is an object, or a bare list. */
static bool bundle_open(struct bundle *bundle, struct err *err)
{
	struct str rest = bundle->whole;
	enum json_step step;
	struct str key;
	struct str value;
	bool is_object = false;
	bool is_bundle = false;
	bool no_list = false;

	if (json_open(&rest, '[')) {
		bundle->rest = rest;
		return true;
	}
	if (!json_open(&rest, '{'))
		return err_set(
			err, ERR_MALFORMED, "expected a STIX bundle, a TAXII envelope or a list of objects");
	while ((step = json_member_key(&rest, &key)) == JSON_STEP_VALUE) {
		if (str_equal(key, STR("objects")) && !is_object && json_open(&rest, '[')) {
			bundle->rest = rest;
			bundle->in_object = true;
			return true;
		}
		if (!json_skip_value(&rest, depth_of(bundle) + 2, &value))
			return err_set(err, ERR_MALFORMED,
				"member \"" STR_FMT "\" does not end, or nests too deep",
				STR_ARG(utf8_cut(key, 40)));
		no_list = no_list || str_equal(key, STR("objects"));
		value = json_plain_string(value);
		if (str_equal(key, STR("type"))) {
			is_bundle = str_equal(value, STR("bundle"));
			is_object = !is_bundle && value.len > 0;
		}
		bundle->old |=
			is_bundle && str_equal(key, STR("spec_version")) && str_equal(value, STR("2.0"));
	}
	if (step == JSON_STEP_BROKEN)
		return err_set(err, ERR_MALFORMED, "not JSON at byte %zu: expected a member or }",
			(size_t)(rest.p - bundle->whole.p));
	json_skip_space(&rest);
	if (rest.len > 0)
		return err_set(err, ERR_MALFORMED, "expected the end at byte %zu",
			(size_t)(rest.p - bundle->whole.p));
	if (no_list && !is_object)
		return err_set(err, ERR_MALFORMED, "expected `objects` to be a list of STIX objects");
	bundle->single = is_object;
	bundle->rest = STR("]"); /* an empty page, or a bundle of nothing */
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
static void resync(struct bundle *bundle, struct str *broken)
{
	struct str rest = bundle->rest;
	const char *end = rest.p + rest.len;
	const char *brace = rest.len ? memchr(rest.p + 1, '{', rest.len - 1) : NULL;

	for (; brace && bundle->resyncs < RESYNC_MAX;
		brace = memchr(brace + 1, '{', (size_t)(end - brace - 1))) {
		const char *before = brace;
		struct str from = {brace, (size_t)(end - brace)};
		struct str value;
		while (before > rest.p && strchr(" \t\r\n", before[-1]))
			before--;
		if (before == rest.p || before[-1] != ',')
			continue;
		bundle->resyncs++;
		if (!json_skip_value(&from, depth_of(bundle), &value) || !is_stix(value, depth_of(bundle)))
			continue;
		*broken = (struct str){rest.p, (size_t)(before - 1 - rest.p)};
		bundle->rest = (struct str){brace, (size_t)(end - brace)};
		return;
	}
	*broken = rest;
	bundle->rest = (struct str){end, 0};
}

/* The next object; *good is false for bytes that are none. False at the end. */
static bool bundle_next(struct bundle *bundle, struct str *piece, bool *good)
{
	*good = true;
	if (bundle->single) {
		*piece = bundle->whole;
		bundle->single = false;
		bundle->rest = STR("]");
		return true;
	}
	switch (json_element(&bundle->rest, depth_of(bundle), piece)) {
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

static struct str place(const struct bundle *bundle)
{
	return arena_printf(bundle->reading->arena, "objects[%zu]", bundle->number);
}

static void keep_object(
	struct bundle *bundle, const struct item *item, struct json_object *object, struct str text)
{
	struct arena *arena = bundle->reading->arena;
	struct json_object *revoked = json_of(object, "revoked", json_type_boolean);
	struct stix_object *kept = reading_object(bundle->reading, item->number);
	struct str version = json_text(object, "modified");
	uint8_t digest[SHA256_LEN];

	kept->id = arena_str(arena, json_text(object, "id"));
	kept->type = arena_str(arena, json_text(object, "type"));
	kept->version = arena_str(arena, version.len > 0 ? version : json_text(object, "created"));
	kept->spec = stix_is_old(object, bundle->old) && stix_kind_of(kept->type) != STIX_SCO ? STR("2.0")
	                                                                                      : STR("2.1");
	kept->created_by = arena_str(arena, json_text(object, "created_by_ref"));
	kept->revoked = revoked && json_object_get_boolean(revoked);
	kept->tlp = stix_tlp(bundle->index, object);
	kept->text = text;
	sha256(buf_view(&bundle->canonical), digest);
	memcpy(kept->digest, digest, FINGERPRINT_LEN);
}

/* An observable's identifier follows from what it says: where it does not, two senders would name one thing
 * twice. */
static void check_name(
	struct reading *reading, struct report *report, struct str id, struct str type, struct str text)
{
	struct str right;

	if (stix_kind_of(type) != STIX_SCO || !stix_id_is_named(id) ||
		!stix_sco_id(type, text, reading->limits->max_depth, reading->arena, &right) ||
		str_equal_nocase(id, right))
		return;
	reading_note(reading, report, "its properties give it another identifier: " STR_FMT, STR_ARG(right));
}

static void take_object(struct bundle *bundle, struct json_object *object, struct str text, const char *flaw)
{
	struct json_object *revoked = json_of(object, "revoked", json_type_boolean);
	bool gone = revoked && json_object_get_boolean(revoked);
	bool is_report = stix_is_report(json_text(object, "type")) && !gone;
	struct item *item = reading_item(bundle->reading, is_report ? ITEM_REPORT : ITEM_CONTEXT);

	item->part = place(bundle);
	stix_report(bundle->reading, &item->report, bundle->index, object, text);
	if (gone)
		reading_note(bundle->reading, &item->report, "revoked by its creator");
	check_name(bundle->reading, &item->report, json_text(object, "id"), json_text(object, "type"), text);
	if (flaw[0])
		reading_note(bundle->reading, &item->report, "not quite STIX: %s", flaw);
	keep_object(bundle, item, object, item->report.doc);
}

/* Strictly: json-c takes a key that stands twice, and what comes last wins. */
static bool is_json(struct bundle *bundle, struct str piece, struct err *err)
{
	buf_clear(&bundle->canonical);
	return jcs_write(piece, (unsigned)depth_of(bundle), bundle->reading->arena, &bundle->canonical, err);
}

/* A pattern in STIX's own language is one; those of other engines are theirs. */
static bool check_pattern(struct bundle *bundle, const struct json_object *object, struct err *err)
{
	struct str language = json_text(object, "pattern_type");
	struct pattern pattern;

	if (!str_equal(json_text(object, "type"), STR("indicator")) ||
		(language.len > 0 && !str_equal(language, STR("stix"))))
		return true;
	return pattern_parse(json_text(object, "pattern"), bundle->reading->arena, &pattern, err) ||
	       err_prefix(err, "pattern");
}

static void read_object(struct bundle *bundle, struct str piece)
{
	struct reading *reading = bundle->reading;
	struct json_object *object = NULL;
	char flaw[STIX_FLAW];
	struct err err = {0};

	if (piece.len > reading->limits->max_line)
		err_set(&err, ERR_NOSPACE, "an object of %zu bytes; at most %zu are read", piece.len,
			reading->limits->max_line);
	else if (is_json(bundle, piece, &err) &&
		 json_read(piece, reading->limits->max_depth, &object, &err)) {
		if (!json_object_is_type(object, json_type_object))
			err_set(&err, ERR_MALFORMED, "expected a STIX object");
		else if (stix_check(object, bundle->old, flaw, &err) && check_pattern(bundle, object, &err))
			take_object(bundle, object, piece, flaw);
	}
	if (err.code != ERR_NONE)
		reading_quarantine(reading, place(bundle), "stix", piece, "%s", err.text);
	json_object_put(object);
}

/* One piece, or what was passed over looking for one. */
static void read_piece(struct bundle *bundle, struct str piece, bool good)
{
	struct reading *reading = bundle->reading;
	struct str reason;

	if (reading->at)
		reading->at(reading, reading->next_item, "stix");
	if (reading->left_out && reading->left_out(reading, reading->next_item, &reason))
		reading_quarantine(reading, place(bundle), "stix", piece, STR_FMT, STR_ARG(reason));
	else if (good)
		read_object(bundle, piece);
	else if (piece.len > 0)
		reading_quarantine(reading, place(bundle), "stix", piece,
			"not JSON: an object does not end, or nests deeper than %zu", depth_of(bundle));
	else
		reading_quarantine(reading, place(bundle), "stix", piece, "the list of objects ends early");
}

/* Behind the list: the bundle's other members and its end, and nothing else. */
static void read_tail(struct bundle *bundle)
{
	struct str rest = bundle->rest;
	struct str key;
	struct str value;

	while (bundle->in_object && json_member(&rest, depth_of(bundle), &key, &value) == JSON_STEP_VALUE) {
		if (str_equal(key, STR("objects")) && value.p[0] == '[')
			break;
		bundle->rest = rest;
	}
	if (bundle->in_object && json_open(&bundle->rest, '}'))
		bundle->in_object = false;
	json_skip_space(&bundle->rest);
	if (bundle->rest.len > 0)
		reading_quarantine(bundle->reading, STR("behind the objects"), "stix", bundle->rest,
			"expected the end of the bundle");
}

static void read_objects(struct bundle *bundle)
{
	const char *end = bundle->whole.p + bundle->whole.len;
	struct str piece;
	struct str reason;
	bool good;

	for (; bundle_next(bundle, &piece, &good); bundle->number++) {
		if (reading_is_full(bundle->reading, &reason)) {
			reading_quarantine(bundle->reading, place(bundle), "stix",
				(struct str){piece.p, (size_t)(end - piece.p)}, STR_FMT, STR_ARG(reason));
			return;
		}
		read_piece(bundle, piece, good);
		reading_flush(bundle->reading);
		if (!good && bundle->rest.len == 0)
			return;
	}
	read_tail(bundle);
}

static void index_objects(const struct bundle *bundle)
{
	struct str rest = bundle->rest;
	struct str piece;

	if (bundle->single)
		stix_index_add(bundle->index, bundle->whole);
	while (!bundle->single && json_element(&rest, depth_of(bundle), &piece) == JSON_STEP_VALUE)
		stix_index_add(bundle->index, piece);
}

bool stix_read(struct reading *reading, struct str bytes, struct str envelope, struct err *err)
{
	struct bundle bundle = {.reading = reading, .whole = bytes};

	(void)envelope;
	if (!bundle_open(&bundle, err))
		return false;
	bundle.index = stix_index_new(bytes, reading->limits->max_depth);
	index_objects(&bundle);
	read_objects(&bundle);
	stix_index_free(&bundle.index);
	buf_free(&bundle.canonical);
	return true;
}
