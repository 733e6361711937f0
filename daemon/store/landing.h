#ifndef STORE_LANDING_H
#define STORE_LANDING_H

#include "store/fold.h"
#include "store/lookup.h"
#include "store/rows.h"
#include "store/ticket.h"

/*
 * What one transaction will write: made of whole tickets, without a connection. In this order:
 * landing_build() settles what every item is; landing_place() which mails are of a case, or spam;
 * landing_version_known() takes what the database knows of the
 * STIX objects, and landing_order() which of them say something new; landing_known() takes what it knows of
 * the fingerprints; landing_decide() folds; landing_ids() gives the new ones their ids; landing_encode()
 * makes the rows. Everything may be done again from the tickets.
 */
enum copy_table {
	COPY_REPORT,
	COPY_SIGHTING,
	COPY_VERDICT,
	COPY_ITEM,
	COPY_ATTACHMENT,
	COPY_EVIDENCE,
	COPY_REPORT_LINK,
	COPY_RAISE,
	COPY_CORRELATION,
	COPY_QUARANTINE,
	COPY_SIMILARITY,
	COPY_VERSION,
	COPY_REVISION,
	COPY_LETTER,
	COPY_CASE_LETTER,
	COPY_GUESS,
	COPY_SPAM,
	COPY_WAITING,
	COPY_BACK,
	COPY_NOTICE,
	COPY_INBOX,
	COPY_TABLES
};
extern const char *const copy_statements[COPY_TABLES];

/* What a version of a STIX object is to what is known of its id (STIX 2.1 section 3.6). */
enum version_verdict {
	VERSION_FIRST,
	VERSION_NEWER,
	VERSION_KNOWN, /* the same version again, from somebody who had not sent it */
	VERSION_AGAIN, /* and from one who had */
	VERSION_STALE,
	VERSION_REFUSED, /* another creator, a source that is trusted less, or revoked for good */
	VERSION_CONFLICT /* the same version with another content: the first one holds */
};

/* How an item lands. */
enum landed_way {
	WAY_OWN,    /* by its fingerprint; or as a row of its own */
	WAY_SEEN,   /* a report: its object is known, another source says so too */
	WAY_UPDATE, /* a report: a newer version of what is a report already */
	WAY_PASSED  /* it changes nothing: counted as folded */
};

/* Where a mail belongs, as the database says. */
struct placed {
	enum { PLACE_CASE = 1, PLACE_GUESS, PLACE_SPAM, PLACE_NOTICE } place;
	int64_t of_case; /* of PLACE_NOTICE: the mail of ours that it answers */
	struct str way;  /* "address", "reference" … */
	bool known;      /* the case knows the sender */
	struct str why;  /* it is spam */
	struct str lane; /* the exercise of the case; p NULL where the mail stays in its own */
};

/* What of the configuration decides about mails. */
struct letter_rules {
	struct str key; /* of the cases' reply addresses; "" = none is taken */
	struct str tag; /* "CIRT-XX" */
	int64_t sender_limit;
	int64_t domain_limit;
	int64_t span;     /* microseconds */
	bool acknowledge; /* reports: those that may be are queued */
};

/* What becomes of one item. */
struct landed {
	struct ticket *ticket;
	const struct item *item;
	enum item_kind kind;         /* as triage has it, or as the mail was placed */
	struct str subkind;          /* likewise */
	const struct placed *placed; /* NULL: it lands as triage has it */
	const struct source *source; /* NULL: not in the table */
	size_t position;             /* among the ticket's items */
	bool is_report;
	bool makes_row; /* a report or item of its own: it needs an id */
	struct fold_key key;
	enum rsit_type type;
	int severity; /* as stated, else as its type has it */
	int64_t time; /* event time, clamped */
	enum fold_verdict verdict;
	int64_t id;       /* its own, or the report it folds into; below 0: -1 - index of the landed one */
	int64_t previous; /* likewise; 0 = none */
	int32_t month;    /* yyyymm of receipt */
	enum landed_way way;
	int64_t more;  /* of WAY_UPDATE: how much oftener than by the version before */
	size_t fellow; /* of WAY_SEEN and WAY_UPDATE: 1 + index of the landed one, where that is in this batch
	                */
};

/* What is known of a STIX object's id: a row of stix_current. */
struct version_state {
	bool known;
	bool revoked;
	struct str version;
	struct str created_by;
	int64_t modified;
	uint8_t digest[FINGERPRINT_LEN]; /* zero: unknown */
	int64_t count;
	int trust;
	int32_t source;
	int64_t report; /* or item; below 0 as in landed */
	enum tlp tlp;   /* of the report */
};

/* A STIX object of this batch that is not in quarantine. */
struct version {
	const struct stix_object *object;
	size_t landed; /* index */
	int32_t scope;
	int64_t modified;
	bool had;  /* this source has sent this version before */
	bool only; /* it is what its item is about */
	enum version_verdict verdict;
	int64_t report; /* that it became or belongs to, as in version_state */
};

/* Versions of one id: versions[version_order[first]] to versions[version_order[end - 1]], as they came. */
struct version_group {
	size_t first;
	size_t end;
	struct version_state was;
	struct version_state now;
};

/* Reports of one key in this batch: landed[order[first]] to landed[order[end - 1]], by time. */
struct group {
	size_t first;
	size_t end;
	size_t family;
	bool known;
	struct fold_state was;
	struct fold_state now;
	int64_t sibling; /* a report of the same family under another TLP or scope; 0 = none */
};

