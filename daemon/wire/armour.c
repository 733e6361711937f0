#include "config.h"

#include "wire/armour.h"

#include "base/buf.h"
#include "base/mem.h"

#define BEGINS     "-----BEGIN PGP "
#define BODY_RUN   16 /* characters of base64 in a row: no word of a sentence that speaks of armour */
#define JOINED_RUN 40 /* so long is a line of armour at least, where its lines were joined */

static const struct {
	const char *begin;
	const char *end;
	enum armour_kind kind;
} marks[] = {
	{"-----BEGIN PGP MESSAGE-----", "-----END PGP MESSAGE-----", ARMOUR_MESSAGE},
	{"-----BEGIN PGP SIGNED MESSAGE-----", "-----END PGP SIGNATURE-----", ARMOUR_SIGNED},
	{"-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----", ARMOUR_SIGNATURE},
	{"-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----", ARMOUR_KEY},
	{"-----BEGIN PGP PRIVATE KEY BLOCK-----", "-----END PGP PRIVATE KEY BLOCK-----", ARMOUR_KEY},
};

static bool mark_at(struct str text, size_t *mark)
{
	for (*mark = 0; *mark < ARRAY_LEN(marks); ++*mark)
		if (str_starts(text, str_of(marks[*mark].begin)))
			return true;
	return false;
}

static const char *find(struct str text, const char *word)
{
	return text.len > 0 ? memmem(text.p, text.len, word, strlen(word)) : NULL;
}

static struct str between(const char *from, const char *to)
{
	return (struct str){from, (size_t)(to - from)};
}

/* Behind the line in which `at` is. */
static const char *line_after(struct str text, const char *at)
{
	const char *newline = memchr(at, '\n', (size_t)(text.p + text.len - at));

	return newline ? newline + 1 : text.p + text.len;
}

static bool is_quote(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!strchr(" \t>|\xc2\xa0", text.p[i]) || text.p[i] == 0)
			return false;
	return true;
}

static bool is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
	       c == '/' || c == '=';
}

static bool has_run(struct str text, size_t least)
{
	size_t run = 0;

	for (size_t i = 0; i < text.len && run < least; i++)
		run = is_base64(text.p[i]) ? run + 1 : 0;
	return run >= least;
}

static struct str unquoted(struct str line)
{
	while (line.len > 0 && is_quote((struct str){line.p, 1})) {
		line.p++;
		line.len--;
	}
	return str_trim(line);
}

/* "Version: GnuPG v2" */
static bool is_header(struct str line)
{
	return find(line, ": ") && !has_run(line, JOINED_RUN);
}

/* How far a block without its end may reach: headers, empty lines, lines of base64. */
static const char *unclosed_end(struct str text, const char *from)
{
	struct str rest = between(from, text.p + text.len), line;
	const char *end = from;

	while (str_split(&rest, '\n', &line)) {
		struct str bare = unquoted(line);
		bool body = bare.len > 0;

		for (size_t i = 0; i < bare.len; i++)
			body &= is_base64(bare.p[i]);
		if (bare.len > 0 && !body && !is_header(bare))
			break;
		if (bare.len > 0)
			end = rest.p ? rest.p : text.p + text.len;
	}
	return end;
}

/* A block that begins at `at`, on the line that begins at `line`; false: words that speak of one. */
static bool take(struct str text, const char *line, const char *at, struct armour *armour, const char **end)
{
	const char *own = at + strlen(marks[armour->mark].begin), *next, *last;
	struct str rest = between(own, text.p + text.len), tail = between(own, line_after(text, own));
	bool alone = str_trim(tail).len == 0;

	armour->quote = between(line, at);
	if (!is_quote(armour->quote)) {
		armour->quote = STR_NONE;
		line = at;
		armour->odd = true;
	}
	next = find(rest, marks[armour->mark].begin);
	rest = between(own, next ? next : text.p + text.len);
	last = find(rest, marks[armour->mark].end);
	armour->unclosed = !last;
	if (last) {
		*end = line_after(text, last + strlen(marks[armour->mark].end));
		if (str_trim(between(last + strlen(marks[armour->mark].end), *end)).len > 0)
			*end = last + strlen(marks[armour->mark].end);
	} else if (armour->odd || !alone) {
		return false;
	} else {
		last = line_after(text, own);
		last = *end = marks[armour->mark].kind == ARMOUR_SIGNED ? last : unclosed_end(rest, last);
	}
	armour->inner = between(own, last);
	armour->odd |=
		armour->quote.len > 0 || !alone || armour->unclosed || last[-1] != '\n' || (*end)[-1] == '-';
	armour->block = between(line, *end);
	/* What is not as it must be may be talk of armour, unless there is some. */
	return !armour->odd || (armour->unclosed && marks[armour->mark].kind == ARMOUR_SIGNED) ||
	       has_run(armour->inner, BODY_RUN);
}

