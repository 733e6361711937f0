#include "wire/stix_index.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "wire/json_cut.h"

/* Bytes that may be built by following references: so many times the bundle, and so many whatever its size.
 */
#define BUDGET_TIMES 4
#define BUDGET_LEAST (size_t)4194304

struct stix_index {
	struct str bundle;
	size_t max_depth;
	size_t budget;
	struct map *objects;   /* hash of id → offset + 1 */
	struct map *indicates; /* hash of source_ref → offset + 1 of the relationship */
	uint8_t key[16];
};

struct stix_index *stix_index_new(struct str bundle, size_t max_depth)
{
	struct stix_index *index = mem_alloc(sizeof(*index));

	index->bundle = bundle;
	index->max_depth = max_depth;
	index->budget = BUDGET_LEAST + BUDGET_TIMES * bundle.len;
	index->objects = map_new();
	index->indicates = map_new();
	random_bytes(index->key, sizeof(index->key));
	return index;
}

void stix_index_free(struct stix_index **index)
{
	if (!*index)
		return;
	map_free(&(*index)->objects);
	map_free(&(*index)->indicates);
	free(*index);
	*index = NULL;
}

struct outline {
	struct str type, id, relation, source;
};

static void look(struct str object, size_t max_depth, struct outline *outline)
{
	struct str key;
	struct str value;

	*outline = (struct outline){0};
	if (!json_open(&object, '{'))
		return;
	while (json_member(&object, max_depth, &key, &value) == JSON_STEP_VALUE) {
		struct str text = json_plain_string(value);
		if (str_equal(key, STR("type")))
			outline->type = text;
		else if (str_equal(key, STR("id")))
			outline->id = text;
		else if (str_equal(key, STR("relationship_type")))
			outline->relation = text;
		else if (str_equal(key, STR("source_ref")))
			outline->source = text;
	}
}

void stix_index_add(struct stix_index *index, struct str object)
{
	void *place = (void *)(uintptr_t)(object.p - index->bundle.p + 1);
	struct outline outline;

	look(object, index->max_depth, &outline);
	if (outline.id.len > 0)
		map_put(index->objects, siphash(index->key, outline.id), place);
	if (outline.source.len > 0 && str_equal(outline.type, STR("relationship")) &&
		str_equal(outline.relation, STR("indicates")))
		map_put(index->indicates, siphash(index->key, outline.source), place);
}

static struct json_object *build(struct stix_index *index, const void *place)
{
	size_t offset = (size_t)(uintptr_t)place - 1;
	struct str rest = {index->bundle.p + offset, index->bundle.len - offset};
	struct json_object *object;
	struct str piece;

	if (!json_skip_value(&rest, index->max_depth, &piece))
		return NULL;
	if (piece.len > index->budget) {
		index->budget = 0;
		return NULL;
	}
	index->budget -= piece.len;
	if (!json_read(piece, index->max_depth, &object, NULL))
		return NULL;
	if (json_object_is_type(object, json_type_object))
		return object;
	json_object_put(object);
	return NULL;
}

bool stix_index_has(const struct stix_index *index, struct str id)
{
	return id.len > 0 && map_get(index->objects, siphash(index->key, id));
}

struct json_object *stix_index_get(struct stix_index *index, struct str id)
{
	void *place = id.len > 0 ? map_get(index->objects, siphash(index->key, id)) : NULL;
	struct json_object *object = place ? build(index, place) : NULL;

	if (object && !str_equal(json_text(object, "id"), id)) {
		json_object_put(object);
		return NULL;
	}
	return object;
}

struct json_object *stix_index_indicated(struct stix_index *index, struct str id)
{
	void *place = id.len > 0 ? map_get(index->indicates, siphash(index->key, id)) : NULL;
	struct json_object *relationship = place ? build(index, place) : NULL;
	struct json_object *target = NULL;

	if (relationship && str_equal(json_text(relationship, "source_ref"), id))
		target = stix_index_get(index, json_text(relationship, "target_ref"));
	json_object_put(relationship);
	return target;
}

bool stix_index_spent(const struct stix_index *index)
{
	return index->budget == 0;
}
