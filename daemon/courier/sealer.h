#ifndef COURIER_SEALER_H
#define COURIER_SEALER_H

#include "base/err.h"
#include "model/sealed.h"
#include "proc/loop.h"

/* The way to the room keys: questions, whose answers come in any order. Without it every answer is SEAL_AWAY.
 */
struct sealer;

typedef void sealer_fn(const struct seal_answer *answer, void *context); /* valid during the call */
typedef void sealer_list_fn(struct str json, void *context);             /* "": not to be had now */

struct sealer *sealer_new(struct loop *loop);
void sealer_free(struct sealer **sealer);        /* without any more calls */
void sealer_edge(struct sealer *sealer, int fd); /* takes fd */
/* call() comes later, from the loop, once; unless forgotten before. */
void sealer_ask(struct sealer *sealer, const struct seal *seal, sealer_fn *call, void *context);
/* All keys, as cirt key list has them. */
void sealer_list(struct sealer *sealer, sealer_list_fn *call, void *context);
void sealer_forget(struct sealer *sealer, const void *context);

#endif
