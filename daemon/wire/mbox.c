#include "wire/mbox.h"

#include "base/mem.h"

static struct str line_at(struct str bytes, size_t offset)
{
	const char *start = bytes.p + offset;
	const char *end = memchr(start, '\n', bytes.len - offset);

	return (struct str){start, end ? (size_t)(end - start) + 1 : bytes.len - offset};
}

static bool is_empty(struct str line)
{
	return line.len > 0 &&
	       (line.p[0] == '\n' || (line.len > 1 && line.p[0] == '\r' && line.p[1] == '\n'));
}

/* What editors and exports put in front of the first mail: a byte order mark, empty lines. */
static size_t lead_of(struct str bytes)
{
	size_t at = str_starts(bytes, STR("\xef\xbb\xbf")) ? 3 : 0;

	while (at < bytes.len && is_empty(line_at(bytes, at)))
		at += line_at(bytes, at).len;
	return at;
}

bool mbox_guess(struct str bytes)
{
	size_t lead = lead_of(bytes);

	return str_starts((struct str){bytes.p + lead, bytes.len - lead}, STR("From "));
}

/* --- where a mail begins --- */

static bool is_number(struct str word, size_t digits)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.p[i] < '0' || word.p[i] > '9')
			return false;
	return word.len == digits;
}

static bool is_one_of(struct str word, const char *names)
{
	if (word.len != 3)
		return false;
	for (; *names; names += 3)
		if (memcmp(word.p, names, 3) == 0)
			return true;
	return false;
}

/* "8:00", "08:00:00" */
static bool is_time(struct str word)
{
	const char *colon = word.len >= 4 ? memchr(word.p, ':', word.len) : NULL;

	return colon && (colon - word.p == 1 || colon - word.p == 2) && word.p[0] >= '0' &&
	       word.p[0] <= '2' && colon + 2 < word.p + word.len && colon[1] >= '0' && colon[1] <= '5' &&
	       colon[2] >= '0' && colon[2] <= '9';
}

/* "From ADDRESS Mon Nov 23 08:00:00 2026", with or without a zone: all of it, or at least month, time and
 * year, or somebody and a day of the week. A sentence has none of that. */
enum from_line { FROM_NONE, FROM_PARTLY, FROM_WHOLLY };

static enum from_line from_line_of(struct str line)
{
	bool month = false, time = false, year = false, somebody = false, weekday = false;
	struct str word;

	if (!str_starts(line, STR("From ")))
		return FROM_NONE;
	line = str_trim((struct str){line.p + 5, line.len - 5});
	for (int i = 0; i < 16 && str_split(&line, ' ', &word);) {
		if (word.len == 0)
			continue;
		if (i == 0)
			somebody = memchr(word.p, '@', word.len) || str_equal(word, STR("-")) ||
			           str_equal_nocase(word, STR("MAILER-DAEMON"));
		else if (i == 1)
			weekday = is_one_of(word, "MonTueWedThuFriSatSun");
		month |= is_one_of(word, "JanFebMarAprMayJunJulAugSepOctNovDec");
		time |= is_time(word);
		year |= is_number(word, 4) && (word.p[0] == '1' || word.p[0] == '2');
		i++;
	}
	if (somebody && weekday && month && time && year)
		return FROM_WHOLLY;
	return (month && time && year) || (somebody && weekday) ? FROM_PARTLY : FROM_NONE;
}

/* "Name:", or a "From " line that a program before has left in. */
static bool is_field(struct str line)
{
	size_t i = 0;

	while (i < line.len && line.p[i] > ' ' && line.p[i] < 127 && line.p[i] != ':')
		i++;
	return (i > 0 && i < line.len && line.p[i] == ':') || str_starts(line, STR(">From "));
}

/* Does a mail begin at this beginning of a line? Some programs put no empty line in front; then the line must
 * have all that such a line can have. */
static bool begins(struct str bytes, size_t offset, bool behind_empty)
{
	struct str line = line_at(bytes, offset);

	if (from_line_of(line) < (behind_empty ? FROM_PARTLY : FROM_WHOLLY))
		return false;
	return offset + line.len < bytes.len && is_field(line_at(bytes, offset + line.len));
}

/* --- where it ends --- */

struct bounds {
	size_t body;  /* where it begins */
	size_t end;   /* of the mail */
	size_t next;  /* where the next one begins */
	bool counted; /* by Content-Length */
};

