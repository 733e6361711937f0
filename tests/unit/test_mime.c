#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "wire/charset.h"
#include "wire/header_text.h"
#include "wire/reading.h"

#define ENVELOPE "{\"from\":\"sender@provider.example\",\"to\":[\"report@cirt.example\"]}"

struct run {
	struct arena *arena;
	struct reading reading;
	struct err err;
	bool good;
};

static void run_begin(struct run *run, struct str mail, const char *envelope)
{
	run->arena = arena_new(65536);
	run->reading = (struct reading){.arena = run->arena, .limits = &reading_limits_default};
	run->err = (struct err){0};
	run->good = mail_read(&run->reading, mail, str_of(envelope), &run->err);
}

static size_t quarantined(const struct run *run, const char *reason)
{
	size_t count = 0;

	for (size_t i = 0; i < run->reading.item_count; i++) {
		const struct item *item = &run->reading.items[i];
		if (item->kind != ITEM_QUARANTINED)
			continue;
		for (size_t at = 0; at + strlen(reason) <= item->reason.len; at++)
			count += memcmp(item->reason.p + at, reason, strlen(reason)) == 0;
	}
	return count;
}

static bool has(const struct run *run, enum observable_type type, const char *value)
{
	const struct report *report = &run->reading.items[0].report;

	for (size_t i = 0; i < report->observable_count; i++)
		if (report->observables[i].type == type &&
			str_equal(report->observables[i].value, str_of(value)))
			return true;
	return false;
}

static bool noted(const struct run *run, const char *text)
{
	const struct report *report = &run->reading.items[0].report;
	size_t length = strlen(text);

	for (size_t i = 0; i < report->note_count; i++)
		for (size_t at = 0; at + length <= report->notes[i].len; at++)
			if (memcmp(report->notes[i].p + at, text, length) == 0)
				return true;
	return false;
}

/* Fixed strings in twelve charsets, none of which may come out as anything else. */
static void test_trap_07_charsets_are_converted_and_never_silently(void **state)
{
	static const struct {
		const char *charset, *bytes, *utf8;
	} samples[] = {
		{"us-ascii", "plain", "plain"},
		{"utf-8", "\xc3\xa9", "\xc3\xa9"},
		{"iso-8859-1", "\xe9", "\xc3\xa9"},
		{"windows-1252", "\x80", "\xe2\x82\xac"},
		{"iso-8859-2", "\xe8", "\xc4\x8d"},
		{"iso-8859-15", "\xa4", "\xe2\x82\xac"},
		{"koi8-r", "\xf0", "\xd0\x9f"},
		{"windows-1251", "\xcf", "\xd0\x9f"},
		{"shift_jis", "\x93\xfa", "\xe6\x97\xa5"},
		{"iso-2022-jp", "\x1b$BF|\x1b(B", "\xe6\x97\xa5"},
		{"gb18030", "\xc8\xd5", "\xe6\x97\xa5"},
		{"big5", "\xa4\xe9", "\xe6\x97\xa5"},
		{"euc-kr", "\xc0\xcf", "\xec\x9d\xbc"},
		{"utf-16le", "e\0", "e"},
	};
	struct arena *arena = arena_new(4096);
	struct charset_outcome outcome;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct str bytes = {samples[i].bytes,
			strlen(samples[i].bytes) + (strcmp(samples[i].charset, "utf-16le") == 0)};
		struct str text = charset_to_utf8(str_of(samples[i].charset), bytes, arena, &outcome);
		assert_true(str_equal(text, str_of(samples[i].utf8)));
		assert_false(outcome.unknown || outcome.guessed || outcome.bad);
	}
	charset_to_utf8(STR("x-none"), STR("\xff"), arena, &outcome);
	assert_true(outcome.unknown);
	charset_to_utf8(STR("utf-8//TRANSLIT"), STR("\xff"), arena, &outcome);
	assert_true(outcome.unknown);
	charset_to_utf8(STR("utf-8"), STR("a\xff"), arena, &outcome);
	assert_int_equal(outcome.bad, 1);
	/* what iconv lets pass under one of its own names for UTF-8 */
	assert_true(utf8_valid(charset_to_utf8(STR("u+tf-8"), STR("\xf4\xf4\xf4"), arena, &outcome)));
	assert_true(
		utf8_valid(charset_to_utf8(STR("iso-10646/utf8/"), STR("\xed\xa0\x80"), arena, &outcome)));
	assert_true(utf8_valid(charset_to_utf8(STR("ucs-4be"), STR("\0\x11\0\0"), arena, &outcome)));
	charset_to_utf8(STR(""), STR("\xe9"), arena, &outcome);
	assert_true(outcome.guessed);
	arena_free(&arena);
}

