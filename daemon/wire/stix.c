#include "config.h"

#include <limits.h>
#include <stdio.h>

#include "base/hash.h"
#include "wire/jcs.h"
#include "wire/json_cut.h"
#include "wire/pattern.h"
#include "wire/reading.h"
#include "wire/stix_bundle.h"
#include "wire/stix_check.h"
#include "wire/stix_index.h"
#include "wire/stix_marking.h"
#include "wire/stix_report.h"
#include "wire/stix_sco.h"

/* How often what stands behind a broken line is looked at: each may cost reading the rest of the entry. */
#define BROKEN_LINES_MAX 64

/* What is being read, and where in it. */
struct reader {
	struct reading *reading;
	struct stix_index *index;
	const char *end;                    /* of the entry */
	struct stix_bundle bundle;          /* the one at hand */
	char where[STIX_NESTING * 32 + 32]; /* it stands: "bundle 2: objects[3]."; "" for the only one */
	unsigned depth;                     /* bundles around it */
	struct buf canonical;               /* the object's canonical JSON */
	unsigned resyncs;
};

static size_t depth_of(const struct reader *reader)
{
	return reader->reading->limits->max_depth;
}

static struct str place(const struct reader *reader)
{
	return arena_printf(reader->reading->arena, "%sobjects[%zu]", reader->where, reader->bundle.number);
}

static void keep_object(
	struct reader *reader, const struct item *item, struct json_object *object, struct str text)
{
	struct arena *arena = reader->reading->arena;
	struct json_object *revoked = json_of(object, "revoked", json_type_boolean);
	struct stix_object *kept = reading_object(reader->reading, item->number);
	struct str version = json_text(object, "modified");
	uint8_t digest[SHA256_LEN];

	kept->id = arena_str(arena, json_text(object, "id"));
	kept->type = arena_str(arena, json_text(object, "type"));
	kept->version = arena_str(arena, version.len > 0 ? version : json_text(object, "created"));
	kept->spec = stix_is_old(object, reader->bundle.old) && stix_kind_of(kept->type) != STIX_SCO
	                     ? STR("2.0")
	                     : STR("2.1");
	kept->created_by = arena_str(arena, json_text(object, "created_by_ref"));
	kept->revoked = revoked && json_object_get_boolean(revoked);
	kept->tlp = stix_tlp(reader->index, object);
	kept->text = text;
	sha256(buf_view(&reader->canonical), digest);
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

static void take_object(struct reader *reader, struct json_object *object, struct str text, const char *flaw)
{
	struct json_object *revoked = json_of(object, "revoked", json_type_boolean);
	bool gone = revoked && json_object_get_boolean(revoked);
	bool is_report = stix_is_report(json_text(object, "type")) && !gone;
	struct item *item = reading_item(reader->reading, is_report ? ITEM_REPORT : ITEM_CONTEXT);

	item->part = place(reader);
	stix_report(reader->reading, &item->report, reader->index, object, text);
	if (gone)
		reading_note(reader->reading, &item->report, "revoked by its creator");
	check_name(reader->reading, &item->report, json_text(object, "id"), json_text(object, "type"), text);
	if (flaw[0])
		reading_note(reader->reading, &item->report, "not quite STIX: %s", flaw);
	keep_object(reader, item, object, item->report.doc);
}

/* Strictly: json-c takes a key that stands twice, and what comes last wins. */
static bool is_json(struct reader *reader, struct str piece, struct err *err)
{
	buf_clear(&reader->canonical);
	return jcs_write(piece, (unsigned)depth_of(reader), reader->reading->arena, &reader->canonical, err);
}

/* A pattern in STIX's own language is one; those of other engines are theirs. */
static bool check_pattern(struct reader *reader, const struct json_object *object, struct err *err)
{
	struct str language = json_text(object, "pattern_type");
	struct pattern pattern;

	if (!str_equal(json_text(object, "type"), STR("indicator")) ||
		(language.len > 0 && !str_equal(language, STR("stix"))))
		return true;
	return pattern_parse(json_text(object, "pattern"), reader->reading->arena, &pattern, err) ||
	       err_prefix(err, "pattern");
}

static void read_object(struct reader *reader, struct str piece)
{
	struct reading *reading = reader->reading;
	struct json_object *object = NULL;
	char flaw[STIX_FLAW];
	struct err err = {0};

	if (piece.len > reading->limits->max_line)
		err_set(&err, ERR_NOSPACE, "an object of %zu bytes; at most %zu are read", piece.len,
			reading->limits->max_line);
	else if (is_json(reader, piece, &err) &&
		 json_read(piece, reading->limits->max_depth, &object, &err)) {
		if (!json_object_is_type(object, json_type_object))
			err_set(&err, ERR_MALFORMED, "expected a STIX object");
		else if (stix_check(object, reader->bundle.old, flaw, &err) &&
			 check_pattern(reader, object, &err))
			take_object(reader, object, piece, flaw);
	}
	if (err.code != ERR_NONE)
		reading_quarantine(reading, place(reader), "stix", piece, "%s", err.text);
	json_object_put(object);
}

static bool read_objects(struct reader *reader);

/* A bundle among the objects of another. False: nothing more is to be read. */
static bool read_nested(struct reader *reader, struct str piece)
{
	struct stix_bundle outer = reader->bundle;
	size_t length = strlen(reader->where);
	struct stix_bundle inner;
	struct err err = {0};
	bool more;

	if (reader->depth == STIX_NESTING)
		err_set(&err, ERR_MALFORMED, "bundles within bundles: at most %d are opened", STIX_NESTING);
	else
		stix_bundle_open(&inner, piece, depth_of(reader), &reader->resyncs, &err);
	if (err.code != ERR_NONE) {
		reading_quarantine(reader->reading, place(reader), "stix", piece, "%s", err.text);
		return true;
	}
	snprintf(reader->where + length, sizeof(reader->where) - length, "objects[%zu].", outer.number);
	reader->bundle = inner;
	reader->depth++;
	more = read_objects(reader);
	reader->depth--;
	reader->bundle = outer;
	reader->where[length] = '\0';
	return more;
}

/* One piece, or what was passed over looking for one. */
static void read_piece(struct reader *reader, struct str piece, bool good)
{
	struct reading *reading = reader->reading;
	struct str reason;

	if (reading->at)
		reading->at(reading, reading->next_item, "stix");
	if (reading->left_out && reading->left_out(reading, reading->next_item, &reason))
		reading_quarantine(reading, place(reader), "stix", piece, STR_FMT, STR_ARG(reason));
	else if (good)
		read_object(reader, piece);
	else if (piece.len > 0)
		reading_quarantine(reading, place(reader), "stix", piece,
			"not JSON: an object does not end, or nests deeper than %zu", depth_of(reader));
	else
		reading_quarantine(reading, place(reader), "stix", piece, "the list of objects ends early");
}

/* False: nothing more is to be read. */
static bool read_objects(struct reader *reader)
{
	struct reading *reading = reader->reading;
	struct str piece;
	struct str reason;
	bool good;

	for (; stix_bundle_next(&reader->bundle, &piece, &good); reader->bundle.number++) {
		if (reading_is_full(reading, &reason)) {
			reading_quarantine(reading, place(reader), "stix",
				(struct str){piece.p, (size_t)(reader->end - piece.p)}, STR_FMT,
				STR_ARG(reason));
			return false;
		}
		if (!good || !stix_is_bundle(piece, depth_of(reader)))
			read_piece(reader, piece, good);
		else if (!read_nested(reader, piece))
			return false;
		reading_flush(reading);
		if (!good && reader->bundle.rest.len == 0)
			return true;
	}
	if (!stix_bundle_close(&reader->bundle)) {
		reading_quarantine(reading, STR("behind the objects"), "stix", reader->bundle.rest,
			"expected the end of the bundle");
		reader->bundle.rest.len = 0;
	}
	return true;
}

/* --- one bundle behind the other --- */

/* Cut the next bundle off. Where it has no end, its line, so that the next lines are read. */
static struct str cut_next(struct reader *reader, struct str *rest)
{
	struct str after = *rest;
	struct str text;

