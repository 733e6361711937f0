#include "config.h"

#include "unit.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/keccak.h"
#include "base/mem.h"
#include "model/observable.h"
#include "model/report.h"
#include "model/storable.h"
#include "model/wallet.h"

static void test_addresses_have_one_form(void **state)
{
	static const char *const good[][2] = {
		{"198.51.100.7", "198.51.100.7"},
		{"198.51.100.7/24", "198.51.100.0/24"},
		{"198.51.100.7/32", "198.51.100.7"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
		{"2001:db8::1/33", "2001:db8::/33"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"::ffff:192.0.2.1/120", "192.0.2.0/24"},
		{"::", "::"},
	};
	static const char *const bad[] = {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.4/33",
		"1.2.3.4/", "1.2.3.4/ 8", "1.2.3.4/-1", "2001:db8::1/129", "fe80::1%eth0", "1.2.3.4/8/8",
		":::", "g::", "/8"};
	struct netaddr addr, again;
	char text[NETADDR_TEXT];
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(netaddr_parse(str_of(good[i][0]), &addr));
		assert_string_equal(netaddr_format(&addr, text), good[i][1]);
		assert_true(netaddr_parse(str_of(text), &again));
		assert_int_equal(netaddr_compare(&addr, &again), 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(netaddr_parse(str_of(bad[i]), &addr));
}

static void test_any_address_round_trips_and_is_in_its_prefixes(void **state)
{
	uint64_t seed = 7;
	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct netaddr addr = {.family = chance(&seed) & 1 ? 4 : 6}, again;
		unsigned whole = addr.family == 4 ? 32 : 128;
		char text[NETADDR_TEXT];
		addr.bits = (uint8_t)whole;
		for (unsigned i = 0; i < whole / 8; i++)
			addr.bytes[i] = chance(&seed) & 1 ? (uint8_t)chance(&seed) : 0;
		struct netaddr prefix = netaddr_prefix(&addr, (unsigned)chance_below(&seed, whole + 1));
		assert_true(netaddr_contains(&prefix, &addr));
		assert_true(netaddr_contains(&prefix, &prefix));
		assert_int_equal(netaddr_contains(&addr, &prefix), prefix.bits == addr.bits);
		assert_true(netaddr_parse(str_of(netaddr_format(&prefix, text)), &again));
		if (again.family == addr.family) /* ::ffff:0:0/96 and longer turn into IPv4 */
			assert_int_equal(netaddr_compare(&prefix, &again), 0);
	}
}

static void test_values_are_normalised(void **state)
{
	static const struct {
		enum observable_type type;
		const char *text;
		const char *value; /* NULL: not of that type */
	} cases[] = {
		{OBSERVABLE_IP, "198[.]51.100[.]7", "198.51.100.7"},
		{OBSERVABLE_NAME, "WWW.Example.COM.", "www.example.com"},
		{OBSERVABLE_NAME, "evil[.]example(dot)com", "evil.example.com"},
		{OBSERVABLE_NAME,
			"b\xc3\xbc"
			"cher.example",
			"xn--bcher-kva.example"},
		{OBSERVABLE_NAME,
			"B\xc3\x9c"
			"CHER.example",
			"xn--bcher-kva.example"},
		{OBSERVABLE_NAME, "XN--BCHER-KVA.example", "xn--bcher-kva.example"},
		{OBSERVABLE_NAME, "_dmarc.example.com", "_dmarc.example.com"},
		{OBSERVABLE_NAME, "a..b", NULL},
		{OBSERVABLE_NAME, ".", NULL},
		{OBSERVABLE_NAME, "", NULL},
		{OBSERVABLE_NAME, "1.2.3.4", NULL},
		{OBSERVABLE_NAME, "a b.example", NULL},
		{OBSERVABLE_NAME, "\xff.example", NULL},
		{OBSERVABLE_NAME, "1234567890123456789012345678901234567890123456789012345678901234.example",
			NULL},
		{OBSERVABLE_URL, "hxxps://EVIL[.]example/Path?Q=1#F", "https://evil.example/Path?Q=1#F"},
		{OBSERVABLE_URL, "hXXp[://]evil[.example:8080", "http://evil.example:8080"},
		{OBSERVABLE_URL, "meow://evil.example/a", "http://evil.example/a"},
		{OBSERVABLE_URL, "xxxps://evil.example", "https://evil.example"},
		{OBSERVABLE_URL, "h11p://evil.example", "http://evil.example"},
		{OBSERVABLE_URL, "hxxp[s][:]//evil.example", "https://evil.example"},
		{OBSERVABLE_URL, "http[s]://evil.example", "https://evil.example"},
		{OBSERVABLE_URL, "https[:/]/evil.example", "https://evil.example"},
		{OBSERVABLE_URL, "hxxps[:]\\\\evil[.]example", "https://evil.example"},
		{OBSERVABLE_IP, "2001[:]db8[:]a[::]1", "2001:db8:a::1"},
		{OBSERVABLE_EMAIL, "john<at>example<dot>com", "john@example.com"},
		{OBSERVABLE_URL, "HTTP://user:Pw@Evil.example:/", "http://user:Pw@evil.example/"},
		{OBSERVABLE_URL, "http://[2001:DB8::1]:80/x y", "http://[2001:db8::1]:80/x%20y"},
		{OBSERVABLE_URL, "http://198.51.100.7/a", "http://198.51.100.7/a"},
		{OBSERVABLE_URL,
			"ftp://b\xc3\xbc"
			"cher.example/\xc3\xbc",
			"ftp://xn--bcher-kva.example/\xc3\xbc"},
		{OBSERVABLE_URL, "http://", NULL},
		{OBSERVABLE_URL, "http://a..b/", NULL},
		{OBSERVABLE_URL, "http://[::1/", NULL},
		{OBSERVABLE_URL, "http://[a.example]/", NULL},
		{OBSERVABLE_URL, "http://a.example:99999/", NULL},
		{OBSERVABLE_URL, "http://a.example/\nX: y", NULL},
		{OBSERVABLE_URL, "example.com/path", NULL},
		{OBSERVABLE_URL, "://example.com", NULL},
		{OBSERVABLE_EMAIL, "<John.Doe@Example.COM>", "John.Doe@example.com"},
		{OBSERVABLE_EMAIL, "mailto:john[at]example[dot]com", "john@example.com"},
		{OBSERVABLE_EMAIL, "@example.com", NULL},
		{OBSERVABLE_EMAIL, "john@", NULL},
		{OBSERVABLE_EMAIL, "a b@example.com", NULL},
		{OBSERVABLE_MD5, "D41D8CD98F00B204E9800998ECF8427E", "d41d8cd98f00b204e9800998ecf8427e"},
		{OBSERVABLE_MD5, "D41D8CD98F00B204E9800998ECF8427", NULL},
		{OBSERVABLE_SHA1, "g39a3ee5e6b4b0d3255bfef95601890afd80709a", NULL},
		{OBSERVABLE_ASN, "AS64500", "64500"},
		{OBSERVABLE_ASN, "as 007", "7"},
		{OBSERVABLE_ASN, "4294967296", NULL},
		{OBSERVABLE_CVE, "cve-2026-1234", "CVE-2026-1234"},
		{OBSERVABLE_CVE, "CVE-2026-123", NULL},
		{OBSERVABLE_CVE, "CVE-20261-234", NULL},
		{OBSERVABLE_MAC, "00-11-22-AA-BB-CC", "00:11:22:aa:bb:cc"},
		{OBSERVABLE_MAC, "0011.22aa.bbcc", "00:11:22:aa:bb:cc"},
		{OBSERVABLE_MAC, "00:11:22:aa:bb", NULL},
		{OBSERVABLE_MAC, "0:01122aabbcc0", NULL},
		{OBSERVABLE_MALWARE, " Mirai ", "mirai"},
		{OBSERVABLE_FILENAME, "a\xff.exe", "a\xef\xbf\xbd.exe"},
		{OBSERVABLE_MUTEX, "  ", NULL},
	};
	struct arena *arena = arena_new(0);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str value;
		bool ok = observable_normalise(cases[i].type, str_of(cases[i].text), arena, &value);
		if (ok != (cases[i].value != NULL))
			fail_msg("%s \"%s\" was %s", observable_type_name(cases[i].type), cases[i].text,
				ok ? "taken" : "refused");
		if (ok)
			assert_str_is(value, cases[i].value);
	}
	arena_free(&arena);
}

