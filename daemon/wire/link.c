#include "config.h"

#include "wire/link.h"

#include "base/mem.h"

static const struct str special[] = {{"http", 4}, {"https", 5}, {"ftp", 3}, {"ws", 2}, {"wss", 3}};

static struct str behind(struct str text, size_t len)
{
	return (struct str){text.p + len, text.len - len};
}

static bool is_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
	return is_digit(c) ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static bool is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* Length of a scheme with its colon; 0 if there is none. */
static size_t scheme_length(struct str text)
{
	size_t i = 0;

	while (i < text.len &&
		(is_letter(text.p[i]) || (i > 0 && (is_digit(text.p[i]) || text.p[i] == '+' ||
							   text.p[i] == '-' || text.p[i] == '.'))))
		i++;
	return i > 0 && i < text.len && text.p[i] == ':' ? i + 1 : 0;
}

static size_t slashes(struct str text)
{
	size_t i = 0;

	while (i < text.len && is_slash(text.p[i]))
		i++;
	return i;
}

/* --- hosts --- */

/* One number of a host as C writes them: 0x7f, 0177, 127. */
static bool part_number(struct str part, uint64_t *value)
{
	uint64_t radix = 10;
	size_t i = 0;

	*value = 0;
	if (part.len > 1 && part.p[0] == '0') {
		radix = (part.p[1] | 32) == 'x' ? 16 : 8;
		i = radix == 16 ? 2 : 1;
	}
	for (; i < part.len; i++) {
		int digit = hex_value(part.p[i]);
		if (digit < 0 || (uint64_t)digit >= radix || *value > UINT32_MAX)
			return false;
		*value = *value * radix + (uint64_t)digit;
	}
	return part.len > 0;
}

/* "2130706433", "0x7f.1", "0177.0.0.1": at most four numbers, of which the last fills what is left. */
static bool put_number_host(struct buf *out, struct str host)
{
	struct str part = STR_NONE;
	uint64_t address = 0, value = 0;
	int count = 0;

	if (host.len > 0 && host.p[host.len - 1] == '.')
		host.len--;
	for (struct str rest = host; str_split(&rest, '.', &part); count++) {
		if (count == 4 || (count > 0 && value > 255) || !part_number(part, &value))
			return false;
		address = count > 0 ? address << 8 : 0;
		address += value;
	}
	if (count == 0 || value >= (uint64_t)1 << (8 * (5 - count)))
		return false;
	address = ((address - value) << (8 * (4 - count))) + value;
	buf_printf(out, "%u.%u.%u.%u", (unsigned)(address >> 24 & 255), (unsigned)(address >> 16 & 255),
		(unsigned)(address >> 8 & 255), (unsigned)(address & 255));
	return true;
}

/* Percent-encoded letters, digits, dots and what is not ASCII, as they are meant. */
static void put_host(struct buf *out, struct str host)
{
	struct buf plain = {0};

	for (size_t i = 0; i < host.len; i++) {
		int high = host.p[i] == '%' && i + 2 < host.len ? hex_value(host.p[i + 1]) : -1;
		int low = high >= 0 ? hex_value(host.p[i + 2]) : -1;
		char c = (char)(high * 16 + low);
		if (low >= 0 && (is_letter(c) || is_digit(c) || c == '.' || c == '-' || (c & 0x80))) {
			buf_char(&plain, c);
			i += 2;
		} else {
			buf_char(&plain, host.p[i]);
		}
	}
	if (!put_number_host(out, buf_view(&plain)))
		buf_str(out, buf_view(&plain));
	buf_free(&plain);
}

/* --- the whole --- */

/* What would end the URL where it stands in a text is percent-encoded. */
static void put_encoded(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c <= ' ' || c == 0x7f || strchr("<>\"`\\|^{}", c))
			buf_printf(out, "%%%02X", c);
		else
			buf_char(out, (char)c);
	}
}

