#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "wire/auth_results.h"
#include "wire/envelope_facts.h"
#include "wire/letter.h"
#include "wire/reading.h"
#include "wire/spam_verdict.h"

static const struct str hop_list[] = {
	{"mx.cirt.example", 15}, {"filter.cirt.example", 19}, {"192.0.2.0/28", 12}};
static const struct spam_hops hops = {hop_list, ARRAY_LEN(hop_list)};

static void assert_text(struct str found, const char *expected)
{
	if (!str_equal(found, str_of(expected)))
		fail_msg("found \"" STR_FMT "\", expected \"%s\"", STR_ARG(found), expected);
}

static void test_replies(void **state)
{
	static const struct {
		const char *in_reply_to, *references, *replies;
	} samples[] = {
		{"", "", ""},
		{"<a@b>", "", "a@b"},
		{"<a@b>", "<x@y> <z@y> <a@b>", "a@b z@y x@y"},
		{"", "<x@y>\r\n\t<z@\r\n y>", "z@y x@y"},
		{"Your mail of Monday <a@b> (kept)", "garbage <noat> <> <@> a@b", "a@b"},
		{"<<<a@b>>>", "<c@d", "a@b"},
		{"<a@b", "<c@d>", "c@d"},
		{"a@b", "", "a@b"},
		{"a@b", "x@y\r\n\tz@y, a@b", "a@b z@y x@y"},
		{"Your mail of Monday, 9:00 @ noon", "@b a@ a@@b a@b@c", ""},
	};
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		assert_text(
			letter_replies(str_of(samples[i].in_reply_to), str_of(samples[i].references), arena),
			samples[i].replies);
	arena_free(&arena);
}

/* A reference list of a megabyte costs a megabyte's time, and gives the nearest. */
static void test_replies_many(void **state)
{
	struct arena *arena = arena_new(4096);
	struct buf list = {0};

	(void)state;
	for (int i = 0; i < 50000; i++)
		buf_printf(&list, "<%d@b.example> ", i);
	struct str replies = letter_replies(STR_NONE, buf_view(&list), arena);
	assert_true(str_starts(replies, STR("49999@b.example 49998@b.example ")));
	assert_true(str_ends(replies, STR(" 49980@b.example")));
	buf_clear(&list);
	for (int i = 0; i < 1000000; i++)
		buf_char(&list, i % 2 ? '>' : '<');
	assert_int_equal(letter_replies(STR_NONE, buf_view(&list), arena).len, 0);
	buf_free(&list);
	arena_free(&arena);
}

static void test_tags(void **state)
{
	static const struct {
		const char *subject, *tags;
	} samples[] = {
		{"no tag", ""},
		{"Re: [CIRT-XX 2026-000412] [BANK #5512] phishing wave", "CIRT-XX 2026-000412\nBANK #5512\n"},
		{"[[nested] x]", "nested\n"},
		{"[] [ ] [open", ""},
		{"[1] [2] [3] [4] [5] [6] [7] [8] [9]", "1\n2\n3\n4\n5\n6\n7\n8\n"},
	};
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		assert_text(letter_tags(str_of(samples[i].subject), arena), samples[i].tags);
	arena_free(&arena);
}

#define FROM_OUTSIDE "Received: from x (unknown [203.0.113.9]) by mx.cirt.example (Postfix); date\n"
#define FROM_FILTER  "Received: from f (filter.cirt.example [192.0.2.3])\n\tby mx.cirt.example; date\n"
#define FORGED       "Received: from f (filter.cirt.example [192.0.2.3]) by evil.example; date\n"

