#include "spool/record.h"

#include "base/clock.h"
#include "base/pack.h"

#define RECORD_VERSION 1
#define PAGE           4096u
/* LMDB puts larger values on pages of their own. */
#define OWN_PAGES 2000u
/* Keys, page headers and rows of the tables beside: queue, kept, books. */
#define OVERHEAD 320u

void record_encode(const struct record *record, struct buf *out)
{
	const struct entry *entry = &record->entry;

	pack_u8(out, RECORD_VERSION);
	pack_bytes(out, entry->id.spool, UUID_LEN);
	pack_i64(out, entry->received);
	pack_u32(out, entry->source);
	pack_u8(out, (uint8_t)entry->lane);
	pack_u8(out, (uint8_t)entry->format);
	pack_u64(out, entry->size);
	pack_bytes(out, entry->digest, SHA256_LEN);
	pack_str(out, entry->exercise);
	pack_str(out, entry->envelope);
	pack_u64(out, entry->rerun);
	pack_u32(out, record->chunks);
	pack_u64(out, record->charge);
	pack_str(out, record->bookmark.bookmark_owner);
	pack_str(out, record->bookmark.bookmark_value);
}

bool record_decode(struct str bytes, uint64_t sequence, struct record *record)
{
	struct unpack in = {.rest = bytes};
	struct record got = {.chunks = 0};
	struct entry *entry = &got.entry;

	if (unpack_u8(&in) != RECORD_VERSION)
		return false;
	unpack_bytes(&in, entry->id.spool, UUID_LEN);
	entry->received = unpack_i64(&in);
	entry->source = unpack_u32(&in);
	entry->lane = (enum lane)unpack_u8(&in);
	entry->format = (enum format)unpack_u8(&in);
	entry->size = unpack_u64(&in);
	unpack_bytes(&in, entry->digest, SHA256_LEN);
	entry->exercise = unpack_str(&in);
	entry->envelope = unpack_str(&in);
	entry->rerun = unpack_u64(&in);
	got.chunks = unpack_u32(&in);
	got.charge = unpack_u64(&in);
	got.bookmark.bookmark_owner = unpack_str(&in);
	got.bookmark.bookmark_value = unpack_str(&in);
	entry->id.sequence = sequence;
	entry->id.day = clock_day(entry->received);
	if (!unpack_end(&in) || entry->lane >= LANES || entry->format >= FORMATS)
		return false;
	*record = got;
	return true;
}

static uint64_t value_charge(uint64_t len)
{
	return len > OWN_PAGES ? (len + 16 + PAGE - 1) / PAGE * PAGE : len;
}

uint64_t record_charge(uint64_t size, size_t envelope, size_t bookmark)
{
	uint64_t whole = size / RECORD_CHUNK;

	return whole * value_charge(RECORD_CHUNK) + value_charge(size % RECORD_CHUNK) +
	       value_charge(envelope + bookmark) + OVERHEAD;
}
