#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/hash.h"
#include "wire/reading.h"
#include "wire/transfer.h"

#define ENVELOPE "{\"from\":\"sender@provider.example\",\"to\":[\"report@cirt.example\"]}"
#define HEAD     "From: a@b.example\r\nSubject: s\r\nMIME-Version: 1.0\r\n"

/* What has to be found: a line of the alphabet of EICAR's file, which no virus scanner minds in a source. */
#define PAYLOAD "P9O!Q%@BP[4\\QZX54(Q^)7DD)7}$FINDME-STANDARD-HIDDEN-PAYLOAD-FILE!$H+H*"

/*
 * %B its base64, %b that in lines of four characters, %j with rubbish between, %2 in two halves with padding
 * in each, %Q quoted-printable, %U uuencoded, %D base64 of base64, %P as it is, %0 a NUL.
 */
static const char *const wrappings[] = {
	/* by the book */
	HEAD "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n%B\r\n",
	HEAD "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n%Q\r\n",
	HEAD "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n%U\r\n",
	/* encodings that do not say so, or say something else */
	HEAD "\r\nsee below\r\n\r\n%B\r\n",
	HEAD "\r\nsee\r\nbelow\r\n%B\r\n",
	HEAD "\r\nsee below\r\n\r\n%b\r\n",
	HEAD "\r\n> somebody wrote:\r\n> > %B\r\n",
	HEAD "\r\nsee below\r\n\r\n%U\r\n",
	HEAD "Content-Transfer-Encoding: base64 (really)\r\n\r\n%B\r\n",
	HEAD "Content-Transfer-Encoding: BASE 64\r\n\r\n%B\r\n",
	HEAD "Content-Transfer-Encoding: x-unknown\r\n\r\n%Q\r\n",
	HEAD "Content-Transfer-Encoding: uuencode\r\n\r\n%U\r\n",
	HEAD "Content-Transfer-Encoding: base64\r\n\r\n%P\r\n",
	HEAD "Content-Transfer-Encoding: quoted-printable\r\n\r\n%B\r\n",
	HEAD "Content-Transfer-Encoding: base64\r\n\r\n%j\r\n",
	HEAD "Content-Transfer-Encoding: base64\r\n\r\n%2\r\n",
	HEAD "Content-Transfer-Encoding: base64\r\n\r\n%D\r\n",
	HEAD "Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\n%j\r\n",
	HEAD "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n%Q\r\n",
	HEAD "Content-Transfer-Encoding: quoted-printable\r\nContent-Transfer-Encoding: 7bit\r\n\r\n%Q\r\n",
	HEAD "Content-Transfer-Encoding\t :\r\n base64\r\n\r\n%B\r\n",
	HEAD "content-transfer-encoding: =?us-ascii?Q?base64?=\r\n\r\n%B\r\n",
	HEAD "Content-Type: text/html\r\n\r\n<a href='data:application/zip;base64,%B'>x</a>\r\n",
	/* types */
	HEAD "Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
	     "Content-Transfer-Encoding: quoted-printable\r\n\r\n%Q\r\n--x--\r\n",
	HEAD "Content-Type: multipart/mixed; boundary=x\r\nContent-Type: text/plain\r\n\r\n--x\r\n"
	     "Content-Transfer-Encoding: base64\r\n\r\n%B\r\n--x--\r\n",
	HEAD "Content-Type: multipart/mixed\r\n\r\n--x\r\nContent-Transfer-Encoding: "
	     "base64\r\n\r\n%B\r\n--x--\r\n",
	HEAD "Content-Type: multipart/mixed; boundary=x\r\nContent-Transfer-Encoding: base64\r\n\r\n%B\r\n",
	HEAD "Content-Type: message/x-odd\r\n\r\n%P\r\n",
	HEAD "Content-Type: message/partial; id=a; number=1; total=2\r\n\r\nSubject: b\r\n\r\n%P\r\n",
	HEAD "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n%M\r\n",
	HEAD "Content-Type: text/rfc822-headers\r\n\r\nSubject: x\r\n\r\n%P\r\n",
	HEAD "Content-Type: image/png\r\n\r\n%B\r\n",
	HEAD "Content-Type: ;;;\r\n\r\n%B\r\n",
	/* boundaries */
	HEAD
	"Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\ndecoy\r\n--a--\r\n--b\r\n"
	"Content-Transfer-Encoding: base64\r\n\r\n%B\r\n--b--\r\n",
	HEAD
	"Content-Type: multipart/mixed; boundary=b; boundary=a\r\n\r\n--a\r\n\r\ndecoy\r\n--a--\r\n--b\r\n"
	"Content-Transfer-Encoding: quoted-printable\r\n\r\n%Q\r\n--b--\r\n",
	HEAD "Content-Type: multipart/mixed; boundary*0=\"a\"; boundary*1=\"b\"\r\n\r\n--ab\r\n"
	     "Content-Transfer-Encoding: quoted-printable\r\n\r\n%Q\r\n--ab--\r\n",
	HEAD "Content-Type: multipart/mixed; boundary*=us-ascii''a%%62\r\n\r\n--ab\r\n"
	     "Content-Transfer-Encoding: base64\r\n\r\n%B\r\n--ab--\r\n",
	HEAD "Content-Type: multipart/mixed; boundary=\"a\r\n b\"\r\n\r\n--a b\r\n"
	     "Content-Transfer-Encoding: base64\r\n\r\n%B\r\n--a b--\r\n",
	HEAD "Content-Type: multipart/mixed; boundary=(x)a\r\n\r\n--a\r\n"
	     "Content-Transfer-Encoding: quoted-printable\r\n\r\n%Q\r\n--a--\r\n",
	HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/mixed; "
	     "boundary=xy\r\n\r\n--xy\r\nContent-Transfer-Encoding: base64\r\n\r\n%B\r\n--xy--\r\n--x--\r\n",
	HEAD "Content-Type: multipart/mixed; boundary=xy\r\n\r\n--xy\r\nContent-Type: multipart/mixed; "
	     "boundary=x\r\n\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\n%B\r\n--x--\r\n--xy--\r\n",
	HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n%P\r\n--x\r\n\r\ndecoy\r\n--x--\r\n",
	HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ndecoy\r\n--x--\r\n%P\r\n",
	HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ndecoy\r\n--x--\r\n%B\r\n",
	HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n%U\r\n--x\r\n\r\ndecoy\r\n--x--\r\n",
	HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ndecoy\r\n--x--\r\n--x\r\n"
	     "Content-Transfer-Encoding: base64\r\n\r\n%B\r\n--x--\r\n",
	HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x \t\r\nContent-Transfer-Encoding: "
	     "base64\r\n\r\n%B\r\n--x--\r\n",
	HEAD
	"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\n%B",
	HEAD "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\nContent-Transfer-Encoding: "
	     "base64\r\n\r\n%B\r\n----\r\n",
	HEAD "Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: "
	     "text/plain\r\n\r\ndecoy\r\n--x\r\n"
	     "Content-Type: application/x-y\r\nContent-Transfer-Encoding: base64\r\n\r\n%B\r\n--x--\r\n",
	/* names and headers */
	HEAD "Content-Type: application/octet-stream; name*0*=utf-8''a%%2e; name*1=exe\r\n"
	     "Content-Transfer-Encoding:\r\n base64\r\n\r\n%B\r\n",
	HEAD "Content-Disposition: attachment; filename=\"a\r\n .exe\"\r\nContent-Transfer-Encoding: "
	     "base64\r\n\r\n%B\r\n",
	HEAD "Content-Type: text/plain; charset*0=utf-; charset*1=16le\r\nContent-Transfer-Encoding: "
	     "base64\r\n\r\n%W\r\n",
	HEAD "Content-Type: text/plain; charset=utf-16le\r\nContent-Transfer-Encoding: base64\r\n\r\n%W\r\n",
	HEAD "Content-Type: text/plain; charset=utf-7\r\n\r\n+%7-\r\n",
	"From: a@b.example\r\nno header at all\r\nContent-Transfer-Encoding: base64\r\n\r\n%B\r\n",
	"From: a@b.example\nContent-Transfer-Encoding: base64\n\n%B\n",
	"From: a@b.example\rContent-Transfer-Encoding: base64\r\r%B\r",
	HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\rContent-Transfer-Encoding: "
	     "base64\r\r%r\r--x--\r",
	HEAD "Content-Type: text/plain\r\n\r\nlook:\r%r\rbye\r\n",
	HEAD "Content-Transfer-Encoding: base64\r\n \r\n%B\r\n",
	HEAD "\r\nContent-Type: application/x-y\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n%B\r\n",
	HEAD "Content-Transfer-Encoding: base64\r\n\r\n%0%B\r\n",
};

