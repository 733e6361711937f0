#include "config.h"

#include "client/topic.h"

#include <ctype.h>

#include "client/args.h"
#include "client/i18n.h"

#define SHOWN_MAX 3 /* situations at once: more is no answer */

static bool same_folded(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (tolower((unsigned char)a.p[i]) != tolower((unsigned char)b.p[i]))
			return false;
	return true;
}

/* "closed" and "close", "cases" and "case". */
static bool same_stem(struct str a, struct str b)
{
	struct str less = a.len < b.len ? a : b, more = a.len < b.len ? b : a;

	return less.len >= 4 && more.len - less.len <= 3 && same_folded(less, (struct str){more.p, less.len});
}

/* How well two words fit. Short ones are too near to each other for mistakes: "case" is not "came". */
static unsigned word_fitness(struct str said, struct str own)
{
	if (same_folded(said, own))
		return 4;
	if (same_stem(said, own))
		return 3;
	return said.len >= 5 && own.len >= 5 && args_distance(said, own, 1) <= 1 ? 2 : 0;
}

/* How well a topic fits what was said: by each of its words. */
static unsigned fitness(const struct topic *topic, struct str said)
{
	struct str word;
	unsigned fit = 0;

	while (str_split(&said, ' ', &word)) {
		struct str rest = str_of(topic->words), own;
		unsigned best = 0;
		while (word.len && str_split(&rest, ' ', &own)) {
			unsigned one = word_fitness(word, own);
			best = one > best ? one : best;
		}
		fit += best;
	}
	return fit;
}

static void show(struct screen *screen, const struct topic *topic)
{
	screen_heading(screen, _(topic->title));
	for (const struct topic_step *step = topic->steps; step->command; step++)
		screen_printf(screen, "  %s\n      %s\n", step->command, _(step->why));
}

bool topic_show(struct screen *screen, struct str said)
{
	unsigned best = 0, shown = 0;

	for (const struct topic *topic = topics; topic->words; topic++) {
		unsigned fit = fitness(topic, said);
		best = fit > best ? fit : best;
	}
	for (const struct topic *topic = topics; best && topic->words && shown < SHOWN_MAX; topic++) {
		if (fitness(topic, said) != best)
			continue;
		show(screen, topic);
		shown++;
	}
	return best > 0;
}

void topic_list(struct screen *screen)
{
	struct str rest, first;

	for (const struct topic *topic = topics; topic->words; topic++) {
		rest = str_of(topic->words);
		str_split(&rest, ' ', &first);
		screen_printf(
			screen, "  cirt help task %-12.*s %s\n", (int)first.len, first.p, _(topic->title));
	}
}

void topic_each(const void *context, void (*each)(const void *context, struct str word, const char *title))
{
	struct str rest, first;

	for (const struct topic *topic = topics; topic->words; topic++) {
		rest = str_of(topic->words);
		str_split(&rest, ' ', &first);
		each(context, first, _(topic->title));
	}
}
