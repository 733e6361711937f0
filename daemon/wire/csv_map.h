#ifndef WIRE_CSV_MAP_H
#define WIRE_CSV_MAP_H

#include "model/observable.h"
#include "wire/csv.h"

/*
 * What stands in which column of a CSV feed, as its source says it: words with blanks or commas between them.
 *
 *   time ip malware -            by place; "-" is a column that is only kept
 *   first_seen=time "dst ip"=ip  by the header's names; what is not named is only kept
 *
 * A word is a member of the report (time, type, identifier, malware, severity, confidence, tlp, title, text,
 * id, count, tag, port) or an observable type (ip, name, url, sha256 …), both with a role where they can have
 * one: "ip:target", "port:target". "any" finds out what a value is; "endpoint" is an address or a name with a
 * port.
 */
enum csv_what {
	CSV_KEPT, /* only kept */
	CSV_OBSERVABLE,
	CSV_ANY,
	CSV_ENDPOINT,
	CSV_PORT,
	CSV_TIME,
	CSV_TYPE,
	CSV_IDENTIFIER,
	CSV_MALWARE,
	CSV_SEVERITY,
	CSV_CONFIDENCE,
	CSV_TLP,
	CSV_TITLE,
	CSV_TEXT,
	CSV_ID,
	CSV_COUNT,
	CSV_TAG
};

struct csv_column {
	struct str header; /* "" where columns are told by place */
	enum csv_what what;
	enum observable_type type;
	enum observable_role role;
};

#define CSV_COLUMNS 100

struct csv_map {
	struct csv_column columns[CSV_COLUMNS];
	size_t count;
	bool by_header;
};

/* Strings of the map point into text. False: err says which word was not understood and what was expected. */
bool csv_map_parse(struct str text, struct csv_map *map, struct err *err);
bool csv_map_check(struct str text, struct err *err);
/* The separator by a word: the character itself, or "tab". */
bool csv_map_separator(struct str word, char *separator);
/* What a header's name is commonly used for; CSV_KEPT where that is not known. */
struct csv_column csv_map_guess(struct str header);
/* Whether a column of this kind can name what a row is about. */
bool csv_map_names(enum csv_what what);

#endif
