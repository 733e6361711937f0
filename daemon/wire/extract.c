#include "config.h"

#include "base/buf.h"
#include "base/mem.h"
#include "model/wallet.h"
#include "wire/link.h"
#include "wire/name.h"
#include "wire/quad.h"
#include "wire/reading.h"
#include "wire/refang.h"
#include "wire/rewrap.h"
#include "wire/spam_verdict.h"
#include "wire/tld.h"

/* What one text may add; the rest stays in the text. */
#define EXTRACT_MAX 1000
#define TOKEN_MAX   2048
#define LABELS_MAX  4 /* "src:ip:198.51.100.7" */
#define SCHEME_MAX  16
#define WRAPS_MAX   5 /* Safe Links around URL Defense around … */

/* A run over one text. Tokens are maximal runs of what names, addresses and digests are made of. */
struct extraction {
	struct reading *reading;
	struct report *report;
	struct str text;    /* refanged */
	struct str before;  /* the token before this one, for "version 1.2.3.4" */
	struct str earlier; /* and the one before that */
	size_t first_count; /* observables when it began */
	size_t ids_until;   /* end of a quoted header field of message ids; 0: in none */
	struct str relay;   /* address of our own in the quoted Received field in hand; "" */
	size_t relay_until; /* its end */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

static bool is_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool full(const struct extraction *run)
{
	return run->report->observable_count - run->first_count >= EXTRACT_MAX;
}

/* The text with its defanged dots as dots. */
static struct str plain(struct extraction *run, struct str token)
{
	char *copy;

	if (!memchr(token.p, REFANGED_DOT, token.len))
		return token;
	copy = arena_alloc(run->reading->arena, token.len);
	for (size_t i = 0; i < token.len; i++)
		copy[i] = (char)(token.p[i] == REFANGED_DOT ? '.' : token.p[i]);
	return (struct str){copy, token.len};
}

static bool defanged(struct str token)
{
	return memchr(token.p, REFANGED_DOT, token.len) != NULL;
}

/* Our own mail servers stand in every header that somebody quotes. */
static bool is_ours(struct extraction *run, enum observable_type type, struct str token)
{
	if (!run->reading->hops || (type != OBSERVABLE_IP && type != OBSERVABLE_NAME))
		return false;
	return spam_hop_listed(run->reading->hops, plain(run, token)) ||
	       (run->relay.len > 0 && str_equal(run->relay, token));
}

/* The end of the header field that goes on at `at`: of its last folded line, quoted by "> " or not. */
static size_t field_end(struct str text, size_t at)
{
	while (at < text.len) {
		const char *end = memchr(text.p + at, '\n', text.len - at);
		size_t next = end ? (size_t)(end - text.p) + 1 : text.len;
		at = next;
		while (next < text.len && text.p[next] == '>')
			next++;
		next += next > at && next < text.len && text.p[next] == ' ';
		if (next >= text.len || (text.p[next] != ' ' && text.p[next] != '\t'))
			break;
	}
	return at;
}

/* "Received:" of somebody's quoted header begins at `at`: what of it is us? */
static void enter_received(struct extraction *run, size_t at)
{
	struct str value;

	if (!run->reading->hops || at < run->relay_until)
		return;
	run->relay_until = field_end(run->text, at);
	value = (struct str){run->text.p + at, run->relay_until - at};
	run->relay = spam_hop_relay(run->reading->hops, value);
}

static bool add(struct extraction *run, enum observable_type type, struct str token)
{
	if (full(run) || is_ours(run, type, token))
		return false;
	return reading_observable(run->reading, run->report, type, OBSERVED_INDICATOR, plain(run, token));
}

static const bool token_byte[128] = {
	['a' ... 'z'] = true,
	['A' ... 'Z'] = true,
	['0' ... '9'] = true,
	['.'] = true,
	['-'] = true,
	['_'] = true,
	['@'] = true,
	[':'] = true,
	['%'] = true,
	['+'] = true,
	['/'] = true,
	[REFANGED_DOT] = true,
};

/* Length of the character at p, which is not ASCII, if it may be part of a token; 0 if it ends one. */
static size_t wide_token_character(const char *p, size_t left)
{
	struct str rest = {p, left};
	uint32_t c = utf8_next(&rest);

	/* Latin-1 signs, general punctuation, CJK punctuation, full-width forms */
	if ((c >= 0x80 && c < 0xc0) || (c >= 0x2000 && c < 0x2070) || (c >= 0x3000 && c < 0x3040) ||
		(c >= 0xff00 && c < 0xff10) || c == 0xfffd || c == 0xfeff)
		return 0;
	return left - rest.len;
}

static inline size_t token_character(const char *p, size_t left)
{
	return (unsigned char)*p < 0x80 ? token_byte[(unsigned char)*p] : wide_token_character(p, left);
}

/* --- names --- */

static size_t count_of(struct str text, char c)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.p[i] == c;
	return count;
}

