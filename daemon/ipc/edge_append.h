#ifndef IPC_EDGE_APPEND_H
#define IPC_EDGE_APPEND_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/entry.h"

/* intake, exchange, desk → spool: entries in, acknowledgements out. */
#define APPEND_VERSION 4
#define APPEND_CHUNK   65536u
/* Bytes that an entry may have. */
#define APPEND_ENTRY_MAX (UINT64_C(256) << 20)

enum append_type {
	/* to the spool */
	APPEND_WHOLE = 1, /* struct append_open, struct append_close, bytes: a small entry in one frame */
	APPEND_OPEN,      /* struct append_open: bytes will follow */
	APPEND_DATA,      /* u32 append, bytes (at most APPEND_CHUNK): append_data_encode() */
	APPEND_CLOSE,     /* u32 append, struct append_close: commit it */
	APPEND_ABORT,     /* u32 append: forget it */
	APPEND_BOOKMARK,  /* u32 append (only echoed), owner: ask for its value */
	APPEND_ASK,       /* u32 append (echoed): ask for APPEND_STATE (desk) */
	APPEND_FIND,      /* u32 append (echoed), u64 sequence: ask for APPEND_FOUND (desk) */
	/* from the spool */
	APPEND_COMMITTED = 100, /* struct append_committed: durable */
	APPEND_REFUSED,         /* u32 append, u8 err_code, text; the append is gone */
	APPEND_BOOKMARK_IS,     /* u32 append, u8 found, value */
	APPEND_SOURCES,         /* source table, at connection and at each change */
	APPEND_DOORS,           /* u8 open: false from 90 % of spool.size on */
	APPEND_STATE,           /* struct append_state */
	APPEND_FOUND            /* struct append_found */
};

struct append_open {
	uint32_t append; /* chosen by the client, unique among its open ones */
	uint32_t source;
	enum format format;
	uint64_t size_hint;  /* 0 = unknown */
	struct str exercise; /* "" = what the source says */
	struct str envelope;
	uint64_t rerun; /* desk only: row of quarantine */
};

/* Beside the entry, in the same LMDB transaction (trap 1). */
struct append_close {
	struct str bookmark_owner; /* "" = none; "session/UUID", "feed/12", "submit/DIGEST" */
	struct str bookmark_value; /* at most 4 KB */
	/* A second one, for a feed whose entry is one item of many: how far the feed as a whole is. */
	struct str also_owner;
	struct str also_value;
	/* The entry counts only where the first bookmark is still `expected` ("": there is none), else it is
	 * refused with ERR_CONFLICT: two who go on from one bookmark cannot both. */
	bool expects;
	struct str expected;
};

struct append_committed {
	uint32_t append;
	struct entry_id id;
};

/* What the spool says of itself, one moment of it. */
struct append_state {
	uint32_t append; /* of the APPEND_ASK */
	uint8_t spool[UUID_LEN];
	uint64_t next_sequence; /* all below it are in `books` */
	uint64_t live_entries;  /* received from outside and not released */
	uint64_t live_bytes;
	uint64_t limit_bytes;
	uint64_t rerun_entries;  /* live re-runs, not among live_entries */
	uint64_t kept_entries;   /* released, still kept */
	uint64_t sealed_entries; /* live, waiting for the keys */
	struct book *books;      /* absolute */
	size_t book_count;
	uint64_t *held; /* sequences handed out and not yet released */
	size_t held_count;
};

/* Where an entry is, as far as the spool knows. */
enum append_place {
	APPEND_NOT_HERE, /* never was, or released and no longer kept */
	APPEND_WAITING,
	APPEND_IN_HAND, /* handed out and not yet released */
	APPEND_KEPT,    /* released: it has landed */
	APPEND_PLACES
};

struct append_found {
	uint32_t append; /* of the APPEND_FIND */
	enum append_place place;
	struct entry entry; /* but for APPEND_NOT_HERE */
};

void append_open_encode(const struct append_open *open, struct buf *out);
void append_close_encode(const struct append_close *close, struct buf *out);
void append_committed_encode(const struct append_committed *committed, struct buf *out);
bool append_committed_decode(struct str body, struct append_committed *committed);
void append_state_encode(const struct append_state *state, struct buf *out);
bool append_state_decode(struct str body, struct arena *arena, struct append_state *state);
/* APPEND_WHOLE: open, close, bytes one after another. */
void append_whole_encode(
	const struct append_open *open, const struct append_close *close, struct str bytes, struct buf *out);
bool append_whole_decode(
	struct str body, struct append_open *open, struct append_close *close, struct str *bytes);
bool append_open_decode(struct str body, struct append_open *open);
/* APPEND_CLOSE: u32 append in front of append_close_encode(). */
bool append_closing_decode(struct str body, uint32_t *append, struct append_close *close);
void append_data_encode(uint32_t append, struct str bytes, struct buf *out);
bool append_data_decode(struct str body, uint32_t *append, struct str *bytes);
void append_refused_encode(uint32_t append, const struct err *why, struct buf *out);
bool append_refused_decode(struct str body, uint32_t *append, struct err *why);
void append_bookmark_encode(uint32_t append, struct str owner, struct buf *out);
bool append_bookmark_decode(struct str body, uint32_t *append, struct str *owner);
void append_bookmark_is_encode(uint32_t append, bool found, struct str value, struct buf *out);
bool append_bookmark_is_decode(struct str body, uint32_t *append, bool *found, struct str *value);
void append_number_encode(
	uint32_t append, struct buf *out); /* APPEND_ABORT, APPEND_ASK; front of APPEND_CLOSE */
bool append_number_decode(struct str body, uint32_t *append);
void append_find_encode(uint32_t append, uint64_t sequence, struct buf *out);
bool append_find_decode(struct str body, uint32_t *append, uint64_t *sequence);
void append_found_encode(const struct append_found *found, struct buf *out);
bool append_found_decode(struct str body, struct append_found *found);
void append_doors_encode(bool open, struct buf *out);
bool append_doors_decode(struct str body, bool *open);

#endif
