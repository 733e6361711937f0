#include "config.h"

#include "model/observable.h"

#include "base/mem.h"
#include "model/storable.h"
#include "model/wallet.h"

static const char *const type_names[OBSERVABLE_TYPES] = {
	[OBSERVABLE_OTHER] = "other",
	[OBSERVABLE_IP] = "ip",
	[OBSERVABLE_NAME] = "name",
	[OBSERVABLE_URL] = "url",
	[OBSERVABLE_EMAIL] = "email",
	[OBSERVABLE_MD5] = "md5",
	[OBSERVABLE_SHA1] = "sha1",
	[OBSERVABLE_SHA256] = "sha256",
	[OBSERVABLE_SHA512] = "sha512",
	[OBSERVABLE_ASN] = "asn",
	[OBSERVABLE_CVE] = "cve",
	[OBSERVABLE_MALWARE] = "malware",
	[OBSERVABLE_FILENAME] = "filename",
	[OBSERVABLE_MAC] = "mac",
	[OBSERVABLE_ACCOUNT] = "account",
	[OBSERVABLE_WALLET] = "wallet",
	[OBSERVABLE_MUTEX] = "mutex",
	[OBSERVABLE_REGISTRY] = "registry",
	[OBSERVABLE_USER_AGENT] = "user-agent",
	[OBSERVABLE_SHA224] = "sha224",
	[OBSERVABLE_SHA384] = "sha384",
};

/* What others call them: STIX, MISP, IDEA, IntelMQ. */
static const struct {
	const char *name;
	enum observable_type type;
} type_aliases[] = {
	{"ipv4", OBSERVABLE_IP},
	{"ipv6", OBSERVABLE_IP},
	{"ipv4-addr", OBSERVABLE_IP},
	{"ipv6-addr", OBSERVABLE_IP},
	{"ip-src", OBSERVABLE_IP},
	{"ip-dst", OBSERVABLE_IP},
	{"cidr", OBSERVABLE_IP},
	{"network", OBSERVABLE_IP},
	{"domain", OBSERVABLE_NAME},
	{"domain-name", OBSERVABLE_NAME},
	{"hostname", OBSERVABLE_NAME},
	{"fqdn", OBSERVABLE_NAME},
	{"host", OBSERVABLE_NAME},
	{"uri", OBSERVABLE_URL},
	{"link", OBSERVABLE_URL},
	{"email-addr", OBSERVABLE_EMAIL},
	{"email-src", OBSERVABLE_EMAIL},
	{"email-dst", OBSERVABLE_EMAIL},
	{"mail", OBSERVABLE_EMAIL},
	{"sha-1", OBSERVABLE_SHA1},
	{"sha-256", OBSERVABLE_SHA256},
	{"sha-224", OBSERVABLE_SHA224},
	{"sha-384", OBSERVABLE_SHA384},
	{"sha-512", OBSERVABLE_SHA512},
	{"as", OBSERVABLE_ASN},
	{"autonomous-system", OBSERVABLE_ASN},
	{"vulnerability", OBSERVABLE_CVE},
	{"malware-type", OBSERVABLE_MALWARE},
	{"file-name", OBSERVABLE_FILENAME},
	{"mac-addr", OBSERVABLE_MAC},
	{"mac-address", OBSERVABLE_MAC},
	{"user", OBSERVABLE_ACCOUNT},
	{"username", OBSERVABLE_ACCOUNT},
	{"user-account", OBSERVABLE_ACCOUNT},
	{"btc", OBSERVABLE_WALLET},
	{"xmr", OBSERVABLE_WALLET},
	{"eth", OBSERVABLE_WALLET},
	{"cryptocurrency-wallet", OBSERVABLE_WALLET},
	{"regkey", OBSERVABLE_REGISTRY},
	{"windows-registry-key", OBSERVABLE_REGISTRY},
};

