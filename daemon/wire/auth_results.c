#include "config.h"

#include "wire/auth_results.h"

#include <string.h>

/* What the fields of one mail said together. */
struct finding {
	const struct spam_hops *hops;
	struct arena *arena;
	struct str domain; /* of the sender */
	struct str result; /* p NULL: none yet */
	bool differs;
};

/* Comments become a blank, quotes go: "pass (p=none \"x\")" is "pass  ". */
static struct str plain(struct arena *arena, struct str value)
{
	char *copy = arena_alloc(arena, value.len + 1);
	size_t len = 0, depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < value.len; i++) {
		char c = value.p[i];
		if (c == '\\' && (quoted || depth > 0)) {
			i++;
			continue;
		}
		if (c == '"' && depth == 0) {
			quoted = !quoted;
			continue;
		}
		if (c == '(' && !quoted) {
			depth++;
		} else if (c == ')' && !quoted && depth > 0) {
			depth--;
			c = ' ';
		}
		if (depth > 0)
			continue;
		/* What is quoted separates nothing. */
		if (quoted && (c == ';' || c == '='))
			c = '_';
		copy[len++] = (char)((unsigned char)c < ' ' ? ' ' : c);
	}
	return (struct str){copy, len};
}

/* "name = value" at the start of *rest; false at its end. A word without "=" has no value. */
static bool next_pair(struct str *rest, struct str *name, struct str *value)
{
	size_t i = 0, start;

	while (i < rest->len && rest->p[i] == ' ')
		i++;
	for (start = i; i < rest->len && rest->p[i] != ' ' && rest->p[i] != '=';)
		i++;
	*name = (struct str){rest->p + start, i - start};
	*value = STR("");
	while (i < rest->len && rest->p[i] == ' ')
		i++;
	if (i < rest->len && rest->p[i] == '=') {
		for (i++; i < rest->len && rest->p[i] == ' ';)
			i++;
		for (start = i; i < rest->len && rest->p[i] != ' ';)
			i++;
		*value = (struct str){rest->p + start, i - start};
	}
	*rest = (struct str){rest->p + i, rest->len - i};
	return name->len > 0 || value->len > 0;
}

static struct str lower_word(struct arena *arena, struct str word)
{
	char *copy;
	size_t len = word.len < 20 ? word.len : 20;

	copy = arena_alloc(arena, len + 1);
	for (size_t i = 0; i < len; i++) {
		char c = (char)(word.p[i] >= 'A' && word.p[i] <= 'Z' ? word.p[i] | 32 : word.p[i]);
		copy[i] = (char)(c >= 'a' && c <= 'z' ? c : '-');
	}
	return (struct str){copy, len};
}

/* "dmarc=pass header.from=bank.example"; the method may have a version, "dmarc/1". */
static void take_result(struct finding *finding, struct str part)
{
	struct str name, value, result, from = STR("");

	if (!next_pair(&part, &name, &value))
		return;
	const char *slash = memchr(name.p, '/', name.len);
	if (slash)
		name.len = (size_t)(slash - name.p);
	if (!str_equal_nocase(name, STR("dmarc")))
		return;
	result = lower_word(finding->arena, value);
	while (next_pair(&part, &name, &value))
		if (str_equal_nocase(name, STR("header.from")))
			from = value;
	if (!str_equal_nocase(from, finding->domain))
		result = STR("");
	if (finding->result.p && !str_equal(finding->result, result))
		finding->differs = true;
	finding->result = result;
}

static void take_field(struct str name, struct str value, void *context)
{
	struct finding *finding = context;
	struct str rest, part, server, none;

	if (!str_equal_nocase(name, STR("Authentication-Results")))
		return;
	rest = plain(finding->arena, value);
	if (!str_split(&rest, ';', &part) || !next_pair(&part, &server, &none) ||
		!spam_hop_listed(finding->hops, server))
		return;
	while (rest.len > 0 && str_split(&rest, ';', &part))
		take_result(finding, part);
}

/* Fields of that name in the whole header section. */
static size_t count_from(struct str mail)
{
	size_t count = 0;
	struct str line;

	while (mail.len > 0 && str_split(&mail, '\n', &line) && str_trim(line).len > 0) {
		const char *colon = memchr(line.p, ':', line.len);
		count += colon &&
		         str_equal_nocase(
				 str_trim((struct str){line.p, (size_t)(colon - line.p)}), STR("From")) &&
		         line.p[0] != ' ' && line.p[0] != '\t';
	}
	return count;
}

struct str auth_dmarc(const struct spam_hops *hops, struct str mail, struct str sender, struct arena *arena)
{
	const char *at = sender.len > 0 ? memrchr(sender.p, '@', sender.len) : NULL;
	struct finding finding = {.hops = hops, .arena = arena};

	if (!at || count_from(mail) != 1)
		return STR("");
	finding.domain = (struct str){at + 1, sender.len - (size_t)(at + 1 - sender.p)};
	spam_hop_fields(hops, mail, take_field, &finding);
	return finding.result.p && !finding.differs ? finding.result : STR("");
}
