#include "config.h"

#include "keys/openpgp.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "keys/openpgp_engine.h"
#include "model/storable.h"

static void fail(
	struct arena *arena, struct unsealed *unsealed, enum unseal_outcome outcome, struct str reason)
{
	unsealed->outcome = outcome;
	unsealed->reason = storable_text(reason, 1000, arena, NULL);
	unsealed->plain = STR_NONE;
	unsealed->signature_count = 0;
}

/* --- signatures --- */

static enum signature_state state_of(const struct _gpgme_signature *signature)
{
	switch (gpgme_err_code(signature->status)) {
	case GPG_ERR_NO_ERROR:
		if (signature->summary & GPGME_SIGSUM_KEY_REVOKED)
			return SIGNATURE_KEY_REVOKED;
		return signature->summary & GPGME_SIGSUM_KEY_EXPIRED ? SIGNATURE_KEY_EXPIRED : SIGNATURE_GOOD;
	case GPG_ERR_SIG_EXPIRED:
		return SIGNATURE_EXPIRED;
	case GPG_ERR_KEY_EXPIRED:
		return SIGNATURE_KEY_EXPIRED;
	case GPG_ERR_CERT_REVOKED:
		return SIGNATURE_KEY_REVOKED;
	case GPG_ERR_BAD_SIGNATURE:
		return SIGNATURE_BAD;
	case GPG_ERR_NO_PUBKEY:
		return SIGNATURE_UNKNOWN_KEY;
	default:
		return SIGNATURE_FAILED;
	}
}

static void add_address(struct buf *all, const char *address)
{
	if (!address || !address[0] || strchr(address, ' ') || all->len + strlen(address) > 2000)
		return;
	if (all->len > 0)
		buf_char(all, ' ');
	for (; *address; address++)
		buf_char(all, (char)tolower((unsigned char)*address));
}

/* Whose key it is, as the keyring says it. */
static void name_signer(gpgme_ctx_t context, struct arena *arena, struct seal_signature *signature)
{
	struct buf addresses = {0};
	gpgme_key_t key = NULL;
	const char *id = signature->key.p;

	if (gpgme_get_key(context, id, &key, 0))
		return;
	if (key->subkeys && key->subkeys->fpr)
		signature->key = arena_str(arena, str_of(key->subkeys->fpr));
	if (key->uids)
		signature->who = storable_text(arena_str(arena, str_of(key->uids->uid)), 500, arena, NULL);
	for (gpgme_user_id_t uid = key->uids; uid; uid = uid->next)
		if (!uid->revoked && !uid->invalid)
			add_address(&addresses, uid->email);
	signature->addresses = storable_text(arena_str(arena, buf_view(&addresses)), 2000, arena, NULL);
	buf_free(&addresses);
	gpgme_key_unref(key);
}

static void read_signatures(
	const struct openpgp *openpgp, gpgme_ctx_t context, struct arena *arena, struct unsealed *unsealed)
{
	gpgme_verify_result_t result = gpgme_op_verify_result(context);
	struct asking asking = {.text = NULL};
	gpgme_ctx_t keys = NULL;

	unsealed->signatures = arena_alloc(arena, UNSEAL_SIGNATURES * sizeof(*unsealed->signatures));
	if (!result || !result->signatures || !openpgp_context(openpgp, &asking, &keys, NULL))
		return;
	for (gpgme_signature_t one = result->signatures; one; one = one->next) {
		struct seal_signature *signature;

		if (unsealed->signature_count == UNSEAL_SIGNATURES)
			break;
		signature = &unsealed->signatures[unsealed->signature_count++];
		signature->state = state_of(one);
		signature->key = arena_str(arena, str_of(one->fpr ? one->fpr : ""));
		if (signature->state != SIGNATURE_UNKNOWN_KEY && signature->key.len > 0)
			name_signer(keys, arena, signature);
	}
	gpgme_release(keys);
}

/* --- opening --- */

static struct str recipients(gpgme_decrypt_result_t result, struct arena *arena)
{
	struct buf text = {0};
	struct str copy;
	size_t count = 0;

	for (gpgme_recipient_t one = result ? result->recipients : NULL; one && count < 16; one = one->next) {
		buf_printf(&text, "%s%s", count++ > 0 ? ", " : "", one->keyid ? one->keyid : "?");
	}
	copy = arena_str(arena, text.len ? buf_view(&text) : STR("unknown keys"));
	buf_free(&text);
	return copy;
}

