#include "config.h"

#include "client/complete.h"

#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/args.h"
#include "client/command.h"
#include "client/i18n.h"
#include "client/link.h"
#include "client/saved.h"
#include "client/screen.h"
#include "client/shell_line.h"
#include "client/topic.h"
#include "model/rsit.h"

#define PATIENCE_SECONDS 2 /* a shell that hangs is worse than one that does not know */

/* The command line so far. */
struct typed {
	const struct place *place;
	const char *noun, *name; /* NULL where not typed yet */
	const struct verb *verb;
	size_t arguments;                /* complete ones behind the verb */
	const struct verb_option *value; /* the option whose value is typed; NULL */
	bool options_ended;
	const char *first;               /* the first argument; NULL */
	const char *word;                /* what is typed */
	struct str before;               /* "--severity=" of "--severity=hi" */
	const struct shell_line *quoted; /* how the answers have to stand; NULL: as they are */
};

/* What an argument or the value of an option may be. The first row that fits decides; noun and option NULL
 * fit all. */
struct domain {
	const char *noun, *option, *value;
	const char *words; /* by blanks, or */
	const char *method, *member,
		*what; /* a list of the desk: the member to type, and one that explains */
};

#define PARTS "reporter affected imitated source-owner hoster registrar police regulator partner"

