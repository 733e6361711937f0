#include "config.h"

#include "wire/rewrap.h"

#include "base/buf.h"
#include "base/mem.h"

/* A URL cut where what wraps it is told by. */
struct wrapper {
	struct str host;
	struct str path; /* with its first slash, up to "?" or "#" */
	struct str query;
	struct str all; /* path, query and fragment */
};

static struct str behind(struct str text, size_t len)
{
	return (struct str){text.p + len, text.len - len};
}

static bool begins(struct str text, struct str with)
{
	return text.len >= with.len && str_equal_nocase((struct str){text.p, with.len}, with);
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static bool cut(struct str url, struct wrapper *wrapper)
{
	const char *slashes = memmem(url.p, url.len, "://", 3);
	struct str rest = slashes ? behind(url, (size_t)(slashes + 3 - url.p)) : STR("");
	size_t host = 0, path;

	while (host < rest.len && !strchr("/?#:", rest.p[host]))
		host++;
	wrapper->host = (struct str){rest.p, host};
	while (host < rest.len && rest.p[host] != '/' && rest.p[host] != '?')
		host++;
	rest = behind(rest, host);
	for (path = 0; path < rest.len && rest.p[path] != '?' && rest.p[path] != '#';)
		path++;
	wrapper->all = rest;
	wrapper->path = (struct str){rest.p, path};
	wrapper->query = path < rest.len ? behind(rest, path + 1) : STR("");
	return wrapper->host.len > 0;
}

/* "%41" as "A", in the arena; true if something was encoded. */
static bool percent_decode(struct str text, struct arena *arena, struct str *plain)
{
	char *copy = arena_alloc(arena, text.len + 1);
	size_t length = 0;
	bool encoded = false;

	for (size_t i = 0; i < text.len; i++) {
		int high = text.p[i] == '%' && i + 2 < text.len ? hex_value(text.p[i + 1]) : -1;
		int low = high >= 0 ? hex_value(text.p[i + 2]) : -1;
		if (low >= 0) {
			copy[length++] = (char)(high * 16 + low);
			encoded = true;
			i += 2;
		} else {
			copy[length++] = text.p[i];
		}
	}
	*plain = (struct str){copy, length};
	return encoded;
}

static bool is_url(struct str text)
{
	return begins(text, STR("http://")) || begins(text, STR("https://")) || begins(text, STR("ftp://"));
}

/* The parameter `name` of a query, percent-decoded. */
static struct str parameter(struct str query, struct str name, struct arena *arena)
{
	struct str one, value = STR_NONE;

	while (str_split(&query, '&', &one)) {
		if (begins(one, STR("amp;")))
			one = behind(one, 4);
		if (one.len > name.len && one.p[name.len] == '=' &&
			str_equal_nocase((struct str){one.p, name.len}, name)) {
			percent_decode(behind(one, name.len + 1), arena, &value);
			return value;
		}
	}
	return value;
}

/* --- who carries it in a parameter --- */

static const struct {
	struct str host; /* or what ends it */
	struct str path; /* what begins it */
	struct str name;
} carriers[] = {
	{{"safelinks.protection.outlook.com", 32}, {"/", 1}, {"url", 3}},
	{{"safelinks.protection.office365.us", 33}, {"/", 1}, {"url", 3}},
	{{"safelink.emails.azure.net", 25}, {"/redirect", 9}, {"destination", 11}},
	{{"statics.teams.cdn.office.net", 28}, {"/evergreen-assets/safelinks", 27}, {"url", 3}},
	{{"urldefense.proofpoint.com", 25}, {"/v1/url", 7}, {"u", 1}},
	{{"urldefense.com", 14}, {"/v1/url", 7}, {"u", 1}},
	{{"linkprotect.cudasvc.com", 23}, {"/url", 4}, {"a", 1}},
	{{"urlsand.esvalabs.com", 20}, {"/", 1}, {"u", 1}},
	{{"urlsand.com", 11}, {"/", 1}, {"u", 1}},
	{{"clicktime.symantec.com", 22}, {"/", 1}, {"u", 1}},
	{{"clicktime.cloud.postoffice.net", 30}, {"/", 1}, {"u", 1}},
	{{"protect2.fireeye.com", 20}, {"/", 1}, {"u", 1}},
	{{"l.facebook.com", 14}, {"/l.php", 6}, {"u", 1}},
	{{"lm.facebook.com", 15}, {"/l.php", 6}, {"u", 1}},
	{{"l.instagram.com", 15}, {"/", 1}, {"u", 1}},
	{{"www.youtube.com", 15}, {"/redirect", 9}, {"q", 1}},
	{{"slack-redir.net", 15}, {"/link", 5}, {"url", 3}},
	{{"google.com", 10}, {"/url", 4}, {"q", 1}},
	{{"google.com", 10}, {"/url", 4}, {"url", 3}},
};

static bool host_is(struct str host, struct str suffix)
{
	struct str end = host.len >= suffix.len ? behind(host, host.len - suffix.len) : STR("");

	return str_equal_nocase(end, suffix) &&
	       (host.len == suffix.len || host.p[host.len - suffix.len - 1] == '.');
}

/* Google has a name in every country: "www.google.de", "www.google.co.uk". */
static bool is_google(struct str host)
{
	return begins(host, STR("www.google.")) && host.len <= 18;
}

static bool undo_carrier(const struct wrapper *wrapper, struct arena *arena, struct str *inner)
{
	for (size_t i = 0; i < ARRAY_LEN(carriers); i++) {
		if (!host_is(wrapper->host, carriers[i].host) &&
			!(is_google(wrapper->host) && str_equal(carriers[i].host, STR("google.com"))))
			continue;
		if (!begins(wrapper->path, carriers[i].path))
			continue;
		*inner = parameter(wrapper->query, carriers[i].name, arena);
		if (is_url(*inner))
			return true;
	}
	return false;
}

/* --- who writes it in a way of his own --- */

static bool is_proofpoint(struct str host)
{
	return host_is(host, STR("urldefense.proofpoint.com")) || host_is(host, STR("urldefense.com")) ||
	       host_is(host, STR("urldefense.us"));
}

/* URL Defense 2: "-" is "%", "_" is "/", then percent-encoded. */
static bool undo_defense_2(const struct wrapper *wrapper, struct arena *arena, struct str *inner)
{
	struct str raw;
	char *copy;

	if (!is_proofpoint(wrapper->host) || !begins(wrapper->path, STR("/v2/url")))
		return false;
	raw = parameter(wrapper->query, STR("u"), arena);
	copy = arena_alloc(arena, raw.len + 1);
	for (size_t i = 0; i < raw.len; i++)
		copy[i] = (char)(raw.p[i] == '-' ? '%' : raw.p[i] == '_' ? '/' : raw.p[i]);
	percent_decode((struct str){copy, raw.len}, arena, inner);
	return true;
}

/* 0 to 63 of base64 for URLs, which also says how long a run is. */
static int url64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' || c == '+' ? 62 : c == '_' || c == '/' ? 63 : -1;
}