static void tell_failure(gpgme_ctx_t context, gpgme_error_t error, const struct asking *asking,
	const struct bounded *plain, struct arena *arena, struct unsealed *unsealed)
{
	gpgme_decrypt_result_t result = gpgme_op_decrypt_result(context);

	if (plain->over)
		fail(arena, unsealed, UNSEAL_FAILED,
			arena_printf(arena, "opened it is larger than %llu bytes",
				(unsigned long long)plain->max));
	else if (asking->symmetric)
		fail(arena, unsealed, UNSEAL_FAILED, STR("encrypted by a passphrase, not to a key"));
	else if (asking->locked)
		fail(arena, unsealed, UNSEAL_LOCKED,
			arena_printf(arena, "the key %s is locked", asking->key));
	else if (gpgme_err_code(error) == GPG_ERR_NO_SECKEY ||
		 (result && result->recipients && gpgme_err_code(error) == GPG_ERR_DECRYPT_FAILED &&
			 gpgme_err_code(result->recipients->status) == GPG_ERR_NO_SECKEY))
		fail(arena, unsealed, UNSEAL_NO_KEY,
			arena_printf(arena, "encrypted to " STR_FMT ", of which no secret key is here",
				STR_ARG(recipients(result, arena))));
	else
		fail(arena, unsealed, UNSEAL_FAILED, arena_printf(arena, "GnuPG: %s", gpgme_strerror(error)));
}

/* Fingerprint of the key of ours that it was encrypted to. */
static struct str opened_by(gpgme_ctx_t context, struct arena *arena)
{
	gpgme_decrypt_result_t result = gpgme_op_decrypt_result(context);

	for (gpgme_recipient_t one = result ? result->recipients : NULL; one; one = one->next)
		if (one->status == 0 && one->keyid)
			return arena_str(arena, str_of(one->keyid));
	return STR_NONE;
}

/* GnuPG calls it verified where it found nothing at all. */
static bool has_signatures(gpgme_ctx_t context)
{
	gpgme_verify_result_t result = gpgme_op_verify_result(context);

	return result && result->signatures;
}

static void open_message(const struct openpgp *openpgp, gpgme_ctx_t context, struct asking *asking,
	const struct sealed *sealed, struct arena *arena, struct unsealed *unsealed)
{
	struct bounded plain = {.max = openpgp->max_size};
	gpgme_data_t in = openpgp_data(sealed->bytes);
	gpgme_data_t out = openpgp_sink(&plain);
	gpgme_error_t error = gpgme_op_decrypt_verify(context, in, out);
	gpgme_decrypt_result_t result = gpgme_op_decrypt_result(context);

	unsealed->encrypted = !error;
	/* Nothing in it was encrypted: a signature with what it covers. */
	if (gpgme_err_code(error) == GPG_ERR_NO_DATA && !plain.over) {
		gpgme_data_release(in);
		in = openpgp_data(sealed->bytes);
		buf_clear(&plain.bytes);
		error = gpgme_op_verify(context, in, NULL, out);
	}
	if (error || plain.over) {
		tell_failure(context, error, asking, &plain, arena, unsealed);
	} else if (!unsealed->encrypted && plain.bytes.len == 0 && !has_signatures(context)) {
		fail(arena, unsealed, UNSEAL_FAILED,
			STR("damaged: neither encrypted nor signed content in it"));
	} else if (unsealed->encrypted && result && result->legacy_cipher_nomdc) {
		fail(arena, unsealed, UNSEAL_FAILED, STR("encrypted without protection of its integrity"));
	} else {
		unsealed->outcome = UNSEAL_OPENED;
		unsealed->plain = arena_str(arena, buf_view(&plain.bytes));
		unsealed->key = unsealed->encrypted ? opened_by(context, arena) : STR_NONE;
		read_signatures(openpgp, context, arena, unsealed);
	}
	gpgme_data_release(in);
	gpgme_data_release(out);
	buf_free(&plain.bytes);
}

static void check_detached(const struct openpgp *openpgp, gpgme_ctx_t context, const struct sealed *sealed,
	struct arena *arena, struct unsealed *unsealed)
{
	gpgme_data_t signature = openpgp_data(sealed->signature);
	gpgme_data_t bytes = openpgp_data(sealed->bytes);
	gpgme_error_t error = gpgme_op_verify(context, signature, bytes, NULL);

	if (error) {
		fail(arena, unsealed, UNSEAL_FAILED, arena_printf(arena, "GnuPG: %s", gpgme_strerror(error)));
	} else {
		unsealed->outcome = UNSEAL_OPENED;
		read_signatures(openpgp, context, arena, unsealed);
	}
	gpgme_data_release(signature);
	gpgme_data_release(bytes);
}

void openpgp_open(const struct openpgp *openpgp, const struct sealed *sealed, struct arena *arena,
	struct unsealed *unsealed)
{
	struct asking asking = {.passphrases = openpgp->passphrases};
	gpgme_ctx_t context = NULL;
	struct err err = {0};

	*unsealed = (struct unsealed){.outcome = UNSEAL_FAILED};
	if (!openpgp_context(openpgp, &asking, &context, &err))
		fail(arena, unsealed, UNSEAL_FAILED, arena_str(arena, str_of(err.text)));
	else if (sealed->kind == SEALED_PGP_DETACHED)
		check_detached(openpgp, context, sealed, arena, unsealed);
	else
		open_message(openpgp, context, &asking, sealed, arena, unsealed);
	gpgme_release(context);
}
