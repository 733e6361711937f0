#include "wire/header_text.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/hash.h"

#define WORD_MAX 4096 /* RFC 2047 says 75 */

/* Encoded words in a row that share a charset, decoded but not converted. */
struct decoding {
	struct arena *arena;
	struct buf out;
	struct buf pending;
	struct str charset; /* of pending; "" with bytes that stood there raw */
	struct str nearby;  /* of bytes that stood there raw and are not UTF-8 */
	struct charset_outcome *outcome;
	char *unknown;
};

/* Raw bytes: senders who encode nothing write the header as they write the text. */
static bool borrow(struct decoding *run, struct charset_outcome *one, struct str *text)
{
	struct str bytes = buf_view(&run->pending);

	if (run->charset.len > 0 || run->nearby.len == 0 || utf8_valid(bytes))
		return false;
	*text = charset_to_utf8(run->nearby, bytes, run->arena, one);
	one->borrowed = !one->unknown && !one->guessed && one->bad == 0;
	return one->borrowed;
}

static void settle(struct decoding *run)
{
	struct charset_outcome one;
	struct str text;

	if (run->pending.len == 0)
		return;
	if (!borrow(run, &one, &text))
		text = charset_to_utf8(run->charset, buf_view(&run->pending), run->arena, &one);
	buf_str(&run->out, text);
	if (one.unknown && run->unknown && !run->unknown[0])
		snprintf(run->unknown, HEADER_CHARSET, STR_FMT, STR_ARG(utf8_cut(run->charset, 60)));
	run->outcome->unknown |= one.unknown;
	run->outcome->guessed |= one.guessed;
	run->outcome->borrowed |= one.borrowed;
	run->outcome->bad += one.bad;
	buf_clear(&run->pending);
}

static void add(struct decoding *run, struct str charset, const void *bytes, size_t len)
{
	if (!str_equal_nocase(charset, run->charset))
		settle(run);
	run->charset = charset;
	buf_append(&run->pending, bytes, len);
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Q encoding: '_' is a space, =XX a byte */
static void add_quoted(struct decoding *run, struct str charset, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (c == '_') {
			c = ' ';
		} else if (c == '=' && i + 2 < text.len && hex_value(text.p[i + 1]) >= 0 &&
			   hex_value(text.p[i + 2]) >= 0) {
			c = (char)(hex_value(text.p[i + 1]) * 16 + hex_value(text.p[i + 2]));
			i += 2;
		}
		add(run, charset, &c, 1);
	}
}

struct word {
	struct str charset;
	char encoding;
	struct str text;
	size_t length; /* of all of it */
};

/* =?charset*language?B?text?= */
static bool word_at(struct str rest, struct word *word)
{
	struct str pieces[3];
	struct str left = {rest.p + 2, rest.len - 2};
	const char *star;

	if (!str_starts(rest, STR("=?")))
		return false;
	for (int i = 0; i < 2; i++) {
		const char *mark = memchr(left.p, '?', left.len < 80 ? left.len : 80);
		if (!mark)
			return false;
		pieces[i] = (struct str){left.p, (size_t)(mark - left.p)};
		left = (struct str){mark + 1, left.len - pieces[i].len - 1};
	}
	for (size_t i = 0; i + 1 < left.len && i < WORD_MAX; i++) {
		if (left.p[i] == '\n')
			return false;
		if (left.p[i] != '?' || left.p[i + 1] != '=')
			continue;
		pieces[2] = (struct str){left.p, i};
		star = memchr(pieces[0].p, '*', pieces[0].len);
		word->charset = star ? (struct str){pieces[0].p, (size_t)(star - pieces[0].p)} : pieces[0];
		word->encoding = (char)(pieces[1].len == 1 ? pieces[1].p[0] | 32 : 0);
		word->text = pieces[2];
		word->length = (size_t)(left.p + i + 2 - rest.p);
		return word->charset.len > 0 && (word->encoding == 'b' || word->encoding == 'q');
	}
	return false;
}

static void add_word(struct decoding *run, const struct word *word)
{
	struct buf decoded = {0};

	if (word->encoding == 'q') {
		add_quoted(run, word->charset, word->text);
		return;
	}
	base64_decode(word->text, false, &decoded);
	add(run, word->charset, decoded.data, decoded.len);
	buf_free(&decoded);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* White space between two encoded words is not part of the text. */
static size_t space_before_word(struct str rest)
{
	struct word word;
	size_t i = 0;

	while (i < rest.len && is_space(rest.p[i]))
		i++;
	return i > 0 && i < rest.len && word_at((struct str){rest.p + i, rest.len - i}, &word) ? i : 0;
}

struct str header_text(struct str raw, struct str nearby, struct arena *arena,
	struct charset_outcome *outcome, char unknown[HEADER_CHARSET])
{
	struct decoding run = {.arena = arena, .nearby = nearby, .outcome = outcome, .unknown = unknown};
	struct str rest = str_trim(raw);
	struct word word;
	struct str text;

	*outcome = (struct charset_outcome){0};
	if (unknown)
		unknown[0] = 0;
	while (rest.len > 0) {
		size_t taken = 1;
		if (*rest.p == '=' && word_at(rest, &word)) {
			add_word(&run, &word);
			taken = word.length;
			rest = (struct str){rest.p + taken, rest.len - taken};
			taken = space_before_word(rest);
		} else if (*rest.p == '\r' || *rest.p == '\n') {
			taken = 1; /* folding: the space behind it stays */
		} else {
			char c = (char)(*rest.p == '\t' ? ' ' : *rest.p);
			add(&run, STR_NONE, &c, 1);
		}
		rest = (struct str){rest.p + taken, rest.len - taken};
	}
	settle(&run);
	text = arena_str(arena, str_trim(buf_view(&run.out)));
	buf_free(&run.out);
	buf_free(&run.pending);
	return text;
}
