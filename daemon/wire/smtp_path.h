#ifndef WIRE_SMTP_PATH_H
#define WIRE_SMTP_PATH_H

#include "base/str.h"

/* The longest address taken, and the longest local part and domain (RFC 5321 4.5.3.1 asks for 256, 64, 255).
 */
#define SMTP_ADDRESS_MAX 512
#define SMTP_LOCAL_MAX   254
#define SMTP_DOMAIN_MAX  255

/*
 * Cut "<address>" off *rest, white space before it allowed. A source route "<@a,@b:user@c>" is passed over
 * (RFC 5321 4.1.1.3). "<>" gives an empty address. False if it is not one: a control character, an unclosed
 * quote, too long, bytes over 127 unless utf8, which must then be UTF-8.
 */
bool smtp_path(struct str *rest, bool utf8, struct str *address);
/* Cut the next ESMTP parameter off *rest: KEY or KEY=VALUE (value p NULL without "="). False at the end. */
bool smtp_parameter(struct str *rest, struct str *key, struct str *value);

#endif
