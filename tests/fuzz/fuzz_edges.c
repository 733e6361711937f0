#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ipc/edge_append.h"
#include "ipc/edge_control.h"
#include "ipc/edge_handout.h"
#include "ipc/edge_holding.h"
#include "ipc/edge_items.h"
#include "ipc/edge_keys.h"
#include "ipc/edge_probe.h"
#include "ipc/frame.h"
#include "ipc/rules_bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every message that one room may send another: the first byte says which, the rest is its body. */
static void append(struct str body, unsigned which, struct arena *arena)
{
	struct append_committed committed;
	struct append_state state;
	struct append_open open;
	struct append_close close;
	struct str text, value;
	uint32_t number;
	struct err why;
	bool flag;

	switch (which) {
	case 0:
		append_committed_decode(body, &committed);
		break;
	case 1:
		append_state_decode(body, arena, &state);
		break;
	case 2:
		append_whole_decode(body, &open, &close, &text);
		break;
	case 3:
		append_open_decode(body, &open);
		break;
	case 4:
		append_closing_decode(body, &number, &close);
		break;
	case 5:
		append_data_decode(body, &number, &text);
		break;
	case 6:
		append_refused_decode(body, &number, &why);
		break;
	case 7:
		append_bookmark_decode(body, &number, &text);
		break;
	case 8:
		append_bookmark_is_decode(body, &number, &flag, &value);
		break;
	default:
		append_doors_decode(body, &flag);
		break;
	}
}

static void holding(struct str body, unsigned which, struct arena *arena)
{
	struct holding_epoch epoch;
	struct holding_held held;
	struct holding_poison poison;
	struct book *books;
	uint64_t *tickets;
	uint64_t upto;
	size_t count;

	switch (which) {
	case 10:
		holding_epoch_decode(body, &epoch);
		break;
	case 11:
		holding_held_decode(body, &held);
		break;
	case 12:
		holding_poison_decode(body, &poison);
		break;
	case 13:
		holding_books_decode(body, arena, &upto, &books, &count);
		break;
	default:
		holding_tickets_decode(body, arena, &tickets, &count);
		break;
	}
}

static void control(struct str body, unsigned which, struct arena *arena)
{
	struct control_edge edge;
	struct control_death death;
	struct control_counter *counters;
	struct str a, b;
	uint32_t number;
	size_t count;
	bool flag;

	switch (which) {
	case 15:
		control_edge_decode(body, &edge);
		break;
	case 16:
		control_death_decode(body, &death);
		break;
	case 17:
		control_listener_decode(body, &a, &b);
		break;
	case 18:
		control_ask_decode(body, &number, &a, &b);
		break;
	case 19:
		control_answer_decode(body, &number, &flag, &a);
		break;
	default:
		control_counters_decode(body, arena, &counters, &count);
		break;
	}
}

static void triage(struct str body, unsigned which, struct arena *arena)
{
	struct handout_entry entry;
	struct source_table table;
	struct str a, b;
	uint64_t ticket;
	bool last;

	switch (which) {
	case 21:
		handout_entry_decode(body, arena, &entry);
		break;
	case 22:
		items_piece_decode(body, &ticket, &last, &a);
		break;
	case 23:
		items_refused_decode(body, &ticket, &a, &b);
		break;
	default:
		source_table_decode(body, arena, &table, NULL);
		break;
	}
}

static void keys(struct str body, unsigned which, struct arena *arena)
{
	struct keys_open open;
	struct keys_manage manage;
	struct keys_told told;
	struct unsealed unsealed;
	uint64_t ticket;
	uint32_t ask;
	bool lost;

	switch (which) {
	case 27:
		keys_open_decode(body, &open);
		break;
	case 28:
		keys_manage_decode(body, &manage);
		break;
	case 29:
		keys_told_decode(body, &told);
		break;
	case 30:
		keys_unsealed_decode(body, arena, &unsealed);
		break;
	case 31:
		keys_opened_decode(body, &ask);
		break;
	default:
		handout_sealed_decode(body, &ticket, &lost);
		break;
	}
}

static void frames(struct str bytes)
{
	struct frame frame;
	size_t used;

	while (frame_decode(bytes, 1, &frame, &used, NULL) == 1) {
		if (used == 0 || used > bytes.len || frame.body.len > used)
			abort();
		bytes = (struct str){bytes.p + used, bytes.len - used};
	}
}

static void bundle(struct str bytes)
{
	struct str name, file;
	size_t left = bytes.len;

	while (rules_bundle_next(&bytes, &name, &file) == 1) {
		if (left - bytes.len != 8 + name.len + file.len)
			abort();
		left = bytes.len;
	}
}

static void probe(struct str body)
{
	struct probe_ask ask;
	struct probe_told told;

	probe_ask_decode(body, &ask);
	probe_told_decode(body, &told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(4096);
	struct str body = {(const char *)data + 1, size - 1};

	if (size > 0) {
		unsigned which = data[0] % 34;
		if (which < 10)
			append(body, which, arena);
		else if (which < 15)
			holding(body, which, arena);
		else if (which < 21)
			control(body, which, arena);
		else if (which < 25)
			triage(body, which, arena);
		else if (which == 25)
			frames(body);
		else if (which == 33)
			probe(body);
		else if (which == 26)
			bundle(body);
		else
			keys(body, which, arena);
	}
	arena_free(&arena);
	return 0;
}
