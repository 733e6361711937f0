#ifndef WIRE_READING_H
#define WIRE_READING_H

#include "model/item.h"
#include "model/sealed.h"
#include "model/source.h"
#include "wire/archive.h"
#include "wire/spam_verdict.h"

/*
 * What a reader of a format writes its findings into. A reader takes the bytes of one entry, limits and this,
 * and nothing else; it adds items in the order of the entry, numbered from 0, the same on every run.
 */
enum part_scope { PART_EVENT = 1, PART_TEXT = 2, PART_FILE = 4 }; /* which YARA sets see it */

/* Bytes to be scanned and shown to plugins; they belong to an item. */
struct part {
	uint32_t item;   /* its number */
	unsigned scopes; /* of enum part_scope */
	struct str name; /* "text", "html", "invoice.zip/a.docm" */
	struct str media_type;
	struct str bytes; /* decoded */
};

struct reading_limits {
	size_t max_depth;              /* nested MIME or JSON: 100 */
	size_t max_parts;              /* of a mail: 1000 */
	size_t max_header;             /* one header field: 64 KB */
	size_t max_headers;            /* the header section: 1 MB */
	size_t max_line;               /* a native line, a STIX object: 1 MB */
	size_t max_items;              /* of an entry: 200,000; the store holds all of them at once */
	size_t max_bad;                /* unreadable ones among them: 10,000; it is no such file then */
	struct archive_limits archive; /* of all archives of a mail together */
	const struct str *passwords;   /* tried on archives, in this order */
	size_t password_count;
};
extern const struct reading_limits reading_limits_default;

struct reading {
	struct arena *arena; /* everything below lives here; reset after every flush */
	const struct reading_limits *limits;
	const struct spam_hops *hops; /* mail servers whose verdict on spam counts; NULL: none */
	struct item *items;
	size_t item_count;
	struct part *parts;
	size_t part_count;
	struct evidence *evidence;
	size_t evidence_count;
	struct stix_object *objects;
	size_t object_count;
	uint32_t next_item; /* number of the next item */
	/* What holds for every item that is added now: who signed what it stands in. */
	const struct verdict *said;
	size_t said_count;
	size_t bad_count; /* quarantined, flushed ones too */
	/* From the host; may be NULL. at(): what is being read now, for the slot. left_out(): this item must
	 * not be read: *reason gets why. flush(): items so far are complete; finish and send them; called by
	 * reading_flush() only. */
	void (*at)(struct reading *reading, uint32_t item, const char *stage);
	bool (*left_out)(struct reading *reading, uint32_t item, struct str *reason);
	void (*flush)(struct reading *reading);
	/* What is encrypted or signed goes to who holds the keys; NULL: nobody does, and it stands as it is.
	 * Out: *unsealed, in the arena. Where it must wait (UNSEAL_LOCKED, UNSEAL_AWAY) the reader sets
	 * `waits` and stops: nothing of the entry counts now, it will be read again. */
	void (*open_sealed)(struct reading *reading, uint32_t item, const struct sealed *sealed,
		struct unsealed *unsealed);
	bool waits;
	/* As at(), for a stage without which the item can land; may be NULL. False: it must be left out. */
	bool (*enter)(struct reading *reading, uint32_t item, const char *stage);
	void *context;
};

/* Add one, zeroed but for defaults (severity and confidence -1, count 1, observed unknown). Pointers are
 * valid until the next add. */
struct item *reading_item(struct reading *reading, enum item_kind kind);
struct item *reading_quarantine(struct reading *reading, struct str part, const char *stage, struct str bytes,
	const char *format, ...) __attribute__((format(printf, 5, 6)));
struct part *reading_part(struct reading *reading, uint32_t item, unsigned scopes, struct str name,
	struct str media_type, struct str bytes);
struct evidence *reading_evidence(struct reading *reading, uint32_t item, struct str name,
	struct str media_type, struct str bytes); /* digest is computed */
struct stix_object *reading_object(struct reading *reading, uint32_t item);
/* Add to a report, once per (type, role, value), and with an unknown role only where no other is known;
 * normalises; false if the value is not one of that type. */
bool reading_observable(struct reading *reading, struct report *report, enum observable_type type,
	enum observable_role role, struct str text);
void reading_note(struct reading *reading, struct report *report, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Once per engine, rule, part and outcome; all strings are copied, storable. One more than so many becomes a
 * note. */
#define VERDICTS_MAX 64
void reading_verdict(struct reading *reading, struct report *report, const struct verdict *verdict);
/* What holds for every item (reading->said); for a report that was not made by reading_item(). */
void reading_said(struct reading *reading, struct report *report);
void reading_tag(struct reading *reading, struct report *report, struct str tag);
/* Nothing more is to be read, by limits->max_items or max_bad; *reason gets which: the rest goes into
 * quarantine as one item. */
bool reading_is_full(const struct reading *reading, struct str *reason);
/* To be called between items by readers of long entries: sends what is complete when it is more than about
 * 256 KB, and then forgets it: the arena is reset. Nothing is sent, and all is kept, where there is no
 * flush(). */
void reading_flush(struct reading *reading);

/*
 * The readers. False, with err: the entry as a whole cannot be read, and goes to quarantine whole; items
 * added before that are dropped. True: everything in it became items, the unreadable ones quarantined.
 */
bool mail_read(
	struct reading *reading, struct str bytes, struct str envelope, struct err *err); /* wire/mime.c */
bool lines_read(struct reading *reading, struct str bytes, struct str envelope,
	struct err *err); /* wire/lines.c: any of its formats */
bool stix_read(struct reading *reading, struct str bytes, struct str envelope,
	struct err *err); /* wire/stix.c: bundle, TAXII envelope */
bool csv_read(struct reading *reading, struct str bytes, struct str envelope,
	struct err *err); /* wire/csv_read.c: a list, by a map of columns */
bool misp_read(struct reading *reading, struct str bytes, struct str envelope,
	struct err *err); /* wire/misp.c: an event, or the answer of restSearch */
bool xarf_read(struct reading *reading, struct str bytes, struct str envelope,
	struct err *err); /* wire/xarf.c: X-ARF 3 and 4, one, a list, or one behind the other */
bool shadowserver_read(struct reading *reading, struct str bytes, struct str envelope,
	struct err *err); /* wire/shadowserver.c: one CSV file; the envelope's "file" names it */
/* By what the first bytes look like; for FORMAT_AUTO. */
enum format format_guess(struct str bytes);
/* Does JSON say that it is STIX (FORMAT_STIX) or lines of sensors (FORMAT_LINES)? Nothing is guessed. */
bool format_says(struct str bytes, enum format *format);

/* wire/extract.c: indicators in running text, defanged ones too (hxxp, [.], (dot), [at]); adds them with role
 * indicator. */
void extract_observables(struct reading *reading, struct report *report, struct str text);
/* wire/fingerprint.c: the versioned rules (a table); fills report->fingerprint from the report's other
 * members. */
void report_fingerprint(struct report *report, struct arena *arena);

#endif
