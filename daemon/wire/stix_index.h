#ifndef WIRE_STIX_INDEX_H
#define WIRE_STIX_INDEX_H

#include "wire/json_read.h"

/*
 * Where the objects of a bundle stand, so that references can be followed without holding the bundle built:
 * 16 bytes or so an object. What following costs is bounded by the size of the bundle, so that no bundle is
 * quadratic.
 */
struct stix_index;

struct stix_index *stix_index_new(struct str bundle, size_t max_depth);
void stix_index_free(struct stix_index **index);
/* Note an object, a piece of the bundle. */
void stix_index_add(struct stix_index *index, struct str object);
/* Is an object with this id in the bundle? Costs nothing of the bound. */
bool stix_index_has(const struct stix_index *index, struct str id);
/* The object with this id, built; the caller puts it. NULL: not in the bundle, not JSON, or the bound is
 * reached. */
struct json_object *stix_index_get(struct stix_index *index, struct str id);
/* The target of the relationship "indicates" that starts here; NULL as above. */
struct json_object *stix_index_indicated(struct stix_index *index, struct str id);
/* Has the bound been reached? */
bool stix_index_spent(const struct stix_index *index);

#endif
