#include "wire/smtp.h"

#include <stdlib.h>

#include "base/mem.h"
#include "wire/smtp_data.h"
#include "wire/smtp_path.h"

/* RFC 5321 4.5.3.1.4 asks for 512; extensions and long addresses (VERP) need more. */
#define COMMAND_MAX 2048
/* A client that only makes mistakes is cut off. */
#define MISTAKES_MAX 20
/* What is skipped of a mail that cannot be kept before the session is ended instead. */
#define SKIP_MAX (UINT64_C(256) << 20)

enum phase { PHASE_COMMAND, PHASE_OVERLONG, PHASE_DATA, PHASE_SKIP, PHASE_OVER };
enum question { ASK_NOTHING, ASK_RECIPIENT, ASK_BEGIN, ASK_END };

struct smtp {
	struct smtp_settings settings;
	enum phase phase;
	enum question question;
	struct smtp_data data;
	bool greeted; /* EHLO, HELO or LHLO was said */
	bool in_mail; /* MAIL was taken */
	bool utf8;
	bool tls;
	bool reset_due; /* the host is to hear SMTP_RESET next */
	bool tls_due;
	bool drop_due;
	unsigned mistakes;
	size_t recipients;
	size_t answers_due;
	size_t consume; /* bytes of the input given to the host by the last SMTP_BYTES */
	uint64_t size;
	uint64_t skipped;
	const struct smtp_reply *hold;
	struct smtp_reply spoiled; /* code 0: the mail is well */
	struct buf helo;
	struct buf sender;
	struct buf address;
	struct buf out;
};

static const struct smtp_reply reply_too_big = {552, "5.3.4", "message too big"};
static const struct smtp_reply reply_forged = {
	554, "5.6.0", "a dot alone between line ends other than CR LF: such mail is not taken"};

static void smtp_say(struct smtp *smtp, int code, const char *enhanced, const char *text)
{
	buf_printf(&smtp->out, "%d %s%s%s\r\n", code, enhanced ? enhanced : "", enhanced ? " " : "", text);
}

static void smtp_reply_with(struct smtp *smtp, const struct smtp_reply *reply)
{
	smtp_say(smtp, reply->code, reply->enhanced, reply->text);
	if (reply->code == 421)
		smtp->phase = PHASE_OVER;
}

static void smtp_mistake(struct smtp *smtp, int code, const char *enhanced, const char *text)
{
	smtp_say(smtp, code, enhanced, text);
	if (++smtp->mistakes < MISTAKES_MAX)
		return;
	smtp_say(smtp, 421, "4.7.0", "too many mistakes");
	smtp->phase = PHASE_OVER;
}

struct smtp *smtp_new(const struct smtp_settings *settings)
{
	struct smtp *smtp = mem_alloc(sizeof(*smtp));

	smtp->settings = *settings;
	buf_printf(&smtp->out, "220 %s %s cirtd\r\n", settings->hostname, settings->lmtp ? "LMTP" : "ESMTP");
	return smtp;
}

void smtp_free(struct smtp **smtp_ptr)
{
	struct smtp *smtp = *smtp_ptr;

	if (!smtp)
		return;
	buf_free(&smtp->helo);
	buf_free(&smtp->sender);
	buf_free(&smtp->address);
	buf_free(&smtp->out);
	free(smtp);
	*smtp_ptr = NULL;
}

static void smtp_forget_mail(struct smtp *smtp)
{
	if (smtp->in_mail)
		smtp->reset_due = true;
	smtp->in_mail = false;
	smtp->utf8 = false;
	smtp->recipients = 0;
	smtp->answers_due = 0;
	smtp->size = 0;
	smtp->skipped = 0;
	smtp->spoiled.code = 0;
	buf_clear(&smtp->sender);
}

/* Commands. Each gets what stands behind its verb, trimmed. */

static void smtp_greet(struct smtp *smtp, struct str name, bool extended)
{
	if (name.len == 0 || name.len > SMTP_DOMAIN_MAX) {
		smtp_mistake(smtp, 501, "5.5.4", "say your host name");
		return;
	}
	smtp_forget_mail(smtp);
	buf_clear(&smtp->helo);
	buf_str(&smtp->helo, name);
	smtp->greeted = true;
	if (!extended) {
		buf_printf(&smtp->out, "250 %s\r\n", smtp->settings.hostname);
		return;
	}
	buf_printf(&smtp->out,
		"250-%s\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE %llu\r\n",
		smtp->settings.hostname, (unsigned long long)smtp->settings.max_size);
	if (smtp->settings.starttls && !smtp->tls)
		buf_text(&smtp->out, "250-STARTTLS\r\n");
	buf_text(&smtp->out, "250 ENHANCEDSTATUSCODES\r\n");
}

