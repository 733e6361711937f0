#include "wire/mime.h"

#include "base/clock.h"
#include "model/storable.h"
#include "wire/archive.h"
#include "wire/auth_results.h"
#include "wire/envelope_facts.h"
#include "wire/letter.h"

struct item *mail_item(const struct mail *mail)
{
	return &mail->reading->items[mail->index];
}

struct report *mail_report(const struct mail *mail)
{
	return &mail_item(mail)->report;
}

/* --- what the door says --- */

static void add_recipient(struct mail *mail, struct str address)
{
	struct str normal;

	if (observable_normalise(OBSERVABLE_EMAIL, address, mail->reading->arena, &normal))
		mail->recipients[mail->recipient_count++] = arena_str(mail->reading->arena, normal);
}

static void read_envelope(struct mail *mail, struct str envelope)
{
	struct envelope_facts facts;

	if (!envelope_read(envelope, mail->reading->arena, &facts))
		return;
	mail->sender = facts.from;
	mail->null_sender = facts.has_from && (facts.from.len == 0 || str_equal(facts.from, STR("<>")));
	mail->recipients = arena_alloc(mail->reading->arena, facts.to_count * sizeof(struct str));
	for (size_t i = 0; i < facts.to_count; i++)
		add_recipient(mail, facts.to[i]);
	mail->from_trusted = mail->reading->hops && !str_equal(facts.door, STR("submit")) &&
	                     spam_peer_trusted(mail->reading->hops, facts.peer);
}

/* --- observables that are none --- */

static struct str domain_of(struct str address)
{
	const char *at = address.len ? memchr(address.p, '@', address.len) : NULL;

	return at ? (struct str){at + 1, address.len - (size_t)(at + 1 - address.p)} : STR_NONE;
}

/* The desk itself and who writes to it are no indicators, however often quoted. */
static bool is_ours(const struct mail *mail, const struct observable *observable)
{
	if (observable->role == OBSERVED_REPORTER)
		return false;
	if (observable->type == OBSERVABLE_EMAIL && str_equal(observable->value, mail->reporter))
		return true;
	for (size_t i = 0; i < mail->recipient_count; i++) {
		if (observable->type == OBSERVABLE_EMAIL && str_equal(observable->value, mail->recipients[i]))
			return true;
		if (observable->type == OBSERVABLE_NAME &&
			str_equal(observable->value, domain_of(mail->recipients[i])))
			return true;
	}
	return false;
}

static void drop_ours(const struct mail *mail)
{
	struct report *report = mail_report(mail);
	size_t kept = 0;

	for (size_t i = 0; i < report->observable_count; i++)
		if (!is_ours(mail, &report->observables[i]))
			report->observables[kept++] = report->observables[i];
	report->observable_count = kept;
}

/* --- the mail --- */

struct str mail_one_line(const struct mail *mail, struct str text)
{
	char *copy = arena_alloc(mail->reading->arena, text.len + 1);

	for (size_t i = 0; i < text.len; i++)
		copy[i] = (char)((unsigned char)text.p[i] < ' ' && text.p[i] != 0 ? ' ' : text.p[i]);
	return storable_text((struct str){copy, text.len}, MAX_TITLE, mail->reading->arena, NULL);
}

static void read_reporter(struct mail *mail, GMimeMessage *message)
{
	struct str address = mail_address(mail, GMIME_OBJECT(message), "From");
	struct report *report = mail_report(mail);

	if (!reading_observable(mail->reading, report, OBSERVABLE_EMAIL, OBSERVED_REPORTER, address) &&
		!reading_observable(mail->reading, report, OBSERVABLE_EMAIL, OBSERVED_REPORTER, mail->sender))
		mail->reporter = address;
	else
		mail->reporter = report->observables[0].value;
}

static void read_letter(struct mail *mail, GMimeMessage *message, struct str subject)
{
	struct arena *arena = mail->reading->arena;
	GMimeObject *object = GMIME_OBJECT(message);
	struct letter *letter = &mail_item(mail)->letter;
	struct str normal;

	letter->is_mail = true;
	if (observable_normalise(OBSERVABLE_EMAIL, mail->reporter, arena, &normal))
		letter->sender = arena_str(arena, normal);
	letter->id = letter_replies(mail_header_raw(object, "Message-ID"), STR_NONE, arena);
	letter->replies = letter_replies(
		mail_header_raw(object, "In-Reply-To"), mail_header_raw(object, "References"), arena);
	letter->tags = letter_tags(subject, arena);
	letter->machine = mail_is_machine(mail, message);
	if (mail->from_trusted) {
		letter->spam = spam_verdict(mail->reading->hops, mail->whole, arena);
		letter->dmarc = auth_dmarc(mail->reading->hops, mail->whole, letter->sender, arena);
	}
}

static void read_headers(struct mail *mail, GMimeMessage *message)
{
	struct report *report = mail_report(mail);
	const char *id = g_mime_message_get_message_id(message);
	GDateTime *date = g_mime_message_get_date(message);
	struct str subject = mail_header(mail, GMIME_OBJECT(message), "Subject");

	read_reporter(mail, message);
	report->title = mail_one_line(mail, subject.len ? subject : STR("(no subject)"));
	report->sender_id = arena_str(mail->reading->arena,
		storable_text(id ? str_of(id) : STR_NONE, MAX_IDENTIFIER, mail->reading->arena, NULL));
	if (date)
		report->observed = g_date_time_to_unix(date) * CLOCK_SECOND;
	extract_observables(mail->reading, report, subject);
	read_letter(mail, message, subject);
	mail_machine_declared(mail, message);
	mail_item(mail)->subkind = mail_subkind(mail, message, subject);
	if (mail_item(mail)->subkind.len > 0)
		mail_item(mail)->kind = ITEM_CORRESPONDENCE;
}

