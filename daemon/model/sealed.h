#ifndef MODEL_SEALED_H
#define MODEL_SEALED_H

#include "base/str.h"

/*
 * What is encrypted or signed, as it is handed to who holds the keys, and what comes back. A signature says
 * something about the bytes that it was made over and about nothing else.
 */
enum sealed_kind {
	SEALED_PGP = 1,      /* an OpenPGP message, armoured or not, or a text with a signature below it */
	SEALED_PGP_DETACHED, /* bytes, and an OpenPGP signature over them */
	SEALED_CMS,          /* CMS (S/MIME): enveloped or signed data with its content inside, DER */
	SEALED_CMS_DETACHED, /* bytes, and CMS signed data over them */
	SEALED_KINDS
};

struct sealed {
	enum sealed_kind kind;
	struct str bytes;
	struct str signature; /* of the detached kinds */
};

enum signature_state {
	SIGNATURE_GOOD,        /* by a key that is known and valid */
	SIGNATURE_BAD,         /* the bytes are not what was signed */
	SIGNATURE_UNKNOWN_KEY, /* cannot be checked: no such key here */
	SIGNATURE_UNTRUSTED,   /* right, by a certificate that nobody known to us vouches for */
	SIGNATURE_EXPIRED,     /* right, but it was made for a time that is over */
	SIGNATURE_KEY_EXPIRED, /* right, by a known key that has expired */
	SIGNATURE_KEY_REVOKED, /* right, by a known key that was revoked */
	SIGNATURE_STALE_CRL,   /* right, but whether the certificate was revoked is not known: the list is old
	                        */
	SIGNATURE_FAILED,      /* could not be checked */
	SIGNATURE_STATES
};

struct seal_signature {
	enum signature_state state;
	struct str key;       /* fingerprint in hex; a key id where no more is known; "" */
	struct str who;       /* whose key it is, as the key says: first name and address; "" unknown */
	struct str addresses; /* all of its addresses, lower case, by blanks */
};

enum unseal_outcome {
	UNSEAL_OPENED, /* plain is there, or the signature was checked */
	UNSEAL_LOCKED, /* a key of ours could open it once its passphrase is told: wait */
	UNSEAL_AWAY,   /* who holds the keys is not there now: wait */
	UNSEAL_NO_KEY, /* encrypted to keys that we do not have */
	UNSEAL_FAILED, /* cannot be opened: reason */
	UNSEAL_OUTCOMES
};

#define UNSEAL_SIGNATURES 16 /* more of one part are not looked at */

struct unsealed {
	enum unseal_outcome outcome;
	struct str reason; /* for people, where it was not opened */
	bool encrypted;    /* it was, and plain is what stood inside */
	struct str key;    /* fingerprint of ours that opened it; "" */
	struct str plain;  /* exactly what was encrypted or what the signatures cover; "" for the detached
	                      kinds */
	struct seal_signature *signatures;
	size_t signature_count;
};

/* What is to be signed or encrypted, and what comes back. */
enum seal_kind {
	SEAL_PGP = 1, /* an OpenPGP message in ASCII; without a recipient a detached signature */
	SEAL_CMS,     /* CMS in DER: enveloped data; without a recipient detached signed data */
	SEAL_KINDS
};

struct seal {
	enum seal_kind kind;
	struct str signer; /* fingerprint of a key of ours; "" : not signed. SEAL_CMS: not with a recipient */
	struct str recipient; /* fingerprint of theirs; "" : not encrypted */
	struct str bytes;
};

enum seal_outcome {
	SEAL_DONE,
	SEAL_LOCKED,   /* the key that signs is, until its passphrase is told: wait */
	SEAL_AWAY,     /* who holds the keys is not there now: wait */
	SEAL_NO_KEY,   /* no such key of theirs, or none that encrypts */
	SEAL_EXPIRED,  /* it is, or is not valid yet */
	SEAL_REVOKED,  /* or disabled */
	SEAL_NOT_OURS, /* the key that signs is not there, or not valid any more */
	SEAL_FAILED,
	SEAL_OUTCOMES
};

struct seal_answer {
	enum seal_outcome outcome;
	struct str reason; /* for people, where it was not done */
	struct str micalg; /* of a signature, as in RFC 3156 and 8551: "pgp-sha512", "sha-256" */
	struct str bytes;
};

/* "good signature", "bad signature", "signature by an unknown key" … */
const char *signature_state_text(enum signature_state state);
/* "known, valid", "known, expired", "not known": what is to be said of the key. */
const char *signature_key_text(enum signature_state state);
/* The state says that these bytes were signed with that key, whatever may be wrong with the key. */
bool signature_holds(enum signature_state state);

#endif
