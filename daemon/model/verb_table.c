#include "config.h"

#include "model/verb_table.h"

#include "base/mem.h"

/* In the order of the help. */
static const struct verb *const subjects[] = {
	verbs_today,
	verbs_inbox,
	verbs_report,
	verbs_evidence,
	verbs_case,
	verbs_mail,
	verbs_clock,
	verbs_work,
	verbs_source,
	verbs_register,
	verbs_notice,
	verbs_operator,
	verbs_service,
};

const struct verb *verb_next(const struct verb *verb)
{
	if (!verb)
		return subjects[0];
	if (verb[1].noun)
		return verb + 1;
	for (size_t i = 0; i + 1 < ARRAY_LEN(subjects); i++) {
		const struct verb *row = subjects[i];
		while (row->noun && row != verb)
			row++;
		if (row == verb)
			return subjects[i + 1];
	}
	return NULL;
}

const struct verb *verb_find(struct str noun, struct str verb)
{
	for (const struct verb *row = verb_next(NULL); row; row = verb_next(row)) {
		if (str_equal(noun, str_of(row->noun)) && str_equal(verb, str_of(row->verb)))
			return row;
	}
	return NULL;
}
