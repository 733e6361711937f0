/*
 * A plugin to start from: looks for the words of a list in the text of reports and in decoded parts, and tags
 * what has one.
 *
 *     triage { plugins = { "sample" } }
 *     plugin sample { words = "invoice, wire transfer"  tag = "money" }
 *
 * Build it outside this tree with
 *
 *     cc -std=gnu11 -O2 -fPIC -shared -I/usr/include/cirtd -o sample.so sample.c
 *
 * and put sample.so into the folder that triage.plugin_dir names.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The only header of the daemon that a plugin includes. */
#include "cirt_plugin.h"

#define WORDS_MAX 64

/* All that the plugin keeps: made by init(), given to each hook, freed by fini(). There are no threads. */
struct sample {
	char *list; /* a copy of the option, cut at its commas */
	const char *words[WORDS_MAX];
	size_t count;
	const char *tag; /* the host keeps options for the life of the plugin */
};

/* What may stand in `plugin sample { … }`; anything else is refused with the line. */
static const struct cirt_plugin_option options[] = {
	{"words", "words to look for, separated by commas", 0},
	{"tag", "the tag to give (default \"sample\")", 0},
	{NULL, NULL, 0},
};

/* Runs before the sandbox is entered. Anything but 0 keeps the plugin from being used; error says why. */
static int init(const struct cirt_api *api, struct cirt_host *host, void **state, char *error, size_t size)
{
	const char *words = api->option(host, "words");
	struct sample *sample = calloc(1, sizeof(*sample));
	char *rest = NULL;

	if (!sample || !words || !(sample->list = strdup(words))) {
		strncpy(error, "option words: expected words, separated by commas", size - 1);
		free(sample);
		return -1;
	}
	for (char *word = strtok_r(sample->list, ",", &rest); word && sample->count < WORDS_MAX;
		word = strtok_r(NULL, ",", &rest))
		sample->words[sample->count++] = word + strspn(word, " ");
	sample->tag = api->option(host, "tag");
	if (!sample->tag)
		sample->tag = "sample";
	*state = sample;
	return 0;
}

static void fini(void *state)
{
	struct sample *sample = state;

	free(sample->list);
	free(sample);
}

/* Text from outside: it has a length and no NUL at its end. */
static int holds(const char *text, size_t len, const char *word)
{
	size_t word_len = strlen(word);

	for (size_t i = 0; word_len > 0 && i + word_len <= len; i++)
		if (strncasecmp(text + i, word, word_len) == 0)
			return 1;
	return 0;
}

/*
 * Runs inside the sandbox, under the CPU and wall clock limits of the item: no files, no network. Called once
 * per report (CIRT_STAGE_ITEM) and once per decoded part (CIRT_STAGE_PART), as `stages` asks for.
 */
static int hook(const struct cirt_api *api, struct cirt_item *item, enum cirt_stage stage, void *state)
{
	const struct sample *sample = state;
	const char *name, *media_type, *text;
	size_t len = 0;

	if (stage == CIRT_STAGE_PART)
		text = api->part(item, &name, &media_type, &len);
	else
		text = api->text(item, &len);
	for (size_t i = 0; text && i < sample->count; i++) {
		if (!holds(text, len, sample->words[i]))
			continue;
		api->add_tag(item, sample->tag);
		api->add_verdict(item, sample->words[i], "found");
	}
	return 0;
}

CIRT_PLUGIN_EXPORT(sample) = {
	.abi = CIRT_PLUGIN_ABI,
	.name = "sample",
	.version = "1",
	.summary = "tags what has a word of a list (an example)",
	.stages = CIRT_STAGE_ITEM | CIRT_STAGE_PART,
	.options = options,
	.init = init,
	.fini = fini,
	.hook = hook,
};
