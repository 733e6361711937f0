#ifndef MODEL_SOURCE_H
#define MODEL_SOURCE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/rsit.h"
#include "model/tlp.h"

/* What a source is, and so by which door it comes. */
enum source_kind {
	SOURCE_MAILBOX = 1,
	SOURCE_SENSOR,
	SOURCE_FEED,
	SOURCE_TAXII,
	SOURCE_DESK,
	SOURCE_MISP,      /* an instance, asked by restSearch */
	SOURCE_MISP_FEED, /* a folder with manifest.json and a file for each event */
	SOURCE_SHADOWSERVER,
	SOURCE_KINDS
};

/* Lanes of hand-out (trap 26): people first. A source's lane follows from its kind. */
enum lane { LANE_PEOPLE, LANE_FEEDS, LANE_SENSORS, LANES };

/* How an entry's bytes are to be read. */
enum format {
	FORMAT_AUTO,
	FORMAT_MAIL,
	FORMAT_LINES, /* JSON lines of any of the formats below, told apart by their keys */
	FORMAT_STIX,
	FORMAT_NATIVE,
	FORMAT_EVE,
	FORMAT_IDEA,
	FORMAT_INTELMQ,
	FORMAT_ZEEK, /* JSON lines, or a log as Zeek writes it: columns with header lines */
	FORMAT_CSV,
	FORMAT_MISP,
	FORMAT_XARF,         /* JSON of X-ARF 3 and 4 */
	FORMAT_SHADOWSERVER, /* CSV */
	FORMATS
};

/*
 * A row of the table `source`. The store reads it and sends the table to the spool, which keeps the last one
 * and gives it to intake and exchange, so that doors open without the database (trap 19).
 */
struct source {
	uint32_t id;
	enum source_kind kind;
	bool enabled;
	bool restricted; /* its reports never fold with those of others (trap 10) */
	bool may_notify_affected;
	enum tlp tlp; /* default */
	enum pap pap;
	enum rsit_type type; /* default classification */
	enum format format;
	int trust;       /* 0..100 */
	struct str name; /* unique: a-z 0-9 - . _ */
	/* What it is known by: mailbox: recipient ("report@", "phish@cirt.example"); sensor: "san:NAME" (with
	 * issuing CA) or "pin:SHA256-of-SPKI-in-hex", several by space; feed: URL; taxii: URL of the
	 * collection; misp, misp-feed, shadowserver: URL that theirs begin with. */
	struct str match;
	struct str exercise; /* name of the drill that all of it belongs to; "" = real */
	/* A JSON object of texts, or "": what a feed is told beyond its address; source_setting() reads it.
	 */
	struct str settings;
	uint32_t interval;  /* of what is pulled: seconds between pulls */
	uint64_t max_lines; /* per second; 0 = no limit */
	uint64_t max_bytes; /* per second; 0 = no limit */
};

struct source_table {
	uint64_t version;       /* rises with each change */
	struct source *sources; /* by id */
	size_t count;
};

const char *source_kind_name(enum source_kind kind);
bool source_kind_parse(struct str text, enum source_kind *kind);
enum lane source_lane(const struct source *source);
bool source_kind_pulled(enum source_kind kind); /* the exchange pulls it */
/*
 * The settings: what each is called, which kinds (or which format) it is for, and what `source add` says of
 * it. Ends with name NULL.
 */
struct source_setting {
	const char *name;
	uint32_t kinds; /* bits, 1u << kind */
	bool csv;       /* for every kind, where its format is csv */
	const char *help;
};
extern const struct source_setting source_settings[];
/* The value of a setting, in arena memory; "" if there is none. */
struct str source_setting(const struct source *source, const char *name, struct arena *arena);
/* Add the members of an entry's envelope that say how a source's bytes are to be read: ,"csv":{…} or nothing.
 */
void source_envelope(const struct source *source, struct buf *json);
const char *format_name(enum format format);
bool format_parse(struct str text, enum format *format);
bool format_is_lines(enum format format); /* statements, a line each: may be cut between lines */

void source_table_encode(const struct source_table *table, struct buf *out);
bool source_table_decode(struct str bytes, struct arena *arena, struct source_table *table, struct err *err);
const struct source *source_by_id(const struct source_table *table, uint32_t id);
const struct source *source_by_name(const struct source_table *table, struct str name);
/* The enabled mailbox for a recipient: exact address before "local@" before the source that matches "*"; NULL
 * if none. */
const struct source *source_by_recipient(const struct source_table *table, struct str address);

#endif
