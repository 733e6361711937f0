#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "wire/smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The second byte says how the host answers. */
static void answer(struct smtp *smtp, enum smtp_step step, uint8_t mood)
{
	static const struct smtp_reply good = {250, "2.0.0", "ok"};
	static const struct smtp_reply go = {354, NULL, "go"};
	static const struct smtp_reply bad = {550, "5.1.1", "no"};
	static const struct smtp_reply full = {452, "4.3.1", "full"};

	if (step == SMTP_RECIPIENT)
		smtp_answer(smtp, mood & 1 ? &bad : &good);
	else if (step == SMTP_BEGIN)
		smtp_answer(smtp, mood & 2 ? &full : &go);
	else if (step == SMTP_END)
		while (smtp_answers_due(smtp) > 0)
			smtp_answer(smtp, mood & 4 ? &full : &good);
	else if (step == SMTP_BYTES && mood & 8)
		smtp_spoil(smtp, &full);
	else if (step == SMTP_TLS)
		smtp_tls_started(smtp);
}

/* First byte: protocol and length of the pieces; then how the host answers; then what the client says. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtp_settings settings = {
		.hostname = "h", .max_size = 64, .max_recipients = 3, .starttls = true};
	struct smtp_event event;
	struct buf in = {0};
	struct smtp *smtp;
	size_t piece;
	size_t given = 0;
	bool open = true;

	if (size < 2)
		return 0;
	settings.lmtp = data[0] & 1;
	piece = (size_t)(data[0] >> 1) + 1;
	smtp = smtp_new(&settings);
	for (size_t at = 2; at < size && open; at += piece) {
		enum smtp_step step;

		buf_append(&in, data + at, size - at < piece ? size - at : piece);
		while ((step = smtp_step(smtp, &in, &event)) != SMTP_MORE) {
			if (step == SMTP_WAITING)
				abort();
			if (step == SMTP_CLOSE) {
				open = false;
				break;
			}
			given += step == SMTP_BYTES ? event.bytes.len : 0;
			answer(smtp, step, data[1]);
		}
		buf_clear(smtp_output(smtp));
	}
	if (given > size)
		abort();
	smtp_free(&smtp);
	buf_free(&in);
	return 0;
}
