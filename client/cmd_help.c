#include "config.h"

#include <stdio.h>

#include "client/command.h"
#include "client/i18n.h"
#include "client/topic.h"

static const struct {
	const char *title;
	const char *nouns;
} groups[] = {
	{N_("Look"), "today search status ledger alarm watch journal whoami"},
	{N_("Work"), "report case inbox task note tag event ref party inquiry ask mail reply approve notice "
		     "tlp spam quarantine evidence "
		     "measure clock filing campaign playbook regime receipt submit undo"},
	{N_("Set up"), "source org contact group exercise rule rules plugin key operator audit"},
	{N_("Else"), "version help"},
};

static const struct {
	const char *noun;
	const char *summary;
} nouns[] = {
	{"source", N_("who sends: sensors, feeds, mailboxes")},
	{"report", N_("single statements that something happened")},
	{"case", N_("what a person works on")},
	{"mail", N_("what people and the desk write to each other")},
	{"spam", N_("what was taken for spam, and who is")},
	{"evidence", N_("files, by their digest")},
	{"alarm", N_("what wants somebody to look")},
	{"org", N_("who is served, and what they hold")},
	{"contact", N_("whom to tell")},
	{"group", N_("organisations by one name")},
	{"key", N_("keys for encrypted and signed mail")},
	{"quarantine", N_("what could not be read")},
	{"notice", N_("warnings to the owners of networks")},
	{"inbox", N_("what is new, in groups that one act works on")},
	{"task", N_("what has to be done in a case, by whom and until when")},
	{"note", N_("what was written down in cases")},
	{"tag", N_("words that cases are marked with")},
	{"exercise", N_("drills, and who is in them")},
	{"event", N_("what happened in an incident, and when")},
	{"ref", N_("what a case is called elsewhere")},
	{"party", N_("who takes part in a case, in which role")},
	{"inquiry", N_("questions to parties of a case, and their answers")},
	{"ask", N_("one question to many")},
	{"measure", N_("countermeasures, and when to look at them again")},
	{"clock", N_("times by which something is due")},
	{"filing", N_("what the law wants filed")},
	{"campaign", N_("cases that belong together")},
	{"playbook", N_("what cases of a kind begin with")},
	{"regime", N_("laws under which something is filed")},
	{"tlp", N_("whether sources let what they told go further")},
	{"rule", N_("whom to warn of what (YARA: rules)")},
	{"rules", N_("YARA rules (whom to warn: rule)")},
	{"plugin", N_("plugins of triage")},
	{"operator", N_("who works here, and may do what")},
	{"approve", N_("what two people have to do")},
	{"audit", N_("the journal, and whether it was touched")},
};

const char *help_summary(const char *noun)
{
	for (size_t i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++)
		if (!strcmp(nouns[i].noun, noun))
			return _(nouns[i].summary);
	const struct verb *verb = verb_find(str_of(noun), STR(""));
	return verb ? _(verb->summary) : "";
}

/* "list|show|add|disable" */
static void append_verbs(struct buf *out, const char *noun)
{
	const char *between = " ";

	for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb)) {
		if (!strcmp(verb->noun, noun) && *verb->verb) {
			buf_printf(out, "%s%s", between, verb->verb);
			between = "|";
		}
	}
	const struct verb *single = verb_find(str_of(noun), STR(""));
	if (single && *single->arguments)
		buf_printf(out, " %s", single->arguments);
}

static void noun_line(struct screen *screen, struct str noun)
{
	struct buf left = {0};
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)noun.len, noun.p);
	buf_printf(&left, "  %s", name);
	append_verbs(&left, name);
	if (left.len < 48)
		screen_printf(screen, "%-48s %s\n", buf_cstr(&left), help_summary(name));
	else
		screen_printf(screen, "%s\n%-48s %s\n", buf_cstr(&left), "", help_summary(name));
	buf_free(&left);
}

