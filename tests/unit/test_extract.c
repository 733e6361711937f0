#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "wire/reading.h"
#include "wire/spam_verdict.h"

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
	bool good;

	run_begin(&run, str_of(text));
	for (size_t i = 0; i < run.report->observable_count; i++)
		buf_printf(&found, "%s " STR_FMT "\n", observable_type_name(run.report->observables[i].type),
			STR_ARG(run.report->observables[i].value));
	if (!str_equal(buf_view(&found), str_of(wanted)))
		print_error("in \"%s\"\nfound:\n%swanted:\n%s", text, buf_cstr(&found), wanted);
	good = str_equal(buf_view(&found), str_of(wanted));
	buf_free(&found);
	arena_free(&run.arena);
	assert_true(good);
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

/* Browsers go there: IDNA reads them as ASCII. */
static void test_letters_and_digits_of_full_width(void **state)
{
	(void)state;
	expect("http://ｅｖｉｌ．example．org/x", "url http://evil.example.org/x\nname evil.example.org\n");
	expect("http://１９８．５１．１００．７/a", "url http://198.51.100.7/a\nip 198.51.100.7\n");
	expect("住所：ｅｖｉｌ．example。", "name evil.example\n");
	expect("２０２６年１１月、（注１）", "");
}

static void test_urls_with_commas_between(void **state)
{
	(void)state;
	expect("http://a.example/x,http://b.example/y;https://c.example/z,hxxp://d[.]example/w",
		"url http://a.example/x\nname a.example\nurl http://b.example/y\nname b.example\n"
		"url https://c.example/z\nname c.example\nurl http://d.example/w\nname d.example\n");
	expect("http://a.example/x,y;z,word", "url http://a.example/x,y;z,word\nname a.example\n");
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

/* What people and machines write, and all that is to be found in it. */
static const char *const found_in[][2] = {
	/* defanged */
	{"hxxp://a.example/x", "url http://a.example/x\nname a.example\n"},
	{"hXXps://a[.]example/x", "url https://a.example/x\nname a.example\n"},
	{"h**p://a.example h__p://b.example hzzps://c.example",
		"url http://a.example\nname a.example\nurl http://b.example\nname b.example\nurl "
		"https://c.example\nname "
		"c.example\n"},
	{"hxxp[:]//a[.]example", "url http://a.example\nname a.example\n"},
	{"hxxps[://]a[.]example/b?c=d", "url https://a.example/b?c=d\nname a.example\n"},
	{"https[:][/][/]a.example", "url https://a.example\nname a.example\n"},
	{"a(.)example a{.}example", "name a.example\n"},
	{"evil[dot]example evil2(dot)example evil3{dot}example evil4[DOT]example",
		"name evil.example\nname evil2.example\nname evil3.example\nname evil4.example\n"},
	{"evil [dot] example and evil2 (.) example", "name evil.example\nname evil2.example\n"},
	{"evil[.example", "name evil.example\n"},
	{"login\\.evil\\.com", "name login.evil.com\n"},
	{"198\\.51\\.100\\.7", "ip 198.51.100.7\n"},
	{"evil dot example dot com", "name evil.example.com\n"},
	{"mail it to evil DOT com", "name evil.com\n"},
	{"198[.]51[.]100[.]7:8080", "ip 198.51.100.7\n"},
	{"198(.)51(.)100(.)7", "ip 198.51.100.7\n"},
	{"2001[:]db8[:][:]15", "ip 2001:db8::15\n"},
	{"john[at]mail[.]example", "email john@mail.example\n"},
	{"john[@]mail.example jane(@)mail.example", "email john@mail.example\nemail jane@mail.example\n"},
	{"john at mail dot example", "email john@mail.example\n"},
	{"john (at) mail (dot) example", "email john@mail.example\n"},
	{"f*p://files.example/x", "url ftp://files.example/x\nname files.example\n"},
	/* hidden */
	{"ev\xe2\x80\x8bil.exam\xc2\xadple", "name evil.example\n"},
	{"\xef\xbb\xbfhttp://\xe2\x81\xa0"
	 "a.example/b\xe2\x80\x8d",
		"url http://a.example/b\nname a.example\n"},
	{"evil\xe3\x80\x82"
	 "com bad\xef\xbc\x8eorg",
		"name evil.com\nname bad.org\n"},
	{"<http://a.example/a/very/long/\n   path/that/goes/on>",
		"url http://a.example/a/very/long/path/that/goes/on\nname a.example\n"},
	{"http://a.example/0123456789012345678901234567890123456789012345678901234567=\nrest?a=1",
		"url "
		"http://a.example/0123456789012345678901234567890123456789012345678901234567rest?a=1\nname "
		"a.example\n"},
	/* punctuation of the sentence */
	{"(see http://a.example/b).", "url http://a.example/b\nname a.example\n"},
	{"\"http://a.example/b\", 'http://c.example/d'",
		"url http://a.example/b\nname a.example\nurl http://c.example/d\nname c.example\n"},
	{"\xe2\x80\x9ehttp://a.example/b\xe2\x80\x9c \xc2\xabhttp://c.example\xc2\xbb",
		"url http://a.example/b\nname a.example\nurl http://c.example\nname c.example\n"},
	{"http://a.example/wiki/X_(y)?", "url http://a.example/wiki/X_(y)\nname a.example\n"},
	{"a.example; b.example! c.example?", "name a.example\nname b.example\nname c.example\n"},
	{"[a.example](https://b.example/c)", "name a.example\nurl https://b.example/c\nname b.example\n"},
	/* addresses */
	{"src=198.51.100.7 dst=203.0.113.0/24", "ip 198.51.100.7\nip 203.0.113.0/24\n"},
	{"[2001:db8::15]:443, 2001:DB8:0:0::/32", "ip 2001:db8::15\nip 2001:db8::/32\n"},
	{"http://[2001:db8::15]:8080/x", "url http://[2001:db8::15]:8080/x\nip 2001:db8::15\n"},
	{"https://198.51.100.7:8443/gate.php", "url https://198.51.100.7:8443/gate.php\nip 198.51.100.7\n"},
	{"198.51.100.7-198.51.100.9", "ip 198.51.100.7\nip 198.51.100.9\n"},
	/* international */
	{"b\xc3\xbc"
	 "cher.example and xn--bcher-kva.example",
		"name xn--bcher-kva.example\n"},
	{"http://\xd0\xbf\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80.\xd1\x80\xd1\x84/\xd0\xb0",
		"url http://xn--e1afmkfd.xn--p1ai/\xd0\xb0\nname xn--e1afmkfd.xn--p1ai\n"},
	{"Bitte nicht auf http://a.example/b klicken!", "url http://a.example/b\nname a.example\n"},
	{"\xd0\xa1\xd0\xb0\xd0\xb9\xd1\x82 a.example \xd1\x81 198.51.100.7",
		"name a.example\nip 198.51.100.7\n"},
	{"\xe8\xaf\xb7\xe8\xae\xbf\xe9\x97\xaehttp://a.example/b\xe3\x80\x82",
		"url http://a.example/b\nname a.example\n"},
	{"\xe3\x83\x95\xe3\x82\xa3\xe3\x83\x83\xe3\x82\xb7\xe3\x83\xb3\xe3\x82\xb0"
	 "a.example\xe3\x81\xae",
		"name a.example\n"},
	{"\xd9\x85\xd9\x88\xd9\x82\xd8\xb9 a.example \xd8\x8c", "name a.example\n"},
	{"Le site \xc2\xab a.example \xc2\xbb, l\xe2\x80\x99"
	 "adresse x@mail.example",
		"name a.example\nemail x@mail.example\n"},
	/* digests, numbers */
	{"MD5: d41d8cd98f00b204e9800998ecf8427e", "md5 d41d8cd98f00b204e9800998ecf8427e\n"},
	{"sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709", "sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709\n"},
	{"d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f",
		"sha224 d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f\n"},
	{"38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
		"sha384 "
		"38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898"
		"b95b\n"},
	{"CVE-2026-1234, cve-2026-12345 and CVE 2026-99999",
		"cve CVE-2026-1234\ncve CVE-2026-12345\ncve CVE-2026-99999\n"},
	{"CVE\xe2\x80\x91"
	 "2026\xe2\x80\x91"
	 "1234",
		"cve CVE-2026-1234\n"},
	{"AS64500 (ASN64501, AS 64502)", "asn 64500\nasn 64501\nasn 64502\n"},
	/* wallets */
	{"Send 0.5 BTC to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa.",
		"wallet 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\n"},
	{"bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4?amount=1",
		"wallet bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\n"},
	{"ETH 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
		"wallet 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\n"},
	{"888tNkZrPN6JsEgekjMnABU4TBzc2Dt29EPAvkRxbANsAnjyPbb3iQ1YBRk1UXcdRsiKc9dhwMVgN5S9cQUiyoogDavup3H",
		"wallet "
		"888tNkZrPN6JsEgekjMnABU4TBzc2Dt29EPAvkRxbANsAnjyPbb3iQ1YBRk1UXcdRsiKc9dhwMVgN5S9cQUiyoogDavu"
		"p3H\n"},
	/* mail */
	{"From: \"Bank\" <service@bank.example>", "email service@bank.example\n"},
	{"mailto:a.b+c@mail.example?subject=x", "email a.b+c@mail.example\n"},
	{"x@b\xc3\xbc"
	 "cher.example",
		"email x@xn--bcher-kva.example\n"},
};

/* Rarer ways to defang, and schemes that nobody has heard of. */
static const char *const found_rarely[][2] = {
	{"socks5://198.51.100.31:1080", "url socks5://198.51.100.31:1080\nip 198.51.100.31\n"},
	{"mysql://u:p@198.51.100.32/db", "url mysql://u:p@198.51.100.32/db\nip 198.51.100.32\n"},
	{"stratum+tcp://pool.a.example:3333", "url tcp://pool.a.example:3333\nname pool.a.example\n"},
	{"odd://198.51.100.33/x odder9://user@a.example:1/x.php", "ip 198.51.100.33\nname a.example\n"},
	{"odd://[2001:db8::15]:80/", "ip 2001:db8::15\n"},
	{"odd://198[.]51[.]100[.]34", "ip 198.51.100.34\n"},
	{"meow://a.example/x meows://b.example",
		"url http://a.example/x\nname a.example\nurl https://b.example\nname "
		"b.example\n"},
	{"xxxp://a.example xxxps://b.example txtp://c.example h11p://d.example",
		"url http://a.example\nname a.example\nurl https://b.example\nname b.example\nurl "
		"http://c.example\nname c.example\nurl http://d.example\nname d.example\n"},
	{"http[s]://a.example/x hxxp[s]://b.example hxxp(s)[:]//c.example",
		"url https://a.example/x\nname a.example\nurl https://b.example\nname b.example\nurl "
		"https://c.example\nname c.example\n"},
	{"hxxps[:]\\\\a[.]example http:\\\\b.example\\x",
		"url https://a.example\nname a.example\nurl http://b.example\nname b.example\n"},
	{"{\"u\":\"http:\\/\\/a.example\\/b\"}", "url http://a.example/b\nname a.example\n"},
	{"https[:/]/a.example https[://]b.example/",
		"url https://a.example\nname a.example\nurl https://b.example/\nname b.example\n"},
	{"[http]://a.example http//b.example/x //c.example/x",
		"name a.example\nname b.example\nname c.example\n"},
	{"john<at>example.org", "email john@example.org\n"},
	{"john {at} example {dot} org", "email john@example.org\n"},
	{"john<at>example<dot>org evil<.>example", "email john@example.org\nname evil.example\n"},
	{"2001[:]db8[:]a[::]1", "ip 2001:db8:a::1\n"},
	{"2001:db8:f::6%eth0 ::ffff:198.51.100.7", "ip 2001:db8:f::6\nip 198.51.100.7\n"},
	{"as64497 asn: 64498 ASN:64499", "asn 64497\nasn 64498\nasn 64499\n"},
	{"CVE\xe2\x80\x93"
	 "2026\xe2\x80\x93"
	 "0003 CVE\xe2\x88\x92"
	 "2026-0004",
		"cve CVE-2026-0003\ncve CVE-2026-0004\n"},
	{"198.51.100.1\xe2\x80\x93"
	 "198.51.100.9 a.example\xe2\x80\x93"
	 "b.example",
		"ip 198.51.100.1\nip 198.51.100.9\nname a.example\nname b.example\n"},
	{"http://%61.example/x http://3325256711/y http://0306.063.0144.07/",
		"url http://a.example/x\nname a.example\nurl http://198.51.100.7/y\nip 198.51.100.7\nurl "
		"http://198.51.100.7/\n"},
	{"<http://a.example/b)c].>", "url http://a.example/b)c].\nname a.example\n"},
	{"<http://a.example/b). <x", "url http://a.example/b\nname a.example\n"},
};

/* What mail filters make of a URL: the true one is what it is about. */
static const char *const rewrapped[][2] = {
	{"https://eur01.safelinks.protection.outlook.com/?url=http%3A%2F%2Fa.example%2Flogin%3Fx%3D1&data=05",
		"http://a.example/login?x=1"},
	{"https://eur01.safelinks.protection.outlook.com/?data=05&amp;url=http%3A%2F%2Fa.example%2F",
		"http://a.example/"},
	{"https://urldefense.proofpoint.com/v1/url?u=http://a.example/x&k=y", "http://a.example/x"},
	{"https://urldefense.proofpoint.com/v2/url?u=http-3A__a.example_b-5Fc&d=DwMFaQ",
		"http://a.example/b_c"},
	{"https://urldefense.com/v3/__http://a.example/b__;!!abc!def$", "http://a.example/b"},
	{"https://urldefense.com/v3/__https:/a.example/b*c**Ad__;Iys0!!abc$", "https://a.example/b#c+4d"},
	{"https://urldefense.us/v3/__http://a.example__", "http://a.example"},
	{"https://urldefense.com/v3/__http://a.example/*b**Cc__;!!abc$", "http://a.example/bc"},
	{"https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fa.example&c=E,1,x", "https://a.example"},
	{"https://www.google.com/url?sa=t&url=http://a.example/x&usg=y", "http://a.example/x"},
	{"https://www.google.co.uk/url?q=http://a.example/&sa=D", "http://a.example/"},
	{"https://secure-web.cisco.com/1abc/http%3A%2F%2Fa.example%2Fx", "http://a.example/x"},
	{"https://url.avanan.click/v2/___http://a.example/x___.YXA", "http://a.example/x"},
	{"https://nam01.safelinks.protection.outlook.com/"
	 "?url=https%3A%2F%2Furldefense.com%2Fv3%2F__http%3A%2F%2Fa.example"
	 "__%3B!!x%24&data=1",
		"http://a.example"},
};

static void test_rewrapped_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rewrapped); i++) {
		struct run run;
		struct observable *last;
		run_begin(&run, str_of(rewrapped[i][0]));
		assert_true(run.report->observable_count >= 3);
		last = &run.report->observables[run.report->observable_count - 1];
		assert_string_equal(last[-1].value.p, rewrapped[i][1]);
		assert_int_equal(last->type, OBSERVABLE_NAME);
		assert_string_equal(last->value.p, "a.example"); /* and not the name of the filter */
		assert_int_equal(run.report->observables[0].type, OBSERVABLE_URL);
		arena_free(&run.arena);
	}
	/* kept as they are: only their maker can open them, or there is nothing in them */
	expect("https://protect-eu.mimecast.com/s/abc?domain=a.example",
		"url https://protect-eu.mimecast.com/s/abc?domain=a.example\nname protect-eu.mimecast.com\n");
	expect("https://www.google.com/url?q=cats",
		"url https://www.google.com/url?q=cats\nname www.google.com\n");
	expect("https://urldefense.com/v3/__;", "url https://urldefense.com/v3/\nname urldefense.com\n");
}

