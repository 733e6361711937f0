#include "wire/archive_password.h"

#include "base/mem.h"

#define WORDS_BEHIND 8   /* "… for the file in the attachment is: X" */
#define WORD_MAX     100 /* bytes; a longer one is a link or a blob */
#define TEXT_MAX     (size_t)65536

/* In lower case; what is not ASCII is written as most people do. */
static const char *const words[] = {"password", "passwort", "passwd", "passcode", "passphrase",
	"pass:", "pwd", "kennwort", "mot de passe", "mdp", "contrase\303\261a", "clave", "senha",
	"palavra-passe", "wachtwoord", "l\xc3\xb6senord", "adgangskode", "passord", "salasana", "parool",
	"salas\xc3\xb5na", "parole", "slapta\xc5\xbeodis", "has\xc5\x82o", "heslo", "geslo", "lozinka",
	"jelsz\xc3\xb3", "parola", "\xc5\x9fifre", "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb",
	"\xcf\x83\xcf\x85\xce\xbd\xce\xb8\xce\xb7\xce\xbc\xce\xb1\xcf\x84\xce\xb9\xce\xba\xcf\x8c",
	"\xe5\xaf\x86\xe7\xa0\x81", "\xe5\xaf\x86\xe7\xa2\xbc",
	"\xe3\x83\x91\xe3\x82\xb9\xe3\x83\xaf\xe3\x83\xbc\xe3\x83\x89",
	"\xeb\xb9\x84\xeb\xb0\x80\xeb\xb2\x88\xed\x98\xb8"};

/* Length of the word that begins here, 0: none. */
static size_t word_at(struct str text)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t length = strlen(words[i]);
		if (length <= text.len && str_equal_nocase((struct str){text.p, length}, str_of(words[i])))
			return length;
	}
	return 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Quotes, brackets and colons around a word; other marks belong to passwords as often as not. */
static size_t wrapping_at(struct str text)
{
	static const char *const marks[] = {"\"", "'", "`", "(", ")", "[", "]", "<", ">", ":", "=", "*",
		"\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e", "\xe2\x80\x98", "\xe2\x80\x99", "\xc2\xab",
		"\xc2\xbb", "\xef\xbc\x9a", "\xe3\x80\x8c", "\xe3\x80\x8d"};

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (str_starts(text, str_of(marks[i])))
			return strlen(marks[i]);
	return 0;
}

static bool ends_in_wrapping(struct str text, size_t *length)
{
	for (size_t back = 1; back <= 3 && back <= text.len; back++)
		if (wrapping_at((struct str){text.p + text.len - back, back}) == back) {
			*length = back;
			return true;
		}
	return false;
}

static void add(struct str word, struct arena *arena, struct str *list, size_t max, size_t *count)
{
	if (word.len == 0 || word.len > WORD_MAX || *count == max)
		return;
	for (size_t i = 0; i < *count; i++)
		if (str_equal(list[i], word))
			return;
	list[(*count)++] = arena_str(arena, word);
}

/* As it stands without its wrapping, and once more without the full stop of its sentence. */
static void add_word(struct str word, struct arena *arena, struct str *list, size_t max, size_t *count)
{
	size_t length;

	while ((length = wrapping_at(word)) > 0)
		word = (struct str){word.p + length, word.len - length};
	while (ends_in_wrapping(word, &length))
		word.len -= length;
	add(word, arena, list, max, count);
	if (word.len > 1 && strchr(".,;!?", word.p[word.len - 1]))
		add_word((struct str){word.p, word.len - 1}, arena, list, max, count);
}

static void take_behind(struct str text, struct arena *arena, struct str *list, size_t max, size_t *count)
{
	size_t at = 0;

	/* the rest of a longer word, "passwords" or one of a declined language */
	while (at < text.len && !is_space(text.p[at]) &&
		wrapping_at((struct str){text.p + at, text.len - at}) == 0)
		at++;
	for (int word = 0; word < WORDS_BEHIND && at < text.len; word++) {
		size_t start;
		while (at < text.len && is_space(text.p[at]))
			at++;
		start = at;
		while (at < text.len && !is_space(text.p[at]))
			at++;
		add_word((struct str){text.p + start, at - start}, arena, list, max, count);
	}
}

void archive_password_find(struct str text, struct arena *arena, struct str *list, size_t max, size_t *count)
{
	if (text.len > TEXT_MAX)
		text.len = TEXT_MAX;
	for (size_t i = 0; i < text.len && *count < max; i++) {
		size_t length = word_at((struct str){text.p + i, text.len - i});
		if (length > 0)
			take_behind((struct str){text.p + i + length, text.len - i - length}, arena, list,
				max, count);
		if (length > 1)
			i += length - 1;
	}
}
