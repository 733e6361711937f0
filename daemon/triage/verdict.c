#include "config.h"

#include "triage/verdict.h"

#include "model/storable.h"

static struct str kept(struct reading *reading, struct str text, size_t max)
{
	return arena_str(reading->arena, storable_text(text, max, reading->arena, NULL));
}

static bool known(const struct report *report, const struct verdict *verdict)
{
	for (size_t i = 0; i < report->verdict_count; i++) {
		const struct verdict *one = &report->verdicts[i];
		if (str_equal(one->rule, verdict->rule) && str_equal(one->part, verdict->part) &&
			str_equal(one->engine, verdict->engine) && str_equal(one->outcome, verdict->outcome))
			return true;
	}
	return false;
}

void verdict_add(struct reading *reading, struct report *report, const struct verdict *verdict)
{
	if (known(report, verdict))
		return;
	if (report->verdict_count == VERDICTS_MAX) {
		reading_note(
			reading, report, "more than %d rules match; the others are not kept", VERDICTS_MAX);
		return;
	}
	if (!report->verdicts)
		report->verdicts = arena_alloc(reading->arena, VERDICTS_MAX * sizeof(*report->verdicts));
	report->verdicts[report->verdict_count++] = (struct verdict){
		.engine = kept(reading, verdict->engine, MAX_IDENTIFIER),
		.rule = kept(reading, verdict->rule, MAX_TITLE),
		.set_digest = kept(reading, verdict->set_digest, SHA256_HEX),
		.part = kept(reading, verdict->part, MAX_TITLE),
		.outcome = kept(reading, verdict->outcome, MAX_TITLE),
	};
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