static const struct domain domains[] = {
	{NULL, NULL, "TLP", "clear green amber amber+strict red", NULL, NULL, NULL},
	{NULL, NULL, "PAP", "clear green amber red", NULL, NULL, NULL},
	{NULL, "severity", NULL, "info low medium high critical", NULL, NULL, NULL},
	{NULL, "type", NULL, "@types", NULL, NULL, NULL},
	{NULL, NULL, "TYPE", "@types", NULL, NULL, NULL},
	{"report", NULL, "CLASS", "@types", NULL, NULL, NULL},
	{NULL, "confidence", "WORD", "low medium high", NULL, NULL, NULL},
	{NULL, NULL, "LANGUAGE", "en fr es", NULL, NULL, NULL},
	{"operator", "role", NULL, "viewer trainee analyst lead admin", NULL, NULL, NULL},
	{"contact", "role", NULL, "security abuse technical management legal press duty", NULL, NULL, NULL},
	{NULL, "policy", NULL, "required preferred never", NULL, NULL, NULL},
	{NULL, "form", "WORD", "full sanitised", NULL, NULL, NULL},
	{"report", "reason", "WORD", "spam not-ours false-alarm duplicate test", NULL, NULL, NULL},
	{"inbox", "reason", "WORD", "spam not-ours false-alarm duplicate test", NULL, NULL, NULL},
	{NULL, "impact", "WORD", "none minor moderate significant severe", NULL, NULL, NULL},
	{"case", "outcome", "WORD",
		"resolved mitigated accepted referred no-answer false-alarm not-ours duplicate unclear", NULL,
		NULL, NULL},
	{"case", "order", "WORD", "newest severity changed due", NULL, NULL, NULL},
	{"notice", "by", "WORD", "organisation sector identifier", NULL, NULL, NULL},
	{"rule", "whose", "WORD", "ours foreign", NULL, NULL, NULL},
	{"rule", "against", NULL, "yesterday last-week last-month", NULL, NULL, NULL},
	{"source", "acknowledge", NULL, "yes no", NULL, NULL, NULL},
	{"source", "ask-before-notice", NULL, "yes no", NULL, NULL, NULL},
	{"source", "restricted", NULL, "yes no", NULL, NULL, NULL},
	{"source", "spam-welcome", NULL, "yes no", NULL, NULL, NULL},
	{"ask", NULL, "ANSWER", "yes no checking other none", NULL, NULL, NULL},
	{"inquiry", "word", NULL, "yes no checking other", NULL, NULL, NULL},
	{"measure", NULL, "KIND",
		"dns-block address-block url-block mail-block sinkhole takedown isolation account-lock patch "
		"monitoring other",
		NULL, NULL, NULL},
	{NULL, NULL, "PART", PARTS " vendor other", NULL, NULL, NULL},
	{"case", NULL, "WHOM", PARTS, NULL, NULL, NULL},
	{"mail", NULL, "WHOM", PARTS, NULL, NULL, NULL},
	{"reply", NULL, "WHOM", PARTS, NULL, NULL, NULL},
	{"inquiry", NULL, "WHOM", PARTS, NULL, NULL, NULL},
	{"reply", NULL, "WHAT", NULL, "case.list", "number", "title"},
	{NULL, NULL, "TAGS", NULL, "tag.list", "name", "meaning"},
	{NULL, NULL, "DRILL", NULL, "exercise.list", "name", "title"},
	{NULL, "sector", NULL, NULL, "org.list", "sector", ""},
	{NULL, "criticality", NULL, "low medium high critical", NULL, NULL, NULL},
	{NULL, NULL, "FORMAT", "auto mail stix lines native eve idea intelmq zeek csv misp xarf shadowserver",
		NULL, NULL, NULL},
	{"report", "state", NULL, "new linked noticed answered rejected", NULL, NULL, NULL},
	{"notice", "state", NULL, "bundling held ready queued sent failed cancelled", NULL, NULL, NULL},
	{"quarantine", "state", NULL, "quarantined released processed discarded all", NULL, NULL, NULL},
	{"case", NULL, "STATE", "new open waiting contained resolved closed rejected merged", NULL, NULL,
		NULL},
	{"source", "kind", NULL, "mailbox sensor feed taxii misp misp-feed shadowserver desk", NULL, NULL,
		NULL},
	{NULL, "saved", NULL, "@saved", NULL, NULL, NULL},
	{NULL, NULL, "FILE", "@files", NULL, NULL, NULL},
	{NULL, NULL, "PATH", "@files", NULL, NULL, NULL},
	{NULL, NULL, "DIR", "@files", NULL, NULL, NULL},
	{"campaign", NULL, "NUMBER", NULL, "campaign.list", "number", "title"},
	{NULL, "campaign", NULL, NULL, "campaign.list", "number", "title"},
	{NULL, NULL, "NUMBER", NULL, "case.list", "number", "title"},
	{NULL, NULL, "CASE", NULL, "case.list", "number", "title"},
	{"clock", NULL, "CLOCK", NULL, "clock.list", "id", "what"},
	{NULL, NULL, "FILING", NULL, "filing.list", "filing", "who"},
	{NULL, NULL, "REGIME", NULL, "regime.list", "regime", "title"},
	{"playbook", NULL, "NAME", NULL, "playbook.list", "playbook", "title"},
	{NULL, NULL, "INTO", NULL, "case.list", "number", "title"},
	{NULL, NULL, "NOTICE", NULL, "notice.list", "number", "organisation"},
	{NULL, NULL, "REPORT", NULL, "report.list", "id", "title"},
	{"report", NULL, "ID", NULL, "report.list", "id", "title"},
	{NULL, NULL, "INQUIRY", NULL, "inquiry.list", "inquiry", "question"},
	{NULL, NULL, "ASK", NULL, "ask.list", "ask", "subject"},
	{NULL, NULL, "APPROVAL", NULL, "approve.list", "approval", "what"},
	{NULL, NULL, "TAG", NULL, "tag.list", "name", "meaning"},
	{"task", NULL, "ID", NULL, "task.list", "id", "title"},
	{"measure", NULL, "ID", NULL, "measure.list", "id", "target"},
	{NULL, NULL, "DIGEST", NULL, "evidence.list", "digest", "name"},
	{NULL, NULL, "WHO", NULL, "operator.list", "operator", "role"},
	{NULL, NULL, "KEY", NULL, "key.list", "key", "kind"},
	{"alarm", NULL, "ID", NULL, "alarm.list", "id", "text"},
	{"quarantine", NULL, "ID", NULL, "quarantine.list", "id", "reason"},
	{NULL, NULL, "SOURCE", NULL, "source.list", "name", "kind"},
	{NULL, "source", "NAME", NULL, "source.list", "name", "kind"},
	{"source", NULL, "NAME", NULL, "source.list", "name", "kind"},
	{NULL, NULL, "ORGANISATION", NULL, "org.list", "name", "sector"},
	{NULL, "org", "NAME", NULL, "org.list", "name", "sector"},
	{"org", NULL, "NAME", NULL, "org.list", "name", "sector"},
	{"inbox", NULL, "GROUP", NULL, "inbox", "group", "what"},
	{NULL, NULL, "GROUP", NULL, "group.list", "name", "title"},
	{"group", NULL, "NAME", NULL, "group.list", "name", "title"},
	{"exercise", NULL, "NAME", NULL, "exercise.list", "name", "title"},
	{NULL, "exercise", "NAME", NULL, "exercise.list", "name", "title"},
	{"tag", NULL, "NAME", NULL, "tag.list", "name", "meaning"},
	{"operator", NULL, "NAME", NULL, "operator.list", "operator", "role"},
	{"rules", "rule", NULL, NULL, "rules.list", "names", "file"},
	{"rules", NULL, "RESCAN", NULL, "rules.show", "rescan", "asked"},
	{NULL, NULL, "RULE", NULL, "rule.list", "name", "note"},
};

