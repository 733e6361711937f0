#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "keys/openpgp_engine.h"
#include "model/storable.h"

static void refuse(
	struct arena *arena, struct seal_answer *answer, enum seal_outcome outcome, struct str reason)
{
	answer->outcome = outcome;
	answer->reason = storable_text(reason, 1000, arena, NULL);
	answer->bytes = STR_NONE;
}

/* The key, where it can do now what is asked of it; NULL, and the answer says why not. */
static gpgme_key_t find_recipient(
	gpgme_ctx_t context, struct str fingerprint, struct arena *arena, struct seal_answer *answer)
{
	gpgme_key_t key = NULL;
	const char *text = arena_str(arena, fingerprint).p;

	if (gpgme_get_key(context, text, &key, 0)) {
		refuse(arena, answer, SEAL_NO_KEY, arena_printf(arena, "there is no key %s", text));
		return NULL;
	}
	if (key->revoked || key->disabled || key->invalid)
		refuse(arena, answer, SEAL_REVOKED, arena_printf(arena, "the key %s was revoked", text));
	else if (key->expired)
		refuse(arena, answer, SEAL_EXPIRED, arena_printf(arena, "the key %s has expired", text));
	else if (!key->can_encrypt)
		refuse(arena, answer, SEAL_NO_KEY,
			arena_printf(arena, "the key %s has no part that is valid and encrypts", text));
	else
		return key;
	gpgme_key_unref(key);
	return NULL;
}

static bool set_signer(
	gpgme_ctx_t context, struct str fingerprint, struct arena *arena, struct seal_answer *answer)
{
	gpgme_key_t key = NULL;
	const char *text = arena_str(arena, fingerprint).p;
	bool there = gpgme_get_key(context, text, &key, 1) == 0;
	bool usable =
		there && !key->revoked && !key->expired && !key->disabled && !key->invalid && key->can_sign;

	if (usable)
		usable = gpgme_signers_add(context, key) == 0;
	if (there)
		gpgme_key_unref(key);
	if (!usable)
		refuse(arena, answer, SEAL_NOT_OURS,
			arena_printf(arena, "our key %s %s", text,
				there ? "has expired, was revoked or does not sign" : "is not there"));
	return usable;
}

static struct str micalg_of(gpgme_ctx_t context, struct arena *arena)
{
	gpgme_sign_result_t result = gpgme_op_sign_result(context);
	const char *name =
		result && result->signatures ? gpgme_hash_algo_name(result->signatures->hash_algo) : NULL;
	struct buf text = {0};
	struct str copy;

	buf_text(&text, "pgp-");
	for (; name && *name; name++)
		buf_char(&text, (char)(*name >= 'A' && *name <= 'Z' ? *name | 0x20 : *name));
	copy = arena_str(arena, buf_view(&text));
	buf_free(&text);
	return copy;
}

static gpgme_error_t run(gpgme_ctx_t context, const struct seal *seal, gpgme_key_t recipient, gpgme_data_t in,
	gpgme_data_t out)
{
	gpgme_key_t recipients[2] = {recipient, NULL};
	const gpgme_encrypt_flags_t flags = GPGME_ENCRYPT_ALWAYS_TRUST | GPGME_ENCRYPT_NO_ENCRYPT_TO;

	if (!recipient)
		return gpgme_op_sign(context, in, out, GPGME_SIG_MODE_DETACH);
	if (seal->signer.len > 0)
		return gpgme_op_encrypt_sign(context, recipients, flags, in, out);
	return gpgme_op_encrypt(context, recipients, flags, in, out);
}

static void make(const struct openpgp *openpgp, gpgme_ctx_t context, const struct asking *asking,
	const struct seal *seal, gpgme_key_t recipient, struct arena *arena, struct seal_answer *answer)
{
	struct bounded sealed = {.max = openpgp->max_size};
	gpgme_data_t in = openpgp_data(seal->bytes);
	gpgme_data_t out = openpgp_sink(&sealed);
	gpgme_error_t error = run(context, seal, recipient, in, out);

	if (sealed.over)
		refuse(arena, answer, SEAL_FAILED, STR("sealed it is larger than allowed"));
	else if (asking->locked)
		refuse(arena, answer, SEAL_LOCKED, arena_printf(arena, "our key %s is locked", asking->key));
	else if (error || sealed.bytes.len == 0)
		refuse(arena, answer, SEAL_FAILED, arena_printf(arena, "GnuPG: %s", gpgme_strerror(error)));
	else
		*answer = (struct seal_answer){.outcome = SEAL_DONE,
			.micalg = recipient ? STR_NONE : micalg_of(context, arena),
			.bytes = arena_str(arena, buf_view(&sealed.bytes))};
	gpgme_data_release(in);
	gpgme_data_release(out);
	buf_free(&sealed.bytes);
}

void openpgp_seal(const struct openpgp *openpgp, const struct seal *seal, struct arena *arena,
	struct seal_answer *answer)
{
	struct asking asking = {.passphrases = openpgp->passphrases};
	gpgme_ctx_t context = NULL;
	gpgme_key_t recipient = NULL;
	struct err err = {0};

	*answer = (struct seal_answer){.outcome = SEAL_FAILED};
	if (!openpgp_context(openpgp, &asking, &context, &err)) {
		refuse(arena, answer, SEAL_FAILED, arena_str(arena, str_of(err.text)));
		gpgme_release(context);
		return;
	}
	gpgme_set_armor(context, 1);
	if (seal->recipient.len > 0)
		recipient = find_recipient(context, seal->recipient, arena, answer);
	if ((recipient || seal->recipient.len == 0) &&
		(seal->signer.len == 0 || set_signer(context, seal->signer, arena, answer)))
		make(openpgp, context, &asking, seal, recipient, arena, answer);
	if (recipient)
		gpgme_key_unref(recipient);
	gpgme_release(context);
}
