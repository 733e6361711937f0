#include "config.h"

#include <idn2.h>

#include "base/buf.h"
#include "base/mem.h"
#include "model/observable.h"
#include "model/storable.h"
#include "model/wallet.h"

#define NAME_MAX_LEN 253 /* RFC 1035 section 2.3.4, without the root's dot */
#define LABEL_MAX    63

static char lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		c = (char)(c + 32);
	return c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

static struct str lowered(struct str text, struct arena *arena)
{
	char *copy = arena_alloc(arena, text.len + 1);
	for (size_t i = 0; i < text.len; i++)
		copy[i] = lower(text.p[i]);
	return (struct str){copy, text.len};
}

static struct str after(struct str text, size_t len)
{
	return (struct str){text.p + len, text.len - len};
}

static bool starts_nocase(struct str text, struct str prefix)
{
	return text.len >= prefix.len && str_equal_nocase((struct str){text.p, prefix.len}, prefix);
}

/* How people keep an address from being clicked. Longest first where one begins another. */
static const struct {
	const char *written;
	const char *meant;
} fangs[] = {
	{"[://]", "://"},
	{"[:]\\\\", "://"},
	{"[:/]", ":/"},
	{"[::]", "::"},
	{"[dot]", "."},
	{"(dot)", "."},
	{"{dot}", "."},
	{"[at]", "@"},
	{"(at)", "@"},
	{"{at}", "@"},
	{"[.]", "."},
	{"(.)", "."},
	{"{.}", "."},
	{"[:]", ":"},
	{"[@]", "@"},
	{"(@)", "@"},
	{"[/]", "/"},
	{"<dot>", "."},
	{"<.>", "."},
	{"<at>", "@"},
	{"[.", "."},
};

/* "http" itself for "http[s]" */
static const char *const schemes[] = {
	"http", "hxxp", "h**p", "h__p", "hzzp", "hxtp", "htxp", "xxxp", "txtp", "h11p", "meow"};

static size_t fang_at(struct str text, const char **meant)
{
	for (size_t i = 0; i < ARRAY_LEN(fangs); i++) {
		if (starts_nocase(text, str_of(fangs[i].written))) {
			*meant = fangs[i].meant;
			return strlen(fangs[i].written);
		}
	}
	return 0;
}

/* Of the "s" behind a scheme, or "[s]". */
static size_t plural_length(struct str rest)
{
	return starts_nocase(rest, STR("[s]")) || starts_nocase(rest, STR("(s)"))
	               ? 3
	               : starts_nocase(rest, STR("s"));
}

/* hxxp:, hxxps[:] and their like; a name may begin with the same letters. */
static bool has_fanged_scheme(struct str text)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		if (!starts_nocase(text, str_of(schemes[i])))
			continue;
		struct str rest = after(text, 4);
		rest = after(rest, plural_length(rest));
		return starts_nocase(rest, STR(":")) || starts_nocase(rest, STR("[:"));
	}
	return false;
}

static struct str value_refang(struct str text, struct arena *arena)
{
	struct buf out = {0};
	struct str rest = text;
	if (has_fanged_scheme(rest)) {
		size_t plural = plural_length(after(rest, 4));
		buf_text(&out, plural > 0 ? "https" : "http");
		rest = after(rest, 4 + plural);
	}
	while (rest.len > 0) {
		const char *meant;
		size_t len = rest.p[0] == '[' || rest.p[0] == '(' || rest.p[0] == '{' || rest.p[0] == '<'
		                     ? fang_at(rest, &meant)
		                     : 0;
		if (len > 0)
			buf_text(&out, meant);
		else
			buf_char(&out, rest.p[0]);
		rest = after(rest, len > 0 ? len : 1);
	}
	if (!str_equal(buf_view(&out), text))
		text = arena_str(arena, buf_view(&out));
	buf_free(&out);
	return text;
}

static bool may_be_fanged(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (c == '[' || c == '(' || c == '{' || c == '<')
			return true;
	}
	return text.len > 5 && memchr(text.p, ':', 6) && !starts_nocase(text, STR("http")) &&
	       has_fanged_scheme(text);
}

static bool normalise_ip(struct str text, struct arena *arena, struct str *value)
{
	struct netaddr addr;
	char canonical[NETADDR_TEXT];
	if (!netaddr_parse(text, &addr))
		return false;
	*value = arena_str(arena, str_of(netaddr_format(&addr, canonical)));
	return true;
}

/* Labels of letters, digits, hyphens and underscores; the last one is no number, or it were a mangled
 * address. */
static bool name_ok(struct str name)
{
	struct str label = STR_NONE;
	if (name.len == 0 || name.len > NAME_MAX_LEN)
		return false;
	while (str_split(&name, '.', &label)) {
		if (label.len == 0 || label.len > LABEL_MAX)
			return false;
		for (size_t i = 0; i < label.len; i++) {
			char c = label.p[i];
			if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_')
				return false;
		}
	}
	for (size_t i = 0; i < label.len; i++) {
		if (!is_digit(label.p[i]))
			return true;
	}
	return false;
}