/* --- wrapping --- */

static void put_wide(struct buf *out, bool big)
{
	struct buf wide = {0};

	for (const char *p = PAYLOAD; *p; p++) {
		if (big)
			buf_char(&wide, 0);
		buf_char(&wide, *p);
		if (!big)
			buf_char(&wide, 0);
	}
	base64_encode(buf_view(&wide), out);
	if (big) /* UTF-7 is without padding */
		while (out->data[out->len - 1] == '=')
			out->len--;
	buf_free(&wide);
}

static void put_uu(struct buf *out)
{
	static const char text[] = PAYLOAD;

	buf_text(out, "begin 644 a.com\r\n");
	for (size_t at = 0; at < sizeof(text) - 1; at += 45) {
		size_t length = sizeof(text) - 1 - at < 45 ? sizeof(text) - 1 - at : 45;
		buf_char(out, (char)(32 + length));
		for (size_t i = 0; i < length; i += 3) {
			unsigned group = 0;
			for (size_t n = 0; n < 3; n++)
				group = group << 8 | (i + n < length ? (unsigned char)text[at + i + n] : 0);
			for (int shift = 18; shift >= 0; shift -= 6)
				buf_char(out, (char)(group >> shift & 63 ? 32 + (group >> shift & 63) : '`'));
		}
		buf_text(out, "\r\n");
	}
	buf_text(out, "`\r\nend");
}

