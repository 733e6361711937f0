#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "wire/pattern.h"

/* What STIX 2.1 section 9 wants of operators, literals and qualifiers. reason: NULL, it is a pattern; else
 * what the refusal says. */
static const struct {
	const char *pattern;
	const char *reason;
} rules[] = {
	{"[a:b = true]", NULL},
	{"[a:b != false]", NULL},
	{"[a:b > 1]", NULL},
	{"[a:b <= -1.5]", NULL},
	{"[a:b < 'text']", NULL},
	{"[a:b >= t'2026-11-22T10:00:00Z']", NULL},
	{"[a:b > h'ff00']", NULL},
	{"[a:b > b'AAAA']", NULL},
	{"[a:b > true]", "expected a literal that has an order"},
	{"[a:b < false]", "expected a literal that has an order"},
	{"[a:b >= true]", "expected a literal that has an order"},
	{"[a:b <= false]", "expected a literal that has an order"},
	{"[a:b NOT > true]", "expected a literal that has an order"},
	{"[a:b > c]", "expected a literal that has an order"},
	{"[a:b = c]", "expected a literal"},
	{"[a:b = TRUE]", "expected a literal"},
	{"[a:b = ]", "expected a literal"},
	{"[a:b IN ('x', 'y')]", NULL},
	{"[a:b IN (1, 2.5)]", NULL},
	{"[a:b IN (h'00', b'AAAA')]", NULL},
	{"[a:b IN (true, false)]", NULL},
	{"[a:b IN ()]", "expected a literal"},
	{"[a:b IN ('x',)]", "expected a literal of the same kind"},
	{"[a:b IN ('x', 2)]", "expected a literal of the same kind"},
	{"[a:b IN (1, true)]", "expected a literal of the same kind"},
	{"[a:b IN 'x']", "expected ("},
	{"[a:b LIKE '%x_']", NULL},
	{"[a:b LIKE 5]", "expected a string"},
	{"[a:b LIKE true]", "expected a string"},
	{"[a:b NOT LIKE h'00']", "expected a string"},
	{"[a:b MATCHES '^x\\\\d$']", NULL},
	{"[a:b MATCHES 5]", "expected a string"},
	{"[a:b MATCHES t'2026-11-22T10:00:00Z']", "expected a string"},
	{"[ipv4-addr:value ISSUBSET '198.51.100.0/24']", NULL},
	{"[ipv4-addr:value ISSUBSET '198.51.100.7']", NULL},
	{"[ipv4-addr:value ISSUBSET '198.51.100.7/24']", NULL},
	{"[ipv6-addr:value ISSUPERSET '2001:db8::/32']", NULL},
	{"[ipv4-addr:value ISSUBSET 'example.com']", "expected an address or a prefix"},
	{"[ipv4-addr:value ISSUBSET '198.51.100.0/33']", "expected an address or a prefix"},
	{"[ipv4-addr:value NOT ISSUPERSET '']", "expected an address or a prefix"},
	{"[ipv4-addr:value ISSUBSET 5]", "expected a string"},
	{"[ipv4-addr:value ISSUBSET ('198.51.100.0/24')]", "expected a string"},
	{"[EXISTS a:b]", NULL},
	{"[NOT EXISTS a:b]", NULL},
	{"[EXISTS a:b = 1]", "expected ]"},
	{"[EXISTS 'a']", "expected an object type"},
	{"[a:b = 'c\\\\d\\'e']", NULL},
	{"[a:b = 'C:\\Windows']", "behind a backslash"},
	{"[a:b = 1] REPEATS 2 TIMES", NULL},
	{"[a:b = 1] REPEATS 0 TIMES", "expected a number above 0"},
	{"[a:b = 1] REPEATS 00 TIMES", "expected a number above 0"},
	{"[a:b = 1] REPEATS -1 TIMES", "expected a number above 0"},
	{"[a:b = 1] REPEATS 1.5 TIMES", "expected a number"},
	{"[a:b = 1] REPEATS 'x' TIMES", "expected a number"},
	{"[a:b = 1] WITHIN 0.5 SECONDS", NULL},
	{"[a:b = 1] WITHIN 10 SECONDS", NULL},
	{"[a:b = 1] WITHIN 0 SECONDS", "expected a number above 0"},
	{"[a:b = 1] WITHIN 0.0 SECONDS", "expected a number above 0"},
	{"[a:b = 1] WITHIN +0 SECONDS", "expected a number above 0"},
	{"[a:b = 1] WITHIN -0.5 SECONDS", "expected a number above 0"},
	{"[a:b = 1] WITHIN 5 MINUTES", "expected SECONDS"},
	{"[a:b = 1] START t'2026-11-22T10:00:00Z' STOP t'2026-11-22T10:00:01Z'", NULL},
	{"[a:b = 1] START t'2026-11-22T10:00:00Z' STOP t'2026-11-22T10:00:00.001Z'", NULL},
	{"[a:b = 1] START t'2026-11-22T10:00:00.9Z' STOP t'2026-11-22T10:00:01Z'", NULL},
	{"[a:b = 1] START t'2026-11-22T10:00:01Z' STOP t'2026-11-22T10:00:00Z'", "later than that of START"},
	{"[a:b = 1] START t'2026-11-22T10:00:00Z' STOP t'2026-11-22T10:00:00.000Z'",
		"later than that of START"},
	{"[a:b = 1] START t'2026-11-22T10:00:00.50Z' STOP t'2026-11-22T10:00:00.5Z'",
		"later than that of START"},
	{"[a:b = 1] START t'2026-11-22T10:00:00Z'", "STOP"},
	{"[a:b = 1] START '2026-11-22T10:00:00Z' STOP t'2026-11-22T10:00:01Z'", "expected a time"},
};

static void test_rules_of_section_9(void **state)
{
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct pattern pattern;
		struct err err = {0};
		bool good = pattern_parse(str_of(rules[i].pattern), arena, &pattern, &err);
		if (good != !rules[i].reason)
			fail_msg("%s: %s", rules[i].pattern, good ? "was taken" : err.text);
		if (!good && !strstr(err.text, rules[i].reason))
			fail_msg("%s: \"%s\" does not say \"%s\"", rules[i].pattern, err.text,
				rules[i].reason);
	}
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rules_of_section_9)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