static void test_bare_values_are_guessed(void **state)
{
	static const struct {
		const char *text;
		enum observable_type type;
	} cases[] = {
		{"198.51.100.0/24", OBSERVABLE_IP},
		{"hxxp://a.example", OBSERVABLE_URL},
		{"a@b.example", OBSERVABLE_EMAIL},
		{"d41d8cd98f00b204e9800998ecf8427e", OBSERVABLE_MD5},
		{"CVE-2026-12345", OBSERVABLE_CVE},
		{"a[.]example", OBSERVABLE_NAME},
	};
	struct arena *arena = arena_new(0);
	struct observable observable;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(observable_guess(str_of(cases[i].text), arena, &observable));
		assert_int_equal(observable.type, cases[i].type);
		assert_true(observable_valid(&observable));
	}
	assert_false(observable_guess(STR("word"), arena, &observable));
	assert_false(observable_guess(STR(""), arena, &observable));
	arena_free(&arena);
}

/* Whatever comes in: what is taken is valid, and normalising it again changes nothing. */
static void test_normalising_any_bytes_is_safe_and_final(void **state)
{
	static const char *const pieces[] = {"http", "hxxp", "://", "[.]", ".", "@", "[", "]", "(dot)",
		"example", "com", "1", "255", ":", "/", "CVE-", "2026-", "xn--", "AS", "\xc3\xbc", " ", "%",
		"\\", "?", "#", "-", "\xff", "[at]", "mailto:", "<", ">", "\xe2\x80\x8b", "0011223344556677"};
	struct arena *arena = arena_new(0);
	uint64_t seed = 8;
	(void)state;
	for (int round = 0; round < 30000; round++) {
		struct buf text = {0};
		for (size_t n = chance_below(&seed, 8); n > 0; n--)
			buf_text(&text, pieces[chance_below(&seed, sizeof(pieces) / sizeof(pieces[0]))]);
		if (round % 5 == 0)
			chance_bytes(&seed, &text, chance_below(&seed, 6));
		enum observable_type type = (enum observable_type)chance_below(&seed, OBSERVABLE_TYPES);
		struct observable observable = {.type = type};
		struct str again;
		if (observable_normalise(type, buf_view(&text), arena, &observable.value)) {
			assert_true(observable_valid(&observable));
			assert_true(observable_normalise(type, observable.value, arena, &again));
			assert_true(str_equal(observable.value, again));
			int64_t keys[OBSERVABLE_KEYS];
			assert_in_range(observable_keys(&observable, keys), 1, OBSERVABLE_KEYS);
		}
		buf_free(&text);
		arena_reset(arena);
	}
	arena_free(&arena);
}

