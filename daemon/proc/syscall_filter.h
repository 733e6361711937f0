#ifndef PROC_SYSCALL_FILTER_H
#define PROC_SYSCALL_FILTER_H

#include "proc/sandbox.h"

/*
 * seccomp: a list of what rooms use. Anything else returns EPERM and is counted; exec, ptrace and sockets of
 * a family that the plan does not have kill. In sanitizer builds the list is open and only the network is
 * held.
 */
bool syscall_filter_enter(const struct sandbox *plan, struct err *err);
const char *syscall_filter_kind(void); /* "strict", or what was widened */
uint64_t syscall_filter_refused(void);
/* The name of a call refused for the first time since the last time asked, in text; false if there was none.
 */
bool syscall_filter_news(char *text, size_t size);

#endif
