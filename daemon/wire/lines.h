#ifndef WIRE_LINES_H
#define WIRE_LINES_H

#include "wire/json_tree.h"
#include "wire/reading.h"

/*
 * Entries that are lines of JSON, each a statement of its own: the native line (native.h) and what other
 * sensors speak. A source may say which format its lines have; else a line is told by its keys, so that one
 * sensor's connection may carry any of them. A line that is none becomes a quarantined item, with what was
 * tried; its neighbours are read. An entry that is one JSON value written over several lines is read as one.
 */

/* One statement, as a tree, on its way to an item. */
struct statement {
	struct reading *reading;
	const struct json_node *root;
	struct str doc; /* its bytes */
	struct str media_type;
	enum item_kind kind; /* ITEM_REPORT; a reader sets ITEM_CONTEXT where no report comes of it */
	struct report report;
};

/* A format: how it is known, and its reader. read() is false with err where the statement is not what it must
 * be; evidence and parts belong to item statement_item() and are added last. */
struct line_format {
	enum format format;
	const char *name; /* for people */
	const char *mark; /* what it is known by */
	bool (*is)(const struct json_node *root);
	bool (*read)(struct statement *statement, struct err *err);
};

extern const struct line_format eve_format;     /* wire/eve.c */
extern const struct line_format idea_format;    /* wire/idea.c */
extern const struct line_format intelmq_format; /* wire/intelmq.c */
extern const struct line_format zeek_format;    /* wire/zeek.c */

/* As lines_read(), where the source says which format it is: one of the line formats. */
bool lines_read_as(struct reading *reading, struct str bytes, enum format format, struct err *err);

/* Read `statement` and add its item. */
void statement_read(struct statement *statement, const struct line_format *format, struct str part);
uint32_t statement_item(const struct statement *statement); /* the number that it will have */

/* For readers. Each takes what it can and leaves a note of what it cannot. */
void statement_time(struct statement *statement, struct str text);
void statement_title(struct statement *statement, struct str text);
void statement_text(struct statement *statement, struct str text);
void statement_identifier(struct statement *statement, struct str text); /* lower case, cut */
void statement_malware(struct statement *statement, struct str text);
void statement_sender_id(struct statement *statement, struct str text);
/* An observable if text is one; false, with a note, if it is not empty and none. */
bool statement_observe(
	struct statement *statement, enum observable_type type, enum observable_role role, struct str text);

#endif
