#include "model/sealed.h"

static const struct {
	const char *text;
	const char *key;
	bool holds;
} states[SIGNATURE_STATES] = {
	[SIGNATURE_GOOD] = {"good signature", "known, valid", true},
	[SIGNATURE_BAD] = {"bad signature", "known", false},
	[SIGNATURE_UNKNOWN_KEY] = {"signature not checked: unknown key", "not known", false},
	[SIGNATURE_UNTRUSTED] = {"good signature", "not known", true},
	[SIGNATURE_EXPIRED] = {"expired signature", "known", true},
	[SIGNATURE_KEY_EXPIRED] = {"good signature", "known, expired", true},
	[SIGNATURE_KEY_REVOKED] = {"good signature", "known, not valid: revoked", true},
	[SIGNATURE_STALE_CRL] = {"good signature",
		"known, valid as far as an expired list of revoked certificates tells", true},
	[SIGNATURE_FAILED] = {"signature not checked", "", false},
};

const char *signature_state_text(enum signature_state state)
{
	return (unsigned)state < SIGNATURE_STATES ? states[state].text : "signature not checked";
}

const char *signature_key_text(enum signature_state state)
{
	return (unsigned)state < SIGNATURE_STATES ? states[state].key : "";
}

bool signature_holds(enum signature_state state)
{
	return (unsigned)state < SIGNATURE_STATES && states[state].holds;
}
