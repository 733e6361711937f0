#include "config.h"

#include "wire/quad.h"

#include "base/mem.h"

/* How far a word is read, and how many of them back. */
#define WORD_LEN 40
#define WORDS    8

/* Sorted nowhere: each is looked through only beside a dotted quad. */
static const struct str version_words[] = {{"v", 1}, {"ver", 3}, {"vers", 4}, {"version", 7}, {"versions", 8},
	{"release", 7}, {"releases", 8}, {"rev", 3}, {"revision", 8}, {"build", 5}, {"builds", 6},
	{"firmware", 8}, {"fw", 2}, {"hotfix", 6}, {"patch", 5}, {"sp", 2}, {"oid", 3}, {"section", 7},
	{"chapter", 7}, {"kapitel", 7}, {"abschnitt", 9}, {"versionen", 9}, {"versi\xc3\xb3n", 8},
	{"versiones", 9}, {"versione", 8}, {"versioni", 8}, {"vers\xc3\xa3o", 7}, {"wersja", 6},
	{"wersji", 6}, {"verze", 5}, {"versie", 6}, {"versiot", 7},
	{"\xd0\xb2\xd0\xb5\xd1\x80\xd1\x81\xd0\xb8\xd1\x8f", 12},
	{"\xd0\xb2\xd0\xb5\xd1\x80\xd1\x81\xd0\xb8\xd0\xb8", 12}, {"\xe7\x89\x88\xe6\x9c\xac", 6},
	{"\xe3\x83\x90\xe3\x83\xbc\xe3\x82\xb8\xe3\x83\xa7\xe3\x83\xb3", 15}};
/* Of these an address may be spoken as well: "release 198.51.100.7 from the list". */
static const struct str verbs[] = {
	{"release", 7}, {"releases", 8}, {"build", 5}, {"patch", 5}, {"sp", 2}, {"fw", 2}};
static const struct str products[] = {{"fortios", 7}, {"fortigate", 9}, {"fortimail", 9}, {"fortiweb", 8},
	{"fortimanager", 12}, {"fortianalyzer", 13}, {"forticlient", 11}, {"fortiproxy", 10}, {"windows", 7},
	{"exchange", 8}, {"openssl", 7}, {"openssh", 7}, {"chrome", 6}, {"chromium", 8}, {"firefox", 7},
	{"safari", 6}, {"opera", 5}, {"thunderbird", 11}, {"outlook", 7}, {"nessus", 6}, {"apache", 6},
	{"httpd", 5}, {"nginx", 5}, {"tomcat", 6}, {"php", 3}, {"mysql", 5}, {"mariadb", 7},
	{"postgresql", 10}, {"java", 4}, {"jdk", 3}, {"jre", 3}, {"python", 6}, {"ruby", 4}, {"wordpress", 9},
	{"drupal", 6}, {"joomla", 6}, {"typo3", 5}, {"android", 7}, {"ios", 3}, {"ipados", 6}, {"macos", 5},
	{"pan-os", 6}, {"panos", 5}, {"junos", 5}, {"ios-xe", 6}, {"nx-os", 5}, {"esxi", 4}, {"vcenter", 7},
	{"netscaler", 9}, {"confluence", 10}, {"jira", 4}, {"gitlab", 6}, {"jenkins", 7}, {"moveit", 6},
	{"goanywhere", 10}, {"sonicos", 7}, {"qts", 3}, {"dsm", 3}, {"routeros", 8}, {"zimbra", 6},
	{"exim", 4}, {"samba", 5}, {"kernel", 6}, {"acrobat", 7}, {"flash", 5}, {"webkit", 6},
	{"applewebkit", 11}, {"teamviewer", 10}, {"anydesk", 7}, {"veeam", 5}, {"splunk", 6}, {"weblogic", 8},
	{"websphere", 9}, {"sharepoint", 10}, {"7-zip", 5}, {"winrar", 6}, {"zoom", 4}, {"screenconnect", 13},
	{"suricata", 8}, {"snort", 5}, {"clamav", 6}};
