#include "wire/mime_guard.h"

/* Delimiters that a mail may have for each part that is read: nested ones end with one more. */
#define DELIMITERS_PER_PART 4
/* Boundaries that are told apart; in a mail with more, every line that begins with "--" counts. */
#define BOUNDARIES_MAX 128

/* A walk over the lines of a mail. Header sections are: its own, what follows a line that begins with "--",
 * and what follows a header section that says message/… or, in a digest, nothing. */
struct walk {
	const struct reading_limits *limits;
	struct mime_guard *guard;
	struct str mail;
	size_t kept; /* up to here everything has been kept or cut */
	char *copy;  /* NULL until the first cut */
	size_t copy_len;
	struct arena *arena;
	bool in_headers;
	bool top;       /* these are the mail's own */
	bool message;   /* … say message/ */
	bool typed;     /* … say Content-Type */
	size_t section; /* bytes of this section */
	struct str boundaries[BOUNDARIES_MAX];
	size_t boundary_count;
	size_t delimiters;
};

static void keep_until(struct walk *walk, size_t end)
{
	if (!walk->copy)
		walk->copy = arena_alloc(walk->arena, walk->mail.len);
	memcpy(walk->copy + walk->copy_len, walk->mail.p + walk->kept, end - walk->kept);
	walk->copy_len += end - walk->kept;
	walk->kept = end;
}

static void cut(struct walk *walk, size_t from, size_t end, const char *reason)
{
	struct mime_guard *guard = walk->guard;

	keep_until(walk, from);
	walk->kept = end;
	if (guard->cut_count == GUARD_CUTS ||
		(guard->cut_count > 0 && guard->cuts[guard->cut_count - 1].reason == reason &&
			guard->cuts[guard->cut_count - 1].bytes.p +
					guard->cuts[guard->cut_count - 1].bytes.len ==
				walk->mail.p + from)) {
		struct guard_cut *last = &guard->cuts[guard->cut_count - 1];
		last->bytes.len = (size_t)(walk->mail.p + end - last->bytes.p);
		return;
	}
	guard->cuts[guard->cut_count++] = (struct guard_cut){{walk->mail.p + from, end - from}, reason};
}

static size_t line_end(struct str mail, size_t start)
{
	const char *newline = start < mail.len ? memchr(mail.p + start, '\n', mail.len - start) : NULL;

	return newline ? (size_t)(newline - mail.p) + 1 : mail.len;
}

static bool is_blank(struct str line)
{
	return line.len == 0 || line.p[0] == '\n' ||
	       (line.len > 1 && line.p[0] == '\r' && line.p[1] == '\n') ||
	       (line.len == 1 && line.p[0] == '\r');
}

/* The end of the field that begins at start: its line and those that continue it. */
static size_t field_end(struct str mail, size_t start)
{
	size_t end = line_end(mail, start);

	while (end < mail.len && (mail.p[end] == ' ' || mail.p[end] == '\t'))
		end = line_end(mail, end);
	return end;
}

static bool says(struct str field, struct str word)
{
	for (size_t i = 0; i + word.len <= field.len; i++)
		if (str_equal_nocase((struct str){field.p + i, word.len}, word))
			return true;
	return false;
}

/* boundary="…" of a Content-Type */
static void learn_boundary(struct walk *walk, struct str field)
{
	static const char key[] = "boundary=";
	struct str value = STR_NONE;

	for (size_t i = 0; i + sizeof(key) <= field.len && !value.p; i++)
		if (str_equal_nocase((struct str){field.p + i, sizeof(key) - 1}, STR(key)))
			value = (struct str){field.p + i + sizeof(key) - 1, field.len - i - sizeof(key) + 1};
	if (!value.p)
		return;
	if (value.len > 0 && *value.p == '"') {
		const char *quote = memchr(value.p + 1, '"', value.len - 1);
		value = (struct str){value.p + 1, quote ? (size_t)(quote - value.p - 1) : value.len - 1};
	} else {
		for (size_t i = 0; i < value.len; i++)
			if (strchr("; \t\r\n", value.p[i]))
				value.len = i;
	}
	if (walk->boundary_count < BOUNDARIES_MAX)
		walk->boundaries[walk->boundary_count] = value;
	walk->boundary_count++;
}

