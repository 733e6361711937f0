#include "unit.h"

#include "made_archive.h"

#include "base/mem.h"
#include "wire/charset.h"
#include "wire/reading.h"

/* Text as programs really write and send it: marks, UTF-16, blanks behind soft line breaks, cards. */

#define ENVELOPE "{\"from\":\"sender@provider.example\",\"to\":[\"report@cirt.example\"]}"
#define HEADER   "From: a@b.example\nSubject: s\nMIME-Version: 1.0\n"

static void read_mail(struct reading *reading, struct str mail)
{
	struct err err = {0};

	*reading = (struct reading){.arena = arena_new(65536), .limits = &reading_limits_default};
	if (!mail_read(reading, mail, STR(ENVELOPE), &err))
		fail_msg("%s", err.text);
}

static bool has(const struct reading *reading, enum observable_type type, const char *value)
{
	for (size_t i = 0; i < reading->item_count; i++) {
		const struct report *report = &reading->items[i].report;

		for (size_t o = 0; o < report->observable_count; o++)
			if (report->observables[o].type == type &&
				str_equal(report->observables[o].value, str_of(value)))
				return true;
	}
	return false;
}

static bool has_part(const struct reading *reading, const char *bytes)
{
	for (size_t i = 0; i < reading->part_count; i++)
		if (str_equal(reading->parts[i].bytes, str_of(bytes)))
			return true;
	return false;
}

/* ASCII in UTF-16 behind its mark. */
static void put_utf16(struct buf *out, const char *text, bool little)
{
	buf_append(out, little ? "\xff\xfe" : "\xfe\xff", 2);
	for (; *text; text++) {
		buf_char(out, little ? *text : 0);
		buf_char(out, little ? 0 : *text);
	}
}

static void assert_unmarked(const char *bytes, size_t len, const char *expected, size_t bad_expected)
{
	struct buf out = {0};
	size_t bad;
	struct str text = charset_unmark((struct str){bytes, len}, &out, &bad);

	if (!str_equal(text, str_of(expected)) || bad != bad_expected)
		fail_msg("\"" STR_FMT "\", %zu bad, expected \"%s\"", STR_ARG(text), bad, expected);
	buf_free(&out);
}

static void test_a_mark_says_what_follows(void **state)
{
	(void)state;
	assert_unmarked("plain", 5, "plain", 0);
	assert_unmarked("\xef\xbb\xbfu", 4, "u", 0);
	assert_unmarked("\xff\xfe"
			"e\0\xe9\0\x3d\xd8\x00\xde",
		10, "e\xc3\xa9\xf0\x9f\x98\x80", 0);
	assert_unmarked("\xfe\xff\0e\0\xe9\xd8\x3d\xde\x00", 10, "e\xc3\xa9\xf0\x9f\x98\x80", 0);
	assert_unmarked("\xff\xfe\0\0e\0\0\0", 8, "e", 0);
	assert_unmarked("\0\0\xfe\xff\0\0\0e\0\x7f\0\0", 12, "e\xef\xbf\xbd", 1);
	assert_unmarked("\xff\xfe\x3d\xd8"
			"e\0\x00\xdex",
		9,
		"\xef\xbf\xbd"
		"e\xef\xbf\xbd\xef\xbf\xbd",
		3);
	assert_unmarked("\xff\xfe", 2, "", 0);
	assert_unmarked("\xff", 1, "\xff", 0);
}

/* An attachment of this type and name, sent in base64. */
static void put_attached(struct buf *mail, const char *type, const char *name, struct str bytes)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	buf_printf(mail,
		HEADER
		"Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/plain\n\nhello\n--m\n"
		"Content-Type: %s; name=\"%s\"\nContent-Disposition: attachment; filename=\"%s\"\n"
		"Content-Transfer-Encoding: base64\n\n",
		type, name, name);
	for (size_t i = 0; i < bytes.len; i += 3) {
		unsigned bits = 0;

		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (i + k < bytes.len ? (unsigned char)bytes.p[i + k] : 0);
		for (unsigned k = 0; k < 4; k++)
			buf_char(mail, i + k > bytes.len ? '=' : letters[bits >> (18 - 6 * k) & 63]);
		if (i % 57 == 54)
			buf_char(mail, '\n');
	}
	buf_text(mail, "\n--m--\n");
}