static bool has_key(const int64_t *keys, size_t count, enum observable_type type, const char *value)
{
	for (size_t i = 0; i < count; i++) {
		if (keys[i] == observable_key(type, str_of(value)))
			return true;
	}
	return false;
}

/* A search for a name finds all below it, one for a prefix all in it, each by one key. */
static void test_trap_24_values_stand_under_parents_and_prefixes(void **state)
{
	static const struct {
		enum observable_type type;
		const char *value;
		enum observable_type of[4];
		const char *under[4];
		size_t count; /* itself among them */
	} cases[] = {
		{OBSERVABLE_NAME, "a.b.example.com", {OBSERVABLE_NAME, OBSERVABLE_NAME},
			{"b.example.com", "example.com"}, 3},
		{OBSERVABLE_NAME, "example.com", {OBSERVABLE_OTHER}, {NULL}, 1},
		{OBSERVABLE_IP, "198.51.100.7", {OBSERVABLE_IP, OBSERVABLE_IP},
			{"198.51.100.0/24", "198.51.0.0/16"}, 3},
		{OBSERVABLE_IP, "198.51.100.0/24", {OBSERVABLE_IP}, {"198.51.0.0/16"}, 2},
		{OBSERVABLE_IP, "2001:db8:1:2::3", {OBSERVABLE_IP, OBSERVABLE_IP},
			{"2001:db8:1::/48", "2001:db8::/32"}, 3},
		{OBSERVABLE_URL, "http://u@w.example.com:8/x", {OBSERVABLE_NAME, OBSERVABLE_NAME},
			{"w.example.com", "example.com"}, 3},
		{OBSERVABLE_URL, "http://[2001:db8::1]/", {OBSERVABLE_IP, OBSERVABLE_IP},
			{"2001:db8::1", "2001:db8::/32"}, 4},
		{OBSERVABLE_EMAIL, "a@mail.example.com", {OBSERVABLE_NAME, OBSERVABLE_NAME},
			{"mail.example.com", "example.com"}, 3},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct observable observable = {.type = cases[i].type, .value = str_of(cases[i].value)};
		int64_t keys[OBSERVABLE_KEYS];
		size_t count = observable_keys(&observable, keys);
		assert_int_equal(count, cases[i].count);
		assert_true(has_key(keys, count, cases[i].type, cases[i].value));
		for (size_t n = 0; n < 4 && cases[i].under[n]; n++)
			assert_true(has_key(keys, count, cases[i].of[n], cases[i].under[n]));
	}
	/* So that SQL can compute it too: the first 8 bytes of SHA-256 over "ip", NUL, "192.0.2.1". */
	assert_true(observable_key(OBSERVABLE_IP, STR("192.0.2.1")) == search_key("ip", STR("192.0.2.1")));
}

