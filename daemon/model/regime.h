#ifndef MODEL_REGIME_H
#define MODEL_REGIME_H

#include "model/sheet.h"

/*
 * A law under which something is filed, as its file says: title, law, who files, and stages in their order,
 * each "from" awareness ("aware") or from the receipt of a stage before it. As sheet_read(), with "stages":
 * {stage, title, from, within, whose, ends, warn, answer, answer_warn, line}.
 */
struct json_object *regime_read(struct str bytes, int *line, struct buf *fault);

#endif
