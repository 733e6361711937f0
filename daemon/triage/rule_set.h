#ifndef TRIAGE_RULE_SET_H
#define TRIAGE_RULE_SET_H

#include "base/buf.h"
#include "wire/reading.h"

/*
 * YARA rules, compiled from a bundle (ipc/rules_bundle.h) one file at a time, each in a namespace of its own
 * named after the file. The external variables filename, filepath, extension, filetype and owner are defined;
 * includes are off. A file that does not compile is refused, the rest stand.
 *
 * Which parts a rule sees is said by its meta `scope`, a list of event, text and file; without it: text and
 * file, never event. Files that import pe, elf or dotnet are only ever run on such files. Rules of one file
 * stay together, because they may refer to each other: a file with one event rule costs every event all of
 * its rules.
 *
 * Other meta that steers a report: classification (RSIT type), identifier, severity (word or 0..100),
 * confidence, tlp, title, malware, tag.
 */
struct rule_set;

struct rule_refused {
	char *file;
	int line; /* 0 where no line can be named */
	char *text;
};

struct rule_file {
	char *name;
	size_t rules;
	struct buf names; /* of the rules, as the inside of a JSON array */
	struct buf says;  /* how those that steer would, as the inside of a JSON object: {severity,
	                     classification, malware} by rule */
	unsigned scopes;  /* of enum part_scope: of any of its rules */
	unsigned modules; /* of enum rule_module (triage/rule_compile.h) */
};

/* What a rule that matched has to say. Strings live as long as the set. */
struct rule_match {
	const char *file;
	const char *rule;
	const char *classification; /* NULL where its meta says nothing, as for all below */
	const char *identifier;
	const char *malware;
	const char *title;
	const char *tag;
	const char *tlp;
	int severity; /* -1 unknown */
	int confidence;
};
typedef void rule_match_fn(const struct rule_match *match, void *context);

enum rule_scan { RULE_SCAN_DONE, RULE_SCAN_TIMEOUT, RULE_SCAN_FAILED };

/* Process-wide start of libyara; before the sandbox, once, before any other call. */
bool rule_engine_start(struct err *err);
const char *rule_engine_name(void); /* "yara 4.2.3" */

/* False only where the bundle itself is broken. timeout: of one scan, microseconds. */
bool rule_set_compile(struct str bundle, uint64_t timeout, struct rule_set **set, struct err *err);
void rule_set_free(struct rule_set **set);

const char *rule_set_digest(
	const struct rule_set *set); /* SHA-256 in hex over names and bytes of the files that stand */
size_t rule_set_rules(const struct rule_set *set, unsigned scope);
const struct rule_file *rule_set_files(const struct rule_set *set, size_t *count);
const struct rule_refused *rule_set_refused(const struct rule_set *set, size_t *count);
/* Microseconds that a scan of a typical part of this scope takes. */
double rule_set_cost(struct rule_set *set, enum part_scope scope);

/* Is there anything to be run on parts with these scopes? */
bool rule_set_sees(const struct rule_set *set, unsigned scopes);
enum rule_scan rule_set_scan(
	struct rule_set *set, const struct part *part, rule_match_fn *match, void *context);

/*
 * Member for the hello: ,"rules":{"items":[{"file","state":"loaded","rules","scopes","names","says"} or
 * {"file","state":"refused", "line","reason"}],"next":null,"engine","digest","cost":[{"scope","rules","us"}]}
 */
void rule_set_describe(struct rule_set *set, struct buf *json);
/* {"file":…,"state":…,"rules":…,"scopes":[…],"names":[…] without the closing brace; for a refused file with
 * line and reason. */
void rule_file_describe(const struct rule_file *file, const char *state, struct buf *json);
void rule_refused_describe(const struct rule_refused *refused, struct buf *json);

#endif
