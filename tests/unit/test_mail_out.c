/* Mails that we write: templates, header fields, bodies and tables, with contents that mean harm. */
#include "config.h"

#include "unit.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "wire/mail_body.h"
#include "wire/mail_head.h"
#include "wire/template.h"
#include "wire/told.h"
#include "wire/xarf.h"

static bool has(struct str text, const char *what)
{
	return text.len > 0 && memmem(text.p, text.len, what, strlen(what)) != NULL;
}

static void assert_fault(const char *text, enum mail_kind kind, int at, const char *expected)
{
	struct buf fault = {0};
	int line = 0;

	assert_null(template_read(str_of(text), kind, &line, &fault));
	assert_int_equal(line, at);
	assert_non_null(strstr(buf_cstr(&fault), expected));
	buf_free(&fault);
}

static void test_mistakes_of_templates_are_told_by_line(void **state)
{
	(void)state;
	assert_fault("Hello\n", MAIL_NOTICE, 1, "\"Subject: …\" was expected");
	assert_fault("Subject: x\nHello\n", MAIL_NOTICE, 2, "an empty line was expected");
	assert_fault("Subject: x\n\na\n{organization}\n", MAIL_NOTICE, 4,
		"{organization}: a field of a mail of kind notice was expected: number");
	assert_fault("Subject: x\n\n{count}\n", MAIL_RELEASE, 3, "kind release was expected");
	assert_fault("Subject: {text}\n\n", MAIL_NOTICE, 1, "of one line");
	assert_fault("Subject: x\n\n{row.ip}\n", MAIL_NOTICE, 3, "{row.ip}");
	assert_fault("Subject: x\n\n{rows}\n{row.no}\n{end}\n", MAIL_NOTICE, 4, "row.ip");
	assert_fault("Subject: x\n\n{rows}\n", MAIL_NOTICE, 4, "{end} was expected before the end");
	assert_fault("Subject: x\n\n{end}\n", MAIL_NOTICE, 3, "{end} was expected only");
	assert_fault("Subject: x\n\n{else}\n", MAIL_NOTICE, 3, "{else} was expected only");
	assert_fault("Subject: x\n\na { b\n", MAIL_NOTICE, 3, "{{ and }}");
	assert_fault("Subject: x\n\n{rows}\n", MAIL_KEY_WAITS, 3, "no {rows} was expected");
}

static void test_blocks_and_loops(void **state)
{
	static const char text[] =
		"Subject: {number} {{x}}\n\n{if contact}\nDear {contact}\n{else}\nHello\n{end}\n{rows}\n"
		"{row.ip}{if}\n{end}\n"; /* a block on a line with others */
	static const char good[] =
		"Subject: {number} {{x}}\r\n\r\n{if contact}\nDear {contact}\n{else}\nHello\n{end}\n{rows}\n"
		"- {row.ip}\n{if row.name}\n  {row.name}\n{end}\n{end}\nEnd\n";
	struct mail_values values = {.field = {[FIELD_NUMBER] = STR("N1")}};
	struct told_row rows[2] = {{.field = {[ROW_IP] = STR("192.0.2.1")}},
		{.field = {[ROW_IP] = STR("192.0.2.2"), [ROW_NAME] = STR("a.example")}}};
	struct buf subject = {0}, body = {0}, fault = {0};
	struct template *template;
	int line;

	(void)state;
	assert_null(template_read(str_of(text), MAIL_NOTICE, &line, &fault));
	template = template_read(str_of(good), MAIL_NOTICE, &line, &fault);
	assert_non_null(template);
	assert_true(template_fill(template, &values, rows, 2, &subject, &body, NULL));
	assert_string_equal(buf_cstr(&subject), "N1 {x}");
	assert_string_equal(buf_cstr(&body), "Hello\n- 192.0.2.1\n- 192.0.2.2\n  a.example\nEnd\n");
	buf_clear(&body);
	values.field[FIELD_CONTACT] = STR("{number}");
	assert_true(template_fill(template, &values, rows, 0, &subject, &body, NULL));
	assert_string_equal(buf_cstr(&body), "Dear {number}\nEnd\n");
	template_free(&template);
	buf_free(&subject);
	buf_free(&body);
	buf_free(&fault);
}

/* Whatever a value is, it is one field: folded lines begin with a blank. */
static void assert_one_field(const struct buf *out)
{
	struct str rest = buf_view(out), line;
	size_t count = 0;

	assert_true(str_ends(rest, STR("\r\n")));
	while (rest.len > 0 && str_split(&rest, '\n', &line)) {
		assert_true(line.len > 0 && line.p[line.len - 1] == '\r' && line.len <= 77);
		assert_true(count++ == 0 || line.p[0] == ' ');
		for (size_t i = 0; i + 1 < line.len; i++)
			assert_true(line.p[i] >= ' ' && line.p[i] <= '~');
	}
}

