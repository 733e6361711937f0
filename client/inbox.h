#ifndef CLIENT_INBOX_H
#define CLIENT_INBOX_H

#include "client/command.h"

/* The inbox on a terminal: one key acts on a whole line of it, until it is empty or left. An exit code. */
int inbox_work(struct call *call);

/* A line of the inbox in so many columns, safe for a terminal; the line above them. */
void inbox_head(int columns, struct buf *out);
void inbox_row(struct json_object *line, size_t number, int64_t now, int columns, struct buf *out);
const char *inbox_suggestion(struct json_object *line); /* "link 2026-000409 (same kit, 88 %)"; "" */

#endif