/* What is done from one version to another, or said of it: with one of the words that lead on. */
static const struct str changes[] = {{"upgrade", 7}, {"upgraded", 8}, {"upgrades", 8}, {"upgrading", 9},
	{"update", 6}, {"updated", 7}, {"updates", 7}, {"updating", 8}, {"downgrade", 9}, {"downgraded", 10},
	{"fixed", 5}, {"patched", 7}, {"resolved", 8}, {"corrected", 9}, {"prior", 5}, {"earlier", 7},
	{"older", 5}, {"newer", 5}, {"later", 5}, {"lower", 5}, {"affects", 7}, {"vulnerable", 10},
	{"behoben", 7}, {"aktualisiert", 12}, {"aktualisieren", 13}, {"corrig\xc3\xa9", 8}};
static const struct str leads[] = {{"to", 2}, {"from", 4}, {"in", 2}, {"is", 2}, {"of", 2}, {"than", 4},
	{"before", 6}, {"until", 5}, {"up", 2}, {"number", 6}, {"no", 2}, {"nr", 2}, {"auf", 3}, {"von", 3},
	{"ist", 3}, {"bis", 3}, {"vor", 3}, {"as", 2}, {"\xc3\xa0", 2}, {"a", 1}, {"de", 2}, {"dans", 4}};
static const struct str joins[] = {{"and", 3}, {"or", 2}, {"to", 2}, {"up", 2}, {"through", 7}, {"until", 5},
	{"und", 3}, {"oder", 4}, {"bis", 3}, {"et", 2}, {"y", 1}, {"e", 1}, {"-", 1}, {"\xe2\x80\x93", 3},
	{"\xe2\x86\x92", 3}, {"->", 2}, {"vs", 2}};
static const struct str times[] = {{"date", 4}, {"datum", 5}, {"time", 4}, {"zeit", 4}, {"uhrzeit", 7},
	{"fecha", 5}, {"hora", 4}, {"heure", 5}, {"tel", 3}, {"telefon", 7}, {"phone", 5}, {"fax", 3},
	{"mobil", 5}, {"mobile", 6}, {"t\xc3\xa9l", 4}, {"telephone", 9}};
static const struct str days[] = {{"today", 5}, {"yesterday", 9}, {"tomorrow", 8}, {"heute", 5},
	{"gestern", 7}, {"morgen", 6}, {"hoy", 3}, {"ayer", 4}, {"hier", 4}, {"oggi", 4}, {"ieri", 4},
	{"monday", 6}, {"tuesday", 7}, {"wednesday", 9}, {"thursday", 8}, {"friday", 6}, {"saturday", 8},
	{"sunday", 6}};
/* Behind a version: "and later". */
static const struct str followers[] = {{"later", 5}, {"above", 5}, {"below", 5}, {"earlier", 7}, {"newer", 5},
	{"older", 5}, {"prior", 5}, {"higher", 6}, {"lower", 5}, {"before", 6}, {"h\xc3\xb6her", 6},
	{"neuer", 5}, {"\xc3\xa4lter", 6}, {"fr\xc3\xbcher", 7}};

#define AMONG(list, word) among(list, ARRAY_LEN(list), word)
static bool among(const struct str *list, size_t count, struct str word)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].len == word.len && str_equal_nocase(list[i], word))
			return true;
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Its first two numbers; false if it is none. */
static bool quad_numbers(struct str text, unsigned numbers[2])
{
	size_t dots = 0;
	unsigned value = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (is_digit(text.p[i])) {
			value = value > 9999 ? value : value * 10 + (unsigned)(text.p[i] - '0');
			continue;
		}
		if (text.p[i] != '.' || i == 0 || !is_digit(text.p[i - 1]))
			return false;
		if (dots < 2)
			numbers[dots] = value;
		dots++;
		value = 0;
	}
	return dots == 3;
}

/* Versions begin with small numbers; browsers, whose do not quite, go on with a nought. */
static bool small(const unsigned numbers[2], unsigned below)
{
	return numbers[0] < below || (numbers[0] < 160 && numbers[1] == 0);
}

/* The word before *at, which moves to its start. What stands between may be a space, one line break, an
 * opening bracket or quote, a colon or equals sign, and a comma where `listing`; anything else ends the
 * sentence. */