static void test_every_octet_and_length_is_written_as_libc_does(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++)
		for (uint8_t bits = 0; bits <= 32; bits++) {
			struct netaddr addr = {.family = 4,
				.bits = bits,
				.bytes = {(uint8_t)i, 0, (uint8_t)(255 - i), (uint8_t)i}};
			char text[NETADDR_TEXT], expected[NETADDR_TEXT];
			inet_ntop(AF_INET, addr.bytes, expected, sizeof(expected));
			size_t len = strlen(expected);
			if (bits < 32)
				snprintf(expected + len, sizeof(expected) - len, "/%u", (unsigned)bits);
			assert_string_equal(netaddr_format(&addr, text), expected);
		}
}

/* SQL computes the same: the first 8 bytes of SHA-256 over kind, NUL, value, however long. */
static void test_search_keys_are_a_digest_of_kind_and_value(void **state)
{
	char whole[3 + 1000] = "ip";
	(void)state;
	memset(whole + 3, 'x', sizeof(whole) - 3);
	for (size_t len = 0; len <= 1000; len++) {
		uint8_t digest[SHA256_LEN];
		uint64_t key = 0;
		sha256((struct str){whole, 3 + len}, digest);
		for (size_t i = 0; i < 8; i++)
			key = key << 8 | digest[i];
		assert_true(search_key("ip", (struct str){whole + 3, len}) == (int64_t)key);
	}
}

static void test_report_keys_are_sorted_unique_and_bounded(void **state)
{
	struct observable observables[40];
	char names[40][40];
	int64_t keys[REPORT_KEYS];
	(void)state;
	for (size_t i = 0; i < 40; i++) {
		snprintf(names[i], sizeof(names[i]), "a.b%zu.example%zu.com", i, i);
		observables[i] = (struct observable){.type = OBSERVABLE_NAME, .value = str_of(names[i])};
	}
	struct report report = {.identifier = STR("cve-2026-1234"),
		.malware = STR("mirai"),
		.sender_id = STR("17"),
		.observables = observables,
		.observable_count = 40};
	size_t count = report_keys(&report, keys);
	assert_int_equal(count, REPORT_KEYS);
	for (size_t i = 1; i < count; i++)
		assert_true(keys[i - 1] < keys[i]);
	for (size_t i = 0; i < 40; i++)
		assert_true(has_key(keys, count, OBSERVABLE_NAME, names[i]));
	assert_true(has_key(keys, count, OBSERVABLE_CVE, "CVE-2026-1234"));
	assert_true(has_key(keys, count, OBSERVABLE_MALWARE, "mirai"));
	report = (struct report){.identifier = STR("open-rdp")};
	assert_int_equal(report_keys(&report, keys), 1);
	assert_true(keys[0] == search_key("identifier", STR("open-rdp")));
}

static void test_names_of_types_and_roles_are_read(void **state)
{
	enum observable_type type;
	enum observable_role role;
	(void)state;
	for (int i = 0; i < OBSERVABLE_TYPES; i++)
		assert_true(
			observable_type_parse(str_of(observable_type_name((enum observable_type)i)), &type) &&
			(int)type == i);
	for (int i = 0; i < OBSERVABLE_ROLES; i++)
		assert_true(
			observable_role_parse(str_of(observable_role_name((enum observable_role)i)), &role) &&
			(int)role == i);
	assert_true(observable_type_parse(STR("SHA-256"), &type) && type == OBSERVABLE_SHA256);
	assert_true(observable_role_parse(STR("destination"), &role) && role == OBSERVED_TARGET);
	assert_false(observable_type_parse(STR("thing"), &type) || observable_role_parse(STR(""), &role));
}

