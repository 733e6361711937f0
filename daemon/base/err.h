#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

/*
 * Errors: few codes, which tell the caller what to do, and a text, which tells a person what was
 * expected. A function that can fail returns bool, true for success, and takes `struct err *err` as its
 * last parameter; NULL is allowed there. Where it fails, the error is filled and no out-parameter has
 * been touched unless its header says so.
 */
enum err_code {
	ERR_NONE,
	ERR_AGAIN,     /* not now: try again later, nothing was done */
	ERR_DENIED,    /* not allowed: do not try again */
	ERR_MALFORMED, /* the input is not what it must be */
	ERR_NOSPACE,   /* a limit or a disk is full */
	ERR_NOTFOUND,  /* it does not exist */
	ERR_CONFLICT,  /* somebody else was first, or the state does not allow it */
	ERR_CORRUPT,   /* our own data is damaged */
	ERR_UNCERTAIN, /* it may or may not have happened */
	ERR_SYSTEM,    /* the system refused: errno is in the text */
	ERR_BUG        /* cannot happen */
};

struct err {
	enum err_code code;
	char text[256]; /* one line, UTF-8, no newline */
};

/* Fill err (may be NULL); always returns false, so that `return err_set(...)` reads well. */
bool err_set(struct err *err, enum err_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with ": " and strerror(errno) after it, code ERR_SYSTEM (ERR_NOSPACE for ENOSPC and EDQUOT). */
bool err_errno(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Put text in front of what err says: "prefix: text". */
bool err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *err_code_name(enum err_code code); /* "malformed" */

#endif