/* Behind a body that was counted stand the end, or the next mail, after at most one empty line. */
static bool count_holds(struct str bytes, struct bounds *bounds, uint64_t length)
{
	if (length > bytes.len - bounds->body)
		return false;
	bounds->end = bounds->next = bounds->body + (size_t)length;
	if (bounds->end > 0 && bounds->end < bytes.len && bytes.p[bounds->end - 1] != '\n' && length > 0 &&
		!is_empty(line_at(bytes, bounds->end)))
		return false;
	if (bounds->next < bytes.len && is_empty(line_at(bytes, bounds->next)))
		bounds->next += line_at(bytes, bounds->next).len;
	return bounds->next == bytes.len || begins(bytes, bounds->next, true);
}

static void search_end(struct str bytes, struct bounds *bounds)
{
	size_t at = bounds->body, empty = SIZE_MAX;

	/* The header's empty line is one, too. */
	for (bool before = true; at < bytes.len; at += line_at(bytes, at).len) {
		if (begins(bytes, at, before))
			break;
		before = is_empty(line_at(bytes, at));
		if (before)
			empty = at;
	}
	bounds->next = at;
	bounds->end = at;
	/* The empty line in front of the next one, or of the end, is the mbox's. */
	if (empty != SIZE_MAX && empty + line_at(bytes, empty).len == at)
		bounds->end = empty;
}

static void find_bounds(struct str bytes, size_t start, struct bounds *bounds)
{
	static const struct str name = {"Content-Length:", 15};
	uint64_t length;
	size_t at = start;
	bool found = false;

	for (; at < bytes.len && !is_empty(line_at(bytes, at)); at += line_at(bytes, at).len) {
		if (at > start && begins(bytes, at, false)) {
			/* No body. */
			*bounds = (struct bounds){.body = at, .end = at, .next = at};
			return;
		}
		struct str line = line_at(bytes, at);
		if (line.len > name.len && str_equal_nocase((struct str){line.p, name.len}, name))
			found = str_to_u64(
				str_trim((struct str){line.p + name.len, line.len - name.len}), &length);
	}
	bounds->body = at < bytes.len ? at + line_at(bytes, at).len : at;
	bounds->counted = found && count_holds(bytes, bounds, length);
	if (!bounds->counted)
		search_end(bytes, bounds);
}

/* --- quoted lines --- */

/* How many ">" stand in front of "From "; 0: none, or it is another line. */
static size_t quotes_of(struct str line)
{
	size_t quotes = 0;

	while (quotes < line.len && line.p[quotes] == '>')
		quotes++;
	return str_starts((struct str){line.p + quotes, line.len - quotes}, STR("From ")) ? quotes : 0;
}

/* A counted body in which a line begins with "From " as it is was not quoted at all (mboxcl2). */
static bool is_quoted(struct str mail, bool counted, size_t body)
{
	bool quoted = false;

	for (size_t at = body; at < mail.len; at += line_at(mail, at).len) {
		struct str line = line_at(mail, at);
		if (counted && str_starts(line, STR("From ")))
			return false;
		quoted |= quotes_of(line) > 0;
	}
	return quoted;
}

static struct str unquote(struct str mail, size_t body, struct buf *space)
{
	buf_clear(space);
	buf_append(space, mail.p, body);
	for (size_t at = body; at < mail.len;) {
		struct str line = line_at(mail, at);
		size_t less = quotes_of(line) > 0;
		buf_append(space, line.p + less, line.len - less);
		at += line.len;
	}
	return buf_view(space);
}

bool mbox_next(struct mbox *mbox, struct buf *space, struct str *mail)
{
	struct str bytes = mbox->bytes;
	struct bounds bounds;
	size_t start = mbox->offset;

	if (start == 0 && mbox_guess(bytes))
		start = lead_of(bytes);
	if (start >= bytes.len)
		return false;
	if (str_starts((struct str){bytes.p + start, bytes.len - start}, STR("From ")))
		start += line_at(bytes, start).len;
	find_bounds(bytes, start, &bounds);
	*mail = (struct str){bytes.p + start, bounds.end > start ? bounds.end - start : 0};
	size_t body = bounds.body - start < mail->len ? bounds.body - start : mail->len;
	if (is_quoted(*mail, bounds.counted, body))
		*mail = unquote(*mail, body, space);
	mbox->offset = bounds.next;
	return true;
}
