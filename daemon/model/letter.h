#ifndef MODEL_LETTER_H
#define MODEL_LETTER_H

#include "base/str.h"

/*
 * What a mail says of where it belongs and what a mail server of ours thought of it. A claim about its
 * content: whose case that is, and whether it is spam, is the store's to decide. All strings are storable.
 */
#define LETTER_REFERENCES 20
#define LETTER_TAGS       8
#define LETTER_TAG        80  /* bytes of one */
#define LETTER_ID         400 /* bytes of a message id; a longer one names nothing */
#define LETTER_RETURNED   20  /* recipients of a bounce that are looked at */
#define LETTER_RETURN     500 /* bytes of what is said of one */

struct letter {
	bool is_mail;       /* false: the item is none, and all below is empty */
	struct str sender;  /* address of From, normalised; "" */
	struct str id;      /* its Message-ID without the brackets; "" */
	struct str replies; /* message ids that it answers, nearest first, with a space behind each but the
	                       last */
	struct str tags;    /* what stands in brackets in its subject, each with a line end behind it */
	struct str spam;  /* why a server that we trust calls it spam: "rspamd 15.2 of 15"; "" it does not */
	struct str dmarc; /* what such a server found out about the domain of From: "pass", "fail", "none" …
	                     (RFC 8601); "" none says */
	struct str returned; /* of a bounce: what became of each recipient, "ACTION STATUS RECIPIENT REASON"
	                        with a line end behind it (RFC 3464); "-" where one is not said */
	bool machine;        /* nobody would read an answer: a list, a program, no-reply@ */
};

#endif
