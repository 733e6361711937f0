#include "config.h"

#include "base/pack.h"

#include <endian.h>
#include <stdlib.h>

void pack_u8(struct buf *out, uint8_t value)
{
	buf_append(out, &value, 1);
}

void pack_u16(struct buf *out, uint16_t value)
{
	value = htole16(value);
	buf_append(out, &value, sizeof(value));
}

void pack_u32(struct buf *out, uint32_t value)
{
	value = htole32(value);
	buf_append(out, &value, sizeof(value));
}

void pack_u64(struct buf *out, uint64_t value)
{
	value = htole64(value);
	buf_append(out, &value, sizeof(value));
}

void pack_i64(struct buf *out, int64_t value)
{
	pack_u64(out, (uint64_t)value);
}

void pack_bytes(struct buf *out, const void *bytes, size_t len)
{
	buf_append(out, bytes, len);
}

void pack_str(struct buf *out, struct str text)
{
	if (text.len > UINT32_MAX)
		abort();
	pack_u32(out, (uint32_t)text.len);
	buf_str(out, text);
}

/* The next len bytes, or NULL for good. */
static const char *unpack_take(struct unpack *in, size_t len)
{
	if (in->failed || in->rest.len < len) {
		in->failed = true;
		return NULL;
	}
	const char *at = in->rest.p;
	in->rest.p += len;
	in->rest.len -= len;
	return at;
}

void unpack_bytes(struct unpack *in, void *bytes, size_t len)
{
	if (len == 0)
		return;
	const char *at = unpack_take(in, len);
	if (at)
		memcpy(bytes, at, len);
	else
		memset(bytes, 0, len);
}

uint8_t unpack_u8(struct unpack *in)
{
	uint8_t value;
	unpack_bytes(in, &value, sizeof(value));
	return value;
}

uint16_t unpack_u16(struct unpack *in)
{
	uint16_t value;
	unpack_bytes(in, &value, sizeof(value));
	return le16toh(value);
}

uint32_t unpack_u32(struct unpack *in)
{
	uint32_t value;
	unpack_bytes(in, &value, sizeof(value));
	return le32toh(value);
}

uint64_t unpack_u64(struct unpack *in)
{
	uint64_t value;
	unpack_bytes(in, &value, sizeof(value));
	return le64toh(value);
}

int64_t unpack_i64(struct unpack *in)
{
	return (int64_t)unpack_u64(in);
}

struct str unpack_str(struct unpack *in)
{
	uint32_t len = unpack_u32(in);
	const char *at = unpack_take(in, len);
	return at ? (struct str){at, len} : STR_NONE;
}

uint32_t unpack_enum(struct unpack *in, uint32_t limit)
{
	uint32_t value = unpack_u32(in);
	if (value >= limit)
		in->failed = true;
	return in->failed ? 0 : value;
}

uint32_t unpack_count(struct unpack *in, size_t least)
{
	uint32_t count = unpack_u32(in);
	if (count > in->rest.len / (least ? least : 1))
		in->failed = true;
	return in->failed ? 0 : count;
}

bool unpack_end(const struct unpack *in)
{
	return !in->failed && in->rest.len == 0;
}
