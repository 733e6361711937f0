#include "ipc/edge_control.h"

#include "base/pack.h"
#include "ipc/entry_pack.h"

void control_edge_encode(const struct control_edge *edge, struct buf *out)
{
	pack_u32(out, (uint32_t)edge->kind);
	pack_u32(out, (uint32_t)edge->peer);
	pack_u16(out, edge->instance);
	pack_u32(out, edge->generation);
}

bool control_edge_decode(struct str body, struct control_edge *edge)
{
	struct unpack in = {.rest = body};
	edge->kind = (enum edge_kind)unpack_enum(&in, EDGE_KINDS);
	edge->peer = (enum room_id)unpack_enum(&in, ROOMS);
	edge->instance = unpack_u16(&in);
	edge->generation = unpack_u32(&in);
	return unpack_end(&in);
}

void control_death_encode(const struct control_death *death, struct buf *out)
{
	pack_u16(out, death->instance);
	pack_u32(out, death->generation);
	pack_u32(out, (uint32_t)death->signal);
	pack_u32(out, (uint32_t)death->status);
	pack_u8(out, death->by_us);
	pack_u8(out, death->watchdog);
}

bool control_death_decode(struct str body, struct control_death *death)
{
	struct unpack in = {.rest = body};
	death->instance = unpack_u16(&in);
	death->generation = unpack_u32(&in);
	death->signal = (int32_t)unpack_u32(&in);
	death->status = (int32_t)unpack_u32(&in);
	death->by_us = flag_unpack(&in);
	death->watchdog = flag_unpack(&in);
	return unpack_end(&in);
}

void control_listener_encode(struct str name, struct str address, struct buf *out)
{
	pack_str(out, name);
	pack_str(out, address);
}

bool control_listener_decode(struct str body, struct str *name, struct str *address)
{
	struct unpack in = {.rest = body};
	*name = unpack_str(&in);
	*address = unpack_str(&in);
	return unpack_end(&in);
}

void control_ask_encode(uint32_t ask, struct str method, struct str json, struct buf *out)
{
	pack_u32(out, ask);
	pack_str(out, method);
	pack_str(out, json);
}

bool control_ask_decode(struct str body, uint32_t *ask, struct str *method, struct str *json)
{
	struct unpack in = {.rest = body};
	*ask = unpack_u32(&in);
	*method = unpack_str(&in);
	*json = unpack_str(&in);
	return unpack_end(&in);
}

void control_answer_encode(uint32_t ask, bool ok, struct str json, struct buf *out)
{
	pack_u32(out, ask);
	pack_u8(out, ok);
	pack_str(out, json);
}

bool control_answer_decode(struct str body, uint32_t *ask, bool *ok, struct str *json)
{
	struct unpack in = {.rest = body};
	*ask = unpack_u32(&in);
	*ok = flag_unpack(&in);
	*json = unpack_str(&in);
	return unpack_end(&in);
}

void control_counters_encode(const struct control_counter *counters, size_t count, struct buf *out)
{
	pack_u32(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		pack_str(out, counters[i].name);
		pack_u64(out, counters[i].value);
	}
}

bool control_counters_decode(
	struct str body, struct arena *arena, struct control_counter **counters, size_t *count)
{
	struct unpack in = {.rest = body};
	*count = unpack_count(&in, 12);
	*counters = arena_alloc(arena, *count * sizeof(**counters));
	for (size_t i = 0; i < *count; i++) {
		(*counters)[i].name = unpack_str(&in);
		(*counters)[i].value = unpack_u64(&in);
	}
	return unpack_end(&in);
}
