#include "wire/pattern.h"

#include "base/mem.h"
#include "model/netaddr.h"
#include "wire/pattern_token.h"

#define DEPTH_MAX       100
#define COMPARISONS_MAX 10000

/* Recursive descent over STIXPattern.g4; FOLLOWEDBY binds loosest, AND tightest. */
struct parser {
	struct pattern_lexer lexer;
	struct pattern_token token; /* the one in hand */
	struct arena *arena;
	struct pattern *pattern;
	unsigned depth;
	struct err *err;
};

static bool next(struct parser *parser)
{
	return pattern_lex(&parser->lexer, &parser->token, parser->err);
}

static bool expected(struct parser *parser, const char *what)
{
	if (parser->token.kind == TOKEN_END)
		return err_set(parser->err, ERR_MALFORMED, "pattern ends where %s was expected", what);
	return err_set(parser->err, ERR_MALFORMED, "byte %zu: expected %s, found \"" STR_FMT "\"",
		parser->token.offset, what, (int)(parser->token.text.len > 40 ? 40 : parser->token.text.len),
		parser->token.text.p);
}

static bool is_word(const struct parser *parser, const char *word)
{
	return parser->token.kind == TOKEN_WORD && str_equal(parser->token.text, str_of(word));
}

static bool is_sign(const struct parser *parser, const char *sign)
{
	return parser->token.kind == TOKEN_SIGN && str_equal(parser->token.text, str_of(sign));
}

static bool take_sign(struct parser *parser, const char *sign)
{
	if (!is_sign(parser, sign))
		return expected(parser, sign);
	return next(parser);
}

static bool take_word(struct parser *parser, const char *word)
{
	if (!is_word(parser, word))
		return expected(parser, word);
	return next(parser);
}

static bool deeper(struct parser *parser)
{
	if (parser->depth == DEPTH_MAX)
		return err_set(parser->err, ERR_MALFORMED, "byte %zu: parentheses nest deeper than %d",
			parser->token.offset, DEPTH_MAX);
	parser->depth++;
	return true;
}

/* --- object paths --- */

struct path {
	char text[512];
	size_t len;
};

static bool path_add(struct parser *parser, struct path *path, struct str text)
{
	if (text.len > sizeof(path->text) - path->len)
		return err_set(parser->err, ERR_MALFORMED, "byte %zu: object path is too long",
			parser->token.offset);
	memcpy(path->text + path->len, text.p, text.len);
	path->len += text.len;
	return true;
}

/* name or 'quoted-name' */
static bool path_step(struct parser *parser, struct path *path)
{
	if (parser->token.kind != TOKEN_WORD && parser->token.kind != TOKEN_STRING)
		return expected(parser, "a property name");
	return path_add(parser, path, parser->token.text) && next(parser);
}

/* [0] or [*] */
static bool path_index(struct parser *parser, struct path *path)
{
	if (!next(parser))
		return false;
	if (parser->token.kind != TOKEN_INTEGER && !is_sign(parser, "*"))
		return expected(parser, "an index or *");
	return path_add(parser, path, STR("[")) && path_add(parser, path, parser->token.text) &&
	       path_add(parser, path, STR("]")) && next(parser) && take_sign(parser, "]");
}

static bool object_path(struct parser *parser, struct pattern_comparison *comparison)
{
	struct path path = {.len = 0};

	if (parser->token.kind != TOKEN_WORD)
		return expected(parser, "an object type");
	comparison->type = parser->token.text;
	if (!next(parser) || !take_sign(parser, ":") || !path_step(parser, &path))
		return false;
	while (is_sign(parser, ".") || is_sign(parser, "[")) {
		if (is_sign(parser, "[")) {
			if (!path_index(parser, &path))
				return false;
		} else if (!path_add(parser, &path, STR(".")) || !next(parser) || !path_step(parser, &path)) {
			return false;
		}
	}
	comparison->path = arena_str(parser->arena, (struct str){path.text, path.len});
	return true;
}

/* --- comparisons --- */

