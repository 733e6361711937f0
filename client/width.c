#include "config.h"

#include "client/width.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define WIDTH_UNKNOWN 80

int width_terminal(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t width;

	if (columns && str_to_u64(str_of(columns), &width) && width > 0 && width < 10000)
		return (int)width;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : WIDTH_UNKNOWN;
}

/* Take a character off, or a whole sequence of colour. */
static int take(struct str *text)
{
	if (*text->p == 0x1b) {
		size_t len = 1;
		while (len < text->len && text->p[len] != 'm')
			len++;
		len += len < text->len;
		*text = (struct str){text->p + len, text->len - len};
		return 0;
	}
	int width = wcwidth((wchar_t)utf8_next(text));
	return width < 0 ? 1 : width;
}

int width_text(struct str text)
{
	int width = 0;

	while (text.len)
		width += take(&text);
	return width;
}

void width_cut(struct buf *text, int width)
{
	struct str rest = buf_view(text);
	int taken = 0;

	if (width_text(rest) <= width)
		return;
	while (rest.len) {
		struct str before = rest;
		int more = take(&rest);
		if (taken + more > width - 1) {
			text->len = (size_t)(before.p - text->data);
			break;
		}
		taken += more;
	}
	buf_text(text, "…");
}

/* The next word with the blanks in front of it. */
static struct str next_word(struct str *text)
{
	size_t len = 0;

	while (len < text->len && text->p[len] == ' ')
		len++;
	while (len < text->len && text->p[len] != ' ')
		len++;
	struct str word = {text->p, len};
	*text = (struct str){text->p + len, text->len - len};
	return word;
}

static void wrap_line(struct str line, int indent, int width, struct buf *out)
{
	int at = indent;

	while (line.len) {
		struct str word = next_word(&line);
		int wide = width_text(word);
		if (at > indent && at + wide > width) {
			word = str_trim(word);
			if (word.len == 0)
				return;
			buf_printf(out, "\n%*s", indent, "");
			at = indent;
			wide = width_text(word);
		}
		buf_str(out, word);
		at += wide;
	}
}

void width_wrap(struct str text, int indent, int width, struct buf *out)
{
	struct str line;
	bool first = true;

	while (str_split(&text, '\n', &line)) {
		if (!first)
			buf_printf(out, "\n%*s", indent, "");
		first = false;
		wrap_line(line, indent, width, out);
	}
}
