#include "config.h"

#include "client/args.h"

#include <ctype.h>
#include <stdio.h>

#include "base/clock.h"
#include "client/i18n.h"
#include "client/saved.h"
#include "client/when.h"

#define DISTANCE_MAX 64
#define SAVED_WORDS  64

const struct verb_option args_common[] = {
	{"json", NULL, N_("Print JSON, for programs")},
	{"help", NULL, N_("What this is, and how it is used")},
	{"columns", "COLUMNS", N_("Tables: these columns, by comma; members of --json too")},
	{"sort", "COLUMN", N_("Tables: the rows that are shown, by this column; -COLUMN turns it round")},
	{"save", "NAME", N_("Keep what was typed behind the verb under this name")},
	{"saved", "NAME", N_("As if what was kept under this name stood here")},
	{"socket", "PATH", N_("Where the daemon listens")},
	{"server", "HOST:PORT", N_("The daemon of another machine, over TLS; see cirt.conf in cirt(1)")},
	{"certificate", "FILE", N_("Your certificate for --server, in PEM")},
	{"key", "FILE", N_("Its key (default: in the same file)")},
	{"ca", "FILE", N_("Who vouches for the server")},
	{NULL, NULL, NULL},
};

struct parser {
	int argc;
	char **argv;
	int at;
	struct invocation *invocation;
	struct buf *complaint;
	struct str arguments;     /* what the verb still expects */
	struct json_object *many; /* the list that takes all further arguments */
	bool options_ended;
};

unsigned args_distance(struct str a, struct str b, unsigned limit)
{
	unsigned rows[3][DISTANCE_MAX + 1];

	if (a.len > DISTANCE_MAX || b.len > DISTANCE_MAX)
		return limit + 1;
	for (unsigned j = 0; j <= b.len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		unsigned *now = rows[i % 3], *before = rows[(i - 1) % 3], *swapped = rows[(i + 1) % 3];
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b.len; j++) {
			bool same = tolower((unsigned char)a.p[i - 1]) == tolower((unsigned char)b.p[j - 1]);
			unsigned best = before[j - 1] + !same;
			if (before[j] + 1 < best)
				best = before[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
				swapped[j - 2] + 1 < best)
				best = swapped[j - 2] + 1;
			now[j] = best;
		}
	}
	unsigned distance = rows[a.len % 3][b.len];
	return distance > limit ? limit + 1 : distance;
}

/* The nearest of several words to one that was typed: the best so far, and how far it is. */
struct nearest {
	struct str typed;
	const char *word;
	unsigned distance;
};

static struct nearest nearest_to(struct str typed)
{
	return (struct nearest){typed, NULL, typed.len <= 3 ? 2 : 3};
}

static void nearest_try(struct nearest *nearest, const char *word)
{
	struct str candidate = str_of(word);
	unsigned distance = args_distance(nearest->typed, candidate, nearest->distance);

	/* The beginning of a word is the likeliest mistake of all. */
	if (nearest->typed.len >= 2 && str_starts(candidate, nearest->typed))
		distance = 0;
	if (distance < nearest->distance) {
		nearest->distance = distance;
		nearest->word = word;
	}
}

static enum args_outcome wrong(struct parser *parser)
{
	buf_char(parser->complaint, '\n');
	return ARGS_WRONG;
}

static enum args_outcome wrong_word(
	struct parser *parser, const char *what, const char *typed, const char *suggestion)
{
	buf_text(parser->complaint, what);
	buf_printf(parser->complaint, " \"%s\"", typed);
	if (suggestion)
		buf_printf(parser->complaint, _(": did you mean \"%s\"?"), suggestion);
	return wrong(parser);
}

const char *args_member(struct str word, char member[ARGS_MEMBER])
{
	size_t len = 0;

	for (size_t i = 0; i < word.len && len + 1 < ARGS_MEMBER; i++) {
		char c = word.p[i];
		if (isalnum((unsigned char)c))
			member[len++] = (char)tolower((unsigned char)c);
		else if (c == '-')
			member[len++] = '_';
	}
	member[len] = 0;
	return member;
}

