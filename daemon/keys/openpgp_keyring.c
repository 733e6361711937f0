#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "keys/openpgp_engine.h"

#define EXPORT_MAX ((uint64_t)4 << 20)

/* Does this passphrase open the key? Exporting it asks for it, also where the key has expired. */
static bool opens(const struct openpgp *openpgp, const char *key, const char *text)
{
	struct asking asking = {.text = text};
	struct bounded bytes = {.max = EXPORT_MAX};
	gpgme_ctx_t context = NULL;
	gpgme_data_t out;
	bool ok;

	if (!openpgp_context(openpgp, &asking, &context, NULL)) {
		gpgme_release(context);
		return false;
	}
	out = openpgp_sink(&bytes);
	ok = gpgme_op_export(context, key, GPGME_EXPORT_MODE_SECRET, out) == 0 && bytes.bytes.len > 0 &&
	     !asking.wrong && !asking.locked;
	gpgme_data_release(out);
	gpgme_release(context);
	if (bytes.bytes.data)
		mem_wipe(bytes.bytes.data, bytes.bytes.len);
	buf_free(&bytes.bytes);
	return ok;
}

typedef void key_fn(gpgme_key_t key, void *context);

enum which { THEIRS_TOO, SECRET_SAID, SECRET_ONLY };

/* Which of them are secret only the agent knows: all but the first of `which` wait for it. */
static bool each_key(
	const struct openpgp *openpgp, enum which which, key_fn *call, void *context, struct err *err)
{
	gpgme_keylist_mode_t asks = which == THEIRS_TOO ? 0 : GPGME_KEYLIST_MODE_WITH_SECRET;
	struct asking asking = {.text = NULL};
	gpgme_ctx_t engine = NULL;
	gpgme_key_t key;
	gpgme_error_t error;

	if (!openpgp_context(openpgp, &asking, &engine, err)) {
		gpgme_release(engine);
		return false;
	}
	gpgme_set_keylist_mode(engine, GPGME_KEYLIST_MODE_LOCAL | asks);
	error = gpgme_op_keylist_start(engine, NULL, which == SECRET_ONLY);
	while (!error && !(error = gpgme_op_keylist_next(engine, &key))) {
		if (key->subkeys && key->subkeys->fpr)
			call(key, context);
		gpgme_key_unref(key);
	}
	gpgme_release(engine);
	return gpgme_err_code(error) == GPG_ERR_EOF || openpgp_err(err, error, "reading the keyring");
}

struct trying {
	const struct openpgp *openpgp;
	const char *const *candidates;
	openpgp_secret_fn *found;
	void *context;
};

static void try_key(gpgme_key_t key, void *context)
{
	const struct trying *trying = context;
	const char *fpr = key->subkeys->fpr;
	const char *text = NULL;

	for (size_t i = 0; !text && trying->candidates[i]; i++)
		if (opens(trying->openpgp, fpr, trying->candidates[i]))
			text = trying->candidates[i];
	trying->found(str_of(fpr), text, trying->context);
}

bool openpgp_try(const struct openpgp *openpgp, const char *const *candidates, openpgp_secret_fn *found,
	void *context, struct err *err)
{
	struct trying trying = {openpgp, candidates, found, context};

	return each_key(openpgp, SECRET_ONLY, try_key, &trying, err);
}

/* --- what people see --- */

static void print_time(struct buf *items, const char *name, long time)
{
	char text[CLOCK_TEXT];

	if (time > 0)
		buf_printf(items, ",\"%s\":\"%s\"", name, clock_format((int64_t)time * CLOCK_SECOND, text));
	else
		buf_printf(items, ",\"%s\":null", name);
}

struct listing {
	const struct openpgp *openpgp;
	struct buf *items;
};

static void print_key(gpgme_key_t key, void *context)
{
	const struct listing *listing = context;
	struct buf *items = listing->items;
	const char *fpr = key->subkeys->fpr;
	const struct openpgp *openpgp = listing->openpgp;
	bool secret = openpgp->known ? passphrases_has(openpgp->passphrases, str_of(fpr)) : key->secret;
	bool open = secret && passphrases_of(openpgp->passphrases, str_of(fpr));

	if (items->len > 0)
		buf_char(items, ',');
	buf_printf(items, "{\"kind\":\"openpgp\",\"key\":\"%s\",\"who\":", fpr);
	buf_json_string(items, str_of(key->uids && key->uids->uid ? key->uids->uid : ""));
	buf_printf(items, ",\"secret\":%s,\"state\":\"%s\",\"valid\":%s", secret ? "true" : "false",
		!secret ? ""
		: open  ? "open"
			: "locked",
		key->revoked || key->expired || key->disabled || key->invalid ? "false" : "true");
	print_time(items, "created", key->subkeys->timestamp);
	print_time(items, "expires", key->subkeys->expires);
	buf_char(items, '}');
}

bool openpgp_list(const struct openpgp *openpgp, struct buf *items, struct err *err)
{
	struct listing listing = {openpgp, items};

	return each_key(openpgp, openpgp->known ? THEIRS_TOO : SECRET_SAID, print_key, &listing, err);
}

bool openpgp_import(const struct openpgp *openpgp, struct str bytes, struct buf *items, struct err *err)
{
	struct asking asking = {.text = NULL};
	gpgme_ctx_t context = NULL;
	bool ok = openpgp_context(openpgp, &asking, &context, err);

	if (ok) {
		gpgme_data_t in = openpgp_data(bytes);
		gpgme_error_t error = gpgme_op_import(context, in);
		ok = !error || openpgp_err(err, error, "importing");
		gpgme_data_release(in);
	}
	for (gpgme_import_status_t one = ok ? gpgme_op_import_result(context)->imports : NULL; one;
		one = one->next) {
		if (one->result || !one->fpr ||
			memmem(items->data ? items->data : "", items->len, one->fpr, strlen(one->fpr)))
			continue;
		if (items->len > 0)
			buf_char(items, ',');
		buf_json_string(items, str_of(one->fpr));
	}
	gpgme_release(context);
	return ok;
}

bool openpgp_remove(const struct openpgp *openpgp, struct str key, bool *found, struct err *err)
{
	struct asking asking = {.text = NULL};
	gpgme_ctx_t context = NULL;
	gpgme_key_t that = NULL;
	char *fpr = mem_strndup(key.p, key.len);
	bool ok = openpgp_context(openpgp, &asking, &context, err);
	gpgme_error_t error = 0;

	*found = ok && gpgme_get_key(context, fpr, &that, 0) == 0;
	if (*found)
		error = gpgme_op_delete_ext(context, that, GPGME_DELETE_ALLOW_SECRET | GPGME_DELETE_FORCE);
	if (error)
		ok = openpgp_err(err, error, "removing the key");
	if (that)
		gpgme_key_unref(that);
	gpgme_release(context);
	free(fpr);
	return ok;
}