/* Kinds of literals (STIX 2.1 section 9.2), and which of them an operator takes (section 9.6.1). */
enum literal {
	LITERAL_STRING = 1,
	LITERAL_NUMBER = 2, /* an integer and a float compare */
	LITERAL_BINARY = 4, /* hex too: both are octets */
	LITERAL_TIME = 8,
	LITERAL_BOOLEAN = 16,
	LITERAL_ORDERED = LITERAL_STRING | LITERAL_NUMBER | LITERAL_BINARY | LITERAL_TIME,
	LITERAL_ANY = LITERAL_ORDERED | LITERAL_BOOLEAN
};

static const struct {
	const char *sign;
	enum pattern_operator operator;
	enum pattern_token_kind kind; /* of the operator */
	enum literal takes;
	const char *expected;
} operators[] = {
	{"=", PATTERN_EQUAL, TOKEN_SIGN, LITERAL_ANY, "a literal"},
	{"==", PATTERN_EQUAL, TOKEN_SIGN, LITERAL_ANY, "a literal"},
	{"!=", PATTERN_UNEQUAL, TOKEN_SIGN, LITERAL_ANY, "a literal"},
	{"<>", PATTERN_UNEQUAL, TOKEN_SIGN, LITERAL_ANY, "a literal"},
	{"<", PATTERN_LESS, TOKEN_SIGN, LITERAL_ORDERED, "a literal that has an order"},
	{"<=", PATTERN_LESS_EQUAL, TOKEN_SIGN, LITERAL_ORDERED, "a literal that has an order"},
	{">", PATTERN_GREATER, TOKEN_SIGN, LITERAL_ORDERED, "a literal that has an order"},
	{">=", PATTERN_GREATER_EQUAL, TOKEN_SIGN, LITERAL_ORDERED, "a literal that has an order"},
	{"IN", PATTERN_IN, TOKEN_WORD, LITERAL_ANY, "a literal"},
	{"LIKE", PATTERN_LIKE, TOKEN_WORD, LITERAL_STRING, "a string"},
	{"MATCHES", PATTERN_MATCHES, TOKEN_WORD, LITERAL_STRING, "a string"},
	{"ISSUBSET", PATTERN_SUBSET, TOKEN_WORD, LITERAL_STRING, "a string"},
	{"ISSUPERSET", PATTERN_SUPERSET, TOKEN_WORD, LITERAL_STRING, "a string"},
};

/* Of the token in hand; 0 where it is none. */
static enum literal literal_of(const struct parser *parser)
{
	switch (parser->token.kind) {
	case TOKEN_STRING:
		return LITERAL_STRING;
	case TOKEN_INTEGER:
	case TOKEN_FLOAT:
		return LITERAL_NUMBER;
	case TOKEN_HEX:
	case TOKEN_BINARY:
		return LITERAL_BINARY;
	case TOKEN_TIME:
		return LITERAL_TIME;
	default:
		return is_word(parser, "true") || is_word(parser, "false") ? LITERAL_BOOLEAN : 0;
	}
}

static bool add_value(
	struct parser *parser, struct pattern_comparison *comparison, enum literal takes, const char *what)
{
	size_t count = comparison->value_count;

	if (!(literal_of(parser) & takes))
		return expected(parser, what);
	if ((count & (count - 1)) == 0)
		comparison->values = arena_grow(parser->arena, comparison->values, count * sizeof(struct str),
			(count ? 2 * count : 1) * sizeof(struct str));
	comparison->values[comparison->value_count++] = parser->token.text;
	return next(parser);
}

/* At least one value, and all of one kind. */
static bool value_set(struct parser *parser, struct pattern_comparison *comparison)
{
	enum literal kind;

	if (!take_sign(parser, "("))
		return false;
	kind = literal_of(parser);
	if (!add_value(parser, comparison, LITERAL_ANY, "a literal"))
		return false;
	while (is_sign(parser, ","))
		if (!next(parser) ||
			!add_value(parser, comparison, kind, "a literal of the same kind as the first"))
			return false;
	return take_sign(parser, ")");
}

static const struct {
	const char *path;
	size_t digits;
} digest_lengths[] = {{"hashes.MD5", 32}, {"hashes.SHA-1", 40}, {"hashes.SHA-256", 64},
	{"hashes.SHA-512", 128}, {"hashes.SHA256", 64}, {"hashes.SHA1", 40}, {"hashes.SHA512", 128}};

