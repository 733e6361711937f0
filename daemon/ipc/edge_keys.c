#include "ipc/edge_keys.h"

#include "base/mem.h"
#include "base/pack.h"
#include "ipc/entry_pack.h"
#include "ipc/graph.h"

static const struct {
	uint16_t type;
	unsigned rooms; /* ROOM_BIT() each */
} questions[] = {
	{KEYS_OPEN, ROOM_BIT(ROOM_TRIAGE)},
	{KEYS_SEAL, ROOM_BIT(ROOM_COURIER)},
	{KEYS_LIST, ROOM_BIT(ROOM_DESK) | ROOM_BIT(ROOM_COURIER)},
	{KEYS_IMPORT, ROOM_BIT(ROOM_DESK)},
	{KEYS_REMOVE, ROOM_BIT(ROOM_DESK)},
	{KEYS_UNLOCK, ROOM_BIT(ROOM_DESK)},
	{KEYS_LOCK, ROOM_BIT(ROOM_DESK)},
	{KEYS_SIGN, ROOM_BIT(ROOM_DESK)},
};

bool keys_may_ask(unsigned room, uint16_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(questions); i++)
		if (questions[i].type == type)
			return room < ROOMS && (questions[i].rooms & ROOM_BIT(room)) != 0;
	return false;
}

void keys_open_encode(const struct keys_open *open, struct buf *out)
{
	pack_u32(out, open->ask);
	pack_u32(out, (uint32_t)open->kind);
	pack_u8(out, open->inlined);
	pack_str(out, open->inlined ? open->bytes : STR_NONE);
	pack_str(out, open->signature);
}

bool keys_open_decode(struct str body, struct keys_open *open)
{
	struct unpack in = {.rest = body};

	open->ask = unpack_u32(&in);
	open->kind = (enum sealed_kind)unpack_enum(&in, SEALED_KINDS);
	open->inlined = flag_unpack(&in);
	open->bytes = unpack_str(&in);
	open->signature = unpack_str(&in);
	return unpack_end(&in) && open->kind != 0 && (open->inlined || open->bytes.len == 0) &&
	       open->signature.len <= KEYS_SIGNATURE_MAX;
}

void keys_seal_encode(const struct keys_seal *seal, struct buf *out)
{
	pack_u32(out, seal->ask);
	pack_u32(out, (uint32_t)seal->seal.kind);
	pack_str(out, seal->seal.signer);
	pack_str(out, seal->seal.recipient);
	pack_u8(out, seal->inlined);
	pack_str(out, seal->inlined ? seal->seal.bytes : STR_NONE);
}

/* Fingerprints in hex, or none: they become arguments of GnuPG. */
static bool is_fingerprint(struct str key)
{
	for (size_t i = 0; i < key.len; i++)
		if (!((key.p[i] >= '0' && key.p[i] <= '9') || (key.p[i] >= 'A' && key.p[i] <= 'F')))
			return false;
	return key.len == 0 || key.len == 40 || key.len == 64;
}

bool keys_seal_decode(struct str body, struct keys_seal *seal)
{
	struct unpack in = {.rest = body};

	seal->ask = unpack_u32(&in);
	seal->seal.kind = (enum seal_kind)unpack_enum(&in, SEAL_KINDS);
	seal->seal.signer = unpack_str(&in);
	seal->seal.recipient = unpack_str(&in);
	seal->inlined = flag_unpack(&in);
	seal->seal.bytes = unpack_str(&in);
	return unpack_end(&in) && seal->seal.kind != 0 && is_fingerprint(seal->seal.signer) &&
	       is_fingerprint(seal->seal.recipient) && seal->seal.signer.len + seal->seal.recipient.len > 0 &&
	       (seal->inlined || seal->seal.bytes.len == 0);
}

void keys_manage_encode(const struct keys_manage *manage, struct buf *out)
{
	pack_u32(out, manage->ask);
	pack_str(out, manage->text);
	pack_str(out, manage->bytes);
}

