#include "intake/mail.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/envelope.h"
#include "intake/mail_entry.h"
#include "model/reply_seal.h"
#include "wire/smtp.h"

/* Unread input, and replies that a client does not read, per connection. */
#define MAIL_INPUT  (64u << 10)
#define MAIL_OUTPUT (64u << 10)

struct recipient {
	char *address;
	uint32_t source;
};

struct mail {
	struct doors *doors;
	uint64_t slot;
	uint64_t peer; /* in doors->smtp_peers */
	bool lmtp;
	bool ending;
	bool draining;
	struct stream *stream;
	struct smtp *smtp;
	struct recipient *recipients; /* those taken, in their order */
	size_t recipient_count;
	struct mail_entry **entries; /* one per source among them */
	size_t entry_count;
	bool whole; /* all bytes are given; answers are due */
};

static const struct smtp_reply reply_full = {452, "4.3.1", "no room at present, try again later"};
static const struct smtp_reply reply_away = {451, "4.3.0", "not ready at present, try again later"};
static const struct smtp_reply reply_stopping = {421, "4.3.2", "stopping, try again later"};
static const struct smtp_reply reply_unknown = {550, "5.1.1", "no such mailbox here"};
static const struct smtp_reply reply_recipient = {250, "2.1.5", "recipient ok"};
static const struct smtp_reply reply_begin = {354, NULL, "end with CR LF . CR LF"};

static void mail_step(struct mail *mail);

static void mail_forget(struct mail *mail)
{
	for (size_t i = 0; i < mail->entry_count; i++)
		mail_entry_free(&mail->entries[i]);
	free(mail->entries);
	mail->entries = NULL;
	mail->entry_count = 0;
	mail->whole = false;
}

static void mail_forget_recipients(struct mail *mail)
{
	mail_forget(mail);
	for (size_t i = 0; i < mail->recipient_count; i++)
		free(mail->recipients[i].address);
	free(mail->recipients);
	mail->recipients = NULL;
	mail->recipient_count = 0;
}

/* Why no mail is taken at present; NULL: it is. */
static const struct smtp_reply *mail_hold(const struct mail *mail)
{
	if (mail->draining)
		return &reply_stopping;
	switch (appender_state(mail->doors->appender)) {
	case APPENDER_AWAY:
		return &reply_away;
	case APPENDER_CLOSED:
		return &reply_full;
	default:
		return NULL;
	}
}

/* Recipients */

/* Mail to drill+NAME@ is an exercise or nothing: never what another mailbox would take it for (trap 30). */
static bool recipient_is_drill(struct str address)
{
	static const struct str drill = {"drill+", 6};

	return address.len >= drill.len && str_equal_nocase((struct str){address.p, drill.len}, drill);
}

/*
 * Whose source a recipient is. A case's reply address counts for the mailbox that it is of; one whose seal is
 * not ours is nobody's, even where a mailbox takes everything, so that nobody gets into a case by guessing.
 */
static const struct source *recipient_source(const struct mail *mail, struct str address)
{
	const struct source_table *table = appender_sources(mail->doors->appender);
	struct arena *arena = arena_new(512);
	struct str mailbox = address;
	enum reply_kind kind =
		reply_check(room_grant(mail->doors->room, "reply.key"), address, arena, NULL, &mailbox);
	const struct source *source = kind == REPLY_FORGED ? NULL : source_by_recipient(table, mailbox);

	if (source && recipient_is_drill(address) && source->exercise.len == 0)
		source = NULL;
	mail->doors->counters.replies_forged += kind == REPLY_FORGED;
	arena_free(&arena);
	return source;
}

static void mail_recipient(struct mail *mail, struct str address)
{
	const struct source *source = recipient_source(mail, address);

	if (!source) {
		mail->doors->counters.recipients_refused++;
		smtp_answer(mail->smtp, &reply_unknown);
		return;
	}
	mail->recipients =
		mem_resize(mail->recipients, (mail->recipient_count + 1) * sizeof(*mail->recipients));
	mail->recipients[mail->recipient_count++] =
		(struct recipient){mem_strndup(address.p, address.len), source->id};
	smtp_answer(mail->smtp, &reply_recipient);
}

/* Entries */

static struct mail_entry *mail_entry_of(const struct mail *mail, uint32_t source)
{
	for (size_t i = 0; i < mail->entry_count; i++) {
		if (mail_entry_source(mail->entries[i]) == source)
			return mail->entries[i];
	}
	return NULL;
}

static void mail_envelope(const struct mail *mail, uint32_t source, struct buf *out)
{
	struct str *to = mem_alloc(mail->recipient_count * sizeof(*to));
	size_t count = 0;

	for (size_t i = 0; i < mail->recipient_count; i++) {
		if (mail->recipients[i].source == source)
			to[count++] = str_of(mail->recipients[i].address);
	}
	envelope_mail(
		out, &(struct envelope_mail){.door = str_of(mail->lmtp ? "lmtp" : "smtp"),
			     .peer = str_of(stream_peer(mail->stream)),
			     .tls = str_of(stream_is_tls(mail->stream) ? stream_tls_info(mail->stream) : ""),
			     .helo = smtp_helo(mail->smtp),
			     .from = smtp_sender(mail->smtp),
			     .utf8 = smtp_is_utf8(mail->smtp),
			     .to = to,
			     .to_count = count});
	free(to);
}

