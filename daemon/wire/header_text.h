#ifndef WIRE_HEADER_TEXT_H
#define WIRE_HEADER_TEXT_H

#include "wire/charset.h"

/*
 * A header field's raw value as text: unfolded, encoded words decoded (RFC 2047; adjacent ones of one charset
 * are joined before they are converted, since senders cut characters in two). Bytes that are not ASCII and
 * say no charset are UTF-8 if they can be, else in the charset `nearby` (of the mail's text, "" if unknown),
 * else guessed. outcome adds up over all of it; unknown (at least 64 bytes, may be NULL) gets the first
 * charset that could not be converted, else "".
 */
#define HEADER_CHARSET 64
struct str header_text(struct str raw, struct str nearby, struct arena *arena,
	struct charset_outcome *outcome, char unknown[HEADER_CHARSET]);

#endif
