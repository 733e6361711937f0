#ifndef COURIER_COMPOSE_H
#define COURIER_COMPOSE_H

#include "base/buf.h"
#include "base/err.h"
#include "courier/texts.h"
#include "model/tlp.h"

/*
 * The making of one mail out of what the database says of it: first the rows, one after another, in memory
 * that does not grow with them but for what leaves; then entity and head.
 */
struct compose;

enum table_format { TABLE_CSV, TABLE_XARF, TABLE_INLINE }; /* as notice_format */

/* What a mail is, besides its rows. All of it comes from outside: names are anybody's. */
struct letter_facts {
	enum mail_kind kind;
	enum table_format format;
	bool sanitised;
	enum tlp tlp;
	struct str number;
	struct str language;
	struct str template; /* "" : by kind and class */
	struct str address;
	struct str message_id;
	struct str in_reply_to;
	struct str organisation;
	struct str contact;
	struct str exercise;
	struct str case_number;
	struct str reply;              /* number of the case or mail to whose address answers go */
	struct str given[MAIL_FIELDS]; /* of outbox.fields */
};

/* What is ours. */
struct letter_house {
	struct str name;
	struct str from;
	struct str reply; /* its own sealed address; "" : from */
	uint64_t zip_over;
	uint64_t max_size;
	int64_t now;
};

/* The most rows that an inline table has, and that loops see; more go as a file. */
#define COMPOSE_INLINE 500

/* facts, house and texts must live as long. */
struct compose *compose_new(
	const struct letter_facts *facts, const struct letter_house *house, const struct texts *texts);
void compose_free(struct compose **compose);
/* ERR_NOSPACE: the mail would be larger than allowed. */
bool compose_row(struct compose *compose, const struct told_row *row, struct err *err);
bool compose_end(struct compose *compose, struct err *err); /* all rows are in */
/* Make the text, anew where facts have changed since. As texts_find() where there is no template. */
bool compose_fill(struct compose *compose, struct err *err);

/* What is signed and encrypted. hides: the subject is said again inside, since the head will not. */
void compose_entity(const struct compose *compose, bool hides, struct buf *out);
/* The head: all but the fields that an entity begins with. */
void compose_head(const struct compose *compose, bool hides, struct buf *out);

#endif
