#include "config.h"

#include "triage/slot.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/mem.h"

struct slot {
	struct handout_slot *shared;
};

struct slot *slot_new(void)
{
	return mem_alloc(sizeof(struct slot));
}

static void unmap(struct slot *slot)
{
	if (slot->shared)
		munmap(slot->shared, sizeof(*slot->shared));
	slot->shared = NULL;
}

void slot_free(struct slot **slot)
{
	if (!*slot)
		return;
	unmap(*slot);
	free(*slot);
	*slot = NULL;
}

bool slot_map(struct slot *slot, int fd, struct err *err)
{
	struct stat stat;
	void *memory;

	if (fstat(fd, &stat) != 0 || stat.st_size < (off_t)sizeof(*slot->shared))
		return err_set(err, ERR_MALFORMED, "the slot is too small");
	memory = mmap(NULL, sizeof(*slot->shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return err_errno(err, "cannot map the slot");
	unmap(slot);
	slot->shared = memory;
	return true;
}

void slot_begin(struct slot *slot, uint64_t ticket)
{
	if (!slot->shared)
		return;
	slot->shared->item = 0;
	slot->shared->stage[0] = '\0';
	slot->shared->ticket = ticket;
	atomic_signal_fence(memory_order_seq_cst);
}

void slot_at(struct slot *slot, uint32_t item, const char *stage)
{
	size_t len = strlen(stage);

	if (!slot->shared)
		return;
	if (len > SLOT_STAGE - 1)
		len = SLOT_STAGE - 1;
	slot->shared->item = item;
	memcpy(slot->shared->stage, stage, len);
	slot->shared->stage[len] = '\0';
	/* The compiler must not move this behind what it announces. */
	atomic_signal_fence(memory_order_seq_cst);
}
