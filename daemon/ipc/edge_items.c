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

void items_scan_encode(const struct items_scan *scan, struct buf *out)
{
	pack_u64(out, scan->number);
	pack_u8(out, (uint8_t)scan->as);
	pack_str(out, scan->name);
	pack_str(out, scan->media_type);
	pack_u8(out, scan->inlined);
	pack_str(out, scan->inlined ? scan->bytes : STR_NONE);
}

bool items_scan_decode(struct str body, struct items_scan *scan)
{
	struct unpack in = {.rest = body};
	uint8_t as;

	scan->number = unpack_u64(&in);
	as = unpack_u8(&in);
	scan->as = (enum items_scan_as)as;
	scan->name = unpack_str(&in);
	scan->media_type = unpack_str(&in);
	scan->inlined = flag_unpack(&in);
	scan->bytes = unpack_str(&in);
	return unpack_end(&in) && as >= SCAN_MAIL && as < SCAN_AS_KINDS &&
	       (scan->inlined || scan->bytes.len == 0);
}

static void match_pack(const struct items_match *match, struct buf *out)
{
	pack_str(out, match->rule);
	pack_str(out, match->part);
	pack_u8(out, match->in_file);
	pack_bytes(out, match->digest, SHA256_LEN);
}

static void match_unpack(struct unpack *in, struct items_match *match)
{
	match->rule = unpack_str(in);
	match->part = unpack_str(in);
	match->in_file = flag_unpack(in);
	unpack_bytes(in, match->digest, SHA256_LEN);
}

void items_scanned_encode(const struct items_scanned *scanned, struct buf *out)
{
	pack_u64(out, scanned->number);
	pack_u8(out, (uint8_t)scanned->end);
	pack_u8(out, scanned->sealed);
	pack_u8(out, scanned->unfinished);
	pack_str(out, scanned->engine);
	pack_str(out, scanned->rules);
	pack_u32(out, (uint32_t)scanned->match_count);
	for (size_t i = 0; i < scanned->match_count; i++)
		match_pack(&scanned->matches[i], out);
}

bool items_scanned_decode(struct str body, struct arena *arena, struct items_scanned *scanned)
{
	struct unpack in = {.rest = body};
	uint8_t end;

	scanned->number = unpack_u64(&in);
	end = unpack_u8(&in);
	scanned->end = (enum items_scan_end)end;
	scanned->sealed = flag_unpack(&in);
	scanned->unfinished = flag_unpack(&in);
	scanned->engine = unpack_str(&in);
	scanned->rules = unpack_str(&in);
	scanned->match_count = unpack_count(&in, 9 + SHA256_LEN);
	if (in.failed || end >= SCAN_ENDS || scanned->match_count > ITEMS_MATCHES)
		return false;
	scanned->matches = arena_alloc(arena, (scanned->match_count + 1) * sizeof(*scanned->matches));
	for (size_t i = 0; i < scanned->match_count; i++)
		match_unpack(&in, &scanned->matches[i]);
	return unpack_end(&in);
}
