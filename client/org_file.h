#ifndef CLIENT_ORG_FILE_H
#define CLIENT_ORG_FILE_H

#include <json-c/json.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Files for the register, as rows for the desk: objects whose members are columns, each with its "line"; a
 * row that is none has "problem" instead, which the desk tells together with its own (doc/register.md).
 */

/* Takes the row. False: no more, err says why. */
typedef bool org_row_fn(struct json_object *row, size_t offset, void *context, struct err *err);

/* UTF-8, or Latin-1 throughout, which is converted into `space`; err: in which line it is neither. *text is
 * then what to read, without byte order mark. *converted: it was Latin-1. */
bool org_file_text(struct str bytes, struct buf *space, struct str *text, bool *converted, struct err *err);
/* CSV with a header, or JSON: a list of objects, or one after the other. `columns` gets the header's names,
 * none of JSON, before the first row. */
typedef bool org_columns_fn(struct json_object *columns, void *context, struct err *err);
bool org_file_rows(struct str text, org_columns_fn *columns, org_row_fn *row, void *context, struct err *err);

/* Whether an export puts an apostrophe in front of this cell, which org_file_rows() takes away again: it, or
 * what stands behind its own apostrophes, would run in a spreadsheet. */
bool org_cell_guarded(struct str cell);

/* A registry's files, `count` of them, read together: delegated-*-extended, CSV of prefix and email, objects
 * of a RIPE database. offset counts over all of them. */
bool org_registry_rows(
	const struct str *texts, size_t count, org_row_fn *row, void *context, struct err *err);

#endif
