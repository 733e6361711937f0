#include "ipc/edge_append.h"

#include "base/pack.h"
#include "ipc/entry_pack.h"

#define BOOKMARK_VALUE_MAX 4096u

static void open_pack(const struct append_open *open, struct buf *out)
{
	pack_u32(out, open->append);
	pack_u32(out, open->source);
	pack_u32(out, (uint32_t)open->format);
	pack_u64(out, open->size_hint);
	pack_str(out, open->exercise);
	pack_str(out, open->envelope);
	pack_u64(out, open->rerun);
}

static void open_unpack(struct unpack *in, struct append_open *open)
{
	open->append = unpack_u32(in);
	open->source = unpack_u32(in);
	open->format = (enum format)unpack_enum(in, FORMATS);
	open->size_hint = unpack_u64(in);
	open->exercise = unpack_str(in);
	open->envelope = unpack_str(in);
	open->rerun = unpack_u64(in);
}

static void close_pack(const struct append_close *close, struct buf *out)
{
	pack_str(out, close->bookmark_owner);
	pack_str(out, close->bookmark_value);
	pack_str(out, close->also_owner);
	pack_str(out, close->also_value);
	pack_u32(out, close->expects);
	pack_str(out, close->expected);
}

static void close_unpack(struct unpack *in, struct append_close *close)
{
	close->bookmark_owner = unpack_str(in);
	close->bookmark_value = unpack_str(in);
	close->also_owner = unpack_str(in);
	close->also_value = unpack_str(in);
	close->expects = unpack_enum(in, 2) != 0;
	close->expected = unpack_str(in);
	if (close->bookmark_value.len > BOOKMARK_VALUE_MAX || close->also_value.len > BOOKMARK_VALUE_MAX)
		in->failed = true;
}

void append_open_encode(const struct append_open *open, struct buf *out)
{
	open_pack(open, out);
}

bool append_open_decode(struct str body, struct append_open *open)
{
	struct unpack in = {.rest = body};
	open_unpack(&in, open);
	return unpack_end(&in);
}

void append_close_encode(const struct append_close *close, struct buf *out)
{
	close_pack(close, out);
}

bool append_closing_decode(struct str body, uint32_t *append, struct append_close *close)
{
	struct unpack in = {.rest = body};
	*append = unpack_u32(&in);
	close_unpack(&in, close);
	return unpack_end(&in);
}

void append_whole_encode(
	const struct append_open *open, const struct append_close *close, struct str bytes, struct buf *out)
{
	open_pack(open, out);
	close_pack(close, out);
	pack_str(out, bytes);
}

bool append_whole_decode(
	struct str body, struct append_open *open, struct append_close *close, struct str *bytes)
{
	struct unpack in = {.rest = body};
	open_unpack(&in, open);
	close_unpack(&in, close);
	*bytes = unpack_str(&in);
	return unpack_end(&in);
}

void append_data_encode(uint32_t append, struct str bytes, struct buf *out)
{
	pack_u32(out, append);
	pack_str(out, bytes);
}

bool append_data_decode(struct str body, uint32_t *append, struct str *bytes)
{
	struct unpack in = {.rest = body};
	*append = unpack_u32(&in);
	*bytes = unpack_str(&in);
	return unpack_end(&in) && bytes->len <= APPEND_CHUNK;
}

void append_committed_encode(const struct append_committed *committed, struct buf *out)
{
	pack_u32(out, committed->append);
	entry_id_pack(&committed->id, out);
}

bool append_committed_decode(struct str body, struct append_committed *committed)
{
	struct unpack in = {.rest = body};
	committed->append = unpack_u32(&in);
	entry_id_unpack(&in, &committed->id);
	return unpack_end(&in);
}

void append_refused_encode(uint32_t append, const struct err *why, struct buf *out)
{
	pack_u32(out, append);
	pack_u8(out, (uint8_t)why->code);
	pack_str(out, str_of(why->text));
}

