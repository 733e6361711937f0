#include "ipc/entry_pack.h"

#define BOOK_BYTES 24

void entry_id_pack(const struct entry_id *id, struct buf *out)
{
	pack_u32(out, (uint32_t)id->day);
	pack_bytes(out, id->spool, UUID_LEN);
	pack_u64(out, id->sequence);
}

void entry_id_unpack(struct unpack *in, struct entry_id *id)
{
	id->day = (int32_t)unpack_u32(in);
	unpack_bytes(in, id->spool, UUID_LEN);
	id->sequence = unpack_u64(in);
}

void entry_pack(const struct entry *entry, struct buf *out)
{
	entry_id_pack(&entry->id, out);
	pack_i64(out, entry->received);
	pack_u32(out, entry->source);
	pack_u8(out, (uint8_t)entry->lane);
	pack_u8(out, (uint8_t)entry->format);
	pack_u64(out, entry->size);
	pack_bytes(out, entry->digest, SHA256_LEN);
	pack_str(out, entry->exercise);
	pack_str(out, entry->envelope);
	pack_u64(out, entry->rerun);
}

/* An enum in one byte: fails the reader where it is not below `limit`. */
static unsigned small_enum(struct unpack *in, unsigned limit)
{
	unsigned value = unpack_u8(in);
	if (value < limit)
		return value;
	in->failed = true;
	return 0;
}

void entry_unpack(struct unpack *in, struct entry *entry)
{
	entry_id_unpack(in, &entry->id);
	entry->received = unpack_i64(in);
	entry->source = unpack_u32(in);
	entry->lane = (enum lane)small_enum(in, LANES);
	entry->format = (enum format)small_enum(in, FORMATS);
	entry->size = unpack_u64(in);
	unpack_bytes(in, entry->digest, SHA256_LEN);
	entry->exercise = unpack_str(in);
	entry->envelope = unpack_str(in);
	entry->rerun = unpack_u64(in);
}

bool flag_unpack(struct unpack *in)
{
	return small_enum(in, 2) == 1;
}

void books_pack(const struct book *books, size_t count, struct buf *out)
{
	pack_u32(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		pack_u32(out, books[i].source);
		pack_u32(out, (uint32_t)books[i].day);
		pack_u64(out, books[i].entries);
		pack_u64(out, books[i].bytes);
	}
}

void books_unpack(struct unpack *in, struct arena *arena, struct book **books, size_t *count)
{
	*count = unpack_count(in, BOOK_BYTES);
	*books = arena_alloc(arena, *count * sizeof(**books));
	for (size_t i = 0; i < *count; i++) {
		(*books)[i].source = unpack_u32(in);
		(*books)[i].day = (int32_t)unpack_u32(in);
		(*books)[i].entries = unpack_u64(in);
		(*books)[i].bytes = unpack_u64(in);
	}
}

void numbers_pack(const uint64_t *numbers, size_t count, struct buf *out)
{
	pack_u32(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		pack_u64(out, numbers[i]);
}

void numbers_unpack(struct unpack *in, struct arena *arena, uint64_t **numbers, size_t *count)
{
	*count = unpack_count(in, sizeof(uint64_t));
	*numbers = arena_alloc(arena, *count * sizeof(**numbers));
	for (size_t i = 0; i < *count; i++)
		(*numbers)[i] = unpack_u64(in);
}
