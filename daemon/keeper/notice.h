#ifndef KEEPER_NOTICE_H
#define KEEPER_NOTICE_H

#include "conf/conf.h"

/* Until when what begins now is gathered: the next time of day that the option notices.at names, local time.
 */
int64_t notice_full(struct str at, int64_t now);
/* The domain in the Message-IDs of mails: that of our own address. */
struct str notice_domain(const struct conf *conf);

#endif
