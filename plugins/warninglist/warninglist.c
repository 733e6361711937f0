/*
 * warninglist: what is known to be harmless lowers the severity, and says why. See warninglist.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cirt_plugin.h"
#include "list_read.h"
#include "lists.h"

#define SEVERITY_DEFAULT 10
#define SUBJECTS_MOST    1000 /* of a report; one that has more is no false alarm */
#define VERDICTS_MOST    20
#define EFFORT           5000
#define COMPLAINTS_MOST  20
#define REASON           400

static const struct cirt_plugin_option options[] = {
	{"lists", "file or folder with lists in the MISP warninglist format", 1},
	{"severity", "what the severity is lowered to, 0 to 100 (10)", 0},
	{"tag", "tag of a report that names nothing else (known-good)", 0},
	{NULL, NULL, 0},
};

/* What of a report is looked up, and as what. */
static const struct {
	const char *type;
	enum subject subject;
} subjects[] = {
	{"ip", SUBJECT_IP},
	{"name", SUBJECT_NAME},
	{"url", SUBJECT_URL},
	{"email", SUBJECT_EMAIL},
	{"md5", SUBJECT_DIGEST},
	{"sha1", SUBJECT_DIGEST},
	{"sha256", SUBJECT_DIGEST},
	{"sha512", SUBJECT_DIGEST},
	{"asn", SUBJECT_ASN},
	{"filename", SUBJECT_FILENAME},
	{"user-agent", SUBJECT_USER_AGENT},
	{"mac", SUBJECT_MAC},
	{"wallet", SUBJECT_WALLET},
};

struct warninglist {
	struct lists *lists;
	int severity;
	const char *tag;
};

/* What the lists say of one report. */
struct judgement {
	const struct cirt_api *api;
	struct cirt_item *item;
	struct cirt_observable observable; /* the one in hand */
	int is_known;
	int verdicts;
	char reason[REASON]; /* names of lists */
};

struct complaints {
	const struct cirt_api *api;
	struct cirt_host *host;
	unsigned count;
};

static void complain(const char *text, void *context)
{
	struct complaints *complaints = context;

	if (complaints->count++ < COMPLAINTS_MOST)
		complaints->api->log(complaints->host, 1, text);
}

static void fini(void *state)
{
	struct warninglist *warninglist = state;

	if (!warninglist)
		return;
	lists_free(warninglist->lists);
	free(warninglist);
}

static int take_severity(const char *text, int *severity, char *error, size_t size)
{
	char *end = NULL;
	long value = text ? strtol(text, &end, 10) : SEVERITY_DEFAULT;

	if (value < 0 || value > 100 || (text && (*text == '\0' || *end))) {
		snprintf(error, size, "option severity: expected a number from 0 to 100");
		return -1;
	}
	*severity = (int)value;
	return 0;
}

static int take_lists(struct warninglist *warninglist, const struct cirt_api *api, struct cirt_host *host,
	char *error, size_t size)
{
	struct complaints complaints = {api, host, 0};
	char why[128] = "", said[200];
	size_t len = 0;
	const char *bytes = api->file(host, "lists", &len);

	if (!bytes) {
		api->log(host, 1, "option lists names no file: nothing will be known");
		return 0;
	}
	if (lists_read(warninglist->lists, bytes, len, complain, &complaints, why, sizeof(why)) != 0) {
		snprintf(error, size, "option lists: %s", why);
		return -1;
	}
	snprintf(said, sizeof(said), "%zu lists with %zu entries; %u left out",
		lists_count(warninglist->lists), lists_entries(warninglist->lists), complaints.count);
	api->log(host, complaints.count > 0 ? 1 : 2, said);
	return 0;
}

static int init(const struct cirt_api *api, struct cirt_host *host, void **state, char *error, size_t size)
{
	struct warninglist *warninglist = calloc(1, sizeof(*warninglist));

	if (!warninglist || !(warninglist->lists = lists_new()) ||
		take_severity(api->option(host, "severity"), &warninglist->severity, error, size) != 0 ||
		take_lists(warninglist, api, host, error, size) != 0) {
		fini(warninglist);
		return -1;
	}
	warninglist->tag = api->option(host, "tag");
	if (!warninglist->tag)
		warninglist->tag = "known-good";
	*state = warninglist;
	return 0;
}

static enum subject subject_of(const struct cirt_observable *observable)
{
	/* Who told us and who is the victim prove nothing about what was seen. */
	static const char *const seen[] = {"source", "indicator", "unknown"};
	int is_seen = 0;

	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		is_seen |= strcmp(observable->role, seen[i]) == 0;
	for (size_t i = 0; is_seen && i < sizeof(subjects) / sizeof(subjects[0]); i++)
		if (strcmp(observable->type, subjects[i].type) == 0)
			return subjects[i].subject;
	return 0;
}

/* A file's name proves nothing either way, nor does what a client says that it is. */
static int counts(enum subject subject)
{
	return subject != 0 && subject != SUBJECT_FILENAME && subject != SUBJECT_USER_AGENT;
}

static void add_reason(struct judgement *judgement, const char *name)
{
	size_t used = strlen(judgement->reason);

	if (strstr(judgement->reason, name) || used + strlen(name) + 3 >= sizeof(judgement->reason))
		return;
	snprintf(judgement->reason + used, sizeof(judgement->reason) - used, "%s%s", used > 0 ? "; " : "",
		name);
}

static void matched(const struct list *list, const char *entry, bool whole, void *context)
{
	struct judgement *judgement = context;
	char outcome[512];

	if (list->harmless && whole) {
		judgement->is_known = 1;
		add_reason(judgement, list->name);
	}
	if (judgement->verdicts++ >= VERDICTS_MOST)
		return;
	snprintf(outcome, sizeof(outcome), "%s %s %.200s: %.200s", whole ? "known" : "host known",
		judgement->observable.type, judgement->observable.value, entry);
	judgement->api->add_verdict(judgement->item, list->name, outcome);
}

static int hook(const struct cirt_api *api, struct cirt_item *item, enum cirt_stage stage, void *state)
{
	const struct warninglist *warninglist = state;
	struct judgement judgement = {.api = api, .item = item};
	struct lists_effort effort = {EFFORT};
	size_t count = api->observables(item), known = 0, unknown = 0;
	char reason[REASON + 64];

	(void)stage;
	if (count > SUBJECTS_MOST || lists_entries(warninglist->lists) == 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		enum subject subject;
		if (api->observable(item, i, &judgement.observable) != 0)
			return -1;
		subject = subject_of(&judgement.observable);
		if (subject == 0)
			continue;
		judgement.is_known = 0;
		lists_find(warninglist->lists, subject, judgement.observable.value, &effort, matched,
			&judgement);
		if (counts(subject))
			*(judgement.is_known ? &known : &unknown) += 1;
	}
	if (known == 0 || unknown > 0)
		return 0;
	api->add_tag(item, warninglist->tag);
	snprintf(reason, sizeof(reason), "all that it names is known: %s", judgement.reason);
	api->lower_severity(item, warninglist->severity, reason);
	return 0;
}

CIRT_PLUGIN_EXPORT(warninglist) = {
	.abi = CIRT_PLUGIN_ABI,
	.name = "warninglist",
	.version = "1",
	.summary = "lowers the severity of what names only what is known to be harmless",
	.stages = CIRT_STAGE_ITEM,
	.options = options,
	.init = init,
	.fini = fini,
	.hook = hook,
};
