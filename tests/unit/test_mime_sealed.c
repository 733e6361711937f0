#include "config.h"

#include "unit.h"

#include "made_archive.h"

#include "wire/reading.h"

#define ENVELOPE "{\"from\":\"a@b.example\",\"to\":[\"report@cirt.example\"]}"
#define HEADER   "From: Alice <alice@b.example>\nSubject: s\nMIME-Version: 1.0\n"
#define ENCRYPTED(data)                                                                             \
	"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=e\n\n" \
	"--e\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--e\nContent-Type: "           \
	"application/octet-stream\n\n" data "\n--e--\n"
#define SIGNED(part)                                                               \
	"Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; " \
	"boundary=\"b\"\n\npreamble\n--b\n" part                                   \
	"\n--b\nContent-Type: application/pgp-signature\n\nsignature\n--b--\n"

/* Plays the room keys: what it was asked, and what it says. */
struct keeper {
	struct unsealed says;
	struct seal_signature signature;
	struct sealed asked; /* last */
	unsigned count;
};

static void answer(
	struct reading *reading, uint32_t item, const struct sealed *sealed, struct unsealed *unsealed)
{
	struct keeper *keeper = reading->context;

	(void)item;
	keeper->asked = *sealed;
	keeper->count++;
	*unsealed = keeper->says;
}

static struct report *run(struct reading *reading, struct keeper *keeper, struct str mail)
{
	struct err err;

	*reading = (struct reading){.arena = arena_new(65536),
		.limits = &reading_limits_default,
		.open_sealed = answer,
		.context = keeper};
	assert_true(mail_read(reading, mail, STR(ENVELOPE), &err));
	return &reading->items[0].report;
}

static struct keeper signed_by(enum signature_state state)
{
	struct keeper keeper = {.says = {.outcome = UNSEAL_OPENED, .signature_count = 1}};

	keeper.signature = (struct seal_signature){.state = state,
		.key = STR("ABCD"),
		.who = STR("Alice <alice@b.example>"),
		.addresses = STR("alice@b.example")};
	return keeper;
}

static void free_reading(struct reading *reading)
{
	arena_free(&reading->arena);
}

static bool noted(const struct report *report, const char *text)
{
	for (size_t i = 0; i < report->note_count; i++)
		if (memmem(report->notes[i].p, report->notes[i].len, text, strlen(text)))
			return true;
	return false;
}

static void assert_signed_bytes(const char *part, const char *expected)
{
	struct keeper keeper = signed_by(SIGNATURE_GOOD);
	struct reading reading;
	struct buf mail = {0};

	keeper.says.signatures = &keeper.signature;
	buf_printf(&mail, "%s%s%s%s", HEADER,
		"Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; "
		"boundary=\"b\"\n\npreamble\n--b\n",
		part, "\n--b\nContent-Type: application/pgp-signature\n\nsignature\n--b--\n");
	run(&reading, &keeper, buf_view(&mail));
	assert_int_equal(keeper.count, 1);
	assert_int_equal(keeper.asked.kind, SEALED_PGP_DETACHED);
	assert_true(str_equal(keeper.asked.signature, STR("signature")));
	if (!str_equal(keeper.asked.bytes, str_of(expected)))
		fail_msg("signed: \"" STR_FMT "\", expected \"%s\"", STR_ARG(keeper.asked.bytes), expected);
	buf_free(&mail);
	free_reading(&reading);
}

/* Byte for byte as they stood there, with line ends as they were when it was signed. */
static void test_signed_bytes_are_those_of_the_mail(void **state)
{
	(void)state;
	assert_signed_bytes("Content-Type: text/plain\n\nhello", "Content-Type: text/plain\r\n\r\nhello");
	assert_signed_bytes("Content-Type: text/plain\r\n\r\nmixed\nline ends\r\n",
		"Content-Type: text/plain\r\n\r\nmixed\r\nline ends\r\n");
	assert_signed_bytes("content-TYPE:text/plain ;\n  charset=us-ascii\nX-Odd : v\n\nblanks   \n\n",
		"content-TYPE:text/plain ;\r\n  charset=us-ascii\r\nX-Odd : v\r\n\r\nblanks   \r\n\r\n");
	assert_signed_bytes("Content-Type: multipart/mixed; boundary=bb\n\npre \n--bb \nContent-Type: "
			    "text/plain\n\nx\n--bb-- \nepilogue",
		"Content-Type: multipart/mixed; boundary=bb\r\n\r\npre \r\n--bb \r\nContent-Type: "
		"text/plain\r\n\r\nx\r\n--bb-- "
		"\r\nepilogue");
	assert_signed_bytes("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\naGVs\nbG8=",
		"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\naGVs\r\nbG8=");
}

