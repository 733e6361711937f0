#ifndef WIRE_SYSLOG_H
#define WIRE_SYSLOG_H

#include "base/buf.h"

/* The MSG of a syslog message (RFC 5424 6), without its BOM; the whole message where it is not one of RFC
 * 5424. */
struct str syslog_msg(struct str message);

/*
 * The front of an octet-counted stream (RFC 5425 4.3): 1, and *message of a whole frame that is *used bytes
 * long; 0: not all there yet, *want is the length of its message once that is known, else 0; -1: no frame.
 */
int syslog_frame(struct str bytes, struct str *message, size_t *used, size_t *want);

#endif
