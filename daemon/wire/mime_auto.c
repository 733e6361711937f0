#include "config.h"

#include "base/mem.h"
#include "wire/fields.h"
#include "wire/letter.h"
#include "wire/mime.h"

/*
 * Mail that nobody wrote: delivery failures (RFC 3464, RFC 5321 4.5.5) and automatic replies (RFC 3834, RFC
 * 8098). It becomes correspondence: no report, no case, and nothing ever answers it.
 */

static bool begins(struct str text, const char *word)
{
	size_t length = strlen(word);

	return text.len >= length && str_equal_nocase((struct str){text.p, length}, str_of(word));
}

/* In any field of that name: who answers by himself adds one to those of the mail that he quotes. */
static bool header_is(GMimeObject *object, const char *name, const char *word)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	int count = g_mime_header_list_get_count(list);

	for (int i = 0; i < count; i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
		if (str_equal_nocase(str_of(g_mime_header_get_name(header)), str_of(name)) &&
			begins(str_trim(str_of(g_mime_header_get_raw_value(header))), word))
			return true;
	}
	return false;
}

static bool header_stands(GMimeObject *object, const char *name)
{
	return mail_header_raw(object, name).len > 0;
}

static bool has_part(GMimeObject *object, const char *type, const char *subtype)
{
	int count = GMIME_IS_MULTIPART(object) ? g_mime_multipart_get_count(GMIME_MULTIPART(object)) : 0;

	for (int i = 0; i < count && i < 20; i++) {
		GMimeContentType *found =
			g_mime_object_get_content_type(g_mime_multipart_get_part(GMIME_MULTIPART(object), i));
		if (found && g_mime_content_type_is_type(found, type, subtype))
			return true;
	}
	return false;
}

static bool local_part_is(struct str address, const char *local)
{
	size_t length = strlen(local);

	return begins(address, local) && (address.len == length || address.p[length] == '@');
}

/* --- the last hints: what programs write into the subject --- */

/* Where neither format nor sender gives a bounce away. */
static const char *const bounce_subjects[] = {"failure notice", "delivery failure",
	"delivery status notification", "mail delivery failed", "mail delivery system", "mail system error",
	"returned mail", "undeliverable", "undelivered mail", "message undeliverable",
	"warning: could not send", "delayed mail", "unzustellbar", "nicht zustellbar", "non remis",
	"Échec de la remise", "courrier non distribu", "no se puede entregar", "no se ha podido entregar",
	"non recapitabile", "mancato recapito", "não foi possível entregar", "onbestelbaar",
	"niedostarczalne", "kan inte leverera", "kan ikke leveres", "kunne ikke leveres",
	"Не удается доставить", "Недоставлен", "配信不能", "未传递", "无法投递"};

/* What mail programs put in front of a subject when they answer by themselves, with a colon behind it. */
static const char *const reply_prefixes[] = {"automatic reply", "auto-reply", "autoreply", "auto reply",
	"auto response", "out of office", "automatische antwort", "abwesenheitsnotiz", "réponse automatique",
	"absence du bureau", "respuesta automática", "fuera de la oficina", "risposta automatica",
	"fuori sede", "resposta automática", "automatisch antwoord", "afwezig", "automatyczna odpowiedź",
	"autosvar", "automatiskt svar", "automatisk svar", "frånvaro", "automaattinen vastaus",
	"Автоматический ответ", "Автоответ", "Автоматична відповідь", "Автоматичен отговор",
	"automatická odpověď", "automatická odpoveď", "automatikus válasz", "răspuns automat",
	"Αυτόματη απάντηση", "otomatik yanıt", "samodejni odgovor", "automatski odgovor",
	"automātiska atbilde", "automatinis atsakymas", "automaatvastus", "自动答复", "自动回复", "自動回覆",
	"自動応答", "自動返信", "자동 회신", "رد تلقائي", "تشغيل تلقائي", "תשובה אוטומטית", "trả lời tự động",
	"balasan otomatis", "ตอบกลับอัตโนมัติ"};

static bool subject_of_bounce(struct str subject)
{
	for (size_t i = 0; i < ARRAY_LEN(bounce_subjects); i++)
		if (begins(subject, bounce_subjects[i]))
			return true;
	return false;
}

/* The prefix, then a colon; the French set a blank between. Without the colon it takes a mail that answers
 * one, or that nobody sent. */
static bool subject_of_reply(struct str subject, bool answers)
{
	for (size_t i = 0; i < ARRAY_LEN(reply_prefixes); i++) {
		size_t length = strlen(reply_prefixes[i]);
		struct str rest;
		if (!begins(subject, reply_prefixes[i]))
			continue;
		rest = (struct str){subject.p + length, subject.len - length};
		while (str_starts(rest, STR(" ")) || str_starts(rest, STR("\u00a0")) ||
			str_starts(rest, STR("\u202f")))
			rest = *rest.p == ' ' ? (struct str){rest.p + 1, rest.len - 1}
			                      : (struct str){rest.p + (*rest.p == '\xc2' ? 2 : 3),
							rest.len - (*rest.p == '\xc2' ? 2u : 3u)};
		if (answers || str_starts(rest, STR(":")) || str_starts(rest, STR("\uff1a")))
			return true;
	}
	return false;
}

