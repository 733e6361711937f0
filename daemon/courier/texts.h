#ifndef COURIER_TEXTS_H
#define COURIER_TEXTS_H

#include "base/err.h"
#include "wire/template.h"

/* The templates of all languages, as the supervisor read them. */
struct texts;

/* Of the grant "templates" (supervisor/templates.h). What cannot be read is logged, and kept as
 * such: no other text goes out instead. */
struct texts *texts_new(struct str bundle);
void texts_free(struct texts **texts);
size_t texts_count(const struct texts *texts);
/*
 * The one for a mail of this kind: named ("notice-ransom" or "ransom"; "" : none asked for), else of this
 * class, else of the kind; in this language, in the language without its region, in English. NULL: none of
 * all these (ERR_NOTFOUND), or that one cannot be read (ERR_CORRUPT, with its line).
 */
const struct template *texts_find(const struct texts *texts, struct str language, enum mail_kind kind,
	struct str class, struct str name, struct err *err);

#endif
