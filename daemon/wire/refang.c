#include "wire/refang.h"

#include "base/mem.h"
#include "wire/tld.h"

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
	{{"::", 2}, {"::", 2}, false},
	{{":/", 2}, {":/", 2}, false},
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
 * does. Between "<" and ">", where tags stand, only a dot or an at does. */
static int bracketed(struct str text, size_t *length)
{
	char close = (char)(text.p[0] == '<' ? '>' : closing(text.p[0]));
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
		if (str_equal_nocase(words[i].word, inside) && (close != '>' || words[i].spaced))
			return (int)i;
	return -1;
}

/* "hxxp", "xxxp", "h11p", "txtp" … */
static bool is_fanged_http(struct str text)
{
	bool odd = false;

	if (text.len < 4 || (text.p[3] | 32) != 'p' || !text.p[0] || !strchr("hHxXtT", text.p[0]))
		return false;
	odd = (text.p[0] | 32) != 'h';
	for (size_t i = 1; i < 3; i++) {
		if (!text.p[i] || !strchr("tTxXzZ*_1", text.p[i]))
			return false;
		odd |= (text.p[i] | 32) != 't';
	}
	return odd;
}

/* "hxxp", "hXXps", "h**p", "htxp", "xxxp", "meow", "fxp": how many bytes to replace at text, and by what. */
static size_t scheme(struct str text, struct str *means)
{
	static const char behind[] = ":[({";
	size_t length;

	if (text.len >= 4 && (text.p[0] | 32) == 'f' && ((text.p[1] | 32) == 'x' || text.p[1] == '*') &&
		(text.p[2] | 32) == 'p') {
		*means = STR("ftp");
		length = 3;
	} else if (text.len >= 5 &&
		   (is_fanged_http(text) || str_equal_nocase((struct str){text.p, 4}, STR("meow")))) {
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
	size_t column; /* bytes of the line in hand, as it was written */
	bool in_url;   /* "://" stands in the word in hand */
};

static void put(struct output *out, struct str text)
{
	memcpy(out->p + out->len, text.p, text.len);
	out->len += text.len;
}

static bool ends(const struct output *out, struct str with)
{
	return out->len >= with.len &&
	       str_equal_nocase((struct str){out->p + out->len - with.len, with.len}, with);
}

/* "http[s]://", "http(s)[:]//" */
static size_t undo_plural(struct output *out, struct str rest)
{
	if (rest.len < 4 || (rest.p[1] | 32) != 's' || rest.p[2] != closing(rest.p[0]) ||
		(rest.p[3] != ':' && rest.p[3] != '[') || !(ends(out, STR("http")) || ends(out, STR("ftp"))))
		return 0;
	put(out, STR("s"));
	return 3;
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
	} else if (!joins(before) ||
		   !(joins(rest.p[length]) || closing(rest.p[length]) || rest.p[length] == '\\')) {
		return 0;
	}
	put(out, words[word].means);
	return length;
}

/* --- what is written in words --- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool word_in(const char *list, struct str word)
{
	struct str rest = str_of(list);
	struct str one;

	while (str_split(&rest, ' ', &one))
		if (str_equal_nocase(one, word))
			return true;
	return false;
}

/* The word that ends the output, and the one that begins text; at most as long as a label of DNS. */
static struct str word_before(const struct output *out)
{
	size_t len = 0;

	while (len < out->len && len < TLD_MAX && joins(out->p[out->len - 1 - len]))
		len++;
	return (struct str){out->p + out->len - len, len};
}

static struct str word_at(struct str text)
{
	size_t len = 0;

	while (len < text.len && len < TLD_MAX &&
		(is_letter(text.p[len]) || is_digit(text.p[len]) || text.p[len] == '-'))
		len++;
	return (struct str){text.p, len};
}

static struct str behind(struct str text, size_t len)
{
	return (struct str){text.p + len, text.len - len};
}

static bool begins(struct str text, struct str with)
{
	return text.len >= with.len && str_equal_nocase((struct str){text.p, with.len}, with);
}

/* "evil dot example dot com": a name, where a top-level name ends it that is no common word by itself, and no
 * article stands in front ("the dot com bubble"). */
static size_t undo_dot(struct output *out, struct str rest)
{
	struct str label = word_at(behind(rest, 5));
	struct str next = behind(rest, 5 + label.len);

	if (label.len < 2 || word_before(out).len < 2 ||
		word_in("the this that one each every by of is red green blue black small our any",
			word_before(out)))
		return 0;
	if (!begins(next, STR(" dot ")) &&
		(!tld_known(label) ||
			word_in("at in is it on to so no me my as or be do am us of by my here now", label)))
		return 0;
	put(out, STR("."));
	return 5;
}