static void test_verdict_says_who_which_part_and_how_it_stands(void **state)
{
	static const struct {
		enum signature_state state;
		const char *outcome;
	} cases[] = {
		{SIGNATURE_GOOD, "good signature by ABCD (Alice <alice@b.example>), known, valid"},
		{SIGNATURE_BAD, "bad signature by ABCD (Alice <alice@b.example>), known"},
		{SIGNATURE_KEY_EXPIRED, "good signature by ABCD (Alice <alice@b.example>), known, expired"},
		{SIGNATURE_KEY_REVOKED,
			"good signature by ABCD (Alice <alice@b.example>), known, not valid: revoked"},
		{SIGNATURE_STALE_CRL,
			"good signature by ABCD (Alice <alice@b.example>), known, valid as far as an "
			"expired list of revoked certificates tells"},
		{SIGNATURE_EXPIRED, "expired signature by ABCD (Alice <alice@b.example>), known"},
		{SIGNATURE_UNTRUSTED, "good signature by ABCD (Alice <alice@b.example>), not known"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct keeper keeper = signed_by(cases[i].state);
		struct reading reading;
		const struct report *report;

		keeper.says.signatures = &keeper.signature;
		report = run(&reading, &keeper, STR(HEADER SIGNED("Content-Type: text/plain\n\nhello")));
		assert_int_equal(report->verdict_count, 1);
		assert_true(str_equal(report->verdicts[0].engine, STR("openpgp")));
		assert_true(str_equal(report->verdicts[0].part, STR("part 1")));
		assert_true(str_equal(report->verdicts[0].outcome, str_of(cases[i].outcome)));
		assert_false(noted(report, "not all of it is signed"));
		free_reading(&reading);
	}
}

/* A signed part beside others that are not; a signature that does not hold covers nothing to speak of. */
static void test_what_is_not_signed_is_said(void **state)
{
	struct keeper keeper = signed_by(SIGNATURE_GOOD);
	struct reading reading;
	const struct report *report;

	(void)state;
	keeper.says.signatures = &keeper.signature;
	report = run(&reading, &keeper,
		STR(HEADER
			"Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/plain\n\nadded "
			"on the way\n--m\n" SIGNED("Content-Type: text/plain\n\nhello") "--m--\n"));
	assert_true(noted(report, "not all of it is signed: the signature says nothing about 1 other parts"));
	assert_true(str_equal(report->verdicts[0].part, STR("part 2.1")));
	free_reading(&reading);
	keeper.signature.addresses = STR("somebody@else.example");
	report = run(&reading, &keeper, STR(HEADER SIGNED("Content-Type: text/plain\n\nhello")));
	assert_true(noted(report, "but the mail says that it is from alice@b.example"));
	free_reading(&reading);
}

static void test_plain_text_is_walked_in_its_place(void **state)
{
	struct keeper keeper = {
		.says = {.outcome = UNSEAL_OPENED,
			.encrypted = true,
			.key = STR("F00D"),
			.plain = STR(
				"Content-Type: multipart/mixed; boundary=p\r\nSubject: inner\r\n\r\n--p\r\n"
				"Content-Type: text/plain\r\n\r\nsee hxxp://a[.]example\r\n--p\r\n"
				"Content-Type: application/x-thing; "
				"name=thing.bin\r\n\r\nTHING\r\n--p--\r\n")}};
	struct reading reading;
	const struct report *report = run(&reading, &keeper, STR(HEADER ENCRYPTED("data")));
	bool file = false;

	(void)state;
	assert_int_equal(keeper.asked.kind, SEALED_PGP);
	assert_true(str_equal(keeper.asked.bytes, STR("data")));
	assert_true(str_equal(report->title, STR("s"))); /* one outside that says something stays */
	assert_true(memmem(report->text.p, report->text.len, "see hxxp", 8) != NULL);
	for (size_t i = 0; i < reading.part_count; i++)
		file |= str_equal(reading.parts[i].name, STR("thing.bin"));
	assert_true(file);
	assert_true(str_equal(report->verdicts[0].outcome, STR("decrypted with our key F00D")));
	free_reading(&reading);
}

/* What is opened and is the same again, for ever: an end is made. */
static void test_sealed_in_sealed_ends(void **state)
{
	struct keeper keeper = {.says = {.outcome = UNSEAL_OPENED,
					.encrypted = true,
					.key = STR("F00D"),
					.plain = STR(ENCRYPTED("again"))}};
	struct reading reading;
	const struct report *report = run(&reading, &keeper, STR(HEADER ENCRYPTED("data")));

	(void)state;
	assert_int_equal(keeper.count, 16);
	assert_true(noted(report, "more than 16 encrypted or signed parts"));
	free_reading(&reading);
}

static void test_a_locked_key_lets_the_entry_wait(void **state)
{
	static const enum unseal_outcome waits[] = {UNSEAL_LOCKED, UNSEAL_AWAY};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct keeper keeper = {.says = {.outcome = waits[i], .reason = STR("locked")}};
		struct reading reading;

		run(&reading, &keeper,
			STR(HEADER "Content-Type: multipart/mixed; boundary=m\n\n--m\n" ENCRYPTED(
				"one") "--m\n" ENCRYPTED("two") "--m--\n"));
		assert_true(reading.waits);
		assert_int_equal(keeper.count, 1); /* nobody is asked in vain */
		free_reading(&reading);
	}
}