static bool add_name(struct extraction *run, struct str name)
{
	struct str dotted = plain(run, name);

	while (dotted.len > 0 && (dotted.p[dotted.len - 1] == '.' || dotted.p[dotted.len - 1] == '-'))
		dotted.len--;
	if (!memchr(dotted.p, '.', dotted.len))
		return false;
	if (!defanged(name) && !name_believable(dotted, run->reading->arena))
		return false;
	if (is_digit(dotted.p[dotted.len - 1]))
		return false;
	return add(run, OBSERVABLE_NAME, dotted);
}

/* --- addresses --- */

static bool add_ipv4(struct extraction *run, struct str text)
{
	struct netaddr addr;
	struct str dotted = plain(run, text);

	if (!netaddr_parse(dotted, &addr) || addr.family != 4)
		return false;
	/* netmasks, loopback, "any": never what a report is about, unless somebody took the trouble to defang
	 * it */
	if (!defanged(text) && (addr.bytes[0] == 0 || addr.bytes[0] == 127 || addr.bytes[0] >= 224))
		return false;
	return add(run, OBSERVABLE_IP, dotted);
}

/* How much of the text is a dotted quad. */
static size_t quad_length(struct str text)
{
	size_t i = 0;

	while (i < text.len && (is_digit(text.p[i]) || text.p[i] == '.' || text.p[i] == REFANGED_DOT))
		i++;
	while (i > 0 && !is_digit(text.p[i - 1]))
		i--;
	return i;
}

/* A version, date or telephone number? What has a port or prefix length is none. */
static bool is_number(const struct extraction *run, struct str quad)
{
	size_t start = (size_t)(quad.p - run->text.p);

	return quad_is_number(run->text, start, start + quad.len);
}

/* 203.0.113.5, 203.0.113.0/24, 203.0.113.5:443, 203.0.113.5/path, 203.0.113.5-203.0.113.9 */
static bool take_ipv4(struct extraction *run, struct str token)
{
	size_t length = quad_length(token);
	struct str quad = {token.p, length};
	struct str rest = {token.p + length, token.len - length};
	size_t digits = 0;

	if (length < 7 || (rest.len == 0 && is_number(run, quad)))
		return false;
	if (rest.len > 1 && rest.p[0] == '/') {
		while (1 + digits < rest.len && is_digit(rest.p[1 + digits]))
			digits++;
		if (digits > 0 && digits < 3 && 1 + digits == rest.len)
			return add_ipv4(run, token);
	} else if (rest.len > 1 && rest.p[0] == '-') {
		struct str other = {rest.p + 1, rest.len - 1};
		if (quad_length(other) != other.len || !add_ipv4(run, quad))
			return false;
		return add_ipv4(run, other);
	} else if (rest.len > 0 && rest.p[0] != ':') {
		return false;
	}
	return add_ipv4(run, quad);
}

