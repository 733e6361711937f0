#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "wire/smtp.h"
#include "wire/smtp_path.h"

/* A host that takes mail for *@here.example, and writes down all that the machine says. */
struct host {
	struct smtp *smtp;
	struct buf in;
	struct buf replies;
	struct buf mail; /* the mail that is coming */
	struct buf kept; /* "from|to,to,|bytes\n" per mail taken */
	struct buf to;
	bool coming;
	bool tls;
	bool closed;
	bool full;    /* no room when asked */
	bool failing; /* the spool goes while bytes come */
	size_t steps;
};

static const struct smtp_reply ok = {250, "2.1.5", "ok"};
static const struct smtp_reply go = {354, NULL, "go"};
static const struct smtp_reply unknown = {550, "5.1.1", "unknown"};
static const struct smtp_reply full = {452, "4.3.1", "full"};
static const struct smtp_reply lost = {451, "4.3.0", "lost"};

static void host_take(struct host *host)
{
	static const struct smtp_reply queued = {250, "2.0.0", "queued"};
	size_t due = smtp_answers_due(host->smtp);

	buf_str(&host->kept, smtp_sender(host->smtp));
	buf_printf(&host->kept, "|%.*s|%.*s\n", (int)host->to.len, host->to.data, (int)host->mail.len,
		host->mail.data);
	host->coming = false;
	while (due-- > 0)
		smtp_answer(host->smtp, &queued);
}

static bool host_act(struct host *host)
{
	struct smtp_event event;

	assert_true(++host->steps < 10000000);
	switch (smtp_step(host->smtp, &host->in, &event)) {
	case SMTP_RECIPIENT:
		if (str_ends(event.bytes, STR("@here.example"))) {
			buf_str(&host->to, event.bytes);
			buf_char(&host->to, ',');
			smtp_answer(host->smtp, &ok);
		} else {
			smtp_answer(host->smtp, &unknown);
		}
		return true;
	case SMTP_BEGIN:
		buf_clear(&host->mail);
		host->coming = !host->full;
		smtp_answer(host->smtp, host->full ? &full : &go);
		return true;
	case SMTP_BYTES:
		assert_true(host->coming);
		buf_str(&host->mail, event.bytes);
		if (host->failing)
			smtp_spoil(host->smtp, &lost);
		return true;
	case SMTP_END:
		assert_true(host->coming);
		host_take(host);
		return true;
	case SMTP_DROP:
		assert_true(host->coming);
		host->coming = false;
		return true;
	case SMTP_RESET:
		buf_clear(&host->to);
		return true;
	case SMTP_TLS:
		host->tls = true;
		smtp_tls_started(host->smtp);
		return false;
	case SMTP_CLOSE:
		host->closed = true;
		return false;
	case SMTP_WAITING:
		fail_msg("a question was left unanswered");
	case SMTP_MORE:
		break;
	}
	return false;
}

static void host_start(struct host *host, bool lmtp)
{
	static const struct smtp_settings settings = {
		.hostname = "mx.here.example", .max_size = 1000, .max_recipients = 4, .starttls = true};
	struct smtp_settings own = settings;

	own.lmtp = lmtp;
	*host = (struct host){0};
	host->smtp = smtp_new(&own);
}

static void host_end(struct host *host)
{
	smtp_free(&host->smtp);
	buf_free(&host->in);
	buf_free(&host->replies);
	buf_free(&host->mail);
	buf_free(&host->kept);
	buf_free(&host->to);
}

/* Give bytes in pieces of `step`. */
static void host_give(struct host *host, struct str bytes, size_t step)
{
	while (bytes.len > 0 && !host->closed) {
		size_t piece = bytes.len < step ? bytes.len : step;

		buf_append(&host->in, bytes.p, piece);
		bytes = (struct str){bytes.p + piece, bytes.len - piece};
		while (!host->closed && host_act(host))
			continue;
	}
	buf_str(&host->replies, buf_view(smtp_output(host->smtp)));
	buf_clear(smtp_output(host->smtp));
}

/* The codes of all replies, "220 250 …"; the lines of a long one once. */
static const char *codes(struct host *host)
{
	static char text[4096];
	struct str rest = buf_view(&host->replies);
	struct str line;
	size_t at = 0;

	text[0] = '\0';
	while (str_split(&rest, '\n', &line) && line.len > 4 && at + 8 < sizeof(text)) {
		if (line.p[3] == ' ')
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%.3s", at ? " " : "", line.p);
	}
	return text;
}

static const char *kept(struct host *host)
{
	return buf_cstr(&host->kept);
}

