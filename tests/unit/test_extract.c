#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "wire/reading.h"

struct run {
	struct arena *arena;
	struct reading reading;
	struct report *report;
};

static void run_begin(struct run *run, struct str text)
{
	run->arena = arena_new(65536);
	run->reading = (struct reading){.arena = run->arena, .limits = &reading_limits_default};
	run->report = &reading_item(&run->reading, ITEM_REPORT)->report;
	extract_observables(&run->reading, run->report, text);
}

/* All of it as "type value\n". */
static void expect(const char *text, const char *wanted)
{
	struct buf found = {0};
	struct run run;

	run_begin(&run, str_of(text));
	for (size_t i = 0; i < run.report->observable_count; i++)
		buf_printf(&found, "%s " STR_FMT "\n", observable_type_name(run.report->observables[i].type),
			STR_ARG(run.report->observables[i].value));
	if (!str_equal(buf_view(&found), str_of(wanted)))
		print_error("in \"%s\"\nfound:\n%swanted:\n%s", text, buf_cstr(&found), wanted);
	assert_true(str_equal(buf_view(&found), str_of(wanted)));
	buf_free(&found);
	arena_free(&run.arena);
}

static void test_addresses(void **state)
{
	(void)state;
	expect("from 198.51.100.7, 198.51.100.8:443; (203.0.113.0/24) 2001:DB8::1.",
		"ip 198.51.100.7\nip 198.51.100.8\n"
		"ip 203.0.113.0/24\nip 2001:db8::1\n");
	expect("198.51.100.1-198.51.100.9", "ip 198.51.100.1\nip 198.51.100.9\n");
	expect("src=198.51.100.7 dst:203.0.113.9", "ip 198.51.100.7\nip 203.0.113.9\n");
}

static void test_names_and_urls(void **state)
{
	(void)state;
	expect("see http://x.example/a(b)c), <https://y.example/?q=1>. Also www.z.example!",
		"url http://x.example/a(b)c\nname x.example\nurl https://y.example/?q=1\nname "
		"y.example\nname www.z.example\n");
	expect("http://user:pw@198.51.100.7:8080/a",
		"url http://user:pw@198.51.100.7:8080/a\nip 198.51.100.7\n");
	expect("[link](http://m.example/x) evil.example/login",
		"url http://m.example/x\nname m.example\nname evil.example\n");
	expect("mailto:a.b+c@mail.example", "email a.b+c@mail.example\n");
}

static void test_names_of_vocabularies(void **state)
{
	(void)state;
	expect("<a xsi:schemaLocation=\"http://v.example/A http://v.example/A.xsd\" "
	       "xmlns=\"http://v.example/A\" "
	       "xmlns:xsi='http://w.example/'><b>http://x.example/</b>",
		"url http://x.example/\nname x.example\n");
	expect("with the message-id of 2016.1@mail.example from 198.51.100.7, message-id 3@mail.example",
		"ip 198.51.100.7\n");
	expect("the address of a@mail.example", "email a@mail.example\n");
}

static void test_international_names(void **state)
{
	(void)state;
	expect("b\xc3\xbc"
	       "cher.example",
		"name xn--bcher-kva.example\n");
	expect("\xe3\x82\xb5\xe3\x82\xa4\xe3\x83\x88"
	       "example.com\xe3\x82\x92\xe8\xa6\x8b\xe3\x82\x8b",
		"name example.com\n");
	expect("http://phish.example/a\xe3\x82\x92\xe8\xa6\x8b\xe3\x82\x8b",
		"url http://phish.example/a\nname phish.example\n");
}

static void test_digests_and_numbers(void **state)
{
	(void)state;
	expect("44d88612fea8a8f36de82e1278abb02f 3395856ce81f2b7382dee72602f798b642f14140",
		"md5 44d88612fea8a8f36de82e1278abb02f\nsha1 3395856ce81f2b7382dee72602f798b642f14140\n");
	expect("sha256:275A021BBFB6489E54D471899F7DB9D1663FC695EC2FE2A2C4538AABF651FD0F",
		"sha256 275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f\n");
	expect("cve-2026-12345, AS64500, AS 64501 and ASN64502",
		"cve CVE-2026-12345\nasn 64500\nasn 64501\nasn 64502\n");
}