/* To A-labels (RFC 5891); only for text that is not ASCII. */
static bool name_of_idn(struct str text, struct arena *arena, struct str *name)
{
	char whole[4 * NAME_MAX_LEN + 1];
	uint8_t *ascii = NULL;
	if (text.len >= sizeof(whole) || !storable_is(text, sizeof(whole)))
		return false;
	memcpy(whole, text.p, text.len);
	whole[text.len] = '\0';
	if (idn2_lookup_u8((const uint8_t *)whole, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	*name = arena_str(arena, str_of((const char *)ascii));
	idn2_free(ascii);
	return true;
}

static bool normalise_name(struct str text, struct arena *arena, struct str *value)
{
	bool ascii = true;
	for (size_t i = 0; i < text.len && ascii; i++)
		ascii = (unsigned char)text.p[i] < 0x80;
	if (!ascii && !name_of_idn(text, arena, &text))
		return false;
	if (text.len > 1 && text.p[text.len - 1] == '.')
		text.len--;
	if (!name_ok(text))
		return false;
	*value = lowered(text, arena);
	return true;
}

/* A URL cut into its parts, as written. */
struct url {
	struct str scheme;
	struct str user; /* with its @ */
	struct str host; /* without brackets */
	bool bracketed;
	struct str port; /* with its colon */
	struct str path; /* and query and fragment */
};

static bool url_cut_scheme(struct str *text, struct str *scheme)
{
	size_t len = 0;
	while (len < text->len &&
		(is_letter(text->p[len]) ||
			(len > 0 && (is_digit(text->p[len]) || strchr("+-.", text->p[len])))))
		len++;
	if (len == 0 || !str_starts(after(*text, len), STR("://")))
		return false;
	*scheme = (struct str){text->p, len};
	*text = after(*text, len + 3);
	return true;
}

static bool url_cut_port(struct str rest, struct str *port)
{
	uint64_t number;
	*port = rest;
	if (rest.len == 0)
		return true;
	if (rest.p[0] != ':')
		return false;
	if (rest.len == 1) {
		*port = STR_NONE;
		return true;
	}
	return str_to_u64(after(rest, 1), &number) && number <= UINT16_MAX;
}

static bool url_cut(struct str text, struct url *url)
{
	size_t len = 0;
	*url = (struct url){0};
	if (!url_cut_scheme(&text, &url->scheme))
		return false;
	while (len < text.len && text.p[len] != '/' && text.p[len] != '?' && text.p[len] != '#' &&
		text.p[len] != '\\')
		len++;
	struct str authority = {text.p, len};
	url->path = after(text, len);
	const char *at = len ? memrchr(authority.p, '@', len) : NULL;
	if (at) {
		url->user = (struct str){authority.p, (size_t)(at + 1 - authority.p)};
		authority = after(authority, url->user.len);
	}
	url->bracketed = authority.len > 0 && authority.p[0] == '[';
	const char *end =
		authority.len ? memchr(authority.p, url->bracketed ? ']' : ':', authority.len) : NULL;
	if (url->bracketed && !end)
		return false;
	size_t host = end ? (size_t)(end - authority.p) : authority.len;
	size_t from = url->bracketed ? 1 : 0;
	url->host = (struct str){authority.p + from, host - from};
	return url_cut_port(after(authority, host + from), &url->port);
}

struct str url_host(struct str text)
{
	struct url url;
	return url_cut(text, &url) ? url.host : STR_NONE;
}

static bool normalise_host(const struct url *url, struct arena *arena, struct str *host)
{
	struct netaddr addr;
	if (netaddr_parse(url->host, &addr) && (addr.bits == (addr.family == 4 ? 32 : 128)))
		return normalise_ip(url->host, arena, host);
	return !url->bracketed && normalise_name(url->host, arena, host);
}

static void put_path(struct buf *out, struct str path)
{
	for (size_t i = 0; i < path.len; i++) {
		if (path.p[i] == ' ')
			buf_text(out, "%20");
		else
			buf_char(out, path.p[i]);
	}
}

static bool normalise_url(struct str text, struct arena *arena, struct str *value)
{
	struct url url;
	struct str host;
	struct buf out = {0};
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return false;
	}
	if (!url_cut(text, &url) || !normalise_host(&url, arena, &host))
		return false;
	bool brackets = memchr(host.p, ':', host.len) != NULL;
	buf_str(&out, lowered(url.scheme, arena));
	buf_text(&out, "://");
	buf_str(&out, url.user);
	buf_text(&out, brackets ? "[" : "");
	buf_str(&out, host);
	buf_text(&out, brackets ? "]" : "");
	buf_str(&out, url.port);
	put_path(&out, url.path);
	*value = storable_text(arena_str(arena, buf_view(&out)), MAX_VALUE, arena, NULL);
	buf_free(&out);
	return true;
}

static bool normalise_email(struct str text, struct arena *arena, struct str *value)
{
	struct str domain;
	if (starts_nocase(text, STR("mailto:")))
		text = after(text, 7);
	if (text.len > 2 && text.p[0] == '<' && text.p[text.len - 1] == '>')
		text = (struct str){text.p + 1, text.len - 2};
	const char *at = text.len ? memrchr(text.p, '@', text.len) : NULL;
	if (!at || at == text.p || at - text.p > 64 || !storable_is(text, MAX_VALUE))
		return false;
	struct str local = {text.p, (size_t)(at - text.p)};
	for (size_t i = 0; i < local.len; i++) {
		if ((unsigned char)local.p[i] <= ' ' || strchr("\177<>(),;:\\@[]/", local.p[i]))
			return false;
	}
	if (!normalise_name(after(text, local.len + 1), arena, &domain))
		return false;
	*value = arena_printf(arena, STR_FMT "@" STR_FMT, STR_ARG(local), STR_ARG(domain));
	return true;
}

static bool normalise_digest(struct str text, size_t len, struct arena *arena, struct str *value)
{
	if (text.len != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text.p[i]) && (lower(text.p[i]) < 'a' || lower(text.p[i]) > 'f'))
			return false;
	}
	*value = lowered(text, arena);
	return true;
}

