#include "config.h"

#include "wire/mail_body.h"

#include "base/hash.h"
#include "wire/mail_head.h"

#define LINE      76
#define BOUNDARY  40
#define BASE_LINE 57 /* bytes that make a line of base64 */

/* --- encodings --- */

static bool needs_quoting(struct str line, size_t at)
{
	char c = line.p[at];

	if (c == '=' || c < ' ' || c > '~')
		return !(c == '\t' && at + 1 < line.len);
	if (c == ' ')
		return at + 1 == line.len;
	/* What a mail server may change: a dot at the beginning, and what looks like a separator of
	 * mailboxes. */
	return at == 0 && (c == '.' || (c == 'F' && str_starts(line, STR("From "))));
}

static void put_quoted_line(struct buf *out, struct str line)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t column = 0;

	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.p[i];
		bool quoted = needs_quoting(line, i) || (column == 0 && c == '.');
		size_t width = quoted ? 3 : 1;

		if (column + width > LINE - 1) {
			buf_text(out, "=\r\n");
			column = 0;
			quoted = quoted || c == '.' || c == 'F';
			width = quoted ? 3 : 1;
		}
		if (quoted) {
			buf_char(out, '=');
			buf_char(out, digits[c >> 4]);
			buf_char(out, digits[c & 15]);
		} else {
			buf_char(out, (char)c);
		}
		column += width;
	}
	buf_text(out, "\r\n");
}

void mail_put_quoted(struct buf *out, struct str text)
{
	struct str line;

	while (text.len > 0 && str_split(&text, '\n', &line))
		put_quoted_line(out, line);
}

void mail_put_base64(struct buf *out, struct str bytes)
{
	while (bytes.len > 0) {
		size_t len = bytes.len < BASE_LINE ? bytes.len : BASE_LINE;

		base64_encode((struct str){bytes.p, len}, out);
		buf_text(out, "\r\n");
		bytes = (struct str){bytes.p + len, bytes.len - len};
	}
}

/* --- parts --- */

/* Neither base64 nor quoted-printable holds "=_"; a seed makes no two alike, however they are nested. */
static void make_boundary(struct str seed, const char *what, char boundary[BOUNDARY])
{
	struct buf text = {0};
	uint8_t digest[SHA256_LEN];

	buf_text(&text, what);
	buf_char(&text, ' ');
	buf_str(&text, seed);
	sha256(buf_view(&text), digest);
	boundary[0] = '=';
	boundary[1] = '_';
	hex_encode(digest, 16, boundary + 2);
	buf_free(&text);
}

static void put_text_part(struct buf *out, struct str text)
{
	buf_text(out, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
		      "quoted-printable\r\n\r\n");
	mail_put_quoted(out, text);
}

static void put_part(struct buf *out, const struct mail_part *part)
{
	buf_printf(out,
		"Content-Type: %s;\r\n name=\"%s\"\r\nContent-Transfer-Encoding: base64\r\n"
		"Content-Disposition: attachment; filename=\"%s\"\r\n\r\n",
		part->type, part->name, part->name);
	mail_put_base64(out, part->bytes);
}

void mail_entity(struct buf *out, struct str seed, struct str subject, struct str text,
	const struct mail_part *parts, size_t count)
{
	const char *protected = subject.len > 0 ? "; protected-headers=\"v1\"" : "";
	char boundary[BOUNDARY];

	make_boundary(seed, "mixed", boundary);
	buf_printf(out, "Content-Type: multipart/mixed%s;\r\n boundary=\"%s\"\r\n", protected, boundary);
	if (subject.len > 0)
		mail_head_text(out, "Subject", subject);
	buf_printf(out, "\r\n--%s\r\n", boundary);
	put_text_part(out, text);
	for (size_t i = 0; i < count; i++) {
		buf_printf(out, "\r\n--%s\r\n", boundary);
		put_part(out, &parts[i]);
	}
	buf_printf(out, "\r\n--%s--\r\n", boundary);
}

/* --- wraps --- */

static void put_signed(struct buf *out, const char *protocol, const char *head, struct str seed,
	struct str entity, struct str bytes, struct str micalg, bool armoured)
{
	char boundary[BOUNDARY];

	make_boundary(seed, "signed", boundary);
	buf_printf(out,
		"Content-Type: multipart/signed; micalg=" STR_FMT
		";\r\n protocol=\"%s\";\r\n boundary=\"%s\"\r\n\r\n",
		STR_ARG(micalg), protocol, boundary);
	buf_printf(out, "--%s\r\n", boundary);
	buf_str(out, entity);
	buf_printf(out, "\r\n--%s\r\n%s\r\n", boundary, head);
	if (armoured)
		buf_str(out, bytes);
	else
		mail_put_base64(out, bytes);
	buf_printf(out, "\r\n--%s--\r\n", boundary);
}

static void put_pgp_encrypted(struct buf *out, struct str seed, struct str bytes)
{
	char boundary[BOUNDARY];

	make_boundary(seed, "encrypted", boundary);
	buf_printf(out,
		"Content-Type: multipart/encrypted;\r\n protocol=\"application/pgp-encrypted\";\r\n"
		" boundary=\"%s\"\r\n\r\n--%s\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: "
		"1\r\n\r\n--%s\r\n"
		"Content-Type: application/octet-stream; name=\"encrypted.asc\"\r\n"
		"Content-Disposition: inline; filename=\"encrypted.asc\"\r\n\r\n",
		boundary, boundary, boundary);
	buf_str(out, bytes);
	buf_printf(out, "\r\n--%s--\r\n", boundary);
}

/* GnuPG ends lines by LF; a mail by CRLF. */
static void put_lines(struct buf *out, struct str text)
{
	struct str line;

	while (text.len > 0 && str_split(&text, '\n', &line)) {
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		buf_str(out, line);
		buf_text(out, "\r\n");
	}
}

void mail_wrap(struct buf *out, enum mail_wrap wrap, struct str seed, struct str entity, struct str bytes,
	struct str micalg)
{
	struct buf lines = {0};

	if (wrap == WRAP_PGP_SIGNED || wrap == WRAP_PGP_ENCRYPTED)
		put_lines(&lines, bytes);
	switch (wrap) {
	case WRAP_PGP_SIGNED:
		put_signed(out, "application/pgp-signature",
			"Content-Type: application/pgp-signature; name=\"signature.asc\"\r\n", seed, entity,
			buf_view(&lines), micalg, true);
		break;
	case WRAP_PGP_ENCRYPTED:
		put_pgp_encrypted(out, seed, buf_view(&lines));
		break;
	case WRAP_CMS_SIGNED:
		put_signed(out, "application/pkcs7-signature",
			"Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
			"Content-Transfer-Encoding: base64\r\n"
			"Content-Disposition: attachment; filename=\"smime.p7s\"\r\n",
			seed, entity, bytes, micalg, false);
		break;
	case WRAP_CMS_ENCRYPTED:
		buf_text(out, "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; "
			      "name=\"smime.p7m\"\r\n"
			      "Content-Transfer-Encoding: base64\r\n"
			      "Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n");
		mail_put_base64(out, bytes);
	}
	buf_free(&lines);
}
