#include "config.h"

#include "triage/item_limit.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

struct item_limit {
	uint64_t cpu;
	uint64_t wall;
	timer_t cpu_timer;
	timer_t wall_timer;
	bool running;
	int64_t started;
	int64_t slack; /* how far past `started` a new start may be left out */
};

static timer_t make(clockid_t clock, int signal_number)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal_number};
	timer_t timer;

	if (timer_create(clock, &event, &timer) != 0)
		abort();
	return timer;
}

struct item_limit *item_limit_new(uint64_t cpu, uint64_t wall)
{
	struct item_limit *limit = mem_alloc(sizeof(*limit));
	uint64_t least = cpu == 0 || (wall > 0 && wall < cpu) ? wall : cpu;

	limit->cpu = cpu;
	limit->wall = wall;
	limit->slack = (int64_t)(least / 20);
	signal(SIGXCPU, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	limit->cpu_timer = make(CLOCK_PROCESS_CPUTIME_ID, SIGXCPU);
	limit->wall_timer = make(CLOCK_MONOTONIC, SIGALRM);
	return limit;
}

void item_limit_free(struct item_limit **limit)
{
	if (!*limit)
		return;
	timer_delete((*limit)->cpu_timer);
	timer_delete((*limit)->wall_timer);
	free(*limit);
	*limit = NULL;
}

static void set(timer_t timer, uint64_t microseconds)
{
	struct itimerspec when = {0};

	when.it_value.tv_sec = (time_t)(microseconds / 1000000);
	when.it_value.tv_nsec = (long)(microseconds % 1000000) * 1000;
	if (timer_settime(timer, 0, &when, NULL) != 0)
		abort();
}

void item_limit_start(struct item_limit *limit)
{
	int64_t now = clock_monotonic();

	if (limit->running && now - limit->started < limit->slack)
		return;
	limit->running = true;
	limit->started = now;
	set(limit->cpu_timer, limit->cpu);
	set(limit->wall_timer, limit->wall);
}

void item_limit_stop(struct item_limit *limit)
{
	if (!limit->running)
		return;
	limit->running = false;
	set(limit->cpu_timer, 0);
	set(limit->wall_timer, 0);
}