/* "john at example dot com" */
static size_t undo_at(struct output *out, struct str rest)
{
	struct str host = word_at(behind(rest, 4));
	struct str next = behind(rest, 4 + host.len);

	if (host.len < 2 || word_before(out).len < 2 || !begins(next, STR(" dot ")) ||
		word_in("look looks available found visit hosted see site page is was located down up "
			"registered us",
			word_before(out)))
		return 0;
	put(out, STR("@"));
	return 4;
}

static size_t undo_words(struct output *out, struct str rest)
{
	if (begins(rest, STR(" dot ")))
		return undo_dot(out, rest);
	return begins(rest, STR(" at ")) ? undo_at(out, rest) : 0;
}

/* --- what hides in a name or URL --- */

/* Characters that nobody sees: their length, 0 if it is none. */
static size_t invisible(struct str text)
{
	static const struct str hidden[] = {{"\xc2\xad", 2}, {"\xe1\xa0\x8e", 3}, {"\xe2\x80\x8b", 3},
		{"\xe2\x80\x8c", 3}, {"\xe2\x80\x8d", 3}, {"\xe2\x80\x8e", 3}, {"\xe2\x80\x8f", 3},
		{"\xe2\x80\xaa", 3}, {"\xe2\x80\xab", 3}, {"\xe2\x80\xac", 3}, {"\xe2\x80\xad", 3},
		{"\xe2\x80\xae", 3}, {"\xe2\x81\xa0", 3}, {"\xe2\x81\xa6", 3}, {"\xe2\x81\xa7", 3},
		{"\xe2\x81\xa8", 3}, {"\xe2\x81\xa9", 3}, {"\xef\xbb\xbf", 3}};

	for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
		if (str_starts(text, hidden[i]))
			return hidden[i].len;
	return 0;
}

/* Does "CVE" or "CVE-2026" end the output? */
static bool in_cve(const struct output *out)
{
	size_t digits = 0;

	if (ends(out, STR("CVE")))
		return true;
	while (digits < out->len && digits < 5 && is_digit(out->p[out->len - 1 - digits]))
		digits++;
	return digits == 4 && out->len >= 8 &&
	       str_equal_nocase((struct str){out->p + out->len - 8, 4}, STR("CVE-"));
}

/* The ASCII letter or digit that is written in full width at text; 0 if none is. */
static char narrow(struct str text)
{
	uint32_t c = text.len >= 3 && text.p[0] == '\xef' ? utf8_next(&text) : 0;
	char ascii = (char)(c > 0xff00 && c < 0xff5f ? c - 0xff00 + ' ' : 0);

	return (char)(is_letter(ascii) || is_digit(ascii) ? ascii : 0);
}

/* Other writings of a dot or hyphen, between letters or digits of ASCII, and these in full width. A dash is a
 * hyphen in the number of a flaw only: elsewhere it stands between two things. */
static size_t undo_wide(struct output *out, struct str rest)
{
	static const struct {
		struct str written, means;
		bool dash;
	} wide[] = {{{"\xe3\x80\x82", 3}, {".", 1}, false}, {{"\xef\xbc\x8e", 3}, {".", 1}, false},
		{{"\xef\xbd\xa1", 3}, {".", 1}, false}, {{"\xe2\x80\x90", 3}, {"-", 1}, false},
		{{"\xe2\x80\x91", 3}, {"-", 1}, false}, {{"\xe2\x80\x92", 3}, {"-", 1}, true},
		{{"\xe2\x80\x93", 3}, {"-", 1}, true}, {{"\xe2\x80\x94", 3}, {"-", 1}, true},
		{{"\xe2\x88\x92", 3}, {"-", 1}, true}, {{"\xef\xbc\x8d", 3}, {"-", 1}, true}};
	char before = (char)(out->len > 0 ? out->p[out->len - 1] : ' ');
	char after = (char)(rest.len > 3 ? rest.p[3] : ' ');
	char same = narrow(rest);

	if (same) {
		put(out, (struct str){&same, 1});
		return 3;
	}
	if (rest.len > 3 && narrow((struct str){rest.p + 3, rest.len - 3}))
		after = narrow((struct str){rest.p + 3, rest.len - 3});
	if (!(is_letter(before) || is_digit(before)) || !(is_letter(after) || is_digit(after)))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(wide); i++) {
		if (!str_starts(rest, wide[i].written) || (wide[i].dash && !in_cve(out)))
			continue;
		put(out, wide[i].means);
		return wide[i].written.len;
	}
	return 0;
}

/* "http:\\evil.example", and "http:\/\/evil.example\/a" as JSON has it */
static size_t undo_slashes(struct output *out, struct str rest)
{
	size_t length = begins(rest, STR("\\\\")) ? 2 : begins(rest, STR("\\/\\/")) ? 4 : 0;

	if (out->in_url && begins(rest, STR("\\/"))) {
		put(out, STR("/"));
		return 2;
	}
	if (length == 0 || !(ends(out, STR("http:")) || ends(out, STR("https:")) || ends(out, STR("ftp:"))))
		return 0;
	while (length < rest.len && rest.p[length] == '\\')
		length++;
	out->in_url = true;
	put(out, STR("//"));
	return length;
}