static void put_quoted(struct buf *out)
{
	static const char text[] = PAYLOAD;

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		buf_printf(out, i % 20 == 19 ? "=%02X=\r\n" : "=%02X", (unsigned char)text[i]);
}

/* base64 in lines of this length, each followed by this. */
static void put_lines(struct buf *out, struct str bytes, size_t width, const char *between)
{
	struct buf base64 = {0};

	base64_encode(bytes, &base64);
	for (size_t at = 0; at < base64.len; at += width) {
		buf_append(out, base64.data + at, base64.len - at < width ? base64.len - at : width);
		buf_text(out, between);
	}
	buf_free(&base64);
}

static void put(struct buf *out, char what)
{
	struct str payload = STR(PAYLOAD);
	struct buf inner = {0};

	switch (what) {
	case '0':
		buf_char(out, 0);
		break;
	case 'P':
		buf_str(out, payload);
		break;
	case 'B':
		put_lines(out, payload, 1000, "");
		break;
	case 'b':
		put_lines(out, payload, 4, "\r\n");
		break;
	case 'r':
		put_lines(out, payload, 20, "\r");
		break;
	case 'j':
		put_lines(out, payload, 7, "!.\r\n");
		break;
	case '2':
		put_lines(out, (struct str){payload.p, 31}, 1000, "");
		put_lines(out, (struct str){payload.p + 31, payload.len - 31}, 1000, "");
		break;
	case 'D':
		put_lines(&inner, payload, 1000, "");
		put_lines(out, buf_view(&inner), 76, "\r\n");
		break;
	case 'M':
		buf_printf(&inner, "From: c@d.example\r\nSubject: inner\r\n\r\n%s\r\n", PAYLOAD);
		put_lines(out, buf_view(&inner), 76, "\r\n");
		break;
	case 'Q':
		put_quoted(out);
		break;
	case 'U':
		put_uu(out);
		break;
	case 'W':
		put_wide(out, false);
		break;
	case '7':
		put_wide(out, true);
		break;
	default:
		buf_char(out, what);
	}
	buf_free(&inner);
}

static bool is_found(const struct reading *reading)
{
	for (size_t i = 0; i < reading->part_count; i++)
		if (memmem(reading->parts[i].bytes.p, reading->parts[i].bytes.len, PAYLOAD, strlen(PAYLOAD)))
			return true;
	return false;
}

static bool finds(struct str mail, size_t *parts)
{
	struct arena *arena = arena_new(65536);
	struct reading reading = {.arena = arena, .limits = &reading_limits_default};
	struct err err;
	bool found = mail_read(&reading, mail, STR(ENVELOPE), &err) && is_found(&reading);

	*parts = reading.part_count;
	arena_free(&arena);
	return found;
}

static void test_the_payload_is_found_however_it_is_wrapped(void **state)
{
	size_t missed = 0;
	size_t parts;

	(void)state;
	for (size_t i = 0; i < sizeof(wrappings) / sizeof(wrappings[0]); i++) {
		struct buf mail = {0};
		for (const char *p = wrappings[i]; *p; p++) {
			if (*p == '%')
				put(&mail, *++p);
			else
				buf_char(&mail, *p);
		}
		if (!finds(buf_view(&mail), &parts)) {
			print_error("missed: %s\n", wrappings[i]);
			missed++;
		}
		buf_free(&mail);
	}
	assert_int_equal(missed, 0);
}