void help_overview(struct screen *screen)
{
	screen_printf(screen, "%s\n",
		_("cirt: the incident desk of a national CIRT. Usage: cirt NOUN VERB [OPTION…]"));
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		struct str rest = str_of(groups[i].nouns), noun;
		screen_printf(screen, "\n");
		screen_heading(screen, _(groups[i].title));
		while (str_split(&rest, ' ', &noun))
			noun_line(screen, noun);
	}
	screen_printf(screen, "\n%s\n%s\n",
		_("With every verb: --help, --json, --columns, --sort, --save, --saved, --socket PATH (or "
		  "CIRT_SOCKET)."),
		_("Start with: cirt status · cirt case list · cirt search 198.51.100.7"));
}

int help_noun(struct screen *screen, const char *noun)
{
	screen_printf(screen, "cirt %s: %s\n\n", noun, help_summary(noun));
	for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb)) {
		char left[96];
		if (strcmp(verb->noun, noun) != 0)
			continue;
		snprintf(left, sizeof(left), "  cirt %s %s %s", noun, verb->verb, verb->arguments);
		screen_printf(screen, "%-36s %s\n", left, _(verb->summary));
	}
	screen_printf(screen, _("\nMore: cirt %s VERB --help\n"), noun);
	return EXIT_DONE;
}

static void option_line(struct screen *screen, const char *name, const char *value, const char *help)
{
	char left[64];

	snprintf(left, sizeof(left), "--%s%s%s", name, value ? " " : "", value ? value : "");
	screen_printf(screen, "  %-26s %s\n", left, help);
}

/* "mail" is a command, and a noun with verbs. */
static void help_below(struct screen *screen, const struct verb *verb)
{
	struct buf verbs = {0};

	if (!*verb->verb)
		append_verbs(&verbs, verb->noun);
	if (verbs.len && !strcmp(buf_cstr(&verbs) + 1, verb->arguments))
		buf_clear(&verbs);
	if (verbs.len)
		screen_printf(screen, _("and: cirt %s%s\n"), verb->noun, buf_cstr(&verbs));
	buf_free(&verbs);
}

void help_verb(struct screen *screen, const struct verb *verb)
{
	char title[64];

	snprintf(title, sizeof(title), "%s%s%s", verb->noun, *verb->verb ? " " : "", verb->verb);
	screen_printf(screen, "%s cirt %s%s%s%s\n\n%s.\n\n", _("usage:"), title, *verb->arguments ? " " : "",
		verb->arguments, verb->options->name ? _(" [OPTION…]") : "", _(verb->summary));
	for (const struct verb_option *option = verb->options; option->name; option++)
		option_line(screen, option->name, option->value, _(option->help));
	for (const struct verb_option *option = args_common; option->name; option++)
		option_line(screen, option->name, option->value, _(option->help));
	screen_printf(screen, "\n%s %s\n", _("for example:"), verb->example);
	if (verb->role > ROLE_VIEWER)
		screen_printf(screen, _("needs the role %s\n"), role_name(verb->role));
	help_below(screen, verb);
}

static struct json_object *verb_json(const struct verb *verb)
{
	struct json_object *object = json_object_new_object(), *options = json_object_new_array();

	json_object_object_add(object, "noun", json_object_new_string(verb->noun));
	json_object_object_add(object, "verb", json_object_new_string(verb->verb));
	json_object_object_add(object, "arguments", json_object_new_string(verb->arguments));
	json_object_object_add(object, "summary", json_object_new_string(verb->summary));
	json_object_object_add(object, "role", json_object_new_string(role_name(verb->role)));
	json_object_object_add(object, "changes", json_object_new_boolean(verb->changes));
	for (const struct verb_option *option = verb->options; option->name; option++) {
		struct json_object *one = json_object_new_object();
		json_object_object_add(one, "name", json_object_new_string(option->name));
		json_object_object_add(
			one, "value", option->value ? json_object_new_string(option->value) : NULL);
		json_object_object_add(one, "help", json_object_new_string(option->help));
		json_object_array_add(options, one);
	}
	json_object_object_add(object, "options", options);
	json_object_object_add(object, "example", json_object_new_string(verb->example));
	return object;
}

