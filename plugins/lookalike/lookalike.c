/*
 * lookalike: names that imitate those of constituents. See lookalike.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cirt_plugin.h"
#include "names.h"

#define SCORE_DEFAULT    70
#define SEVERITY_DEFAULT 60
#define OBSERVABLES_MOST 2000 /* of a report */
#define HOST_MAX         253

static const struct cirt_plugin_option options[] = {
	{"names", "file with the names that may be imitated: lines domain,organisation", 1},
	{"allow", "file with names that look like one of them and are none of that: lines domain", 1},
	{"score", "from which score on it is said, 1 to 100 (70)", 0},
	{"severity", "what the severity is raised to then, 0 to 100 (60)", 0},
	{NULL, NULL, 0},
};

struct lookalike {
	struct names *names;
	struct names *allowed;
	long score;
	long severity;
};

static void fini(void *state)
{
	struct lookalike *lookalike = state;

	if (!lookalike)
		return;
	names_free(lookalike->names);
	names_free(lookalike->allowed);
	free(lookalike);
}

static int take_number(const struct cirt_api *api, struct cirt_host *host, const char *option, long least,
	long usual, long *value, char *error, size_t size)
{
	const char *text = api->option(host, option);
	char *end = NULL;

	*value = text ? strtol(text, &end, 10) : usual;
	if (*value >= least && *value <= 100 && (!text || (*text && !*end)))
		return 0;
	snprintf(error, size, "option %s: expected a number from %ld to 100", option, least);
	return -1;
}

static struct names *take_names(
	const struct cirt_api *api, struct cirt_host *host, const char *option, char *error, size_t size)
{
	char why[128] = "";
	size_t len = 0;
	const char *bytes = api->file(host, option, &len);
	struct names *names = names_parse(bytes, len, why, sizeof(why));

	if (!names)
		snprintf(error, size, "option %s: %s", option, why);
	return names;
}

static int init(const struct cirt_api *api, struct cirt_host *host, void **state, char *error, size_t size)
{
	struct lookalike *lookalike = calloc(1, sizeof(*lookalike));

	if (!lookalike || !(lookalike->names = take_names(api, host, "names", error, size)) ||
		!(lookalike->allowed = take_names(api, host, "allow", error, size)) ||
		take_number(api, host, "score", 1, SCORE_DEFAULT, &lookalike->score, error, size) != 0 ||
		take_number(api, host, "severity", 0, SEVERITY_DEFAULT, &lookalike->severity, error, size) !=
			0) {
		fini(lookalike);
		return -1;
	}
	if (names_count(lookalike->names) == 0)
		api->log(host, 1,
			"option names names no file, or it is empty: nothing can be imitated "
			"(cirt org domains writes it)");
	*state = lookalike;
	return 0;
}

/* The host that an observable names; 0: none. */
static size_t host_of(const struct cirt_observable *observable, char host[HOST_MAX + 1])
{
	const char *start = observable->value;
	size_t len;

	if (strcmp(observable->type, "url") == 0) {
		const char *at;
		start = strstr(start, "://");
		if (!start)
			return 0;
		start += 3;
		len = strcspn(start, "/?#");
		while ((at = memchr(start, '@', len)) != NULL) {
			len -= (size_t)(at + 1 - start);
			start = at + 1;
		}
		const char *port = memchr(start, ':', len);
		if (port)
			len = (size_t)(port - start);
	} else if (strcmp(observable->type, "email") == 0) {
		start = strrchr(start, '@');
		if (!start)
			return 0;
		len = strlen(++start);
	} else if (strcmp(observable->type, "name") == 0) {
		len = strlen(start);
	} else {
		return 0;
	}
	if (len == 0 || len > HOST_MAX)
		return 0;
	memcpy(host, start, len);
	host[len] = '\0';
	return len;
}

static void say(const struct lookalike *lookalike, const struct cirt_api *api, struct cirt_item *item,
	const char *host, const struct likeness *likeness)
{
	char rule[300], outcome[512];

	snprintf(rule, sizeof(rule), "lookalike of %s", likeness->domain);
	snprintf(outcome, sizeof(outcome), "%s: %s, score %u%s%.100s%s", host, likeness->how, likeness->score,
		likeness->organisation[0] ? " (" : "", likeness->organisation,
		likeness->organisation[0] ? ")" : "");
	api->add_verdict(item, rule, outcome);
	api->add_tag(item, "lookalike");
	(void)api->add_observable(item, "name", "imitated", likeness->domain);
	if (api->severity(item) < lookalike->severity)
		api->set_severity(item, (int)lookalike->severity);
}

/* Who told us imitates nobody, and what is imitated is known to be. */
static int is_suspect(const struct cirt_observable *observable)
{
	return strcmp(observable->role, "reporter") != 0 && strcmp(observable->role, "imitated") != 0;
}

static int hook(const struct cirt_api *api, struct cirt_item *item, enum cirt_stage stage, void *state)
{
	const struct lookalike *lookalike = state;
	size_t count = api->observables(item);
	char host[HOST_MAX + 1], last[HOST_MAX + 1] = "";

	(void)stage;
	if (names_count(lookalike->names) == 0)
		return 0;
	for (size_t i = 0; i < count && i < OBSERVABLES_MOST; i++) {
		struct cirt_observable observable;
		struct likeness likeness;
		if (api->observable(item, i, &observable) != 0)
			return -1;
		if (!is_suspect(&observable) || host_of(&observable, host) == 0 || strcmp(host, last) == 0)
			continue;
		memcpy(last, host, sizeof(last));
		if (names_resemble(lookalike->names, host, &likeness) &&
			likeness.score >= (unsigned)lookalike->score && !names_hold(lookalike->allowed, host))
			say(lookalike, api, item, host, &likeness);
	}
	return 0;
}

CIRT_PLUGIN_EXPORT(lookalike) = {
	.abi = CIRT_PLUGIN_ABI,
	.name = "lookalike",
	.version = "1",
	.summary = "finds names that imitate those of constituents",
	.stages = CIRT_STAGE_ITEM,
	.options = options,
	.init = init,
	.fini = fini,
	.hook = hook,
};
