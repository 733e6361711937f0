#include "wire/refang.h"

#include "base/mem.h"

/* What stands between brackets, and what it means. */
static const struct {
	struct str word;
	struct str means;
	bool spaced; /* may stand between spaces: "evil [.] example" */
} words[] = {
	{{".", 1}, {"\1", 1}, true},
	{{"dot", 3}, {"\1", 1}, true},
	{{"punkt", 5}, {"\1", 1}, true},
	{{"punto", 5}, {"\1", 1}, true},
	{{"@", 1}, {"@", 1}, true},
	{{"at", 2}, {"@", 1}, true},
	{{":", 1}, {":", 1}, false},
	{{"://", 3}, {"://", 3}, false},
	{{"//", 2}, {"//", 2}, false},
	{{"/", 1}, {"/", 1}, false},
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Part of a name, an address or a URL: something to join. */
static bool joins(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80 || c == '-' || c == '_' ||
	       c == ':' || c == '/' || c == ']';
}

static char closing(char c)
{
	return (char)(c == '[' ? ']' : c == '(' ? ')' : c == '{' ? '}' : 0);
}

/* The index in words of what stands in the brackets at text, and the length of it all; -1 if nothing known
 * does. */
static int bracketed(struct str text, size_t *length)
{
	char close = closing(text.p[0]);
	struct str inside = {text.p + 1, text.len - 1};
	const char *end;

	if (!close)
		return -1;
	end = memchr(inside.p, close, inside.len < 8 ? inside.len : 8);
	if (!end)
		return -1;
	inside.len = (size_t)(end - inside.p);
	*length = inside.len + 2;
	inside = str_trim(inside);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_equal_nocase(words[i].word, inside))
			return (int)i;
	return -1;
}

/* "hxxp", "hXXps", "h**p", "htxp", "fxp": how many bytes to replace at text, and by what. */
static size_t scheme(struct str text, struct str *means)
{
	static const char behind[] = ":[({";
	size_t length;
	bool odd = false;

	if (text.len >= 4 && (text.p[0] | 32) == 'f' && (text.p[1] | 32) == 'x' && (text.p[2] | 32) == 'p') {
		*means = STR("ftp");
		length = 3;
	} else if (text.len >= 5 && (text.p[0] | 32) == 'h' && (text.p[3] | 32) == 'p') {
		for (size_t i = 1; i < 3; i++) {
			if (text.p[i] == '*' || (text.p[i] | 32) == 'x')
				odd = true;
			else if ((text.p[i] | 32) != 't')
				return 0;
		}
		if (!odd)
			return 0;
		*means = STR("http");
		length = 4;
	} else {
		return 0;
	}
	if (strchr(behind, text.p[length]) && text.p[length])
		return length;
	if ((text.p[length] | 32) == 's' && text.len > length + 1 && text.p[length + 1] &&
		strchr(behind, text.p[length + 1]))
		return length;
	return 0;
}

struct output {
	char *p;
	size_t len;
};

static void put(struct output *out, struct str text)
{
	memcpy(out->p + out->len, text.p, text.len);
	out->len += text.len;
}

/* Undo the brackets at rest; returns how many bytes they took, 0 if there are none. */
static size_t undo_brackets(struct output *out, struct str rest)
{
	size_t length;
	int word = bracketed(rest, &length);
	bool spaced;
	char before;

	if (word < 0) {
		/* "evil[.com": the closing bracket is often left out */
		if (rest.len < 3 || rest.p[0] != '[' || rest.p[1] != '.' || !joins(rest.p[2]) ||
			rest.p[2] == ']' || out->len == 0 || !joins(out->p[out->len - 1]))
			return 0;
		put(out, (struct str){"\1", 1});
		return 2;
	}
	if (out->len == 0 || length >= rest.len)
		return 0;
	before = out->p[out->len - 1];
	spaced = before == ' ' && out->len > 1 && rest.p[length] == ' ' && length + 1 < rest.len;
	if (spaced) {
		if (!words[word].spaced || !joins(out->p[out->len - 2]) || !joins(rest.p[length + 1]))
			return 0;
		out->len--;
		length++;
	} else if (!joins(before) || !(joins(rest.p[length]) || closing(rest.p[length]))) {
		return 0;
	}
	put(out, words[word].means);
	return length;
}

/* Bytes at which something may have to be undone, or be hidden. */
static const bool special[256] = {
	[0 ... 9] = true,
	[11 ... 31] = true,
	['['] = true,
	['('] = true,
	['{'] = true,
	['h'] = true,
	['H'] = true,
	['f'] = true,
	['F'] = true,
};

static size_t undo(struct output *out, struct str rest)
{
	struct str means;
	size_t taken;

	if (closing(*rest.p))
		return undo_brackets(out, rest);
	if (!is_letter(*rest.p) || (out->len > 0 && is_letter(out->p[out->len - 1])))
		return 0;
	taken = scheme(rest, &means);
	if (taken > 0)
		put(out, means);
	return taken;
}

struct str text_refang(struct str text, struct arena *arena)
{
	struct output out = {arena_alloc(arena, text.len + 1), 0};
	size_t i = 0;

	while (i < text.len) {
		char c = text.p[i];
		size_t taken = 0;
		if (special[(unsigned char)c]) {
			taken = undo(&out, (struct str){text.p + i, text.len - i});
			if ((unsigned char)c < ' ')
				c = ' ';
		}
		if (taken == 0) {
			out.p[out.len++] = c;
			taken = 1;
		}
		i += taken;
	}
	return (struct str){out.p, out.len};
}
