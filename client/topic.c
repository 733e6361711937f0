#include "config.h"

#include "client/topic.h"

#include <ctype.h>

#include "client/args.h"
#include "client/i18n.h"

static bool same_folded(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (tolower((unsigned char)a.p[i]) != tolower((unsigned char)b.p[i]))
			return false;
	return true;
}

/* How well a topic fits what was said: two for each of its words, one for each that is nearly one. */
static unsigned fitness(const struct topic *topic, struct str said)
{
	struct str word;
	unsigned fit = 0;

	while (str_split(&said, ' ', &word)) {
		struct str rest = str_of(topic->words), own;
		unsigned best = 0;
		while (word.len && str_split(&rest, ' ', &own)) {
			if (same_folded(word, own))
				best = 2;
			else if (!best && word.len > 3 && args_distance(word, own, 1) <= 1)
				best = 1;
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
	unsigned best = 0;

	for (const struct topic *topic = topics; topic->words; topic++) {
		unsigned fit = fitness(topic, said);
		best = fit > best ? fit : best;
	}
	for (const struct topic *topic = topics; best && topic->words; topic++)
		if (fitness(topic, said) == best)
			show(screen, topic);
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