/* "user@host:port/path" of a scheme in which a backslash is a slash. */
static void put_special(struct buf *out, struct str rest)
{
	size_t authority = 0, port, path;
	const char *at;

	while (authority < rest.len && !is_slash(rest.p[authority]) && rest.p[authority] != '?' &&
		rest.p[authority] != '#')
		authority++;
	at = authority ? memrchr(rest.p, '@', authority) : NULL;
	if (at) {
		size_t user = (size_t)(at + 1 - rest.p);
		put_encoded(out, (struct str){rest.p, user});
		rest = behind(rest, user);
		authority -= user;
	}
	port = authority;
	while (port > 0 && is_digit(rest.p[port - 1]))
		port--;
	port = port > 0 && rest.p[port - 1] == ':' ? port - 1 : authority;
	put_host(out, (struct str){rest.p, port});
	put_encoded(out, (struct str){rest.p + port, authority - port});
	rest = behind(rest, authority);
	for (path = 0; path < rest.len && rest.p[path] != '?' && rest.p[path] != '#'; path++) {
		if (rest.p[path] == '\\')
			buf_char(out, '/');
		else
			put_encoded(out, (struct str){rest.p + path, 1});
	}
	put_encoded(out, behind(rest, path));
}

static bool put_absolute(struct buf *out, struct str url, size_t scheme)
{
	struct str name = {url.p, scheme - 1};
	struct str rest = behind(url, scheme);

	for (size_t i = 0; i < ARRAY_LEN(special); i++) {
		if (!str_equal_nocase(special[i], name))
			continue;
		rest = behind(rest, slashes(rest));
		if (rest.len == 0)
			return false;
		buf_str(out, special[i]);
		buf_text(out, "://");
		put_special(out, rest);
		return true;
	}
	if (!(rest.len > 2 && rest.p[0] == '/' && rest.p[1] == '/') &&
		!(rest.len > 0 && str_equal_nocase(name, STR("mailto"))))
		return false;
	put_encoded(out, url);
	return true;
}

/* The part of base that stays before what is relative to it. */
static struct str kept_of_base(struct str base, struct str url)
{
	size_t origin = scheme_length(base) + 2;
	size_t query, path;

	while (origin < base.len && !is_slash(base.p[origin]) && base.p[origin] != '?' &&
		base.p[origin] != '#')
		origin++;
	if (origin > base.len || is_slash(url.p[0]))
		return (struct str){base.p, origin < base.len ? origin : base.len};
	for (query = origin; query < base.len && base.p[query] != '?' && base.p[query] != '#';)
		query++;
	if (url.p[0] == '?')
		return (struct str){base.p, query};
	for (path = query; path > origin && !is_slash(base.p[path - 1]);)
		path--;
	return (struct str){base.p, path};
}

static bool put_relative(struct buf *out, struct str url, struct str base)
{
	struct str kept = kept_of_base(base, url);

	buf_str(out, kept);
	if (!is_slash(url.p[0]) && url.p[0] != '?' && !is_slash(kept.p[kept.len - 1]))
		buf_char(out, '/');
	for (size_t i = 0; i < url.len; i++) {
		if (url.p[i] == '\\')
			buf_char(out, '/');
		else
			put_encoded(out, (struct str){url.p + i, 1});
	}
	return true;
}

static bool read_clean(struct str url, struct str base, struct buf *out)
{
	size_t scheme = scheme_length(url);

	if (scheme > 0)
		return put_absolute(out, url, scheme);
	if (url.len == 0 || url.p[0] == '#')
		return false;
	if (slashes(url) >= 2) {
		url = behind(url, slashes(url));
		if (url.len == 0)
			return false;
		buf_str(out, base.len > 0 ? (struct str){base.p, scheme_length(base)} : STR("http:"));
		buf_text(out, "//");
		put_special(out, url);
		return true;
	}
	if (base.len > 0)
		return put_relative(out, url, base);
	if (url.len < 5 || !str_equal_nocase((struct str){url.p, 4}, STR("www.")))
		return false;
	buf_text(out, "http://");
	put_special(out, url);
	return true;
}

bool link_read(struct str value, struct str base, struct buf *out)
{
	struct buf clean = {0};
	bool good;

	while (value.len > 0 && (unsigned char)value.p[0] <= ' ')
		value = behind(value, 1);
	while (value.len > 0 && (unsigned char)value.p[value.len - 1] <= ' ')
		value.len--;
	for (size_t i = 0; i < value.len; i++)
		if (value.p[i] != '\t' && value.p[i] != '\r' && value.p[i] != '\n')
			buf_char(&clean, value.p[i]);
	good = read_clean(buf_view(&clean), base, out);
	buf_free(&clean);
	return good;
}
