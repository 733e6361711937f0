#ifndef MODEL_PLAYBOOK_H
#define MODEL_PLAYBOOK_H

#include "model/sheet.h"

/*
 * What a case of a kind begins with, as its file says: whom it is for, tasks, service clocks, and filings
 * that are owed. As sheet_read(), with "tasks": {text, due, assignee}, "clocks": {what, within, warn, whose,
 * ends}, "filings": {regime, stage, receipt}.
 */
struct json_object *playbook_read(struct str bytes, int *line, struct buf *fault);

#endif
