#include "config.h"

#include "plugin_bench.h"

/* The digests that the plugin adds; what is made of them is tested in similar.sql. */

#define LETTER                                                                                              \
	"Dear customer, your account was suspended because we could not verify your last payment. Please "  \
	"follow "                                                                                           \
	"the link below and confirm your name, your card and the code that was sent to your telephone, or " \
	"the "                                                                                              \
	"account will be closed for good and all of your savings will be frozen by our security "           \
	"department. "

static void load(struct bench *bench)
{
	bench->plugin = "similar";
	bench_load(bench);
	assert_int_equal(plugin_host_count(bench->host), 1);
}

/* The text's digest; "" where it has none. */
static const char *text_digest(struct bench *bench, const char *text)
{
	struct report *report = bench_report(bench);

	report->text = str_of(text);
	bench_item(bench);
	if (report->similarity_count == 0)
		return "";
	assert_int_equal(report->similarities[0].kind, SIMILARITY_TEXT);
	assert_int_equal(report->similarities[0].part.len, 0);
	return report->similarities[0].digest.p;
}

static unsigned equal_bytes(const char *a, const char *b)
{
	unsigned equal = 0;

	assert_int_equal(strlen(a), 128);
	assert_int_equal(strlen(b), 128);
	for (size_t i = 0; i < 128; i += 2)
		equal += a[i] == b[i] && a[i + 1] == b[i + 1];
	return equal;
}

static unsigned compare(struct bench *bench, const char *a, const char *b)
{
	char kept[129];

	snprintf(kept, sizeof(kept), "%s", text_digest(bench, a));
	return equal_bytes(kept, text_digest(bench, b));
}

static void test_a_changed_word_changes_little(void **state)
{
	struct bench bench = {0};
	unsigned equal;

	(void)state;
	load(&bench);
	assert_int_equal(compare(&bench, LETTER, LETTER), 64);
	equal = compare(&bench, LETTER,
		"Dear Jane Doe, your account was suspended because we could not verify your "
		"last payment. Please follow the link below and confirm your name, your card and the code "
		"that was sent "
		"to your telephone, or the account will be closed for good and all of your savings will be "
		"frozen by our "
		"security department. ");
	assert_true(equal >= 48 && equal < 64);
	equal = compare(&bench, LETTER,
		"The weather will be fair tomorrow with some clouds over the western hills and a light wind "
		"from the "
		"sea; towards evening rain may fall in the north, while the south stays dry and rather warm "
		"for this time "
		"of the year, so that farmers can bring in what is left of the hay before the week ends.");
	assert_true(equal <= 6);
	bench_close(&bench);
}

static void test_case_breaks_and_numbers_make_no_difference(void **state)
{
	struct bench bench = {0};

	(void)state;
	load(&bench);
	assert_int_equal(
		compare(&bench,
			"ticket 4711: the parcel with number RR123456789 could not be delivered to you today "
			"because the fee of 2.99 was not paid before the truck left our depot in the morning "
			"hours",
			"Ticket 9 -\n THE PARCEL with number RR000000001, could not be delivered to you "
			"today "
			"because the fee of 17.50 was not paid\r\nbefore the truck left our depot in the "
			"morning hours!"),
		64);
	bench_close(&bench);
}

/* Digests of months ago are compared with those of today. */
static void test_digests_stay_what_they_are(void **state)
{
	struct bench bench = {0};

	(void)state;
	load(&bench);
	assert_string_equal(text_digest(&bench, LETTER),
		"4df3a2a2bc5b7c5da553745d51b89a3b7c29bc75dedbda239bfa77bfd716f198"
		"365b667af6701264154484ec69c39dc4c4549c154493f1ae6df4ec0bae489863");
	bench_close(&bench);
}

static void test_short_texts_have_none(void **state)
{
	struct bench bench = {0};

	(void)state;
	load(&bench);
	assert_string_equal(text_digest(&bench, ""), "");
	assert_string_equal(text_digest(&bench, "thank you very much for your answer"), "");
	assert_string_equal(
		text_digest(&bench, "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a"), "");
	assert_string_equal(text_digest(&bench, "\xff\x80 \xc3 . . ."), "");
	bench_close(&bench);
}

static struct part part_of(const char *media_type, struct str bytes)
{
	return (struct part){
		.scopes = PART_FILE, .name = STR("a.bin"), .media_type = str_of(media_type), .bytes = bytes};
}

static void test_attachments_have_their_ssdeep(void **state)
{
	static char bytes[60000];
	struct bench bench = {0};
	uint32_t value = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		value = value * 1664525 + 1013904223;
		bytes[i] = (char)(value >> 24);
	}
	load(&bench);
	struct report *report = bench_report(&bench);
	struct part part = part_of("application/pdf", (struct str){bytes, sizeof(bytes)});
	bench_part(&bench, &part);
	assert_int_equal(report->similarity_count, 1);
	assert_int_equal(report->similarities[0].kind, SIMILARITY_FILE);
	assert_true(str_equal(report->similarities[0].part, STR("a.bin")));
	assert_true(str_starts(report->similarities[0].digest, STR("1536:")));
	bench_close(&bench);
}

static void test_other_parts_have_none(void **state)
{
	static const char *const others[] = {"text/html", "image/png", "message/rfc822", "application/json"};
	char bytes[600];
	struct bench bench = {0};

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	load(&bench);
	struct report *report = bench_report(&bench);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct part part = part_of(others[i], (struct str){bytes, sizeof(bytes)});
		bench_part(&bench, &part);
	}
	struct part small = part_of("application/pdf", (struct str){bytes, 511});
	bench_part(&bench, &small);
	assert_int_equal(report->similarity_count, 0);
	bench_close(&bench);
}

static void test_a_report_takes_sixteen(void **state)
{
	char bytes[600];
	struct bench bench = {0};

	(void)state;
	load(&bench);
	struct report *report = bench_report(&bench);
	for (size_t n = 0; n < 40; n++) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)(i * (n + 3) >> 2);
		struct part part = part_of("application/zip", (struct str){bytes, sizeof(bytes)});
		bench_part(&bench, &part);
	}
	assert_int_equal(report->similarity_count, SIMILARITIES_MAX);
	assert_int_equal(report->note_count, 0);
	bench_close(&bench);
}

static void test_options(void **state)
{
	struct bench bench = {.plugin = "similar"}, wrong = {.plugin = "similar"};

	(void)state;
	bench_set(&bench, "texts", "no");
	load(&bench);
	assert_string_equal(text_digest(&bench, LETTER), "");
	bench_close(&bench);
	bench_set(&wrong, "files", "maybe");
	assert_bench_refused(&wrong, "option files: expected yes or no");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_changed_word_changes_little),
		cmocka_unit_test(test_case_breaks_and_numbers_make_no_difference),
		cmocka_unit_test(test_digests_stay_what_they_are),
		cmocka_unit_test(test_short_texts_have_none),
		cmocka_unit_test(test_attachments_have_their_ssdeep),
		cmocka_unit_test(test_other_parts_have_none),
		cmocka_unit_test(test_a_report_takes_sixteen),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
