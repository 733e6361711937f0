#include "wire/mime.h"
#include "wire/mime_guard.h"

/* What GMime complained about, by code: which ones are worth telling a reader. */
static const struct {
	guint code;
	const char *text;
} complaints[] = {
	{GMIME_WARN_TRUNCATED_MESSAGE, "the mail is truncated"},
	{GMIME_WARN_MALFORMED_MESSAGE, "the mail is malformed"},
	{GMIME_WARN_MALFORMED_MULTIPART, "a multipart without parts"},
	{GMIME_CRIT_INVALID_HEADER_NAME, "a line among the headers that is none"},
	{GMIME_CRIT_CONFLICTING_HEADER, "a header field that says two different things"},
	{GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY, "a multipart without a boundary"},
	{GMIME_CRIT_NESTING_OVERFLOW, "parts nest too deep"},
	{GMIME_WARN_PART_WITHOUT_CONTENT, "a part without content"},
};

/* Ways to write a header that every program reads alike, or that say nothing of parts. */
#define BIT(code) (UINT64_C(1) << (code))
#define HARMLESS                                                                                \
	(BIT(GMIME_WARN_UNENCODED_8BIT_HEADER) | BIT(GMIME_WARN_INVALID_RFC2047_HEADER_VALUE) | \
		BIT(GMIME_WARN_INVALID_ADDRESS_LIST) | BIT(GMIME_WARN_PART_WITHOUT_CONTENT))

static void complain(gint64 offset, GMimeParserWarning code, const gchar *text, gpointer data)
{
	uint64_t *seen = data;

	(void)offset;
	(void)text;
	if ((unsigned)code < 64)
		*seen |= UINT64_C(1) << (unsigned)code;
}

/* What programs that save a mail put in front of it: empty lines. */
static struct str without_empty_lines(struct str bytes)
{
	struct str rest = bytes, line;

	while (str_split(&rest, '\n', &line) && str_trim(line).len == 0)
		bytes = rest;
	return bytes;
}

/* mbox keeps a line "From sender date" in front, which is no header. */
static struct str without_envelope_line(struct str bytes)
{
	const char *newline;

	if (!str_starts(bytes, STR("From ")) && !str_starts(bytes, STR(">From ")))
		return bytes;
	newline = memchr(bytes.p, '\n', bytes.len);
	if (!newline)
		return bytes;
	return (struct str){newline + 1, bytes.len - (size_t)(newline + 1 - bytes.p)};
}

/* Does it begin with a header field? GMime takes anything. */
static bool begins_as_mail(struct str bytes)
{
	size_t i = 0;

	while (i < bytes.len && i < 200 && bytes.p[i] > ' ' && bytes.p[i] < 127 && bytes.p[i] != ':')
		i++;
	while (i > 0 && i < bytes.len && (bytes.p[i] == ' ' || bytes.p[i] == '\t'))
		i++;
	return i > 0 && i < bytes.len && bytes.p[i] == ':';
}

static GMimeMessage *parse(struct str bytes, uint64_t *seen)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes.p, bytes.len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeParserOptions *options = g_mime_parser_options_new();
	GMimeMessage *message;

	g_mime_parser_options_set_warning_callback(options, complain, seen);
	message = g_mime_parser_construct_message(parser, options);
	g_mime_parser_options_free(options);
	g_object_unref(parser);
	g_object_unref(stream);
	return message;
}

GMimeMessage *mail_parse(struct mail *mail, struct str bytes, struct str where)
{
	struct mime_guard guard;
	GMimeMessage *message;
	uint64_t seen = 0;
	size_t bad;

	bytes = charset_unmarked(bytes, mail->reading->arena, &bad);
	bytes = without_envelope_line(without_empty_lines(bytes));
	if (!begins_as_mail(bytes))
		return NULL;
	mime_guard(bytes, mail->reading->limits, mail->reading->arena, &guard);
	message = parse(guard.mail, &seen);
	if (!message)
		return NULL;
	if (bad > 0)
		reading_note(mail->reading, mail_report(mail), STR_FMT ": %zu of its characters are none",
			STR_ARG(where), bad);
	for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++)
		if (seen & UINT64_C(1) << complaints[i].code)
			reading_note(mail->reading, mail_report(mail), "%s", complaints[i].text);
	mail->odd |= (seen & ~HARMLESS) != 0 || guard.cut_count > 0;
	for (size_t i = 0; i < guard.cut_count; i++) {
		reading_note(mail->reading, mail_report(mail), "left out: %s", guard.cuts[i].reason);
		reading_quarantine(mail->reading, where, "mime", guard.cuts[i].bytes,
			"%s (limits: %zu, %zu and %zu)", guard.cuts[i].reason,
			mail->reading->limits->max_header, mail->reading->limits->max_headers,
			mail->reading->limits->max_parts);
	}
	return message;
}
