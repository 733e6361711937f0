#include "ipc/edge_items.h"

#include "base/pack.h"
#include "ipc/entry_pack.h"

void items_piece_encode(uint64_t ticket, bool last, struct str finding, struct buf *out)
{
	pack_u64(out, ticket);
	pack_u8(out, last);
	pack_str(out, finding);
}

bool items_piece_decode(struct str body, uint64_t *ticket, bool *last, struct str *finding)
{
	struct unpack in = {.rest = body};
	*ticket = unpack_u64(&in);
	*last = flag_unpack(&in);
	*finding = unpack_str(&in);
	return unpack_end(&in);
}

void items_refused_encode(uint64_t ticket, struct str stage, struct str reason, struct buf *out)
{
	pack_u64(out, ticket);
	pack_str(out, stage);
	pack_str(out, reason);
}

bool items_refused_decode(struct str body, uint64_t *ticket, struct str *stage, struct str *reason)
{
	struct unpack in = {.rest = body};
	*ticket = unpack_u64(&in);
	*stage = unpack_str(&in);
	*reason = unpack_str(&in);
	return unpack_end(&in);
}