static void test_files_in_utf16_are_read(void **state)
{
	static const struct {
		const char *type, *name, *text;
	} samples[] = {
		{"text/plain", "a.txt", "go to http://evil.example/x now"},
		{"text/html", "a.html", "<p><a href=\"http://evil.example/x\">now</a>"},
		{"text/plain; charset=utf-16le", "a.txt", "http://evil.example/x"},
		{"text/plain; charset=iso-8859-1", "a.txt", "http://evil.example/x"},
		{"text/html; charset=utf-8", "a.html", "<p><a href=\"http://evil.example/x\">now</a>"},
		{"application/octet-stream", "a.csv", "when,url\nnow,http://evil.example/x\n"},
		{"application/octet-stream", "a.html", "<a href=\"http://evil.example/x\">now</a>"},
		{"message/rfc822", "a.eml", "From: c@d.example\nSubject: inside\n\nhttp://evil.example/x\n"},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(samples); i++) {
		struct buf bytes = {0}, mail = {0};
		struct reading reading;

		put_utf16(&bytes, samples[i / 2].text, i % 2);
		put_attached(&mail, samples[i / 2].type, samples[i / 2].name, buf_view(&bytes));
		read_mail(&reading, buf_view(&mail));
		if (!has(&reading, OBSERVABLE_URL, "http://evil.example/x"))
			fail_msg("%s as %s: not read", samples[i / 2].name, samples[i / 2].type);
		arena_free(&reading.arena);
		buf_free(&bytes);
		buf_free(&mail);
	}
}

