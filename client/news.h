#ifndef CLIENT_NEWS_H
#define CLIENT_NEWS_H

#include "client/screen.h"

/* "3 by amira · 1 mail · 40 reports, today 14:02": what is new in a case, as the desk has summed it, added to
 * text; names are made safe for a terminal. */
void news_describe(struct screen *screen, struct json_object *news, struct buf *text);

#endif