static bool is_noun(struct str word)
{
	for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb))
		if (str_equal(word, str_of(verb->noun)))
			return true;
	return false;
}

static enum args_outcome unknown_noun(struct parser *parser, const char *typed)
{
	struct nearest nearest = nearest_to(str_of(typed));
	char both[64];

	for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb))
		nearest_try(&nearest, verb->noun);
	/* "cirt list", "cirt search": the noun is missing. */
	if (!nearest.word) {
		for (const struct verb *verb = verb_next(NULL); verb && !nearest.word;
			verb = verb_next(verb)) {
			if (*verb->verb && str_equal(str_of(typed), str_of(verb->verb))) {
				snprintf(both, sizeof(both), "%s %s", verb->noun, verb->verb);
				nearest.word = both;
			}
		}
	}
	wrong_word(parser, _("cirt: there is no"), typed, nearest.word);
	buf_text(parser->complaint, _("`cirt help` lists what there is.\n"));
	return ARGS_WRONG;
}

static enum args_outcome unknown_verb(struct parser *parser, const char *noun, const char *typed)
{
	struct nearest nearest = nearest_to(str_of(typed));
	const char *between = "";

	for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb))
		if (!strcmp(verb->noun, noun))
			nearest_try(&nearest, verb->verb);
	buf_printf(parser->complaint, "cirt %s: ", noun);
	wrong_word(parser, _("there is no"), typed, nearest.word);
	buf_printf(parser->complaint, _("cirt %s can: "), noun);
	for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb)) {
		if (!strcmp(verb->noun, noun)) {
			buf_printf(parser->complaint, "%s%s", between, verb->verb);
			between = ", ";
		}
	}
	return wrong(parser);
}

static void start_verb(struct parser *parser, const struct verb *verb)
{
	parser->invocation->verb = verb;
	parser->arguments = str_of(verb->arguments);
}

/* A word in front of which no verb is known yet: the noun, then the verb. */
static enum args_outcome take_name(struct parser *parser, const char *word)
{
	struct invocation *invocation = parser->invocation;
	const struct verb *verb;

	if (!invocation->noun) {
		if (!is_noun(str_of(word)))
			return unknown_noun(parser, word);
		verb = verb_find(str_of(word), STR(""));
		if (verb)
			start_verb(parser, verb);
		invocation->noun = word;
		return ARGS_RUN;
	}
	verb = verb_find(str_of(invocation->noun), str_of(word));
	if (!verb)
		return unknown_verb(parser, invocation->noun, word);
	start_verb(parser, verb);
	return ARGS_RUN;
}

/* A noun that is a command by itself may have verbs too: their names go before its arguments. */
static bool take_verb_below(struct parser *parser, const char *word)
{
	const struct verb *verb = parser->invocation->verb;

	if (*verb->verb || !*word || parser->many || parser->arguments.p != verb->arguments)
		return false;
	verb = verb_find(str_of(verb->noun), str_of(word));
	if (verb)
		start_verb(parser, verb);
	return verb != NULL;
}

static const char *verb_title(const struct verb *verb, char title[64])
{
	snprintf(title, 64, "%s%s%s", verb->noun, *verb->verb ? " " : "", verb->verb);
	return title;
}

static enum args_outcome take_argument(struct parser *parser, const char *word)
{
	struct invocation *invocation = parser->invocation;
	struct json_object *value;
	char member[ARGS_MEMBER], title[64];
	struct str name;

	if (!utf8_valid(str_of(word)) && strcmp(invocation->verb->noun, "submit") != 0) {
		buf_printf(parser->complaint, _("cirt %s: an argument is not UTF-8"),
			verb_title(invocation->verb, title));
		return wrong(parser);
	}
	value = json_object_new_string(word);
	if (parser->many) {
		json_object_array_add(parser->many, value);
		return ARGS_RUN;
	}
	if (!str_split(&parser->arguments, ' ', &name) || name.len == 0) {
		json_object_put(value);
		buf_printf(parser->complaint, _("cirt %s: one argument too many: \"%s\""),
			verb_title(invocation->verb, title), word);
		return wrong(parser);
	}
	args_member(name, member);
	if (str_ends(name, STR("...")) || str_ends(name, STR("...]"))) {
		parser->many = json_object_new_array();
		json_object_array_add(parser->many, value);
		value = parser->many;
	}
	json_object_object_add(invocation->params, member, value);
	return ARGS_RUN;
}