/* Signed counts of a ticket, a source and day, an act. */
struct counts {
	int64_t processed, quarantined_entries, found, reports, folded, correspondence, context, spam,
		quarantined;
};

/* A file that some item has. */
struct file {
	int32_t month; /* yyyymm of receipt */
	bool known;    /* the database has its bytes */
	const struct evidence *evidence;
};

struct landing {
	struct arena *arena;
	const struct lookup *lookup;
	struct fold_limits limits; /* max_age; quiet is by type */
	int64_t max_late;
	struct letter_rules rules;
	struct ticket **tickets;
	size_t ticket_count;
	struct counts *counts; /* by ticket */
	size_t *starts;        /* by ticket and one more: its first in `landed` */
	struct landed *landed;
	size_t landed_count;
	size_t *order; /* reports by key and time */
	size_t order_count;
	struct group *groups;
	size_t group_count;
	size_t family_count;
	struct file *files; /* of the batch, by month and digest, each once */
	size_t file_count;
	struct version *versions;
	size_t version_count;
	size_t *version_order; /* by id, exercise, scope, arrival */
	struct version_group *version_groups;
	size_t version_group_count;
	size_t new_reports, folds, relapses;
	int64_t *notices; /* new reports that somebody may have to be warned of, for the keeper */
	size_t notice_count;
	int64_t *fresh; /* new reports, for the inbox */
	size_t fresh_count;
	/* on their way */
	struct rows copies[COPY_TABLES];
	struct columns letters;  /* mails to be placed */
	struct columns families; /* to read */
	struct columns entries;  /* of the ledger */
	struct columns made;     /* fingerprints: new */
	struct columns moved;    /* fingerprints: changed */
	struct columns seen;     /* sightings of reports that are there */
	struct columns verdicts; /* what was found in sightings */
	struct columns evidence; /* to ask for: month and digest of `files` */
	struct columns objects;
	struct columns known_versions; /* to read: by version_order */
	struct columns versions_made;  /* stix_current: new */
	struct columns versions_moved; /* stix_current: changed */
	struct columns sums;           /* ledger_day */
	struct columns acts;           /* of re-runs */
	struct columns arrivals;
	struct columns feeds; /* columns that feeds had */
};

struct landing *landing_new(const struct lookup *lookup, int64_t max_age, int64_t max_late);
void landing_free(struct landing **landing);
/* Items [first, end) of the tickets (all of them: 0, SIZE_MAX); tickets that have landed already are left
 * out. */
void landing_build(struct landing *landing, struct ticket **tickets, size_t count, size_t first, size_t end);
/* One row of what is known of STIX objects: place as in `known_versions`, from 0. */
void landing_version_known(
	struct landing *landing, size_t place, bool had, const struct version_state *state);
void landing_order(struct landing *landing);
/* Where the mail at `number`, as in `letters`, belongs. False: its entry goes into another exercise, and the
 * whole is to be built again. */
bool landing_place(struct landing *landing, size_t number, const struct placed *placed);
/* One row of what is known: family as numbered in `families`, from 0. */
void landing_known(
	struct landing *landing, size_t family, enum tlp tlp, int32_t scope, const struct fold_state *state);
void landing_decide(struct landing *landing);
/* Months that need ids, and how many; returns the number of months, at most `max`. */
struct month_need {
	int32_t month;
	int32_t count;
};
size_t landing_needs(const struct landing *landing, struct month_need *needs, size_t max);
/* The next id of that month, in order of arrival; *cursor begins with 0 for each month. */
void landing_id(struct landing *landing, int32_t month, size_t *cursor, int64_t id);
void landing_encode(struct landing *landing);
/* File `place` is there already. */
void landing_file_known(struct landing *landing, size_t place);
/* After landing_encode() and what is known of the files: the rows are whole. */
void landing_finish(struct landing *landing);

/* landing_rows.c */
void landing_encode_rows(struct landing *landing);
/* landing_letters.c */
void landing_ask_letters(struct landing *landing);
void landing_encode_letters(struct landing *landing);
/* landing_back.c */
void landing_encode_back(struct landing *landing, const struct landed *landed, struct str sender,
	struct str sealed, bool came_in);
/* landing_files.c */
void landing_encode_files(struct landing *landing);
/* landing_version.c */
void landing_versions(struct landing *landing); /* which there are; called by landing_build() */
void landing_decide_versions(struct landing *landing);
void landing_resolve_versions(struct landing *landing);
void landing_encode_versions(struct landing *landing);
/* landing_sums.c */
void landing_encode_sums(struct landing *landing);
/* The report or item that an item of this number became in a ticket (by its place in `tickets`), else 0. */
int64_t landing_id_of(const struct landing *landing, size_t ticket, uint32_t number);
/* The landed one of that number in a ticket, NULL if there is none. */
struct landed *landing_item(const struct landing *landing, size_t ticket, uint32_t number);
/* The id behind one that may be an index below 0. */
int64_t landing_resolved(const struct landing *landing, int64_t id);
/* Has an indicator's time run out before it came? */
bool landed_expired(const struct landed *landed);
/* A field: the notes of a report, and what the store has to say. */
void put_notes(struct landing *landing, const struct landed *landed, struct buf *out);
/* What rules and plugins found in what folded into a report: it stands beside what they found in the first.
 */
void landing_encode_verdicts(struct landing *landing);

#endif