/* A mail that was cut off: everything up to there is in the report, the part in which it ends is set aside.
 */
static void read_end(struct mail *mail)
{
	if (!mail->unclosed || !mail->last)
		return;
	reading_note(mail->reading, mail_report(mail), "the mail ends inside part " STR_FMT,
		STR_ARG(mail->last_path));
	reading_quarantine(mail->reading,
		arena_printf(mail->reading->arena, "part " STR_FMT, STR_ARG(mail->last_path)), "mime",
		mail_raw(mail, mail->last),
		"the mail ends inside this part: its closing boundary is missing");
}

void mail_item_finish(struct mail *mail)
{
	struct report *report = mail_report(mail);
	enum tlp tlp;

	report->text = arena_str(mail->reading->arena,
		storable_text(buf_view(&mail->text), MAX_TEXT, mail->reading->arena, NULL));
	tlp = mail_tlp(report->title, report->text);
	report->tlp = tlp > report->tlp ? tlp : report->tlp;
	drop_ours(mail);
}

static void read_message(struct mail *mail, GMimeMessage *message)
{
	GMimeObject *body;

	read_headers(mail, message);
	body = g_mime_message_get_mime_part(message);
	if (body)
		mail_walk(mail, body, (struct mail_place){.path = STR_NONE});
	mail_scope_leave(mail, NULL);
	if (mail->reading->waits)
		return;
	mail_look_again(mail, mail->whole, STR("raw mail"));
	mail_archives_open(mail);
	mail_sealed_end(mail);
	mail_machine_settle(mail);
	mail_item_finish(mail);
	read_end(mail);
}

void mail_take_digested(struct mail *mail, GMimeMessage *message, struct mail_place place)
{
	const struct mail_scope *outer = mail->scope, *own;
	GMimeObject *body = g_mime_message_get_mime_part(message);
	struct str part = arena_printf(mail->reading->arena, "part " STR_FMT, STR_ARG(place.path)), reason;
	struct str raw = mail_raw(mail, GMIME_OBJECT(message));
	size_t index = mail->reading->item_count;

	if (mail->reading->left_out &&
		mail->reading->left_out(mail->reading, mail->reading->next_item, &reason)) {
		reading_quarantine(mail->reading, part, "mime", raw, STR_FMT, STR_ARG(reason));
		return;
	}
	mail->statements++;
	reading_item(mail->reading, ITEM_REPORT)->part = part;
	mail_scope_enter(mail, index);
	own = mail->scope;
	mail->null_sender = mail->machine_made = false;
	mail->statements = 0;
	mail->bad_before = mail->reading->bad_count;
	reading_evidence(
		mail->reading, mail_item(mail)->number, STR("message.eml"), STR("message/rfc822"), raw);
	read_headers(mail, message);
	place.nested = true;
	place.quiet = false;
	place.depth++;
	if (body)
		mail_walk(mail, body, place);
	mail_scope_leave(mail, own);
	mail_machine_settle(mail);
	mail_scope_leave(mail, outer);
}

/* No mail, but the archive of one: a file that somebody hands in, or a part that comes out of quarantine. */
static bool read_archive(struct mail *mail, struct str bytes, struct err *err)
{
	struct reading *reading = mail->reading;
	size_t parts = reading->part_count;

	mail_report(mail)->title = STR("archive");
	reading_evidence(
		reading, mail_item(mail)->number, STR("archive"), STR("application/octet-stream"), bytes);
	mail_archive_add(mail, bytes, STR("archive"), (struct mail_place){.path = STR_NONE});
	mail_archives_open(mail);
	if (reading->part_count == parts)
		return err_set(err, ERR_MALFORMED, "an archive in which nothing can be read: " STR_FMT,
			STR_ARG(reading->items[reading->item_count - 1].reason));
	mail_machine_settle(mail);
	mail_item_finish(mail);
	return true;
}

bool mail_read(struct reading *reading, struct str bytes, struct str envelope, struct err *err)
{
	size_t bad;
	struct mail mail = {.reading = reading,
		.index = reading->item_count,
		.whole = charset_unmarked(bytes, reading->arena, &bad),
		.bad_before = reading->bad_count};
	struct str reason;
	GMimeMessage *message;

	if (reading->at)
		reading->at(reading, reading->next_item, "mime");
	if (reading->left_out && reading->left_out(reading, reading->next_item, &reason)) {
		reading_quarantine(reading, STR("mail"), "mime", bytes, STR_FMT, STR_ARG(reason));
		return true;
	}
	g_mime_init(); /* counts its callers, and is undone by none: the tables stay for the life of the
	                  process */
	reading_item(reading, ITEM_REPORT)->part = STR("mail");
	read_envelope(&mail, envelope);
	message = mail_parse(&mail, bytes, STR("header"));
	if (!message && archive_is(bytes))
		return read_archive(&mail, bytes, err);
	if (!message)
		return err_set(err, ERR_MALFORMED,
			"not a mail: expected a header field, a name and a colon, in the first line");
	reading_evidence(reading, mail_item(&mail)->number, STR("message.eml"), STR("message/rfc822"), bytes);
	read_message(&mail, message);
	g_object_unref(message);
	buf_free(&mail.text);
	mail_machine_tables(&mail);
	return true;
}
