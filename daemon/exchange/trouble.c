#include "exchange/trouble.h"

static const char *const names[TROUBLES] = {
	[TROUBLE_NONE] = "",
	[TROUBLE_UNREACHABLE] = "unreachable",
	[TROUBLE_CERTIFICATE] = "certificate",
	[TROUBLE_REFUSED] = "refused",
	[TROUBLE_GONE] = "gone",
	[TROUBLE_BUSY] = "busy",
	[TROUBLE_SERVER] = "server",
	[TROUBLE_REDIRECT] = "redirect",
	[TROUBLE_SLOW] = "slow",
	[TROUBLE_TOO_LARGE] = "too-large",
	[TROUBLE_CUT] = "cut",
	[TROUBLE_MALFORMED] = "malformed",
	[TROUBLE_LOOP] = "loop",
	[TROUBLE_SPOOL] = "spool",
};

const char *trouble_name(enum trouble trouble)
{
	return names[trouble < TROUBLES ? trouble : TROUBLE_SERVER];
}

enum trouble trouble_of_status(long status)
{
	switch (status) {
	case 401:
	case 403:
		return TROUBLE_REFUSED;
	case 404:
	case 410:
		return TROUBLE_GONE;
	case 429:
	case 503:
		return TROUBLE_BUSY;
	default:
		return TROUBLE_SERVER;
	}
}
