#include "config.h"

#include "wire/card.h"

#include "base/buf.h"
#include "wire/transfer.h"

bool card_is(struct str text)
{
	static const struct str begins[] = {{"BEGIN:VCALENDAR", 15}, {"BEGIN:VCARD", 11}};

	text = str_trim((struct str){text.p, text.len < 100 ? text.len : 100});
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (text.len >= begins[i].len &&
			str_equal_nocase((struct str){text.p, begins[i].len}, begins[i]))
			return true;
	return false;
}

static bool contains(struct str text, struct str word)
{
	for (size_t i = 0; i + word.len <= text.len; i++)
		if (str_equal_nocase((struct str){text.p + i, word.len}, word))
			return true;
	return false;
}

static struct str without_return(struct str line)
{
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* A line that ends in "=" goes on, in the quoted-printable of vCard 2.1. */
static bool ends_soft(struct str line)
{
	line = str_trim(line);
	return line.len > 0 && line.p[line.len - 1] == '=';
}

/* Where the value begins: behind the first ":" that stands in no quotes; 0: nowhere. */
static size_t value_start(struct str line)
{
	bool quoted = false;

	for (size_t i = 0; i < line.len; i++) {
		if (line.p[i] == '"')
			quoted = !quoted;
		else if (line.p[i] == ':' && !quoted)
			return i + 1;
	}
	return 0;
}

/* The content line with those that continue it. */
static void unfold(struct str *rest, struct buf *out)
{
	struct str line;
	bool quoted = false;

	if (!str_split(rest, '\n', &line))
		return;
	line = without_return(line);
	quoted = contains((struct str){line.p, value_start(line)}, STR("QUOTED-PRINTABLE"));
	buf_str(out, line);
	while (rest->p && rest->len > 0) {
		bool folded = *rest->p == ' ' || *rest->p == '\t';

		if (!folded && !(quoted && ends_soft(line)))
			return;
		if (!str_split(rest, '\n', &line))
			return;
		line = without_return(line);
		if (quoted && !folded)
			buf_char(out, '\n'); /* the soft line break is the decoder's */
		buf_str(out, folded ? (struct str){line.p + 1, line.len - 1} : line);
	}
}

/* "\n" a line end, "\," a comma (RFC 5545 section 3.3.11). */
static struct str unescape(struct str value, struct arena *arena)
{
	char *out;
	size_t length = 0;

	if (value.len == 0 || !memchr(value.p, '\\', value.len))
		return value;
	out = arena_alloc(arena, value.len);
	for (size_t i = 0; i < value.len; i++) {
		char next = (char)(i + 1 < value.len ? value.p[i + 1] : '\0');

		if (value.p[i] == '\\' && (next == 'n' || next == 'N')) {
			out[length++] = '\n';
			i++;
		} else if (value.p[i] == '\\' && next && strchr(",;\\:", next)) {
			out[length++] = next;
			i++;
		} else {
			out[length++] = value.p[i];
		}
	}
	return (struct str){out, length};
}

/* "data:image/png;base64,…" */
static struct str inlined(struct str value)
{
	static const char mark[] = ";base64,";
	struct str head = {value.p, value.len < 200 ? value.len : 200};
	const char *at =
		str_starts(value, STR("data:")) ? memmem(head.p, head.len, mark, sizeof(mark) - 1) : NULL;

	if (!at)
		return STR_NONE;
	at += sizeof(mark) - 1;
	return (struct str){at, (size_t)(value.p + value.len - at)};
}

static void decode(
	struct str parameters, struct str value, struct arena *arena, struct card_property *property)
{
	struct str data = inlined(value);

	if (contains(parameters, STR("ENCODING=BASE64")) || contains(parameters, STR("ENCODING=B;")) ||
		contains(parameters, STR("ENCODING=B:")) || contains(parameters, STR(";BASE64")))
		data = value;
	property->binary = data.len > 0;
	if (property->binary)
		property->value = transfer_base64_all(data, 0, arena);
	else if (contains(parameters, STR("QUOTED-PRINTABLE")))
		property->value = transfer_quoted(value, arena);
	else
		property->value = unescape(value, arena);
}

bool card_next(struct str *rest, struct arena *arena, struct card_property *property)
{
	struct buf line = {0};
	struct str text;
	size_t start, end;

	if (!rest->p || rest->len == 0)
		return false;
	unfold(rest, &line);
	text = arena_str(arena, buf_view(&line));
	buf_free(&line);
	start = value_start(text);
	end = start > 0 ? start - 1 : 0;
	for (size_t i = 0; i < end; i++)
		if (text.p[i] == ';')
			end = i;
	*property = (struct card_property){.name = {text.p, end}};
	decode((struct str){text.p, start}, (struct str){text.p + start, text.len - start}, arena, property);
	return true;
}

struct str card_text(struct str text, struct arena *arena)
{
	struct card_property property;
	struct buf out = {0};
	struct str copy;

	while (card_next(&text, arena, &property)) {
		if (property.binary || property.value.len == 0)
			continue;
		if (property.name.len > 0) {
			buf_str(&out, property.name);
			buf_text(&out, ": ");
		}
		buf_str(&out, property.value);
		buf_char(&out, '\n');
	}
	copy = arena_str(arena, buf_view(&out));
	buf_free(&out);
	return copy;
}