static const char *const versions[] = {
	"FortiOS 7.0.12.5",
	"FortiOS v7.0.12.5 (firmware 7.0.12.6)",
	"OpenSSH 8.2.1.5",
	"version 11.22.26.10",
	"Version is 1.2.3.4",
	"version number: 1.2.3.4",
	"versions 7.0.1.2, 7.0.12.5 and 7.2.3.4",
	"build 10.0.19045.3 or build 5.6.7.8",
	"Windows 10 10.0.190.3",
	"Chrome 119.0.60.105",
	"Chrome/119.0.60.105 AppleWebKit/5.3.7.36",
	"fixed in 7.4.3.2",
	"upgrade from 2.3.4.5 to 2.3.4.6",
	"update to 2.3.4.6 as soon as possible",
	"prior to 7.4.3.2",
	"earlier than 7.4.3.2",
	"FooBar 7.4.3.2 and later",
	"FooBar 7.4.3.2 or newer.",
	"FooBar 7.4.3.2+",
	"FooBar 7.4.3.2 und h\xc3\xb6her",
	"libfoo-1.2.3.4.tar.gz foo-1.2.3.4-1.el8.x86_64.rpm",
	"version=1.2.3.4; ver. 4.3.2.1; V4.3.2.7; SP 1.2.9.9",
	"tel. +49.30.123.45",
	"Date: 11.22.26.10",
	"um 10.30.22.5 Uhr",
	"today at 10.30.22.5",
};