/* Run a dialogue whole and byte by byte: both must give the same replies and mails. */
static void expect(bool lmtp, struct str bytes, const char *replies, const char *mails)
{
	for (size_t step = 1; step < 100000; step = step * 7 + 1) {
		struct host host;

		host_start(&host, lmtp);
		host_give(&host, bytes, step);
		assert_string_equal(codes(&host), replies);
		assert_string_equal(kept(&host), mails);
		host_end(&host);
	}
}

#define EHLO "EHLO a.example\r\n"
#define LHLO "LHLO a.example\r\n"
#define MAIL "MAIL FROM:<x@a.example>\r\n"
#define RCPT "RCPT TO:<report@here.example>\r\n"
#define QUIT "QUIT\r\n"
#define FORM(literal)                          \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

static void test_greeting_offers_the_extensions(void **state)
{
	struct host host;

	(void)state;
	host_start(&host, true);
	host_give(&host, STR(LHLO), 100);
	assert_string_equal(buf_cstr(&host.replies),
		"220 mx.here.example LMTP cirtd\r\n"
		"250-mx.here.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE 1000\r\n"
		"250-STARTTLS\r\n250 ENHANCEDSTATUSCODES\r\n");
	host_end(&host);
}

static void test_pipelined_mail_is_taken(void **state)
{
	(void)state;
	expect(false, STR(EHLO MAIL RCPT "DATA\r\nhello\r\n.\r\n" QUIT), "220 250 250 250 354 250 221",
		"x@a.example|report@here.example,|hello\r\n\n");
	expect(false, STR("helo a\r\nmail from:<>\r\nrcpt to:<report@here.example>\r\ndata\r\n.\r\nquit\r\n"),
		"220 250 250 250 354 250 221", "|report@here.example,|\n");
}

static void test_lmtp_replies_per_recipient_even_for_the_same_twice(void **state)
{
	(void)state;
	expect(true,
		STR(LHLO MAIL RCPT "RCPT TO:<no@there.example>\r\n" RCPT "DATA\r\nx\r\n.\r\nNOOP\r\n" QUIT),
		"220 250 250 250 550 250 354 250 250 250 221",
		"x@a.example|report@here.example,report@here.example,|x\r\n\n");
}

static void test_data_without_recipient_is_503(void **state)
{
	(void)state;
	expect(true,
		STR(LHLO MAIL "DATA\r\n"
			      "RCPT TO:<no@there.example>\r\nDATA\r\n" QUIT),
		"220 250 250 503 550 503 221", "");
	expect(false, STR(EHLO "DATA\r\n" RCPT MAIL MAIL QUIT), "220 250 503 503 250 503 221", "");
	expect(false, STR(MAIL QUIT), "220 503 221", "");
}

static void test_each_protocol_has_its_own_greeting(void **state)
{
	(void)state;
	expect(true, STR(EHLO "HELO x\r\n" LHLO QUIT), "220 500 500 250 221", "");
	expect(false, STR(LHLO EHLO QUIT), "220 500 250 221", "");
}

static void test_dots_are_unstuffed(void **state)
{
	(void)state;
	expect(false, STR(EHLO MAIL RCPT "DATA\r\n..\r\n...a\r\n.b\r\nc.\r\n.\r\n" QUIT),
		"220 250 250 250 354 250 221", "x@a.example|report@here.example,|.\r\n..a\r\nb\r\nc.\r\n\n");
}

/* Whatever another server may have taken for an end of data: the mail is refused, and what follows it is no
 * command. */
static void test_nothing_is_smuggled(void **state)
{
	static const struct str forms[] = {FORM("\n.\n"), FORM("\n.\r\n"), FORM("\r\n.\n"), FORM("\r.\r"),
		FORM("\r.\r\n"), FORM("\r\n.\r"), FORM("\n.\r"), FORM("\r\n.\r\r\n"), FORM("\r.\n"),
		FORM("\r\r.\r\n"), FORM("\r\n\0.\r\n"), FORM("\r\n.\0\r\n"), FORM("\n\0.\0\n"),
		FORM("\r\0\n.\r\n"), FORM("\n\n.\r\n"), FORM("\r\n.\r."), FORM("\n.\r\r\n")};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		for (size_t step = 1; step < 2000; step += 37) {
			struct buf text = {0};
			struct host host;
			bool lmtp = step % 2 == 0;
			buf_text(&text, lmtp ? LHLO MAIL RCPT RCPT "DATA\r\na" : EHLO MAIL RCPT "DATA\r\na");
			buf_str(&text, forms[i]);
			buf_text(&text,
				MAIL RCPT "DATA\r\nsmuggled\r\n.\r\n" MAIL RCPT "DATA\r\nnext\r\n.\r\n" QUIT);
			host_start(&host, lmtp);
			host_give(&host, buf_view(&text), step);
			assert_string_equal(
				codes(&host), lmtp ? "220 250 250 250 250 354 554 554 250 250 354 250 221"
						   : "220 250 250 250 354 554 250 250 354 250 221");
			assert_string_equal(kept(&host), "x@a.example|report@here.example,|next\r\n\n");
			host_end(&host);
			buf_free(&text);
		}
	}
}

