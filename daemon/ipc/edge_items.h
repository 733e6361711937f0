#ifndef IPC_EDGE_ITEMS_H
#define IPC_EDGE_ITEMS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"

/*
 * triage → store: what was found in an entry. A claim about the content of that ticket's entry, nothing else.
 * store → triage: bytes that landed long ago, to be looked at again with the rules of today; one at a time.
 */
#define ITEMS_VERSION 4
/* A finding longer than this (a mail with large attachments) comes as a sealed memory file beside the frame,
 * and is empty in it. */
#define ITEMS_INLINE (4u << 20)

enum items_type {
	ITEMS_PIECE = 1, /* u64 ticket, u8 last, bytes of finding_encode(): pieces in order; `last` ends the
	                    entry */
	ITEMS_REFUSED,   /* u64 ticket, stage, reason: the whole entry cannot be read; it goes to quarantine
	                    whole */
	ITEMS_SCANNED,   /* struct items_scanned: the answer to an ITEMS_SCAN */
	/* to triage */
	ITEMS_SCAN = 100 /* struct items_scan; bytes inline or one descriptor */
};

/* How bytes are looked at: always as they were when they came. */
enum items_scan_as {
	SCAN_MAIL =
		1, /* a whole mail, of which only its own parts count: what else stands in it is kept apart */
	SCAN_FILE, /* a file by its name: text, archive, document, mail … with all that stands in it */
	SCAN_EVENT, /* what a sensor or feed said */
	SCAN_AS_KINDS
};

struct items_scan {
	uint64_t number; /* chosen by the store; echoed */
	enum items_scan_as as;
	struct str name; /* of the file */
	struct str media_type;
	bool inlined; /* bytes stand here; else in the descriptor */
	struct str bytes;
};

enum items_scan_end {
	SCAN_DONE,
	SCAN_UNREADABLE, /* it cannot be read as what it is */
	SCAN_RETURNED,   /* not looked at: this worker is about to end */
	SCAN_ENDS
};

/* One rule that matched in one part. */
struct items_match {
	struct str rule; /* "file/rule" */
	struct str part; /* as of a verdict (model/report.h) */
	bool in_file;    /* the part is a file, or in one, that is kept by itself: its SHA-256 */
	uint8_t digest[SHA256_LEN];
};
#define ITEMS_MATCHES 1000 /* of one piece at most; more are left out, which is `unfinished` */

struct items_scanned {
	uint64_t number;
	enum items_scan_end end;
	bool sealed;       /* something in it is encrypted and could not be opened now */
	bool unfinished;   /* a scan was given up */
	struct str engine; /* as of a verdict */
	struct str rules;  /* digest of the set of rules that was used */
	struct items_match *matches;
	size_t match_count;
};

void items_piece_encode(uint64_t ticket, bool last, struct str finding, struct buf *out);
bool items_piece_decode(struct str body, uint64_t *ticket, bool *last, struct str *finding);
void items_refused_encode(uint64_t ticket, struct str stage, struct str reason, struct buf *out);
bool items_refused_decode(struct str body, uint64_t *ticket, struct str *stage, struct str *reason);
void items_scan_encode(const struct items_scan *scan, struct buf *out);
bool items_scan_decode(struct str body, struct items_scan *scan);
void items_scanned_encode(const struct items_scanned *scanned, struct buf *out);
/* Strings point into the body; matches are in the arena. */
bool items_scanned_decode(struct str body, struct arena *arena, struct items_scanned *scanned);

#endif