bool append_refused_decode(struct str body, uint32_t *append, struct err *why)
{
	struct unpack in = {.rest = body};
	*append = unpack_u32(&in);
	unsigned code = unpack_u8(&in);
	struct str text = unpack_str(&in);
	if (!unpack_end(&in) || code == ERR_NONE || code > ERR_BUG)
		return false;
	err_set(why, (enum err_code)code, STR_FMT, STR_ARG(utf8_cut(text, sizeof(why->text) - 1)));
	return true;
}

void append_bookmark_encode(uint32_t append, struct str owner, struct buf *out)
{
	pack_u32(out, append);
	pack_str(out, owner);
}

bool append_bookmark_decode(struct str body, uint32_t *append, struct str *owner)
{
	struct unpack in = {.rest = body};
	*append = unpack_u32(&in);
	*owner = unpack_str(&in);
	return unpack_end(&in);
}

void append_bookmark_is_encode(uint32_t append, bool found, struct str value, struct buf *out)
{
	pack_u32(out, append);
	pack_u8(out, found);
	pack_str(out, value);
}

bool append_bookmark_is_decode(struct str body, uint32_t *append, bool *found, struct str *value)
{
	struct unpack in = {.rest = body};
	*append = unpack_u32(&in);
	*found = flag_unpack(&in);
	*value = unpack_str(&in);
	return unpack_end(&in);
}

void append_number_encode(uint32_t append, struct buf *out)
{
	pack_u32(out, append);
}

bool append_number_decode(struct str body, uint32_t *append)
{
	struct unpack in = {.rest = body};
	*append = unpack_u32(&in);
	return unpack_end(&in);
}

void append_doors_encode(bool open, struct buf *out)
{
	pack_u8(out, open);
}

bool append_doors_decode(struct str body, bool *open)
{
	struct unpack in = {.rest = body};
	*open = flag_unpack(&in);
	return unpack_end(&in);
}

void append_state_encode(const struct append_state *state, struct buf *out)
{
	pack_u32(out, state->append);
	pack_bytes(out, state->spool, UUID_LEN);
	pack_u64(out, state->next_sequence);
	pack_u64(out, state->live_entries);
	pack_u64(out, state->live_bytes);
	pack_u64(out, state->limit_bytes);
	pack_u64(out, state->rerun_entries);
	pack_u64(out, state->kept_entries);
	pack_u64(out, state->sealed_entries);
	books_pack(state->books, state->book_count, out);
	numbers_pack(state->held, state->held_count, out);
}

bool append_state_decode(struct str body, struct arena *arena, struct append_state *state)
{
	struct unpack in = {.rest = body};
	state->append = unpack_u32(&in);
	unpack_bytes(&in, state->spool, UUID_LEN);
	state->next_sequence = unpack_u64(&in);
	state->live_entries = unpack_u64(&in);
	state->live_bytes = unpack_u64(&in);
	state->limit_bytes = unpack_u64(&in);
	state->rerun_entries = unpack_u64(&in);
	state->kept_entries = unpack_u64(&in);
	state->sealed_entries = unpack_u64(&in);
	books_unpack(&in, arena, &state->books, &state->book_count);
	numbers_unpack(&in, arena, &state->held, &state->held_count);
	return unpack_end(&in);
}

void append_find_encode(uint32_t append, uint64_t sequence, struct buf *out)
{
	pack_u32(out, append);
	pack_u64(out, sequence);
}

bool append_find_decode(struct str body, uint32_t *append, uint64_t *sequence)
{
	struct unpack in = {.rest = body};
	*append = unpack_u32(&in);
	*sequence = unpack_u64(&in);
	return unpack_end(&in);
}

void append_found_encode(const struct append_found *found, struct buf *out)
{
	pack_u32(out, found->append);
	pack_u32(out, found->place);
	if (found->place != APPEND_NOT_HERE)
		entry_pack(&found->entry, out);
}

bool append_found_decode(struct str body, struct append_found *found)
{
	struct unpack in = {.rest = body};
	*found = (struct append_found){.append = unpack_u32(&in)};
	found->place = (enum append_place)unpack_enum(&in, APPEND_PLACES);
	if (found->place != APPEND_NOT_HERE)
		entry_unpack(&in, &found->entry);
	return unpack_end(&in);
}