/* Dots of a sentence, of a list and stuffed ones smuggle nothing, whatever line ends stand near. */
static void test_dots_that_smuggle_nothing(void **state)
{
	static const char *const texts[] = {"a.\nb", "\n..\n", "\n.a\n", "\n. \n", "a\r\n..\r\nb", ".\n",
		"a\n\r\nb", "\n...\r\n", "\r\r\r\n\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buf text = {0};
		struct host host;
		buf_printf(&text, EHLO MAIL RCPT "DATA\r\nx%s\r\n.\r\n" QUIT, texts[i]);
		host_start(&host, false);
		host_give(&host, buf_view(&text), 1);
		assert_string_equal(codes(&host), "220 250 250 250 354 250 221");
		host_end(&host);
		buf_free(&text);
	}
}

static void test_bare_line_ends_in_data_are_kept(void **state)
{
	(void)state;
	expect(false, STR(EHLO MAIL RCPT "DATA\r\na\nb\rc\r\r\nd\r\n.e\r\n.\r\n" QUIT),
		"220 250 250 250 354 250 221", "x@a.example|report@here.example,|a\nb\rc\r\r\nd\r\ne\r\n\n");
}

static void test_bare_line_ends_in_commands_end_the_session(void **state)
{
	(void)state;
	expect(false, STR("EHLO a\nMAIL FROM:<x@a.example>\r\n"), "220 500", "");
	expect(false, STR("EHLO a\rMAIL FROM:<x@a.example>\r\n"), "220 500", "");
	expect(false, STR(EHLO "NOOP\r\r\n" QUIT), "220 250 500", "");
}

static void test_size_is_refused_early_and_late(void **state)
{
	struct buf text = {0};
	struct host host;

	(void)state;
	expect(true,
		STR(LHLO "MAIL FROM:<x@a.example> SIZE=1001\r\nMAIL FROM:<x@a.example> SIZE=1000 "
			 "BODY=8BITMIME\r\n" QUIT),
		"220 250 552 250 221", "");
	buf_text(&text, LHLO MAIL RCPT RCPT "DATA\r\n");
	for (int i = 0; i < 200; i++)
		buf_text(&text, "0123456\r\n");
	buf_text(&text, ".\r\n" MAIL RCPT "DATA\r\nsmall\r\n.\r\n" QUIT);
	expect(true, buf_view(&text), "220 250 250 250 250 354 552 552 250 250 354 250 221",
		"x@a.example|report@here.example,|small\r\n\n");
	host_start(&host, true);
	host_give(&host, buf_view(&text), 11);
	assert_non_null(strstr(buf_cstr(&host.replies), "552 5.3.4 "));
	host_end(&host);
	buf_free(&text);
}

static void test_closed_doors_say_452(void **state)
{
	struct host host;

	(void)state;
	host_start(&host, true);
	smtp_hold(host.smtp, &full);
	host_give(&host, STR(LHLO MAIL "RSET\r\n"), 5);
	assert_string_equal(codes(&host), "220 250 452 250");
	smtp_hold(host.smtp, NULL);
	host.full = true;
	host_give(&host, STR(MAIL RCPT "DATA\r\nRSET\r\n"), 5);
	assert_string_equal(codes(&host), "220 250 452 250 250 250 452 250");
	host.full = false;
	host_give(&host, STR(MAIL RCPT "DATA\r\nx\r\n.\r\n"), 5);
	assert_string_equal(kept(&host), "x@a.example|report@here.example,|x\r\n\n");
	host_end(&host);
}

static void test_a_spool_lost_in_flight_is_451_for_each_recipient(void **state)
{
	struct host host;

	(void)state;
	host_start(&host, true);
	host.failing = true;
	host_give(&host, STR(LHLO MAIL RCPT RCPT "DATA\r\none\r\ntwo\r\n.\r\n" QUIT), 6);
	assert_string_equal(codes(&host), "220 250 250 250 250 354 451 451 221");
	assert_string_equal(kept(&host), "");
	host_end(&host);
}

