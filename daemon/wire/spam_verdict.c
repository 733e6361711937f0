#include "wire/spam_verdict.h"

#include "base/mem.h"
#include "model/netaddr.h"

#define FIELDS_MAX 2000  /* of a header: far beyond what any mail server writes */
#define VALUE_LOOK 4000u /* bytes of one field that are looked at */

struct field {
	struct str name;
	struct str value; /* folded as it stands */
};

/* Cut the next field off *rest; false at the end of the header section. */
static bool next_field(struct str *rest, struct field *field)
{
	size_t end = 0, colon;

	if (rest->len == 0 || rest->p[0] == '\n' ||
		(rest->p[0] == '\r' && rest->len > 1 && rest->p[1] == '\n'))
		return false;
	do {
		const char *line = memchr(rest->p + end, '\n', rest->len - end);
		end = line ? (size_t)(line - rest->p) + 1 : rest->len;
	} while (end < rest->len && (rest->p[end] == ' ' || rest->p[end] == '\t'));
	const char *found = memchr(rest->p, ':', end);
	colon = found ? (size_t)(found - rest->p) : end;
	field->name = str_trim((struct str){rest->p, colon});
	field->value = colon < end ? str_trim((struct str){rest->p + colon + 1, end - colon - 1}) : STR_NONE;
	if (field->value.len > VALUE_LOOK)
		field->value.len = VALUE_LOOK;
	*rest = (struct str){rest->p + end, rest->len - end};
	return true;
}

/* --- hops --- */

static bool listed_address(const struct spam_hops *hops, struct str text)
{
	struct netaddr address, prefix;

	if (!netaddr_parse(text, &address))
		return false;
	for (size_t i = 0; i < hops->count; i++)
		if (netaddr_parse(hops->hops[i], &prefix) && netaddr_contains(&prefix, &address))
			return true;
	return false;
}

static bool listed_name(const struct spam_hops *hops, struct str name)
{
	while (name.len > 0 && name.p[name.len - 1] == '.')
		name.len--;
	for (size_t i = 0; name.len > 0 && i < hops->count; i++)
		if (str_equal_nocase(hops->hops[i], name))
			return true;
	return false;
}

static bool is_loopback(struct str text)
{
	struct netaddr address, loopback;

	if (!netaddr_parse(text, &address))
		return false;
	return netaddr_parse(address.family == 4 ? STR("127.0.0.0/8") : STR("::1"), &loopback) &&
	       netaddr_contains(&loopback, &address);
}

bool spam_hop_listed(const struct spam_hops *hops, struct str host)
{
	return listed_address(hops, host) || listed_name(hops, host);
}

bool spam_peer_trusted(const struct spam_hops *hops, struct str peer)
{
	size_t len = peer.len;

	if (hops->count == 0 || peer.len == 0)
		return false;
	if (str_equal(peer, STR("unix")))
		return true;
	while (len > 0 && peer.p[len - 1] != ':')
		len--;
	peer.len = len > 0 ? len - 1 : peer.len;
	if (peer.len >= 2 && peer.p[0] == '[' && peer.p[peer.len - 1] == ']')
		peer = (struct str){peer.p + 1, peer.len - 2};
	return listed_address(hops, peer);
}

/* Words of a Received field outside of comments, one after the other. */
static bool next_word(struct str *rest, struct str *word)
{
	int depth = 0;
	size_t i = 0;

	for (; i < rest->len; i++) {
		char c = rest->p[i];
		if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (depth == 0 && (unsigned char)c > ' ')
			break;
	}
	if (rest->len == 0)
		return false;
	size_t start = i;
	while (i < rest->len && (unsigned char)rest->p[i] > ' ' && rest->p[i] != '(' && rest->p[i] != ';')
		i++;
	*word = (struct str){rest->p + start, i - start};
	if (i == start && i < rest->len)
		i++; /* ";" ends the part that says who */
	bool more = word->len > 0;
	*rest = (struct str){rest->p + i, rest->len - i};
	return more;
}

/* The name behind `by`. */
static struct str received_by(struct str value)
{
	struct str word = STR_NONE;

	while (next_word(&value, &word))
		if (str_equal_nocase(word, STR("by")))
			return next_word(&value, &word) ? word : STR_NONE;
	return STR_NONE;
}

/* The address that the hop itself saw: in brackets in the comment behind the name, "(name [192.0.2.1])". What
 * stands before the comment is what the other side called itself. */
static struct str received_address(struct str value)
{
	const char *comment = memchr(value.p, '(', value.len);
	struct str inside;

	if (!comment)
		return STR_NONE;
	inside = (struct str){comment, value.len - (size_t)(comment - value.p)};
	const char *end = memchr(inside.p, ')', inside.len);
	inside.len = end ? (size_t)(end - inside.p) : inside.len;
	const char *open = memchr(inside.p, '[', inside.len);
	if (!open)
		return STR_NONE;
	inside = (struct str){open + 1, inside.len - (size_t)(open + 1 - inside.p)};
	const char *shut = memchr(inside.p, ']', inside.len);
	inside.len = shut ? (size_t)(shut - inside.p) : 0;
	if (inside.len > 5 && str_equal_nocase((struct str){inside.p, 5}, STR("IPv6:")))
		inside = (struct str){inside.p + 5, inside.len - 5};
	return inside;
}

