#ifndef MODEL_HOUSE_H
#define MODEL_HOUSE_H

#include "base/buf.h"
#include "base/str.h"

/*
 * What the house says of its time and its work, for keeper_house() of the database: {"calendar": {zone,
 * hours, holidays}, "regimes": [{name, body}], "playbooks": […]}. What cannot be read has "problem" instead,
 * with file and line, so that what stands in the database stays.
 */
struct house;

struct house *house_new(struct str zone, struct str hours);
void house_free(struct house **house);
/* "regime/NAME", "playbook/NAME", "holidays/PATH"; "zone" counts where house_new() was told none. */
void house_add(struct house *house, struct str name, struct str bytes);
void house_json(const struct house *house, struct buf *json);

#endif
