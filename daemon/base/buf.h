#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

/* A growable byte buffer. {0} is an empty one. */
struct buf {
	char *data;
	size_t len;
	size_t cap;
};

void buf_free(struct buf *buf);  /* leaves an empty buffer */
void buf_clear(struct buf *buf); /* len = 0, memory kept */
void buf_reserve(struct buf *buf, size_t more);
char *buf_space(struct buf *buf, size_t more); /* where `more` bytes may be written; then buf_grow() */
void buf_grow(struct buf *buf, size_t len);
void buf_append(struct buf *buf, const void *bytes, size_t len);
void buf_str(struct buf *buf, struct str text);
void buf_text(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
void buf_utf8(struct buf *buf, uint32_t character);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_consume(struct buf *buf, size_t len); /* drop from the front */
void buf_json_string(
	struct buf *buf, struct str text); /* quoted and escaped; bytes that are not UTF-8 become U+FFFD */
const char *buf_cstr(struct buf *buf);     /* NUL-terminated; valid until the next change */
char *buf_take(struct buf *buf);           /* NUL-terminated; the caller frees */

static inline struct str buf_view(const struct buf *buf)
{
	return (struct str){buf->data, buf->len};
}

#endif