static const char *const addresses_beside_words[] = {
	"FortiOS at 198.51.100.7",
	"FortiOS 198.51.100.7",
	"FortiOS: exploit from 198.51.100.7",
	"the new version. 198.51.100.7 attacked",
	"running version 9, 198.51.100.7",
	"nginx on 198.51.100.7",
	"please release 198.51.100.7 from the list",
	"build server at 198.51.100.7",
	"affected: 198.51.100.7",
	"the site was updated from 198.51.100.7",
	"vulnerable host 198.51.100.7",
	"198.51.100.7 and later from somewhere else",
	"Date 2026-11-22 10:30 198.51.100.7",
	"today at 198.51.100.7",
	"version 1.2 on\n198.51.100.7",
	"version:\n\n198.51.100.7",
	"version 198.51.100.7:443",
	"version 198[.]51[.]100[.]7",
};

static void test_versions_are_no_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		expect(versions[i], "");
	for (size_t i = 0; i < ARRAY_LEN(addresses_beside_words); i++)
		expect(addresses_beside_words[i], "ip 198.51.100.7\n");
	expect("client version 1.2.3.4 from 5.6.7.8", "ip 5.6.7.8\n");
}

static const char *const parts_of_mails[] = {
	"message 20261122101010.12345@host.local",
	"x@host.localdomain x@pc.lan x@srv.corp x@a.internal x@b.invalid x@y.nosuchtld",
	"References: <a@b.example> <c@d.example>\n <e@f.example>\n\t<g@h.example>\n",
	"> In-Reply-To: <a@b.example>\n>  <c@d.example>\n",
	"> --0123456789abcdef0123456789abcdee\n",
	"> Content-Type: multipart/mixed; boundary=\"0123456789abcdef0123456789abcdef\"",
};