/* A digest that is compared must be one (STIX 2.1 section 10.5). */
static bool check_digest(struct parser *parser, const struct pattern_comparison *comparison)
{
	if (comparison->operator!= PATTERN_EQUAL && comparison->operator!= PATTERN_IN)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(digest_lengths); i++) {
		if (!str_equal(comparison->path, str_of(digest_lengths[i].path)))
			continue;
		for (size_t v = 0; v < comparison->value_count; v++) {
			struct str value = comparison->values[v];
			size_t hex = 0;
			while (hex < value.len &&
				((value.p[hex] >= '0' && value.p[hex] <= '9') ||
					((value.p[hex] | 32) >= 'a' && (value.p[hex] | 32) <= 'f')))
				hex++;
			if (hex != value.len || hex != digest_lengths[i].digits)
				return err_set(parser->err, ERR_MALFORMED, "%s: expected %zu hex digits",
					digest_lengths[i].path, digest_lengths[i].digits);
		}
	}
	return true;
}

/* What a set operator compares with is an address or a prefix (STIX 2.1 sections 6.7 and 6.8); bits behind
 * the prefix are no fault. */
static bool check_set(struct parser *parser, enum pattern_operator operator)
{
	struct netaddr prefix;

	if ((operator!= PATTERN_SUBSET && operator!= PATTERN_SUPERSET) ||
		parser->token.kind != TOKEN_STRING || netaddr_parse(parser->token.text, &prefix))
		return true;
	return expected(parser, "an address or a prefix");
}

static bool comparison_tail(struct parser *parser, struct pattern_comparison *comparison)
{
	if (is_word(parser, "NOT")) {
		comparison->negated = true;
		if (!next(parser))
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
		if (parser->token.kind != operators[i].kind ||
			!str_equal(parser->token.text, str_of(operators[i].sign)))
			continue;
		comparison->operator= operators[i].operator;
		if (!next(parser))
			return false;
		if (comparison->operator== PATTERN_IN)
			return value_set(parser, comparison) && check_digest(parser, comparison);
		return check_set(parser, comparison->operator) &&
		       add_value(parser, comparison, operators[i].takes, operators[i].expected) &&
		       check_digest(parser, comparison);
	}
	return expected(parser, "a comparison operator");
}

static bool comparison_add(struct parser *parser, const struct pattern_comparison *comparison)
{
	struct pattern *pattern = parser->pattern;
	size_t count = pattern->comparison_count;

	if (count == COMPARISONS_MAX)
		return err_set(parser->err, ERR_MALFORMED, "more than %d comparisons", COMPARISONS_MAX);
	if ((count & (count - 1)) == 0)
		pattern->comparisons = arena_grow(parser->arena, pattern->comparisons,
			count * sizeof(*comparison), (count ? 2 * count : 1) * sizeof(*comparison));
	pattern->comparisons[pattern->comparison_count++] = *comparison;
	return true;
}

static bool comparison_or(struct parser *parser);

static bool comparison_test(struct parser *parser)
{
	struct pattern_comparison comparison = {0};

	if (is_sign(parser, "(")) {
		bool good = deeper(parser) && next(parser) && comparison_or(parser) && take_sign(parser, ")");
		parser->depth--;
		return good;
	}
	if (is_word(parser, "NOT")) {
		comparison.negated = true;
		if (!next(parser) || !is_word(parser, "EXISTS"))
			return expected(parser, "EXISTS");
	}
	if (is_word(parser, "EXISTS")) {
		comparison.operator= PATTERN_EXISTS;
		return next(parser) && object_path(parser, &comparison) &&
		       comparison_add(parser, &comparison);
	}
	return object_path(parser, &comparison) && comparison_tail(parser, &comparison) &&
	       comparison_add(parser, &comparison);
}

static bool comparison_and(struct parser *parser)
{
	if (!comparison_test(parser))
		return false;
	while (is_word(parser, "AND"))
		if (!next(parser) || !comparison_test(parser))
			return false;
	return true;
}

