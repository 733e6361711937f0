#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "wire/entity.h"
#include "wire/html.h"
#include "wire/link.h"

static void expect(const char *html, const char *shown, const char *beneath)
{
	struct arena *arena = arena_new(4096);
	struct str under;
	struct str text = html_text(str_of(html), arena, &under);

	if (!str_equal(text, str_of(shown)) || !str_equal(under, str_of(beneath)))
		print_error("%s\nshows:    " STR_FMT "\nwanted:   %s\nbeneath:  " STR_FMT "\nwanted:   %s\n",
			html, STR_ARG(text), shown, STR_ARG(under), beneath);
	assert_true(str_equal(text, str_of(shown)));
	assert_true(str_equal(under, str_of(beneath)));
	arena_free(&arena);
}

static void test_words(void **state)
{
	(void)state;
	expect("<p>a<br>b &amp; <a href='http://x.example/?a=1&amp;b=2'>c</a></p><script>d</script>",
		"a\nb & <http://x.example/?a=1&b=2> c", "");
	expect("a < b <3", "a < b <3", "");
	expect("&#x41;&#00066 &#67&colon;&Tab;d&bsol;&unknown; &#; &#x;", "AB C:\td\\&unknown; &#; &#x;", "");
	assert_true(str_equal(html_charset(STR("<meta charset=\"koi8-r\">")), STR("koi8-r")));
}

