#ifndef WIRE_HTML_H
#define WIRE_HTML_H

#include "base/arena.h"

/*
 * HTML (UTF-8) as plain text: tags, comments, scripts and styles gone, blocks as lines, entities decoded.
 * Where a link, a form or a frame leads stands before its words as "<http://…>", so that what is shown and
 * where it goes can be compared. Linear.
 */
struct str html_text(struct str html, struct arena *arena);
/* The charset that its <meta> declares in the first 2 KB; "" if none. */
struct str html_charset(struct str html);

#endif