/* --- rules --- */

static bool is_no_reply(struct str address)
{
	return local_part_is(address, "no-reply") || local_part_is(address, "noreply") ||
	       local_part_is(address, "no_reply") || local_part_is(address, "donotreply");
}

/* A mail that nobody sent (RFC 5321 4.5.5), or a postmaster: given away by what it says or brings back. */
static bool bounces_informally(const struct mail *mail, GMimeObject *body, struct str subject, bool nobody)
{
	bool postmaster = local_part_is(mail->reporter, "postmaster");

	if (nobody && (postmaster || (is_no_reply(mail->reporter) && has_part(body, "message", "rfc822"))))
		return true;
	return (nobody || postmaster) && subject_of_bounce(subject);
}

static bool bounces(
	const struct mail *mail, GMimeObject *object, GMimeObject *body, struct str subject, bool nobody)
{
	return has_part(body, "message", "delivery-status") ||
	       has_part(body, "message", "global-delivery-status") ||
	       local_part_is(mail->reporter, "mailer-daemon") || header_is(object, "From", "mailer-daemon") ||
	       bounces_informally(mail, body, subject, nobody) ||
	       header_stands(object, "X-Failed-Recipients");
}

/* "auto-generated" (RFC 3834 5.2) is not among these: so do machines mark what they report. */
static bool replies_by_itself(GMimeObject *object, GMimeObject *body, struct str subject, bool nobody)
{
	static const char *const fields[] = {"X-Autoreply", "X-Autorespond", "X-Autoreply-From",
		"X-Mail-Autoreply", "X-Autogenerated-Reply", "Auto-Reply-From"};
	bool answers =
		nobody || header_stands(object, "In-Reply-To") || header_is(object, "Precedence", "junk");

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (header_stands(object, fields[i]))
			return true;
	return header_is(object, "Auto-Submitted", "auto-replied") ||
	       header_is(object, "Precedence", "auto_reply") ||
	       header_is(object, "X-Precedence", "auto_reply") ||
	       header_is(object, "Delivered-To", "autoresponder") ||
	       has_part(body, "message", "disposition-notification") || subject_of_reply(subject, answers);
}

struct str mail_subkind(struct mail *mail, GMimeMessage *message, struct str subject)
{
	GMimeObject *object = GMIME_OBJECT(message);
	GMimeObject *body = g_mime_message_get_mime_part(message);
	GMimeContentType *type = body ? g_mime_object_get_content_type(body) : NULL;
	const char *report = type ? g_mime_content_type_get_parameter(type, "report-type") : NULL;
	bool nobody = mail->null_sender || header_is(object, "Return-Path", "<>") ||
	              header_is(object, "Return-Path", "<mailer-daemon>");

	if (report && g_ascii_strcasecmp(report, "feedback-report") == 0)
		return STR_NONE;
	if (report && g_ascii_strcasecmp(report, "disposition-notification") == 0)
		return STR("auto-reply");
	if ((report && g_ascii_strcasecmp(report, "delivery-status") == 0) ||
		bounces(mail, object, body, subject, nobody))
		return STR("bounce");
	return replies_by_itself(object, body, subject, nobody) ? STR("auto-reply") : STR_NONE;
}

/* --- whom nothing is to be answered --- */

static bool header_has_any(GMimeObject *object, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (header_stands(object, names[i]))
			return true;
	return false;
}

static bool local_part_ends(struct str address, const char *end)
{
	size_t length = strlen(end);
	const char *at = address.len > 0 ? memchr(address.p, '@', address.len) : NULL;
	size_t local = at ? (size_t)(at - address.p) : address.len;

	return local > length &&
	       str_equal_nocase((struct str){address.p + local - length, length}, str_of(end));
}

/* Who speaks for a list, a program or nobody (RFC 2142, RFC 5230 section 4.6). */
static bool is_robot(struct str address)
{
	static const char *const locals[] = {"mailer-daemon", "postmaster", "listserv", "majordomo",
		"mailman", "bounce", "bounces", "mdaemon", "autoresponder", "auto-reply", "autoreply",
		"notification", "notifications", "do-not-reply"};

	for (size_t i = 0; i < ARRAY_LEN(locals); i++)
		if (local_part_is(address, locals[i]))
			return true;
	return is_no_reply(address) || begins(address, "owner-") || begins(address, "bounce+") ||
	       begins(address, "bounce-") || begins(address, "no-reply") || begins(address, "noreply") ||
	       local_part_ends(address, "-request") || local_part_ends(address, "-bounces") ||
	       local_part_ends(address, "-owner") || local_part_ends(address, "-noreply") ||
	       local_part_ends(address, "-no-reply");
}

