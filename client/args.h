#ifndef CLIENT_ARGS_H
#define CLIENT_ARGS_H

#include <json-c/json.h>

#include "base/buf.h"
#include "client/place.h"
#include "model/verb.h"

/* Exit codes of cirt: part of its interface. */
enum exit_code { EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_NOT_FOUND, EXIT_NOT_ALLOWED, EXIT_NO_DAEMON };

/* What the command line asks for, checked against the verb table. */
struct invocation {
	const struct verb *verb;    /* NULL: nothing or only a noun was said */
	const char *noun;           /* the noun where only that was said, with --help or without */
	struct json_object *params; /* one member per argument and option that was given */
	bool json;
	bool help;
	struct place_said place;    /* of --socket, --server … */
	const char *columns, *sort; /* of tables: --columns, --sort; NULL */
	const char *save;           /* --save: the name that `words` are to be kept under; NULL */
	struct buf words;           /* what was typed behind the verb and is worth keeping, a word a line */
	struct json_object *kept;   /* texts of --saved that others point into */
};

/* The options of every verb, ended by name NULL. A verb's own of the same name goes before. */
extern const struct verb_option args_common[];

enum args_outcome { ARGS_RUN, ARGS_WRONG };

/* Parse argv[1..]. ARGS_WRONG: complaint says, in a line or two, what is wrong and what was probably meant.
 */
enum args_outcome args_parse(int argc, char **argv, struct invocation *invocation, struct buf *complaint);
void args_free(struct invocation *invocation);

/* How many single-letter mistakes (missing, extra, wrong, swapped) lie between a and b; more than `limit` is
 * limit + 1. */
unsigned args_distance(struct str a, struct str b, unsigned limit);

/* The member of params that an argument or option of the verb table stands for: "[NAME]" → "name",
 * "max-lines" → "max_lines". */
#define ARGS_MEMBER 32
const char *args_member(struct str word, char member[ARGS_MEMBER]);

#endif
