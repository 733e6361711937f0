#include "config.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* Blocks double up to the largest; a request beyond that gets a block of its own. */
#define ARENA_ALIGN   16u
#define ARENA_BLOCK   4096u
#define ARENA_LARGEST ((size_t)1024 * 1024)

struct block {
	struct block *older;
	size_t size;
	size_t used;
	_Alignas(ARENA_ALIGN) char bytes[];
};

struct arena {
	struct block *newest;
	struct block *first;
	size_t handed_out;
};

static struct block *block_new(size_t size)
{
	/* Not mem_alloc(): arena_alloc() clears what it hands out. */
	struct block *block = mem_resize(NULL, sizeof(struct block) + size);
	*block = (struct block){.size = size};
	return block;
}

static size_t round_up(size_t size)
{
	if (size > SIZE_MAX / 2)
		abort();
	return (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
}

struct arena *arena_new(size_t first_block)
{
	struct arena *arena = mem_alloc(sizeof(*arena));
	arena->first = block_new(round_up(first_block ? first_block : ARENA_BLOCK));
	arena->newest = arena->first;
	return arena;
}

static void free_down_to(struct arena *arena, struct block *last)
{
	while (arena->newest != last) {
		struct block *older = arena->newest->older;
		free(arena->newest);
		arena->newest = older;
	}
}

void arena_free(struct arena **arena)
{
	if (!*arena)
		return;
	free_down_to(*arena, NULL);
	free(*arena);
	*arena = NULL;
}

void arena_reset(struct arena *arena)
{
	free_down_to(arena, arena->first);
	arena->first->used = 0;
	arena->handed_out = 0;
}

static char *arena_room(struct arena *arena, size_t size)
{
	struct block *block = arena->newest;
	if (block->size - block->used < size) {
		size_t next = block->size < ARENA_LARGEST ? block->size * 2 : ARENA_LARGEST;
		block = block_new(size > next ? size : next);
		block->older = arena->newest;
		arena->newest = block;
	}
	char *memory = block->bytes + block->used;
	block->used += size;
	arena->handed_out += size;
	return memory;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size = round_up(size ? size : 1);
	return memset(arena_room(arena, size), 0, size);
}

void *arena_grow(struct arena *arena, void *old, size_t old_size, size_t size)
{
	if (!old)
		return arena_alloc(arena, size);
	if (size <= old_size)
		return old;
	struct block *block = arena->newest;
	size_t had = round_up(old_size ? old_size : 1);
	size_t want = round_up(size);
	bool is_newest = block->used >= had && (char *)old == block->bytes + block->used - had;
	if (is_newest && want - had <= block->size - block->used) {
		memset((char *)old + old_size, 0, want - old_size);
		block->used += want - had;
		arena->handed_out += want - had;
		return old;
	}
	void *grown = arena_alloc(arena, size);
	memcpy(grown, old, old_size);
	return grown;
}

struct str arena_str(struct arena *arena, struct str text)
{
	char *copy = arena_room(arena, round_up(text.len + 1));
	if (text.len > 0)
		memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	return (struct str){copy, text.len};
}

struct str arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		abort();
	char *text = arena_room(arena, round_up((size_t)len + 1));
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return (struct str){text, (size_t)len};
}

size_t arena_size(const struct arena *arena)
{
	return arena->handed_out;
}