static void test_what_cannot_be_opened_is_set_aside(void **state)
{
	struct keeper keeper = {.says = {.outcome = UNSEAL_NO_KEY, .reason = STR("encrypted to 1234")}};
	struct reading reading;
	const struct report *report = run(&reading, &keeper, STR(HEADER ENCRYPTED("data")));

	(void)state;
	assert_true(noted(report, "part 2 cannot be opened: encrypted to 1234"));
	assert_int_equal(reading.item_count, 2);
	assert_int_equal(reading.items[1].kind, ITEM_QUARANTINED);
	assert_true(str_equal(reading.items[1].stage, STR("keys")));
	assert_true(memmem(reading.items[1].bytes.p, reading.items[1].bytes.len, "data", 4) != NULL);
	free_reading(&reading);
}

static void test_smime_goes_the_same_way(void **state)
{
	struct keeper keeper = {.says = {.outcome = UNSEAL_OPENED,
					.plain = STR("Content-Type: text/plain\r\n\r\nopaque\r\n")}};
	struct reading reading;
	const struct report *report = run(&reading, &keeper,
		STR(HEADER "Content-Type: application/x-pkcs7-mime; smime-type=signed-data; name=smime.p7m\n"
			   "Content-Transfer-Encoding: base64\n\nREVS\n"));

	(void)state;
	assert_int_equal(keeper.asked.kind, SEALED_CMS);
	assert_true(str_equal(keeper.asked.bytes, STR("DER")));
	assert_true(str_equal(str_trim(report->text), STR("opaque")));
	assert_null(report_find(report, OBSERVABLE_FILENAME, OBSERVED_INDICATOR));
	free_reading(&reading);
}

static void test_blocks_in_the_text_are_opened_where_they_stand(void **state)
{
	struct keeper keeper = {.says = {.outcome = UNSEAL_OPENED,
					.encrypted = true,
					.key = STR("F00D"),
					.plain = STR("caf\303\251\n")}};
	struct reading reading;
	const struct report *report = run(&reading, &keeper,
		STR(HEADER "Content-Type: text/plain; charset=iso-8859-1\n\nbefore\n-----BEGIN PGP "
			   "MESSAGE-----\n\nabcd\n"
			   "-----END PGP MESSAGE-----\nafter\n"));

	(void)state;
	assert_true(str_equal(report->text, STR("before\ncaf\303\251\nafter")));
	free_reading(&reading);
}

/* What we say of a signature in the text is nobody's indicator. */
static void test_words_of_ours_are_no_indicators(void **state)
{
	struct keeper keeper = signed_by(SIGNATURE_GOOD);
	struct reading reading;
	const struct report *report;

	(void)state;
	keeper.signature.key = STR("7655F18EF8B830F843C7A772D4DE6754D65FE76E");
	keeper.signature.who = STR("Eve <eve@other.example>");
	keeper.signature.addresses = STR("eve@other.example");
	keeper.says.signatures = &keeper.signature;
	keeper.says.plain = STR("look at 198.51.100.7\n");
	report = run(&reading, &keeper,
		STR(HEADER "Content-Type: text/plain\n\n-----BEGIN PGP MESSAGE-----\n\nabcd\n"
			   "-----END PGP MESSAGE-----\n"));
	assert_non_null(
		memmem(report->text.p, report->text.len, "good signature by key D4DE6754D65FE76E", 38));
	assert_int_equal(report->observable_count, 2);
	for (size_t i = 0; i < report->observable_count; i++)
		assert_true(str_equal(report->observables[i].value, STR("198.51.100.7")) ||
			    str_equal(report->observables[i].value, STR("alice@b.example")));
	free_reading(&reading);
}

