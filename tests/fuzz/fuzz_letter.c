#include <stdint.h>
#include <stdlib.h>

#include "model/storable.h"
#include "wire/letter.h"
#include "wire/spam_verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str hops[] = {{"mx.cirt.example", 15}, {"192.0.2.0/24", 12}};
	static const struct spam_hops trusted = {hops, 2};
	struct arena *arena = arena_new(65536);
	struct str bytes = {(const char *)data, size};
	struct str replies = letter_replies(bytes, bytes, arena);
	struct str tags = letter_tags(bytes, arena);
	struct str verdict = spam_verdict(&trusted, bytes, arena);

	must(storable_is(replies, (size_t)LETTER_REFERENCES * (LETTER_ID + 1)));
	must(tags.len <= (size_t)LETTER_TAGS * (LETTER_TAG + 1));
	must(verdict.len < 100);
	spam_peer_trusted(&trusted, bytes);
	arena_free(&arena);
	return 0;
}
