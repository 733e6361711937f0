#ifndef WIRE_LINK_H
#define WIRE_LINK_H

#include "base/buf.h"

/*
 * Where a link leads, as a browser reads it (WHATWG URL): white space around it and line breaks and tabs in
 * it are none, "http:\\host", "http:host", "http:///host" and "//host" are "http://host", a host may be
 * percent-encoded or a number ("http://0x7f.1/"), what is relative is relative to base. Without a base, a
 * scheme that is left out is http, and only "www.…" of the relative ones leads anywhere.
 *
 * value: entities decoded. base: an absolute URL, or "". The URL, or the "mailto:…", is appended to out; what
 * would end it there (white space, angle brackets, quotes) is percent-encoded. False, nothing appended: it
 * leads nowhere (an anchor, "data:", "javascript:", "cid:").
 */
bool link_read(struct str value, struct str base, struct buf *out);

#endif