static void command_lhlo(struct smtp *smtp, struct str rest)
{
	if (smtp->settings.lmtp)
		smtp_greet(smtp, rest, true);
	else
		smtp_mistake(smtp, 500, "5.5.1", "this is SMTP: say EHLO");
}

static void command_ehlo(struct smtp *smtp, struct str rest)
{
	if (smtp->settings.lmtp)
		smtp_mistake(smtp, 500, "5.5.1", "this is LMTP: say LHLO");
	else
		smtp_greet(smtp, rest, true);
}

static void command_helo(struct smtp *smtp, struct str rest)
{
	if (smtp->settings.lmtp)
		smtp_mistake(smtp, 500, "5.5.1", "this is LMTP: say LHLO");
	else
		smtp_greet(smtp, rest, false);
}

struct mail_parameters {
	uint64_t size;
	bool utf8;
};

static bool mail_parameters_read(struct str rest, struct mail_parameters *parameters)
{
	struct str key;
	struct str value;

	while (smtp_parameter(&rest, &key, &value)) {
		if (str_equal_nocase(key, STR("SIZE"))) {
			if (!str_to_u64(value, &parameters->size))
				return false;
		} else if (str_equal_nocase(key, STR("BODY"))) {
			if (!str_equal_nocase(value, STR("7BIT")) &&
				!str_equal_nocase(value, STR("8BITMIME")))
				return false;
		} else if (str_equal_nocase(key, STR("SMTPUTF8")) && !value.p) {
			parameters->utf8 = true;
		} else {
			return false;
		}
	}
	return true;
}

/* Cut `prefix` ("FROM:"), whatever its case, off the front of *rest. */
static bool cut_prefix(struct str *rest, struct str prefix)
{
	if (rest->len < prefix.len || !str_equal_nocase((struct str){rest->p, prefix.len}, prefix))
		return false;
	*rest = (struct str){rest->p + prefix.len, rest->len - prefix.len};
	return true;
}

static bool is_ascii(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.p[i] >= 0x80)
			return false;
	}
	return true;
}

static void command_mail(struct smtp *smtp, struct str rest)
{
	struct mail_parameters parameters = {0, false};
	struct str address;

	if (!smtp->greeted) {
		smtp_mistake(smtp, 503, "5.5.1", smtp->settings.lmtp ? "say LHLO first" : "say EHLO first");
	} else if (smtp->in_mail) {
		smtp_mistake(smtp, 503, "5.5.1", "one mail at a time");
	} else if (!cut_prefix(&rest, STR("FROM:")) || !smtp_path(&rest, true, &address)) {
		smtp_mistake(smtp, 501, "5.1.7", "expected MAIL FROM:<address>");
	} else if (!mail_parameters_read(rest, &parameters)) {
		smtp_mistake(
			smtp, 555, "5.5.4", "expected SIZE=number, BODY=7BIT, BODY=8BITMIME or SMTPUTF8");
	} else if (!parameters.utf8 && !is_ascii(address)) {
		smtp_mistake(smtp, 553, "5.6.7", "such an address needs SMTPUTF8");
	} else if (smtp->hold) {
		smtp_reply_with(smtp, smtp->hold);
	} else if (parameters.size > smtp->settings.max_size) {
		smtp_reply_with(smtp, &reply_too_big);
	} else {
		smtp->in_mail = true;
		smtp->utf8 = parameters.utf8;
		smtp->size = parameters.size;
		buf_clear(&smtp->sender);
		buf_str(&smtp->sender, address);
		smtp_say(smtp, 250, "2.1.0", "sender ok");
	}
}

