#include "config.h"

#include "wire/html.h"

#include "base/buf.h"
#include "base/mem.h"
#include "wire/entity.h"
#include "wire/link.h"

/* Longest URL that is looked for in what is not shown. */
#define URL_MAX 2048

/* Elements that begin a line, that show nothing, and attributes that lead somewhere. */
static const struct str blocks[] = {{"p", 1}, {"br", 2}, {"div", 3}, {"tr", 2}, {"li", 2}, {"ul", 2},
	{"ol", 2}, {"table", 5}, {"h1", 2}, {"h2", 2}, {"h3", 2}, {"h4", 2}, {"hr", 2}, {"blockquote", 10},
	{"pre", 3}, {"title", 5}, {"form", 4}, {"center", 6}, {"section", 7}, {"body", 4}, {"head", 4}};
static const struct str hidden[] = {{"script", 6}, {"style", 5}, {"noscript", 8}, {"template", 8}};
static const struct str leading[] = {{"href", 4}, {"src", 3}, {"action", 6}, {"formaction", 10}, {"data", 4},
	{"xlink:href", 10}, {"background", 10}, {"poster", 6}, {"lowsrc", 6}, {"dynsrc", 6}, {"codebase", 8},
	{"manifest", 8}, {"longdesc", 8}};
/* Elements whose links decorate the page or work it; what imitates borrows them from what is imitated. */
static const struct str fetched[] = {{"img", 3}, {"image", 5}, {"script", 6}, {"style", 5}, {"link", 4},
	{"video", 5}, {"audio", 5}, {"source", 6}, {"track", 5}, {"body", 4}, {"table", 5}, {"td", 2},
	{"tr", 2}, {"th", 2}, {"use", 3}, {"html", 4}};
/* Attributes in which a URL names a vocabulary, or nothing. */
static const struct str naming[] = {{"class", 5}, {"id", 2}, {"itemtype", 8}, {"profile", 7}, {"vocab", 5},
	{"prefix", 6}, {"typeof", 6}, {"property", 8}};
static const struct str vocabularies[] = {{"www.w3.org", 10}, {"schemas.microsoft.com", 21},
	{"schemas.openxmlformats.org", 26}, {"schema.org", 10}, {"purl.org", 8}, {"ogp.me", 6}};

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

