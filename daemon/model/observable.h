#ifndef MODEL_OBSERVABLE_H
#define MODEL_OBSERVABLE_H

#include "base/arena.h"
#include "base/str.h"
#include "model/netaddr.h"

enum observable_type {
	OBSERVABLE_OTHER,
	OBSERVABLE_IP,    /* address or prefix, RFC 5952 */
	OBSERVABLE_NAME,  /* DNS name: lower case, no trailing dot, IDN as A-labels */
	OBSERVABLE_URL,   /* scheme and host lower case */
	OBSERVABLE_EMAIL, /* domain lower case */
	OBSERVABLE_MD5,
	OBSERVABLE_SHA1,
	OBSERVABLE_SHA256,
	OBSERVABLE_SHA512,
	OBSERVABLE_ASN,     /* decimal */
	OBSERVABLE_CVE,     /* CVE-2026-1234 */
	OBSERVABLE_MALWARE, /* family, lower case */
	OBSERVABLE_FILENAME,
	OBSERVABLE_MAC,
	OBSERVABLE_ACCOUNT,
	OBSERVABLE_WALLET, /* of a crypto-currency: see model/wallet.h; others as given */
	OBSERVABLE_MUTEX,
	OBSERVABLE_REGISTRY,
	OBSERVABLE_USER_AGENT,
	OBSERVABLE_SHA224,
	OBSERVABLE_SHA384,
	OBSERVABLE_TYPES
};

enum observable_role {
	OBSERVED_UNKNOWN,
	OBSERVED_SOURCE, /* where it came from; of a vulnerable or infected system: the system */
	OBSERVED_TARGET,
	OBSERVED_REPORTER, /* who told us: never an indicator */
	OBSERVED_IMITATED,
	OBSERVED_INDICATOR,
	OBSERVABLE_ROLES
};

struct observable {
	enum observable_type type;
	enum observable_role role;
	struct str value; /* normalised, storable: see model/storable.h */
};

const char *observable_type_name(enum observable_type type); /* "ip" */
bool observable_type_parse(
	struct str text, enum observable_type *type); /* also ipv4, domain, hostname, sha-256 … */
const char *observable_role_name(enum observable_role role);
bool observable_role_parse(struct str text, enum observable_role *role); /* "destination" is target */

/* Normalise `text` for its type, in arena memory; refangs hxxp and [.]. False if it is not one of that type.
 */
bool observable_normalise(enum observable_type type, struct str text, struct arena *arena, struct str *value);
/* Guess the type of a bare value: ip, url, email, digest, cve, wallet, name of two labels or more, in this
 * order. */
bool observable_guess(struct str text, struct arena *arena, struct observable *observable);
/* The host within a URL, without port and brackets; empty where there is none. */
struct str url_host(struct str url);
/* Whether a value from another room is storable, and one that a column of its type takes. */
bool observable_valid(const struct observable *observable);

/*
 * What a search for this observable must look up (trap 24): SHA-256 of "type\0value", its first 8 bytes
 * big-endian as a signed number. A name also stands under each parent down to two labels, an address under
 * its /24 and /16 (/48 and /32), a URL also under its host, an address in a URL likewise, a mail address
 * under its domain.
 */
int64_t search_key(
	const char *kind, struct str value); /* kind: name of an observable type, or see report_keys() */
int64_t observable_key(enum observable_type type, struct str normalised);
#define OBSERVABLE_KEYS 16
size_t observable_keys(const struct observable *observable, int64_t keys[OBSERVABLE_KEYS]);

#endif