static void command_rcpt(struct smtp *smtp, struct str rest)
{
	struct str address;

	if (!smtp->in_mail) {
		smtp_mistake(smtp, 503, "5.5.1", "say MAIL first");
	} else if (!cut_prefix(&rest, STR("TO:")) || !smtp_path(&rest, smtp->utf8, &address) ||
		   address.len == 0) {
		smtp_mistake(smtp, 501, "5.1.3", "expected RCPT TO:<address>");
	} else if (str_trim(rest).len > 0) {
		smtp_mistake(smtp, 555, "5.5.4", "expected no parameters");
	} else if (smtp->recipients >= smtp->settings.max_recipients) {
		smtp_say(smtp, 452, "4.5.3", "too many recipients");
	} else {
		buf_clear(&smtp->address);
		buf_str(&smtp->address, address);
		smtp->question = ASK_RECIPIENT;
	}
}

static void command_data(struct smtp *smtp, struct str rest)
{
	if (rest.len > 0)
		smtp_mistake(smtp, 501, "5.5.4", "DATA stands alone");
	else if (smtp->recipients == 0)
		smtp_mistake(
			smtp, 503, "5.5.1", smtp->in_mail ? "no recipient was accepted" : "say MAIL first");
	else
		smtp->question = ASK_BEGIN;
}

static void command_rset(struct smtp *smtp, struct str rest)
{
	(void)rest;
	smtp_forget_mail(smtp);
	smtp_say(smtp, 250, "2.0.0", "forgotten");
}

static void command_noop(struct smtp *smtp, struct str rest)
{
	(void)rest;
	smtp_say(smtp, 250, "2.0.0", "ok");
}

static void command_vrfy(struct smtp *smtp, struct str rest)
{
	(void)rest;
	smtp_say(smtp, 252, "2.5.0", "send mail and see");
}

static void command_help(struct smtp *smtp, struct str rest)
{
	(void)rest;
	smtp_say(smtp, 214, "2.0.0", smtp->settings.lmtp ? "RFC 2033" : "RFC 5321");
}

static void command_quit(struct smtp *smtp, struct str rest)
{
	(void)rest;
	smtp_say(smtp, 221, "2.0.0", "bye");
	smtp->phase = PHASE_OVER;
}

static void command_starttls(struct smtp *smtp, struct str rest)
{
	if (!smtp->settings.starttls || smtp->tls) {
		smtp_mistake(smtp, 503, "5.5.1", "no STARTTLS here");
	} else if (rest.len > 0) {
		smtp_mistake(smtp, 501, "5.5.4", "STARTTLS stands alone");
	} else {
		smtp_say(smtp, 220, "2.0.0", "go ahead");
		smtp->tls_due = true;
	}
}

static const struct command {
	struct str verb;
	void (*call)(struct smtp *smtp, struct str rest);
} commands[] = {
	{{"LHLO", 4}, command_lhlo},
	{{"EHLO", 4}, command_ehlo},
	{{"HELO", 4}, command_helo},
	{{"MAIL", 4}, command_mail},
	{{"RCPT", 4}, command_rcpt},
	{{"DATA", 4}, command_data},
	{{"RSET", 4}, command_rset},
	{{"NOOP", 4}, command_noop},
	{{"VRFY", 4}, command_vrfy},
	{{"HELP", 4}, command_help},
	{{"QUIT", 4}, command_quit},
	{{"STARTTLS", 8}, command_starttls},
};

static void smtp_command(struct smtp *smtp, struct str line)
{
	const char *space = line.len > 0 ? memchr(line.p, ' ', line.len) : NULL;
	struct str verb = {line.p, space ? (size_t)(space - line.p) : line.len};
	struct str rest = str_trim((struct str){line.p + verb.len, line.len - verb.len});

	if (line.len > 0 && memchr(line.p, 0, line.len)) {
		smtp_mistake(smtp, 501, "5.5.2", "a command holds no NUL");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (str_equal_nocase(commands[i].verb, verb)) {
			commands[i].call(smtp, rest);
			return;
		}
	}
	smtp_mistake(smtp, 500, "5.5.2", "unknown command");
}

/* The first CR LF in `in`: 1 and *len of the line before it; 0: not yet; -1: a bare CR or LF comes first. */
static int find_line(const struct buf *in, size_t *len)
{
	for (size_t i = 0; i < in->len; i++) {
		if (in->data[i] == '\n')
			return -1;
		if (in->data[i] != '\r')
			continue;
		if (i + 1 == in->len)
			return 0;
		*len = i;
		return in->data[i + 1] == '\n' ? 1 : -1;
	}
	return 0;
}

