#include "spool/poison.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/pack.h"

enum death death_of(const struct control_death *death)
{
	if (death->watchdog)
		return DEATH_CRASH;
	if (death->by_us)
		return DEATH_OURS;
	switch (death->signal) {
	case 0:
		return death->status == 0 ? DEATH_OURS : DEATH_CRASH;
	case SIGKILL:
	case SIGTERM:
	case SIGINT:
	case SIGHUP:
		return DEATH_KILLED;
	default:
		return DEATH_CRASH;
	}
}

const char *death_text(const struct control_death *death, char text[64])
{
	if (death->watchdog)
		snprintf(text, 64, "did not answer in time");
	else if (death->signal)
		snprintf(text, 64, "ended by signal %d (%s)", (int)death->signal, strsignal(death->signal));
	else
		snprintf(text, 64, "ended with status %d", (int)death->status);
	return text;
}

static void leave_out_encode(const struct handout_leave_out *out_of, struct buf *out)
{
	pack_u8(out, (uint8_t)out_of->skip);
	pack_u32(out, out_of->item);
	pack_str(out, out_of->stage);
	pack_str(out, out_of->reason);
}

void poison_encode(const struct poison *poison, struct buf *out)
{
	pack_u16(out, poison->crashes);
	pack_u16(out, poison->kills);
	pack_u16(out, poison->blind);
	pack_u8(out, poison->whole);
	pack_u32(out, poison->item);
	pack_str(out, poison->stage);
	pack_str(out, poison->reason);
	pack_u32(out, (uint32_t)poison->leave_out_count);
	for (size_t i = 0; i < poison->leave_out_count; i++)
		leave_out_encode(&poison->leave_out[i], out);
}

bool poison_decode(struct str bytes, struct arena *arena, struct poison *poison)
{
	struct unpack in = {.rest = bytes};

	*poison = (struct poison){.item = POISON_ITEM_UNKNOWN};
	if (bytes.len == 0)
		return true;
	poison->crashes = unpack_u16(&in);
	poison->kills = unpack_u16(&in);
	poison->blind = unpack_u16(&in);
	poison->whole = unpack_u8(&in) != 0;
	poison->item = unpack_u32(&in);
	poison->stage = unpack_str(&in);
	poison->reason = unpack_str(&in);
	poison->leave_out_count = unpack_count(&in, 13);
	poison->leave_out = arena_alloc(arena, poison->leave_out_count * sizeof(*poison->leave_out));
	for (size_t i = 0; i < poison->leave_out_count; i++) {
		struct handout_leave_out *one = &poison->leave_out[i];

		one->skip = (enum handout_skip)unpack_u8(&in);
		one->item = unpack_u32(&in);
		one->stage = unpack_str(&in);
		one->reason = unpack_str(&in);
	}
	return unpack_end(&in);
}

static void leave_out_add(struct poison *poison, const struct handout_leave_out *one, struct arena *arena)
{
	size_t size = poison->leave_out_count * sizeof(*one);

	poison->leave_out = arena_grow(arena, poison->leave_out, size, size + sizeof(*one));
	poison->leave_out[poison->leave_out_count++] = *one;
}

static bool left_out(const struct poison *poison, enum handout_skip skip, uint32_t item, struct str stage)
{
	for (size_t i = 0; i < poison->leave_out_count; i++) {
		const struct handout_leave_out *one = &poison->leave_out[i];

		if (one->skip == skip && one->item == item &&
			(skip == SKIP_ITEM || str_equal(one->stage, stage)))
			return true;
	}
	return false;
}

/* A stage that failed twice under one item, or two stages of it: the item itself is what is wrong. */
static bool stage_tried(const struct poison *poison, uint32_t item)
{
	for (size_t i = 0; i < poison->leave_out_count; i++)
		if (poison->leave_out[i].skip == SKIP_STAGE && poison->leave_out[i].item == item)
			return true;
	return false;
}

static void climb(
	struct poison *poison, uint32_t item, struct str stage, struct str reason, struct arena *arena)
{
	struct handout_leave_out next = {.skip = SKIP_STAGE, .item = item, .stage = stage, .reason = reason};

	if (item == POISON_ITEM_UNKNOWN || stage.len == 0) {
		/* Once more alone, to learn whether it was this entry at all. */
		poison->whole = ++poison->blind > 1;
		return;
	}
	if (left_out(poison, SKIP_ITEM, item, stage)) {
		poison->whole = true;
		return;
	}
	if (stage_tried(poison, item))
		next.skip = SKIP_ITEM;
	leave_out_add(poison, &next, arena);
}

bool poison_count(struct poison *poison, enum death death, uint32_t item, struct str stage, struct str reason,
	struct arena *arena)
{
	if (death == DEATH_OURS)
		return false;
	if (death == DEATH_KILLED && ++poison->kills < POISON_KILLS)
		return false;
	poison->crashes++;
	poison->item = item;
	poison->stage = stage;
	poison->reason = reason;
	climb(poison, item, stage, reason, arena);
	if (poison->crashes >= POISON_TRIES)
		poison->whole = true;
	return true;
}

struct str poison_stage(const struct handout_slot *slot, struct arena *arena)
{
	struct str text = arena_str(arena, (struct str){slot->stage, strnlen(slot->stage, SLOT_STAGE)});
	char *p = (char *)(uintptr_t)text.p;

	for (size_t i = 0; i < text.len; i++)
		if (p[i] < ' ' || p[i] > '~')
			p[i] = '?';
	return text;
}