static void test_parts_of_mails_are_no_indicators(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parts_of_mails); i++)
		expect(parts_of_mails[i], "");
	expect("Message-ID: <a@b.example>\nFrom: <c@d.example>", "email c@d.example\n");
	expect("x@host[.]local", "email x@host.local\n");
}

/* And what looks like one and is none. */
static const char *const nothing_in[] = {
	/* versions, dates, numbers */
	"version 1.2.3.4",
	"Version: 10.0.0.1",
	"v1.2.3.4",
	"firmware 9.8.1.17",
	"release 4.3.2.1",
	"1.2.3",
	"1.2.3.4.5",
	"10.0.19045.1234",
	"2026.11.22",
	"22.11.2026 10:30",
	"2026-11-22T10:30:45.123Z",
	"12:30:45",
	"1.000.000,00",
	"versi\xc3\xb3n 1.2.3.4",
	"wersja 1.2.3.4",
	"\xd0\xb2\xd0\xb5\xd1\x80\xd1\x81\xd0\xb8\xd1\x8f 1.2.3.4",
	"Kapitel 1.2.3.4",
	"OID 1.3.6.1",
	"nginx/1.18.0",
	"Mozilla/5.0 Chrome/120.0.6099.109",
	"999.1.1.1",
	"256.256.256.256",
	/* files */
	"readme.md",
	"setup.py",
	"foo.so",
	"libfoo.1.so",
	"run.sh",
	"a.zip",
	"main.rs",
	"module.pm",
	"pkg.sub.module.py",
	"report.pdf",
	"invoice.docx",
	"x.tar.gz",
	"Makefile.am",
	"kernel32.dll",
	"index.html",
	"/usr/lib/a.com",
	"C:\\Windows\\a.com",
	"node.js",
	/* parts of mails */
	"boundary=\"0000000000abc.mail.example\"",
	"\n--0000000000abc5d.mail.example.com--\n",
	"------=_Part_12_34.5678",
	"Message-ID: <1234.abc@mail.example>",
	"In-Reply-To: <a@b.example>",
	"References: <a@b.example>",
	"cid:image001.png@01d9.example",
	/* sentences and code */
	"e.g. this",
	"i.e. that",
	"end.The next",
	"No.1",
	"a.m. p.m.",
	"the dot com bubble",
	"look at the dot at the end",
	"std::vector",
	"a::b",
	"foo.bar()",
	"self.x",
	"ASP.NET",
	"@user.name",
	"$obj.name",
	"AS400",
	"as 12345 people",
	/* addresses that say nothing */
	"127.0.0.1",
	"0.0.0.0",
	"255.255.255.0",
	"224.0.0.1",
	"::1",
	"00:11:22:33:44:55",
	/* nearly digests, wallets, numbers of flaws */
	"00000000000000000000000000000000",
	"deadbeefdeadbeefdeadbeefdeadbee",
	"abcdefabcdefabcdefabcdefabcdefab",
	"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
	"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
	"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",
	"0x0000000000000000000000000000000000000000",
	"CVE-2026",
	"CVE-26-1234",
	"f47ac10b-58cc-4372-a567-0e02b2c3d479",
	/* brackets that defang nothing */
	"(at) [x] (:) [.] a[0].b",
	"array[i].x[j]",
	"see [1.] and (2.)",
};

