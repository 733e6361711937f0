#include "wire/transfer.h"

#define UU_LINE_MAX 200

/* 0 to 63, -1: no base64; URL-safe letters too. */
static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

struct str transfer_base64_all(struct str text, unsigned skip, struct arena *arena)
{
	unsigned char *out = arena_alloc(arena, text.len / 4 * 3 + 3);
	size_t length = 0;
	unsigned bits = 0;
	unsigned count = 0;

	for (size_t i = 0; i < text.len; i++) {
		int value = value_of(text.p[i]);
		if (text.p[i] == '=') {
			count = 0;
			continue;
		}
		if (value < 0 || skip > 0) {
			skip -= value >= 0;
			continue;
		}
		bits = (bits << 6 | (unsigned)value) & 0xffffff;
		if (++count > 1)
			out[length++] = (unsigned char)(bits >> (count == 2 ? 4 : count == 3 ? 2 : 0));
		count %= 4;
	}
	return (struct str){(char *)out, length};
}

bool transfer_base64_is_clean(struct str text)
{
	bool padded = false;
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (c == '\r' || c == '\n' || c == ' ' || c == '\t')
			continue;
		count++;
		if (c == '=')
			padded = true;
		else if (padded || value_of(c) < 0)
			return false;
	}
	return count % 4 == 0;
}

/* --- runs in a text --- */

static bool ends_line(struct str text, size_t at)
{
	return at == text.len || text.p[at] == '\n' || text.p[at] == '\r';
}

/* Behind LF, CRLF, or a CR alone: some programs take that for the end of a line too. */
static size_t behind_line(struct str text, size_t at)
{
	while (!ends_line(text, at))
		at++;
	if (at + 1 < text.len && text.p[at] == '\r' && text.p[at + 1] == '\n')
		at++;
	return at < text.len ? at + 1 : text.len;
}

/* Characters of base64 if there is nothing else in the line that begins at `at`, but what quotes it, and
 * where the next begins; else 0, as soon as that is known: lines may be as long as a mail. */
static size_t pure_line(struct str text, size_t at, size_t *next)
{
	size_t start;

	while (at < text.len &&
		(text.p[at] == ' ' || text.p[at] == '\t' || text.p[at] == '>' || text.p[at] == '|'))
		at++;
	for (start = at; at < text.len && (text.p[at] == '=' || value_of(text.p[at]) >= 0);)
		at++;
	*next = at;
	while (*next < text.len && (text.p[*next] == ' ' || text.p[*next] == '\t'))
		++*next;
	if (!ends_line(text, *next))
		return 0;
	*next = behind_line(text, *next);
	return at - start;
}

static bool is_hex(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!(text.p[i] >= '0' && text.p[i] <= '9') &&
			!((text.p[i] | 32) >= 'a' && (text.p[i] | 32) <= 'f') &&
			!strchr("\r\n\t >", text.p[i]))
			return false;
	return true;
}

/* Where base64 may begin within a line, rather than go on within a link. */
static bool may_begin(struct str line, size_t at)
{
	return at == 0 || strchr(" \t\r\"',;>([{|", line.p[at - 1]) != NULL;
}

unsigned transfer_base64_ways(struct str run)
{
	for (size_t at = 0, next, count; at < run.len; at = next) {
		count = pure_line(run, at, &next);
		if (next < run.len && count % 4 != 0)
			return 4;
		if (count == 0)
			break;
	}
	return 1;
}

/* A long run from `from` on, within this line: its place and length; if there is none, 0 and where the next
 * line begins. */
static size_t run_within(struct str text, size_t from, size_t *start)
{
	size_t length = 0;

	for (size_t i = from;; i++) {
		bool end = ends_line(text, i);
		if (!end && (value_of(text.p[i]) >= 0 || (text.p[i] == '=' && length > 0))) {
			length++;
			continue;
		}
		if (length >= TRANSFER_RUN && may_begin(text, i - length) &&
			!is_hex((struct str){text.p + i - length, length})) {
			*start = i - length;
			return length;
		}
		length = 0;
		if (end) {
			*start = behind_line(text, i);
			return 0;
		}
	}
}