/* "evil\.example", as patterns have it */
static size_t undo_backslash(struct output *out, struct str rest)
{
	char before = (char)(out->len > 0 ? out->p[out->len - 1] : ' ');
	size_t slashes = undo_slashes(out, rest);

	if (slashes > 0)
		return slashes;
	if (rest.len < 3 || rest.p[1] != '.' || !(is_letter(before) || is_digit(before)) || !joins(rest.p[2]))
		return 0;
	put(out, STR("."));
	return 2;
}

#define SOFT_LINE \
	65 /* quoted-printable breaks at 76 at most; a short line that ends in = is something else */

/* "=" and a line break at the end of a long line, in a URL. */
static size_t undo_soft_break(const struct output *out, struct str rest)
{
	size_t length = str_starts(rest, STR("=\r\n")) ? 3 : str_starts(rest, STR("=\n")) ? 2 : 0;

	if (!out->in_url || out->column < SOFT_LINE || length == 0 || rest.len == length ||
		!joins(rest.p[length]))
		return 0;
	return length;
}

#define WRAPPED_MAX 2048

/* "<http://…" that goes on in the next line, up to its ">": how long it is, 0 if it is no such thing. */
static size_t wrapped(struct str rest)
{
	bool broken = false;

	if (!begins(rest, STR("<http")) && !begins(rest, STR("<hxxp")) && !begins(rest, STR("<URL:")))
		return 0;
	for (size_t i = 1; i < rest.len && i < WRAPPED_MAX; i++) {
		if (rest.p[i] == '>')
			return broken ? i : 0;
		if (rest.p[i] == '<' || ((rest.p[i] == ' ' || rest.p[i] == '\t') && !broken))
			return 0;
		broken |= rest.p[i] == '\n';
	}
	return 0;
}

/* Bytes at which something may have to be undone, or be hidden. */
static const bool special[256] = {
	[' '] = true,
	['<'] = true,
	['='] = true,
	['\\'] = true,
	[0xc2] = true,
	[0xe1 ... 0xe3] = true,
	[0xef] = true,
	[0 ... 9] = true,
	[11 ... 31] = true,
	['['] = true,
	['('] = true,
	['{'] = true,
	['h'] = true,
	['H'] = true,
	['f'] = true,
	['F'] = true,
	['m'] = true,
	['M'] = true,
	['t'] = true,
	['T'] = true,
	['x'] = true,
	['X'] = true,
};

static size_t undo(struct output *out, struct str rest)
{
	struct str means;
	size_t taken;

	switch ((unsigned char)*rest.p) {
	case ' ':
		return undo_words(out, rest);
	case '=':
		return undo_soft_break(out, rest);
	case '\\':
		return undo_backslash(out, rest);
	}
	if (closing(*rest.p) || *rest.p == '<') {
		taken = undo_plural(out, rest);
		return taken > 0 ? taken : undo_brackets(out, rest);
	}
	taken = (unsigned char)*rest.p < 0x80 ? 0 : invisible(rest);
	if (taken > 0 || (unsigned char)*rest.p >= 0x80)
		return taken > 0 ? taken : undo_wide(out, rest);
	if (!is_letter(*rest.p) || (out->len > 0 && is_letter(out->p[out->len - 1])))
		return 0;
	taken = scheme(rest, &means);
	if (taken > 0)
		put(out, means);
	return taken;
}

struct str text_refang(struct str text, struct arena *arena)
{
	struct output out = {.p = arena_alloc(arena, text.len + 1)};
	size_t i = 0;
	size_t until = 0; /* the end of a wrapped URL: its white space is none */

	while (i < text.len) {
		char c = text.p[i];
		size_t taken = 0;
		if (c == '<' && wrapped((struct str){text.p + i, text.len - i}))
			until = i + wrapped((struct str){text.p + i, text.len - i});
		if (i < until && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
			i++;
			continue;
		}
		if (special[(unsigned char)c]) {
			taken = undo(&out, (struct str){text.p + i, text.len - i});
			if ((unsigned char)c < ' ')
				c = ' ';
		}
		if (taken == 0) {
			out.in_url = (unsigned char)c > ' ' &&
			             (out.in_url || (c == '/' && out.len > 1 && out.p[out.len - 1] == '/' &&
							    out.p[out.len - 2] == ':'));
			out.p[out.len++] = c;
			taken = 1;
		}
		out.column = text.p[i + taken - 1] == '\n' ? 0 : out.column + taken;
		i += taken;
	}
	return (struct str){out.p, out.len};
}
