#include "config.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){0};
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
}

void buf_reserve(struct buf *buf, size_t more)
{
	size_t need;
	if (__builtin_add_overflow(buf->len, more, &need) || need > SIZE_MAX / 2)
		abort();
	if (need <= buf->cap)
		return;
	size_t cap = buf->cap ? buf->cap * 2 : 64;
	if (cap < need)
		cap = need;
	buf->data = mem_resize(buf->data, cap);
	buf->cap = cap;
}

char *buf_space(struct buf *buf, size_t more)
{
	buf_reserve(buf, more ? more : 1);
	return buf->data + buf->len;
}

void buf_grow(struct buf *buf, size_t len)
{
	if (len > buf->cap - buf->len)
		abort();
	buf->len += len;
}

void buf_append(struct buf *buf, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	buf_reserve(buf, len);
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
}

void buf_str(struct buf *buf, struct str text)
{
	buf_append(buf, text.p, text.len);
}

void buf_text(struct buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

void buf_char(struct buf *buf, char c)
{
	buf_append(buf, &c, 1);
}

void buf_utf8(struct buf *buf, uint32_t c)
{
	char bytes[4];
	size_t len;
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = 0xfffd;
	if (c < 0x80) {
		bytes[0] = (char)c;
		len = 1;
	} else if (c < 0x800) {
		bytes[0] = (char)(0xc0 | c >> 6);
		bytes[1] = (char)(0x80 | (c & 0x3f));
		len = 2;
	} else if (c < 0x10000) {
		bytes[0] = (char)(0xe0 | c >> 12);
		bytes[1] = (char)(0x80 | (c >> 6 & 0x3f));
		bytes[2] = (char)(0x80 | (c & 0x3f));
		len = 3;
	} else {
		bytes[0] = (char)(0xf0 | c >> 18);
		bytes[1] = (char)(0x80 | (c >> 12 & 0x3f));
		bytes[2] = (char)(0x80 | (c >> 6 & 0x3f));
		bytes[3] = (char)(0x80 | (c & 0x3f));
		len = 4;
	}
	buf_append(buf, bytes, len);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		abort();
	buf_reserve(buf, (size_t)len + 1);
	va_start(args, format);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
}

void buf_consume(struct buf *buf, size_t len)
{
	if (len >= buf->len) {
		buf->len = 0;
		return;
	}
	if (len == 0)
		return;
	memmove(buf->data, buf->data + len, buf->len - len);
	buf->len -= len;
}

/* How many bytes at the front need no escape: printable ASCII but for quote and backslash. */
static size_t json_plain(struct str text)
{
	size_t len = 0;
	while (len < text.len) {
		unsigned char c = (unsigned char)text.p[len];
		if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
			break;
		len++;
	}
	return len;
}

static void json_character(struct buf *buf, uint32_t c)
{
	static const char shorts[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
	if (c == '"' || c == '\\')
		buf_printf(buf, "\\%c", (char)c);
	else if (c < sizeof(shorts) && shorts[c])
		buf_printf(buf, "\\%c", shorts[c]);
	else if (c < ' ' || (c >= 0x7f && c < 0xa0)) /* C1 too: they steer terminals */
		buf_printf(buf, "\\u%04x", (unsigned)c);
	else
		buf_utf8(buf, c);
}

void buf_json_string(struct buf *buf, struct str text)
{
	buf_char(buf, '"');
	while (text.len > 0) {
		size_t plain = json_plain(text);
		buf_append(buf, text.p, plain);
		text.p += plain;
		text.len -= plain;
		if (text.len > 0)
			json_character(buf, utf8_next(&text));
	}
	buf_char(buf, '"');
}

const char *buf_cstr(struct buf *buf)
{
	*buf_space(buf, 1) = '\0';
	return buf->data;
}

char *buf_take(struct buf *buf)
{
	buf_cstr(buf);
	char *text = buf->data;
	*buf = (struct buf){0};
	return text;
}