static bool take_ipv6(struct extraction *run, struct str token)
{
	struct netaddr addr;
	size_t colons = count_of(token, ':');
	const char *zone = memchr(token.p, '%', token.len);
	bool has_digit = false;
	bool global;

	if (zone) /* "fe80::1%eth0" */
		token.len = (size_t)(zone - token.p);
	if (colons < 2 || token.len < 3 || (!is_hex(token.p[0]) && token.p[0] != ':') ||
		!netaddr_parse(token, &addr))
		return false;
	if (addr.family == 4) /* "::ffff:198.51.100.7" */
		return add_ipv4(run, token);
	for (size_t i = 0; i < token.len; i++)
		has_digit |= is_digit(token.p[i]);
	/* "Face::Add" is code; what is routed, link-local or unique local is an address, as is what has many
	 * groups */
	global = (addr.bytes[0] & 0xe0) == 0x20 || addr.bytes[0] >= 0xfc;
	if (!has_digit || (colons < 3 && !global) || addr.bytes[0] == 0)
		return false;
	return add(run, OBSERVABLE_IP, token);
}

/* --- URLs --- */

static const struct str schemes[] = {{"http", 4}, {"https", 5}, {"ftp", 3}, {"ftps", 4}, {"sftp", 4},
	{"ssh", 3}, {"ws", 2}, {"wss", 3}, {"tcp", 3}, {"udp", 3}, {"smb", 3}, {"ldap", 4}, {"ldaps", 5},
	{"rdp", 3}, {"irc", 3}, {"ircs", 4}, {"socks", 5}, {"socks4", 6}, {"socks4a", 7}, {"socks5", 6},
	{"socks5h", 7}, {"telnet", 6}, {"mysql", 5}, {"postgres", 8}, {"postgresql", 10}, {"mongodb", 7},
	{"redis", 5}, {"mqtt", 4}, {"amqp", 4}, {"rtsp", 4}, {"vnc", 3}, {"git", 3}, {"tls", 3}, {"ssl", 3},
	{"gopher", 6}, {"vmess", 5}, {"vless", 5}, {"trojan", 6}, {"coap", 4}, {"sip", 3}, {"sips", 4},
	{"nntp", 4}, {"imap", 4}, {"imaps", 5}, {"smtp", 4}, {"smtps", 5}, {"pop3", 4}, {"rsync", 5},
	{"tftp", 4}, {"rmi", 3}, {"iiop", 4}};

static bool scheme_known(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (str_equal_nocase(schemes[i], name))
			return true;
	return false;
}

/* "http://a.example/x,http://b.example/y": the next one of a list. */
static bool next_begins(struct str text)
{
	size_t letters = 1;

	if (text.p[0] != ',' && text.p[0] != ';')
		return false;
	while (letters < text.len && letters <= SCHEME_MAX && is_letter(text.p[letters]))
		letters++;
	return text.len - letters > 3 && memcmp(text.p + letters, "://", 3) == 0 &&
	       scheme_known((struct str){text.p + 1, letters - 1});
}

/* Where a URL that begins at `start` ends: at white space, quotes, an unbalanced bracket, a comma in front of
 * another one; trailing punctuation is the sentence's. One in angle brackets is all that stands in them. */
static size_t url_end(struct str text, size_t start, size_t host)
{
	size_t i = host, unbalanced = 0;
	int round = 0, square = 0;
	bool angled = start > 0 && text.p[start - 1] == '<';
	bool international = false;
	bool in_host = true;

	while (i < text.len && i - start < TOKEN_MAX) {
		unsigned char c = (unsigned char)text.p[i];
		if ((c <= ' ' && c != REFANGED_DOT) || c == 0x7f || strchr("<>\"`\\|^{}", c) ||
			(c == '\'' && start > 0 && text.p[start - 1] == '\'') ||
			next_begins((struct str){text.p + i, text.len - i}))
			break;
		if (((c == ')' && --round < 0) || (c == ']' && --square < 0)) && unbalanced == 0) {
			unbalanced = i;
			if (!angled)
				break;
		}
		round += c == '(';
		square += c == '[';
		in_host &= c != '/' && c != '?' && c != '#';
		if (c >= 0x80) {
			size_t length = token_character(text.p + i, text.len - i);
			if (length == 0 || (!in_host && !international))
				break;
			international |= in_host;
			i += length;
		} else {
			i++;
		}
	}
	if (angled && i < text.len && text.p[i] == '>')
		return i;
	if (unbalanced > 0)
		i = unbalanced;
	while (i > host && strchr(".,;:!?'*_~\1", text.p[i - 1]))
		i--;
	return i;
}