/* "--case 2026-000412" of a verb that has CASE for an argument. */
static bool is_argument(const struct verb *verb, const char *typed)
{
	struct str rest = str_of(verb->arguments), name, word = str_of(typed + strspn(typed, "-"));
	char wanted[ARGS_MEMBER], have[ARGS_MEMBER];

	word.len = strcspn(word.p, "=");
	args_member(word, wanted);
	while (str_split(&rest, ' ', &name))
		if (name.len && !strcmp(args_member(name, have), wanted))
			return true;
	return false;
}

static enum args_outcome unknown_option(struct parser *parser, const char *typed)
{
	const struct verb *verb = parser->invocation->verb;
	struct nearest nearest = nearest_to(str_of(typed + strspn(typed, "-")));
	char title[64], suggestion[64];

	if (verb && is_argument(verb, typed)) {
		buf_printf(parser->complaint, _("cirt %s: %s is an argument and no option: cirt %s %s"),
			verb_title(verb, title), typed, title, verb->arguments);
		return wrong(parser);
	}

	for (const struct verb_option *option = args_common; option->name; option++)
		nearest_try(&nearest, option->name);
	for (const struct verb_option *option = verb ? verb->options : NULL; option && option->name; option++)
		nearest_try(&nearest, option->name);
	snprintf(suggestion, sizeof(suggestion), "--%s", nearest.word ? nearest.word : "");
	if (verb)
		buf_printf(parser->complaint, "cirt %s: ", verb_title(verb, title));
	else
		buf_text(parser->complaint, "cirt: ");
	wrong_word(parser, _("there is no option"), typed, nearest.word ? suggestion : NULL);
	if (verb)
		buf_printf(parser->complaint, _("`cirt %s --help` lists them.\n"), title);
	return ARGS_WRONG;
}

/* The value as the desk wants it: numbers as numbers, times as RFC 3339. NULL where it is none. */
static struct json_object *option_value(const struct verb_option *option, const char *text)
{
	char stamp[CLOCK_TEXT];
	uint64_t number;
	int64_t time;

	if (!strcmp(option->value, "N") || !strcmp(option->value, "SECONDS")) {
		if (!str_to_u64(str_of(text), &number) || number > INT32_MAX)
			return NULL;
		return json_object_new_int64((int64_t)number);
	}
	if (!strcmp(option->value, "WHEN")) {
		if (!when_parse(str_of(text), clock_now(), &time))
			return NULL;
		return json_object_new_string(clock_format(time, stamp));
	}
	if (!strcmp(option->value, "UNTIL")) {
		if (!when_ahead(str_of(text), clock_now(), &time))
			return NULL;
		return json_object_new_string(clock_format(time, stamp));
	}
	return utf8_valid(str_of(text)) ? json_object_new_string(text) : NULL;
}

static const char *expected_value(const struct verb_option *option, const char *text)
{
	bool is_when = !strcmp(option->value, "WHEN"), is_until = !strcmp(option->value, "UNTIL");

	if ((is_when || is_until) && when_is_skipped(str_of(text), clock_now()))
		return _("a time that there is: clocks go forward over this one");
	if (!strcmp(option->value, "N") || !strcmp(option->value, "SECONDS"))
		return _("a whole number");
	if (is_when)
		return _("a time: 2h, 3d, 2026-11-22, \"2026-11-22 14:30\", or RFC 3339");
	if (is_until)
		return _(
			"a time ahead: 2h, 3d, 14:00, \"tomorrow 09:00\", \"Fri 14:00\", a date or RFC 3339");
	return _("text in UTF-8");
}

static const char *next_word(struct parser *parser)
{
	return parser->at + 1 < parser->argc ? parser->argv[++parser->at] : NULL;
}