static void test_trap_07_an_unknown_charset_is_a_note(void **state)
{
	struct run run;

	(void)state;
	run_begin(&run,
		STR("From: a@b.example\nSubject: =?x-none?B?//8=?= s\nContent-Type: text/plain; "
		    "charset=x-none\n\n\xff http://e.example/\n"),
		ENVELOPE);
	assert_true(run.good);
	assert_true(noted(&run, "Subject: charset \"x-none\""));
	assert_true(noted(&run, "text: charset \"x-none\""));
	assert_true(has(&run, OBSERVABLE_URL, "http://e.example/"));
	arena_free(&run.arena);
}

/* A group address of 600 KB overflows the stack of a parser that is not kept from it. */
static void test_trap_28_long_header_does_not_reach_gmime(void **state)
{
	static const char *const starts[] = {
		"From: a@b.example\nSubject: s\nTo: ",
		"From: a@b.example\nContent-Type: message/rfc822\n\nTo: ",
		"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: "
		"message/rfc822\n\nTo: ",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		struct buf mail = {0};
		struct run run;
		buf_text(&mail, starts[i]);
		for (int n = 0; n < 100000; n++)
			buf_text(&mail, "g:a@b,");
		buf_text(&mail, "\nSubject: inside\n\nbody http://e.example/\n");
		run_begin(&run, buf_view(&mail), ENVELOPE);
		assert_true(run.good);
		assert_int_equal(run.reading.items[0].kind, ITEM_REPORT);
		assert_int_equal(quarantined(&run, "header field longer"), 1);
		assert_true(has(&run, OBSERVABLE_URL, "http://e.example/"));
		arena_free(&run.arena);
		buf_free(&mail);
	}
}

static void test_trap_28_long_header_section(void **state)
{
	struct buf mail = {0};
	struct run run;

	(void)state;
	buf_text(&mail, "From: a@b.example\nSubject: s\n");
	for (int n = 0; n < 300000; n++)
		buf_text(&mail, "X-A: b\n");
	buf_text(&mail, "\nbody http://e.example/\n");
	run_begin(&run, buf_view(&mail), ENVELOPE);
	assert_true(run.good);
	assert_int_equal(quarantined(&run, "header section longer"), 1);
	assert_true(has(&run, OBSERVABLE_URL, "http://e.example/"));
	arena_free(&run.arena);
	buf_free(&mail);
}

