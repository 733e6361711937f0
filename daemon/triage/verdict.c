#include "config.h"

#include "triage/verdict.h"

#include "model/storable.h"

static struct str kept(struct reading *reading, struct str text, size_t max)
{
	return arena_str(reading->arena, storable_text(text, max, reading->arena, NULL));
}

static bool unclassified(enum rsit_type type)
{
	return type == RSIT_NONE || strcmp(rsit_class(type), "other") == 0;
}

static void text_take(struct reading *reading, struct str *member, const char *text, size_t max)
{
	if (text && member->len == 0)
		*member = kept(reading, str_of(text), max);
}

void steering_hear(struct steering *steering, const struct rule_match *match)
{
	const struct rule_match *best = &steering->best;
	enum tlp tlp;

	if (match->tlp && tlp_parse(str_of(match->tlp), &tlp) && tlp > steering->tlp)
		steering->tlp = tlp;
	if (!steering->heard || match->confidence > steering->confidence)
		steering->confidence = match->confidence;
	if (!steering->heard || match->severity > steering->severity)
		steering->severity = match->severity;
	if (!steering->heard || (match->classification && !best->classification) ||
		(match->severity > best->severity && (match->classification || !best->classification)))
		steering->best = *match;
	steering->heard = true;
}

void steering_apply(const struct steering *steering, struct reading *reading, struct report *report)
{
	const struct rule_match *best = &steering->best;
	enum rsit_type type;

	if (!steering->heard)
		return;
	if (steering->severity > report->severity)
		report->severity = steering->severity;
	if (steering->confidence > report->confidence)
		report->confidence = steering->confidence;
	/* What the source says by default is known in the store only, which takes the stricter of both. */
	if (steering->tlp > report->rule_tlp)
		report->rule_tlp = steering->tlp;
	if (unclassified(report->type) && best->classification &&
		rsit_parse(str_of(best->classification), &type))
		report->type = type;
	text_take(reading, &report->identifier, best->identifier, MAX_IDENTIFIER);
	text_take(reading, &report->malware, best->malware, MAX_IDENTIFIER);
	text_take(reading, &report->title, best->title, MAX_TITLE);
}
