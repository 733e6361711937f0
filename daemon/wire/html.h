#ifndef WIRE_HTML_H
#define WIRE_HTML_H

#include "base/arena.h"

/*
 * HTML (UTF-8) as plain text: tags, comments, scripts and styles gone, blocks as lines, entities decoded.
 * Where a link, a form, a frame or a refresh leads stands before its words as "<http://…>", read as a browser
 * reads it (wire/link.h; relative to <base>), so that what is shown and where it goes can be compared.
 * *beneath: what a mail program or browser fetches or may go to and nobody is shown, as "<http://…>" lines:
 * pictures, scripts, styles, conditional comments, code in attributes. Linear.
 */
struct str html_text(struct str html, struct arena *arena, struct str *beneath);
/* The charset that its <meta> declares in the first 2 KB; "" if none. */
struct str html_charset(struct str html);

#endif
