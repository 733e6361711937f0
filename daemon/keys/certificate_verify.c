#include "config.h"

#include "keys/certificates.h"

static X509_STORE *trusted(const struct certificates *store)
{
	X509_STORE *trust = X509_STORE_new();

	/* One that stands here by itself is as good as an authority for itself. */
	X509_STORE_set_flags(trust, X509_V_FLAG_PARTIAL_CHAIN);
	for (size_t i = 0; i < store->count; i++)
		X509_STORE_add_cert(trust, store->list[i].x509);
	for (int i = 0; i < sk_X509_CRL_num(store->revoked); i++)
		X509_STORE_add_crl(trust, sk_X509_CRL_value(store->revoked, i));
	if (sk_X509_CRL_num(store->revoked) > 0)
		X509_STORE_set_flags(trust, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return trust;
}

/* Not every authority has a list here: what none speaks of is as valid as before. One that has expired still
 * tells what was revoked until then. */
static int on_verified(int ok, X509_STORE_CTX *context)
{
	bool *stale = X509_STORE_CTX_get_app_data(context);

	switch (X509_STORE_CTX_get_error(context)) {
	case X509_V_ERR_CRL_HAS_EXPIRED:
		*stale = true;
		break;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		break;
	default:
		return ok;
	}
	X509_STORE_CTX_set_error(context, X509_V_OK);
	return 1;
}

int certificate_verify(const struct certificates *store, X509 *x509, STACK_OF(X509) * between,
	const char *purpose, bool *stale)
{
	X509_STORE *trust = trusted(store);
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	int verdict;

	X509_STORE_CTX_init(context, trust, x509, between);
	if (purpose)
		X509_STORE_CTX_set_default(context, purpose);
	X509_STORE_CTX_set_app_data(context, stale);
	X509_STORE_CTX_set_verify_cb(context, on_verified);
	verdict = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
	X509_STORE_CTX_free(context);
	X509_STORE_free(trust);
	return verdict;
}

bool certificate_is_revoked(const struct certificates *store, X509 *x509)
{
	bool stale = false;

	return sk_X509_CRL_num(store->revoked) > 0 &&
	       certificate_verify(store, x509, NULL, NULL, &stale) == X509_V_ERR_CERT_REVOKED;
}