bool armour_next(struct str *rest, struct armour *armour)
{
	const char *line = rest->p, *at = rest->p, *end;

	while (at && (at = find(between(at, rest->p + rest->len), BEGINS))) {
		for (const char *newline; (newline = memchr(line, '\n', (size_t)(at - line)));)
			line = newline + 1;
		*armour = (struct armour){.kind = ARMOUR_NONE};
		if (mark_at(between(at, rest->p + rest->len), &armour->mark) &&
			take(*rest, line, at, armour, &end)) {
			armour->kind = marks[armour->mark].kind;
			armour->before = between(rest->p, armour->block.p);
			*rest = between(end, rest->p + rest->len);
			return true;
		}
		at += sizeof(BEGINS) - 1;
	}
	return false;
}

/* --- made whole --- */

/* Lines that were joined: what is in front of the first of them is a header. */
static void put_joined(struct str line, struct buf *out)
{
	struct str word;
	bool begun = false;

	while (str_split(&line, ' ', &word)) {
		begun |= has_run(word, JOINED_RUN);
		if (!begun || word.len == 0)
			continue;
		buf_str(out, word);
		buf_char(out, '\n');
	}
}

static void put_base64(struct str inner, struct buf *out)
{
	struct str line;

	buf_char(out, '\n');
	while (str_split(&inner, '\n', &line)) {
		line = unquoted(line);
		if (line.len == 0 || is_header(line))
			continue;
		if (memchr(line.p, ' ', line.len)) {
			put_joined(line, out);
			continue;
		}
		buf_str(out, line);
		buf_char(out, '\n');
	}
}

/* Exactly what was put in front is taken off: the text below the signature may be quoted itself. */
static void put_signed(struct str inner, struct str quote, struct buf *out)
{
	struct str line, bare = quote;

	while (bare.len > 0 && (bare.p[bare.len - 1] == ' ' || bare.p[bare.len - 1] == '\t'))
		bare.len--;
	str_split(&inner, '\n', &line);
	while (inner.p && str_split(&inner, '\n', &line)) {
		size_t skip = str_starts(line, quote) ? quote.len : str_starts(line, bare) ? bare.len : 0;

		if (!inner.p && is_quote(line))
			break; /* in front of the last line */
		buf_str(out, (struct str){line.p + skip, line.len - skip});
		buf_char(out, '\n');
	}
}

struct str armour_clean(const struct armour *armour, struct arena *arena)
{
	struct buf out = {0};
	struct str copy;

	buf_text(&out, marks[armour->mark].begin);
	buf_char(&out, '\n');
	if (armour->kind == ARMOUR_SIGNED)
		put_signed(armour->inner, armour->quote, &out);
	else
		put_base64(armour->inner, &out);
	buf_text(&out, marks[armour->mark].end);
	buf_char(&out, '\n');
	copy = arena_str(arena, buf_view(&out));
	buf_free(&out);
	return copy;
}

/* --- files --- */

/* Tags 1 (session key to a public key), 3 (by a passphrase), 4 (one-pass signature), 8 (compressed), 9, 18,
 * 20 (encrypted): of either format of headers. 2 is a signature. */
static enum armour_kind packet_kind(unsigned char first)
{
	static const unsigned tags = 1u << 1 | 1u << 3 | 1u << 4 | 1u << 8 | 1u << 9 | 1u << 18 | 1u << 20;
	unsigned tag = first & 0x40 ? first & 0x3f : (first >> 2) & 0x0f;

	if (!(first & 0x80) || tag >= 32)
		return ARMOUR_NONE;
	return tags & 1u << tag ? ARMOUR_MESSAGE : tag == 2 ? ARMOUR_SIGNATURE : ARMOUR_NONE;
}

enum armour_kind armour_guess(struct str bytes)
{
	struct str rest = bytes, line;
	size_t mark;

	if (bytes.len == 0)
		return ARMOUR_NONE;
	if (str_starts(rest, STR("\xef\xbb\xbf")))
		rest = (struct str){rest.p + 3, rest.len - 3};
	while (str_split(&rest, '\n', &line) && str_trim(line).len == 0)
		;
	if (mark_at(str_trim(line), &mark))
		return str_equal(str_trim(line), str_of(marks[mark].begin)) ? marks[mark].kind : ARMOUR_NONE;
	return packet_kind((unsigned char)bytes.p[0]);
}
