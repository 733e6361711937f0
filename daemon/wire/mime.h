#ifndef WIRE_MIME_H
#define WIRE_MIME_H

#include <gmime/gmime.h>

#include "wire/charset.h"
#include "wire/reading.h"

#define MAIL_SEALED_MAX 16 /* parts of one mail that are opened; each costs processes in another room */

/* What was said of a signature or a key, and holds for all that stands inside. */
struct mail_seal {
	const struct mail_seal *next;
	struct verdict verdict;
};

/* A mail at work, shared by the files mime*.c: one report and what is quarantined beside it. */
struct mail {
	struct reading *reading;
	size_t index;           /* of its item in reading->items; items move when one is added */
	struct buf text;        /* what people wrote, as it goes into the report */
	size_t leaves;          /* parts so far */
	struct str *recipients; /* our own addresses: never observables */
	size_t recipient_count;
	struct str whole;    /* as it came in */
	struct str sender;   /* of the envelope */
	struct str reporter; /* address of From */
	GMimeObject *last;   /* the part read last, not owned, and its path: where a truncated mail ends */
	struct str last_path;
	struct mail_archive *archives; /* to be opened, and those that have been */
	size_t archive_count;
	struct archive_spent unpacked; /* of the limits on archives */
	size_t members_shown;
	size_t hidden_count;
	unsigned hidden_archives;           /* inside so many archives it is looked for now */
	struct str blocks[MAIL_SEALED_MAX]; /* armour that was looked at */
	size_t block_count;
	size_t sealed_parts;       /* that somebody was asked to open */
	size_t signed_parts;       /* with a signature that holds */
	size_t unsigned_parts;     /* that none covers */
	struct mail_scope *scope;  /* the item that is walked now, inside the mail's own; NULL: that */
	struct mail_table *tables; /* to be read when the mail is done */
	size_t statements;         /* items that were made of what stands in it */
	size_t bad_before;         /* quarantined before it */
	bool from_trusted;         /* it was handed to us by a mail server whose verdicts count */
	bool null_sender;          /* the envelope says <> */
	bool too_many;             /* parts than are read: noted */
	bool unclosed;             /* a multipart has no closing boundary */
	bool odd;          /* programs may read it in different ways: it is looked at again, as a whole */
	bool machine_made; /* it says that a machine wrote it for machines */
	bool closed;       /* what is walked now proves a statement, and makes none */
	bool silent;       /* and has no indicators */
};

struct item *mail_item(const struct mail *mail);
struct str mail_one_line(const struct mail *mail, struct str text); /* as a title */
struct report *mail_report(const struct mail *mail);
void mail_note_charset(
	struct mail *mail, const char *where, struct str charset, const struct charset_outcome *outcome);

/* --- mime_part.c --- */
struct mail_place {
	struct str path; /* "1.2" */
	unsigned depth;
	bool quiet;  /* its text stands elsewhere already (multipart/alternative): only look for indicators */
	bool nested; /* inside a message that was forwarded */
	unsigned archives; /* inside so many archives */
	bool covered;      /* by a signature that holds */
	bool opened;       /* it was encrypted */
	const struct mail_seal *seals;
};
void mail_walk(struct mail *mail, GMimeObject *object, struct mail_place place);
/* The bytes of an object as they stood in the mail, in the arena. */
struct str mail_raw(const struct mail *mail, GMimeObject *object);

/* What is kept of a part by its path, and the pieces that its reading is made of. */
struct str mail_place_name(const struct mail *mail, struct str path);
struct str mail_child_path(const struct mail *mail, struct str path, int number);
struct str mail_decoded(const struct mail *mail, GMimePart *part);
struct str mail_encoded(const struct mail *mail, GMimePart *part); /* as it came */
struct str mail_media_type(const struct mail *mail, GMimeObject *object);
void mail_append(struct mail *mail, struct str text);
/* A file that stood in no part of its own: text is searched, a message walked. name may be "". */
void mail_take_bytes(struct mail *mail, struct str bytes, struct str name, struct mail_place place);

/* --- mime_text.c --- */
/* Look for indicators in a text. */
void mail_search(struct mail *mail, struct str text);
/* CRLF as LF, and nothing that a terminal obeys. */
struct str mail_tidy(const struct mail *mail, struct str text);
/* In the charset that the part declares; object NULL: none is declared. */
struct str mail_to_utf8(struct mail *mail, GMimeObject *object, struct str bytes, bool html);
/* Text for people by its name, in which indicators are looked for: "x.log", "x.html". */
bool mail_is_text_name(struct str name);
bool mail_is_html(struct str type, struct str name);
/* Bytes of which nothing is said are text if they are UTF-8, or say by a mark what they are. */
bool mail_text_of(const struct mail *mail, struct str bytes, struct str *text);
/* Search a text, and what is encoded or carried in it; HTML and cards as their readers see them, which is
 * returned. */
struct str mail_read_text(struct mail *mail, struct str utf8, struct str name, bool html, unsigned archives);

/* --- mime_part.c --- */
/* "x.eml" */
bool mail_is_message_name(struct str name);
/* A message as bytes: walked as one that was forwarded, kept as evidence. False: it is none. */
bool mail_take_message(
	struct mail *mail, struct str bytes, struct str name, struct str type, struct mail_place place);