/* A word that a terminal is not shown as it is can be typed by nobody: it is not offered. */
static void offer(const struct typed *typed, const char *word, const char *what)
{
	struct buf line = {0}, whole = {0};

	if (!*word || !str_starts(str_of(word), str_of(typed->word)))
		return;
	screen_cell(str_of(word), &line);
	bool same = str_equal(buf_view(&line), str_of(word));
	buf_clear(&line);
	buf_str(&whole, typed->before);
	buf_text(&whole, word);
	if (!typed->quoted)
		buf_str(&line, buf_view(&whole));
	if (same && (!typed->quoted || shell_line_quote(typed->quoted, buf_view(&whole), &line))) {
		buf_char(&line, '\t');
		screen_cell(str_of(what), &line);
		puts(buf_cstr(&line));
	}
	buf_free(&line);
	buf_free(&whole);
}

static void offer_words(const struct typed *typed, const char *words)
{
	struct str rest = str_of(words), word;
	char text[64];

	while (str_split(&rest, ' ', &word)) {
		snprintf(text, sizeof(text), STR_FMT, STR_ARG(word));
		offer(typed, text, "");
	}
}

static void offer_types(const struct typed *typed)
{
	for (int type = RSIT_FIRST; type < RSIT_COUNT; type++)
		offer(typed, rsit_name((enum rsit_type)type), rsit_class((enum rsit_type)type));
}

static void offer_saved(const struct typed *typed)
{
	struct buf names = {0};
	struct str rest, name;
	char text[80];

	if (typed->verb)
		saved_names(typed->verb, &names);
	rest = buf_view(&names);
	while (str_split(&rest, '\n', &name)) {
		snprintf(text, sizeof(text), STR_FMT, STR_ARG(name));
		offer(typed, text, "");
	}
	buf_free(&names);
}

/* A word, or each of a list of them. */
static void offer_member(const struct typed *typed, struct json_object *word, const char *what)
{
	if (!json_object_is_type(word, json_type_array)) {
		offer(typed, word ? json_object_get_string(word) : "", what);
		return;
	}
	for (size_t i = 0; i < json_object_array_length(word); i++)
		offer(typed, json_object_get_string(json_object_array_get_idx(word, i)), what);
}

static void offer_list(const struct typed *typed, const struct domain *domain)
{
	struct link *link = NULL;
	struct rpc_message answer;
	struct err err;

	alarm(PATIENCE_SECONDS);
	if (!link_open(typed->place, &link, &err))
		return;
	if (link_call(link, domain->method, NULL, NULL, NULL, &answer, &err)) {
		struct json_object *items =
			answer.kind == RPC_RESULT ? member_of(answer.result, "items") : NULL;
		for (size_t i = 0; items && i < json_object_array_length(items); i++) {
			struct json_object *item = json_object_array_get_idx(items, i);
			struct json_object *word = member_of(item, domain->member);
			offer_member(typed, word, member_text(item, domain->what));
		}
		rpc_free(&answer);
	}
	link_close(&link);
	alarm(0);
}

