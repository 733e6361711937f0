#include "fuzz_reading.h"

/* Mails with parts that are opened: what comes out of one is what went in, the rest of the mail, or a reason.
 */
struct opener {
	struct str mail;
	unsigned turn;
};

static void answer(
	struct reading *reading, uint32_t item, const struct sealed *sealed, struct unsealed *unsealed)
{
	static const enum unseal_outcome outcomes[] = {UNSEAL_OPENED, UNSEAL_OPENED, UNSEAL_OPENED,
		UNSEAL_NO_KEY, UNSEAL_FAILED, UNSEAL_OPENED, UNSEAL_LOCKED};
	struct opener *opener = reading->context;
	unsigned turn = opener->turn++;

	if (item >= reading->next_item || sealed->kind == 0 || sealed->kind >= SEALED_KINDS)
		abort();
	*unsealed = (struct unsealed){
		.outcome = outcomes[turn % 7], .reason = STR("a reason"), .encrypted = turn % 2 == 0};
	unsealed->plain = turn % 3 ? sealed->bytes : opener->mail;
	unsealed->signature_count = turn % 2;
	unsealed->signatures = arena_alloc(reading->arena, sizeof(*unsealed->signatures));
	unsealed->signatures[0] =
		(struct seal_signature){.state = (enum signature_state)(turn % SIGNATURE_STATES),
			.key = STR("ABCD"),
			.who = STR("Alice <alice@b.example>"),
			.addresses = STR("alice@b.example")};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct opener opener = {.mail = {(const char *)data, size}, .turn = size > 0 ? data[0] : 0};
	struct arena *arena = arena_new(65536);
	struct reading reading = {
		.arena = arena, .limits = &reading_limits_default, .open_sealed = answer, .context = &opener};
	struct err err;

	if (mail_read(&reading, opener.mail,
		    STR("{\"from\":\"a@example.net\",\"to\":[\"report@cirt.example\"]}"), &err) &&
		!reading.waits)
		fuzz_check_reading(&reading);
	arena_free(&arena);
	return 0;
}