/* Rules cost time: what every mail looks like is looked at once. */
static void test_ordinary_mail_is_looked_at_once(void **state)
{
	static const char mail[] =
		HEAD "Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\nThis is a multi-part message in "
		     "MIME format.\r\n"
		     "--x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
		     "quoted-printable\r\n\r\n"
		     "Gr=C3=BC=C3=9Fe, see http://a.example/?id=3DAB\r\n--x\r\nContent-Type: "
		     "application/pdf; name=a.pdf\r\n"
		     "Content-Transfer-Encoding: "
		     "base64\r\n\r\nJVBERi0xLjQKJVBERi0xLjQKJVBERi0xLjQKJVBERi0xLjQKJVBERi0xLjQKJVBERi0x\r\n"
		     "LjQKJVBERi0xLjQKJVBERi0xLjQKJVBERi0xLjQK\r\n--x--\r\n";
	size_t parts;

	(void)state;
	assert_false(finds(STR(mail), &parts));
	assert_int_equal(parts, 2);
}

/* A parser that takes every line end to be like the one behind it loses the last bytes of a part. */
static void test_mixed_line_ends_cost_no_byte(void **state)
{
	static const char *const mails[] = {HEAD
		"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Transfer-Encoding: "
		"base64\r\n"
		"Content-Type: application/x-y; name=a\r\n\r\nZm9vYmFy\n--x--\r\n",
		HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: application/x-y; "
		     "name=a\r\n"
		     "Content-Transfer-Encoding: 8bit\r\n\r\nfoobar\r\n--x--\n",
		HEAD "Content-Type: multipart/mixed; boundary=\"x\"\n\n--x\nContent-Type: application/x-y; "
		     "name=a\n\nfoobar\n--x--\r\n"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		struct arena *arena = arena_new(65536);
		struct reading reading = {.arena = arena, .limits = &reading_limits_default};
		assert_true(mail_read(&reading, str_of(mails[i]), STR(ENVELOPE), NULL));
		assert_true(str_equal(reading.parts[0].name, STR("a")));
		assert_true(str_equal(reading.parts[0].bytes, STR("foobar")));
		arena_free(&arena);
	}
}

static void test_decoders_forgive(void **state)
{
	struct arena *arena = arena_new(4096);
	struct str decoded, name;
	size_t at = 0;

	(void)state;
	assert_true(str_equal(transfer_base64_all(STR("Zm9v\r\n!YmFy"), 0, arena), STR("foobar")));
	assert_true(str_equal(transfer_base64_all(STR("Zm8=YmFy"), 0, arena), STR("fobar")));
	assert_true(str_equal(transfer_base64_all(STR("Zg"), 0, arena), STR("f")));
	assert_true(str_equal(transfer_base64_all(STR("="), 0, arena), STR("")));
	assert_true(transfer_base64_is_clean(STR("Zm9v\r\nYmFy\r\nZg==\r\n")));
	assert_false(transfer_base64_is_clean(STR("Zg==Zg==")));
	assert_true(str_equal(transfer_quoted(STR("a=3Db=\r\nc=ZZ=4"), arena), STR("a=bc=ZZ=4")));
	assert_false(transfer_base64(STR("words and\r\nshort\r\nlines\r\n"), &at, &decoded));
	at = 0;
	assert_false(transfer_base64(
		STR("275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f\r\n"
		    "https://a.example/x?id=abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh"),
		&at, &decoded));
	at = 0;
	assert_true(transfer_uu(STR("x\nbegin 644 a b.txt\n#86)C\n`\nend\n"), arena, &at, &name, &decoded));
	assert_true(str_equal(name, STR("a b.txt")) && str_equal(decoded, STR("abc")));
	assert_false(
		transfer_uu(STR("x\nbegin 944 a\n#86)C\n`\nend\n"), arena, &(size_t){0}, &name, &decoded));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_payload_is_found_however_it_is_wrapped),
		cmocka_unit_test(test_ordinary_mail_is_looked_at_once),
		cmocka_unit_test(test_mixed_line_ends_cost_no_byte),
		cmocka_unit_test(test_decoders_forgive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
