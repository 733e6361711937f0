#include "config.h"

#include "wire/html.h"

#include "base/buf.h"
#include "base/mem.h"

static const struct {
	struct str name;
	uint32_t character;
} entities[] = {
	{{"amp", 3}, '&'},
	{{"lt", 2}, '<'},
	{{"gt", 2}, '>'},
	{{"quot", 4}, '"'},
	{{"apos", 4}, '\''},
	{{"nbsp", 4}, ' '},
	{{"shy", 3}, 0xad},
	{{"copy", 4}, 0xa9},
	{{"reg", 3}, 0xae},
	{{"euro", 4}, 0x20ac},
	{{"ndash", 5}, 0x2013},
	{{"mdash", 5}, 0x2014},
	{{"hellip", 6}, 0x2026},
	{{"lsquo", 5}, 0x2018},
	{{"rsquo", 5}, 0x2019},
	{{"ldquo", 5}, 0x201c},
	{{"rdquo", 5}, 0x201d},
	{{"bull", 4}, 0x2022},
	{{"middot", 6}, 0xb7},
	{{"auml", 4}, 0xe4},
	{{"ouml", 4}, 0xf6},
	{{"uuml", 4}, 0xfc},
	{{"Auml", 4}, 0xc4},
	{{"Ouml", 4}, 0xd6},
	{{"Uuml", 4}, 0xdc},
	{{"szlig", 5}, 0xdf},
	{{"eacute", 6}, 0xe9},
	{{"egrave", 6}, 0xe8},
	{{"agrave", 6}, 0xe0},
	{{"ccedil", 6}, 0xe7},
	{{"colon", 5}, ':'},
	{{"period", 6}, '.'},
	{{"sol", 3}, '/'},
	{{"commat", 6}, '@'},
};

/* Elements that begin a line, that show nothing, and attributes that lead somewhere. */
static const struct str blocks[] = {{"p", 1}, {"br", 2}, {"div", 3}, {"tr", 2}, {"li", 2}, {"ul", 2},
	{"ol", 2}, {"table", 5}, {"h1", 2}, {"h2", 2}, {"h3", 2}, {"h4", 2}, {"hr", 2}, {"blockquote", 10},
	{"pre", 3}, {"title", 5}, {"form", 4}, {"center", 6}, {"section", 7}, {"body", 4}, {"head", 4}};
static const struct str hidden[] = {{"script", 6}, {"style", 5}, {"noscript", 8}, {"template", 8}};
static const struct str leading[] = {{"href", 4}, {"src", 3}, {"action", 6}, {"formaction", 10}, {"data", 4}};

static bool among(const struct str *list, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal_nocase(list[i], name))
			return true;
	return false;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

/* Value of "#1234", "#x4D2" or a name; 0 if it is none. */
static uint32_t entity(struct str name)
{
	uint32_t value = 0;
	bool hex = name.len > 2 && (name.p[1] | 32) == 'x';

	if (name.len < 2 || name.p[0] != '#') {
		for (size_t i = 0; i < ARRAY_LEN(entities); i++)
			if (str_equal(entities[i].name, name))
				return entities[i].character;
		return 0;
	}
	for (size_t i = hex ? 2 : 1; i < name.len; i++) {
		char c = name.p[i];
		if (c >= '0' && c <= '9')
			value = value * (hex ? 16 : 10) + (uint32_t)(c - '0');
		else if (hex && (c | 32) >= 'a' && (c | 32) <= 'f')
			value = value * 16 + (uint32_t)((c | 32) - 'a' + 10);
		else
			return 0;
		if (value > 0x10ffff)
			return 0xfffd;
	}
	return value < ' ' || (value >= 0xd800 && value < 0xe000) ? ' ' : value;
}

/* Append what stands at text.p[*at], an entity or a byte, and move on. */
static void put_character(struct buf *out, struct str text, size_t *at)
{
	if (text.p[*at] == '&') {
		size_t left = text.len - *at - 1;
		const char *start = text.p + *at + 1;
		const char *end = memchr(start, ';', left < 12 ? left : 12);
		uint32_t character = end ? entity((struct str){start, (size_t)(end - start)}) : 0;
		if (character) {
			buf_utf8(out, character);
			*at += (size_t)(end - start) + 2;
			return;
		}
	}
	buf_char(out, text.p[*at]);
	++*at;
}

static char last_of(const struct buf *out)
{
	return (char)(out->len ? out->data[out->len - 1] : '\n');
}

static void put_line(struct buf *out)
{
	if (last_of(out) == ' ')
		out->len--;
	if (last_of(out) != '\n')
		buf_char(out, '\n');
}

/* A link that leads somewhere, in angle brackets. */
static void put_link(struct buf *out, struct str value)
{
	value = str_trim(value);
	if (!memmem(value.p, value.len, "://", 3) &&
		!(value.len > 7 && str_equal_nocase((struct str){value.p, 7}, STR("mailto:"))))
		return;
	if (!is_space(last_of(out)))
		buf_char(out, ' ');
	buf_char(out, '<');
	for (size_t i = 0; i < value.len;) {
		if (is_space(value.p[i]) || value.p[i] == '<' || value.p[i] == '>')
			i++; /* line breaks inside attributes are ignored by browsers */
		else
			put_character(out, value, &i);
	}
	buf_text(out, "> ");
}