/* An entry's bad end while bytes still come: the rest of the mail need not be kept. */
static const struct smtp_reply *mail_trouble(const struct mail *mail)
{
	const struct smtp_reply *trouble = NULL;

	for (size_t i = 0; i < mail->entry_count; i++) {
		switch (mail_entry_state(mail->entries[i])) {
		case MAIL_ENTRY_LOST:
			return &reply_away;
		case MAIL_ENTRY_FULL:
			trouble = &reply_full;
			break;
		default:
			break;
		}
	}
	return trouble;
}

static bool mail_settled(const struct mail *mail)
{
	for (size_t i = 0; i < mail->entry_count; i++) {
		enum mail_entry_state state = mail_entry_state(mail->entries[i]);

		if (state == MAIL_ENTRY_CLOSED || state == MAIL_ENTRY_UNSURE)
			return false;
	}
	return true;
}

/* A reply's line has 512 bytes. */
#define IDS_TOLD 8

/* Each of these entries can be asked for by what is told here: cirt receipt. */
static void mail_say_taken(struct mail *mail, struct mail_entry *const *entries, size_t count)
{
	char text[IDS_TOLD * (ENTRY_ID_TEXT + 1) + 16] = "queued";
	size_t len = strlen(text);
	const char *before = " as";

	for (size_t i = 0; i < count && i < IDS_TOLD; i++) {
		char id[ENTRY_ID_TEXT];

		if (!mail_entry_id(entries[i]))
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %s", before,
			entry_id_format(mail_entry_id(entries[i]), id));
		before = "";
	}
	smtp_answer(mail->smtp, &(struct smtp_reply){250, "2.0.0", text});
}

static void mail_answer_for(struct mail *mail, struct mail_entry *entry)
{
	switch (mail_entry_state(entry)) {
	case MAIL_ENTRY_COMMITTED:
		mail_say_taken(mail, &entry, 1);
		break;
	case MAIL_ENTRY_FULL:
		smtp_answer(mail->smtp, &reply_full);
		break;
	default:
		smtp_answer(mail->smtp, &reply_away);
	}
}

/* All entries have ended: reply per recipient (LMTP), or once for all (SMTP). */
static void mail_answer(struct mail *mail)
{
	const struct smtp_reply *trouble = mail_trouble(mail);

	mail->whole = false;
	if (trouble) {
		mail->doors->counters.mails_refused++;
	} else {
		mail->doors->counters.mails++;
		mail->doors->counters.mail_bytes += smtp_size(mail->smtp);
	}
	if (mail->lmtp) {
		for (size_t i = 0; i < mail->recipient_count; i++)
			mail_answer_for(mail, mail_entry_of(mail, mail->recipients[i].source));
	} else if (trouble) {
		smtp_answer(mail->smtp, trouble);
	} else {
		mail_say_taken(mail, mail->entries, mail->entry_count);
	}
}

static void mail_entry_changed(void *context)
{
	struct mail *mail = context;
	const struct smtp_reply *trouble = mail_trouble(mail);

	if (trouble && !mail->whole) {
		smtp_spoil(mail->smtp, trouble);
		mail->doors->counters.mails_refused++;
		mail_forget(mail);
	}
	mail_resume(mail);
}

static void mail_begin(struct mail *mail)
{
	const struct smtp_reply *hold = mail_hold(mail);
	struct buf envelope = {0};

	mail->entries = mem_alloc(mail->recipient_count * sizeof(void *));
	for (size_t i = 0; i < mail->recipient_count && !hold; i++) {
		uint32_t source = mail->recipients[i].source;

		if (mail_entry_of(mail, source))
			continue;
		buf_clear(&envelope);
		mail_envelope(mail, source, &envelope);
		mail->entries[mail->entry_count] = mail_entry_new(mail->doors->appender, source,
			buf_view(&envelope), smtp_size(mail->smtp), mail->slot, mail->entry_count,
			mail_entry_changed, mail);
		if (mail->entries[mail->entry_count])
			mail->entry_count++;
		else
			hold = &reply_away;
	}
	buf_free(&envelope);
	if (hold)
		mail_forget(mail);
	smtp_answer(mail->smtp, hold ? hold : &reply_begin);
}

static void mail_end(struct mail *mail)
{
	mail->whole = true;
	for (size_t i = 0; i < mail->entry_count; i++)
		mail_entry_close(mail->entries[i]);
}

static void mail_bytes(struct mail *mail, struct str bytes)
{
	for (size_t i = 0; i < mail->entry_count; i++)
		mail_entry_bytes(mail->entries[i], bytes);
}

/* The connection */

