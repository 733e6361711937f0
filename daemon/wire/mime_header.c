#include "config.h"

#include "base/mem.h"
#include "wire/header_text.h"
#include "wire/mime.h"

#define TLP_LOOK 2000 /* bytes of text in which a label is looked for */

void mail_note_charset(
	struct mail *mail, const char *where, struct str charset, const struct charset_outcome *outcome)
{
	struct report *report = mail_report(mail);

	charset = utf8_cut(charset, 40);
	if (outcome->unknown)
		reading_note(mail->reading, report, "%s: charset \"" STR_FMT "\" cannot be converted", where,
			STR_ARG(charset));
	if (outcome->guessed)
		reading_note(mail->reading, report,
			"%s: no charset, or not the one declared: read as windows-1252", where);
	if (outcome->borrowed)
		reading_note(mail->reading, report, "%s: no charset: read in that of the text", where);
	if (outcome->bad > 0)
		reading_note(mail->reading, report, "%s: %zu bytes are not valid in charset \"" STR_FMT "\"",
			where, outcome->bad, STR_ARG(charset));
}

struct str mail_header_raw(GMimeObject *object, const char *name)
{
	GMimeHeader *header = g_mime_header_list_get_header(g_mime_object_get_header_list(object), name);

	return header ? str_of(g_mime_header_get_raw_value(header)) : STR_NONE;
}

/* What the text of a message is written in, as it says itself. */
static struct str text_charset(GMimeObject *object)
{
	GMimeObject *part =
		GMIME_IS_MESSAGE(object) ? g_mime_message_get_mime_part(GMIME_MESSAGE(object)) : NULL;
	GMimeContentType *type;

	for (int depth = 0; depth < 8 && GMIME_IS_MULTIPART(part); depth++)
		part = g_mime_multipart_get_count(GMIME_MULTIPART(part)) > 0
		               ? g_mime_multipart_get_part(GMIME_MULTIPART(part), 0)
		               : NULL;
	type = part ? g_mime_object_get_content_type(part) : NULL;
	return str_of(type ? g_mime_content_type_get_parameter(type, "charset") : NULL);
}

struct str mail_header(struct mail *mail, GMimeObject *object, const char *name)
{
	struct charset_outcome outcome;
	char unknown[HEADER_CHARSET];
	struct str text = header_text(
		mail_header_raw(object, name), text_charset(object), mail->reading->arena, &outcome, unknown);

	mail_note_charset(mail, name, str_of(unknown), &outcome);
	return text;
}

static struct str first_mailbox(struct mail *mail, InternetAddressList *list)
{
	int count = list ? internet_address_list_length(list) : 0;

	for (int i = 0; i < count; i++) {
		InternetAddress *address = internet_address_list_get_address(list, i);
		const char *text;
		if (!INTERNET_ADDRESS_IS_MAILBOX(address))
			continue;
		text = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
		if (text && *text)
			return arena_str(mail->reading->arena, str_of(text));
	}
	return STR_NONE;
}

struct str mail_address(struct mail *mail, GMimeObject *object, const char *name)
{
	struct str raw = mail_header_raw(object, name);
	InternetAddressList *list;
	struct str address;

	if (raw.len == 0)
		return STR_NONE;
	list = internet_address_list_parse(NULL, arena_str(mail->reading->arena, raw).p);
	address = first_mailbox(mail, list);
	if (list)
		g_object_unref(list);
	return address;
}

/* A parameter in a charset that is unknown here comes out of GMime wrong without a word: say so. */
static void check_parameter(struct mail *mail, GMimeParamList *list, const char *name)
{
	GMimeParam *parameter = list ? g_mime_param_list_get_parameter(list, name) : NULL;
	const char *charset = parameter ? g_mime_param_get_charset(parameter) : NULL;
	struct charset_outcome outcome;

	if (!charset)
		return;
	charset_to_utf8(str_of(charset), STR("\x80"), mail->reading->arena, &outcome);
	outcome.bad = 0;
	outcome.guessed = false;
	mail_note_charset(mail, "file name", str_of(charset), &outcome);
}

static struct str parameter_of(struct mail *mail, GMimeParamList *list, const char *name)
{
	GMimeParam *parameter = list ? g_mime_param_list_get_parameter(list, name) : NULL;
	const char *value = parameter ? g_mime_param_get_value(parameter) : NULL;
	struct charset_outcome outcome;

	if (!value)
		return STR_NONE;
	check_parameter(mail, list, name);
	/* encoded words have no business here and are everywhere */
	return header_text(str_of(value), STR_NONE, mail->reading->arena, &outcome, NULL);
}

struct str mail_file_name(struct mail *mail, GMimeObject *part)
{
	GMimeContentDisposition *disposition = g_mime_object_get_content_disposition(part);
	GMimeContentType *type = g_mime_object_get_content_type(part);
	struct str name = STR_NONE;

	if (disposition)
		name = parameter_of(mail, g_mime_content_disposition_get_parameters(disposition), "filename");
	if (name.len == 0 && type)
		name = parameter_of(mail, g_mime_content_type_get_parameters(type), "name");
	return name;
}

/* The label that begins at text, "TLP:AMBER+STRICT" */
static void take_label(struct str text, enum tlp *strictest)
{
	size_t length = 4;
	enum tlp tlp;

	while (length < text.len && length < 20 &&
		((text.p[length] | 32) >= 'a' && (text.p[length] | 32) <= 'z' ? true : text.p[length] == '+'))
		length++;
	if (tlp_parse((struct str){text.p, length}, &tlp) && tlp > *strictest)
		*strictest = tlp;
}

enum tlp mail_tlp(struct str subject, struct str text)
{
	enum tlp tlp = TLP_UNSTATED;

	for (size_t i = 0; i + 4 < subject.len; i++)
		if (str_equal_nocase((struct str){subject.p + i, 4}, STR("TLP:")))
			take_label((struct str){subject.p + i, subject.len - i}, &tlp);
	for (size_t i = 0; i + 4 < text.len && i < TLP_LOOK; i++)
		if ((i == 0 || text.p[i - 1] == '\n' ||
			    (text.p[i - 1] == '[' && (i == 1 || text.p[i - 2] == '\n'))) &&
			str_equal_nocase((struct str){text.p + i, 4}, STR("TLP:")))
			take_label((struct str){text.p + i, text.len - i}, &tlp);
	return tlp;
}
