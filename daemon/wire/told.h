#ifndef WIRE_TOLD_H
#define WIRE_TOLD_H

#include "base/buf.h"
#include "base/err.h"
#include "wire/mail_field.h"

/* What is told, as files and tables: each takes one row after another and needs no more memory than that. */

/* RFC 4180, UTF-8, CRLF. A cell that a spreadsheet would take for a formula has an apostrophe in front. */
void told_csv_head(struct buf *out, bool sanitised);
void told_csv_row(struct buf *out, const struct told_row *row, bool sanitised);

/* A table of fixed width for the text of a mail, of what people look at first. Lines end by LF. */
void told_table(struct buf *out, const struct told_row *rows, size_t count);

/* Who sends X-ARF. */
struct told_sender {
	struct str org;
	struct str contact; /* a mail address */
	struct str number;  /* of the mail: with a report's it makes report_id, the same each time */
};
/*
 * X-ARF v4 (xarf-spec 4.2.0), one JSON object and a line feed. What a type of X-ARF demands and the row does
 * not have makes it "reputation threat_intelligence", whose type says what we mean. False: neither an address
 * nor a name of the source in the row to be its source_identifier; nothing was added.
 */
bool told_xarf(struct buf *out, const struct told_row *row, const struct told_sender *sender);

#endif
