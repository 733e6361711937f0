#include "config.h"

#include "wire/mail_head.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hash.h"

#define LINE 76
/* Bytes of a character sequence in one encoded word: "=?UTF-8?B?" + 4/3 of them + "?=" within 75. */
#define WORD_BYTES 45

static bool is_printable(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] < ' ' || text.p[i] > '~')
			return false;
	return true;
}

static bool has(struct str text, const char *what)
{
	return text.len > 0 && memmem(text.p, text.len, what, strlen(what));
}

/* Longer than any line may get without a place to fold. */
static bool has_long_word(struct str text)
{
	struct str word;

	while (text.p && str_split(&text, ' ', &word))
		if (word.len > LINE - 2)
			return true;
	return false;
}

static void put_word(struct buf *out, struct str word, size_t *column)
{
	if (*column > 1 && *column + 1 + word.len > LINE) {
		buf_text(out, "\r\n");
		*column = 0;
	}
	buf_char(out, ' ');
	buf_str(out, word);
	*column += 1 + word.len;
}

static void put_encoded(struct buf *out, struct str text, size_t *column)
{
	while (text.len > 0) {
		struct str piece = utf8_cut(text, WORD_BYTES);
		struct buf word = {0};

		if (piece.len == 0)
			piece = utf8_cut(text, 4);
		if (piece.len == 0)
			piece = (struct str){text.p, 1};
		buf_text(&word, "=?UTF-8?B?");
		base64_encode(piece, &word);
		buf_text(&word, "?=");
		put_word(out, buf_view(&word), column);
		buf_free(&word);
		text = (struct str){text.p + piece.len, text.len - piece.len};
	}
}

/* Words as they are; blanks between them are kept by encoding where there are several. */
static void put_text(struct buf *out, struct str text, size_t *column)
{
	struct str word;

	if (!is_printable(text) || has(text, "=?") || has(text, "  ") || has_long_word(text)) {
		put_encoded(out, text, column);
		return;
	}
	while (text.p && str_split(&text, ' ', &word))
		if (word.len > 0)
			put_word(out, word, column);
}

static size_t put_name(struct buf *out, const char *name)
{
	buf_printf(out, "%s:", name);
	return strlen(name) + 1;
}

void mail_head_text(struct buf *out, const char *name, struct str text)
{
	size_t column = put_name(out, name);

	put_text(out, text, &column);
	buf_text(out, "\r\n");
}

static bool is_atom_text(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			    strchr(" !#$%&'*+-/=?^_`{|}~", c)))
			return false;
	}
	return true;
}

static void put_quoted(struct buf *out, struct str text, size_t *column)
{
	struct buf quoted = {0};

	buf_char(&quoted, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			buf_char(&quoted, '\\');
		buf_char(&quoted, text.p[i]);
	}
	buf_char(&quoted, '"');
	put_word(out, buf_view(&quoted), column);
	buf_free(&quoted);
}

void mail_head_address(struct buf *out, const char *name, struct str display, struct str address)
{
	size_t column = put_name(out, name);
	struct buf angle = {0};

	if (display.len > 60 || !is_printable(display) || has(display, "=?"))
		put_encoded(out, display, &column);
	else if (display.len > 0 && is_atom_text(display))
		put_text(out, display, &column);
	else if (display.len > 0)
		put_quoted(out, display, &column);
	buf_printf(&angle, "<" STR_FMT ">", STR_ARG(address));
	put_word(out, buf_view(&angle), &column);
	buf_text(out, "\r\n");
	buf_free(&angle);
}

void mail_head_plain(struct buf *out, const char *name, struct str value)
{
	put_name(out, name);
	buf_char(out, ' ');
	for (size_t i = 0; i < value.len && i < 900; i++)
		if (value.p[i] >= ' ' && value.p[i] <= '~')
			buf_char(out, value.p[i]);
	buf_text(out, "\r\n");
}

void mail_head_date(struct buf *out, int64_t time)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t seconds = (time_t)(time / CLOCK_SECOND);
	struct tm parts = {0};

	gmtime_r(&seconds, &parts);
	buf_printf(out, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n", days[parts.tm_wday % 7],
		parts.tm_mday, months[parts.tm_mon % 12], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
		parts.tm_sec);
}

bool mail_address_is(struct str address)
{
	const char *at = address.len > 0 ? memchr(address.p, '@', address.len) : NULL;

	if (!at || at == address.p || address.len > 254 || at - address.p > 64 ||
		at + 1 == address.p + address.len)
		return false;
	for (size_t i = 0; i < address.len; i++) {
		char c = address.p[i];

		if (c <= ' ' || c > '~' || strchr("<>,;:\"\\()[]", c) || (c == '@' && address.p + i != at))
			return false;
	}
	return at[1] != '.' && address.p[address.len - 1] != '.';
}
