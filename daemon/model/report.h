#ifndef MODEL_REPORT_H
#define MODEL_REPORT_H

#include "base/hash.h"
#include "model/observable.h"
#include "model/rsit.h"
#include "model/similarity.h"
#include "model/tlp.h"

#define FINGERPRINT_LEN 16

/* Why a report folds with another: which rule, in which version, over which key (readable). */
struct fingerprint {
	struct str rule; /* "mail-campaign", "infected-host", "stix-id" … */
	uint16_t version;
	struct str key;                  /* the readable key, at most 300 bytes */
	uint8_t digest[FINGERPRINT_LEN]; /* of rule, version and key */
};

/* One YARA rule or plugin that had something to say. */
struct verdict {
	struct str engine;     /* "yara 4.2.3", "netinfo 1" */
	struct str rule;       /* namespace/rule, or what the plugin names */
	struct str set_digest; /* hex digest of the rule set, "" for plugins */
	struct str part;       /* which part: "text", "doc", "invoice.zip/a.docm" */
	struct str outcome;    /* "match", "not finished", free text of a plugin */
};

/* One statement that something happened. Everything a sender said about it; what we know ourselves (source,
 * received, exercise, defaults) is added by the store. All strings are storable. */
struct report {
	struct str sender_id; /* the sender's own id */
	bool global_id; /* sender_id names it everywhere (STIX): it is its fingerprint. Stays in triage, as
	                   the ports do */
	struct str signature;  /* of an intrusion detection system, "1:2001219": with the addresses it is its
	                          fingerprint. Stays in triage */
	enum rsit_type type;   /* RSIT_NONE: the source's default */
	struct str identifier; /* open-rdp, cve-2026-1234; "" */
	struct str malware;    /* family, lower case; "" */
	int severity;          /* 0..100, -1 not stated: the store takes its type's */
	int confidence;        /* 0..100, -1 unknown */
	enum tlp tlp;          /* as the sender stated it; TLP_UNSTATED: the source's default */
	enum tlp rule_tlp;     /* what a rule asks for, or a marking that nobody knows: holds where it is
	                          the stricter, never loosens */
	enum pap pap;
	int64_t observed;    /* CLOCK_UNKNOWN: when received */
	int64_t valid_until; /* an indicator's time runs out; 0 never */
	int64_t count;       /* how often the sender saw it; 1 */
	struct str title;
	struct str text;      /* plain text for people and search; "" where doc says it all */
	struct str doc;       /* the sender's own bytes of this statement (JSON text …), never re-written */
	struct str country;   /* ISO 3166 of the source address, by plugin; "" */
	uint32_t asn;         /* of the source address; 0 */
	uint16_t source_port; /* 0 unknown. The ports only tell fingerprints apart: they stay in triage and in
	                         doc */
	uint16_t target_port;
	struct observable *observables;
	size_t observable_count;
	struct verdict *verdicts;
	size_t verdict_count;
	struct str *notes; /* what a reader must know: a charset that could not be converted, a scan not
	                      finished */
	size_t note_count;
	struct str *tags;
	size_t tag_count;
	struct similarity *similarities;
	size_t similarity_count;
	struct fingerprint fingerprint;
};

/* First bytes of SHA-256 over "rule\0version\0key", version in decimal. */
void fingerprint_digest(struct str rule, uint16_t version, struct str key, uint8_t digest[FINGERPRINT_LEN]);

/* First observable of this type and role, or NULL. */
const struct observable *report_find(
	const struct report *report, enum observable_type type, enum observable_role role);
/*
 * The search keys of all observables, identifier (kind "identifier"; a CVE also as one), malware and sender
 * id (kind "id"): sorted, no doubles. Where there are too many, parents and prefixes are left out first.
 */
#define REPORT_KEYS 64
size_t report_keys(const struct report *report, int64_t keys[REPORT_KEYS]);

#endif
