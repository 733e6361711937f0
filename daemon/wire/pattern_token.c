#include "config.h"

#include "wire/pattern_token.h"

#include "base/mem.h"

void pattern_lexer_init(struct pattern_lexer *lexer, struct str text, struct arena *arena)
{
	*lexer = (struct pattern_lexer){.text = text.p ? text : STR(""), .arena = arena};
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static struct str rest_of(const struct pattern_lexer *lexer)
{
	return (struct str){lexer->text.p + lexer->at, lexer->text.len - lexer->at};
}

static void skip_to(struct pattern_lexer *lexer, const char *end)
{
	const char *found = memmem(rest_of(lexer).p, rest_of(lexer).len, end, strlen(end));

	lexer->at = found ? (size_t)(found - lexer->text.p) + strlen(end) : lexer->text.len;
}

static void skip_space(struct pattern_lexer *lexer)
{
	for (;;) {
		struct str rest = rest_of(lexer);
		if (rest.len == 0)
			return;
		if (strchr(" \t\r\n\v\f", rest.p[0]) && rest.p[0])
			lexer->at++;
		else if (str_starts(rest, STR("\xc2\xa0")))
			lexer->at += 2;
		else if (str_starts(rest, STR("/*")))
			skip_to(lexer, "*/");
		else if (str_starts(rest, STR("//")))
			skip_to(lexer, "\n");
		else
			return;
	}
}

/* 'text' with \' and \\ as the only escapes; at stands on the opening quote. */
static bool lex_string(struct pattern_lexer *lexer, struct str *value, struct err *err)
{
	struct str rest = rest_of(lexer);
	size_t i = 1;
	size_t length = 0;
	bool escaped = false;
	char *copy;

	while (i < rest.len && rest.p[i] != '\'') {
		if (rest.p[i] == '\\') {
			escaped = true;
			i++;
			if (i < rest.len && rest.p[i] != '\'' && rest.p[i] != '\\')
				return err_set(err, ERR_MALFORMED,
					"byte %zu: expected \\ or ' behind a backslash", lexer->at + i);
		}
		i++;
	}
	if (i >= rest.len)
		return err_set(err, ERR_MALFORMED, "byte %zu: string has no closing quote", lexer->at);
	*value = (struct str){rest.p + 1, i - 1};
	lexer->at += i + 1;
	if (!escaped)
		return true;
	copy = arena_alloc(lexer->arena, value->len + 1);
	for (i = 0; i < value->len; i++) {
		if (value->p[i] == '\\')
			i++;
		copy[length++] = value->p[i];
	}
	*value = (struct str){copy, length};
	return true;
}

static bool hex_good(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_digit(text.p[i]) && !((text.p[i] | 32) >= 'a' && (text.p[i] | 32) <= 'f'))
			return false;
	return text.len % 2 == 0;
}

