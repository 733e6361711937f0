#ifndef DESK_OWN_H
#define DESK_OWN_H

#include <json-c/json.h>

#include "conf/conf.h"
#include "proc/room.h"

/* What the desk knows itself, and puts beside what an operator asks: functions of the database check against
 * it. */

/* The domain of our own addresses, for Message-IDs, and to know our own mailboxes. Lives as long as conf. */
struct str own_domain(const struct conf *conf);
/* A text of JSON; the caller's. */
struct json_object *own_text(struct str text);
/* Sets "own" in asked: our domains, and the address that answers go to. Replaces what somebody else said. */
void own_put_addresses(const struct conf *conf, struct json_object *asked);
/* Sets "templates" in asked: names of the texts that a rule may name, of the grant "template.names". */
void own_put_templates(struct room *room, struct json_object *asked);

#endif
