#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/jsonrpc.h"

static int read_code(const char *text, struct rpc_message *message)
{
	struct err err;
	int code = 0;

	return rpc_read(str_of(text), message, &code, &err) ? 0 : code;
}

static void refused(const char *text, int expected)
{
	struct rpc_message message;

	assert_int_equal(read_code(text, &message), expected);
	rpc_free(&message);
}

static void test_request_is_read(void **state)
{
	struct rpc_message message;

	(void)state;
	assert_int_equal(
		read_code(
			"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"case.list\",\"params\":{\"limit\":5}}\r",
			&message),
		0);
	assert_int_equal(message.kind, RPC_REQUEST);
	assert_true(str_equal(message.method, STR("case.list")));
	assert_int_equal(json_object_get_int(message.id), 7);
	int64_t limit = 0;
	assert_true(rpc_member_int(message.params, "limit", 1, 10, &limit, NULL));
	assert_int_equal(limit, 5);
	rpc_free(&message);
}

static void test_notification_has_no_id(void **state)
{
	struct rpc_message message;

	(void)state;
	assert_int_equal(read_code("{\"jsonrpc\":\"2.0\",\"method\":\"submit.end\"}", &message), 0);
	assert_int_equal(message.kind, RPC_NOTIFICATION);
	assert_null(message.params);
	rpc_free(&message);
}

static void test_answers_are_read(void **state)
{
	struct rpc_message message;

	(void)state;
	assert_int_equal(read_code("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}", &message), 0);
	assert_int_equal(message.kind, RPC_RESULT);
	assert_null(message.result);
	rpc_free(&message);
	assert_int_equal(read_code("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32001,\"message\":"
				   "\"no\",\"data\":{\"hint\":\"x\"}}}",
				 &message),
		0);
	assert_int_equal(message.kind, RPC_ERROR);
	assert_int_equal(message.code, RPC_NOT_FOUND);
	assert_true(str_equal(message.text, STR("no")));
	assert_non_null(message.data);
	rpc_free(&message);
}

static void test_what_is_not_json_is_a_parse_error(void **state)
{
	static const char *const texts[] = {"", "{", "nonsense", "{\"a\":}", "{\"jsonrpc\":\"2.0\"} trailing",
		"null", "{\"method\":\"\xff\"}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		refused(texts[i], RPC_PARSE_ERROR);
}

static void test_a_nul_byte_is_a_parse_error(void **state)
{
	static const char text[] = "{\"jsonrpc\":\"2.0\",\"method\":\"a\"}\0{}";
	struct rpc_message message;
	struct err err;
	int code = 0;

	(void)state;
	assert_false(rpc_read((struct str){text, sizeof(text) - 1}, &message, &code, &err));
	assert_int_equal(code, RPC_PARSE_ERROR);
	rpc_free(&message);
}

static void test_what_is_not_a_message_is_an_invalid_request(void **state)
{
	static const char *const texts[] = {"[]", "\"x\"", "{}", "{\"jsonrpc\":\"1.0\",\"method\":\"a\"}",
		"{\"method\":\"a\"}", "{\"jsonrpc\":\"2.0\",\"id\":1}",
		"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"a\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":3}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1,\"error\":{}}",
		"{\"jsonrpc\":\"2.0\",\"result\":1}", "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":7}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":\"a\",\"message\":\"b\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":99999999999,\"message\":\"b\"}}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		refused(texts[i], RPC_INVALID_REQUEST);
}

static void test_what_is_written_is_read_again(void **state)
{
	struct json_object *params = json_object_new_object(), *id = json_object_new_int64(9);
	struct rpc_message message;
	struct buf out = {0};

	(void)state;
	json_object_object_add(params, "text", json_object_new_string("line\nbreak \"quoted\" ünï"));
	rpc_write_request(&out, 9, "case.note", params);
	assert_int_equal(out.data[out.len - 1], '\n');
	assert_null(memchr(out.data, '\n', out.len - 1));
	assert_int_equal(read_code(buf_cstr(&out), &message), 0);
	struct str text = STR_NONE;
	assert_true(rpc_member_str(message.params, "text", &text, NULL));
	assert_true(str_equal(text, STR("line\nbreak \"quoted\" ünï")));
	rpc_free(&message);
	buf_clear(&out);
	rpc_write_error(&out, id, RPC_DENIED, STR("no"), NULL);
	assert_int_equal(read_code(buf_cstr(&out), &message), 0);
	assert_int_equal(message.code, RPC_DENIED);
	rpc_free(&message);
	buf_clear(&out);
	rpc_write_result(&out, id, NULL);
	assert_string_equal(buf_cstr(&out), "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":null}\n");
	buf_free(&out);
	json_object_put(params);
	json_object_put(id);
}

/* JSON on a terminal is still a way in for escapes: C1 controls and what turns text around are escaped. */
static void test_json_text_is_harmless_on_a_terminal(void **state)
{
	static const char nasty[] = "a\x1b[2J\xc2\x9b"
				    "31m\xe2\x80\xae"
				    "b\x7f"
				    "c\xf3\xa0\x80\xa1";
	struct json_object *text = json_object_new_string(nasty), *again;
	struct buf out = {0};

	(void)state;
	rpc_json_text(&out, text, false);
	assert_string_equal(buf_cstr(&out), "\"a\\u001b[2J\\u009b31m\\u202eb\\u007fc\\udb40\\udc21\"");
	again = json_tokener_parse(buf_cstr(&out));
	assert_string_equal(json_object_get_string(again), nasty);
	json_object_put(again);
	json_object_put(text);
	buf_free(&out);
}

static void test_members_are_checked(void **state)
{
	struct json_object *object =
		json_tokener_parse("{\"n\":5,\"t\":\"x\",\"f\":true,\"z\":\"a\\u0000b\"}");
	struct str text = STR_NONE;
	struct err err;
	int64_t number = 1;
	bool flag = false;

	(void)state;
	assert_true(rpc_member_int(object, "missing", 0, 9, &number, &err));
	assert_int_equal(number, 1);
	assert_false(rpc_member_int(object, "n", 6, 9, &number, &err));
	assert_false(rpc_member_int(object, "t", 0, 9, &number, &err));
	assert_false(rpc_member_str(object, "n", &text, &err));
	assert_false(rpc_member_str(object, "z", &text, &err));
	assert_true(rpc_member_bool(object, "f", &flag, &err));
	assert_true(flag);
	assert_false(rpc_member_bool(object, "n", &flag, &err));
	json_object_put(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_is_read),
		cmocka_unit_test(test_notification_has_no_id),
		cmocka_unit_test(test_answers_are_read),
		cmocka_unit_test(test_what_is_not_json_is_a_parse_error),
		cmocka_unit_test(test_a_nul_byte_is_a_parse_error),
		cmocka_unit_test(test_what_is_not_a_message_is_an_invalid_request),
		cmocka_unit_test(test_what_is_written_is_read_again),
		cmocka_unit_test(test_json_text_is_harmless_on_a_terminal),
		cmocka_unit_test(test_members_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
