/* The gate as the courier asks it: what the database says in text, and nothing where it says nothing. */
#include "config.h"

#include "unit.h"

#include "courier/permit.h"

enum { OF_TLP, OF_PAP, MAY, RESTRICTED, ALLOWED, RECIPIENT, EXERCISE, INSIDE, FORM, APPROVED, CONSISTENT };

static struct str flag(unsigned value)
{
	return value % 2 ? STR("t") : STR("f");
}

/* One of every combination, and what the gate itself says to it. */
static bool put_combination(unsigned n, struct str *values)
{
	struct gate_question question = {.tlp = (enum tlp)(TLP_CLEAR + n % 5),
		.pap = (enum pap)(PAP_CLEAR + n / 5 % 4),
		.may_notify_affected = n / 20 % 2,
		.restricted = n / 40 % 2,
		.released = (enum release_kind)(n / 80 % 3),
		.recipient = (enum recipient_kind)(n / 240 % 5),
		.exercise = n / 1200 % 2,
		.in_directory = n / 2400 % 2};
	enum disclosure_form form = (enum disclosure_form)(n / 4800 % 2);
	const char *why;

	values[OF_TLP] = str_of(tlp_name(question.tlp));
	values[OF_PAP] = str_of(pap_name(question.pap));
	values[MAY] = flag(question.may_notify_affected);
	values[RESTRICTED] = flag(question.restricted);
	values[ALLOWED] = str_of(release_kind_name(question.released));
	values[RECIPIENT] = str_of(recipient_kind_name(question.recipient));
	values[EXERCISE] = flag(question.exercise);
	values[INSIDE] = flag(question.in_directory);
	values[FORM] = str_of(disclosure_form_name(form));
	values[APPROVED] = flag(n / 9600);
	values[CONSISTENT] = flag(1);
	return gate_lets(gate_decide(&question, &why), form, n / 9600 % 2);
}

#define COMBINATIONS 19200

static void test_every_combination_is_as_the_gate_says(void **state)
{
	struct str values[PERMIT_COLUMN_COUNT];
	size_t out = 0;

	(void)state;
	for (unsigned n = 0; n < COMBINATIONS; n++) {
		bool lets = put_combination(n, values);
		struct err err = {0};

		assert_int_equal(permit_values(values, &err), lets);
		assert_int_equal(err.text[0] != 0, !lets);
		out += lets;
	}
	assert_in_range(out, 1, COMBINATIONS - 1);
}

static void test_what_is_not_said_lets_nothing_out(void **state)
{
	static const struct str bad[] = {{NULL, 0}, {"", 0}, {"maybe", 5}, {"t ", 2}};
	struct str values[PERMIT_COLUMN_COUNT];
	struct err err;

	(void)state;
	/* TLP:CLEAR, to the affected, in full: nothing speaks against it. */
	assert_true(put_combination(20 + 240, values) && permit_values(values, &err));
	for (unsigned column = 0; column < PERMIT_COLUMN_COUNT; column++)
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			put_combination(20 + 240, values);
			values[column] = bad[i];
			assert_false(permit_values(values, &err));
		}
}

static void test_what_was_put_there_for_another_mail_stays(void **state)
{
	struct str values[PERMIT_COLUMN_COUNT];
	struct err err;

	(void)state;
	put_combination(20 + 240, values);
	values[CONSISTENT] = flag(0);
	assert_false(permit_values(values, &err));
	assert_non_null(strstr(err.text, "another recipient"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_combination_is_as_the_gate_says),
		cmocka_unit_test(test_what_is_not_said_lets_nothing_out),
		cmocka_unit_test(test_what_was_put_there_for_another_mail_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
