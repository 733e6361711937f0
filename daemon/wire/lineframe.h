#ifndef WIRE_LINEFRAME_H
#define WIRE_LINEFRAME_H

#include "base/buf.h"
#include "base/hash.h"

/*
 * What a sensor sends, cut into lines, without looking into them. The first byte of a connection decides the
 * framing: a digit other than 0 is RFC 5425 (octet-counted syslog, no acknowledgements; the MSG of each frame
 * is a line), all else is lines ended by LF, as newline-delimited JSON. The first line may be
 * {"hello":{"session":"UUID"}}.
 *
 * Every line counts, blank ones too, but not the hello. A line longer than max_line comes in parts of its
 * own; behind LONG_CUT bytes the rest of it is left out. A line without its LF at the end of a connection is
 * nobody's.
 */
struct lineframe;

enum lineframe_framing { FRAMING_UNKNOWN, FRAMING_LINES, FRAMING_SYSLOG };

enum lineframe_step {
	LINEFRAME_MORE,       /* give more bytes */
	LINEFRAME_HELLO,      /* piece.session */
	LINEFRAME_LINES,      /* piece.bytes: piece.lines whole lines, each with its LF */
	LINEFRAME_LONG_BEGIN, /* a line that is too long begins */
	LINEFRAME_LONG_PART,  /* piece.bytes of it */
	LINEFRAME_LONG_END,   /* it is whole: one line; piece.left_out bytes of it were not given */
	LINEFRAME_BROKEN      /* piece.why: the connection cannot go on */
};

#define LONG_CUT (UINT64_C(16) << 20)

struct lineframe_piece {
	struct str bytes; /* valid until the next step */
	uint64_t lines;
	uint64_t left_out;
	uint8_t session[UUID_LEN];
	const char *why;
};

struct lineframe *lineframe_new(size_t max_line);
void lineframe_free(struct lineframe **frame);
enum lineframe_framing lineframe_framing(const struct lineframe *frame);
/* About how many bytes of `in` are whole lines, for those who wait for more; SIZE_MAX if the next step is
 * another. */
size_t lineframe_ready(struct lineframe *frame, struct buf *in);
/* How much one step may give of lines; one line is given whatever its length. */
struct lineframe_most {
	size_t bytes;
	uint64_t lines;
};

/* Take the next piece off the front of `in`. */
enum lineframe_step lineframe_next(struct lineframe *frame, struct buf *in, const struct lineframe_most *most,
	struct lineframe_piece *piece);

#endif