static void add_url_host(struct extraction *run, struct str url)
{
	const char *slashes = memmem(url.p, url.len, "://", 3);
	struct str host = {slashes + 3, url.len - (size_t)(slashes + 3 - url.p)};
	const char *at;

	for (size_t i = 0; i < host.len; i++)
		if (strchr("/?#", host.p[i]))
			host.len = i;
	at = host.len ? memrchr(host.p, '@', host.len) : NULL;
	if (at)
		host = (struct str){at + 1, host.len - (size_t)(at + 1 - host.p)};
	if (host.len > 0 && host.p[0] == '[') {
		const char *close = memchr(host.p, ']', host.len);
		if (close)
			add(run, OBSERVABLE_IP, (struct str){host.p + 1, (size_t)(close - host.p - 1)});
		return;
	}
	at = host.len ? memchr(host.p, ':', host.len) : NULL;
	if (at)
		host.len = (size_t)(at - host.p);
	if (memchr(host.p, '.', host.len) && !add(run, OBSERVABLE_IP, host))
		add(run, OBSERVABLE_NAME, host);
}

/* Behind xmlns="…" and schemaLocation="…" stand names of vocabularies, and nobody's address. */
static bool names_vocabulary(const struct extraction *run)
{
	return str_equal(run->before, STR("xmlns")) || str_starts(run->before, STR("xmlns:")) ||
	       str_ends(run->before, STR("schemaLocation"));
}

/* Add a URL with its host; instead of the host of one that a mail filter wrote, the URL that it wraps. */
static void add_url(struct extraction *run, struct str url)
{
	struct arena *arena = run->reading->arena;
	struct str inner;

	for (int wraps = 0; wraps < WRAPS_MAX; wraps++, url = inner) {
		if (!add(run, OBSERVABLE_URL, url)) {
			struct buf meant = {0};
			bool readable = link_read(
				url, STR(""), &meant); /* "http://%65vil.example", "http://0x7f.1" */
			if (readable)
				url = arena_str(arena, buf_view(&meant));
			buf_free(&meant);
			if (!readable || !add(run, OBSERVABLE_URL, url))
				return;
		}
		if (!rewrap_undo(url, arena, &inner)) {
			add_url_host(run, url);
			return;
		}
	}
}

/* The host of a URL of a scheme that nobody knows, whose "://" stands at `colon`: it may be a name or an
 * address all the same. Returns where the URL ends, 0 if there is no host. */
static size_t take_host(struct extraction *run, size_t start, size_t colon)
{
	struct str text = run->text;
	struct str host = {text.p + colon + 3, 0};
	const char *end;
	bool found;

	while (colon + 3 + host.len < text.len && host.len < TOKEN_MAX &&
		(token_character(host.p + host.len, 1) || strchr("[]", host.p[host.len])) &&
		host.p[host.len] != '/')
		host.len++;
	end = host.len ? memrchr(host.p, '@', host.len) : NULL;
	if (end)
		host = (struct str){end + 1, host.len - (size_t)(end + 1 - host.p)};
	if (host.len > 2 && host.p[0] == '[') {
		end = memchr(host.p, ']', host.len);
		found = end && add(run, OBSERVABLE_IP, (struct str){host.p + 1, (size_t)(end - host.p - 1)});
	} else {
		end = host.len ? memchr(host.p, ':', host.len) : NULL;
		host.len = end ? (size_t)(end - host.p) : host.len;
		found = host.len > 3 && (add_ipv4(run, host) || add_name(run, host));
	}
	return found ? url_end(text, start, colon + 3) : 0;
}