static void url64_decode(struct str text, struct buf *out)
{
	unsigned bits = 0;
	int count = 0;

	for (size_t i = 0; i < text.len && url64_value(text.p[i]) >= 0; i++) {
		bits = bits << 6 | (unsigned)url64_value(text.p[i]);
		count += 6;
		if (count >= 8) {
			count -= 8;
			buf_char(out, (char)(bits >> count));
			bits &= (1U << count) - 1;
		}
	}
}

/* Put `count` of the characters that were taken out. */
static void put_taken(struct buf *out, struct str *taken, size_t count)
{
	count = count < taken->len ? count : taken->len;
	if (count == 0)
		return;
	buf_str(out, (struct str){taken->p, count});
	*taken = behind(*taken, count);
}

/* URL Defense 3: "/v3/__URL__;TAKEN!!…"; "*" in it is one character of what was taken out (base64), "**B" a
 * run of so many ("A" is two). A scheme may have lost one of its slashes. */
static bool undo_defense_3(const struct wrapper *wrapper, struct arena *arena, struct str *inner)
{
	struct buf out = {0}, decoded = {0};
	struct str url = wrapper->all, taken;
	const char *end;

	if (!is_proofpoint(wrapper->host) || !begins(url, STR("/v3/__")))
		return false;
	url = behind(url, 6);
	end = memmem(url.p, url.len, "__;", 3);
	if (end)
		url64_decode(behind(url, (size_t)(end + 3 - url.p)), &decoded);
	for (url.len = end ? (size_t)(end - url.p) : url.len; !end && str_ends(url, STR("_"));)
		url.len--; /* cut off, or the sentence took its semicolon */
	taken = buf_view(&decoded);
	for (size_t i = 0; i < url.len; i++) {
		const char *colon = url.p[i] == ':' && i < 6 ? url.p + i : NULL;
		if (url.p[i] != '*') {
			buf_char(&out, url.p[i]);
			if (colon && i + 2 < url.len && colon[1] == '/' && colon[2] != '/')
				buf_char(&out, '/');
		} else if (i + 2 < url.len && url.p[i + 1] == '*' && url64_value(url.p[i + 2]) >= 0) {
			put_taken(&out, &taken, (size_t)url64_value(url.p[i + 2]) + 2);
			i += 2;
		} else {
			put_taken(&out, &taken, 1);
		}
	}
	*inner = arena_str(arena, buf_view(&out));
	buf_free(&out);
	buf_free(&decoded);
	return true;
}

/* Cisco: the last part of "/ID/http%3A%2F%2F…"; Avanan: "/v2/___http://…___.ID" */
static bool undo_in_path(const struct wrapper *wrapper, struct arena *arena, struct str *inner)
{
	const char *found;

	if (host_is(wrapper->host, STR("secure-web.cisco.com"))) {
		found = wrapper->path.len ? memrchr(wrapper->path.p, '/', wrapper->path.len) : NULL;
		return found && percent_decode(behind(wrapper->path, (size_t)(found + 1 - wrapper->path.p)),
					arena, inner);
	}
	if (!host_is(wrapper->host, STR("url.avanan.click")))
		return false;
	found = memmem(wrapper->all.p, wrapper->all.len, "___", 3);
	if (!found)
		return false;
	*inner = behind(wrapper->all, (size_t)(found + 3 - wrapper->all.p));
	found = memmem(inner->p, inner->len, "___", 3);
	if (found)
		inner->len = (size_t)(found - inner->p);
	return true;
}

bool rewrap_undo(struct str url, struct arena *arena, struct str *inner)
{
	struct wrapper wrapper;

	return cut(url, &wrapper) &&
	       (undo_carrier(&wrapper, arena, inner) || undo_defense_2(&wrapper, arena, inner) ||
		       undo_defense_3(&wrapper, arena, inner) || undo_in_path(&wrapper, arena, inner)) &&
	       is_url(*inner);
}