static void test_no_value_makes_a_field_of_its_own(void **state)
{
	static const char *const hostile[] = {"a\r\nBcc: x@evil.example", "a\nb", "\r", "", " ", "Zoë",
		"=?UTF-8?B?QQ==?=", "\"; <evil@evil.example>, \"", "\\", "\xff\xfe", "x (comment", "a  b"};
	char overlong[3000];

	(void)state;
	memset(overlong, 'x', sizeof(overlong));
	for (size_t i = 0; i <= ARRAY_LEN(hostile); i++) {
		struct str text = i < ARRAY_LEN(hostile) ? str_of(hostile[i])
		                                         : (struct str){overlong, sizeof(overlong)};
		struct buf out = {0};

		mail_head_text(&out, "Subject", text);
		assert_one_field(&out);
		assert_false(has(buf_view(&out), "\nBcc"));
		buf_clear(&out);
		mail_head_address(&out, "To", text, STR("a@b.example"));
		assert_one_field(&out);
		assert_true(str_ends(buf_view(&out), STR("<a@b.example>\r\n")));
		buf_free(&out);
	}
}

static void test_addresses(void **state)
{
	(void)state;
	assert_true(mail_address_is(STR("a+b@c.example")));
	assert_false(mail_address_is(STR("")));
	assert_false(mail_address_is(STR("a@")));
	assert_false(mail_address_is(STR("@b")));
	assert_false(mail_address_is(STR("a@b@c")));
	assert_false(mail_address_is(STR("a@b\r\nRCPT TO:<x@y>")));
	assert_false(mail_address_is(STR("a b@c.example")));
	assert_false(mail_address_is(STR("\"a\"@c.example")));
	assert_false(mail_address_is(STR("ü@c.example")));
}

static void test_quoted_printable(void **state)
{
	struct buf out = {0}, text = {0};
	struct str rest, line;

	(void)state;
	mail_put_quoted(&out, STR("From x\n.\nend \na=b\tc\nü"));
	assert_string_equal(buf_cstr(&out), "=46rom x\r\n=2E\r\nend=20\r\na=3Db\tc\r\n=C3=BC\r\n");
	buf_clear(&out);
	for (int i = 0; i < 5000; i++)
		buf_text(&text, i % 7 ? "." : "é");
	mail_put_quoted(&out, buf_view(&text));
	for (rest = buf_view(&out); rest.len > 0 && str_split(&rest, '\n', &line);)
		assert_true(line.len <= 77 && line.p[0] != '.');
	buf_free(&out);
	buf_free(&text);
}

static void test_cells_run_in_no_spreadsheet(void **state)
{
	struct told_row row = {.field = {[ROW_IP] = STR("=cmd|' /C calc'!A0"),
				       [ROW_NAME] = STR("a,\"b\"\nc"),
				       [ROW_PORT] = STR("80"),
				       [ROW_CLASS] = STR("@x"),
				       [ROW_TITLE] = STR("+1")}};
	struct buf out = {0};

	(void)state;
	told_csv_row(&out, &row, false);
	assert_true(str_starts(
		buf_view(&out), STR(",,\"'=cmd|' /C calc'!A0\",\"a,\"\"b\"\"\nc\",80,,,\"'@x\",")));
	assert_true(has(buf_view(&out), "\"'+1\""));
	buf_clear(&out);
	told_csv_row(&out, &row, true);
	assert_false(has(buf_view(&out), "+1"));
	buf_free(&out);
}

/* What the reader of incoming X-ARF checks: nothing is amiss. */
static void assert_xarf(struct str text)
{
	struct json_object *object = json_tokener_parse(text.p), *category, *type;
	struct buf faults = {0};

	assert_true(json_object_object_get_ex(object, "category", &category));
	assert_true(json_object_object_get_ex(object, "type", &type));
	xarf_check_v4(object,
		xarf_type_v4(str_of(json_object_get_string(category)), str_of(json_object_get_string(type))),
		&faults);
	assert_string_equal(buf_cstr(&faults), "");
	json_object_put(object);
	buf_free(&faults);
}

static void test_xarf_that_our_own_reader_takes(void **state)
{
	const struct told_sender sender = {STR("CIRT"), STR("cirt@cirt.example"), STR("N2026-000001")};
	static const char *const types[] = {
		"infected-system", "phishing", "vulnerable-system", "spam", "c2-server", ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct told_row row = {.field = {[ROW_IP] = STR("192.0.2.1"),
					       [ROW_LAST] = STR("2026-11-22T10:00:00Z"),
					       [ROW_TYPE] = str_of(types[i]),
					       [ROW_IDENTIFIER] = STR("open-rdp"),
					       [ROW_REPORT] = STR("202611-1"),
					       [ROW_PORT] = STR("3389"),
					       [ROW_OBSERVABLES] = STR(
						       "url source http://x.example/\nip source 192.0.2.1")}};
		struct buf json = {0}, again = {0};

		assert_true(told_xarf(&json, &row, &sender));
		assert_true(told_xarf(&again, &row, &sender));
		assert_string_equal(buf_cstr(&json), buf_cstr(&again));
		assert_xarf(buf_view(&json));
		buf_clear(&json);
		/* Who was hit is accused of nothing. */
		row.hit = true;
		assert_true(told_xarf(&json, &row, &sender));
		assert_false(has(buf_view(&json), "192.0.2.1\""));
		row.field[ROW_OBSERVABLES] = STR("ip target 192.0.2.1");
		assert_false(told_xarf(&json, &row, &sender));
		buf_free(&json);
		buf_free(&again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mistakes_of_templates_are_told_by_line),
		cmocka_unit_test(test_blocks_and_loops),
		cmocka_unit_test(test_no_value_makes_a_field_of_its_own),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_quoted_printable),
		cmocka_unit_test(test_cells_run_in_no_spreadsheet),
		cmocka_unit_test(test_xarf_that_our_own_reader_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
