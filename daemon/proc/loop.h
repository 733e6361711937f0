#ifndef PROC_LOOP_H
#define PROC_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* The event loop of a room (libevent inside, nowhere else). Callbacks may free their own watch or timer. */
struct loop;
struct watch;
struct timer;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };
typedef void watch_fn(int fd, unsigned ready, void *context);
typedef void timer_fn(void *context);
typedef void signal_fn(int signal, void *context);

struct loop *loop_new(void);
void loop_free(struct loop **loop);
void loop_run(struct loop *loop); /* until loop_stop() */
void loop_stop(struct loop *loop);
bool loop_turn(struct loop *loop, int64_t wait); /* one turn, at most `wait` microseconds; false if stopped */

struct watch *watch_new(struct loop *loop, int fd, watch_fn *call, void *context); /* fd stays the caller's */
void watch_set(struct watch *watch, unsigned events); /* LOOP_READ | LOOP_WRITE, 0 = pause */
void watch_free(struct watch **watch);

struct timer *timer_new(struct loop *loop, timer_fn *call, void *context);
void timer_set(struct timer *timer, int64_t microseconds); /* once, from now; again replaces */
void timer_stop(struct timer *timer);
bool timer_pending(const struct timer *timer);
void timer_free(struct timer **timer);

void loop_signal(
	struct loop *loop, int signal, signal_fn *call, void *context); /* for the life of the loop */
/* Call once before the loop waits again; for batching. Whoever frees the context first takes it back. */
void loop_defer(struct loop *loop, timer_fn *call, void *context);
void loop_undefer(struct loop *loop, timer_fn *call, void *context);

#endif
