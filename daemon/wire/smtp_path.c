#include "wire/smtp_path.h"

/* Length of a quoted string at the front of text, quotes included; 0 if there is none that ends. */
static size_t quoted_length(struct str text)
{
	size_t i = 1;

	if (text.len < 2 || text.p[0] != '"')
		return 0;
	while (i < text.len && text.p[i] != '"')
		i += text.p[i] == '\\' ? 2 : 1;
	return i < text.len ? i + 1 : 0;
}

/* Up to the '>' that is not inside quotes; false if there is none. */
static bool cut_bracketed(struct str *rest, struct str *inside)
{
	size_t i = 1;

	if (rest->len < 2 || rest->p[0] != '<')
		return false;
	while (i < rest->len && rest->p[i] != '>') {
		size_t quoted = quoted_length((struct str){rest->p + i, rest->len - i});

		if (rest->p[i] == '"' && quoted == 0)
			return false;
		i += quoted > 0 ? quoted : 1;
	}
	if (i >= rest->len)
		return false;
	*inside = (struct str){rest->p + 1, i - 1};
	*rest = (struct str){rest->p + i + 1, rest->len - i - 1};
	return true;
}

static void skip_source_route(struct str *address)
{
	const char *colon;

	if (address->len == 0 || address->p[0] != '@')
		return;
	colon = memchr(address->p, ':', address->len);
	if (!colon)
		return;
	address->len -= (size_t)(colon + 1 - address->p);
	address->p = colon + 1;
}

static bool is_atom_byte(unsigned char c, bool utf8)
{
	if (c >= 0x80)
		return utf8;
	return c > 0x20 && c != 0x7f && c != '<' && c != '>' && c != '"' && c != '\\';
}

static bool bytes_allowed(struct str text, bool quoted, bool utf8)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (quoted ? c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8) : !is_atom_byte(c, utf8))
			return false;
	}
	return true;
}

static bool address_valid(struct str address, bool utf8)
{
	size_t local = quoted_length(address);
	bool quoted = local > 0;
	struct str domain;
	const char *at;

	if (!quoted) {
		at = memchr(address.p, '@', address.len);
		local = at ? (size_t)(at - address.p) : address.len;
	}
	if (local == 0 || local > SMTP_LOCAL_MAX ||
		!bytes_allowed((struct str){address.p, local}, quoted, utf8))
		return false;
	if (local == address.len)
		return true;
	domain = (struct str){address.p + local + 1, address.len - local - 1};
	return address.p[local] == '@' && domain.len > 0 && domain.len <= SMTP_DOMAIN_MAX &&
	       bytes_allowed(domain, false, utf8) && !memchr(domain.p, '@', domain.len);
}

bool smtp_path(struct str *rest, bool utf8, struct str *address)
{
	struct str text = *rest;
	struct str inside;

	while (text.len > 0 && text.p[0] == ' ')
		text = (struct str){text.p + 1, text.len - 1};
	if (!cut_bracketed(&text, &inside))
		return false;
	if (text.len > 0 && text.p[0] != ' ')
		return false;
	skip_source_route(&inside);
	if (inside.len > SMTP_ADDRESS_MAX || (utf8 && !utf8_valid(inside)))
		return false;
	if (inside.len > 0 && !address_valid(inside, utf8))
		return false;
	*address = inside;
	*rest = text;
	return true;
}

bool smtp_parameter(struct str *rest, struct str *key, struct str *value)
{
	struct str text = str_trim(*rest);
	struct str word = text;
	const char *space = text.len > 0 ? memchr(text.p, ' ', text.len) : NULL;
	const char *equals;

	if (text.len == 0)
		return false;
	if (space)
		word.len = (size_t)(space - text.p);
	*rest = (struct str){text.p + word.len, text.len - word.len};
	equals = memchr(word.p, '=', word.len);
	*key = word;
	*value = STR_NONE;
	if (equals) {
		key->len = (size_t)(equals - word.p);
		*value = (struct str){equals + 1, word.len - key->len - 1};
	}
	return true;
}
