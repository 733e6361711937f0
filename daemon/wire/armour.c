#include "wire/armour.h"

#include "base/mem.h"

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

/* The line without white space at its end. */
static bool line_is(struct str line, const char *text)
{
	struct str mark = str_of(text);

	return str_starts(line, mark) &&
	       str_trim((struct str){line.p + mark.len, line.len - mark.len}).len == 0;
}

/* Where a line is that is this one; NULL: none. *end: behind its newline. */
static const char *find_line(struct str text, const char *mark, const char **end)
{
	struct str rest = text, line;

	while (str_split(&rest, '\n', &line)) {
		if (!line_is(line, mark))
			continue;
		*end = rest.p ? rest.p : text.p + text.len;
		return line.p;
	}
	return NULL;
}

static bool begins(struct str line, size_t *mark)
{
	if (!str_starts(line, STR("-----BEGIN PGP ")))
		return false;
	for (*mark = 0; *mark < ARRAY_LEN(marks); ++*mark)
		if (line_is(line, marks[*mark].begin))
			return true;
	return false;
}

bool armour_next(struct str *rest, struct armour *armour)
{
	struct str left = *rest, line;
	unsigned dangling = 0; /* kinds that begin and do not end: what is behind them is looked at once */
	size_t mark;

	while (str_split(&left, '\n', &line)) {
		const char *end;
		struct str from;

		if (!begins(line, &mark) || (dangling & 1u << mark))
			continue;
		from = (struct str){line.p, (size_t)(rest->p + rest->len - line.p)};
		if (!find_line(from, marks[mark].end, &end)) {
			dangling |= 1u << mark;
			continue;
		}
		armour->kind = marks[mark].kind;
		armour->before = (struct str){rest->p, (size_t)(line.p - rest->p)};
		armour->block = (struct str){line.p, (size_t)(end - line.p)};
		*rest = (struct str){end, rest->len - armour->before.len - armour->block.len};
		return true;
	}
	return false;
}

/* Tags 1 (session key to a public key), 3 (by a passphrase), 4 (one-pass signature), 8 (compressed), 9, 18,
 * 20 (encrypted): of either format of headers. */
static bool message_tag(unsigned char first)
{
	static const unsigned tags = 1u << 1 | 1u << 3 | 1u << 4 | 1u << 8 | 1u << 9 | 1u << 18 | 1u << 20;
	unsigned tag = first & 0x40 ? first & 0x3f : (first >> 2) & 0x0f;

	return (first & 0x80) && tag < 32 && (tags & 1u << tag);
}

enum armour_kind armour_guess(struct str bytes)
{
	struct str rest = bytes, line;
	size_t mark;

	if (bytes.len == 0)
		return ARMOUR_NONE;
	if (str_split(&rest, '\n', &line) && begins(line, &mark))
		return marks[mark].kind;
	return message_tag((unsigned char)bytes.p[0]) ? ARMOUR_MESSAGE : ARMOUR_NONE;
}