static void test_starttls_forgets_and_takes_nothing_along(void **state)
{
	struct host host;

	(void)state;
	host_start(&host, false);
	host_give(&host, STR(EHLO MAIL "STARTTLS\r\n"), 1000);
	assert_true(host.tls);
	host_give(&host, STR(MAIL EHLO MAIL "STARTTLS\r\n"), 1000);
	assert_string_equal(codes(&host), "220 250 250 220 503 250 250 503");
	assert_null(strstr(strstr(buf_cstr(&host.replies), "220 2.0.0"), "250-STARTTLS"));
	host_end(&host);
	host_start(&host, false);
	host_give(&host, STR(EHLO "STARTTLS\r\n" MAIL), 1000);
	assert_true(host.closed && !host.tls);
	host_end(&host);
}

static void test_recipients_and_mistakes_are_counted(void **state)
{
	struct buf text = {0};

	(void)state;
	expect(true, STR(LHLO MAIL RCPT RCPT RCPT RCPT RCPT QUIT), "220 250 250 250 250 250 250 452 221", "");
	for (int i = 0; i < 30; i++)
		buf_text(&text, "WHAT\r\n");
	expect(false, buf_view(&text),
		"220 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 421",
		"");
	buf_free(&text);
}

static void test_long_commands_are_skipped(void **state)
{
	struct buf text = {0};

	(void)state;
	buf_text(&text, EHLO "NOOP ");
	for (int i = 0; i < 5000; i++)
		buf_char(&text, 'x');
	buf_text(&text, "\r\nNOOP\r\n" QUIT);
	expect(false, buf_view(&text), "220 250 500 250 221", "");
	buf_free(&text);
}

static void test_parameters_and_addresses(void **state)
{
	(void)state;
	expect(false,
		STR(EHLO
			"MAIL FROM:<x@a.example> FOO=1\r\nMAIL FROM:x@a.example\r\nMAIL FROM:<x@a.example\r\n"
			"MAIL FROM:<\xc3\xa4@a.example>\r\nMAIL FROM:<\xc3\xa4@a.example> SMTPUTF8\r\n"
			"RCPT TO:<\xff@here.example>\r\nRCPT TO:<>\r\nRCPT TO:<report@here.example> "
			"NOTIFY=NEVER\r\n" QUIT),
		"220 250 555 501 501 553 250 501 501 555 221", "");
}

static void test_paths(void **state)
{
	static const struct {
		const char *text;
		const char *address; /* NULL: refused */
	} cases[] = {{"<>", ""}, {" <a@b>", "a@b"}, {"<a@b> SIZE=1", "a@b"}, {"<@x,@y:a@b>", "a@b"},
		{"<\"a>b\"@c>", "\"a>b\"@c"}, {"<\"a@b\"@c>", "\"a@b\"@c"}, {"<postmaster>", "postmaster"},
		{"<a b@c>", NULL}, {"<a@>", NULL}, {"<@b>", NULL}, {"<a@b@c>", NULL}, {"<\"a@b>", NULL},
		{"<a@b>c", NULL}, {"a@b", NULL}, {"<a@b", NULL}, {"<a\x01@b>", NULL}, {"<a\x7f@b>", NULL},
		{"", NULL}, {"<", NULL}, {"<<a@b>>", NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str rest = str_of(cases[i].text);
		struct str address;
		bool taken = smtp_path(&rest, false, &address);

		assert_int_equal(taken, cases[i].address != NULL);
		if (taken)
			assert_true(str_equal(address, str_of(cases[i].address)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greeting_offers_the_extensions),
		cmocka_unit_test(test_pipelined_mail_is_taken),
		cmocka_unit_test(test_lmtp_replies_per_recipient_even_for_the_same_twice),
		cmocka_unit_test(test_data_without_recipient_is_503),
		cmocka_unit_test(test_each_protocol_has_its_own_greeting),
		cmocka_unit_test(test_dots_are_unstuffed),
		cmocka_unit_test(test_nothing_is_smuggled),
		cmocka_unit_test(test_dots_that_smuggle_nothing),
		cmocka_unit_test(test_bare_line_ends_in_data_are_kept),
		cmocka_unit_test(test_bare_line_ends_in_commands_end_the_session),
		cmocka_unit_test(test_size_is_refused_early_and_late),
		cmocka_unit_test(test_closed_doors_say_452),
		cmocka_unit_test(test_a_spool_lost_in_flight_is_451_for_each_recipient),
		cmocka_unit_test(test_starttls_forgets_and_takes_nothing_along),
		cmocka_unit_test(test_recipients_and_mistakes_are_counted),
		cmocka_unit_test(test_long_commands_are_skipped),
		cmocka_unit_test(test_parameters_and_addresses),
		cmocka_unit_test(test_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
