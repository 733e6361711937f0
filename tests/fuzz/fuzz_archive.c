#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "wire/archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct arena *arena;
	const struct archive_limits *limits;
	size_t total;
};

static bool climbs(struct str name)
{
	struct str piece;

	while (str_split(&name, '/', &piece))
		if (str_equal(piece, STR("..")))
			return true;
	return false;
}

/* What must hold of every member: a label that leads nowhere, bytes within the limits. */
static bool take(const struct archive_member *member, void *context)
{
	struct seen *seen = context;

	seen->total += member->bytes.len;
	if (member->name.len == 0 || member->name.p[0] == '/' || !utf8_valid(member->name) ||
		climbs(member->name) || memchr(member->name.p, 0, member->name.len) ||
		member->bytes.len > seen->limits->max_member || seen->total > seen->limits->max_total)
		abort();
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct archive_limits limits = {2, 50, 1u << 20, 2u << 20, 200};
	static const struct str passwords[] = {{"infected", 8}};
	struct str bytes = {(const char *)data, size};
	struct archive_spent spent = {0};
	struct seen seen = {arena_new(4096), &limits, 0};
	struct err err = {0};
	bool good = archive_unpack(
		bytes, STR("x.gz"), &limits, &spent, passwords, 1, seen.arena, take, &seen, &err);

	if ((!good && !err.text[0]) || spent.total != seen.total || (good && !archive_is(bytes)))
		abort();
	arena_free(&seen.arena);
	return 0;
}