#define ARMOUR                                                                                   \
	"-----BEGIN PGP MESSAGE-----\n\nhQEMAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n" \
	"-----END PGP MESSAGE-----\n"

/* As gateways and people send it on. */
static void test_shapes_of_real_senders_are_opened(void **state)
{
	static const char *const mails[] = {
		/* Exchange takes PGP/MIME apart */
		HEADER "Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/plain\n\n\n--m\n"
		       "Content-Type: application/pgp-encrypted\n\nVersion: 1\n--m\nContent-Type: "
		       "application/octet-stream; name=encrypted.asc\n\n" ARMOUR "--m--\n",
		HEADER "\nBob wrote:\n> -----BEGIN PGP MESSAGE-----\n>\n> "
		       "hQEMAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n> -----END PGP MESSAGE-----\n",
		HEADER
		"Content-Type: text/html\n\n<p>-----BEGIN PGP MESSAGE-----<br><br>"
		"hQEMAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx<br>-----END PGP MESSAGE-----</p>\n",
		HEADER
		"\n-----BEGIN PGP MESSAGE-----<br>\n<br>\n"
		"hQEMAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx<br>\n-----END PGP MESSAGE-----<br>\n",
		HEADER "Content-Type: application/octet-stream; name=note.bin\n\n\n" ARMOUR,
		HEADER
		"\n-----BEGIN PGP MESSAGE-----\n\nhQEMAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		struct keeper keeper = {.says = {.outcome = UNSEAL_OPENED,
						.encrypted = true,
						.key = STR("F00D"),
						.plain = STR("see http://evil.example/opened\n")}};
		struct reading reading;
		const struct report *report = run(&reading, &keeper, str_of(mails[i]));

		if (keeper.count != 1)
			fail_msg("%zu: asked %u times", i, keeper.count);
		if (!memmem(keeper.asked.bytes.p, keeper.asked.bytes.len, ARMOUR, strlen(ARMOUR) - 1))
			fail_msg("%zu: asked for \"" STR_FMT "\"", i, STR_ARG(keeper.asked.bytes));
		if (!report_find(report, OBSERVABLE_URL, OBSERVED_INDICATOR))
			fail_msg("%zu: what was inside is not read", i);
		assert_int_equal(noted(report, "armour has no end"), i == 5);
		free_reading(&reading);
	}
}

/* The page says what the text says: once is enough. */
static void test_the_same_block_is_opened_once(void **state)
{
	struct keeper keeper = {.says = {.outcome = UNSEAL_NO_KEY, .reason = STR("no key")}};
	struct reading reading;

	(void)state;
	run(&reading, &keeper,
		STR(HEADER "Content-Type: multipart/alternative; boundary=m\n\n--m\nContent-Type: "
			   "text/plain\n\n" ARMOUR "--m\nContent-Type: text/html\n\n<pre>" ARMOUR
			   "</pre>\n--m--\n"));
	assert_int_equal(keeper.count, 1);
	assert_int_equal(reading.item_count, 2);
	free_reading(&reading);
}

static void test_a_signature_beside_its_file_is_checked(void **state)
{
	struct keeper keeper = signed_by(SIGNATURE_GOOD);
	struct reading reading;
	const struct report *report;

	(void)state;
	keeper.says.signatures = &keeper.signature;
	report = run(&reading, &keeper,
		STR(HEADER "Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/csv; "
			   "name=list.csv\n\na,b\n--m\nContent-Type: application/octet-stream; "
			   "name=list.csv.asc\n\n-----BEGIN PGP SIGNATURE-----\n\nabcd\n"
			   "-----END PGP SIGNATURE-----\n--m\nContent-Type: application/pgp-signature; "
			   "name=other.sig\n\n-----BEGIN PGP SIGNATURE-----\n\nabcd\n-----END PGP "
			   "SIGNATURE-----\n--m--\n"));
	assert_int_equal(keeper.count, 1);
	assert_int_equal(keeper.asked.kind, SEALED_PGP_DETACHED);
	assert_true(str_equal(keeper.asked.bytes, STR("a,b")));
	assert_int_equal(report->verdict_count, 1);
	assert_true(str_equal(report->verdicts[0].part, STR("part 2")));
	assert_true(noted(report, "part 3 is a signature, and what it was made over is not beside it"));
	assert_false(noted(report, "not all of it is signed"));
	free_reading(&reading);
}