static bool smtp_read_command(struct smtp *smtp, struct buf *in)
{
	size_t len = 0;
	int found = find_line(in, &len);

	if (found < 0) {
		smtp_say(smtp, 500, "5.5.2", "a line ends in CR LF and holds no other");
		smtp->phase = PHASE_OVER;
		return true;
	}
	if (found == 0 && in->len <= COMMAND_MAX)
		return false;
	if (found == 0 || len > COMMAND_MAX) {
		smtp->phase = PHASE_OVERLONG;
		return true;
	}
	smtp_command(smtp, (struct str){in->data, len});
	buf_consume(in, len + 2);
	return true;
}

/* Throw away up to the end of a line that was too long for a command. */
static bool smtp_skip_line(struct smtp *smtp, struct buf *in)
{
	size_t len = 0;
	int found = find_line(in, &len);

	if (found < 0) {
		smtp_say(smtp, 500, "5.5.2", "a line ends in CR LF and holds no other");
		smtp->phase = PHASE_OVER;
		return true;
	}
	if (found == 0) {
		size_t keep = in->len > 0 && in->data[in->len - 1] == '\r' ? 1 : 0;

		buf_consume(in, in->len - keep);
		return false;
	}
	buf_consume(in, len + 2);
	smtp->phase = PHASE_COMMAND;
	smtp_mistake(smtp, 500, "5.5.2", "line too long");
	return true;
}

/* Mail data. */

static void smtp_answer_all(struct smtp *smtp, const struct smtp_reply *reply)
{
	size_t count = smtp->settings.lmtp ? smtp->recipients : 1;

	while (count-- > 0)
		smtp_say(smtp, reply->code, reply->enhanced, reply->text);
}

static void smtp_data_end(struct smtp *smtp)
{
	smtp->phase = PHASE_COMMAND;
	if (smtp->spoiled.code != 0) {
		smtp_answer_all(smtp, &smtp->spoiled);
		smtp_forget_mail(smtp);
		return;
	}
	smtp->question = ASK_END;
	smtp->answers_due = smtp->settings.lmtp ? smtp->recipients : 1;
}

static bool smtp_skip_run(struct smtp *smtp, struct buf *in, size_t len)
{
	buf_consume(in, len);
	smtp->skipped += len;
	if (smtp->skipped > SKIP_MAX) {
		smtp_answer_all(smtp, &smtp->spoiled);
		smtp->phase = PHASE_OVER;
	}
	return true;
}

/* The rest of the mail is skipped, and answered at its end. */
static bool smtp_refuse_run(struct smtp *smtp, struct buf *in, size_t len, const struct smtp_reply *reply)
{
	smtp_spoil(smtp, reply);
	smtp->drop_due = true;
	return smtp_skip_run(smtp, in, len);
}

/* True: *step is the host's, or there is more to do. */
static bool smtp_read_data(struct smtp *smtp, struct buf *in, struct smtp_event *event, bool *told)
{
	size_t len = 0;

	switch (smtp_data_scan(&smtp->data, buf_view(in), &len)) {
	case SMTP_DATA_MORE:
		return false;
	case SMTP_DATA_DOT:
		smtp_data_forged(&smtp->data, (struct str){in->data, len});
		buf_consume(in, len);
		return true;
	case SMTP_DATA_END:
		buf_consume(in, len);
		smtp_data_end(smtp);
		return true;
	case SMTP_DATA_RUN:
		break;
	}
	if (smtp->phase == PHASE_SKIP)
		return smtp_skip_run(smtp, in, len);
	if (smtp_data_forged(&smtp->data, (struct str){in->data, len}))
		return smtp_refuse_run(smtp, in, len, &reply_forged);
	smtp->size += len;
	if (smtp->size > smtp->settings.max_size)
		return smtp_refuse_run(smtp, in, len, &reply_too_big);
	event->bytes = (struct str){in->data, len};
	smtp->consume = len;
	*told = true;
	return true;
}

