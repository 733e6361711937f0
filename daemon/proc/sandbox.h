#ifndef PROC_SANDBOX_H
#define PROC_SANDBOX_H

#include "base/buf.h"
#include "base/err.h"

/*
 * What a room may do, said as a plan and entered once: no_new_privs, rlimits, Landlock, seccomp. What
 * Landlock's ABI of this kernel cannot say about the network, seccomp says by address family (trap 25).
 * Forbidden calls return EPERM; exec, ptrace and socket families kill. Entering is proven afterwards: opening
 * a file outside the plan must fail. What is run by a room with `programs` is held by the same plan.
 */
enum sandbox_access { SANDBOX_READ, SANDBOX_READ_EXEC, SANDBOX_READ_WRITE };

struct sandbox_path {
	const char *path; /* missing ones are left out */
	enum sandbox_access access;
};

#define SANDBOX_PATHS 24
#define SANDBOX_PORTS 8
struct sandbox {
	struct sandbox_path paths[SANDBOX_PATHS];
	size_t path_count;
	bool unix_sockets;                     /* socket(AF_UNIX): database over its socket */
	bool inet_listen;                      /* accept only: listeners come from the supervisor */
	bool inet_connect;                     /* socket(AF_INET/6), connect */
	uint16_t connect_ports[SANDBOX_PORTS]; /* only to these, from Landlock ABI 4 on; none = any */
	size_t connect_port_count;
	bool threads;         /* clone for threads: GMime, curl's resolver */
	bool executable_maps; /* mmap PROT_EXEC: gconv modules */
	bool programs;        /* fork, and exec of what the paths let be executed: keys */
	uint64_t memory;      /* RLIMIT_DATA, 0 = none; not in sanitizer builds */
	uint64_t open_files;  /* RLIMIT_NOFILE, 0 = as is */
};

void sandbox_allow(struct sandbox *plan, const char *path, enum sandbox_access access);
/* relaxed: go on without Landlock where the kernel has none. *enforced gets a JSON object of what holds. */
bool sandbox_enter(const struct sandbox *plan, bool relaxed, struct buf *enforced, struct err *err);
/* Calls refused so far in this process; those refused for the first time since are logged by name. */
uint64_t sandbox_refused(void);
/* Become `user` (and its group) for good, with no supplementary groups; a no-op when not root. */
bool user_become(const char *user, struct err *err);

#endif
