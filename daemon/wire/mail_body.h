#ifndef WIRE_MAIL_BODY_H
#define WIRE_MAIL_BODY_H

#include "base/buf.h"

/*
 * Bodies of mails that we write (RFC 2045, 2046, 3156, 8551): lines of at most 76 characters, ended by CRLF,
 * ASCII throughout. An entity is header fields of its content, an empty line and that content; whatever wraps
 * one, wraps its bytes as they are.
 */
struct mail_part {
	const char *type; /* "text/csv; charset=utf-8" */
	const char *name; /* of the file, of our own making */
	struct str bytes;
};

/* Text in UTF-8 with line feeds, as quoted-printable, whose lines cannot be taken for something else on the
 * way ("From ", a single dot). */
void mail_put_quoted(struct buf *out, struct str text);
void mail_put_base64(struct buf *out, struct str bytes);

/*
 * The text, and the parts behind it. seed: what no other mail has, for boundaries. subject: said again inside
 * what will be encrypted ("Protected Headers"); "" : not.
 */
void mail_entity(struct buf *out, struct str seed, struct str subject, struct str text,
	const struct mail_part *parts, size_t count);

enum mail_wrap {
	WRAP_PGP_SIGNED, /* entity and signature */
	WRAP_PGP_ENCRYPTED,
	WRAP_CMS_SIGNED,
	WRAP_CMS_ENCRYPTED
};
/* micalg: of a signature, "pgp-sha512". bytes: the armoured message or signature, or CMS in DER. */
void mail_wrap(struct buf *out, enum mail_wrap wrap, struct str seed, struct str entity, struct str bytes,
	struct str micalg);

#endif
