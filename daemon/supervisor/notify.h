#ifndef SUPERVISOR_NOTIFY_H
#define SUPERVISOR_NOTIFY_H

#include "proc/loop.h"

/* What systemd is told; nothing where it did not start us. */
void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
void notify_status(const char *text);
/* Answers its watchdog while the loop turns; NULL where it has none for us. */
struct watchdog;
struct watchdog *watchdog_new(struct loop *loop);
void watchdog_free(struct watchdog **watchdog);

#endif
