#ifndef WIRE_SMTP_H
#define WIRE_SMTP_H

#include "base/buf.h"

/*
 * The server's side of SMTP (RFC 5321) and LMTP (RFC 2033) as a machine without sockets: bytes in, replies
 * and steps out. Extensions: PIPELINING, 8BITMIME, SMTPUTF8, SIZE, STARTTLS, ENHANCEDSTATUSCODES.
 *
 * Line ends, so that nothing can be smuggled past another server's reading: a command ends in CR LF and holds
 * no other CR or LF; a bare one is answered 500 and ends the session. Mail data ends in CR LF . CR LF and
 * nothing else; bare CR and LF are bytes of the mail like any other, begin no line and end none. A mail in
 * which they make a dot look like its end (smtp_data.h) is skipped up to its real end and refused with 554.
 * Mail is passed on as received but for dot-unstuffing (RFC 5321 4.5.2).
 */
struct smtp;

struct smtp_settings {
	bool lmtp;               /* LHLO, and a reply per recipient after the data */
	const char *hostname;    /* in greeting and replies; must outlive the machine */
	uint64_t max_size;       /* of a mail, in bytes */
	uint64_t max_recipients; /* of a mail */
	bool starttls;           /* offered until used */
};

/* text: one line of printable ASCII. */
struct smtp_reply {
	int code;             /* 250 */
	const char *enhanced; /* "2.0.0", NULL where the code has none (354) */
	const char *text;
};

enum smtp_step {
	SMTP_MORE,      /* give more bytes */
	SMTP_WAITING,   /* smtp_answer() is due */
	SMTP_RECIPIENT, /* bytes: an address; answer 250 to take it, 4xx or 5xx to refuse */
	SMTP_BEGIN,     /* a mail follows for those taken: answer 354 to let it come, else 4xx or 5xx */
	SMTP_BYTES,     /* bytes: more of the mail; valid until the next step */
	SMTP_END,   /* it is whole: answer once per recipient taken, in their order (LMTP), or once (SMTP) */
	SMTP_DROP,  /* forget the mail begun: over the limit; the machine replies by itself */
	SMTP_RESET, /* forget the recipients: RSET, a new greeting, or the mail is answered */
	SMTP_TLS,   /* write the output, start TLS, then smtp_tls_started() */
	SMTP_CLOSE  /* write the output, then close */
};

struct smtp_event {
	struct str bytes;
};

struct smtp *smtp_new(const struct smtp_settings *settings); /* the greeting stands in its output */
void smtp_free(struct smtp **smtp);
/* Take what it can from the front of `in` and say what to do next; call until SMTP_MORE, SMTP_WAITING or
 * SMTP_CLOSE. */
enum smtp_step smtp_step(struct smtp *smtp, struct buf *in, struct smtp_event *event);
struct buf *smtp_output(struct smtp *smtp); /* replies to be written; consume them */
void smtp_answer(struct smtp *smtp, const struct smtp_reply *reply);
size_t smtp_answers_due(const struct smtp *smtp);
/* From now on MAIL is refused with this; NULL takes mail again. A 421 ends the session. Strings must be
 * constants. */
void smtp_hold(struct smtp *smtp, const struct smtp_reply *reason);
/* The mail that is coming cannot be kept: skip the rest of it and answer every recipient with this at its
 * end. */
void smtp_spoil(struct smtp *smtp, const struct smtp_reply *reason);
void smtp_tls_started(struct smtp *smtp);
bool smtp_between_mails(const struct smtp *smtp); /* no mail is on its way: may be ended politely */

/* Of the mail on its way; valid until SMTP_RESET. */
struct str smtp_helo(const struct smtp *smtp);
struct str smtp_sender(const struct smtp *smtp); /* "" = the null sender */
bool smtp_is_utf8(const struct smtp *smtp);      /* SMTPUTF8 was asked for */
uint64_t smtp_size(const struct smtp *smtp);     /* declared by SIZE= until data comes, then what has come */

#endif