static bool comparison_or(struct parser *parser)
{
	if (!comparison_and(parser))
		return false;
	while (is_word(parser, "OR"))
		if (!next(parser) || !comparison_and(parser))
			return false;
	return true;
}

/* --- observations --- */

/* Without the Z and the noughts at the end of a fraction, times are in the order of their bytes. */
static struct str time_digits(struct str time)
{
	bool fraction = memchr(time.p, '.', time.len) != NULL;

	time.len--;
	while (fraction && (time.p[time.len - 1] == '0' || time.p[time.len - 1] == '.'))
		fraction = time.p[--time.len] != '.';
	return time;
}

static bool is_earlier(struct str a, struct str b)
{
	struct str left = time_digits(a);
	struct str right = time_digits(b);
	int order = memcmp(left.p, right.p, left.len < right.len ? left.len : right.len);

	return order < 0 || (order == 0 && left.len < right.len);
}

static bool qualifier_times(struct parser *parser)
{
	struct str times[2];

	for (int i = 0; i < 2; i++) {
		if (!take_word(parser, i ? "STOP" : "START"))
			return false;
		if (parser->token.kind != TOKEN_TIME)
			return expected(parser, "a time t'…Z'");
		times[i] = parser->token.text;
		if (i && !is_earlier(times[0], times[1]))
			return expected(parser, "a time of STOP that is later than that of START");
		if (!next(parser))
			return false;
	}
	return true;
}

static bool is_positive(struct str number)
{
	bool positive = false;

	for (size_t i = 0; i < number.len; i++)
		positive |= number.p[i] >= '1' && number.p[i] <= '9';
	return positive && number.p[0] != '-';
}

static bool qualifier_number(struct parser *parser, bool whole, const char *unit)
{
	if (!next(parser))
		return false;
	if (parser->token.kind != TOKEN_INTEGER && (whole || parser->token.kind != TOKEN_FLOAT))
		return expected(parser, "a number");
	if (!is_positive(parser->token.text))
		return expected(parser, "a number above 0");
	return next(parser) && take_word(parser, unit);
}

/* Each kind at most once on one observation. */
static bool qualifiers(struct parser *parser)
{
	bool times = false, within = false, repeats = false;

	for (;;) {
		bool *seen = is_word(parser, "START")     ? &times
		             : is_word(parser, "WITHIN")  ? &within
		             : is_word(parser, "REPEATS") ? &repeats
		                                          : NULL;
		if (!seen)
			return true;
		if (*seen)
			return expected(parser, "a qualifier that is not there yet");
		*seen = true;
		if (seen == &times ? !qualifier_times(parser)
				   : !qualifier_number(parser, seen == &repeats,
					     seen == &repeats ? "TIMES" : "SECONDS"))
			return false;
	}
}

static bool observations(struct parser *parser);

static bool observation(struct parser *parser)
{
	bool good;

	if (is_sign(parser, "[")) {
		parser->pattern->observation_count++;
		good = next(parser) && comparison_or(parser) && take_sign(parser, "]");
	} else if (is_sign(parser, "(")) {
		good = deeper(parser) && next(parser) && observations(parser) && take_sign(parser, ")");
		parser->depth--;
	} else {
		return expected(parser, "[ or (");
	}
	return good && qualifiers(parser);
}

/* The three joints differ in binding only, which nothing here depends on. */
static bool observations(struct parser *parser)
{
	if (!observation(parser))
		return false;
	while (is_word(parser, "AND") || is_word(parser, "OR") || is_word(parser, "FOLLOWEDBY"))
		if (!next(parser) || !observation(parser))
			return false;
	return true;
}

bool pattern_parse(struct str text, struct arena *arena, struct pattern *pattern, struct err *err)
{
	struct pattern found = {0};
	struct parser parser = {.arena = arena, .pattern = &found, .err = err};

	pattern_lexer_init(&parser.lexer, text, arena);
	if (!next(&parser) || !observations(&parser))
		return false;
	if (parser.token.kind != TOKEN_END)
		return expected(&parser, "the end");
	*pattern = found;
	return true;
}