/* Is what stood in the mail when this hop got it still of trusted hops? */
static bool came_from_trusted(const struct spam_hops *hops, struct str value)
{
	struct str address;

	if (value.len < 5 || !str_equal_nocase((struct str){value.p, 4}, STR("from")))
		return false;
	address = received_address(value);
	return is_loopback(address) || listed_address(hops, address);
}

struct str spam_hop_relay(const struct spam_hops *hops, struct str value)
{
	const char *comment = value.len ? memchr(value.p, '(', value.len) : NULL;
	struct str name = STR("");

	if (comment)
		name = (struct str){comment + 1, value.len - (size_t)(comment + 1 - value.p)};
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.p[i] <= ' ' || name.p[i] == '[' || name.p[i] == ')')
			name.len = i;
	if (!listed_name(hops, name) || !listed_name(hops, received_by(value)))
		return STR("");
	return received_address(value);
}

void spam_hop_fields(const struct spam_hops *hops, struct str mail, spam_hop_field *take, void *context)
{
	struct field field;
	bool handed_on = true; /* the hop below, if it is one of ours, speaks for itself */

	for (size_t i = 0; hops->count > 0 && i < FIELDS_MAX && next_field(&mail, &field); i++) {
		if (!str_equal_nocase(field.name, STR("Received"))) {
			take(field.name, field.value, context);
			continue;
		}
		if (!handed_on || !listed_name(hops, received_by(field.value)))
			break;
		handed_on = came_from_trusted(hops, field.value);
	}
}

/* --- verdicts --- */

struct saying {
	bool spam;
	struct str by; /* "rspamd", "SpamAssassin" */
	struct str score, limit;
};

static bool begins(struct str value, const char *word)
{
	size_t len = strlen(word);

	return value.len >= len && str_equal_nocase((struct str){value.p, len}, str_of(word)) &&
	       (value.len == len || !((value.p[len] | 32) >= 'a' && (value.p[len] | 32) <= 'z'));
}

static bool number_char(char c)
{
	return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+';
}

/* The number behind `key`, "" if there is none. */
static struct str number_after(struct str value, const char *key)
{
	size_t len = strlen(key), at = 0;

	while (at + len <= value.len && memcmp(value.p + at, key, len) != 0)
		at++;
	if (at + len > value.len)
		return STR("");
	value = (struct str){value.p + at + len, value.len - at - len};
	while (value.len > 0 && value.p[0] == ' ')
		value = (struct str){value.p + 1, value.len - 1};
	for (len = 0; len < value.len && len < 12 && number_char(value.p[len]);)
		len++;
	return (struct str){value.p, len};
}

static void say_flag(struct str value, struct saying *saying)
{
	saying->spam = begins(value, "yes") || begins(value, "true");
}

/* "Yes, score=7.1 required=5.0 tests=…" */
static void say_status(struct str value, struct saying *saying)
{
	say_flag(value, saying);
	saying->score = number_after(value, "score=");
	saying->limit = number_after(value, "required=");
}

/* "default: True [15.20 / 15.00]; SYMBOL(…)…" */
static void say_result(struct str value, struct saying *saying)
{
	const char *colon = memchr(value.p, ':', value.len);
	struct str rest = value;

	if (colon)
		rest = str_trim((struct str){colon + 1, value.len - (size_t)(colon + 1 - value.p)});
	say_flag(rest, saying);
	saying->score = number_after(rest, "[");
	saying->limit = number_after(rest, "/");
}

/* The action that rspamd asked for; greylisting is none against a mail that came all the same. */
static void say_action(struct str value, struct saying *saying)
{
	saying->spam = begins(value, "reject") || begins(value, "add header") ||
	               begins(value, "add_header") || begins(value, "rewrite subject") ||
	               begins(value, "rewrite_subject") || begins(value, "quarantine");
}

static const struct {
	const char *name;
	const char *by;
	void (*say)(struct str value, struct saying *saying);
} verdict_fields[] = {
	{"X-Spamd-Result", "rspamd", say_result},
	{"X-Rspamd-Action", "rspamd", say_action},
	{"X-Spam", "rspamd", say_flag},
	{"X-Spam-Status", "SpamAssassin", say_status},
	{"X-Spam-Flag", "SpamAssassin", say_flag},
};

/* A field that says yes, the one with a score before others. */
static void hear(struct str name, struct str value, void *context)
{
	struct saying *best = context;

	for (size_t i = 0; i < ARRAY_LEN(verdict_fields); i++) {
		struct saying saying = {.by = str_of(verdict_fields[i].by)};
		if (!str_equal_nocase(name, str_of(verdict_fields[i].name)) || value.len == 0)
			continue;
		verdict_fields[i].say(value, &saying);
		if (saying.spam && (!best->spam || (best->score.len == 0 && saying.score.len > 0)))
			*best = saying;
		return;
	}
}

static struct str said(const struct saying *saying, struct arena *arena)
{
	if (saying->score.len == 0)
		return arena_printf(arena, STR_FMT, STR_ARG(saying->by));
	return arena_printf(arena, STR_FMT " " STR_FMT "%s" STR_FMT, STR_ARG(saying->by),
		STR_ARG(saying->score), saying->limit.len > 0 ? " of " : "", STR_ARG(saying->limit));
}

struct str spam_verdict(const struct spam_hops *hops, struct str mail, struct arena *arena)
{
	struct saying saying = {.spam = false};

	spam_hop_fields(hops, mail, hear, &saying);
	return saying.spam ? said(&saying, arena) : STR_NONE;
}