/* Who signed a mail signed what a machine says in it. */
static void test_reports_of_machines_are_signed_by_who_signed_the_mail(void **state)
{
	struct keeper keeper = signed_by(SIGNATURE_GOOD);
	struct reading reading;
	size_t reports = 0;

	(void)state;
	keeper.says.signatures = &keeper.signature;
	run(&reading, &keeper,
		STR(HEADER "Content-Type: multipart/mixed; boundary=o\n\n--o\n" SIGNED(
			"Content-Type: multipart/mixed; boundary=i\n\n--i\nContent-Type: text/csv; "
			"name=2026-11-22-scan_rdp-x-asn.csv\n\ntimestamp,ip,port\n2026-11-22 "
			"01:02:03,192.0.2.7,3389\n--i--\n") "--o\nContent-Type: text/csv; "
							    "name=2026-11-22-scan_ssh-x-asn.csv\n\n"
							    "timestamp,ip,port\n2026-11-22 "
							    "01:02:03,192.0.2.8,22\n--o--\n"));
	for (size_t i = 1; i < reading.item_count; i++) {
		const struct report *report = &reading.items[i].report;

		if (reading.items[i].kind != ITEM_REPORT)
			continue;
		if (reports++ > 0) {
			assert_int_equal(report->verdict_count, 0); /* that file was not signed */
			continue;
		}
		assert_int_equal(report->verdict_count, 1);
		assert_true(str_starts(report->verdicts[0].outcome, STR("good signature by ABCD")));
		assert_true(str_equal(report->verdicts[0].part, STR("part 1.1")));
	}
	assert_int_equal(reports, 2);
	free_reading(&reading);
}

static void test_sealed_files_in_archives_are_opened(void **state)
{
	struct keeper keeper = {.says = {.outcome = UNSEAL_OPENED,
					.encrypted = true,
					.key = STR("F00D"),
					.plain = STR("when,url\nnow,http://evil.example/opened\n")}};
	struct reading reading;
	const struct report *report;
	struct made made;
	struct buf mail = {0};

	(void)state;
	make_begin(&made, archive_write_set_format_zip, NULL, NULL, NULL);
	make_member(&made, "a/list.csv.asc", ARMOUR, sizeof(ARMOUR) - 1);
	buf_text(&mail,
		HEADER "Content-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: binary\n\n");
	buf_str(&mail, make_end(&made));
	report = run(&reading, &keeper, buf_view(&mail));
	assert_int_equal(keeper.count, 1);
	assert_true(str_equal(keeper.asked.bytes, STR(ARMOUR)));
	assert_non_null(report_find(report, OBSERVABLE_URL, OBSERVED_INDICATOR));
	assert_true(str_equal(report->verdicts[0].part, STR("part 1: a.zip/a/list.csv.asc")));
	free_reading(&reading);
	keeper.says = (struct unsealed){.outcome = UNSEAL_LOCKED, .reason = STR("locked")};
	run(&reading, &keeper, buf_view(&mail));
	assert_true(reading.waits);
	free_reading(&reading);
	made_free(&made);
	buf_free(&mail);
}

/* Nobody to ask: the parts stand as they came, and it is said. */
static void test_without_keys_all_stays_as_it_came(void **state)
{
	struct reading reading = {.arena = arena_new(65536), .limits = &reading_limits_default};
	struct err err;

	(void)state;
	assert_true(mail_read(&reading, STR(HEADER ENCRYPTED("data")), STR(ENVELOPE), &err));
	assert_int_equal(reading.item_count, 1);
	assert_true(noted(&reading.items[0].report, "keys are not enabled"));
	free_reading(&reading);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed_bytes_are_those_of_the_mail),
		cmocka_unit_test(test_verdict_says_who_which_part_and_how_it_stands),
		cmocka_unit_test(test_what_is_not_signed_is_said),
		cmocka_unit_test(test_plain_text_is_walked_in_its_place),
		cmocka_unit_test(test_sealed_in_sealed_ends),
		cmocka_unit_test(test_a_locked_key_lets_the_entry_wait),
		cmocka_unit_test(test_what_cannot_be_opened_is_set_aside),
		cmocka_unit_test(test_smime_goes_the_same_way),
		cmocka_unit_test(test_blocks_in_the_text_are_opened_where_they_stand),
		cmocka_unit_test(test_words_of_ours_are_no_indicators),
		cmocka_unit_test(test_shapes_of_real_senders_are_opened),
		cmocka_unit_test(test_the_same_block_is_opened_once),
		cmocka_unit_test(test_a_signature_beside_its_file_is_checked),
		cmocka_unit_test(test_reports_of_machines_are_signed_by_who_signed_the_mail),
		cmocka_unit_test(test_sealed_files_in_archives_are_opened),
		cmocka_unit_test(test_without_keys_all_stays_as_it_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
