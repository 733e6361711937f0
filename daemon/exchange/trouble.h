#ifndef EXCHANGE_TROUBLE_H
#define EXCHANGE_TROUBLE_H

/*
 * What can be wrong with a pull, as a word that stays the same: `cirt source show` has it under "pull",
 * beside a text for people. doc/cirtd.conf.5 tells what each means.
 */
enum trouble {
	TROUBLE_NONE,
	TROUBLE_UNREACHABLE, /* no name, no connection */
	TROUBLE_CERTIFICATE, /* theirs is not trusted, or ours is missing */
	TROUBLE_REFUSED,     /* 401, 403 */
	TROUBLE_GONE,        /* 404, 410 */
	TROUBLE_BUSY,        /* 429, 503: it is asked again when it said */
	TROUBLE_SERVER,      /* any other status */
	TROUBLE_REDIRECT,    /* to where we do not follow */
	TROUBLE_SLOW,        /* over the time or under the speed that a pull is given */
	TROUBLE_TOO_LARGE,
	TROUBLE_CUT,       /* it ended early */
	TROUBLE_MALFORMED, /* not what was expected of it */
	TROUBLE_LOOP,      /* its pages lead nowhere */
	TROUBLE_SPOOL,     /* ours did not take it */
	TROUBLES
};

const char *trouble_name(enum trouble trouble); /* "too-large"; "" of NONE */
enum trouble trouble_of_status(long status);

#endif
