#ifndef WIRE_SMTP_DATA_H
#define WIRE_SMTP_DATA_H

#include "base/str.h"

/*
 * Where mail data ends, and which dots are stuffing (RFC 5321 4.5.2). Only CR LF . CR LF ends it (the CR LF
 * of the DATA command counts as the first of an empty mail); bare CR and LF neither end nor begin a line.
 */
enum smtp_data_at { SMTP_AT_START, SMTP_AT_DOT, SMTP_AT_MIDDLE, SMTP_AT_CR };

/*
 * A dot alone between line ends of which one at least is none: LF . LF, LF . CR LF, CR . CR LF, CR LF . LF,
 * CR LF . CR, and the like with NUL in them. Another server may take it for the end of the mail and what
 * follows for commands, or have passed it on as that: SMTP smuggling. This machine would not, and refuses
 * such mail all the same.
 */
enum smtp_dot_at {
	SMTP_DOT_LINE, /* behind CR LF */
	SMTP_DOT_MIDDLE,
	SMTP_DOT_CR,
	SMTP_DOT_ODD,     /* behind what may pass for a line's end */
	SMTP_DOT_LONE,    /* behind CR LF and a dot */
	SMTP_DOT_LONE_CR, /* and CR */
	SMTP_DOT_LONE_ODD,
	SMTP_DOT_FORGED
};

/* {0} is the state behind the DATA command. */
struct smtp_data {
	enum smtp_data_at at;
	enum smtp_dot_at dot;
};

enum smtp_data_found {
	SMTP_DATA_MORE, /* give more bytes behind these */
	SMTP_DATA_RUN,  /* *len bytes at the front are the mail's */
	SMTP_DATA_DOT,  /* *len bytes at the front are stuffing */
	SMTP_DATA_END   /* *len bytes at the front end the mail */
};

/* Look at the front of bytes; the caller takes *len bytes away before the next call. */
enum smtp_data_found smtp_data_scan(struct smtp_data *data, struct str bytes, size_t *len);
/* Does a forged end stand in what has come so far? To be given what is found as RUN and DOT, in its order. */
bool smtp_data_forged(struct smtp_data *data, struct str bytes);

#endif
