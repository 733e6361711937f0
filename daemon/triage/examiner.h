#ifndef TRIAGE_EXAMINER_H
#define TRIAGE_EXAMINER_H

#include "ipc/edge_handout.h"
#include "triage/item_limit.h"
#include "triage/plugin_host.h"
#include "triage/rule_set.h"
#include "triage/slot.h"

/*
 * One entry to its findings: reader of its format, then per item plugins, YARA, what the rules say,
 * fingerprint. Knows nothing of sockets: what it finds it gives to two calls, in pieces of about 256 KB of
 * items.
 */
struct examiner;

struct examiner_calls {
	/* finding: encoded, valid during the call. The last piece of an entry may be empty of items. */
	void (*piece)(uint64_t ticket, bool last, struct str finding, void *context);
	/* Where it is set, instead of piece(): the finding as it is, valid during the call. */
	void (*found)(const struct finding *finding, void *context);
	/* The whole entry cannot be read; pieces given before it do not count. */
	void (*refused)(uint64_t ticket, struct str stage, struct str reason, void *context);
	/* The entry waits for who holds the keys, and is to be offered again; nothing given before counts.
	 * lost: that room ended with a part of it in hand. */
	void (*sealed)(uint64_t ticket, bool lost, void *context);
	/* Opens a sealed part; NULL: nobody does. */
	void (*open)(const struct sealed *sealed, struct arena *arena, struct unsealed *unsealed, bool *lost,
		void *context);
	/* Between two items of an entry that takes long; may be NULL. */
	void (*alive)(void *context);
	void *context;
};

struct examiner_counts {
	uint64_t entries;
	uint64_t bytes;
	uint64_t items;
	uint64_t quarantined;
	uint64_t refused;
	uint64_t scans;
	uint64_t matches;
	uint64_t sealed;     /* entries that wait */
	uint64_t unfinished; /* scans given up or left out */
};

/* All that is given stays the caller's and must outlive it. max_line 0: as in reading_limits_default. hops
 * may be NULL, and plugins: none are run. */
struct examiner *examiner_new(struct rule_set *rules, struct plugin_host *plugins, struct slot *slot,
	struct item_limit *limit, size_t max_line, const struct spam_hops *hops,
	const struct examiner_calls *calls);
/* How archives in mails are opened, instead of as in reading_limits_default; passwords must outlive it. */
void examiner_set_archives(struct examiner *examiner, const struct archive_limits *archives,
	const struct str *passwords, size_t password_count);
void examiner_free(struct examiner **examiner);
void examiner_run(struct examiner *examiner, const struct handout_entry *entry);
/* While one call takes long: the entry in hand is still being read. */
void examiner_tick(struct examiner *examiner);
const struct examiner_counts *examiner_counts(const struct examiner *examiner);

#endif
