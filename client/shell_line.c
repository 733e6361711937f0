#include "config.h"

#include "client/shell_line.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The word that is being read. */
struct reading {
	struct shell_line *line;
	struct buf word;
	bool begun;
	size_t kept;
};

static void word_ends(struct reading *reading)
{
	struct shell_line *line = reading->line;

	if (line->count < SHELL_WORDS)
		line->words[line->count++] = mem_strndup(buf_cstr(&reading->word), reading->word.len);
	buf_clear(&reading->word);
	reading->begun = false;
	reading->kept = 0;
}

/* In double quotes a backslash is one, but for these. */
static bool is_escaped(char quote, char c)
{
	return quote == 0 || (quote == '"' && strchr("\"\\$`", c));
}

static void take(struct reading *reading, struct str *text, struct str breaks)
{
	struct shell_line *line = reading->line;
	char c = *text->p;

	*text = (struct str){text->p + 1, text->len - 1};
	if (line->quote ? c == line->quote : c == '"' || c == '\'') {
		/* What stands before an open quote stays, and so does the quote. */
		if (!line->quote)
			reading->kept = reading->word.len;
		line->quote = (char)(line->quote ? 0 : c);
		reading->begun = true;
	} else if (c == '\\' && text->len && is_escaped(line->quote, *text->p)) {
		buf_char(&reading->word, *text->p);
		*text = (struct str){text->p + 1, text->len - 1};
		reading->begun = true;
	} else if (!line->quote && (c == ' ' || c == '\t' || c == '\n')) {
		if (reading->begun)
			word_ends(reading);
	} else {
		buf_char(&reading->word, c);
		reading->begun = true;
		if (!line->quote && c && memchr(breaks.p, c, breaks.len))
			reading->kept = reading->word.len;
	}
}

void shell_line_read(struct str text, struct str breaks, struct shell_line *line)
{
	struct reading reading = {.line = line};

	*line = (struct shell_line){0};
	while (text.len)
		take(&reading, &text, breaks);
	line->kept = reading.kept;
	if (line->count == SHELL_WORDS)
		free(line->words[--line->count]);
	word_ends(&reading);
	buf_free(&reading.word);
}

void shell_line_free(struct shell_line *line)
{
	for (int i = 0; i < line->count; i++)
		free(line->words[i]);
	line->count = 0;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (unsigned char)c >= 0x80 || strchr("@%_-+:=,./", c);
}

bool shell_line_quote(const struct shell_line *line, struct str word, struct buf *out)
{
	if (word.len < line->kept || memchr(word.p, 0, word.len))
		return false;
	word = (struct str){word.p + line->kept, word.len - line->kept};
	if (line->quote == '\'' && memchr(word.p, '\'', word.len))
		return false;
	for (size_t i = 0; i < word.len; i++) {
		char c = word.p[i];
		if (line->quote == 0 ? !is_plain(c) : line->quote == '"' && strchr("\"\\$`", c))
			buf_char(out, '\\');
		buf_char(out, c);
	}
	return true;
}