static void test_verdicts(void **state)
{
	static const struct {
		const char *header, *verdict;
	} samples[] = {
		{"X-Spam-Flag: YES\n", "SpamAssassin"},
		{"X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=7.1 required=5.0 tests=A,\r\n\tB\r\n",
			"SpamAssassin 7.1 of 5.0"},
		{"X-Spam: Yes\n", "rspamd"},
		{"X-Spam: No\nX-Spam-Status: No, score=-1\nX-Spamd-Result: default: False [1.2 / 15.00]\n",
			""},
		{"X-Spamd-Result: default: True [15.20 / 15.00]; BAYES_SPAM(5.10)\n",
			"rspamd 15.20 of 15.00"},
		{"X-Rspamd-Action: add header\n", "rspamd"},
		{"X-Rspamd-Action: no action\nX-Rspamd-Action: greylist\nX-Rspamd-Score: 99\n", ""},
		{"X-Spam: Yesterday\nX-Spam-Level: ******\n", ""},
		{FROM_OUTSIDE "X-Spam: Yes\n", "rspamd"},
		{FROM_OUTSIDE FROM_OUTSIDE "X-Spam: Yes\n", ""},
		{FROM_OUTSIDE "Received: from a by mx.cirt.example\nX-Spam: Yes\n", ""},
		{FROM_FILTER "X-Spam: Yes\n" FROM_OUTSIDE, "rspamd"},
		{FROM_FILTER "Received: from y (y [203.0.113.1]) by filter.cirt.example.\nX-Spam: Yes\n",
			"rspamd"},
		{FORGED "X-Spam: Yes\n", ""},
		{FROM_FILTER FORGED "X-Spam: Yes\n", ""},
		{"Received: from localhost (localhost [127.0.0.1]) by MX.cirt.example "
		 "(Postfix)\n" FROM_OUTSIDE "X-Spam: Yes\n",
			"rspamd"},
		{"Received: from [192.0.2.3] (evil [203.0.113.7]) by mx.cirt.example\n" FROM_OUTSIDE
		 "X-Spam: Yes\n",
			""},
		{"Received: by mx.cirt.example (Postfix, from userid 7)\nX-Spam: Yes\n" FROM_OUTSIDE,
			"rspamd"},
		{"Subject: x\n\nX-Spam: Yes\n", ""},
	};
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		assert_text(spam_verdict(&hops, str_of(samples[i].header), arena), samples[i].verdict);
	assert_null(spam_verdict(&(struct spam_hops){hop_list, 0}, STR("X-Spam: Yes\n"), arena).p);
	arena_free(&arena);
}

#define AR "Authentication-Results: "

/* Who sent it is true only as far as a server of ours says so, about the address that people see. */
static void test_dmarc_counts_from_our_own_servers_only(void **state)
{
	static const struct {
		const char *header, *result;
	} samples[] = {
		{AR "mx.cirt.example; dmarc=pass header.from=bank.example\n" FROM_OUTSIDE
		    "From: a@bank.example\n",
			"pass"},
		{FROM_OUTSIDE AR "MX.cirt.example 1; spf=pass smtp.mailfrom=x.example;\n\tdmarc = Pass "
				 "(p=reject; \"x\") "
				 "header.from=BANK.example\nFrom: a@bank.example\n",
			"pass"},
		{AR "mx.cirt.example; dmarc=fail (p=none) header.from=bank.example\n" FROM_OUTSIDE
		    "From: a@bank.example\n",
			"fail"},
		/* another's server, another's domain, another method, a comment, a quoted word */
		{FROM_OUTSIDE AR
			"mx.evil.example; dmarc=pass header.from=bank.example\nFrom: a@bank.example\n",
			""},
		{AR "mx.cirt.example; dmarc=pass header.from=evil.example\n" FROM_OUTSIDE
		    "From: a@bank.example\n",
			""},
		{AR "mx.cirt.example; dmarc=pass\n" FROM_OUTSIDE "From: a@bank.example\n", ""},
		{AR "mx.cirt.example; dkim=pass header.d=bank.example\n" FROM_OUTSIDE
		    "From: a@bank.example\n",
			""},
		{AR "mx.cirt.example; spf=fail (dmarc=pass header.from=bank.example) x=y\n" FROM_OUTSIDE
		    "From: a@bank.example\n",
			""},
		{AR "mx.cirt.example; spf=pass smtp.mailfrom=\"x; dmarc=pass "
		    "header.from=bank.example\"\n" FROM_OUTSIDE "From: a@bank.example\n",
			""},
		/* below what came in from outside */
		{FROM_OUTSIDE FROM_OUTSIDE AR
			"mx.cirt.example; dmarc=pass header.from=bank.example\nFrom: a@bank.example\n",
			""},
		/* our server's word above one that the sender wrote in its name */
		{AR "mx.cirt.example; dmarc=fail header.from=bank.example\n" FROM_OUTSIDE AR
		    "mx.cirt.example; dmarc=pass header.from=bank.example\nFrom: a@bank.example\n",
			""},
		/* which one was looked at? */
		{AR "mx.cirt.example; dmarc=pass header.from=bank.example\n" FROM_OUTSIDE
		    "From: a@bank.example\nFrom: b@evil.example\n",
			""},
		{AR ";;;=(((\n" AR "mx.cirt.example;=;dmarc;dmarc=\n" FROM_OUTSIDE "From: a@bank.example\n",
			""},
		{"\nFrom: a@bank.example\n" AR "mx.cirt.example; dmarc=pass header.from=bank.example\n", ""},
	};
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		assert_text(auth_dmarc(&hops, str_of(samples[i].header), STR("a@bank.example"), arena),
			samples[i].result);
	assert_text(auth_dmarc(&hops, str_of(samples[0].header), STR("nobody"), arena), "");
	assert_text(auth_dmarc(&(struct spam_hops){hop_list, 0}, str_of(samples[0].header),
			    STR("a@bank.example"), arena),
		"");
	arena_free(&arena);
}