/* A URL whose "://" stands at `colon` of a token that begins at `start`; returns its end, 0 if it is none. */
static size_t take_url(struct extraction *run, size_t start, size_t colon)
{
	struct str text = run->text;
	size_t letters = colon, first;
	size_t end;

	while (letters > start && colon - letters < SCHEME_MAX && is_letter(text.p[letters - 1]))
		letters--;
	for (first = letters; first > start && colon - first < SCHEME_MAX &&
			      (is_letter(text.p[first - 1]) || is_digit(text.p[first - 1]));)
		first--;
	if (!scheme_known((struct str){text.p + first, colon - first}))
		first = letters;
	if (!scheme_known((struct str){text.p + first, colon - first}))
		return names_vocabulary(run) ? 0 : take_host(run, first, colon);
	end = url_end(text, first, colon + 3);
	if (end <= colon + 3)
		return 0;
	if (!names_vocabulary(run))
		add_url(run, plain(run, (struct str){text.p + first, end - first}));
	return end;
}

/* --- the rest --- */

static bool take_email(struct extraction *run, struct str token)
{
	const char *at = memchr(token.p, '@', token.len);
	struct str domain;
	struct str local;
	struct str dotted;

	if (!at || at == token.p)
		return false;
	local = (struct str){token.p, (size_t)(at - token.p)};
	domain = (struct str){at + 1, token.len - local.len - 1};
	for (size_t i = local.len; i > 0; i--) {
		if (local.p[i - 1] == ':' || local.p[i - 1] == '/') {
			local = (struct str){local.p + i, local.len - i};
			break;
		}
	}
	for (size_t i = 0; i < domain.len; i++)
		if (strchr(":/@%+", domain.p[i]))
			domain.len = i;
	while (domain.len > 0 && strchr(".-_\1", domain.p[domain.len - 1]))
		domain.len--;
	dotted = plain(run, domain);
	if (local.len == 0 || !memchr(dotted.p, '.', dotted.len))
		return false;
	if (!defanged(token) && (tld_is_private(name_last_label(dotted)) ||
					(!tld_is_file_ending(name_last_label(dotted)) &&
						!name_believable(dotted, run->reading->arena))))
		return false;
	return add(run, OBSERVABLE_EMAIL, (struct str){local.p, (size_t)(domain.p + domain.len - local.p)});
}