static bool base64_good(struct str text)
{
	size_t padding = 0;

	while (padding < 2 && padding < text.len && text.p[text.len - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i + padding < text.len; i++)
		if (!is_digit(text.p[i]) && !is_word_start(text.p[i]) && text.p[i] != '+' && text.p[i] != '/')
			return false;
	return text.len % 4 == 0 && (padding < text.len || text.len == 0) && !memchr(text.p, '_', text.len);
}

static bool two_digits(struct str text, size_t at, int least, int most)
{
	int value;

	if (at + 2 > text.len || !is_digit(text.p[at]) || !is_digit(text.p[at + 1]))
		return false;
	value = (text.p[at] - '0') * 10 + text.p[at + 1] - '0';
	return value >= least && value <= most;
}

/* YYYY-MM-DDTHH:MM:SS[.digits]Z by the grammar, which does not know the lengths of months */
static bool time_good(struct str text)
{
	size_t i = 19;

	if (text.len < 20 || !two_digits(text, 0, 0, 99) || !two_digits(text, 2, 0, 99) || text.p[4] != '-' ||
		!two_digits(text, 5, 1, 12) || text.p[7] != '-' || !two_digits(text, 8, 1, 31) ||
		text.p[10] != 'T' || !two_digits(text, 11, 0, 23) || text.p[13] != ':' ||
		!two_digits(text, 14, 0, 59) || text.p[16] != ':' || !two_digits(text, 17, 0, 60))
		return false;
	if (text.p[i] == '.') {
		i++;
		if (!is_digit(text.p[i]))
			return false;
		while (i < text.len && is_digit(text.p[i]))
			i++;
	}
	return i + 1 == text.len && text.p[i] == 'Z';
}

static const struct {
	char letter;
	enum pattern_token_kind kind;
	bool (*good)(struct str text);
	const char *what;
} prefixed[] = {
	{'h', TOKEN_HEX, hex_good, "pairs of hex digits"},
	{'b', TOKEN_BINARY, base64_good, "base64"},
	{'t', TOKEN_TIME, time_good, "a time such as 2026-11-22T10:00:00Z"},
};

/* h'…' b'…' t'…'; false with no error where none stands here */
static bool lex_prefixed(
	struct pattern_lexer *lexer, struct pattern_token *token, struct err *err, bool *failed)
{
	struct str rest = rest_of(lexer);

	*failed = false;
	for (size_t i = 0; i < ARRAY_LEN(prefixed); i++) {
		if (rest.len < 3 || rest.p[0] != prefixed[i].letter || rest.p[1] != '\'')
			continue;
		lexer->at++;
		token->kind = prefixed[i].kind;
		*failed = !lex_string(lexer, &token->text, err);
		if (!*failed && !prefixed[i].good(token->text)) {
			err_set(err, ERR_MALFORMED, "byte %zu: expected %s between the quotes", token->offset,
				prefixed[i].what);
			*failed = true;
		}
		return true;
	}
	return false;
}

static bool lex_number(struct pattern_lexer *lexer, struct pattern_token *token)
{
	struct str rest = rest_of(lexer);
	size_t i = rest.p[0] == '-' || rest.p[0] == '+';
	size_t whole = i;

	while (i < rest.len && is_digit(rest.p[i]))
		i++;
	if (i == whole && !(i + 1 < rest.len && rest.p[i] == '.' && is_digit(rest.p[i + 1])))
		return false;
	token->kind = TOKEN_INTEGER;
	if (i + 1 < rest.len && rest.p[i] == '.' && is_digit(rest.p[i + 1])) {
		token->kind = TOKEN_FLOAT;
		for (i++; i < rest.len && is_digit(rest.p[i]);)
			i++;
	}
	token->text = (struct str){rest.p, i};
	lexer->at += i;
	return true;
}

static void lex_word(struct pattern_lexer *lexer, struct pattern_token *token)
{
	struct str rest = rest_of(lexer);
	size_t i = 0;

	while (i < rest.len && (is_word_start(rest.p[i]) || is_digit(rest.p[i]) || rest.p[i] == '-'))
		i++;
	token->kind = TOKEN_WORD;
	token->text = (struct str){rest.p, i};
	lexer->at += i;
}

static bool lex_sign(struct pattern_lexer *lexer, struct pattern_token *token, struct err *err)
{
	static const struct str signs[] = {{"==", 2}, {"!=", 2}, {"<>", 2}, {"<=", 2}, {">=", 2}, {"=", 1},
		{"<", 1}, {">", 1}, {"[", 1}, {"]", 1}, {"(", 1}, {")", 1}, {":", 1}, {".", 1}, {",", 1},
		{"*", 1}};
	struct str rest = rest_of(lexer);

	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		if (!str_starts(rest, signs[i]))
			continue;
		token->kind = TOKEN_SIGN;
		token->text = signs[i];
		lexer->at += signs[i].len;
		return true;
	}
	return err_set(err, ERR_MALFORMED, "byte %zu: no STIX pattern has this here: 0x%02x", lexer->at,
		(unsigned char)rest.p[0]);
}

bool pattern_lex(struct pattern_lexer *lexer, struct pattern_token *token, struct err *err)
{
	bool failed;
	char c;

	skip_space(lexer);
	*token = (struct pattern_token){.offset = lexer->at};
	if (lexer->at >= lexer->text.len)
		return true;
	c = lexer->text.p[lexer->at];
	if (c == '\'') {
		token->kind = TOKEN_STRING;
		return lex_string(lexer, &token->text, err);
	}
	if (lex_prefixed(lexer, token, err, &failed))
		return !failed;
	if ((is_digit(c) || c == '-' || c == '+' || c == '.') && lex_number(lexer, token))
		return true;
	if (is_word_start(c)) {
		lex_word(lexer, token);
		return true;
	}
	return lex_sign(lexer, token, err);
}
