#include "config.h"

#include "keys/openpgp_engine.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

bool openpgp_err(struct err *err, gpgme_error_t error, const char *what)
{
	return err_set(err, ERR_SYSTEM, "%s: %s", what, gpgme_strerror(error));
}

/* "SUBKEY MAINKEY ALGORITHM LENGTH", ids of 16 digits; for a message that only has a passphrase it is
 * something else. A passphrase of ours never goes there. */
static struct str main_key(const char *info, struct asking *asking)
{
	struct str rest = str_of(info ? info : ""), sub, key;

	if (!str_split(&rest, ' ', &sub) || sub.len != 16 || !str_split(&rest, ' ', &key) || key.len != 16) {
		asking->symmetric = true;
		return STR_NONE;
	}
	snprintf(asking->key, sizeof(asking->key), STR_FMT, STR_ARG(key));
	return str_of(asking->key);
}

static gpgme_error_t give_passphrase(
	void *hook, const char *uid_hint, const char *info, int was_wrong, int fd)
{
	struct asking *asking = hook;
	struct str key = main_key(info, asking);
	const char *text = asking->passphrases ? passphrases_of(asking->passphrases, key) : asking->text;

	(void)uid_hint;
	asking->wrong |= was_wrong != 0;
	if (asking->symmetric || was_wrong || !text) {
		asking->locked |= !asking->symmetric;
		return gpgme_error(GPG_ERR_CANCELED);
	}
	if (gpgme_io_writen(fd, text, strlen(text)) < 0 || gpgme_io_writen(fd, "\n", 1) < 0)
		return gpgme_error_from_errno(errno);
	return 0;
}

static void engine_start(const struct home *home)
{
	setlocale(LC_ALL, "C");
	setenv("LC_ALL", "C", 1);
	setenv("GNUPGHOME", home->gnupg, 1);
	unsetenv("GPG_AGENT_INFO");
	unsetenv("DISPLAY");
	gpgme_set_global_flag("disable-gpgconf", "1");
	gpgme_set_global_flag("gpg-name", home->gpg);
	gpgme_check_version(NULL);
}

bool openpgp_context(
	const struct openpgp *openpgp, struct asking *asking, gpgme_ctx_t *context, struct err *err)
{
	gpgme_error_t error;

	if (!openpgp->home->agent)
		return err_set(err, ERR_NOTFOUND, "GnuPG is not installed");
	engine_start(openpgp->home);
	error = gpgme_new(context);
	if (!error)
		error = gpgme_ctx_set_engine_info(
			*context, GPGME_PROTOCOL_OpenPGP, openpgp->home->gpg, openpgp->home->gnupg);
	if (!error)
		error = gpgme_set_pinentry_mode(*context, GPGME_PINENTRY_MODE_LOOPBACK);
	if (error)
		return openpgp_err(err, error, "starting GnuPG");
	gpgme_set_passphrase_cb(*context, give_passphrase, asking);
	gpgme_set_offline(*context, 1);
	return true;
}

gpgme_data_t openpgp_data(struct str bytes)
{
	gpgme_data_t data;

	if (gpgme_data_new_from_mem(&data, bytes.len ? bytes.p : "", bytes.len, 0))
		abort();
	return data;
}

/* Decompression is GnuPG's: what comes out of it ends here. */
static ssize_t take_more(void *handle, const void *bytes, size_t size)
{
	struct bounded *bounded = handle;

	if (bounded->bytes.len + size > bounded->max) {
		bounded->over = true;
		errno = ENOSPC;
		return -1;
	}
	buf_append(&bounded->bytes, bytes, size);
	return (ssize_t)size;
}

static struct gpgme_data_cbs sink_calls = {.write = take_more};

gpgme_data_t openpgp_sink(struct bounded *bounded)
{
	gpgme_data_t data;

	if (gpgme_data_new_from_cbs(&data, &sink_calls, bounded))
		abort();
	return data;
}