static void keccak_is(struct str text, const char *wanted)
{
	uint8_t digest[KECCAK256_LEN];
	char hex[2 * KECCAK256_LEN + 1];

	keccak256(text, digest);
	assert_string_equal(hex_encode(digest, KECCAK256_LEN, hex), wanted);
}

static void test_keccak_is_not_sha3(void **state)
{
	char long_text[200];

	(void)state;
	keccak_is(STR(""), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
	keccak_is(STR("abc"), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
	/* as long as is taken in at once, and one more */
	memset(long_text, 'a', sizeof(long_text));
	keccak_is((struct str){long_text, 136},
		"a6c4d403279fe3e0af03729caada8374b5ca54d8065329a3ebcaeb4b60aa386e");
	keccak_is((struct str){long_text, 137},
		"d869f639c7046b4929fc92a4d988a8b22c55fbadb802c0c66ebcd484f1915f39");
}

/* Addresses that stand in the standards (BIP 173, BIP 350, EIP-55) or belong to nobody's money any more. */
static const char *const wallets[][2] = {
	{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", NULL},
	{"3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", NULL},
	{"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"},
	{"bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3", NULL},
	{"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", NULL},
	{"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"},
	{"0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359", NULL},
	{"0xDE709F2102306220921060314715629080E2FB77", "0xde709f2102306220921060314715629080e2fb77"},
	{"888tNkZrPN6JsEgekjMnABU4TBzc2Dt29EPAvkRxbANsAnjyPbb3iQ1YBRk1UXcdRsiKc9dhwMVgN5S9cQUiyoogDavup3H",
		NULL},
};

static const char *const no_wallets[] = {
	"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", /* a digit off */
	"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN",
	"0A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
	"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
	"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3T4",
	"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", /* bech32 where bech32m must be */
	"bc1",
	"bc1qqqqqqqqqqqqqqqq",
	"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", /* the last letter's case */
	"0x0000000000000000000000000000000000000000",
	"0xfb6916095ca1df60bb79ce92ce3ea74c37c5d35",
	"888tNkZrPN6JsEgekjMnABU4TBzc2Dt29EPAvkRxbANsAnjyPbb3iQ1YBRk1UXcdRsiKc9dhwMVgN5S9cQUiyoogDavup3J",
	"",
};

static void test_wallets_are_told_by_their_checksum(void **state)
{
	struct arena *arena = arena_new(0);
	struct observable guessed;
	struct str value;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wallets); i++) {
		if (!wallet_normalise(str_of(wallets[i][0]), arena, &value))
			fail_msg("%s is a wallet", wallets[i][0]);
		assert_string_equal(value.p, wallets[i][1] ? wallets[i][1] : wallets[i][0]);
		assert_true(observable_guess(str_of(wallets[i][0]), arena, &guessed));
		assert_int_equal(guessed.type, OBSERVABLE_WALLET);
	}
	for (size_t i = 0; i < ARRAY_LEN(no_wallets); i++)
		if (wallet_is(str_of(no_wallets[i])))
			fail_msg("%s is none", no_wallets[i]);
	/* of a coin that we know nothing of: as its sender wrote it */
	assert_true(observable_normalise(OBSERVABLE_WALLET, STR("addr1qxyz"), arena, &value));
	assert_true(str_equal(value, STR("addr1qxyz")));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_have_one_form),
		cmocka_unit_test(test_any_address_round_trips_and_is_in_its_prefixes),
		cmocka_unit_test(test_values_are_normalised),
		cmocka_unit_test(test_bare_values_are_guessed),
		cmocka_unit_test(test_normalising_any_bytes_is_safe_and_final),
		cmocka_unit_test(test_trap_24_values_stand_under_parents_and_prefixes),
		cmocka_unit_test(test_every_octet_and_length_is_written_as_libc_does),
		cmocka_unit_test(test_search_keys_are_a_digest_of_kind_and_value),
		cmocka_unit_test(test_report_keys_are_sorted_unique_and_bounded),
		cmocka_unit_test(test_names_of_types_and_roles_are_read),
		cmocka_unit_test(test_keccak_is_not_sha3),
		cmocka_unit_test(test_wallets_are_told_by_their_checksum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