static void test_defanged(void **state)
{
	(void)state;
	expect("hxxp://evil[.]example/x hXXps[://]bad(.)example",
		"url http://evil.example/x\nname evil.example\n"
		"url https://bad.example\nname bad.example\n");
	expect("evil[dot]example worse(dot)example, last [.] example",
		"name evil.example\nname worse.example\nname last.example\n");
	expect("198[.]51[.]100[.]7 198.51.100[.]8 198.51.100[.9",
		"ip 198.51.100.7\nip 198.51.100.8\nip 198.51.100.9\n");
	expect("who[at]mail[.]example who2 (at) mail2 (dot) example",
		"email who@mail.example\nemail who2@mail2.example\n");
	expect("h**p://a.example fxp://b.example",
		"url http://a.example\nname a.example\nurl ftp://b.example\nname b.example\n");
	expect("main[.]py", "name main.py\n");
}

static void test_not_indicators(void **state)
{
	(void)state;
	expect("report.pdf main.py README.md setup.exe libc.so Makefile.am a.tar.gz", "");
	expect("version 1.2.3.4, v2.0.1.9, 1.2.3.4.5, 10.0.19045.1234, 2026.11.22, 22.11.2026", "");
	expect("e.g. this, i.e. that, done.Please end.No 12:30:45 std::vector a::b", "");
	expect("255.255.255.0 127.0.0.1 0.0.0.0 ff02::", "");
	expect("/etc/passwd.com C:\\x\\y.com $obj.name @user.name", "");
	expect("Message-ID: <20261122.abc@mail.example>", "");
	expect("00000000000000000000000000000000 (:) [x] (at)", "");
}

static void test_bounded_output(void **state)
{
	struct buf text = {0};
	struct run run;

	(void)state;
	for (int i = 0; i < 3000; i++)
		buf_printf(&text, "h%d.example ", i);
	run_begin(&run, buf_view(&text));
	assert_int_equal(run.report->observable_count, 1000);
	assert_int_equal(run.report->note_count, 1);
	arena_free(&run.arena);
	buf_free(&text);
}

/* What a hostile sender would write to make looking slow; the test's own time limit is what fails it. */
static void test_linear(void **state)
{
	static const char *const units[] = {"://", "http://", "a.", "[.", "(at) ", "hxxp", "a@", "1.1.",
		"::", "f:", "\xc3\xbc", "((((", "x://"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct buf text = {0};
		struct run run;
		while (text.len < 1000000)
			buf_text(&text, units[i]);
		run_begin(&run, buf_view(&text));
		assert_true(run.report->observable_count <= 1000);
		arena_free(&run.arena);
		buf_free(&text);
	}
}

static void test_format_guess(void **state)
{
	(void)state;
	assert_int_equal(format_guess(STR("\xef\xbb\xbf{\"type\":\"bundle\",\"id\":\"x\"}")), FORMAT_STIX);
	assert_int_equal(format_guess(STR(" [ {\"type\":\"indicator\"")), FORMAT_STIX);
	assert_int_equal(format_guess(STR("{\"more\":true,\"objects\":[")), FORMAT_STIX);
	assert_int_equal(
		format_guess(STR("{\"v\":1,\"type\":\"phishing\",\"text\":\"\\\"objects\\\"\"}\n{}")),
		FORMAT_LINES);
	assert_int_equal(format_guess(STR("{\"id\":\"incident--11c4461e-25d8-47f1-bccf-a965ddca8e8f\"}")),
		FORMAT_STIX);
	assert_int_equal(format_guess(STR("From: a@b.example\n\nhello")), FORMAT_MAIL);
	assert_int_equal(format_guess(STR("")), FORMAT_MAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_names_and_urls),
		cmocka_unit_test(test_names_of_vocabularies),
		cmocka_unit_test(test_international_names),
		cmocka_unit_test(test_digests_and_numbers),
		cmocka_unit_test(test_defanged),
		cmocka_unit_test(test_not_indicators),
		cmocka_unit_test(test_bounded_output),
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_format_guess),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
