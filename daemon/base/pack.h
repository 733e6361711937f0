#ifndef BASE_PACK_H
#define BASE_PACK_H

#include "base/buf.h"
#include "base/err.h"

/* Writing: little-endian fixed widths; strings and blobs as u32 length and bytes. Writers append to a buf. */
void pack_u8(struct buf *out, uint8_t value);
void pack_u16(struct buf *out, uint16_t value);
void pack_u32(struct buf *out, uint32_t value);
void pack_u64(struct buf *out, uint64_t value);
void pack_i64(struct buf *out, int64_t value);
void pack_bytes(struct buf *out, const void *bytes, size_t len); /* fixed width: no length */
void pack_str(struct buf *out, struct str text);

/*
 * Reading is sticky: after the first read past the end every read gives zero or empty and unpack_end() is
 * false. Strings point into the bytes read. A frame must be read exactly: unpack_end() also fails when bytes
 * are left.
 */
struct unpack {
	struct str rest;
	bool failed;
};

uint8_t unpack_u8(struct unpack *in);
uint16_t unpack_u16(struct unpack *in);
uint32_t unpack_u32(struct unpack *in);
uint64_t unpack_u64(struct unpack *in);
int64_t unpack_i64(struct unpack *in);
void unpack_bytes(struct unpack *in, void *bytes, size_t len);
struct str unpack_str(struct unpack *in);
/* A u32 that must be below `limit`, such as an enum; fails otherwise. */
uint32_t unpack_enum(struct unpack *in, uint32_t limit);
/* A u32 count of things of at least `least` bytes each: fails if they cannot be there, so that it bounds
 * allocation. */
uint32_t unpack_count(struct unpack *in, size_t least);
bool unpack_end(const struct unpack *in);

#endif
