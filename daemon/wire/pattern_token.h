#ifndef WIRE_PATTERN_TOKEN_H
#define WIRE_PATTERN_TOKEN_H

#include "base/arena.h"
#include "base/err.h"

/* The words of STIX patterns, for wire/pattern.c. */
enum pattern_token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* names and key words; may hold '-' and '_' */
	TOKEN_STRING, /* text: unescaped */
	TOKEN_INTEGER,
	TOKEN_FLOAT,
	TOKEN_HEX,    /* h'…', text: between the quotes */
	TOKEN_BINARY, /* b'…' */
	TOKEN_TIME,   /* t'…' */
	TOKEN_SIGN
};

struct pattern_token {
	enum pattern_token_kind kind;
	struct str text;
	size_t offset;
};

struct pattern_lexer {
	struct str text;
	size_t at;
	struct arena *arena;
};

void pattern_lexer_init(struct pattern_lexer *lexer, struct str text, struct arena *arena);
/* The next token; white space and comments are skipped. False where nothing of the grammar stands. */
bool pattern_lex(struct pattern_lexer *lexer, struct pattern_token *token, struct err *err);

#endif
