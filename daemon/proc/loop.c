#include "proc/loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

struct deferred {
	timer_fn *call; /* NULL: taken back */
	void *context;
};

struct signal_watch {
	struct signal_watch *next;
	struct event event;
	signal_fn *call;
	void *context;
};

struct loop {
	struct event_base *base;
	struct event run_deferred;
	struct deferred *deferred;
	size_t deferred_count;
	size_t deferred_room;
	struct signal_watch *signals;
	bool running_deferred;
	bool stopped;
};

struct watch {
	struct event event;
	struct event_base *base;
	int fd;
	unsigned events;
	watch_fn *call;
	void *context;
};

struct timer {
	struct event event;
	timer_fn *call;
	void *context;
};

static struct timeval interval(int64_t microseconds)
{
	if (microseconds < 0)
		microseconds = 0;
	return (struct timeval){microseconds / CLOCK_SECOND, microseconds % CLOCK_SECOND};
}

/* Those that are deferred meanwhile wait for the next turn, so that input is never starved. */
static void on_deferred(evutil_socket_t fd, short what, void *context)
{
	struct loop *loop = context;
	(void)fd;
	(void)what;
	size_t now = loop->deferred_count;
	loop->running_deferred = true;
	for (size_t i = 0; i < now; i++) {
		struct deferred run = loop->deferred[i];
		loop->deferred[i].call = NULL;
		if (run.call)
			run.call(run.context);
	}
	loop->running_deferred = false;
	loop->deferred_count -= now;
	if (loop->deferred_count > 0) {
		struct timeval soon = {0, 0};
		memmove(loop->deferred, loop->deferred + now, loop->deferred_count * sizeof(*loop->deferred));
		event_add(&loop->run_deferred, &soon);
	}
}

struct loop *loop_new(void)
{
	struct loop *loop = mem_alloc(sizeof(*loop));
	struct event_config *config = event_config_new();
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_PRECISE_TIMER);
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	evtimer_assign(&loop->run_deferred, loop->base, on_deferred, loop);
	return loop;
}

void loop_free(struct loop **loop)
{
	struct loop *old = *loop;
	*loop = NULL;
	if (!old)
		return;
	while (old->signals) {
		struct signal_watch *next = old->signals->next;
		event_del(&old->signals->event);
		free(old->signals);
		old->signals = next;
	}
	event_del(&old->run_deferred);
	event_base_free(old->base);
	free(old->deferred);
	free(old);
}

void loop_run(struct loop *loop)
{
	while (!loop->stopped)
		event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
	event_base_loopbreak(loop->base);
}

static void on_turn_over(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
}

bool loop_turn(struct loop *loop, int64_t wait)
{
	struct timeval limit = interval(wait);
	struct event over;
	evtimer_assign(&over, loop->base, on_turn_over, NULL);
	event_add(&over, &limit);
	event_base_loop(loop->base, EVLOOP_ONCE);
	event_del(&over);
	return !loop->stopped;
}

static void on_watch(evutil_socket_t fd, short what, void *context)
{
	struct watch *watch = context;
	unsigned ready = (what & EV_READ ? LOOP_READ : 0u) | (what & EV_WRITE ? LOOP_WRITE : 0u);
	watch->call((int)fd, ready, watch->context);
}

struct watch *watch_new(struct loop *loop, int fd, watch_fn *call, void *context)
{
	struct watch *watch = mem_alloc(sizeof(*watch));
	*watch = (struct watch){.base = loop->base, .fd = fd, .call = call, .context = context};
	event_assign(&watch->event, loop->base, fd, EV_PERSIST, on_watch, watch);
	return watch;
}

void watch_set(struct watch *watch, unsigned events)
{
	if (watch->events == events)
		return;
	event_del(&watch->event);
	watch->events = events;
	if (events == 0)
		return;
	short what = EV_PERSIST;
	what = (short)(what | (events & LOOP_READ ? EV_READ : 0) | (events & LOOP_WRITE ? EV_WRITE : 0));
	event_assign(&watch->event, watch->base, watch->fd, what, on_watch, watch);
	event_add(&watch->event, NULL);
}

void watch_free(struct watch **watch)
{
	if (!*watch)
		return;
	event_del(&(*watch)->event);
	free(*watch);
	*watch = NULL;
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct timer *timer = context;
	(void)fd;
	(void)what;
	timer->call(timer->context);
}

struct timer *timer_new(struct loop *loop, timer_fn *call, void *context)
{
	struct timer *timer = mem_alloc(sizeof(*timer));
	timer->call = call;
	timer->context = context;
	evtimer_assign(&timer->event, loop->base, on_timer, timer);
	return timer;
}

void timer_set(struct timer *timer, int64_t microseconds)
{
	struct timeval when = interval(microseconds);
	event_add(&timer->event, &when);
}

void timer_stop(struct timer *timer)
{
	event_del(&timer->event);
}

bool timer_pending(const struct timer *timer)
{
	return event_pending(&timer->event, EV_TIMEOUT, NULL) != 0;
}

void timer_free(struct timer **timer)
{
	if (!*timer)
		return;
	event_del(&(*timer)->event);
	free(*timer);
	*timer = NULL;
}

static void on_signal(evutil_socket_t fd, short what, void *context)
{
	struct signal_watch *watch = context;
	(void)what;
	watch->call((int)fd, watch->context);
}

void loop_signal(struct loop *loop, int signal, signal_fn *call, void *context)
{
	struct signal_watch *watch = mem_alloc(sizeof(*watch));
	watch->call = call;
	watch->context = context;
	watch->next = loop->signals;
	loop->signals = watch;
	evsignal_assign(&watch->event, loop->base, signal, on_signal, watch);
	event_add(&watch->event, NULL);
}

void loop_defer(struct loop *loop, timer_fn *call, void *context)
{
	if (loop->deferred_count == loop->deferred_room) {
		loop->deferred_room = loop->deferred_room ? 2 * loop->deferred_room : 16;
		loop->deferred = mem_resize(loop->deferred, loop->deferred_room * sizeof(*loop->deferred));
	}
	loop->deferred[loop->deferred_count++] = (struct deferred){call, context};
	if (!loop->running_deferred && !event_pending(&loop->run_deferred, EV_TIMEOUT, NULL))
		event_active(&loop->run_deferred, EV_TIMEOUT, 0);
}

void loop_undefer(struct loop *loop, timer_fn *call, void *context)
{
	for (size_t i = 0; i < loop->deferred_count; i++)
		if (loop->deferred[i].call == call && loop->deferred[i].context == context)
			loop->deferred[i].call = NULL;
}