bool keys_manage_decode(struct str body, struct keys_manage *manage)
{
	struct unpack in = {.rest = body};

	manage->ask = unpack_u32(&in);
	manage->text = unpack_str(&in);
	manage->bytes = unpack_str(&in);
	return unpack_end(&in) && manage->bytes.len <= KEYS_INLINE && manage->text.len <= 256;
}

void keys_opened_encode(uint32_t ask, struct buf *out)
{
	pack_u32(out, ask);
}

bool keys_opened_decode(struct str body, uint32_t *ask)
{
	struct unpack in = {.rest = body};

	*ask = unpack_u32(&in);
	return unpack_end(&in);
}

void keys_told_encode(const struct keys_told *told, struct buf *out)
{
	pack_u32(out, told->ask);
	pack_u8(out, told->ok);
	pack_str(out, told->text);
}

bool keys_told_decode(struct str body, struct keys_told *told)
{
	struct unpack in = {.rest = body};

	told->ask = unpack_u32(&in);
	told->ok = flag_unpack(&in);
	told->text = unpack_str(&in);
	return unpack_end(&in);
}

void keys_unsealed_encode(const struct unsealed *unsealed, struct buf *out)
{
	pack_u32(out, (uint32_t)unsealed->outcome);
	pack_str(out, unsealed->reason);
	pack_u8(out, unsealed->encrypted);
	pack_str(out, unsealed->key);
	pack_u32(out, (uint32_t)unsealed->signature_count);
	for (size_t i = 0; i < unsealed->signature_count; i++) {
		const struct seal_signature *signature = &unsealed->signatures[i];

		pack_u32(out, (uint32_t)signature->state);
		pack_str(out, signature->key);
		pack_str(out, signature->who);
		pack_str(out, signature->addresses);
	}
	pack_str(out, unsealed->plain);
}

/* Texts that go into reports: what came out of a program that read hostile bytes is bounded here once more.
 */
static struct str unpack_text(struct unpack *in, size_t max)
{
	struct str text = unpack_str(in);

	if (text.len > max)
		in->failed = true;
	return text;
}

bool keys_unsealed_decode(struct str bytes, struct arena *arena, struct unsealed *unsealed)
{
	struct unpack in = {.rest = bytes};

	unsealed->outcome = (enum unseal_outcome)unpack_enum(&in, UNSEAL_OUTCOMES);
	unsealed->reason = unpack_text(&in, 1024);
	unsealed->encrypted = flag_unpack(&in);
	unsealed->key = unpack_text(&in, 128);
	unsealed->signature_count = unpack_count(&in, 16);
	if (in.failed || unsealed->signature_count > UNSEAL_SIGNATURES)
		return false;
	unsealed->signatures =
		arena_alloc(arena, unsealed->signature_count * sizeof(*unsealed->signatures) + 1);
	for (size_t i = 0; i < unsealed->signature_count; i++) {
		struct seal_signature *signature = &unsealed->signatures[i];

		signature->state = (enum signature_state)unpack_enum(&in, SIGNATURE_STATES);
		signature->key = unpack_text(&in, 128);
		signature->who = unpack_text(&in, 512);
		signature->addresses = unpack_text(&in, 2048);
	}
	unsealed->plain = unpack_str(&in);
	return unpack_end(&in);
}

void keys_sealed_encode(const struct seal_answer *answer, struct buf *out)
{
	pack_u32(out, (uint32_t)answer->outcome);
	pack_str(out, answer->reason);
	pack_str(out, answer->micalg);
	pack_str(out, answer->bytes);
}

bool keys_sealed_decode(struct str bytes, struct seal_answer *answer)
{
	struct unpack in = {.rest = bytes};

	answer->outcome = (enum seal_outcome)unpack_enum(&in, SEAL_OUTCOMES);
	answer->reason = unpack_text(&in, 1024);
	answer->micalg = unpack_text(&in, 32);
	answer->bytes = unpack_str(&in);
	return unpack_end(&in);
}
