#include "ipc/edge_handout.h"

#include "base/pack.h"
#include "ipc/entry_pack.h"

void handout_entry_encode(const struct handout_entry *entry, struct buf *out)
{
	pack_u64(out, entry->ticket);
	pack_u32(out, (uint32_t)entry->format);
	pack_str(out, entry->envelope);
	pack_u32(out, (uint32_t)entry->leave_out_count);
	for (size_t i = 0; i < entry->leave_out_count; i++) {
		const struct handout_leave_out *skip = &entry->leave_out[i];
		pack_u8(out, (uint8_t)skip->skip);
		pack_u32(out, skip->item);
		pack_str(out, skip->stage);
		pack_str(out, skip->reason);
	}
	pack_u8(out, entry->inlined);
	pack_str(out, entry->inlined ? entry->bytes : STR_NONE);
}

static void leave_out_unpack(struct unpack *in, struct handout_leave_out *skip)
{
	unsigned kind = unpack_u8(in);
	if (kind != SKIP_STAGE && kind != SKIP_ITEM)
		in->failed = true;
	skip->skip = (enum handout_skip)kind;
	skip->item = unpack_u32(in);
	skip->stage = unpack_str(in);
	skip->reason = unpack_str(in);
}

bool handout_entry_decode(struct str body, struct arena *arena, struct handout_entry *entry)
{
	struct unpack in = {.rest = body};
	entry->ticket = unpack_u64(&in);
	entry->format = (enum format)unpack_enum(&in, FORMATS);
	entry->envelope = unpack_str(&in);
	entry->leave_out_count = unpack_count(&in, 13);
	entry->leave_out = arena_alloc(arena, entry->leave_out_count * sizeof(*entry->leave_out));
	for (size_t i = 0; i < entry->leave_out_count; i++)
		leave_out_unpack(&in, &entry->leave_out[i]);
	entry->inlined = flag_unpack(&in);
	entry->bytes = unpack_str(&in);
	return unpack_end(&in) && (entry->inlined || entry->bytes.len == 0);
}

void handout_credit_encode(uint32_t entries, uint64_t bytes, struct buf *out)
{
	pack_u32(out, entries);
	pack_u64(out, bytes);
}

bool handout_credit_decode(struct str body, uint32_t *entries, uint64_t *bytes)
{
	struct unpack in = {.rest = body};
	*entries = unpack_u32(&in);
	*bytes = unpack_u64(&in);
	return unpack_end(&in);
}

void handout_done_encode(uint64_t ticket, struct buf *out)
{
	pack_u64(out, ticket);
}

bool handout_done_decode(struct str body, uint64_t *ticket)
{
	struct unpack in = {.rest = body};
	*ticket = unpack_u64(&in);
	return unpack_end(&in);
}

void handout_sealed_encode(uint64_t ticket, bool lost, struct buf *out)
{
	pack_u64(out, ticket);
	pack_u8(out, lost);
}

bool handout_sealed_decode(struct str body, uint64_t *ticket, bool *lost)
{
	struct unpack in = {.rest = body};
	*ticket = unpack_u64(&in);
	*lost = flag_unpack(&in);
	return unpack_end(&in);
}
