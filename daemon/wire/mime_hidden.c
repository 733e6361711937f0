#include "wire/mime.h"
#include "wire/transfer.h"

#define HIDDEN_MAX   200 /* parts of a mail that are found this way */
#define HIDDEN_DEPTH 4   /* base64 in uuencode in base64 … */

/* Looked at already, as a part or as one of these? */
static bool is_known(const struct mail *mail, struct str bytes)
{
	for (size_t i = 0; i < mail->reading->part_count; i++)
		if (str_equal(mail->reading->parts[i].bytes, bytes))
			return true;
	return false;
}

static bool is_text(struct str bytes)
{
	return bytes.len > 0 && !memchr(bytes.p, 0, bytes.len);
}

static void look(struct mail *mail, struct str text, struct str where, unsigned depth);

static void take(struct mail *mail, struct str bytes, struct str name, unsigned depth)
{
	if (bytes.len == 0 || mail->hidden_count == HIDDEN_MAX || is_known(mail, bytes))
		return;
	mail->hidden_count++;
	reading_part(mail->reading, mail_item(mail)->number,
		is_text(bytes) ? PART_TEXT | PART_FILE : PART_FILE, name, STR("application/octet-stream"),
		bytes);
	mail_archive_add(mail, bytes, name,
		(struct mail_place){.path = STR(MAIL_HIDDEN), .archives = mail->hidden_archives});
	if (depth < HIDDEN_DEPTH && is_text(bytes))
		look(mail, bytes, name, depth + 1);
}

static void look(struct mail *mail, struct str text, struct str where, unsigned depth)
{
	struct arena *arena = mail->reading->arena;
	struct str decoded;
	struct str name;
	struct str run;

	for (size_t at = 0; mail->hidden_count < HIDDEN_MAX && transfer_base64(text, &at, &run);)
		for (unsigned skip = 0; skip < transfer_base64_ways(run); skip++)
			take(mail, transfer_base64_all(run, skip, arena),
				arena_printf(arena, "base64 in " STR_FMT, STR_ARG(where)), depth);
	for (size_t at = 0;
		mail->hidden_count < HIDDEN_MAX && transfer_uu(text, arena, &at, &name, &decoded);)
		take(mail, decoded, arena_printf(arena, "uuencoded " STR_FMT, STR_ARG(name)), depth);
	if (!mail->odd)
		return;
	decoded = transfer_quoted(text, arena);
	if (!str_equal(decoded, text))
		take(mail, decoded, arena_printf(arena, "quoted-printable in " STR_FMT, STR_ARG(where)),
			depth);
}

void mail_look_inside(struct mail *mail, struct str text, struct str where, unsigned archives)
{
	mail->hidden_archives = archives;
	if (is_text(text))
		look(mail, text, where, 0);
	mail->hidden_archives = 0;
}

void mail_take_hidden(struct mail *mail, struct str bytes, struct str name, unsigned archives)
{
	mail->hidden_archives = archives;
	take(mail, bytes, name, 0);
	mail->hidden_archives = 0;
}

void mail_look_again(struct mail *mail, struct str bytes, struct str where)
{
	if (!mail->odd)
		return;
	take(mail, bytes, where, HIDDEN_DEPTH);
	look(mail, bytes, where, 0);
}

/* --- what is odd --- */

static bool is_sentence(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') &&
			!strchr(" \r\n\t.,:;'()/-", c))
			return false;
	}
	return text.len < 400;
}

/* Text in front of the first part and behind the last: a sentence for old programs, or something else. */
static void judge_margin(struct mail *mail, const char *text)
{
	struct str margin = str_trim(str_of(text));
	struct str run;

	mail->odd |= !is_sentence(margin) || transfer_base64(margin, &(size_t){0}, &run);
}

static bool contains(struct str text, struct str word)
{
	for (size_t i = 0; i + word.len <= text.len; i++)
		if (str_equal_nocase((struct str){text.p + i, word.len}, word))
			return true;
	return false;
}

static unsigned count_of(struct str text, struct str word)
{
	unsigned count = 0;

	for (size_t i = 0; i + word.len <= text.len; i++)
		count += str_equal_nocase((struct str){text.p + i, word.len}, word);
	return count;
}

/* The one value of each that every program reads the same way. */
static bool is_plain_encoding(struct str value)
{
	static const char *const known[] = {"7bit", "8bit", "binary", "base64", "quoted-printable"};

	value = str_trim(value);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_equal_nocase(value, str_of(known[i])))
			return true;
	return value.len == 0;
}

void mail_judge_object(struct mail *mail, GMimeObject *object)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	int count = g_mime_header_list_get_count(list);
	unsigned types = 0;
	unsigned encodings = 0;

	for (int i = 0; i < count; i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
		struct str name = str_trim(str_of(g_mime_header_get_name(header)));
		struct str value = str_of(g_mime_header_get_raw_value(header));
		if (str_equal_nocase(name, STR("Content-Transfer-Encoding"))) {
			encodings++;
			mail->odd |= !is_plain_encoding(value) ||
			             (GMIME_IS_MULTIPART(object) && (contains(value, STR("base64")) ||
									    contains(value, STR("quoted"))));
		} else if (str_equal_nocase(name, STR("Content-Type"))) {
			types++;
			mail->odd |= count_of(value, STR("boundary")) > 1 ||
			             contains(value, STR("boundary*")) ||
			             memchr(value.p ? value.p : "", '(', value.len) != NULL;
		}
	}
	mail->odd |= types > 1 || encodings > 1;
	if (GMIME_IS_MULTIPART(object)) {
		judge_margin(mail, g_mime_multipart_get_prologue(GMIME_MULTIPART(object)));
		judge_margin(mail, g_mime_multipart_get_epilogue(GMIME_MULTIPART(object)));
		mail->odd |= g_mime_multipart_get_count(GMIME_MULTIPART(object)) == 0;
	}
}

void mail_judge_content(struct mail *mail, GMimePart *part, struct str where)
{
	struct str raw;

	if (g_mime_part_get_content_encoding(part) != GMIME_CONTENT_ENCODING_BASE64)
		return;
	raw = mail_encoded(mail, part);
	if (raw.len == 0 || transfer_base64_is_clean(raw))
		return;
	mail->odd = true;
	take(mail, transfer_base64_all(raw, 0, mail->reading->arena),
		arena_printf(mail->reading->arena, "base64 in " STR_FMT, STR_ARG(where)), 0);
}
