#ifndef WIRE_TEMPLATE_H
#define WIRE_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "wire/mail_field.h"

/*
 * The text of a mail with places for what it tells (doc/notices-mail.md). The first line is "Subject: …", an
 * empty one follows. {NAME} is a field, {{ and }} are braces. Lines of their own: {if NAME} … {else} … {end}
 * where the field is not empty, and {rows} … {end} for each row, in which {row.NAME} are its columns.
 */
struct template;

#define TEMPLATE_SIZE  65536             /* bytes of a file */
#define TEMPLATE_DEPTH 8                 /* of blocks in blocks */
#define TEMPLATE_TEXT  ((size_t)4 << 20) /* of what is made of one */

/*
 * NULL where something else was expected: *line is where (from 1), and *fault gets what, with the fields that
 * a mail of this kind has where one of them was.
 */
struct template *template_read(struct str text, enum mail_kind kind, int *line, struct buf *fault);
void template_free(struct template **template);

/* Values are put in as they are: mail_value() comes before. ERR_NOSPACE: over TEMPLATE_TEXT. */
bool template_fill(const struct template *template, const struct mail_values *values,
	const struct told_row *rows, size_t count, struct buf *subject, struct buf *text, struct err *err);

/* "notice-intrusions.txt": the kind, and the class of RSIT or the name that a rule asks for ("" : neither).
 * False: no name of a template. */
bool template_name_parse(struct str name, enum mail_kind *kind, struct str *what);

#endif