static bool take_digest(struct extraction *run, struct str token)
{
	static const struct {
		size_t length;
		enum observable_type type;
	} digests[] = {{32, OBSERVABLE_MD5}, {40, OBSERVABLE_SHA1}, {56, OBSERVABLE_SHA224},
		{64, OBSERVABLE_SHA256}, {96, OBSERVABLE_SHA384}, {128, OBSERVABLE_SHA512}};
	bool letters = false, digits = false;

	for (size_t i = 0; i < token.len; i++) {
		if (!is_hex(token.p[i]))
			return false;
		letters |= is_letter(token.p[i]);
		digits |= is_digit(token.p[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(digests) && letters && digits; i++)
		if (token.len == digests[i].length)
			return add(run, digests[i].type, token);
	return false;
}

/* "sha256:…", "md5/…": each piece that a colon or slash sets apart */
static bool take_digests(struct extraction *run, struct str token)
{
	size_t start = 0;
	bool found = false;

	for (size_t i = 0; i <= token.len; i++) {
		if (i < token.len && token.p[i] != ':' && token.p[i] != '/')
			continue;
		found |= i - start >= 32 && take_digest(run, (struct str){token.p + start, i - start});
		start = i + 1;
	}
	return found;
}

static bool take_cve(struct extraction *run, struct str token)
{
	size_t i = 9;

	if (token.len > 8 && is_digit(token.p[0]) && token.p[4] == '-' &&
		str_equal_nocase(run->before, STR("CVE")))
		token = arena_printf(run->reading->arena, "CVE-" STR_FMT, STR_ARG(token));
	if (token.len < 13 || !str_equal_nocase((struct str){token.p, 4}, STR("CVE-")))
		return false;
	while (i < token.len && is_digit(token.p[i]))
		i++;
	return add(run, OBSERVABLE_CVE, (struct str){token.p, i});
}

/* AS64500, as64500, ASN64500; two words "AS 64500", "asn: 64500" as well. AS400 is a computer, "as 12345
 * people" a sentence. */
static bool take_asn(struct extraction *run, struct str token)
{
	static const struct str prefixes[] = {{"ASN:", 4}, {"ASN", 3}, {"AS:", 3}, {"AS", 2}};
	size_t prefix = 0;
	uint64_t number;

	for (size_t i = 0; i < ARRAY_LEN(prefixes) && prefix == 0; i++)
		if (token.len > prefixes[i].len &&
			str_equal_nocase((struct str){token.p, prefixes[i].len}, prefixes[i]))
			prefix = prefixes[i].len;
	if (prefix == 0 && !str_equal(run->before, STR("AS")) && !str_equal(run->before, STR("AS:")) &&
		!str_equal_nocase(run->before, STR("ASN")) && !str_equal_nocase(run->before, STR("ASN:")))
		return false;
	token = (struct str){token.p + prefix, token.len - prefix};
	if (token.len < 3 || !str_to_u64(token, &number) || number > UINT32_MAX || number == 0 ||
		number == 400)
		return false;
	return add(run, OBSERVABLE_ASN, token);
}

/* Is the token with an @ the id of a message? Behind "Message-ID:" and its like stand only such, to the end
 * of the field; "the message-id of 1@host" names one. */
static bool is_message_id(struct extraction *run, struct str token)
{
	static const struct str fields[] = {{"Message-ID:", 11}, {"References:", 11}, {"In-Reply-To:", 12},
		{"Content-ID:", 11}, {"Resent-Message-ID:", 18}, {"Original-Message-ID:", 20},
		{"X-Message-ID:", 13}};
	size_t at = (size_t)(token.p - run->text.p);
	bool of = str_equal_nocase(run->before, STR("of")) || str_equal_nocase(run->before, STR("is"));

	if (at < run->ids_until)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (!str_equal_nocase(run->before, fields[i]))
			continue;
		run->ids_until = field_end(run->text, at);
		return true;
	}
	return str_equal_nocase(of ? run->earlier : run->before, STR("Message-ID"));
}

/* The host of "evil.example/login", the whole of "evil.example"; nothing of a path. */
static bool take_name(struct extraction *run, struct str token, char previous)
{
	size_t end = 0;

	if (previous == '\\' || previous == '/' || previous == '$' || previous == '#' || previous == '@')
		return false;
	while (end < token.len && !strchr("/:%+@", token.p[end]))
		end++;
	return add_name(run, (struct str){token.p, end});
}

static bool classify_one(struct extraction *run, struct str token, char previous)
{
	if (memchr(token.p, '@', token.len))
		return is_message_id(run, token) || take_email(run, token);
	if (take_cve(run, token) || take_asn(run, token))
		return true;
	if (token.len >= 32 && take_digests(run, token))
		return true;
	if (token.len >= 26 && wallet_is(token))
		return add(run, OBSERVABLE_WALLET, token);
	if (memchr(token.p, ':', token.len) && take_ipv6(run, token))
		return true;
	if (is_digit(token.p[0]) && take_ipv4(run, token))
		return true;
	return take_name(run, token, previous);
}

/* How much of "host:evil.example" is a label, or of "http//evil.example" a scheme that lost its colon. */
static size_t label_length(struct str token)
{
	static const struct str maimed[] = {{"https//", 7}, {"http//", 6}, {"//", 2}};
	size_t i = 0;

	for (size_t k = 0; k < ARRAY_LEN(maimed); k++)
		if (token.len > maimed[k].len &&
			str_equal_nocase((struct str){token.p, maimed[k].len}, maimed[k]))
			return maimed[k].len;

	while (i < token.len && is_letter(token.p[i]))
		i++;
	return i > 0 && i < token.len && token.p[i] == ':' ? i + 1 : 0;
}

/* Does it stand first in its line, but for what quotes a mail ("> ")? */
static bool begins_line(const struct extraction *run, struct str token)
{
	const char *p = token.p;

	for (int i = 0; i < LABELS_MAX * 2 && p > run->text.p && (p[-1] == ' ' || p[-1] == '>'); i++)
		p--;
	return p == run->text.p || p[-1] == '\n';
}

/* What parts a mail, where one is quoted whole: boundary="…" and the lines that begin with it; "foo.bar()".
 */
static bool is_markup(const struct extraction *run, struct str token)
{
	bool starts_line = begins_line(run, token);
	const char *end = token.p + token.len;

	if (run->text.p + run->text.len - end >= 2 && end[0] == '(' && end[1] == ')')
		return true;

	if (str_starts(token, STR("cid:")) || str_starts(token, STR("mid:")))
		return true; /* or names one: RFC 2392 */
	return str_equal_nocase(run->before, STR("boundary")) ||
	       (starts_line && token.len >= 20 && str_starts(token, STR("--")));
}

static bool classify(struct extraction *run, struct str token, char previous)
{
	size_t label = 1;

	if (is_markup(run, token))
		return false;
	for (int labels = 0; label > 0 && labels < LABELS_MAX; labels++, previous = ':') {
		while (token.len > 0 && strchr(".-_:%+/\1", token.p[token.len - 1]))
			token.len--;
		while (token.len > 0 && strchr(".-_%+\1", token.p[0]))
			token = (struct str){token.p + 1, token.len - 1};
		if (token.len < 3)
			return false;
		if (classify_one(run, token, previous))
			return true;
		label = label_length(token);
		token = (struct str){token.p + label, token.len - label};
	}
	return false;
}

/* "サイトexample.comを": where the whole is nothing, the ASCII runs in it may be. */
static void classify_runs(struct extraction *run, struct str token)
{
	size_t start = 0;

	for (size_t i = 0; i <= token.len; i++) {
		if (i < token.len && (unsigned char)token.p[i] < 0x80)
			continue;
		if (i - start > 3)
			classify(run, (struct str){token.p + start, i - start}, 0);
		start = i + 1;
	}
}

static bool has_wide(struct str token)
{
	for (size_t i = 0; i < token.len; i++)
		if ((unsigned char)token.p[i] >= 0x80)
			return true;
	return false;
}

/* The token at `start`; returns where to go on. */
static size_t take_token(struct extraction *run, size_t start)
{
	struct str text = run->text;
	struct str token = {text.p + start, 0};
	size_t length;
	char previous = ' ';

	while (start + token.len < text.len &&
		(length = token_character(text.p + start + token.len, text.len - start - token.len)) > 0) {
		if (token.p[token.len] == ':' && text.len - start - token.len > 3 &&
			memcmp(token.p + token.len, "://", 3) == 0) {
			size_t end = take_url(run, start, start + token.len);
			if (end > 0)
				return end;
		}
		token.len += length;
	}
	if (start > 0)
		previous = text.p[start - 1];
	if (token.len == 9 && str_equal_nocase(token, STR("Received:")))
		enter_received(run, start + token.len);
	if (run->relay.len > 0 && start >= run->relay_until)
		run->relay = STR("");
	if (token.len <= TOKEN_MAX && !classify(run, token, previous) && has_wide(token))
		classify_runs(run, token);
	run->earlier = run->before;
	run->before = token;
	return start + token.len;
}

void extract_observables(struct reading *reading, struct report *report, struct str text)
{
	struct extraction run = {.reading = reading,
		.report = report,
		.text = text_refang(text, reading->arena),
		.first_count = report->observable_count};
	size_t i = 0;

	while (i < run.text.len && !full(&run)) {
		if (token_character(run.text.p + i, run.text.len - i) > 0)
			i = take_token(&run, i);
		else
			i++;
	}
	if (full(&run))
		reading_note(reading, report,
			"more than %d indicators in one text; the others stand in the text only",
			EXTRACT_MAX);
}