static bool fits(const char *wanted, const char *have)
{
	return !wanted || (have && !strcmp(wanted, have));
}

static void offer_values(const struct typed *typed, const char *option, struct str name)
{
	char value[ARGS_MEMBER];
	size_t len = 0;

	for (size_t i = 0; i < name.len && len + 1 < sizeof(value); i++)
		if (name.p[i] >= 'A' && name.p[i] <= 'Z')
			value[len++] = name.p[i];
	value[len] = 0;
	for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
		const struct domain *domain = &domains[i];
		if (!fits(domain->noun, typed->noun) || !fits(domain->option, option) ||
			!fits(domain->value, value))
			continue;
		if (domain->method)
			offer_list(typed, domain);
		else if (!strcmp(domain->words, "@types"))
			offer_types(typed);
		else if (!strcmp(domain->words, "@saved"))
			offer_saved(typed);
		else if (!strcmp(domain->words, "@files"))
			puts("@files");
		else
			offer_words(typed, domain->words);
		return;
	}
}

static void offer_options(const struct typed *typed)
{
	char option[64];

	for (const struct verb_option *o = typed->verb ? typed->verb->options : NULL; o && o->name; o++) {
		snprintf(option, sizeof(option), "--%s", o->name);
		offer(typed, option, _(o->help));
	}
	for (const struct verb_option *o = args_common; o->name; o++) {
		snprintf(option, sizeof(option), "--%s", o->name);
		offer(typed, option, _(o->help));
	}
}

static void offer_topic(const void *typed, struct str word, const char *title)
{
	char text[64];

	snprintf(text, sizeof(text), STR_FMT, STR_ARG(word));
	offer(typed, text, title);
}

static void offer_nouns(const struct typed *typed)
{
	for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb)) {
		bool first = true;
		for (const struct verb *before = verb_next(NULL); before != verb; before = verb_next(before))
			first = first && strcmp(before->noun, verb->noun) != 0;
		if (first)
			offer(typed, verb->noun, help_summary(verb->noun));
	}
}

static void offer_verbs(const struct typed *typed)
{
	for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb))
		if (!strcmp(verb->noun, typed->noun))
			offer(typed, verb->verb, _(verb->summary));
}

/* The argument that comes next; one that ends in "..." comes for ever. */
static void offer_arguments(const struct typed *typed)
{
	struct str rest = str_of(typed->verb->arguments), name = STR("");

	for (size_t i = 0; i <= typed->arguments; i++) {
		struct str next;
		if (!str_split(&rest, ' ', &next))
			break;
		name = next;
		if (i == typed->arguments || str_ends(name, STR("...")) || str_ends(name, STR("...]")))
			break;
		name = STR("");
	}
	if (name.len)
		offer_values(typed, NULL, name);
}

/* The option of that name, where it takes a value. */
static const struct verb_option *option_of(const struct typed *typed, struct str name)
{
	for (const struct verb_option *o = typed->verb ? typed->verb->options : NULL; o && o->name; o++)
		if (o->value && str_equal(name, str_of(o->name)))
			return o;
	for (const struct verb_option *o = args_common; o->name; o++)
		if (o->value && str_equal(name, str_of(o->name)))
			return o;
	return NULL;
}

/* "--severity=hi": the value is typed behind the sign. */
static void split_value(struct typed *typed)
{
	const char *equals = strchr(typed->word, '=');

	if (typed->value || typed->options_ended || !equals || strncmp(typed->word, "--", 2) != 0)
		return;
	typed->value = option_of(typed, (struct str){typed->word + 2, (size_t)(equals - typed->word - 2)});
	if (!typed->value)
		return;
	typed->before = (struct str){typed->word, (size_t)(equals - typed->word) + 1};
	typed->word = equals + 1;
}

