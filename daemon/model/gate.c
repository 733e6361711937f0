#include "config.h"

#include "model/gate.h"

#include "base/mem.h"

#define BIT(value) (1u << (unsigned)(value))
#define ANY        (~0u)
#define STRICT     (BIT(TLP_AMBER_STRICT) | BIT(TLP_RED))
#define ANY_TLP    (BIT(TLP_CLEAR) | BIT(TLP_GREEN) | BIT(TLP_AMBER))

/* What else a row asks of a report. */
enum condition {
	ALWAYS,
	OUTSIDE_DRILL, /* a drill's, and the address is not in its directory */
	BY_SOURCE      /* the source keeps it from others */
};

/* The first row that fits decides; masks are of the enums' values. */
static const struct gate_row {
	unsigned tlp;
	unsigned pap;
	unsigned released;
	unsigned recipient;
	enum condition condition;
	enum gate_verdict verdict;
	const char *why;
} rows[] = {
	{ANY, ANY, ANY, ANY, OUTSIDE_DRILL, GATE_REFUSE, "an exercise goes nowhere but to its own directory"},
	{ANY, ANY, ANY, BIT(RECIPIENT_SOURCE), ALWAYS, GATE_ALLOW, "it is the source's own"},
	{ANY, BIT(PAP_RED), ANY, BIT(RECIPIENT_PROVIDER), ALWAYS, GATE_REFUSE,
		"PAP:RED: whoever runs the infrastructure must not learn of it"},
	{ANY, ANY, BIT(RELEASE_FULL), ANY, ALWAYS, GATE_ALLOW, "the source has released it"},
	{ANY, ANY, BIT(RELEASE_SANITISED), ANY, ALWAYS, GATE_SANITISE,
		"the source has released it in the sanitised form"},
	{ANY, ANY, ANY, ANY, BY_SOURCE, GATE_ASK, "the source wants to be asked before anybody is told"},
	{STRICT, ANY, ANY, BIT(RECIPIENT_AFFECTED), ALWAYS, GATE_SANITISE,
		"stricter than TLP:AMBER: the affected are warned in the sanitised form"},
	{STRICT, ANY, ANY, ANY, ALWAYS, GATE_ASK, "stricter than TLP:AMBER: the source must be asked"},
	{ANY, BIT(PAP_AMBER), ANY, BIT(RECIPIENT_PROVIDER), ALWAYS, GATE_APPROVE,
		"PAP:AMBER: telling whoever runs the infrastructure takes two people"},
	{BIT(TLP_AMBER), ANY, ANY, BIT(RECIPIENT_FOREIGN), ALWAYS, GATE_APPROVE,
		"TLP:AMBER abroad takes two people"},
	{BIT(TLP_AMBER) | BIT(TLP_GREEN), ANY, ANY, BIT(RECIPIENT_PROVIDER), ALWAYS, GATE_SANITISE,
		"a provider is none of those whom TLP:GREEN and AMBER name: sanitised"},
	{ANY_TLP, ANY, ANY, ANY, ALWAYS, GATE_ALLOW, "its TLP lets it"},
};

static bool holds(const struct gate_question *question, enum condition condition)
{
	switch (condition) {
	case ALWAYS:
		return true;
	case OUTSIDE_DRILL:
		return question->exercise && !question->in_directory;
	case BY_SOURCE:
		return question->restricted || !question->may_notify_affected;
	}
	return false;
}

enum gate_verdict gate_decide(const struct gate_question *question, const char **why)
{
	unsigned tlp = BIT(question->tlp == TLP_UNSTATED ? TLP_AMBER : question->tlp);
	unsigned pap = BIT(question->pap == PAP_UNSTATED ? PAP_AMBER : question->pap);

	if (question->tlp <= TLP_RED && question->pap <= PAP_RED && question->released < RELEASE_KINDS &&
		question->recipient < RECIPIENT_KINDS)
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			if (rows[i].tlp & tlp && rows[i].pap & pap &&
				rows[i].released & BIT(question->released) &&
				rows[i].recipient & BIT(question->recipient) &&
				holds(question, rows[i].condition)) {
				*why = rows[i].why;
				return rows[i].verdict;
			}
	*why = "nothing says that it may be told";
	return GATE_REFUSE;
}

bool gate_lets(enum gate_verdict verdict, enum disclosure_form form, bool approved)
{
	return verdict == GATE_ALLOW || (verdict == GATE_SANITISE && form == FORM_SANITISED) ||
	       (verdict == GATE_APPROVE && approved);
}

static const char *const recipients[RECIPIENT_KINDS] = {
	[RECIPIENT_SOURCE] = "source",
	[RECIPIENT_AFFECTED] = "affected",
	[RECIPIENT_SECTOR] = "sector",
	[RECIPIENT_FOREIGN] = "foreign",
	[RECIPIENT_PROVIDER] = "provider",
};
static const char *const forms[DISCLOSURE_FORMS] = {[FORM_FULL] = "full", [FORM_SANITISED] = "sanitised"};
static const char *const releases[RELEASE_KINDS] = {
	[RELEASE_NONE] = "none", [RELEASE_SANITISED] = "sanitised", [RELEASE_FULL] = "full"};
static const char *const verdicts[GATE_VERDICTS] = {
	[GATE_ALLOW] = "allow",
	[GATE_SANITISE] = "sanitise",
	[GATE_APPROVE] = "approve",
	[GATE_ASK] = "ask",
	[GATE_REFUSE] = "refuse",
};

static bool find(const char *const *names, unsigned count, struct str text, unsigned *found)
{
	for (*found = 0; *found < count; (*found)++)
		if (str_equal(text, str_of(names[*found])))
			return true;
	return false;
}

const char *recipient_kind_name(enum recipient_kind kind)
{
	return kind < RECIPIENT_KINDS ? recipients[kind] : NULL;
}

const char *disclosure_form_name(enum disclosure_form form)
{
	return form < DISCLOSURE_FORMS ? forms[form] : NULL;
}

const char *release_kind_name(enum release_kind kind)
{
	return kind < RELEASE_KINDS ? releases[kind] : NULL;
}

const char *gate_verdict_name(enum gate_verdict verdict)
{
	return verdict < GATE_VERDICTS ? verdicts[verdict] : NULL;
}

bool recipient_kind_parse(struct str text, enum recipient_kind *kind)
{
	unsigned found;
	bool ok = find(recipients, RECIPIENT_KINDS, text, &found);
	if (ok)
		*kind = (enum recipient_kind)found;
	return ok;
}

bool disclosure_form_parse(struct str text, enum disclosure_form *form)
{
	unsigned found;
	bool ok = find(forms, DISCLOSURE_FORMS, text, &found);
	if (ok)
		*form = (enum disclosure_form)found;
	return ok;
}

bool release_kind_parse(struct str text, enum release_kind *kind)
{
	unsigned found;
	bool ok = find(releases, RELEASE_KINDS, text, &found);
	if (ok)
		*kind = (enum release_kind)found;
	return ok;
}
