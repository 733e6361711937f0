#ifndef WIRE_MAIL_FIELD_H
#define WIRE_MAIL_FIELD_H

#include "base/arena.h"
#include "base/str.h"

/*
 * What a mail of ours can say: its kinds, the fields that a template names, and the columns of what is told.
 * Tables, which templates, tables in mails, the courier's question to the database and the manual all read.
 */
enum mail_kind { /* as outbox_kind in the database */
	MAIL_NOTICE,
	MAIL_ONE_SHOT,
	MAIL_KEY_WAITS,
	MAIL_RELEASE,
	MAIL_ACKNOWLEDGEMENT,
	MAIL_OTHER,
	MAIL_TEST,
	MAIL_KINDS
};
const char *mail_kind_name(enum mail_kind kind); /* "one-shot" */
bool mail_kind_parse(struct str name, enum mail_kind *kind);

enum mail_field {
	FIELD_NUMBER,       /* N2026-000123 */
	FIELD_DATE,         /* 2026-11-24, UTC */
	FIELD_NAME,         /* ours */
	FIELD_ADDRESS,      /* ours */
	FIELD_REPLY,        /* to which answers go */
	FIELD_ORGANISATION, /* theirs */
	FIELD_CONTACT,
	FIELD_TLP,      /* TLP:AMBER */
	FIELD_EXERCISE, /* name of the drill; "" */
	FIELD_CASE,     /* 2026-000412; "" */
	FIELD_COUNT,    /* of rows */
	FIELD_CLASS,    /* where it is the same in all rows; "" */
	FIELD_TYPE,
	FIELD_IDENTIFIER,
	FIELD_ATTACHMENT, /* name of the file with all rows; "" if they stand in the text */
	FIELD_TABLE,      /* all rows, where they stand in the text; "" */
	FIELD_MORE,       /* how many rows a loop leaves out; "" none */
	/* from outbox.fields */
	FIELD_TEXT,
	FIELD_SUBJECT,
	FIELD_TAGS,       /* "[CIRT-XX 2026-000412] [BANK #5512]", in front of the subject */
	FIELD_REFERENCES, /* Message-IDs of the thread, the nearest last */
	FIELD_REPORT,
	FIELD_RECEIVED,
	FIELD_WAITS,
	FIELD_REASON,
	MAIL_FIELDS
};

/* Columns of what is told, in the order of tables. Those behind ROW_SANITISED are empty in a sanitised form.
 */
enum row_field {
	ROW_LAST,
	ROW_FIRST,
	ROW_IP,
	ROW_NAME,
	ROW_PORT,
	ROW_ASN,
	ROW_COUNTRY,
	ROW_CLASS,
	ROW_TYPE,
	ROW_IDENTIFIER,
	ROW_SEVERITY,
	ROW_COUNT,
	ROW_REPORT,
	ROW_MALWARE,
	ROW_CONFIDENCE,
	ROW_TITLE,
	ROW_OBSERVABLES, /* "TYPE ROLE VALUE", by line feeds */
	ROW_FIELDS
};
#define ROW_SANITISED ROW_MALWARE

struct field_info {
	const char *name;
	unsigned kinds;    /* bits of enum mail_kind; rows: 0 */
	bool lines;        /* may have several lines */
	const char *given; /* member of outbox.fields, or of disclosure.content; "" */
};
extern const struct field_info mail_fields[MAIL_FIELDS];
extern const struct field_info row_fields[ROW_FIELDS];

struct mail_values {
	struct str field[MAIL_FIELDS];
};
struct told_row {
	struct str field[ROW_FIELDS];
	bool hit; /* its address or name is of who was hit or imitated, not the source of it */
};

/*
 * A value as it may stand in a mail: UTF-8, without control characters and marks that turn the direction of
 * text; line feeds only where `lines`, else blanks. Bounded to max bytes.
 */
struct str mail_value(struct str value, bool lines, size_t max, struct arena *arena);

#endif
