#include "config.h"

#include "supervisor/notify.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#else
#define sd_notify(unset, text)           ((void)(text))
#define sd_watchdog_enabled(unset, usec) ((void)(usec), 0)
#endif

struct watchdog {
	struct timer *timer;
	int64_t interval;
};

void notify_ready(void)
{
	sd_notify(0, "READY=1");
}

void notify_reloading(void)
{
	char *text = mem_printf("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_monotonic());
	sd_notify(0, text);
	free(text);
}

void notify_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

void notify_status(const char *status)
{
	char *text = mem_printf("STATUS=%s", status);
	sd_notify(0, text);
	free(text);
}

static void on_beat(void *context)
{
	struct watchdog *watchdog = context;
	sd_notify(0, "WATCHDOG=1");
	timer_set(watchdog->timer, watchdog->interval);
}

struct watchdog *watchdog_new(struct loop *loop)
{
	uint64_t limit = 0;
	if (sd_watchdog_enabled(0, &limit) <= 0 || limit == 0)
		return NULL;
	struct watchdog *watchdog = mem_alloc(sizeof(*watchdog));
	watchdog->interval = (int64_t)(limit / 3);
	watchdog->timer = timer_new(loop, on_beat, watchdog);
	on_beat(watchdog);
	return watchdog;
}

void watchdog_free(struct watchdog **watchdog)
{
	if (!*watchdog)
		return;
	timer_free(&(*watchdog)->timer);
	free(*watchdog);
	*watchdog = NULL;
}