bool mail_is_machine(const struct mail *mail, GMimeMessage *message)
{
	static const char *const lists[] = {"List-Id", "List-Post", "List-Unsubscribe", "List-Help",
		"List-Subscribe", "List-Owner", "List-Archive", "Mailing-List", "X-Loop", "X-BeenThere",
		"X-Auto-Response-Suppress", "X-Autoreply", "X-Autorespond", "Feedback-ID"};
	GMimeObject *object = GMIME_OBJECT(message);
	struct str submitted = str_trim(mail_header_raw(object, "Auto-Submitted"));

	return mail->null_sender || header_is(object, "Return-Path", "<>") ||
	       (submitted.len > 0 && !str_equal_nocase(submitted, STR("no"))) ||
	       header_is(object, "Auto-Submitted", "auto-") || header_is(object, "Precedence", "bulk") ||
	       header_is(object, "Precedence", "list") || header_is(object, "Precedence", "junk") ||
	       header_is(object, "Precedence", "auto_reply") ||
	       header_has_any(object, lists, ARRAY_LEN(lists)) || is_robot(mail->reporter) ||
	       (mail->sender.len > 0 && is_robot(mail->sender));
}

/* --- what it brings back --- */

/* "rfc822; it@customer.example" without the type in front */
static struct str typed(struct str value)
{
	const char *semicolon = value.len ? memchr(value.p, ';', value.len) : NULL;

	if (!semicolon)
		return value;
	return str_trim((struct str){semicolon + 1, value.len - (size_t)(semicolon + 1 - value.p)});
}

/* The next block of fields: they are apart by an empty line. */
static bool next_block(struct str *rest, struct str *block)
{
	const char *start = rest->p;
	size_t length = 0;
	struct str line;

	while (rest->len > 0 && str_split(rest, '\n', &line)) {
		if (str_trim(line).len > 0)
			length = (size_t)(line.p + line.len - start);
		else if (length > 0)
			break;
		else
			start = rest->p;
	}
	*block = (struct str){start, length};
	return length > 0;
}

/* A word of a line: what stands in it apart by white space, "-" for nothing. */
static struct str word_of(struct arena *arena, struct str value, size_t most)
{
	char *copy;
	size_t len = 0;

	value = utf8_cut(value, most);
	copy = arena_alloc(arena, value.len + 1);
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.p[i] > ' ')
			copy[len++] = value.p[i];
	return len > 0 ? (struct str){copy, len} : STR("-");
}

/* One line, whatever the reason holds. */
static struct str line_of(struct arena *arena, struct str value, size_t most)
{
	char *copy;

	value = utf8_cut(value, most);
	copy = arena_alloc(arena, value.len + 1);
	for (size_t i = 0; i < value.len; i++)
		copy[i] = (char)((unsigned char)value.p[i] < ' ' ? ' ' : value.p[i]);
	return value.len > 0 ? (struct str){copy, value.len} : STR("-");
}

/* Of one recipient, as a note and as a line of letter.returned; false: the block is of the mail as a whole.
 */
static bool take_recipient(struct mail *mail, struct str block, struct buf *returned)
{
	struct arena *arena = mail->reading->arena;
	struct fields fields;
	struct str recipient, action, status, reason;

	fields_read(block, false, arena, &fields);
	recipient = typed(fields_value(&fields, "Final-Recipient"));
	if (recipient.len == 0)
		recipient = typed(fields_value(&fields, "Original-Recipient"));
	if (recipient.len == 0)
		return false;
	action = fields_value(&fields, "Action");
	status = fields_value(&fields, "Status");
	reason = typed(fields_value(&fields, "Diagnostic-Code"));
	reading_note(mail->reading, mail_report(mail), STR_FMT,
		STR_ARG(str_trim(arena_printf(arena, STR_FMT " " STR_FMT " " STR_FMT " " STR_FMT,
			STR_ARG(utf8_cut(action, 20)), STR_ARG(utf8_cut(recipient, 200)),
			STR_ARG(utf8_cut(status, 20)), STR_ARG(utf8_cut(reason, 200))))));
	buf_printf(returned, STR_FMT " " STR_FMT " " STR_FMT " " STR_FMT "\n",
		STR_ARG(word_of(arena, action, 20)), STR_ARG(word_of(arena, status, 20)),
		STR_ARG(word_of(arena, recipient, 200)), STR_ARG(line_of(arena, reason, 200)));
	return true;
}

void mail_take_delivery(struct mail *mail, struct str bytes)
{
	struct letter *letter = &mail_item(mail)->letter;
	struct buf returned = {0};
	struct str block;

	if (!str_equal(mail_item(mail)->subkind, STR("bounce")) || letter->returned.len > 0)
		return;
	for (int count = 0; count < LETTER_RETURNED && next_block(&bytes, &block);)
		count += take_recipient(mail, block, &returned);
	mail_item(mail)->letter.returned = arena_str(mail->reading->arena, buf_view(&returned));
	buf_free(&returned);
}

void mail_take_returned(struct mail *mail, struct str message_id)
{
	struct letter *letter = &mail_item(mail)->letter;
	struct arena *arena = mail->reading->arena;

	if (mail_item(mail)->kind != ITEM_CORRESPONDENCE || letter->replies.len > 0)
		return;
	letter->replies = letter_replies(message_id, STR_NONE, arena);
}