static void begin_section(struct walk *walk)
{
	walk->in_headers = true;
	walk->message = walk->typed = false;
	walk->section = 0;
}

static void take_field(struct walk *walk, size_t start, size_t end)
{
	struct str field = {walk->mail.p + start, end - start};
	bool known = field.len > 13 && str_equal_nocase((struct str){field.p, 13}, STR("Content-Type:"));

	walk->section += field.len;
	if (field.len > walk->limits->max_header) {
		if (memchr(field.p, ':', field.len < 100 ? field.len : 100))
			cut(walk, start, end, "a header field longer than is read");
		return;
	}
	if (walk->section > walk->limits->max_headers && memchr(field.p, ':', field.len)) {
		cut(walk, start, end, "a header section longer than is read");
		return;
	}
	if (known) {
		walk->typed = true;
		walk->message |= says(field, STR("message/"));
		learn_boundary(walk, field);
	}
}

static void end_section(struct walk *walk)
{
	bool more = walk->message || (!walk->typed && !walk->top);

	walk->in_headers = false;
	walk->top = false;
	if (more && walk->section > 0)
		begin_section(walk);
}

static bool is_delimiter(const struct walk *walk, struct str line)
{
	for (size_t i = 0; i < walk->boundary_count && i < BOUNDARIES_MAX; i++)
		if (str_starts((struct str){line.p + 2, line.len - 2}, walk->boundaries[i]))
			return true;
	return walk->boundary_count > BOUNDARIES_MAX;
}

/* A byte that is nobody's: the line end in front of a delimiter, and its own. */
static void drop(struct walk *walk, size_t at)
{
	if (at < walk->kept)
		return;
	keep_until(walk, at);
	walk->kept = at + 1;
}

/* GMime takes the line end in front of a delimiter to be as long as the delimiter's own: else a byte of the
 * part is lost. */
static void even_line_ends(struct walk *walk, size_t start, size_t end)
{
	const char *p = walk->mail.p;
	bool long_before, long_own;

	if (start < 2 || end < start + 2 || p[end - 1] != '\n')
		return;
	long_before = p[start - 2] == '\r';
	long_own = p[end - 2] == '\r';
	if (long_before && !long_own)
		drop(walk, start - 2);
	else if (!long_before && long_own)
		drop(walk, end - 2);
}

/* A line that begins with "--". True while there may be more parts. */
static bool take_dashes(struct walk *walk, size_t start, size_t end)
{
	bool delimiter = is_delimiter(walk, (struct str){walk->mail.p + start, end - start});

	if (delimiter)
		even_line_ends(walk, start, end);
	if (delimiter && ++walk->delimiters > walk->limits->max_parts * DELIMITERS_PER_PART) {
		cut(walk, start, walk->mail.len, "more parts than are read");
		return false;
	}
	begin_section(walk);
	return true;
}

void mime_guard(
	struct str mail, const struct reading_limits *limits, struct arena *arena, struct mime_guard *guard)
{
	struct walk walk = {.limits = limits,
		.guard = guard,
		.mail = mail,
		.arena = arena,
		.in_headers = true,
		.top = true};
	size_t at = 0;

	guard->cut_count = 0;
	while (at < mail.len) {
		size_t end = walk.in_headers ? field_end(mail, at) : line_end(mail, at);
		struct str line = {mail.p + at, end - at};
		if (str_starts(line, STR("--"))) {
			end = line_end(mail, at);
			if (!take_dashes(&walk, at, end))
				break;
		} else if (walk.in_headers && is_blank(line)) {
			end = line_end(mail, at);
			end_section(&walk);
		} else if (walk.in_headers) {
			take_field(&walk, at, end);
		}
		at = end;
	}
	if (walk.copy)
		keep_until(&walk, mail.len);
	guard->mail = walk.copy ? (struct str){walk.copy, walk.copy_len} : mail;
}
