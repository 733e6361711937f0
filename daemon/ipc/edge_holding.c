#include "ipc/edge_holding.h"

#include "base/pack.h"
#include "ipc/entry_pack.h"

static void held_pack(const struct holding_held *held, struct buf *out)
{
	pack_u64(out, held->ticket);
	pack_u16(out, held->worker);
	entry_pack(&held->entry, out);
	pack_u16(out, held->attempt);
	pack_str(out, held->bookmark_owner);
	pack_str(out, held->bookmark_value);
}

static void held_unpack(struct unpack *in, struct holding_held *held)
{
	held->ticket = unpack_u64(in);
	held->worker = unpack_u16(in);
	entry_unpack(in, &held->entry);
	held->attempt = unpack_u16(in);
	held->bookmark_owner = unpack_str(in);
	held->bookmark_value = unpack_str(in);
}

void holding_epoch_encode(const struct holding_epoch *epoch, struct buf *out)
{
	pack_u64(out, epoch->first_ticket);
	pack_bytes(out, epoch->spool, UUID_LEN);
}

bool holding_epoch_decode(struct str body, struct holding_epoch *epoch)
{
	struct unpack in = {.rest = body};
	epoch->first_ticket = unpack_u64(&in);
	unpack_bytes(&in, epoch->spool, UUID_LEN);
	return unpack_end(&in);
}

void holding_held_encode(const struct holding_held *held, struct buf *out)
{
	held_pack(held, out);
}

bool holding_held_decode(struct str body, struct holding_held *held)
{
	struct unpack in = {.rest = body};
	held_unpack(&in, held);
	return unpack_end(&in);
}

void holding_poison_encode(const struct holding_poison *poison, struct buf *out)
{
	held_pack(&poison->held, out);
	pack_u32(out, poison->item);
	pack_str(out, poison->stage);
	pack_str(out, poison->reason);
	pack_u8(out, poison->inlined);
	pack_str(out, poison->inlined ? poison->bytes : STR_NONE);
}

bool holding_poison_decode(struct str body, struct holding_poison *poison)
{
	struct unpack in = {.rest = body};
	held_unpack(&in, &poison->held);
	poison->item = unpack_u32(&in);
	poison->stage = unpack_str(&in);
	poison->reason = unpack_str(&in);
	poison->inlined = flag_unpack(&in);
	poison->bytes = unpack_str(&in);
	return unpack_end(&in) && (poison->inlined || poison->bytes.len == 0);
}

void holding_books_encode(uint64_t upto, const struct book *books, size_t count, struct buf *out)
{
	pack_u64(out, upto);
	books_pack(books, count, out);
}

bool holding_books_decode(
	struct str body, struct arena *arena, uint64_t *upto, struct book **books, size_t *count)
{
	struct unpack in = {.rest = body};
	*upto = unpack_u64(&in);
	books_unpack(&in, arena, books, count);
	return unpack_end(&in);
}

void holding_tickets_encode(const uint64_t *tickets, size_t count, struct buf *out)
{
	numbers_pack(tickets, count, out);
}

bool holding_tickets_decode(struct str body, struct arena *arena, uint64_t **tickets, size_t *count)
{
	struct unpack in = {.rest = body};
	numbers_unpack(&in, arena, tickets, count);
	return unpack_end(&in);
}