/* The next attribute of a tag's inside; false at its end. */
static bool attribute(struct str *tag, struct str *name, struct str *value)
{
	size_t i = 0;
	size_t start;

	while (i < tag->len && (is_space(tag->p[i]) || tag->p[i] == '/'))
		i++;
	start = i;
	while (i < tag->len && !is_space(tag->p[i]) && tag->p[i] != '=' && (tag->p[i] != '/' || i == start))
		i++;
	if (i == start)
		i += i < tag->len;
	*name = (struct str){tag->p + start, i - start};
	*value = STR("");
	while (i < tag->len && is_space(tag->p[i]))
		i++;
	if (i < tag->len && tag->p[i] == '=') {
		for (i++; i < tag->len && is_space(tag->p[i]);)
			i++;
		if (i < tag->len && (tag->p[i] == '"' || tag->p[i] == '\'')) {
			const char *end = memchr(tag->p + i + 1, tag->p[i], tag->len - i - 1);
			size_t length = end ? (size_t)(end - tag->p) - i - 1 : tag->len - i - 1;
			*value = (struct str){tag->p + i + 1, length};
			i += length + 1 + (end != NULL);
		} else {
			start = i;
			while (i < tag->len && !is_space(tag->p[i]))
				i++;
			*value = (struct str){tag->p + start, i - start};
		}
	}
	*tag = (struct str){tag->p + i, tag->len - i};
	return name->len > 0;
}

struct page {
	struct str html;
	struct buf out;
	bool unquoted; /* quotes do not pair up to the end: they are no longer looked at, so that all stays
	                  linear */
};

/* The end of the tag whose '<' stands at `at`; '>' in quotes does not count. */
static size_t tag_end(struct page *page, size_t at)
{
	struct str html = page->html;
	const char *end;
	char quote = 0;

	for (size_t i = at + 1; i < html.len && !page->unquoted; i++) {
		char c = html.p[i];
		if (quote) {
			if (c == quote)
				quote = 0;
		} else if ((c == '"' || c == '\'') && html.p[i - 1] == '=') {
			quote = c;
		} else if (c == '>') {
			return i;
		}
	}
	page->unquoted = true;
	end = memchr(html.p + at, '>', html.len - at);
	return end ? (size_t)(end - html.p) : html.len;
}

/* Behind "</name" of an element that shows nothing. */
static size_t skip_hidden(struct page *page, size_t at, struct str name)
{
	struct str html = page->html;

	while (at < html.len) {
		const char *found = memchr(html.p + at, '<', html.len - at);
		if (!found)
			break;
		at = (size_t)(found - html.p) + 1;
		if (html.len - at > name.len && html.p[at] == '/' &&
			str_equal_nocase((struct str){html.p + at + 1, name.len}, name))
			return tag_end(page, at - 1) + 1;
	}
	return html.len;
}

static size_t take_tag(struct page *page, size_t at)
{
	struct str html = page->html;
	struct buf *out = &page->out;
	size_t end;
	struct str tag, name, value;
	bool closing, picture;

	if (html.len - at > 3 && memcmp(html.p + at, "<!--", 4) == 0) {
		const char *close = memmem(html.p + at + 4, html.len - at - 4, "-->", 3);
		return close ? (size_t)(close - html.p) + 3 : html.len;
	}
	end = tag_end(page, at);
	closing = at + 1 < html.len && html.p[at + 1] == '/';
	tag = (struct str){html.p + at + 1 + closing, end - at - 1 - (end > at + 1 ? closing : 0)};
	if (!attribute(&tag, &name, &value))
		return end + 1;
	if (among(blocks, ARRAY_LEN(blocks), name))
		put_line(out);
	else if (str_equal_nocase(name, STR("td")) && !is_space(last_of(out)))
		buf_char(out, ' ');
	if (closing)
		return end + 1;
	if (among(hidden, ARRAY_LEN(hidden), name))
		return skip_hidden(page, end, name);
	picture = str_equal_nocase(name, STR("img")); /* decoration, often borrowed from who is imitated */
	while (attribute(&tag, &name, &value)) {
		const char *refresh = memmem(value.p, value.len, "://", 3);
		if (!picture && among(leading, ARRAY_LEN(leading), name)) {
			put_link(out, value);
		} else if (refresh && str_equal_nocase(name, STR("content"))) { /* "0; url=http://…" */
			const char *equals = memchr(value.p, '=', value.len);
			if (equals && equals < refresh)
				put_link(out,
					(struct str){equals + 1, value.len - (size_t)(equals + 1 - value.p)});
		}
	}
	return end + 1;
}

struct str html_text(struct str html, struct arena *arena)
{
	struct page page = {.html = html};
	struct str text;
	size_t i = 0;

	while (i < html.len) {
		char c = html.p[i];
		if (c == '<' && i + 1 < html.len &&
			(html.p[i + 1] == '/' || html.p[i + 1] == '!' || html.p[i + 1] == '?' ||
				((html.p[i + 1] | 32) >= 'a' && (html.p[i + 1] | 32) <= 'z'))) {
			i = take_tag(&page, i);
		} else if (is_space(c)) {
			if (!is_space(last_of(&page.out)))
				buf_char(&page.out, ' ');
			i++;
		} else {
			put_character(&page.out, html, &i);
		}
	}
	text = arena_str(arena, str_trim(buf_view(&page.out)));
	buf_free(&page.out);
	return text;
}

struct str html_charset(struct str html)
{
	struct str head = {html.p, html.len < 2048 ? html.len : 2048};
	const char *found = head.len ? memmem(head.p, head.len, "charset=", 8) : NULL;
	size_t start, end;

	if (!found)
		return STR_NONE;
	start = (size_t)(found - head.p) + 8;
	if (start < head.len && (head.p[start] == '"' || head.p[start] == '\''))
		start++;
	for (end = start; end < head.len && end - start < 40 && !strchr("\"'>; /", head.p[end]);)
		end++;
	return (struct str){head.p + start, end - start};
}