static void nest(struct buf *mail, int levels)
{
	buf_text(mail, "From: a@b.example\nSubject: deep\n");
	for (int n = 0; n < levels; n++)
		buf_printf(mail, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", n, n);
	buf_text(mail, "Content-Type: text/plain\n\nhttp://deep.example/\n");
	for (int n = levels; n-- > 0;)
		buf_printf(mail, "--b%d--\n", n);
}

static void test_trap_28_deep_mime_is_quarantined_as_a_part(void **state)
{
	struct buf mail = {0};
	struct run run;

	(void)state;
	nest(&mail, 90);
	run_begin(&run, buf_view(&mail), ENVELOPE);
	assert_int_equal(run.reading.item_count, 1);
	assert_true(has(&run, OBSERVABLE_URL, "http://deep.example/"));
	arena_free(&run.arena);
	buf_clear(&mail);
	nest(&mail, 600);
	run_begin(&run, buf_view(&mail), ENVELOPE);
	assert_true(run.good);
	assert_int_equal(quarantined(&run, "nest deeper than 100"), 1);
	arena_free(&run.arena);
	buf_free(&mail);
}

static void test_many_parts(void **state)
{
	struct buf mail = {0};
	struct run run;

	(void)state;
	buf_text(&mail, "From: a@b.example\nContent-Type: multipart/mixed; boundary=\"x\"\n\n");
	for (int n = 0; n < 200000; n++)
		buf_text(&mail, "--x\n\na\n");
	buf_text(&mail, "--x--\n");
	run_begin(&run, buf_view(&mail), ENVELOPE);
	assert_true(run.good);
	assert_true(noted(&run, "more than 1000 parts"));
	assert_true(quarantined(&run, "more parts than are read") == 1);
	assert_true(run.reading.part_count <= 1000);
	arena_free(&run.arena);
	buf_free(&mail);
}

static void test_no_mail_is_refused_whole(void **state)
{
	static const char *const inputs[] = {"", "\n\n", "no header here\n\nbody",
		"\x7f"
		"ELF: x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		struct run run;
		run_begin(&run, str_of(inputs[i]), ENVELOPE);
		assert_false(run.good);
		assert_int_equal(run.err.code, ERR_MALFORMED);
		arena_free(&run.arena);
	}
}

static void test_truncated_mail_lands_as_far_as_it_goes(void **state)
{
	struct run run;

	(void)state;
	run_begin(&run,
		STR("From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: "
		    "text/plain\n\nhost 203.0.113.44\n"
		    "--x\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: "
		    "base64\n\nTVqQAAMAAAAEAAA"),
		ENVELOPE);
	assert_true(run.good);
	assert_true(has(&run, OBSERVABLE_IP, "203.0.113.44"));
	assert_int_equal(quarantined(&run, "closing boundary is missing"), 1);
	arena_free(&run.arena);
}

static void test_our_own_addresses_are_no_observables(void **state)
{
	struct run run;

	(void)state;
	run_begin(&run,
		STR("Received: from x (bad.example [198.51.100.9])\nFrom: A <a@b.example>\nTo: "
		    "Report@CIRT.example\n\n"
		    "a@b.example report@cirt.example cirt.example other@c.example\n"),
		ENVELOPE);
	assert_true(run.good);
	assert_int_equal(run.reading.items[0].report.observable_count, 2);
	assert_int_equal(run.reading.items[0].report.observables[0].role, OBSERVED_REPORTER);
	assert_true(has(&run, OBSERVABLE_EMAIL, "other@c.example"));
	arena_free(&run.arena);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *mail, *envelope, *subkind;
	} samples[] = {
		{"From: a@b.example\nSubject: x\n\n", ENVELOPE, ""},
		{"From: a@b.example\nSubject: Re: [CIRT-EX 2026-000412] x\n\n", ENVELOPE, ""},
		{"From: a@b.example\nSubject: [CIRT-EX 2026-abc] x\n\n", ENVELOPE, ""},
		{"From: a@b.example\nIn-Reply-To: <x@y>\nSubject: Re: x\n\n", ENVELOPE, ""},
		{"From: MAILER-DAEMON@b.example\n\n", ENVELOPE, "bounce"},
		{"From: postmaster@b.example\n\n", "{\"from\":\"\"}", "bounce"},
		{"From: a@b.example\n\n", "{\"from\":\"\"}", ""},
		{"From: postmaster@b.example\nSubject: failure notice\n\n", ENVELOPE, "bounce"},
		{"From: postmaster@b.example\nSubject: an incident\n\n", ENVELOPE, ""},
		{"From: a@b.example\nSubject: failure notice\n\n", ENVELOPE, ""},
		{"From: <>\nSubject: Failure Notice\nReturn-Path: <>\n\n", ENVELOPE, "bounce"},
		{"From: no-reply@b.example\nSubject: Mail\nContent-Type: multipart/mixed; boundary=x\n\n"
		 "--x\n\nnot delivered\n--x\nContent-Type: message/rfc822\n\nSubject: y\n\nz\n--x--\n",
			"{\"from\":\"\"}", "bounce"},
		{"From: a@b.example\nAuto-Submitted: auto-replied (vacation)\n\n", ENVELOPE, "auto-reply"},
		{"From: a@b.example\nAuto-Submitted: no\nAuto-Submitted: auto-replied\n\n", ENVELOPE,
			"auto-reply"},
		{"From: a@b.example\nAuto-Submitted: auto-generated\n\n", ENVELOPE, ""},
		{"From: a@b.example\nX-Autoreply: yes\n\n", ENVELOPE, "auto-reply"},
		{"From: a@b.example\nPrecedence: bulk\nSubject: list\n\n", ENVELOPE, ""},
		{"From: a@b.example\nSubject: Automatische Antwort: Ihre Meldung\n\n", ENVELOPE,
			"auto-reply"},
		{"From: a@b.example\nSubject: Réponse automatique\u00a0: x\n\n", ENVELOPE, "auto-reply"},
		{"From: a@b.example\nSubject: Автоматический ответ: x\n\n", ENVELOPE, "auto-reply"},
		{"From: a@b.example\nSubject: =?utf-8?b?6Ieq5Yqo562U5aSNOiB4?=\n\n", ENVELOPE, "auto-reply"},
		{"From: a@b.example\nSubject: Automatic replying malware\n\n", ENVELOPE, ""},
		{"From: a@b.example\nSubject: Out of office\n\n", ENVELOPE, ""},
		{"From: a@b.example\nSubject: Out of office\nIn-Reply-To: <x@y>\n\n", ENVELOPE, "auto-reply"},
		{"From: a@b.example\nSubject: Abwesenheitsnotiz\n\n", "{\"from\":\"\"}", "auto-reply"},
		{"From: postmaster@b.example\nSubject: Unzustellbar: x\n\n", ENVELOPE, "bounce"},
		{"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: "
		 "message/disposition-notification\n\nReporting-UA: x\n--x--\n",
			ENVELOPE, "auto-reply"},
		{"From: a@b.example\nContent-Type: multipart/report; report-type=delivery-status; "
		 "boundary=x\n\n--x\n\n--x--\n",
			ENVELOPE, "bounce"},
		{"From: MAILER-DAEMON@b.example\nContent-Type: multipart/report; "
		 "report-type=feedback-report; boundary=x\n\n--x\n\n--x--\n",
			ENVELOPE, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct run run;
		run_begin(&run, str_of(samples[i].mail), samples[i].envelope);
		assert_true(run.good);
		assert_int_equal(
			run.reading.items[0].kind, samples[i].subkind[0] ? ITEM_CORRESPONDENCE : ITEM_REPORT);
		assert_true(str_equal(run.reading.items[0].subkind, str_of(samples[i].subkind)));
		arena_free(&run.arena);
	}
}

/* Whom an answer of ours would only make answer again, or nobody would read. */
static void test_machines_get_no_answer(void **state)
{
	static const struct {
		const char *mail, *envelope;
		bool machine;
	} samples[] = {
		{"From: a@b.example\nAuto-Submitted: no\nPrecedence: first-class\n\n", ENVELOPE, false},
		{"From: request@b.example\n\n", ENVELOPE, false},
		{"From: a@b.example\n\n", "{\"from\":\"\"}", true},
		{"From: a@b.example\nReturn-Path: <>\n\n", ENVELOPE, true},
		{"From: a@b.example\nAuto-Submitted: auto-generated\n\n", ENVELOPE, true},
		{"From: a@b.example\nAuto-Submitted: auto-replied (vacation)\n\n", ENVELOPE, true},
		{"From: a@b.example\nAuto-Submitted: no\nauto-submitted: auto-generated\n\n", ENVELOPE, true},
		{"From: a@b.example\nPrecedence: BULK\n\n", ENVELOPE, true},
		{"From: a@b.example\nPrecedence: list\n\n", ENVELOPE, true},
		{"From: a@b.example\nList-Id: <x.b.example>\n\n", ENVELOPE, true},
		{"From: a@b.example\nList-Unsubscribe: <https://b.example/>\n\n", ENVELOPE, true},
		{"From: a@b.example\nX-Auto-Response-Suppress: All\n\n", ENVELOPE, true},
		{"From: No-Reply@b.example\n\n", ENVELOPE, true},
		{"From: news-noreply@b.example\n\n", ENVELOPE, true},
		{"From: cert-list-request@b.example\n\n", ENVELOPE, true},
		{"From: a@b.example\n\n", "{\"from\":\"owner-list@b.example\"}", true},
		{"From: a@b.example\n\n", "{\"from\":\"list-bounces@b.example\"}", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct run run;
		run_begin(&run, str_of(samples[i].mail), samples[i].envelope);
		if (run.reading.items[0].letter.machine != samples[i].machine)
			fail_msg("%s", samples[i].mail);
		arena_free(&run.arena);
	}
}

#define BOUNCE_OF(status)                                                                              \
	"From: MAILER-DAEMON@b.example\nContent-Type: multipart/report; report-type=delivery-status; " \
	"boundary=x\n\n"                                                                               \
	"--x\n\nsorry\n--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; "             \
	"b.example\n\n" status "\n--x--\n"

/* One line a recipient whatever stands in it: words are split by blanks, lines by line ends. */
static void test_bounce_says_what_became_of_each(void **state)
{
	static const struct {
		const char *mail, *returned;
	} samples[] = {
		{BOUNCE_OF("Final-Recipient: rfc822; it@c.example\nAction: failed\nStatus: 5.1.1\n"
			   "Diagnostic-Code: smtp; 550 no such user\n"),
			"failed 5.1.1 it@c.example 550 no such user\n"},
		{BOUNCE_OF("Original-Recipient: rfc822;a b@c.example\nAction: delayed\n\n"
			   "Final-Recipient: rfc822; x@c.example\nAction: relayed\nStatus: 2.0.0\n"),
			"delayed - ab@c.example -\nrelayed 2.0.0 x@c.example -\n"},
		{BOUNCE_OF("Final-Recipient: rfc822; it@c.example\nAction: fai\x01led\nStatus: 5.1.1 (no "
			   "such)\n"
			   "Diagnostic-Code: smtp; a\n failed 5.1.1\n"),
			"failed 5.1.1(nosuch) it@c.example a failed 5.1.1\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct run run;
		struct str returned;
		run_begin(&run, str_of(samples[i].mail), ENVELOPE);
		returned = run.reading.items[0].letter.returned;
		if (!str_equal(returned, str_of(samples[i].returned)))
			fail_msg("%zu: " STR_FMT, i, STR_ARG(returned));
		arena_free(&run.arena);
	}
}

static void test_tlp(void **state)
{
	static const struct {
		const char *mail;
		enum tlp tlp;
	} samples[] = {
		{"From: a@b.example\nSubject: x\n\nhello TLP:RED inside\n", TLP_UNSTATED},
		{"From: a@b.example\nSubject: [tlp:amber+strict] x\n\n", TLP_AMBER_STRICT},
		{"From: a@b.example\nSubject: TLP:GREEN, x\n\nTLP:RED\n\nbody\n", TLP_RED},
		{"From: a@b.example\nSubject: TLP:WHITE\n\n", TLP_CLEAR},
		{"From: a@b.example\nSubject: TLP:MAUVE\n\n", TLP_UNSTATED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct run run;
		run_begin(&run, str_of(samples[i].mail), ENVELOPE);
		assert_int_equal(run.reading.items[0].report.tlp, samples[i].tlp);
		arena_free(&run.arena);
	}
}

static void test_header_words(void **state)
{
	static const char *const samples[][2] = {
		{"=?utf-8?q?a_b=3D?=", "a b="},
		{"=?utf-8?b?w7w=?= =?utf-8?b?w7w=?=", "\xc3\xbc\xc3\xbc"},
		{"=?utf-8?b?w7?=\r\n =?utf-8?b?w=?=", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"=?utf-8?b?wy==?==?utf-8?b?vA==?=", "\xc3\xbc"},
		{"a =?iso-8859-1*de?q?=FC?= b", "a \xc3\xbc b"},
		{"folded\r\n line", "folded line"},
		{"=?broken", "=?broken"},
	};
	struct arena *arena = arena_new(4096);
	struct charset_outcome outcome;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		if (i != 2) /* a character cut inside base64 is lost whatever is done: it only must not break
		               anything */
			assert_true(
				str_equal(header_text(str_of(samples[i][0]), STR_NONE, arena, &outcome, NULL),
					str_of(samples[i][1])));
		else
			assert_true(utf8_valid(
				header_text(str_of(samples[i][0]), STR_NONE, arena, &outcome, NULL)));
	arena_free(&arena);
}

static void test_trap_07_a_raw_subject_is_read_as_the_text_is(void **state)
{
	static const struct {
		const char *mail, *title;
		bool borrowed;
	} samples[] = {
		{"From: a@b.example\nSubject: \xf3\xd0\xc1\xcd\nContent-Type: text/plain; "
		 "charset=koi8-r\n\nx\n",
			"Спам", true},
		{"From: a@b.example\nSubject: \xcf\xf0\xe8\nContent-Type: multipart/mixed; "
		 "boundary=b\n\n--b\n"
		 "Content-Type: text/html; charset=windows-1251\n\nx\n--b--\n",
			"При", true},
		{"From: a@b.example\nSubject: Спам\nContent-Type: text/plain; charset=koi8-r\n\nx\n", "Спам",
			false},
		{"From: a@b.example\nSubject: caf\xe9\nContent-Type: text/plain; charset=utf-8\n\nx\n",
			"café", false},
		{"From: a@b.example\nSubject: caf\xe9\nContent-Type: text/plain; charset=x-none\n\nx\n",
			"café", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct run run;
		run_begin(&run, str_of(samples[i].mail), ENVELOPE);
		assert_true(str_equal(run.reading.items[0].report.title, str_of(samples[i].title)));
		assert_int_equal(
			noted(&run, "Subject: no charset: read in that of the text"), samples[i].borrowed);
		arena_free(&run.arena);
	}
}

static bool leave_all_out(struct reading *reading, uint32_t item, struct str *reason)
{
	(void)reading;
	(void)item;
	*reason = STR("crashed twice");
	return true;
}

static void test_html_beside_a_harmless_plain_text_is_scanned(void **state)
{
	struct run run;
	bool scanned = false;

	(void)state;
	run_begin(&run,
		STR("From: a@b.example\nContent-Type: multipart/alternative; "
		    "boundary=x\n\n--x\nContent-Type: "
		    "text/plain\n\nPlease view this message as HTML.\n"
		    "--x\nContent-Type: text/html\n\n<p>your account has been <b>suspended</b></p>\n--x--\n"),
		ENVELOPE);
	assert_true(run.good);
	for (size_t i = 0; i < run.reading.part_count; i++)
		scanned |= str_starts(
			str_trim(run.reading.parts[i].bytes), STR("your account has been suspended"));
	assert_true(scanned);
	arena_free(&run.arena);
}

static void test_item_left_out_is_quarantined_whole(void **state)
{
	struct arena *arena = arena_new(4096);
	struct reading reading = {
		.arena = arena, .limits = &reading_limits_default, .left_out = leave_all_out};
	struct str mail = STR("From: a@b.example\n\nbody\n");

	(void)state;
	assert_true(mail_read(&reading, mail, STR(ENVELOPE), NULL));
	assert_int_equal(reading.item_count, 1);
	assert_int_equal(reading.items[0].kind, ITEM_QUARANTINED);
	assert_true(str_equal(reading.items[0].bytes, mail));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trap_07_charsets_are_converted_and_never_silently),
		cmocka_unit_test(test_trap_07_an_unknown_charset_is_a_note),
		cmocka_unit_test(test_trap_28_long_header_does_not_reach_gmime),
		cmocka_unit_test(test_trap_28_long_header_section),
		cmocka_unit_test(test_trap_28_deep_mime_is_quarantined_as_a_part),
		cmocka_unit_test(test_many_parts),
		cmocka_unit_test(test_no_mail_is_refused_whole),
		cmocka_unit_test(test_truncated_mail_lands_as_far_as_it_goes),
		cmocka_unit_test(test_our_own_addresses_are_no_observables),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_machines_get_no_answer),
		cmocka_unit_test(test_bounce_says_what_became_of_each),
		cmocka_unit_test(test_tlp),
		cmocka_unit_test(test_header_words),
		cmocka_unit_test(test_trap_07_a_raw_subject_is_read_as_the_text_is),
		cmocka_unit_test(test_html_beside_a_harmless_plain_text_is_scanned),
		cmocka_unit_test(test_item_left_out_is_quarantined_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