static int help_json(struct call *call)
{
	struct json_object *result = json_object_new_object(), *items = json_object_new_array();

	for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb))
		json_object_array_add(items, verb_json(verb));
	json_object_object_add(result, "items", items);
	json_object_object_add(result, "next", NULL);
	call_json(call, result);
	json_object_put(result);
	return EXIT_DONE;
}

/* What `cirt NOUN VERB --help` would show: the same parser, so that a mistake gets the same answer. */
static int help_words(struct call *call, const char *noun, const char *verb)
{
	char *argv[] = {(char *)"cirt", (char *)noun, (char *)verb, NULL};
	struct invocation asked;
	struct buf complaint = {0};
	int code = EXIT_DONE;

	enum args_outcome outcome = args_parse(verb ? 3 : 2, argv, &asked, &complaint);
	if (asked.verb)
		help_verb(&call->screen, asked.verb);
	else if (asked.noun && outcome == ARGS_RUN)
		help_noun(&call->screen, asked.noun);
	else {
		struct buf safe = {0};
		screen_safe(buf_view(&complaint), &safe);
		fputs(buf_cstr(&safe), stderr);
		buf_free(&safe);
		code = EXIT_USAGE;
	}
	args_free(&asked);
	buf_free(&complaint);
	return code;
}

/* `cirt help task`: by what happened. The tasks of cases are a noun of that name too. */
static int help_task(struct call *call, const char *verb, struct str said)
{
	if (verb && str_equal(said, str_of(verb)) && verb_find(STR("task"), said))
		return help_words(call, "task", verb);
	if (verb && topic_show(&call->screen, said))
		return EXIT_DONE;
	if (verb)
		screen_printf(&call->screen, "%s\n\n", _("Nothing is written for that. What there is:"));
	topic_list(&call->screen);
	screen_printf(&call->screen, "\n%s\n", _("The tasks of cases: cirt task --help"));
	return verb ? EXIT_NOT_FOUND : EXIT_DONE;
}

static const char *word_of(struct json_object *words, size_t at)
{
	return words && at < json_object_array_length(words)
	               ? json_object_get_string(json_object_array_get_idx(words, at))
	               : NULL;
}

static bool is_noun(const char *word)
{
	for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb))
		if (!strcmp(verb->noun, word))
			return true;
	return false;
}

/* A noun and a verb, or words for what happened. */
static int help_run(struct call *call)
{
	struct json_object *words = member_of(call->invocation->params, "what");
	const char *first = word_of(words, 0), *second = word_of(words, 1);
	struct buf said = {0};
	int code = EXIT_DONE;

	if (call->invocation->json)
		return help_json(call);
	for (size_t i = first && !strcmp(first, "task") ? 1 : 0; word_of(words, i); i++)
		buf_printf(&said, "%s%s", said.len ? " " : "", word_of(words, i));
	if (!first)
		help_overview(&call->screen);
	else if (!strcmp(first, "task"))
		code = help_task(call, second, buf_view(&said));
	else if (is_noun(first) || !topic_show(&call->screen, buf_view(&said)))
		code = help_words(call, first, second);
	buf_free(&said);
	return code;
}

static int version_run(struct call *call)
{
	struct rpc_message answer = {0};
	struct json_object *result = json_object_new_object(), *daemon = NULL;
	struct err err;

	json_object_object_add(result, "client", json_object_new_string(PACKAGE_VERSION));
	if (link_open(call->place, &call->link, &err) &&
		link_call(call->link, "version", NULL, NULL, NULL, &answer, &err) &&
		answer.kind == RPC_RESULT)
		daemon = json_object_get(member_of(answer.result, "daemon"));
	json_object_object_add(result, "daemon", daemon);
	if (call->invocation->json)
		call_json(call, result);
	else
		screen_printf(&call->screen, "cirt %s\ncirtd %s\n", PACKAGE_VERSION,
			daemon ? json_object_get_string(daemon) : _("does not answer"));
	rpc_free(&answer);
	json_object_put(result);
	return EXIT_DONE;
}

const struct command help_commands[] = {
	{"help", NULL, help_run}, {"version", NULL, version_run}, {NULL, NULL, NULL}};
