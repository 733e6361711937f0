#include "config.h"

#include "triage/in_hand.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"

struct waiting {
	struct waiting *next;
	struct arena *arena;
	struct handout_entry entry;
	struct str mapped;
};

struct in_hand {
	struct waiting *first;
	struct waiting **last;
	struct waiting *taken;
	size_t count;
};

struct in_hand *in_hand_new(void)
{
	struct in_hand *hand = mem_alloc(sizeof(*hand));

	hand->last = &hand->first;
	return hand;
}

static void waiting_free(struct waiting **waiting)
{
	if (!*waiting)
		return;
	fd_unmap(&(*waiting)->mapped);
	arena_free(&(*waiting)->arena);
	free(*waiting);
	*waiting = NULL;
}

void in_hand_clear(struct in_hand *hand)
{
	waiting_free(&hand->taken);
	while (hand->first) {
		struct waiting *waiting = hand->first;
		hand->first = waiting->next;
		waiting_free(&waiting);
	}
	hand->last = &hand->first;
	hand->count = 0;
}

void in_hand_free(struct in_hand **hand)
{
	if (!*hand)
		return;
	in_hand_clear(*hand);
	free(*hand);
	*hand = NULL;
}

size_t in_hand_count(const struct in_hand *hand)
{
	return hand->count;
}

static bool waiting_fill(struct waiting *waiting, struct str body, int fd, struct err *err)
{
	waiting->arena = arena_new(body.len + 1024);
	if (!handout_entry_decode(arena_str(waiting->arena, body), waiting->arena, &waiting->entry))
		return err_set(err, ERR_CORRUPT, "an entry from the spool cannot be read");
	if (waiting->entry.inlined)
		return true;
	if (fd < 0)
		return err_set(err, ERR_CORRUPT, "an entry from the spool came without its bytes");
	if (!fd_map(fd, true, &waiting->mapped, err))
		return false;
	waiting->entry.bytes = waiting->mapped;
	return true;
}

bool in_hand_put(struct in_hand *hand, struct str body, int fd, struct err *err)
{
	struct waiting *waiting = mem_alloc(sizeof(*waiting));
	bool ok = waiting_fill(waiting, body, fd, err);

	fd_close(&fd);
	if (!ok) {
		waiting_free(&waiting);
		return false;
	}
	*hand->last = waiting;
	hand->last = &waiting->next;
	hand->count++;
	return true;
}

bool in_hand_take(struct in_hand *hand, struct handout_entry *entry)
{
	waiting_free(&hand->taken);
	if (!hand->first)
		return false;
	hand->taken = hand->first;
	hand->first = hand->taken->next;
	if (!hand->first)
		hand->last = &hand->first;
	hand->count--;
	*entry = hand->taken->entry;
	return true;
}