static void test_peers(void **state)
{
	(void)state;
	assert_true(spam_peer_trusted(&hops, STR("unix")));
	assert_true(spam_peer_trusted(&hops, STR("192.0.2.3:4711")));
	assert_false(spam_peer_trusted(&hops, STR("192.0.2.77:4711")));
	assert_false(spam_peer_trusted(&hops, STR("[2001:db8::1]:25")));
	assert_false(spam_peer_trusted(&hops, STR("")));
	assert_false(spam_peer_trusted(&(struct spam_hops){hop_list, 0}, STR("unix")));
}

/* What the whole reader makes of it: the verdict counts only where a trusted server brought the mail. */
static void test_who_brings_it(void **state)
{
	static const struct {
		const char *envelope, *verdict;
	} samples[] = {
		{"{\"door\":\"lmtp\",\"peer\":\"unix\",\"from\":\"\"}", "rspamd"},
		{"{\"door\":\"smtp\",\"peer\":\"192.0.2.3:25\",\"from\":\"a@b.example\"}", "rspamd"},
		{"{\"door\":\"smtp\",\"peer\":\"203.0.113.9:25\",\"from\":\"a@b.example\"}", ""},
		{"{\"door\":\"submit\",\"peer\":\"unix\"}", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct arena *arena = arena_new(65536);
		struct reading reading = {.arena = arena, .limits = &reading_limits_default, .hops = &hops};
		struct err err;

		assert_true(mail_read(&reading,
			STR("X-Spam: Yes\nFrom: A <A@b.example>\nMessage-ID: < 1@b.example >\nSubject: [x] "
			    "=?utf-8?q?=5By=5D?=\n"
			    "References: <0@b.example>\n\nhello\n"),
			str_of(samples[i].envelope), &err));
		const struct letter *letter = &reading.items[0].letter;
		assert_true(letter->is_mail);
		assert_text(letter->spam, samples[i].verdict);
		assert_text(letter->sender, "A@b.example");
		assert_text(letter->id, "1@b.example");
		assert_text(letter->replies, "0@b.example");
		assert_text(letter->tags, "x\ny\n");
		arena_free(&arena);
	}
}

static void test_envelope(void **state)
{
	struct arena *arena = arena_new(1024);
	struct envelope_facts facts;

	(void)state;
	assert_true(envelope_read(
		STR("{\"door\":\"lmtp\",\"peer\":\"unix\",\"from\":\"\",\"to\":[\"a@b\",7,\"c@d\"]}"), arena,
		&facts));
	assert_true(facts.has_from && facts.from.len == 0);
	assert_int_equal(facts.to_count, 2);
	assert_text(facts.to[1], "c@d");
	assert_true(envelope_read(STR("{\"to\":\"a@b\"}"), arena, &facts));
	assert_int_equal(facts.to_count, 1);
	assert_false(facts.has_from);
	assert_false(envelope_read(STR("[1]"), arena, &facts));
	assert_false(envelope_read(STR("{"), arena, &facts));
	assert_false(envelope_read(STR(""), arena, &facts));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_replies_many),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_dmarc_counts_from_our_own_servers_only),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_who_brings_it),
		cmocka_unit_test(test_envelope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
