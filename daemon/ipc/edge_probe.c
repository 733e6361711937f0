#include "ipc/edge_probe.h"

#include "base/pack.h"
#include "ipc/entry_pack.h"

void probe_ask_encode(const struct probe_ask *ask, struct buf *out)
{
	pack_u32(out, ask->ask);
	pack_u32(out, ask->source);
	pack_str(out, ask->url);
	pack_str(out, ask->auth);
	pack_str(out, ask->items);
}

bool probe_ask_decode(struct str body, struct probe_ask *ask)
{
	struct unpack in = {.rest = body};

	ask->ask = unpack_u32(&in);
	ask->source = unpack_u32(&in);
	ask->url = unpack_str(&in);
	ask->auth = unpack_str(&in);
	ask->items = unpack_str(&in);
	return unpack_end(&in);
}

void probe_told_encode(const struct probe_told *told, struct buf *out)
{
	pack_u32(out, told->ask);
	pack_u8(out, told->ok);
	pack_str(out, told->text);
}

bool probe_told_decode(struct str body, struct probe_told *told)
{
	struct unpack in = {.rest = body};

	told->ask = unpack_u32(&in);
	told->ok = flag_unpack(&in);
	told->text = unpack_str(&in);
	return unpack_end(&in);
}
