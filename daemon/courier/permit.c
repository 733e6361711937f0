#include "config.h"

#include "courier/permit.h"

/* As PERMIT_COLUMNS has them. */
enum column {
	OF_TLP,
	OF_PAP,
	MAY_NOTIFY,
	RESTRICTED,
	ALLOWED,
	RECIPIENT,
	EXERCISE,
	IN_DIRECTORY,
	FORM,
	APPROVED,
	CONSISTENT
};

static bool truth(struct str value, bool *is)
{
	*is = str_equal(value, STR("t"));
	return *is || str_equal(value, STR("f"));
}

static bool read_question(
	const struct str *values, struct gate_question *question, enum disclosure_form *form, bool *approved)
{
	return tlp_parse(values[OF_TLP], &question->tlp) && pap_parse(values[OF_PAP], &question->pap) &&
	       truth(values[MAY_NOTIFY], &question->may_notify_affected) &&
	       truth(values[RESTRICTED], &question->restricted) &&
	       release_kind_parse(values[ALLOWED], &question->released) &&
	       recipient_kind_parse(values[RECIPIENT], &question->recipient) &&
	       truth(values[EXERCISE], &question->exercise) &&
	       truth(values[IN_DIRECTORY], &question->in_directory) &&
	       disclosure_form_parse(values[FORM], form) && truth(values[APPROVED], approved);
}

bool permit_values(const struct str *values, struct err *err)
{
	struct gate_question question = {0};
	enum disclosure_form form;
	enum gate_verdict verdict;
	bool approved, consistent;
	const char *why;

	if (!read_question(values, &question, &form, &approved))
		return err_set(err, ERR_DENIED,
			"what there is to know of it is not known: TLP, PAP, source, recipient and form were "
			"expected");
	verdict = gate_decide(&question, &why);
	if (!gate_lets(verdict, form, approved))
		return err_set(err, ERR_DENIED, "%s (%s, TLP %s, %s form)", why, gate_verdict_name(verdict),
			tlp_name(question.tlp), disclosure_form_name(form));
	if (!truth(values[CONSISTENT], &consistent) || !consistent)
		return err_set(err, ERR_DENIED,
			"it was put there for another recipient, form, exercise or TLP than the mail has, or "
			"is "
			"another's now");
	return true;
}

bool permit_row(const struct pg_result *result, int row, int first, struct err *err)
{
	struct str values[PERMIT_COLUMN_COUNT];

	for (int i = 0; i < PERMIT_COLUMN_COUNT; i++)
		values[i] = pg_value(result, row, first + i);
	return permit_values(values, err);
}