/* Append what stands at text.p[*at], an entity or a byte, and move on. */
static void put_character(struct buf *out, struct str text, size_t *at)
{
	if (text.p[*at] == '&') {
		uint32_t character;
		size_t length = entity_at((struct str){text.p + *at, text.len - *at}, &character);
		if (length > 0) {
			buf_utf8(out, character);
			*at += length;
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
	struct buf beneath;
	struct buf base;  /* of <base href>; empty: none */
	struct buf value; /* of the attribute in hand, entities decoded */
	bool unquoted;    /* quotes do not pair up to the end: they are no longer looked at, so that all stays
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

/* Behind "</name" of an element that shows nothing; behind the end of the page where there is no ">". */
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

/* --- where it leads --- */

/* Where a link leads, in angle brackets among the words or beneath them; false: nowhere. */
static bool put_link(struct page *page, struct str value, bool shown)
{
	struct buf *out = shown ? &page->out : &page->beneath;
	size_t before = out->len;

	if (!is_space(last_of(out)))
		buf_char(out, ' ');
	buf_char(out, '<');
	if (!link_read(value, buf_view(&page->base), out)) {
		out->len = before;
		return false;
	}
	buf_text(out, shown ? "> " : ">\n");
	return true;
}

static bool ends_url(char c)
{
	return (unsigned char)c <= ' ' || c == '"' || c == '\'' || c == '`' || c == '<' || c == '>' ||
	       c == ')' || c == '\\';
}

/* Bytes of the two slashes at text, each of which a backslash may escape; 0 if they are none. */
static size_t two_slashes(struct str text)
{
	static const struct str forms[] = {{"//", 2}, {"/\\/", 3}};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (str_starts(text, forms[i]))
			return forms[i].len;
	return 0;
}

/* Where the URL begins whose slashes stand at `at` (a backslash may stand before them): its scheme, or the
 * slashes themselves behind a quote or a bracket; `at` + 1 if it is none. */
static size_t url_start(struct str text, size_t at)
{
	size_t start = at > 0 && text.p[at - 1] == '\\' ? at - 1 : at;
	char before = (char)(start > 0 ? text.p[start - 1] : ' ');

	if (before == '"' || before == '\'' || before == '(' || before == '=')
		return at;
	if (before != ':')
		return at + 1;
	for (start--; start > 0 && at - start < 8 && (text.p[start - 1] | 32) >= 'a' &&
		      (text.p[start - 1] | 32) <= 'z';)
		start--;
	return start;
}

static bool names_vocabulary(struct str url)
{
	const char *host = memmem(url.p, url.len, "//", 2);
	struct str rest = host ? (struct str){host + 2, url.len - (size_t)(host + 2 - url.p)} : STR("");

	for (size_t i = 0; i < ARRAY_LEN(vocabularies); i++)
		if (str_starts(rest, vocabularies[i]))
			return true;
	return false;
}

/* The URLs in a script, a style, a comment or an attribute of whatever kind. */
static void put_urls(struct page *page, struct str text)
{
	struct buf url = {0};
	size_t i = 0;

	while (i < text.len) {
		const char *slash = memchr(text.p + i, '/', text.len - i);
		size_t at = slash ? (size_t)(slash - text.p) : text.len;
		size_t length = slash ? two_slashes((struct str){slash, text.len - at}) : 0;
		size_t start = length > 0 ? url_start(text, at) : at + 1;
		i = at + (length > 0 ? length : 1);
		if (start > at)
			continue;
		buf_clear(&url);
		for (size_t k = start; k < at; k++)
			if (text.p[k] != '\\')
				buf_char(&url, text.p[k]);
		buf_text(&url, "//");
		for (; i < text.len && url.len < URL_MAX; i++) {
			if (text.p[i] == '\\' && i + 1 < text.len && text.p[i + 1] == '/')
				continue;
			if (ends_url(text.p[i]))
				break;
			buf_char(&url, text.p[i]);
		}
		if (memchr(url.data, '.', url.len) && !names_vocabulary(buf_view(&url)))
			put_link(page, buf_view(&url), false);
	}
	buf_free(&url);
}

/* "0; url=http://…" */
static struct str refresh_target(struct str value)
{
	const char *equals = memchr(value.p, '=', value.len);
	struct str before = str_trim((struct str){value.p, equals ? (size_t)(equals - value.p) : 0});
	struct str target;

	if (before.len < 3 || !str_equal_nocase((struct str){before.p + before.len - 3, 3}, STR("url")))
		return STR("");
	target = str_trim((struct str){equals + 1, value.len - (size_t)(equals + 1 - value.p)});
	while (target.len > 0 && (target.p[0] == '\'' || target.p[0] == '"'))
		target = (struct str){target.p + 1, target.len - 1};
	while (target.len > 0 && (target.p[target.len - 1] == '\'' || target.p[target.len - 1] == '"'))
		target.len--;
	return target;
}

static void set_base(struct page *page, struct str value)
{
	if (page->base.len > 0)
		return; /* the first one counts */
	if (link_read(value, STR(""), &page->base) && !memmem(page->base.data, page->base.len, "://", 3))
		buf_clear(&page->base);
}

static void take_attribute(struct page *page, struct str element, struct str name, struct str raw)
{
	struct str value, target = STR("");
	bool shown = !among(fetched, ARRAY_LEN(fetched), element);

	if (raw.len == 0)
		return;
	buf_clear(&page->value);
	for (size_t i = 0; i < raw.len;)
		put_character(&page->value, raw, &i);
	value = buf_view(&page->value);
	if (str_equal_nocase(element, STR("base")) && str_equal_nocase(name, STR("href")))
		set_base(page, value);
	if (among(leading, ARRAY_LEN(leading), name))
		target = value;
	else if (str_equal_nocase(name, STR("content")))
		target = refresh_target(value);
	if (target.len > 0 && put_link(page, target, shown))
		return;
	if (!among(naming, ARRAY_LEN(naming), name) &&
		!(name.len >= 5 && str_equal_nocase((struct str){name.p, 5}, STR("xmlns"))))
		put_urls(page, value);
}

/* A comment. One with a condition, "<!--[if mso]>…", is none to some mail programs. */
static size_t take_comment(struct page *page, size_t at)
{
	struct str rest = {page->html.p + at + 4, page->html.len - at - 4};
	const char *close = rest.len ? memmem(rest.p, rest.len, "-->", 3) : NULL;
	size_t length = close ? (size_t)(close - rest.p) : rest.len;

	if (str_starts(rest, STR("[if")))
		put_urls(page, (struct str){rest.p, length});
	return close ? at + 4 + length + 3 : page->html.len;
}

static size_t take_tag(struct page *page, size_t at)
{
	struct str html = page->html;
	struct buf *out = &page->out;
	size_t end;
	struct str tag, element, name, value;
	bool closing;

	if (html.len - at > 3 && memcmp(html.p + at, "<!--", 4) == 0)
		return take_comment(page, at);
	end = tag_end(page, at);
	closing = at + 1 < html.len && html.p[at + 1] == '/';
	tag = (struct str){html.p + at + 1 + closing, end - at - 1 - (end > at + 1 ? closing : 0)};
	if (!attribute(&tag, &element, &value))
		return end + 1;
	if (among(blocks, ARRAY_LEN(blocks), element))
		put_line(out);
	else if (str_equal_nocase(element, STR("td")) && !is_space(last_of(out)))
		buf_char(out, ' ');
	if (closing || element.p[0] == '!' || element.p[0] == '?')
		return end + 1;
	while (attribute(&tag, &name, &value))
		take_attribute(page, element, name, value);
	if (among(hidden, ARRAY_LEN(hidden), element)) {
		size_t start = end < html.len ? end + 1 : html.len;
		size_t after = skip_hidden(page, end, element);
		end = after < html.len ? after : html.len;
		put_urls(page, (struct str){html.p + start, end > start ? end - start : 0});
		return end;
	}
	return end + 1;
}

struct str html_text(struct str html, struct arena *arena, struct str *beneath)
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
	*beneath = arena_str(arena, str_trim(buf_view(&page.beneath)));
	buf_free(&page.out);
	buf_free(&page.beneath);
	buf_free(&page.base);
	buf_free(&page.value);
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