static const char *const role_names[OBSERVABLE_ROLES] = {
	[OBSERVED_UNKNOWN] = "unknown",
	[OBSERVED_SOURCE] = "source",
	[OBSERVED_TARGET] = "target",
	[OBSERVED_REPORTER] = "reporter",
	[OBSERVED_IMITATED] = "imitated",
	[OBSERVED_INDICATOR] = "indicator",
};

const char *observable_type_name(enum observable_type type)
{
	return type_names[type < OBSERVABLE_TYPES ? type : OBSERVABLE_OTHER];
}

bool observable_type_parse(struct str text, enum observable_type *type)
{
	for (unsigned i = 0; i < OBSERVABLE_TYPES; i++) {
		if (str_equal_nocase(text, str_of(type_names[i]))) {
			*type = (enum observable_type)i;
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(type_aliases); i++) {
		if (str_equal_nocase(text, str_of(type_aliases[i].name))) {
			*type = type_aliases[i].type;
			return true;
		}
	}
	return false;
}

const char *observable_role_name(enum observable_role role)
{
	return role_names[role < OBSERVABLE_ROLES ? role : OBSERVED_UNKNOWN];
}

bool observable_role_parse(struct str text, enum observable_role *role)
{
	if (str_equal_nocase(text, STR("destination")))
		text = STR("target");
	for (unsigned i = 0; i < OBSERVABLE_ROLES; i++) {
		if (str_equal_nocase(text, str_of(role_names[i]))) {
			*role = (enum observable_role)i;
			return true;
		}
	}
	return false;
}

bool observable_guess(struct str text, struct arena *arena, struct observable *observable)
{
	static const enum observable_type order[] = {OBSERVABLE_IP, OBSERVABLE_URL, OBSERVABLE_EMAIL,
		OBSERVABLE_MD5, OBSERVABLE_SHA1, OBSERVABLE_SHA256, OBSERVABLE_SHA512, OBSERVABLE_CVE,
		OBSERVABLE_SHA224, OBSERVABLE_SHA384, OBSERVABLE_WALLET, OBSERVABLE_NAME};
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct str value;
		if (!observable_normalise(order[i], text, arena, &value))
			continue;
		if (order[i] == OBSERVABLE_WALLET && !wallet_is(value))
			continue;
		if (order[i] == OBSERVABLE_NAME && !memchr(value.p, '.', value.len))
			continue;
		*observable = (struct observable){.type = order[i], .value = value};
		return true;
	}
	return false;
}

static bool is_hex(struct str text, size_t len)
{
	for (size_t i = 0; i < text.len; i++) {
		bool digit = (text.p[i] >= '0' && text.p[i] <= '9') || (text.p[i] >= 'a' && text.p[i] <= 'f');
		if (!digit)
			return false;
	}
	return text.len == len;
}

bool observable_valid(const struct observable *observable)
{
	struct str value = observable->value;
	struct netaddr addr;
	char text[NETADDR_TEXT];
	uint64_t number;
	if ((unsigned)observable->type >= OBSERVABLE_TYPES ||
		(unsigned)observable->role >= OBSERVABLE_ROLES || value.len == 0 ||
		!storable_is(value, MAX_VALUE))
		return false;
	switch (observable->type) {
	case OBSERVABLE_IP:
		return netaddr_parse(value, &addr) && str_equal(value, str_of(netaddr_format(&addr, text)));
	case OBSERVABLE_ASN:
		return str_to_u64(value, &number) && number <= UINT32_MAX;
	case OBSERVABLE_MD5:
		return is_hex(value, 32);
	case OBSERVABLE_SHA1:
		return is_hex(value, 40);
	case OBSERVABLE_SHA224:
		return is_hex(value, 56);
	case OBSERVABLE_SHA256:
		return is_hex(value, 64);
	case OBSERVABLE_SHA384:
		return is_hex(value, 96);
	case OBSERVABLE_SHA512:
		return is_hex(value, 128);
	default:
		return true;
	}
}