/* A comma may stand in a URL, but not where commas part cells. */
static void test_cells_of_tables_are_apart(void **state)
{
	static const char *const tables[][2] = {
		{"a.csv", "indicator,type\nhttp://evil.example/x,url\n198.51.100.7,ip\n"},
		{"a.csv", "type;indicator;note\nurl;http://evil.example/x;new\n"},
		{"A.CSV", "indicator,note\nhttp://evil.example/x,\"said \"\"so\"\", twice\"\n"},
		{"a.tsv", "http://evil.example/x\turl\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct reading reading;
		struct buf mail = {0};

		put_attached(&mail, "application/octet-stream", tables[i][0], str_of(tables[i][1]));
		read_mail(&reading, buf_view(&mail));
		if (!has(&reading, OBSERVABLE_URL, "http://evil.example/x"))
			fail_msg("not found in %s", tables[i][1]);
		arena_free(&reading.arena);
		buf_free(&mail);
	}
}

/* Pages by other names, and what Windows keeps a link in. */
static void test_files_that_are_links_are_read(void **state)
{
	static const char *const files[][2] = {
		{"a.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"><a "
			  "xlink:href=\"http://evil.example/x\"/></svg>"},
		{"a.xhtml", "<a href=\"http://evil.example/x\">now</a>"},
		{"a.url", "[InternetShortcut]\r\nURL=http://evil.example/x\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct reading reading;
		struct buf mail = {0};

		put_attached(&mail, "application/octet-stream", files[i][0], str_of(files[i][1]));
		read_mail(&reading, buf_view(&mail));
		if (!has(&reading, OBSERVABLE_URL, "http://evil.example/x") ||
			has(&reading, OBSERVABLE_NAME, "www.w3.org"))
			fail_msg("not read: %s", files[i][0]);
		arena_free(&reading.arena);
		buf_free(&mail);
	}
}

static void test_a_table_of_shadowserver_in_utf16_is_read(void **state)
{
	struct buf bytes = {0}, mail = {0};
	struct reading reading;

	(void)state;
	put_utf16(&bytes,
		"timestamp,ip,port,protocol,asn,geo\n2026-11-22 01:02:03,192.0.2.7,3389,tcp,64500,XX\n",
		true);
	put_attached(
		&mail, "application/octet-stream", "2026-11-22-scan_rdp-example-asn.csv", buf_view(&bytes));
	read_mail(&reading, buf_view(&mail));
	assert_int_equal(reading.items[reading.item_count - 1].kind, ITEM_REPORT);
	assert_true(has(&reading, OBSERVABLE_IP, "192.0.2.7"));
	arena_free(&reading.arena);
	buf_free(&bytes);
	buf_free(&mail);
}

static void test_a_mail_may_begin_with_a_mark_or_empty_lines(void **state)
{
	static const char *const begins[] = {"\xef\xbb\xbf", "\n\r\n \t\n", "\xef\xbb\xbf\r\n",
		"From a@b.example Sun Nov 22 10:00:00 2026\n", "\n>From a@b.example\n"};
	struct buf mail = {0};
	struct reading reading;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(begins); i++) {
		buf_clear(&mail);
		buf_printf(&mail, "%s" HEADER "\nhttp://evil.example/x\n", begins[i]);
		read_mail(&reading, buf_view(&mail));
		assert_true(str_equal(reading.items[0].report.title, STR("s")));
		assert_true(has(&reading, OBSERVABLE_URL, "http://evil.example/x"));
		assert_true(str_equal(reading.evidence[0].bytes, buf_view(&mail))); /* as it came */
		arena_free(&reading.arena);
	}
	buf_clear(&mail);
	put_utf16(&mail, HEADER "\nhttp://evil.example/x\n", true);
	read_mail(&reading, buf_view(&mail));
	assert_true(has(&reading, OBSERVABLE_URL, "http://evil.example/x"));
	arena_free(&reading.arena);
	buf_free(&mail);
}

static void test_blanks_behind_a_soft_line_break_are_none(void **state)
{
	struct reading reading;

	(void)state;
	read_mail(&reading,
		STR(HEADER "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n"
			   "http://evil.exa=  \r\nmple/=\t\npath=3Dx=20end\n"));
	assert_true(has(&reading, OBSERVABLE_URL, "http://evil.example/path=x"));
	arena_free(&reading.arena);
}

static void test_cards_are_read_as_their_programs_do(void **state)
{
	struct buf mail = {0};
	struct reading reading;

	(void)state;
	put_attached(&mail, "application/ics", "invite.ics",
		STR("BEGIN:VCALENDAR\r\nDESCRIPTION:join http://evil.exa\r\n mple/call\\n\r\n"
		    "ATTACH;ENCODING=BASE64;VALUE=BINARY:aGVsbG8gZnJvbSB0aGUgY2FyZA==\r\nEND:VCALENDAR\r\n"));
	read_mail(&reading, buf_view(&mail));
	assert_true(has(&reading, OBSERVABLE_URL, "http://evil.example/call"));
	assert_true(has_part(&reading, "hello from the card"));
	arena_free(&reading.arena);
	buf_clear(&mail);
	put_attached(&mail, "text/x-vcard", "bob.vcf",
		STR("BEGIN:VCARD\r\nVERSION:2.1\r\nURL;ENCODING=QUOTED-PRINTABLE:http=3A//evil.exa=\r\nmple/"
		    "card\r\n"
		    "END:VCARD\r\n"));
	read_mail(&reading, buf_view(&mail));
	assert_true(has(&reading, OBSERVABLE_URL, "http://evil.example/card"));
	arena_free(&reading.arena);
	buf_free(&mail);
}

/* What stands encoded in a text file of an archive is found as it is in an attachment. */
static void test_encoded_blocks_in_text_files_of_archives_are_found(void **state)
{
	static const char base64[] = "notes\n\nWDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLXRlc3QtZmlsZS1m\n"
				     "b3ItdGhpcy10ZXN0\n";
	static const char uu[] = "begin 644 a.txt\n/=75E;F-O9&5D(&AE<F4*\n`\nend\n";
	struct buf mail = {0}, utf16 = {0};
	struct reading reading;
	struct made made;

	(void)state;
	put_utf16(&utf16, "see http://evil.example/zip\n", false);
	make_begin(&made, archive_write_set_format_zip, NULL, NULL, NULL);
	make_member(&made, "a/notes.txt", base64, sizeof(base64) - 1);
	make_member(&made, "a/script.ps1", uu, sizeof(uu) - 1);
	make_member(&made, "a/utf16.txt", utf16.data, utf16.len);
	put_attached(&mail, "application/zip", "a.zip", make_end(&made));
	read_mail(&reading, buf_view(&mail));
	assert_true(has_part(&reading, "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-test-file-for-this-test"));
	assert_true(has_part(&reading, "uuencoded here\n"));
	assert_true(has(&reading, OBSERVABLE_URL, "http://evil.example/zip"));
	arena_free(&reading.arena);
	made_free(&made);
	buf_free(&mail);
	buf_free(&utf16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mark_says_what_follows),
		cmocka_unit_test(test_files_in_utf16_are_read),
		cmocka_unit_test(test_cells_of_tables_are_apart),
		cmocka_unit_test(test_files_that_are_links_are_read),
		cmocka_unit_test(test_a_table_of_shadowserver_in_utf16_is_read),
		cmocka_unit_test(test_a_mail_may_begin_with_a_mark_or_empty_lines),
		cmocka_unit_test(test_blanks_behind_a_soft_line_break_are_none),
		cmocka_unit_test(test_cards_are_read_as_their_programs_do),
		cmocka_unit_test(test_encoded_blocks_in_text_files_of_archives_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