static void test_table_of_findings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(found_in); i++)
		expect(found_in[i][0], found_in[i][1]);
	for (size_t i = 0; i < ARRAY_LEN(found_rarely); i++)
		expect(found_rarely[i][0], found_rarely[i][1]);
}

static void test_table_of_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(nothing_in); i++)
		expect(nothing_in[i], "");
}

/* A header that somebody quotes: where the mail came from, and who of us took it. */
static void test_own_servers_are_no_indicators(void **state)
{
	static const struct str ours[] = {{"mx.cirt.example", 15}, {"192.0.2.0/24", 12}};
	const struct spam_hops hops = {.hops = ours, .count = ARRAY_LEN(ours)};
	struct run run;

	(void)state;
	run.arena = arena_new(65536);
	run.reading = (struct reading){.arena = run.arena, .limits = &reading_limits_default, .hops = &hops};
	run.report = &reading_item(&run.reading, ITEM_REPORT)->report;
	extract_observables(&run.reading, run.report,
		STR("Received: from bad.example ([198.51.100.7])\n"
		    "\tby MX.cirt.example (Postfix, from 192.0.2.25) with ESMTPS id 4F1C2; Mon, 23 Nov "
		    "2026\n"));
	assert_int_equal(run.report->observable_count, 2);
	assert_string_equal(run.report->observables[0].value.p, "bad.example");
	assert_string_equal(run.report->observables[1].value.p, "198.51.100.7");
	arena_free(&run.arena);
}