/* A word that is complete. */
static void take_word(struct typed *typed, const char *word)
{
	if (typed->value) {
		typed->value = NULL;
	} else if (!strcmp(word, "--")) {
		typed->options_ended = true;
	} else if (!strncmp(word, "--", 2) && !typed->options_ended) {
		typed->value = option_of(typed, str_of(word + 2));
	} else if (!strcmp(word, "-s") && typed->verb && !typed->options_ended) {
		typed->value = option_of(typed, STR("severity"));
	} else if (!typed->noun) {
		typed->noun = word;
		typed->verb = verb_find(str_of(word), STR(""));
	} else if (!typed->name &&
		   (!typed->verb || (!typed->arguments && verb_find(str_of(typed->noun), str_of(word))))) {
		typed->name = word;
		typed->verb = verb_find(str_of(typed->noun), str_of(word));
	} else if (typed->arguments++ == 0) {
		typed->first = word;
	}
}

/* Nouns, then verbs; or a word for what happened. */
static void offer_help(const struct typed *typed)
{
	if (typed->arguments == 0)
		offer_nouns(typed);
	else if (typed->arguments == 1 && !strcmp(typed->first, "task"))
		topic_each(typed, offer_topic);
	else if (typed->arguments == 1)
		offer_verbs(
			&(struct typed){.noun = typed->first, .word = typed->word, .quoted = typed->quoted});
}

static void complete_words(struct typed *typed, int count, char **words)
{
	typed->word = count > 0 ? words[count - 1] : "";
	for (int i = 0; i + 1 < count; i++)
		take_word(typed, words[i]);
	split_value(typed);
	if (typed->value)
		offer_values(typed, typed->value->name, str_of(typed->value->value));
	else if (typed->word[0] == '-' && !typed->options_ended)
		offer_options(typed);
	else if (!typed->noun)
		offer_nouns(typed);
	else if (!typed->verb && !typed->name)
		offer_verbs(typed);
	else if (typed->verb && !strcmp(typed->noun, "help"))
		offer_help(typed);
	else if (typed->verb) {
		/* A noun that stands alone may have verbs beside its own argument. */
		if (!typed->name && !typed->arguments)
			offer_verbs(typed);
		offer_arguments(typed);
	}
}

/* Which daemon the line itself names. */
static void place_typed(int count, char **words, struct place_said *said)
{
	for (int i = 0; i + 2 < count; i++) {
		if (!strcmp(words[i], "--socket"))
			said->socket = words[i + 1];
		else if (!strcmp(words[i], "--server"))
			said->server = words[i + 1];
	}
	for (int i = 0; said->server && i + 2 < count; i++) {
		const char **value = !strcmp(words[i], "--certificate") ? &said->certificate
		                     : !strcmp(words[i], "--key")       ? &said->key
		                     : !strcmp(words[i], "--ca")        ? &said->ca
		                                                        : NULL;
		if (value)
			*value = words[i + 1];
	}
}

static void complete_at(struct place_said said, struct typed *typed, int count, char **words)
{
	struct place place;

	place_typed(count, words, &said);
	if (!place_find(&said, &place, NULL))
		return;
	typed->place = &place;
	complete_words(typed, count, words);
	typed->place = NULL;
	place_clear(&place);
}

int complete_run(const struct place_said *said, int count, char **words)
{
	struct typed typed = {0};

	complete_at(*said, &typed, count, words);
	return EXIT_DONE;
}

int complete_bash(const struct place_said *said, const char *text, const char *breaks)
{
	struct shell_line line;

	shell_line_read(str_of(text), str_of(breaks), &line);
	struct typed typed = {.quoted = &line};
	/* The first is the command itself. */
	if (line.count > 1)
		complete_at(*said, &typed, line.count - 1, line.words + 1);
	shell_line_free(&line);
	return EXIT_DONE;
}
