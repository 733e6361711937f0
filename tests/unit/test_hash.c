#include "config.h"

#include "unit.h"

#include "base/hash.h"

static void assert_hex(const void *bytes, size_t len, const char *expected)
{
	char text[129];
	assert_string_equal(hex_encode(bytes, len, text), expected);
}

static void test_known_digests(void **state)
{
	uint8_t digest[SHA256_LEN], key[16];
	(void)state;
	sha256(STR("abc"), digest);
	assert_hex(digest, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256(STR_NONE, digest);
	assert_hex(digest, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha1(STR("abc"), digest);
	assert_hex(digest, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
	hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), digest); /* RFC 4231, case 2 */
	assert_hex(digest, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	hmac_sha256(STR_NONE, STR_NONE, digest);
	assert_hex(digest, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	assert_true(
		siphash(key, STR_NONE) == UINT64_C(0x726fdb47dd0e0e31)); /* of the paper's reference code */
	assert_true(
		siphash(key, STR("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16")) == UINT64_C(0xa129ca6149be45e5));
}

static void test_digest_in_pieces_is_the_digest(void **state)
{
	struct sha256 *hash = sha256_new();
	uint64_t seed = 5;
	(void)state;
	for (int round = 0; round < 200; round++) {
		struct buf bytes = {0};
		uint8_t whole[SHA256_LEN], pieces[SHA256_LEN];
		chance_bytes(&seed, &bytes, chance_below(&seed, 500));
		size_t cut = bytes.len ? chance_below(&seed, bytes.len) : 0;
		sha256_reset(hash);
		sha256_update(hash, bytes.data, cut);
		sha256_update(hash, bytes.data ? bytes.data + cut : NULL, bytes.len - cut);
		sha256_final(hash, pieces);
		sha256(buf_view(&bytes), whole);
		assert_memory_equal(whole, pieces, SHA256_LEN);
		assert_true(bytes_equal_constant_time(whole, pieces, SHA256_LEN));
		pieces[chance_below(&seed, SHA256_LEN)] ^= 1;
		assert_false(bytes_equal_constant_time(whole, pieces, SHA256_LEN));
		buf_free(&bytes);
	}
	sha256_free(&hash);
	assert_null(hash);
}

static void test_base64_and_hex_round_trip(void **state)
{
	uint64_t seed = 6;
	(void)state;
	for (int round = 0; round < 1000; round++) {
		struct buf bytes = {0}, text = {0}, strict = {0}, loose = {0};
		char hex[201], again[100];
		chance_bytes(&seed, &bytes, chance_below(&seed, 100));
		base64_encode(buf_view(&bytes), &text);
		assert_true(base64_decode(buf_view(&text), true, &strict));
		assert_true(str_equal(buf_view(&strict), buf_view(&bytes)));
		if (text.len > 2) {
			buf_char(&text, '\n');
			memmove(text.data + 2, text.data + 1, text.len - 2);
			text.data[1] = '\r';
			assert_false(base64_decode(buf_view(&text), true, &strict));
		}
		assert_true(base64_decode(buf_view(&text), false, &loose));
		assert_true(str_equal(buf_view(&loose), buf_view(&bytes)));
		hex_encode(bytes.data, bytes.len, hex);
		assert_true(hex_decode(str_of(hex), again, bytes.len));
		if (bytes.len > 0)
			assert_memory_equal(again, bytes.data, bytes.len);
		buf_free(&bytes);
		buf_free(&text);
		buf_free(&strict);
		buf_free(&loose);
	}
}

static void test_base64_and_hex_refuse(void **state)
{
	static const char *const bad[] = {
		"a", "ab", "abc", "ab=c", "a===", "====", "ab==ab==", "aR==", "abd=", "ab\n="};
	struct buf out = {0};
	uint8_t bytes[4];
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(base64_decode(str_of(bad[i]), true, &out));
	assert_int_equal(out.len, 0);
	assert_true(base64_decode(STR("YQ"), false, &out));
	assert_str_is(buf_view(&out), "a");
	assert_false(hex_decode(STR("0g"), bytes, 1) || hex_decode(STR("000"), bytes, 1) ||
		     hex_decode(STR("00"), bytes, 2));
	buf_free(&out);
}

static void test_uuid(void **state)
{
	uint8_t uuid[UUID_LEN], again[UUID_LEN];
	char text[UUID_TEXT];
	(void)state;
	assert_true(uuid_parse(
		STR("6BA7B810-9dad-11d1-80b4-00c04fd430c8"), again)); /* RFC 4122's DNS name space */
	uuid_v5(again, STR("www.example.com"), uuid);
	assert_string_equal(uuid_format(uuid, text), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
	uuid_random(uuid);
	uuid_format(uuid, text);
	assert_int_equal(text[14], '4');
	assert_true(uuid_parse(str_of(text), again));
	assert_memory_equal(uuid, again, UUID_LEN);
	assert_false(uuid_parse(STR("6ba7b8109dad11d180b400c04fd430c8"), again));
	assert_false(uuid_parse(STR("6ba7b810-9dad-11d1-80b4-00c04fd430c"), again));
	assert_false(uuid_parse(STR("6ba7b810-9dad-11d1-80b4-00c04fd430cg"), again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_digests),
		cmocka_unit_test(test_digest_in_pieces_is_the_digest),
		cmocka_unit_test(test_base64_and_hex_round_trip),
		cmocka_unit_test(test_base64_and_hex_refuse),
		cmocka_unit_test(test_uuid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