static enum args_outcome missing_value(struct parser *parser, const char *name, const char *value)
{
	buf_printf(parser->complaint, _("cirt: --%s needs a value: --%s %s"), name, name, value);
	return wrong(parser);
}

static enum args_outcome set_option(struct parser *parser, const struct verb_option *option, const char *text)
{
	char member[ARGS_MEMBER];
	struct json_object *value;

	if (!option->value) {
		if (text) {
			buf_printf(parser->complaint, _("cirt: --%s takes no value"), option->name);
			return wrong(parser);
		}
		value = json_object_new_boolean(true);
	} else {
		if (!text)
			text = next_word(parser);
		if (!text)
			return missing_value(parser, option->name, option->value);
		value = option_value(option, text);
		if (!value) {
			buf_printf(parser->complaint, _("cirt: --%s \"%s\": expected %s"), option->name, text,
				expected_value(option, text));
			return wrong(parser);
		}
	}
	json_object_object_add(parser->invocation->params, args_member(str_of(option->name), member), value);
	return ARGS_RUN;
}

static const struct verb_option *find_option(const struct verb *verb, struct str name)
{
	for (const struct verb_option *option = verb ? verb->options : NULL; option && option->name; option++)
		if (str_equal(name, str_of(option->name)))
			return option;
	return NULL;
}

static enum args_outcome take_word(struct parser *parser, const char *word);

/* The words that were saved, as if they had been typed here. */
static enum args_outcome take_saved(struct parser *parser, const char *name)
{
	struct invocation *invocation = parser->invocation;
	struct parser inner = *parser;
	struct buf text = {0};
	struct str rest, line;
	struct err err;
	char *words[SAVED_WORDS];

	if (!invocation->verb || !saved_read(invocation->verb, str_of(name), &text, &err)) {
		buf_printf(parser->complaint, "cirt: %s",
			invocation->verb ? err.text : _("--saved stands behind the verb"));
		buf_free(&text);
		return wrong(parser);
	}
	inner.argc = 0;
	inner.argv = words;
	if (!invocation->kept)
		invocation->kept = json_object_new_array();
	rest = buf_view(&text);
	while (str_split(&rest, '\n', &line) && line.len && inner.argc < SAVED_WORDS) {
		struct json_object *word = json_object_new_string_len(line.p, (int)line.len);
		json_object_array_add(invocation->kept, word);
		words[inner.argc++] = (char *)json_object_get_string(word);
	}
	buf_free(&text);
	enum args_outcome outcome = ARGS_RUN;
	for (inner.at = 0; inner.at < inner.argc && outcome == ARGS_RUN; inner.at++)
		outcome = take_word(&inner, words[inner.at]);
	parser->arguments = inner.arguments;
	parser->many = inner.many;
	return outcome;
}

/* Where the value of a common option goes; NULL for those that are more than a text to keep. */
static const char **common_value(struct invocation *invocation, const char *name)
{
	const struct {
		const char *name;
		const char **value;
	} places[] = {{"socket", &invocation->place.socket}, {"server", &invocation->place.server},
		{"certificate", &invocation->place.certificate}, {"key", &invocation->place.key},
		{"ca", &invocation->place.ca}, {"columns", &invocation->columns}, {"sort", &invocation->sort},
		{"save", &invocation->save}};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!strcmp(places[i].name, name))
			return places[i].value;
	return NULL;
}

static enum args_outcome take_common(
	struct parser *parser, const struct verb_option *option, const char *text)
{
	struct invocation *invocation = parser->invocation;
	const char **value = common_value(invocation, option->name);

	if (!option->value) {
		if (text) {
			buf_printf(parser->complaint, _("cirt: --%s takes no value"), option->name);
			return wrong(parser);
		}
		*(strcmp(option->name, "json") ? &invocation->help : &invocation->json) = true;
		return ARGS_RUN;
	}
	text = text ? text : next_word(parser);
	if (!text)
		return missing_value(parser, option->name, option->value);
	if (!value)
		return take_saved(parser, text);
	*value = text;
	return ARGS_RUN;
}

