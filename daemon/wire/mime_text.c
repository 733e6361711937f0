#include "config.h"

#include "base/mem.h"
#include "model/storable.h"
#include "wire/card.h"
#include "wire/csv.h"
#include "wire/html.h"
#include "wire/mime.h"

/* Text in a mail, in its attachments and in archives: what people read, and where indicators stand. */

/* A text attachment (a log, a list) is searched so far; a body as a whole up to what is kept of it. */
#define SEARCH_MAX (size_t)4194304

void mail_append(struct mail *mail, struct str text)
{
	struct report *report = mail_report(mail);

	if (text.len == 0)
		return;
	if (mail->text.len > 0)
		buf_text(&mail->text, "\n\n");
	if (mail->text.len + text.len > MAX_TEXT)
		reading_note(mail->reading, report,
			"the text is longer than %d bytes; all of it is in the mail", MAX_TEXT);
	if (mail->text.len < MAX_TEXT)
		buf_str(&mail->text, utf8_cut(text, MAX_TEXT - mail->text.len));
}

void mail_search(struct mail *mail, struct str text)
{
	if (mail->silent)
		return;
	if (text.len > SEARCH_MAX)
		reading_note(mail->reading, mail_report(mail),
			"indicators were looked for in the first %zu MB of a text only", SEARCH_MAX >> 20);
	extract_observables(mail->reading, mail_report(mail), utf8_cut(text, SEARCH_MAX));
}

/* CRLF as LF, and nothing that a terminal obeys. */
struct str mail_tidy(const struct mail *mail, struct str text)
{
	char *copy = arena_alloc(mail->reading->arena, text.len + 1);
	size_t length = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (c == '\r' && i + 1 < text.len && text.p[i + 1] == '\n')
			continue;
		if (c == '\r')
			c = '\n';
		if ((unsigned char)c < ' ' && c != '\n' && c != '\t' && c != 0)
			c = ' ';
		copy[length++] = c;
	}
	return (struct str){copy, length};
}

struct str mail_to_utf8(struct mail *mail, GMimeObject *object, struct str bytes, bool html)
{
	GMimeContentType *type = object ? g_mime_object_get_content_type(object) : NULL;
	struct str charset = str_of(type ? g_mime_content_type_get_parameter(type, "charset") : NULL);
	struct charset_outcome outcome = {.bad = 0};
	struct str text = charset_unmarked(bytes, mail->reading->arena, &outcome.bad);

	/* A mark says more than any declaration; what was opened has none. */
	if (text.p != bytes.p || (!object && utf8_valid(bytes)))
		charset = STR("utf-8");
	if (charset.len == 0 && html)
		charset = html_charset(text);
	if (outcome.bad == 0)
		text = charset_to_utf8(charset, text, mail->reading->arena, &outcome);
	mail_note_charset(mail, "text", charset, &outcome);
	return text;
}

/* --- files --- */

static bool has_ending(struct str name, const char *const *endings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct str ending = str_of(endings[i]);

		if (name.len > ending.len &&
			str_equal_nocase((struct str){name.p + name.len - ending.len, ending.len}, ending))
			return true;
	}
	return false;
}

bool mail_is_text_name(struct str name)
{
	static const char *const endings[] = {".txt", ".csv", ".tsv", ".log", ".md", ".htm", ".html", ".json",
		".xhtml", ".svg", ".url", ".xml", ".ics", ".ical", ".vcf", ".vcard"};

	return has_ending(name, endings, ARRAY_LEN(endings));
}

bool mail_is_html(struct str type, struct str name)
{
	static const char *const endings[] = {".htm", ".html", ".xhtml", ".svg"};

	return str_equal(type, STR("text/html")) ||
	       (!str_equal(type, STR("text/plain")) && has_ending(name, endings, ARRAY_LEN(endings)));
}

bool mail_text_of(const struct mail *mail, struct str bytes, struct str *text)
{
	size_t bad;

	*text = charset_unmarked(bytes, mail->reading->arena, &bad);
	return text->len > 0 && !memchr(text->p, 0, text->len) && utf8_valid(*text);
}

/* What a card carries with it: pictures, files. */
static void take_carried(struct mail *mail, struct str card, struct str name, unsigned archives)
{
	struct arena *arena = mail->reading->arena;
	struct card_property property;

	while (card_next(&card, arena, &property))
		if (property.binary)
			mail_take_hidden(mail, property.value,
				arena_printf(arena, STR_FMT " in " STR_FMT,
					STR_ARG(utf8_cut(property.name, 40)), STR_ARG(name)),
				archives);
}

/* Its cells apart: "http://a.example/x,url" is a URL and a word. */
static struct str csv_cells(struct str text, struct arena *arena)
{
	char separator = csv_separator(text);
	char *cells = arena_alloc(arena, text.len + 1);
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		quoted = text.p[i] != '\n' && quoted != (text.p[i] == '"');
		cells[i] = (char)(!quoted && text.p[i] == separator ? '\t' : text.p[i]);
	}
	return (struct str){cells, text.len};
}

struct str mail_read_text(struct mail *mail, struct str utf8, struct str name, bool html, unsigned archives)
{
	static const char *const tables[] = {".csv", ".tsv"};
	struct arena *arena = mail->reading->arena;
	bool card = !html && card_is(utf8);
	bool table = !html && !card && has_ending(name, tables, ARRAY_LEN(tables));
	struct str beneath = STR("");
	struct str text = mail_tidy(mail, html   ? html_text(utf8, arena, &beneath)
					  : card ? card_text(utf8, arena)
						 : utf8);

	/* Also beside a plain alternative: what the reader's program shows is this one. */
	if ((html || card) && text.len > 0)
		reading_part(mail->reading, mail_item(mail)->number, PART_TEXT,
			html ? STR("html as text") : STR("card as text"), STR("text/plain"), text);
	mail_search(mail, table ? csv_cells(text, arena) : text);
	mail_search(mail, beneath);
	mail_look_inside(mail, utf8, name, archives);
	if (card)
		take_carried(mail, utf8, name, archives);
	return text;
}
