#ifndef CLIENT_SEEN_H
#define CLIENT_SEEN_H

#include "client/command.h"
#include "wire/jsonrpc.h"

/*
 * What of a case a person has seen last: its revision, kept in the person's own folder
 * ($XDG_STATE_HOME/cirt/seen, or ~/.local/state). A verb that changes a case, which is one that has the
 * option "if", sends it along, and the desk says what others have changed since. Not where JSON is spoken:
 * programs say --if themselves. What cannot be kept is not: then nobody is told.
 */
void seen_ask(struct call *call);
void seen_answer(struct call *call, const struct rpc_message *answer);

#endif