/* Between two of our own only their names are listed; the address that one saw of the other is ours as well.
 * What somebody else calls himself proves nothing. */
static void test_own_relays_are_no_indicators(void **state)
{
	static const struct str ours[] = {{"mx.cirt.example", 15}, {"imap.cirt.example", 17}};
	const struct spam_hops hops = {.hops = ours, .count = ARRAY_LEN(ours)};
	struct run run;

	(void)state;
	run.arena = arena_new(65536);
	run.reading = (struct reading){.arena = run.arena, .limits = &reading_limits_default, .hops = &hops};
	run.report = &reading_item(&run.reading, ITEM_REPORT)->report;
	extract_observables(&run.reading, run.report,
		STR("> Received: from mx.cirt.example (mx.cirt.example [192.0.2.25])\n"
		    ">  by imap.cirt.example (Dovecot) with LMTP id abc\n"
		    "> Received: from mx.cirt.example (bad.example [198.51.100.7])\n"
		    "> \tby mx.cirt.example (Postfix) with ESMTPS id 4XYZ\n"
		    "> Received: from mx.cirt.example (mx.cirt.example [198.51.100.8])\n"
		    "> \tby relay.bad.example\n"));
	assert_int_equal(run.report->observable_count, 4);
	assert_string_equal(run.report->observables[0].value.p, "bad.example");
	assert_string_equal(run.report->observables[1].value.p, "198.51.100.7");
	assert_string_equal(run.report->observables[2].value.p, "198.51.100.8");
	assert_string_equal(run.report->observables[3].value.p, "relay.bad.example");
	arena_free(&run.arena);
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
		"::", "f:", "\xc3\xbc", "((((", "x://", " dot ", "a at b dot ", "\\.", "=\n", "<http",
		"<http\n", "\xe2\x80\x8b", "a\xe3\x80\x82", "bc1q", "1A1z", "0x5a", "CVE ", "[",
		"http://http://", "a.a.a.a", "a.a.a.a ", "&#58;", "x://a@", "x://a.b/", "//", "<http://a",
		"1.2.3.4 and ", "Received: ", "Message-ID: a@b ", "version 1.2.3.4, ", "1.2.3.4\n",
		"CVE\xe2\x80\x93", "http:\\/\\/", "https://urldefense.com/v3/__http://", "<at>", "[s]",
		"http://a.safelinks.protection.outlook.com/?url="};

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
	assert_int_equal(
		format_guess(STR("[{\"event_type\":\"alert\",\"src_ip\":\"198.51.100.7\"}]")), FORMAT_LINES);
	assert_int_equal(format_guess(STR("[]")), FORMAT_STIX);
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
		cmocka_unit_test(test_letters_and_digits_of_full_width),
		cmocka_unit_test(test_urls_with_commas_between),
		cmocka_unit_test(test_digests_and_numbers),
		cmocka_unit_test(test_defanged),
		cmocka_unit_test(test_not_indicators),
		cmocka_unit_test(test_table_of_findings),
		cmocka_unit_test(test_table_of_nothing),
		cmocka_unit_test(test_own_servers_are_no_indicators),
		cmocka_unit_test(test_own_relays_are_no_indicators),
		cmocka_unit_test(test_rewrapped_urls),
		cmocka_unit_test(test_versions_are_no_addresses),
		cmocka_unit_test(test_parts_of_mails_are_no_indicators),
		cmocka_unit_test(test_bounded_output),
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_format_guess),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