static bool normalise_asn(struct str text, struct arena *arena, struct str *value)
{
	uint64_t number;
	if (starts_nocase(text, STR("AS")))
		text = str_trim(after(text, 2));
	if (!str_to_u64(text, &number) || number > UINT32_MAX)
		return false;
	*value = arena_printf(arena, "%u", (unsigned)number);
	return true;
}

/* CVE-YYYY-NNNN, four to nineteen digits. */
static bool normalise_cve(struct str text, struct arena *arena, struct str *value)
{
	if (!starts_nocase(text, STR("CVE-")) || text.len < 13 || text.len > 28 || text.p[8] != '-')
		return false;
	for (size_t i = 4; i < text.len; i++) {
		if (i != 8 && !is_digit(text.p[i]))
			return false;
	}
	*value = arena_printf(arena, "CVE" STR_FMT, STR_ARG(after(text, 3)));
	return true;
}

/* 00-11-22-33-44-55, 00:11:…, 0011.2233.4455 */
static bool normalise_mac(struct str text, struct arena *arena, struct str *value)
{
	char digits[12];
	size_t count = 0;
	if (text.len < 12 || text.len > 17)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = lower(text.p[i]);
		bool hex = is_digit(c) || (c >= 'a' && c <= 'f');
		if (hex && count < sizeof(digits))
			digits[count++] = c;
		else if (hex || !strchr(":-.", c) || count % 2 != 0 || count == 0)
			return false;
	}
	if (count != sizeof(digits))
		return false;
	*value = arena_printf(arena, "%.2s:%.2s:%.2s:%.2s:%.2s:%.2s", digits, digits + 2, digits + 4,
		digits + 6, digits + 8, digits + 10);
	return true;
}

static bool normalise_text(struct str text, struct arena *arena, struct str *value)
{
	*value = storable_text(text, MAX_VALUE, arena, NULL);
	return value->len > 0;
}

bool observable_normalise(enum observable_type type, struct str text, struct arena *arena, struct str *value)
{
	text = str_trim(text);
	bool address = type == OBSERVABLE_IP || type == OBSERVABLE_NAME || type == OBSERVABLE_URL ||
	               type == OBSERVABLE_EMAIL;
	if (address && may_be_fanged(text))
		text = value_refang(text, arena);
	switch (type) {
	case OBSERVABLE_IP:
		return normalise_ip(text, arena, value);
	case OBSERVABLE_NAME:
		return normalise_name(text, arena, value);
	case OBSERVABLE_URL:
		return normalise_url(text, arena, value);
	case OBSERVABLE_EMAIL:
		return normalise_email(text, arena, value);
	case OBSERVABLE_MD5:
		return normalise_digest(text, 32, arena, value);
	case OBSERVABLE_SHA1:
		return normalise_digest(text, 40, arena, value);
	case OBSERVABLE_SHA224:
		return normalise_digest(text, 56, arena, value);
	case OBSERVABLE_SHA384:
		return normalise_digest(text, 96, arena, value);
	case OBSERVABLE_SHA256:
		return normalise_digest(text, 64, arena, value);
	case OBSERVABLE_SHA512:
		return normalise_digest(text, 128, arena, value);
	case OBSERVABLE_ASN:
		return normalise_asn(text, arena, value);
	case OBSERVABLE_CVE:
		return normalise_cve(text, arena, value);
	case OBSERVABLE_MALWARE:
		return normalise_text(lowered(text, arena), arena, value);
	case OBSERVABLE_WALLET:
		return wallet_normalise(text, arena, value) || normalise_text(text, arena, value);
	case OBSERVABLE_MAC:
		return normalise_mac(text, arena, value);
	default:
		return normalise_text(text, arena, value);
	}
}