static bool word_left(struct str text, size_t *at, bool listing, struct str *word)
{
	size_t i = *at, lines = 0, end;

	for (; i > 0 && *at - i < 8; i--) {
		char c = text.p[i - 1];
		lines += c == '\n';
		if (lines > 1 || c == 0 || !strchr(" \t\r\n:=(\"'`[#*", c))
			break;
	}
	if (listing && i > 0 && i < *at && text.p[i - 1] == ',')
		i--;
	end = i;
	while (i > 0 && end - i < WORD_LEN && (unsigned char)text.p[i - 1] > ' ' &&
		!strchr(":=([\"'`,;#*", text.p[i - 1]))
		i--;
	*word = (struct str){text.p + i, end - i};
	*at = i;
	return word->len > 0 && end < text.len;
}

/* "ver." and "no." are short for something; another word with a dot ends a sentence. */
static bool strip_dot(struct str *word)
{
	if (word->len == 0 || word->p[word->len - 1] != '.')
		return true;
	word->len--;
	return word->len <= 4;
}

static bool is_count(struct str word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!is_digit(word.p[i]))
			return false;
	return word.len < 5;
}

/* What the words before the quad at `at` say. */
static bool said_before(struct str text, size_t at, const unsigned numbers[2])
{
	unsigned other[2];
	struct str word;
	bool listed = false, led = false, joined = false;

	for (int i = 0; i < WORDS && word_left(text, &at, listed || i == 0, &word); i++) {
		bool comma = at + word.len < text.len && text.p[at + word.len] == ',';
		if (quad_numbers(word, other)) {
			if (led)
				return false; /* "version 1.2.3.4 from 5.6.7.8" */
			listed = true;
			continue;
		}
		if (!strip_dot(&word) || (comma && !listed))
			return false;
		if (AMONG(joins, word)) {
			joined = true;
			continue;
		}
		if (AMONG(version_words, word))
			return (i == 0 && !AMONG(verbs, word)) || small(numbers, 100);
		if (AMONG(products, word))
			return !led && (!joined || listed) && small(numbers, 32);
		if (AMONG(times, word))
			return !led && (!joined || listed) && small(numbers, 100);
		if (AMONG(changes, word))
			return (led || joined) && small(numbers, 32);
		if ((str_equal_nocase(word, STR("at")) || str_equal_nocase(word, STR("um"))) && i == 0)
			return word_left(text, &at, false, &word) && AMONG(days, word) && small(numbers, 32);
		led = led || AMONG(leads, word);
		if (!AMONG(leads, word) && !(i == 0 && is_count(word)))
			return false;
	}
	return false;
}

/* And those behind it. */
static bool said_behind(struct str text, size_t end, const unsigned numbers[2])
{
	struct str rest = {text.p + end, text.len - end < 40 ? text.len - end : 40};
	struct str word = STR_NONE;
	bool led;

	if (rest.len == 0 || (rest.p[0] != ' ' && rest.p[0] != '+' && rest.p[0] != '\n'))
		return false;
	if (rest.p[0] == '+')
		return small(numbers, 100) && (rest.len == 1 || !is_digit(rest.p[1]));
	rest = (struct str){rest.p + 1, rest.len - 1};
	if (!str_split(&rest, ' ', &word))
		return false;
	while (word.len > 0 && strchr(".,;)", word.p[word.len - 1]))
		word.len--;
	if (str_equal_nocase(word, STR("Uhr")) || str_equal_nocase(word, STR("o'clock")))
		return small(numbers, 32);
	led = str_equal_nocase(word, STR("and")) || str_equal_nocase(word, STR("or")) ||
	      str_equal_nocase(word, STR("und")) || str_equal_nocase(word, STR("oder"));
	if (!led || !str_split(&rest, ' ', &word))
		return false;
	/* "… and later from": what is told goes on */
	if (rest.len > 0 &&
		(str_starts(rest, STR("from")) || str_starts(rest, STR("on ")) ||
			str_starts(rest, STR("at ")) || str_starts(rest, STR("by ")) || is_digit(rest.p[0])))
		return false;
	for (size_t i = 0; i < word.len; i++)
		if (strchr(".,;)\n", word.p[i]))
			word.len = i;
	return AMONG(followers, word) && small(numbers, 100);
}

bool quad_is_number(struct str text, size_t start, size_t end)
{
	unsigned numbers[2] = {0};

	if (!quad_numbers((struct str){text.p + start, end - start}, numbers))
		return false;
	if (start > 0 && text.p[start - 1] == '+')
		return true;
	return said_behind(text, end, numbers) || said_before(text, start, numbers);
}
