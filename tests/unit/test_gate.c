#include "unit.h"

#include "model/gate.h"

static const struct gate_question plain = {
	.tlp = TLP_GREEN,
	.pap = PAP_CLEAR,
	.may_notify_affected = true,
	.recipient = RECIPIENT_AFFECTED,
};

static enum gate_verdict decide(struct gate_question question)
{
	const char *why = NULL;
	enum gate_verdict verdict = gate_decide(&question, &why);
	assert_non_null(why);
	return verdict;
}

static void test_each_tlp_to_each_recipient(void **state)
{
	static const enum gate_verdict expected[][RECIPIENT_KINDS] = {
		/* source, affected, sector, foreign, provider */
		[TLP_UNSTATED] = {GATE_ALLOW, GATE_ALLOW, GATE_ALLOW, GATE_APPROVE, GATE_SANITISE},
		[TLP_CLEAR] = {GATE_ALLOW, GATE_ALLOW, GATE_ALLOW, GATE_ALLOW, GATE_ALLOW},
		[TLP_GREEN] = {GATE_ALLOW, GATE_ALLOW, GATE_ALLOW, GATE_ALLOW, GATE_SANITISE},
		[TLP_AMBER] = {GATE_ALLOW, GATE_ALLOW, GATE_ALLOW, GATE_APPROVE, GATE_SANITISE},
		[TLP_AMBER_STRICT] = {GATE_ALLOW, GATE_SANITISE, GATE_ASK, GATE_ASK, GATE_ASK},
		[TLP_RED] = {GATE_ALLOW, GATE_SANITISE, GATE_ASK, GATE_ASK, GATE_ASK},
	};

	(void)state;
	for (unsigned tlp = TLP_UNSTATED; tlp <= TLP_RED; tlp++)
		for (unsigned kind = 0; kind < RECIPIENT_KINDS; kind++) {
			struct gate_question question = plain;
			question.tlp = (enum tlp)tlp;
			question.recipient = (enum recipient_kind)kind;
			assert_int_equal(decide(question), expected[tlp][kind]);
		}
}

/* A source that wants to be asked is asked whatever the TLP, and what it says holds. */
static void test_the_source_is_asked_first(void **state)
{
	(void)state;
	for (unsigned tlp = TLP_UNSTATED; tlp <= TLP_RED; tlp++)
		for (int restricted = 0; restricted < 2; restricted++) {
			struct gate_question question = plain;
			question.tlp = (enum tlp)tlp;
			question.restricted = restricted;
			question.may_notify_affected = restricted;
			assert_int_equal(decide(question), GATE_ASK);
			question.released = RELEASE_SANITISED;
			assert_int_equal(decide(question), GATE_SANITISE);
			question.released = RELEASE_FULL;
			assert_int_equal(decide(question), GATE_ALLOW);
		}
}

static void test_pap_keeps_infrastructure_in_the_dark(void **state)
{
	struct gate_question question = plain;

	(void)state;
	question.tlp = TLP_CLEAR;
	question.recipient = RECIPIENT_PROVIDER;
	question.pap = PAP_AMBER;
	assert_int_equal(decide(question), GATE_APPROVE);
	question.pap = PAP_UNSTATED;
	assert_int_equal(decide(question), GATE_APPROVE);
	question.pap = PAP_RED;
	question.released = RELEASE_FULL;
	assert_int_equal(decide(question), GATE_REFUSE);
	question.recipient = RECIPIENT_AFFECTED;
	assert_int_equal(decide(question), GATE_ALLOW);
}

static void test_a_drill_stays_in_its_directory(void **state)
{
	struct gate_question question = plain;

	(void)state;
	question.tlp = TLP_CLEAR;
	question.exercise = true;
	question.released = RELEASE_FULL;
	for (unsigned kind = 0; kind < RECIPIENT_KINDS; kind++) {
		question.recipient = (enum recipient_kind)kind;
		question.in_directory = false;
		assert_int_equal(decide(question), GATE_REFUSE);
		question.in_directory = true;
		assert_int_equal(decide(question), GATE_ALLOW);
	}
}

static void test_what_it_does_not_know_is_refused(void **state)
{
	struct gate_question question = plain;

	(void)state;
	question.tlp = (enum tlp)(TLP_RED + 1);
	assert_int_equal(decide(question), GATE_REFUSE);
	question = plain;
	question.pap = (enum pap)(PAP_RED + 1);
	assert_int_equal(decide(question), GATE_REFUSE);
	question = plain;
	question.released = RELEASE_KINDS;
	assert_int_equal(decide(question), GATE_REFUSE);
	question = plain;
	question.recipient = RECIPIENT_KINDS;
	assert_int_equal(decide(question), GATE_REFUSE);
	for (unsigned verdict = 0; verdict <= GATE_VERDICTS; verdict++)
		assert_int_equal(
			gate_lets((enum gate_verdict)verdict, FORM_FULL, false), verdict == GATE_ALLOW);
	assert_true(gate_lets(GATE_SANITISE, FORM_SANITISED, false));
	assert_true(gate_lets(GATE_APPROVE, FORM_FULL, true));
	assert_false(gate_lets(GATE_SANITISE, FORM_FULL, true));
	assert_false(gate_lets(GATE_ASK, FORM_SANITISED, true));
}

static void test_words_are_read_back(void **state)
{
	enum recipient_kind kind;
	enum disclosure_form form;
	enum release_kind released;

	(void)state;
	for (unsigned i = 0; i < RECIPIENT_KINDS; i++) {
		assert_true(recipient_kind_parse(str_of(recipient_kind_name((enum recipient_kind)i)), &kind));
		assert_int_equal(kind, i);
	}
	for (unsigned i = 0; i < DISCLOSURE_FORMS; i++) {
		assert_true(
			disclosure_form_parse(str_of(disclosure_form_name((enum disclosure_form)i)), &form));
		assert_int_equal(form, i);
	}
	for (unsigned i = 0; i < RELEASE_KINDS; i++) {
		assert_true(release_kind_parse(str_of(release_kind_name((enum release_kind)i)), &released));
		assert_int_equal(released, i);
	}
	assert_false(recipient_kind_parse(STR("everybody"), &kind));
	assert_null(gate_verdict_name(GATE_VERDICTS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_tlp_to_each_recipient),
		cmocka_unit_test(test_the_source_is_asked_first),
		cmocka_unit_test(test_pap_keeps_infrastructure_in_the_dark),
		cmocka_unit_test(test_a_drill_stays_in_its_directory),
		cmocka_unit_test(test_what_it_does_not_know_is_refused),
		cmocka_unit_test(test_words_are_read_back),
	};
	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