bool transfer_base64(struct str text, size_t *at, struct str *run)
{
	while (*at < text.len) {
		size_t start = *at;
		size_t end = start;
		size_t total = 0;
		size_t count;
		size_t next;
		while (end < text.len && (count = pure_line(text, end, &next)) > 0) {
			total += count;
			end = next;
		}
		if (total >= TRANSFER_RUN && !is_hex((struct str){text.p + start, end - start})) {
			*at = end;
			*run = (struct str){text.p + start, end - start};
			return true;
		}
		*at = end;
		if (end == start) {
			count = run_within(text, start, &start);
			*at = start + count;
			*run = (struct str){text.p + start, count};
			if (count > 0)
				return true;
		}
	}
	return false;
}

/* --- uuencode --- */

static unsigned uu_value(char c)
{
	return ((unsigned)(unsigned char)c - 32) & 63;
}

/* One line into out; false: it is none, or the last. */
static bool uu_line(struct str line, unsigned char *out, size_t *length)
{
	size_t count;
	size_t done = 0;

	while (line.len > 0 && (line.p[line.len - 1] == '\n' || line.p[line.len - 1] == '\r'))
		line.len--;
	if (line.len == 0 || line.p[0] <= ' ' || line.p[0] > '`')
		return false;
	count = uu_value(line.p[0]);
	if (count == 0)
		return false;
	for (size_t i = 1; done < count; i += 4) {
		unsigned group = 0;
		for (size_t n = 0; n < 4; n++) /* blanks at its end may have been stripped */
			group = group << 6 | (i + n < line.len ? uu_value(line.p[i + n]) : 0);
		for (int shift = 16; shift >= 0 && done < count; shift -= 8, done++)
			out[(*length)++] = (unsigned char)(group >> shift);
	}
	return true;
}

/* "begin 644 name" */
static bool uu_begin(struct str line, struct str *name)
{
	line = str_trim(line);
	if (!str_starts(line, STR("begin ")) || line.len < 10)
		return false;
	for (size_t i = 6; i < 9; i++)
		if (line.p[i] < '0' || line.p[i] > '7')
			return false;
	*name = str_trim((struct str){line.p + 9, line.len - 9});
	return name->len > 0 || line.p[9] == ' ';
}

bool transfer_uu(struct str text, struct arena *arena, size_t *at, struct str *name, struct str *decoded)
{
	while (*at < text.len) {
		size_t end = behind_line(text, *at);
		bool begins = uu_begin((struct str){text.p + *at, end - *at}, name);
		unsigned char *out;
		size_t length = 0;
		*at = end;
		if (!begins)
			continue;
		/* three bytes of four characters, and a short line may still say 63 */
		out = arena_alloc(arena, 64);
		for (size_t space = 64; *at < text.len; *at = end) {
			end = behind_line(text, *at);
			if (length + 64 > space) {
				out = arena_grow(arena, out, space, 2 * space);
				space *= 2;
			}
			if (end - *at > UU_LINE_MAX ||
				!uu_line((struct str){text.p + *at, end - *at}, out, &length))
				break;
		}
		*decoded = (struct str){(char *)out, length};
		return true;
	}
	return false;
}

/* --- quoted-printable --- */

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* How many characters a soft line break takes, that follows "="; 0: none. */
static size_t soft_break(struct str text, size_t at)
{
	size_t i = at;

	while (i < text.len && (text.p[i] == ' ' || text.p[i] == '\t' || text.p[i] == '\r'))
		i++;
	return i < text.len && text.p[i] == '\n' ? i + 1 - at : 0;
}

struct str transfer_quoted(struct str text, struct arena *arena)
{
	char *out;
	size_t length = 0;

	if (text.len == 0 || !memchr(text.p, '=', text.len))
		return text;
	out = arena_alloc(arena, text.len);
	for (size_t i = 0; i < text.len; i++) {
		bool quotes = text.p[i] == '=';
		size_t skip = quotes ? soft_break(text, i + 1) : 0;
		if (quotes && i + 2 < text.len && hex_of(text.p[i + 1]) >= 0 && hex_of(text.p[i + 2]) >= 0) {
			out[length++] = (char)(hex_of(text.p[i + 1]) << 4 | hex_of(text.p[i + 2]));
			i += 2;
		} else if (skip > 0) {
			i += skip;
		} else {
			out[length++] = text.p[i];
		}
	}
	return (struct str){out, length};
}
