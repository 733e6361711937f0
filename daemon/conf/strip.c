#include "config.h"

#include "conf/parse.h"

#define DEPTH_MAX 8

struct strip {
	struct buf *text;
	size_t at;
	int line;
	int opened[DEPTH_MAX]; /* lines of the braces that are open */
	size_t depth;
	struct mistakes *mistakes;
};

static char look(const struct strip *strip, size_t ahead)
{
	if (strip->at + ahead >= strip->text->len)
		return '\0';
	return strip->text->data[strip->at + ahead];
}

static void step(struct strip *strip, bool blank)
{
	char *c = &strip->text->data[strip->at++];
	if (*c == '\n')
		strip->line++;
	else if (blank)
		*c = ' ';
}

static void skip_line_comment(struct strip *strip)
{
	while (strip->at < strip->text->len && look(strip, 0) != '\n')
		step(strip, true);
}

static bool skip_block_comment(struct strip *strip)
{
	int line = strip->line;
	step(strip, true);
	step(strip, true);
	while (strip->at < strip->text->len) {
		bool ends = look(strip, 0) == '*' && look(strip, 1) == '/';
		step(strip, true);
		if (ends) {
			step(strip, true);
			return true;
		}
	}
	mistake_add(strip->mistakes, line, "the comment that begins here was expected to end with */");
	return false;
}

static bool skip_string(struct strip *strip)
{
	char quote = look(strip, 0);
	int line = strip->line;
	step(strip, false);
	while (strip->at < strip->text->len && look(strip, 0) != '\n') {
		char c = look(strip, 0);
		step(strip, false);
		if (c == quote)
			return true;
		if (c == '\\' && look(strip, 0) != '\n' && strip->at < strip->text->len)
			step(strip, false);
	}
	mistake_add(strip->mistakes, line,
		"the string that begins here was expected to end with %c on its line", quote);
	return false;
}

static bool count_brace(struct strip *strip, char brace)
{
	if (brace == '{' && strip->depth == DEPTH_MAX) {
		mistake_add(strip->mistakes, strip->line,
			"at most %d braces within one another were expected", DEPTH_MAX);
		return false;
	}
	if (brace == '{') {
		strip->opened[strip->depth++] = strip->line;
	} else if (strip->depth == 0) {
		mistake_add(strip->mistakes, strip->line, "} closes nothing: no { is open here");
		return false;
	} else {
		strip->depth--;
	}
	step(strip, false);
	return true;
}

/* A comment begins at # outside of strings, and at // and slash-star where a word could. */
static bool strip_one(struct strip *strip, bool word_may_begin)
{
	char c = look(strip, 0);
	if (c == '#' || (c == '/' && look(strip, 1) == '/' && word_may_begin))
		skip_line_comment(strip);
	else if (c == '/' && look(strip, 1) == '*' && word_may_begin)
		return skip_block_comment(strip);
	else if (c == '"' || c == '\'')
		return skip_string(strip);
	else if (c == '{' || c == '}')
		return count_brace(strip, c);
	else
		step(strip, false);
	return true;
}

bool conf_strip(struct buf *text, struct mistakes *mistakes)
{
	struct strip strip = {.text = text, .line = 1, .mistakes = mistakes};
	while (strip.at < text->len) {
		if (look(&strip, 0) == '\0') {
			mistake_add(mistakes, strip.line, "text was expected, not a zero byte");
			return false;
		}
		if (!strip_one(&strip, strip.at == 0 || strchr(" \t\r\n{}=,\"'", text->data[strip.at - 1])))
			return false;
	}
	for (size_t i = 0; i < strip.depth; i++)
		mistake_add(mistakes, strip.opened[i], "the { of this line was expected to be closed by a }");
	return strip.depth == 0;
}
