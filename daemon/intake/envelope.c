#include "intake/envelope.h"

/* A single member's value; JSON's escapes may make it six times as long. */
#define VALUE_MAX 320

static void add_text(struct buf *out, const char *key, struct str value)
{
	buf_printf(out, ",\"%s\":", key);
	buf_json_string(out, utf8_cut(value, VALUE_MAX));
}

static void add_text_if(struct buf *out, const char *key, struct str value)
{
	if (value.len > 0)
		add_text(out, key, value);
}

/* Addresses as long as there is room for the end as well. */
static void add_recipients(struct buf *out, size_t start, const struct envelope_mail *mail)
{
	static const size_t end = 64;
	size_t i;

	buf_text(out, ",\"to\":[");
	for (i = 0; i < mail->to_count; i++) {
		size_t before = out->len;

		if (i > 0)
			buf_char(out, ',');
		buf_json_string(out, mail->to[i]);
		if (out->len - start + end > ENVELOPE_MAX) {
			out->len = before;
			break;
		}
	}
	buf_char(out, ']');
	if (i < mail->to_count)
		buf_printf(out, ",\"to_left_out\":%zu", mail->to_count - i);
}

void envelope_mail(struct buf *out, const struct envelope_mail *mail)
{
	size_t start = out->len;

	buf_text(out, "{\"door\":");
	buf_json_string(out, mail->door);
	add_text_if(out, "peer", mail->peer);
	add_text_if(out, "tls", mail->tls);
	add_text_if(out, "helo", mail->helo);
	add_text(out, "from", mail->from);
	if (mail->utf8)
		buf_text(out, ",\"smtputf8\":true");
	add_recipients(out, start, mail);
	buf_char(out, '}');
}

void envelope_sensor(struct buf *out, const struct envelope_sensor *sensor)
{
	buf_text(out, "{\"door\":\"sensor\"");
	add_text_if(out, "peer", sensor->peer);
	add_text_if(out, "fingerprint", sensor->fingerprint);
	add_text_if(out, "session", sensor->session);
	buf_printf(out, ",\"line\":%llu", (unsigned long long)sensor->first_line);
	if (sensor->too_long)
		buf_text(out, ",\"too_long\":true");
	buf_char(out, '}');
}