static void mail_flush(struct mail *mail)
{
	struct buf *out = smtp_output(mail->smtp);

	if (out->len > 0)
		stream_write(mail->stream, out->data, out->len);
	buf_clear(out);
}

static void mail_close(struct mail *mail)
{
	mail_flush(mail);
	mail->ending = true;
	stream_end(mail->stream);
}

static void mail_start_tls(struct mail *mail)
{
	mail_flush(mail);
	stream_start_tls(mail->stream, mail->doors->mail_tls);
	smtp_tls_started(mail->smtp);
}

/* False: nothing more can be done at present. */
static bool mail_act(struct mail *mail)
{
	struct smtp_event event;

	smtp_hold(mail->smtp, mail_hold(mail));
	switch (smtp_step(mail->smtp, stream_input(mail->stream), &event)) {
	case SMTP_RECIPIENT:
		mail_recipient(mail, event.bytes);
		return true;
	case SMTP_BEGIN:
		mail_begin(mail);
		return true;
	case SMTP_BYTES:
		mail_bytes(mail, event.bytes);
		return true;
	case SMTP_END:
		mail_end(mail);
		return true;
	case SMTP_DROP:
		mail->doors->counters.mails_refused++;
		mail_forget(mail);
		return true;
	case SMTP_RESET:
		mail_forget_recipients(mail);
		return true;
	case SMTP_TLS:
		mail_start_tls(mail);
		return false;
	case SMTP_CLOSE:
		mail_close(mail);
		return false;
	case SMTP_MORE:
	case SMTP_WAITING:
		break;
	}
	return false;
}

static bool mail_may_go_on(const struct mail *mail)
{
	return !mail->ending && stream_queued(mail->stream) < MAIL_OUTPUT &&
	       appender_queued(mail->doors->appender) < DOORS_QUEUE_MAX;
}

static void mail_step(struct mail *mail)
{
	while (mail_may_go_on(mail)) {
		if (mail->whole && mail_settled(mail))
			mail_answer(mail);
		if (!mail_act(mail))
			break;
		if (smtp_output(mail->smtp)->len >= MAIL_OUTPUT)
			mail_flush(mail);
	}
	if (mail->ending)
		return;
	mail_flush(mail);
	if (mail->draining && smtp_between_mails(mail->smtp)) {
		const char text[] = "421 4.3.2 stopping, try again later\r\n";

		stream_write(mail->stream, text, sizeof(text) - 1);
		mail_close(mail);
	}
}

void mail_resume(struct mail *mail)
{
	for (size_t i = 0; i < mail->entry_count; i++)
		mail_entry_settle(mail->entries[i]);
	mail_step(mail);
}

void mail_drain(struct mail *mail)
{
	mail->draining = true;
	mail_step(mail);
}

static void on_readable(struct stream *stream, void *context)
{
	struct mail *mail = context;

	if (mail->ending)
		buf_clear(stream_input(stream));
	else
		mail_step(mail);
}

static void on_writable(struct stream *stream, void *context)
{
	(void)stream;
	mail_step(context);
}

static void on_closed(struct stream *stream, const char *why, void *context)
{
	struct mail *mail = context;
	struct doors *doors = mail->doors;

	if (!smtp_between_mails(mail->smtp)) {
		doors->counters.mails_broken++;
		log_info_f(LOG_F({"peer", stream_peer(stream)}), "connection lost with a mail on its way: %s",
			why ? why : "it ended");
	}
	mail_free(mail);
	doors_left(doors);
}

static const struct stream_calls mail_calls = {
	.readable = on_readable, .writable = on_writable, .closed = on_closed};

void mail_new(struct doors *doors, int fd, bool lmtp, uint64_t peer)
{
	const struct conf *conf = room_conf(doors->room);
	struct mail *mail = mem_alloc(sizeof(*mail));

	mail->doors = doors;
	mail->lmtp = lmtp;
	mail->peer = peer;
	/* The lowest free one: bookmarks of mails are kept by it, and so are no more than there were sessions
	 * at once. */
	while (map_get(doors->mails, mail->slot))
		mail->slot++;
	mail->smtp = smtp_new(&(struct smtp_settings){.lmtp = lmtp,
		.hostname = doors->hostname,
		.max_size = conf->mail_max_size,
		.max_recipients = conf->mail_max_recipients,
		.starttls = doors->mail_tls != NULL});
	mail->stream = stream_new(doors->loop, fd, NULL, true, &mail_calls, mail);
	stream_limit(mail->stream, MAIL_INPUT);
	stream_timeout(mail->stream, (int64_t)conf->mail_timeout);
	map_put(doors->mails, mail->slot, mail);
	doors->smtp_sessions += !lmtp;
	doors->counters.mail_sessions++;
	mail_flush(mail);
}

void mail_free(struct mail *mail)
{
	map_remove(mail->doors->mails, mail->slot);
	mail->doors->smtp_sessions -= !mail->lmtp;
	peers_leave(mail->doors->smtp_peers, mail->peer);
	mail_forget_recipients(mail);
	smtp_free(&mail->smtp);
	stream_free(&mail->stream);
	free(mail);
}
