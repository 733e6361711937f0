#ifndef WIRE_CSV_H
#define WIRE_CSV_H

#include "base/arena.h"
#include "base/err.h"

/*
 * Records of comma-separated text (RFC 4180), one after the other: quoted fields with doubled quotes and line
 * ends in them, CRLF or LF, or CR where there is no other, a byte order mark in front, blank lines passed
 * over. A quote inside a field that does not begin with one is that character. After a record that is none,
 * reading goes on in the line behind the one in which it began, so that an open quote costs its own line and
 * no more.
 */
struct csv {
	struct str rest;
	uint64_t line;     /* number of the line at which rest begins, from 1 */
	char separator;    /* ',' */
	char newline;      /* '\n'; '\r' where no line ends in another way */
	char comment;      /* lines that begin with it are passed over; 0: none */
	size_t max_record; /* bytes: 128 KB; what is longer costs that again for each line of it */
	size_t max_fields; /* 1000 */
};

struct csv_record {
	struct str *fields; /* in the arena; their text in the arena only where quotes were doubled */
	size_t count;       /* at least 1 */
	struct str bytes;   /* as it stands in the text, without the line end */
	uint64_t line;      /* in which it begins */
};

enum csv_step {
	CSV_RECORD,
	CSV_END,
	CSV_BAD /* not a record: err says what was expected, record has bytes and line only */
};

void csv_open(struct csv *csv, struct str text);
enum csv_step csv_next(struct csv *csv, struct arena *arena, struct csv_record *record, struct err *err);
/* The separator that the first line uses most outside quotes, of , ; | and tab; ',' where there is none. */
char csv_separator(struct str text);
/* Place of the column of that name in a header record, without regard to case; -1 if there is none. */
int csv_column(const struct csv_record *header, struct str name);

/* "=cmd|…" and its kin run in spreadsheets (CWE-1236): what writes such a cell puts an apostrophe in front.
 */
bool csv_is_formula(struct str cell);

#endif