	if (strchr("{[", *rest->p) &&
		json_skip_value(&after, depth_of(reader) + 2 + (size_t)2 * STIX_NESTING, &text)) {
		*rest = after;
	} else if (reader->resyncs < BROKEN_LINES_MAX) {
		reader->resyncs++;
		str_split(rest, '\n', &text);
	} else {
		text = *rest;
		*rest = (struct str){text.p + text.len, 0};
	}
	return text;
}

/* False: the entry ends here. */
static bool read_next(struct reader *reader, struct str *rest, size_t number)
{
	struct err err = {0};
	struct str reason;
	struct str text;
	int length;

	json_skip_space(rest);
	if (rest->len == 0)
		return false;
	if (reading_is_full(reader->reading, &reason)) {
		reading_quarantine(
			reader->reading, STR("behind the objects"), "stix", *rest, STR_FMT, STR_ARG(reason));
		return false;
	}
	text = cut_next(reader, rest);
	length = snprintf(reader->where, sizeof(reader->where), "bundle %zu", number);
	if (!strchr("{[", *text.p))
		reading_quarantine(reader->reading, STR("behind the objects"), "stix", text,
			"expected the end of the bundle");
	else if (!stix_bundle_open(&reader->bundle, text, depth_of(reader), &reader->resyncs, &err))
		reading_quarantine(reader->reading, arena_str(reader->reading->arena, str_of(reader->where)),
			"stix", text, "%s", err.text);
	else {
		snprintf(reader->where + length, sizeof(reader->where) - (size_t)length, ": ");
		return read_objects(reader);
	}
	reading_flush(reader->reading);
	return true;
}

static void index_list(struct reader *reader, struct stix_bundle *bundle, unsigned depth)
{
	struct stix_bundle inner;
	struct str piece;
	bool good;

	while (stix_bundle_next(bundle, &piece, &good) && good) {
		if (!stix_is_bundle(piece, depth_of(reader)))
			stix_index_add(reader->index, piece);
		else if (depth < STIX_NESTING &&
			 stix_bundle_open(&inner, piece, depth_of(reader), bundle->resyncs, NULL))
			index_list(reader, &inner, depth + 1);
	}
}

/* Up to what is broken. */
static void index_all(struct reader *reader, struct str bytes)
{
	unsigned no_resync = UINT_MAX;
	struct stix_bundle bundle;

	do {
		if (!stix_bundle_open(&bundle, bytes, depth_of(reader), &no_resync, NULL))
			return;
		index_list(reader, &bundle, 0);
		if (!stix_bundle_close(&bundle))
			return;
		bytes = bundle.rest;
	} while (bytes.len > 0);
}

bool stix_read(struct reading *reading, struct str bytes, struct str envelope, struct err *err)
{
	struct reader reader = {.reading = reading, .end = bytes.p + bytes.len};
	struct str rest;

	(void)envelope;
	if (!stix_bundle_open(&reader.bundle, bytes, depth_of(&reader), &reader.resyncs, err))
		return false;
	reader.index = stix_index_new(bytes, reading->limits->max_depth);
	index_all(&reader, bytes);
	if (read_objects(&reader)) {
		rest = reader.bundle.rest;
		for (size_t number = 2; read_next(&reader, &rest, number);)
			number++;
	}
	stix_index_free(&reader.index);
	buf_free(&reader.canonical);
	return true;
}
