#ifndef TRIAGE_VERDICT_H
#define TRIAGE_VERDICT_H

#include "triage/rule_set.h"
#include "wire/reading.h"

/*
 * What the rules that matched an item have to say, heard first and applied once. Severity and confidence only
 * rise, TLP only gets stricter (unstated counts as AMBER). Classification, identifier, malware and title are
 * taken where the sender said none, from the most severe rule that has a classification.
 */
struct steering {
	bool heard;
	int severity;
	int confidence;
	enum tlp tlp;
	struct rule_match best;
};

void steering_hear(struct steering *steering, const struct rule_match *match);
void steering_apply(const struct steering *steering, struct reading *reading, struct report *report);

#endif
