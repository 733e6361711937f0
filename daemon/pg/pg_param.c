#include <stdlib.h>

#include "base/hash.h"
#include "pg/pg_private.h"

void pg_bind(struct arena *arena, const struct pg_parameter *parameters, size_t count, struct pg_bound *bound)
{
	bound->count = (int)count;
	bound->values = arena_alloc(arena, (count + 1) * sizeof *bound->values);
	bound->lengths = arena_alloc(arena, (count + 1) * sizeof *bound->lengths);
	bound->formats = arena_alloc(arena, (count + 1) * sizeof *bound->formats);
	bound->types = arena_alloc(arena, (count + 1) * sizeof *bound->types);
	for (size_t i = 0; i < count; i++) {
		bound->types[i] = parameters[i].type;
		bound->formats[i] = parameters[i].binary;
		if (!parameters[i].value.p)
			continue;
		bound->values[i] = arena_str(arena, parameters[i].value).p;
		bound->lengths[i] = (int)parameters[i].value.len;
	}
}

/* Text form of an array: {"a","b"} */

void pg_array_begin(struct buf *out)
{
	buf_char(out, '{');
}

static void pg_array_comma(struct buf *out)
{
	if (out->len && out->data[out->len - 1] != '{')
		buf_char(out, ',');
}

void pg_array_text(struct buf *out, struct str value)
{
	pg_array_comma(out);
	if (!value.p) {
		buf_text(out, "NULL");
		return;
	}
	buf_char(out, '"');
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] == '"' || value.p[i] == '\\')
			buf_char(out, '\\');
		buf_char(out, value.p[i]);
	}
	buf_char(out, '"');
}

void pg_array_int(struct buf *out, int64_t value)
{
	pg_array_comma(out);
	buf_printf(out, "%lld", (long long)value);
}

void pg_array_bytes(struct buf *out, const void *bytes, size_t len)
{
	pg_array_comma(out);
	buf_text(out, "\"\\\\x");
	char *hex = buf_space(out, 2 * len + 1);
	hex_encode(bytes, len, hex);
	buf_grow(out, 2 * len);
	buf_char(out, '"');
}

void pg_array_end(struct buf *out)
{
	buf_char(out, '}');
}

/* Binary form, big-endian: dimensions, has-NULL flag, element type, length, lower bound, then each with its
 * length. */

void pg_put_i16(struct buf *out, int16_t value)
{
	uint16_t v = (uint16_t)value;
	const uint8_t bytes[2] = {(uint8_t)(v >> 8), (uint8_t)v};
	buf_append(out, bytes, sizeof bytes);
}

void pg_put_i32(struct buf *out, int32_t value)
{
	uint32_t v = (uint32_t)value;
	const uint8_t bytes[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
	buf_append(out, bytes, sizeof bytes);
}

void pg_put_i64(struct buf *out, int64_t value)
{
	uint64_t v = (uint64_t)value;
	uint8_t bytes[8];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(v >> (56 - 8 * i));
	buf_append(out, bytes, sizeof bytes);
}

void pg_put_str(struct buf *out, struct str value)
{
	pg_put_i32(out, (int32_t)value.len);
	buf_append(out, value.p, value.len);
}

void pg_binary_array(struct buf *out, uint32_t element, size_t count)
{
	pg_put_i32(out, count ? 1 : 0);
	pg_put_i32(out, 0);
	pg_put_i32(out, (int32_t)element);
	if (!count)
		return;
	pg_put_i32(out, (int32_t)count);
	pg_put_i32(out, 1);
}