static const struct verb_option *common_option(struct str name)
{
	for (const struct verb_option *option = args_common; option->name; option++)
		if (str_equal(name, str_of(option->name)))
			return option;
	return NULL;
}

static enum args_outcome take_option(struct parser *parser, const char *word)
{
	struct invocation *invocation = parser->invocation;
	const char *equals = strchr(word, '=');
	struct str name = {word + 2, equals ? (size_t)(equals - word - 2) : strlen(word) - 2};
	const char *text = equals ? equals + 1 : NULL;
	const struct verb_option *option = find_option(invocation->verb, name);

	if (option)
		return set_option(parser, option, text);
	option = common_option(name);
	if (option)
		return take_common(parser, option, text);
	if (str_equal(name, STR("version")) && !text && !invocation->noun)
		return take_name(parser, "version");
	return unknown_option(parser, word);
}

/* "mail" and "mail show" are both verbs: the first word behind the noun says which, where it can. */
static bool names_verb(const struct parser *parser, const char *word)
{
	const struct invocation *invocation = parser->invocation;

	return !*invocation->verb->verb && !parser->options_ended &&
	       !json_object_object_length(invocation->params) &&
	       verb_find(str_of(invocation->noun), str_of(word));
}

static enum args_outcome take_word(struct parser *parser, const char *word)
{
	if (!parser->options_ended && word[0] == '-' && word[1]) {
		if (!strcmp(word, "--")) {
			parser->options_ended = true;
			return ARGS_RUN;
		}
		if (!strcmp(word, "-h")) {
			parser->invocation->help = true;
			return ARGS_RUN;
		}
		if (word[1] == '-')
			return take_option(parser, word);
		if (!strcmp(word, "-s") && parser->invocation->verb)
			return take_option(parser, "--severity");
		return unknown_option(parser, word);
	}
	if (!parser->invocation->verb || names_verb(parser, word))
		return take_name(parser, word);
	if (take_verb_below(parser, word))
		return ARGS_RUN;
	return take_argument(parser, word);
}

static enum args_outcome check_complete(struct parser *parser)
{
	const struct verb *verb = parser->invocation->verb;
	struct str name;
	char title[64];

	if (!verb || parser->invocation->help)
		return ARGS_RUN;
	if (!str_split(&parser->arguments, ' ', &name) || name.len == 0 || name.p[0] == '[')
		return ARGS_RUN;
	verb_title(verb, title);
	buf_printf(parser->complaint, _("cirt %s: %.*s is missing"), title, (int)name.len, name.p);
	buf_printf(parser->complaint, _("\nusage: cirt %s %s\nfor example: %s"), title, verb->arguments,
		verb->example);
	return wrong(parser);
}

/* What --save keeps: all behind the verb but what is of this call alone. */
static void keep_words(struct parser *parser, int from)
{
	static const char *const passing[] = {"--save", "--saved", "--json", "--cursor", "--socket",
		"--server", "--certificate", "--key", "--ca"};
	struct buf *words = &parser->invocation->words;

	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
		size_t len = strlen(passing[i]);
		const char *word = parser->argv[from];
		if (!strncmp(word, passing[i], len) && (!word[len] || word[len] == '='))
			return;
	}
	for (int i = from; i <= parser->at; i++)
		buf_printf(words, "%s\n", parser->argv[i]);
}

enum args_outcome args_parse(int argc, char **argv, struct invocation *invocation, struct buf *complaint)
{
	struct parser parser = {argc, argv, 1, invocation, complaint, STR_NONE, NULL, false};

	*invocation = (struct invocation){0};
	invocation->params = json_object_new_object();
	for (; parser.at < argc; parser.at++) {
		int from = parser.at;
		const struct verb *verb = invocation->verb;
		if (take_word(&parser, argv[from]) != ARGS_RUN)
			return ARGS_WRONG;
		if (verb)
			keep_words(&parser, from);
	}
	return check_complete(&parser);
}

void args_free(struct invocation *invocation)
{
	json_object_put(invocation->params);
	json_object_put(invocation->kept);
	buf_free(&invocation->words);
	*invocation = (struct invocation){0};
}