/* --- mime_archive.c --- */
/* To be opened later, if it is one. */
void mail_archive_add(struct mail *mail, struct str bytes, struct str name, struct mail_place place);
/* Open all that were added, those inside them too. Files in them become parts "outer.zip/a.exe", messages are
 * walked. */
void mail_archives_open(struct mail *mail);

/* --- mime_hidden.c --- */
#define MAIL_HIDDEN "hidden" /* path of what stands in no part of its own */
/*
 * What odd MIME may hide from who reads it by the book: bytes that stand encoded in a text which does not say
 * so become parts too, for the rules only. In mails that programs may read in different ways (mail->odd) so
 * does the mail as a whole.
 */
void mail_look_inside(struct mail *mail, struct str text, struct str where, unsigned archives);
/* One that was found otherwise, inside so many archives. */
void mail_take_hidden(struct mail *mail, struct str bytes, struct str name, unsigned archives);
/* At the end of a mail, or of one inside; nothing where it is not odd. */
void mail_look_again(struct mail *mail, struct str bytes, struct str where);
/* Set mail->odd by the headers, and the margins, of an object; by the base64 of a part. */
void mail_judge_object(struct mail *mail, GMimeObject *object);
void mail_judge_content(struct mail *mail, GMimePart *part, struct str where);

/* --- mime_sealed.c --- */
/* PGP/MIME and S/MIME: opened and checked by reading->open_sealed(), then walked. False: it is none. */
bool mail_take_sealed_multipart(struct mail *mail, GMimeMultipart *multipart, struct mail_place place);
/* A child of any multipart that gateways made out of PGP/MIME (its control part, then what is encrypted); a
 * signature over a file beside it is checked. True: nothing more is to be done with it. */
bool mail_take_sealed_child(struct mail *mail, GMimeMultipart *multipart, int index, struct mail_place place);
/* object NULL: a file that stood in no part of its own. */
bool mail_take_sealed_file(struct mail *mail, GMimeObject *object, struct str type, struct str name,
	struct str bytes, struct mail_place place);
/* OpenPGP between the lines of a text: *text gets it with the blocks opened. False: nothing changed. */
bool mail_open_text(struct mail *mail, struct mail_place *place, struct str *text);
/* Says what of a signed mail is not signed. */
void mail_sealed_end(struct mail *mail);

/* --- mime_auto.c --- */
/* "bounce", "auto-reply", or "" for a report; one clear rule each. Whether it is a reply in a case is the
 * store's to know. */
struct str mail_subkind(struct mail *mail, GMimeMessage *message, struct str subject);
/* A list, a program or nobody: an answer would be read by none, or make two programs answer each other (RFC
 * 3834 section 2). */
bool mail_is_machine(const struct mail *mail, GMimeMessage *message);
/* Of a bounce: what a message/delivery-status says of each recipient (RFC 3464) becomes notes, and
 * letter.returned. */
void mail_take_delivery(struct mail *mail, struct str bytes);
/* Of a bounce or an automatic reply: the message that it brings back, by its header, is the one that it
 * answers. */
void mail_take_returned(struct mail *mail, struct str message_id);

/* --- mime_machine.c --- */
/* A part, or a file in an archive. */
struct mail_file {
	struct str part; /* "part 1.2" */
	struct str name; /* "report.txt"; "" */
	struct str type;
	struct str bytes; /* decoded */
	struct str text;  /* the same without a byte order mark, as UTF-8; set by mail_machine_take() */
	const struct mail_seal *seals; /* of where it stands */
};
/* Does a machine say this, to machines (ARF, X-ARF, a table)? Then it becomes items of its own, or will; what
 * is walked from then on belongs to such an item, until the scope is left. */
bool mail_machine_take(struct mail *mail, const struct mail_file *file);
/* Its header says so. */
void mail_machine_declared(struct mail *mail, GMimeMessage *message);
/* All of it has been walked: what the item itself is now. */
void mail_machine_settle(struct mail *mail);
/* Read the rows of its tables; calls reading_flush(). */
void mail_machine_tables(struct mail *mail);
/* What is walked from now on belongs to this item. */
void mail_scope_enter(struct mail *mail, size_t index);
/* Leave all scopes inside `outer`, an earlier mail->scope. */
void mail_scope_leave(struct mail *mail, const struct mail_scope *outer);

/* --- mime.c --- */
/* A message of a digest, as an item of its own. */
void mail_take_digested(struct mail *mail, GMimeMessage *message, struct mail_place place);
/* The text, its TLP, and what is no indicator, once all of the item has been walked. */
void mail_item_finish(struct mail *mail);

/* --- mime_parse.c --- */
/* Guard and parse; NULL: not a mail. Cuts and complaints become quarantined items and notes. `where` is the
 * place of a mail inside. */
GMimeMessage *mail_parse(struct mail *mail, struct str bytes, struct str where);

/* --- mime_header.c --- */
/* A header field of a message or part, decoded; notes say what could not be. "" if there is none. */
struct str mail_header(struct mail *mail, GMimeObject *object, const char *name);
/* The field as it stands, folded and encoded. */
struct str mail_header_raw(GMimeObject *object, const char *name);
/* The first address of a field, "" if none. */
struct str mail_address(struct mail *mail, GMimeObject *object, const char *name);
struct str mail_file_name(struct mail *mail, GMimeObject *part);
/* The strictest TLP label in a subject, or at the beginning of a line of the text. */
enum tlp mail_tlp(struct str subject, struct str text);

#endif