/* Where a browser goes. */
static void test_links_as_a_browser_reads_them(void **state)
{
	static const char *const links[][2] = {
		{"http&#58;//a.example/x", "http://a.example/x"},
		{"http&#58//a.example/x", "http://a.example/x"},
		{"http&#0000000000000058;//a.example/x", "http://a.example/x"},
		{"http&colon;&sol;&sol;a.example", "http://a.example"},
		{"&#x68;ttp://a&period;example/", "http://a.example/"},
		{"//a.example/x", "http://a.example/x"},
		{"\\\\a.example\\x", "http://a.example/x"},
		{"/\\a.example/x", "http://a.example/x"},
		{"http:\\\\a.example\\x?y=\\", "http://a.example/x?y=%5C"},
		{"https:/a.example/x", "https://a.example/x"},
		{"https:a.example/x", "https://a.example/x"},
		{"https:///a.example/x", "https://a.example/x"},
		{" ht\ntp://a.ex\tample/\r\nx ", "http://a.example/x"},
		{"ht&#9;tp://a.exa&NewLine;mple/", "http://a.example/"},
		{"hTTp://a.example/&amp;x", "http://a.example/&x"},
		{"http://%61.example/%61", "http://a.example/%61"},
		{"http://0x7b.1/", "http://123.0.0.1/"},
		{"http://3325256711/a", "http://198.51.100.7/a"},
		{"http://0306.063.0144.07:8080/", "http://198.51.100.7:8080/"},
		{"http://good.example@a.example/", "http://good.example@a.example/"},
		{"http://a.example/b c<d>", "http://a.example/b%20c%3Cd%3E"},
		{"mailto:x@a.example?subject=y", "mailto:x@a.example?subject=y"},
		{"www.a.example/x", "http://www.a.example/x"},
		{"socks5://198.51.100.7:1080", "socks5://198.51.100.7:1080"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		struct buf html = {0}, shown = {0};
		buf_printf(&html, "<a href=\"%s\">c</a>", links[i][0]);
		buf_printf(&shown, "<%s> c", links[i][1]);
		expect(buf_cstr(&html), buf_cstr(&shown), "");
		buf_free(&html);
		buf_free(&shown);
	}
	expect("<a href=http:\\\\a.example>c</a>", "<http://a.example> c", "");
	expect("<a href='#top'>c</a><a href='page.html'>d</a><a href='cid:1@x'>e</a><a href=''>f</a>", "cdef",
		"");
}

static void test_base(void **state)
{
	(void)state;
	expect("<base href='https://b.example/d/e?f'><base href='http://other.example/'><a href='x?y'>1</a>"
	       "<a href='/x\\y'>2</a><a href='?z'>3</a><a href='//c.example'>4</a>",
		"<https://b.example/d/e?f> <http://other.example/> <https://b.example/d/x?y> 1 "
		"<https://b.example/x/y> 2 "
		"<https://b.example/d/e?z> 3 <https://c.example> 4",
		"");
	expect("<base href='https://b.example'><form action=login.php>",
		"<https://b.example>\n<https://b.example/login.php>", "");
}

static void test_elements_that_lead_somewhere(void **state)
{
	(void)state;
	expect("<form action='http://a.example/p'><button formaction='//b.example/'>x</button></form>"
	       "<iframe src=http://c.example></iframe><meta http-equiv=refresh content=\"0; "
	       "URL='http://d.example/'\">"
	       "<meta http-equiv=refresh content='5;url=//e.example/x'><svg><a "
	       "xlink:href='http://f.example/'></a></svg>",
		"<http://a.example/p> <http://b.example/> x\n<http://c.example> <http://d.example/> "
		"<http://e.example/x> <http://f.example/>",
		"");
}

/* A picture, a script, a comment: nobody reads them, and yet they lead somewhere. */
static void test_beneath(void **state)
{
	(void)state;
	expect("a<img src=\"http://a.example/t.png\"><img src=//b.example/t.png srcset='http://c.example/x "
	       "2x'>",
		"a", "<http://a.example/t.png>\n<http://b.example/t.png>\n<http://c.example/x>");
	expect("a<script src=http://a.example/s.js></script><script>var "
	       "u='http:\\/\\/b.example\\/x';go(\"//c.example/\") "
	       "// no.example\n</script>",
		"a", "<http://a.example/s.js>\n<http://b.example/x>\n<http://c.example/>");
	expect("a<style>@import url(http://a.example/x.css)</style><p style='background:url(//b.example/i)' "
	       "onclick=\"location='http://c.example/'\">",
		"a", "<http://a.example/x.css>\n<http://b.example/i>\n<http://c.example/>");
	expect("a<!-- http://no.example/ --><!--[if mso]><a href=\"http://a.example/\">b</a><![endif]--><a "
	       "href=\"javascript:x('http://b.example')\">c",
		"ac", "<http://a.example/>\n<http://b.example>");
	expect("<html xmlns='http://www.w3.org/1999/xhtml' xmlns:v='http://v.example/'><div itemscope "
	       "itemtype='http://schema.org/Order'>a<script>ns='http://www.w3.org/2000/svg'</script>",
		"a", "");
	expect("a<style>//</style", "a", "");
	expect("a<noscript><img src='http://a.example/1.gif'></noscript>b<script>http://b.example", "ab",
		"<http://a.example/1.gif>\n<http://b.example>");
}

static void test_links_that_lead_nowhere(void **state)
{
	static const char *const none[] = {"", "#", " ", "x", "/x", "?x", "javascript:x()",
		"data:text/html,x", "//", "http:", "http://", "mailto:", "tel:1", ":", "\\"};
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_false(link_read(str_of(none[i]), STR(""), &out));
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

/* Only a linear reader gets through these in time. */
static void test_linear(void **state)
{
	static const char *const units[] = {"<b =\"x>y\" ", "&#58;", "&#58", "&#0", "&", "&amp",
		"<a href=\"http&#58;//", "<a href=//a.b>", "<!--", "<script>", "<script>//", "<script>'//",
		"<!--x://-->", "<base href=http://a/>", "<meta content=0;url=", "<img src='", "<p style=\"//",
		"[", "http://http://", "a.a.a.a"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct arena *arena = arena_new(65536);
		struct buf page = {0};
		struct str beneath;
		while (page.len < 2000000)
			buf_text(&page, units[i]);
		html_text(buf_view(&page), arena, &beneath);
		buf_free(&page);
		arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_links_as_a_browser_reads_them),
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_elements_that_lead_somewhere),
		cmocka_unit_test(test_beneath),
		cmocka_unit_test(test_links_that_lead_nowhere),
		cmocka_unit_test(test_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
