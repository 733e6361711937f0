#include "keeper/notice.h"

#include <time.h>

#include "base/clock.h"

int64_t notice_full(struct str at, int64_t now)
{
	time_t seconds = (time_t)(now / CLOCK_SECOND);
	struct tm local;

	if (at.len != 5 || !localtime_r(&seconds, &local))
		return now;
	local.tm_hour = (at.p[0] - '0') * 10 + at.p[1] - '0';
	local.tm_min = (at.p[3] - '0') * 10 + at.p[4] - '0';
	local.tm_sec = 0;
	local.tm_isdst = -1;
	time_t full = mktime(&local);
	if (full <= seconds) {
		local.tm_mday++;
		local.tm_isdst = -1;
		full = mktime(&local);
	}
	return (int64_t)full * CLOCK_SECOND;
}

struct str notice_domain(const struct conf *conf)
{
	struct str address = conf->out_from;

	for (size_t i = address.len; i > 0; i--)
		if (address.p[i - 1] == '@')
			return (struct str){address.p + i, address.len - i};
	return conf->hostname.len ? conf->hostname : STR("localhost");
}