/* What the host must hear before anything else is read; SMTP_MORE: nothing. */
static enum smtp_step smtp_due(struct smtp *smtp, struct buf *in, struct smtp_event *event)
{
	if (smtp->drop_due) {
		smtp->drop_due = false;
		return SMTP_DROP;
	}
	if (smtp->reset_due) {
		smtp->reset_due = false;
		return SMTP_RESET;
	}
	if (smtp->tls_due) {
		smtp->tls_due = false;
		if (in->len >
			0) { /* RFC 3207 4.2: what came in clear must not be taken for what comes in TLS */
			smtp_say(smtp, 554, "5.5.1", "nothing may follow STARTTLS");
			smtp->phase = PHASE_OVER;
			return SMTP_CLOSE;
		}
		return SMTP_TLS;
	}
	if (smtp->question != ASK_NOTHING && smtp->answers_due == 0) {
		smtp->answers_due = 1;
		event->bytes = buf_view(&smtp->address);
		return smtp->question == ASK_RECIPIENT ? SMTP_RECIPIENT : SMTP_BEGIN;
	}
	return SMTP_MORE;
}

enum smtp_step smtp_step(struct smtp *smtp, struct buf *in, struct smtp_event *event)
{
	event->bytes = STR_NONE;
	if (smtp->consume > 0) {
		buf_consume(in, smtp->consume);
		smtp->consume = 0;
	}
	if (smtp->answers_due > 0)
		return SMTP_WAITING;
	for (;;) {
		enum smtp_step due = smtp_due(smtp, in, event);
		bool told = false;
		bool progress = false;

		if (due != SMTP_MORE)
			return due;
		switch (smtp->phase) {
		case PHASE_COMMAND:
			progress = smtp_read_command(smtp, in);
			break;
		case PHASE_OVERLONG:
			progress = smtp_skip_line(smtp, in);
			break;
		case PHASE_DATA:
		case PHASE_SKIP:
			progress = smtp_read_data(smtp, in, event, &told);
			break;
		case PHASE_OVER:
			return SMTP_CLOSE;
		}
		if (told)
			return SMTP_BYTES;
		if (smtp->question == ASK_END && smtp->answers_due > 0)
			return SMTP_END;
		if (!progress)
			return SMTP_MORE;
	}
}

struct buf *smtp_output(struct smtp *smtp)
{
	return &smtp->out;
}

static void smtp_begin_data(struct smtp *smtp)
{
	smtp->phase = PHASE_DATA;
	smtp->data = (struct smtp_data){0};
	smtp->size = 0;
	smtp->skipped = 0;
}

void smtp_answer(struct smtp *smtp, const struct smtp_reply *reply)
{
	enum question question = smtp->question;

	if (smtp->answers_due == 0)
		return;
	smtp_reply_with(smtp, reply);
	if (--smtp->answers_due > 0)
		return;
	smtp->question = ASK_NOTHING;
	switch (question) {
	case ASK_RECIPIENT:
		if (reply->code < 300)
			smtp->recipients++;
		else if (reply->code >= 500 && ++smtp->mistakes >= MISTAKES_MAX)
			smtp_reply_with(smtp, &(struct smtp_reply){421, "4.7.0", "too many mistakes"});
		break;
	case ASK_BEGIN:
		if (reply->code == 354)
			smtp_begin_data(smtp);
		else
			smtp_forget_mail(smtp);
		break;
	default:
		smtp_forget_mail(smtp);
	}
}

size_t smtp_answers_due(const struct smtp *smtp)
{
	return smtp->answers_due;
}

void smtp_hold(struct smtp *smtp, const struct smtp_reply *reason)
{
	smtp->hold = reason;
}

void smtp_spoil(struct smtp *smtp, const struct smtp_reply *reason)
{
	if (smtp->phase != PHASE_DATA)
		return;
	smtp->phase = PHASE_SKIP;
	smtp->spoiled = *reason;
}

void smtp_tls_started(struct smtp *smtp)
{
	smtp_forget_mail(smtp);
	smtp->tls = true;
	smtp->greeted = false; /* RFC 3207 4.2: all that was said in clear is forgotten */
	buf_clear(&smtp->helo);
}

bool smtp_between_mails(const struct smtp *smtp)
{
	return smtp->phase != PHASE_DATA && smtp->phase != PHASE_SKIP && smtp->answers_due == 0;
}

struct str smtp_helo(const struct smtp *smtp)
{
	return buf_view(&smtp->helo);
}

struct str smtp_sender(const struct smtp *smtp)
{
	return buf_view(&smtp->sender);
}

bool smtp_is_utf8(const struct smtp *smtp)
{
	return smtp->utf8;
}

uint64_t smtp_size(const struct smtp *smtp)
{
	return smtp->size;
}
