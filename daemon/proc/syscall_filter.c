#include "config.h"

#include "proc/syscall_filter.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/mem.h"

#define FAMILIES    46 /* AF_MAX of current kernels */
#define CALLS       512
#define THREAD_FLAG 0x00010000 /* CLONE_THREAD */

/* What every room may call. What only some may, or only with some arguments, is in add_conditional(). */
static const char *const allowed[] = {
	/* memory, time, self */
	"brk",
	"madvise",
	"mremap",
	"munmap",
	"msync",
	"membarrier",
	"futex",
	"futex_waitv",
	"get_robust_list",
	"set_robust_list",
	"rseq",
	"set_tid_address",
	"sched_yield",
	"sched_getaffinity",
	"clock_gettime",
	"clock_getres",
	"clock_nanosleep",
	"nanosleep",
	"gettimeofday",
	"time",
	"times",
	"getrusage",
	"getrlimit",
	"getpid",
	"gettid",
	"getppid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getgroups",
	"getpgrp",
	"getsid",
	"uname",
	"sysinfo",
	"getcpu",
	"getrandom",
	"exit",
	"exit_group",
	"restart_syscall",
	"umask",
	"getcwd",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigpending",
	"rt_sigtimedwait",
	"rt_sigsuspend",
	"sigaltstack",
	"sigreturn",
	"pause",
	"alarm",
	"setitimer",
	"getitimer",
	"timer_create",
	"timer_settime",
	"timer_gettime",
	"timer_getoverrun",
	"timer_delete",
	/* descriptors */
	"read",
	"write",
	"readv",
	"writev",
	"pread64",
	"pwrite64",
	"preadv",
	"pwritev",
	"preadv2",
	"pwritev2",
	"lseek",
	"_llseek",
	"close",
	"close_range",
	"dup",
	"dup2",
	"dup3",
	"fcntl",
	"fcntl64",
	"pipe",
	"pipe2",
	"eventfd",
	"eventfd2",
	"signalfd",
	"signalfd4",
	"timerfd_create",
	"timerfd_settime",
	"timerfd_gettime",
	"epoll_create",
	"epoll_create1",
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"epoll_pwait2",
	"poll",
	"ppoll",
	"select",
	"_newselect",
	"pselect6",
	"memfd_create",
	"fsync",
	"fdatasync",
	"sync_file_range",
	"ftruncate",
	"fallocate",
	"fadvise64",
	"readahead",
	"flock",
	/* files: Landlock says which */
	"open",
	"openat",
	"openat2",
	"creat",
	"stat",
	"stat64",
	"lstat",
	"lstat64",
	"fstat",
	"fstat64",
	"fstatat64",
	"newfstatat",
	"statx",
	"statfs",
	"fstatfs",
	"access",
	"faccessat",
	"faccessat2",
	"readlink",
	"readlinkat",
	"getdents",
	"getdents64",
	"unlink",
	"unlinkat",
	"rename",
	"renameat",
	"renameat2",
	"mkdir",
	"mkdirat",
	"rmdir",
	/* sockets that are there */
	"sendmsg",
	"sendmmsg",
	"sendto",
	"recvmsg",
	"recvmmsg",
	"recvfrom",
	"shutdown",
	"getsockname",
	"getpeername",
	"getsockopt",
	"setsockopt",
};

/* What programs that a room runs need beside it. */
static const char *const of_programs[] = {
	"execve",
	"fork",
	"vfork",
	"wait4",
	"waitid",
	"kill",
	"tgkill",
	"setpgid",
	"getpgid",
	"setsid",
	"accept", /* on a listener that they are given */
	"accept4",
	"arch_prctl",
	"prctl",
	"prlimit64",
	"setrlimit",
	"ugetrlimit",
	"getresuid",
	"getresgid",
	"setresuid",
	"setresgid",
	"setuid",
	"setgid",
	"capget",
	"mlock",
	"mlock2",
	"munlock",
	"chdir",
	"fchdir",
	"link",
	"linkat",
	"chmod",
	"fchmod",
	"fchmodat",
	"utime",
	"utimes",
	"utimensat",
	"inotify_init",
	"inotify_init1",
	"inotify_add_watch",
	"inotify_rm_watch",
	"getpriority",
	"sched_getparam",
	"sched_getscheduler",
};

static const char *const fatal[] = {
	"execve", /* first: it is left out where programs may be run */
	"execveat",
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"pidfd_getfd",
	"kcmp",
};

/* Written by the signal handler only; there is one filter per process. */
static _Atomic uint64_t refused;
static _Atomic unsigned char refused_calls[CALLS];

/* A refused call comes here as SIGSYS before it was begun: let it return EPERM. */
static void on_refused(int signal, siginfo_t *info, void *context)
{
	ucontext_t *registers = context;
	(void)signal;
	atomic_fetch_add(&refused, 1);
	if (info->si_syscall >= 0 && info->si_syscall < CALLS && refused_calls[info->si_syscall] == 0)
		refused_calls[info->si_syscall] = 1;
#if defined(__x86_64__)
	registers->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
	registers->uc_mcontext.regs[0] = (uint64_t)-EPERM;
#else
	(void)registers;
#endif
}

/* Where the handler knows how to give a result, refused calls are counted; elsewhere they only fail. */
static uint32_t refusal(const struct sandbox *plan)
{
	/* A program that is run has no handler. */
	if (plan->programs)
		return SCMP_ACT_ERRNO(EPERM);
#if defined(__x86_64__) || defined(__aarch64__)
	struct sigaction action = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	sigaction(SIGSYS, &action, NULL);
	return SCMP_ACT_TRAP;
#else
	return SCMP_ACT_ERRNO(EPERM);
#endif
}

static int add_names(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int call = seccomp_syscall_resolve_name(names[i]);
		if (call == __NR_SCMP_ERROR)
			continue;
		int result = seccomp_rule_add(filter, action, call, 0);
		if (result < 0 && result != -EDOM)
			return result;
	}
	return 0;
}

static bool family_allowed(const struct sandbox *plan, int family)
{
	if (family == AF_UNIX)
		return plan->unix_sockets;
	return plan->inet_connect && (family == AF_INET || family == AF_INET6 || family == AF_NETLINK);
}

static int add_families(scmp_filter_ctx filter, const struct sandbox *plan)
{
	int result = seccomp_rule_add(
		filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	for (int family = 0; result == 0 && family < FAMILIES; family++) {
		uint32_t action = family_allowed(plan, family) ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS;
		/* The resolver asks a name cache by Unix socket first and goes on without it. */
		if (family == AF_UNIX && plan->inet_connect && !plan->unix_sockets)
			action = SCMP_ACT_ERRNO(EACCES);
		result = seccomp_rule_add(
			filter, action, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family));
	}
	return result;
}

static int add_network(scmp_filter_ctx filter, const struct sandbox *plan)
{
	static const char *const outward[] = {"connect", "bind"};
	static const char *const inward[] = {"accept", "accept4"};
	int result = add_families(filter, plan);
	if (result == 0 && (plan->unix_sockets || plan->inet_connect))
		result = add_names(filter, SCMP_ACT_ALLOW, outward, plan->inet_connect ? 2 : 1);
	if (result == 0 && plan->inet_listen)
		result = add_names(filter, SCMP_ACT_ALLOW, inward, ARRAY_LEN(inward));
	return result;
}

static int add_mappings(scmp_filter_ctx filter, const struct sandbox *plan)
{
	static const char *const calls[] = {"mmap", "mmap2", "mprotect"};
	if (plan->executable_maps)
		return add_names(filter, SCMP_ACT_ALLOW, calls, ARRAY_LEN(calls));
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(calls[i]),
			1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		if (result < 0 && result != -EDOM)
			return result;
	}
	return 0;
}

static int add_threads(scmp_filter_ctx filter)
{
	/* The flags of clone3 are out of a filter's sight; the C library falls back to clone. */
	int result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (result == 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
			SCMP_A0(SCMP_CMP_MASKED_EQ, THREAD_FLAG, THREAD_FLAG));
	return result;
}

static int add_fatal(scmp_filter_ctx filter, const struct sandbox *plan, uint32_t action, size_t count)
{
	size_t first = plan->programs ? 1 : 0;

	return add_names(filter, action, fatal + first, count - first);
}

/* Forking, but no new name space; the flags of clone3 are out of a filter's sight. */
static int add_programs(scmp_filter_ctx filter)
{
	const scmp_datum_t spaces = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
	                            CLONE_NEWUTS | CLONE_NEWCGROUP;
	int result = add_names(filter, SCMP_ACT_ALLOW, of_programs, ARRAY_LEN(of_programs));
	if (result == 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (result == 0)
		result = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, spaces, 0));
	return result;
}

static int add_conditional(scmp_filter_ctx filter, const struct sandbox *plan)
{
	static const unsigned long requests[] = {FIONREAD, FIONBIO, TCGETS};
	static const int names[] = {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA, PR_GET_DUMPABLE};
	scmp_datum_t self = (scmp_datum_t)getpid();
	int result = 0;
	for (size_t i = 0; result == 0 && i < ARRAY_LEN(requests); i++)
		result = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, requests[i]));
	for (size_t i = 0; result == 0 && !plan->programs && i < ARRAY_LEN(names); i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)names[i]));
	if (result == 0 && !plan->programs)
		result = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, self));
	if (result == 0 && !plan->programs)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
			SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0));
	if (result == 0)
		result = add_mappings(filter, plan);
	if (result == 0 && plan->threads && !plan->programs)
		result = add_threads(filter);
	if (result == 0 && plan->programs)
		result = add_programs(filter);
	return result;
}

#ifdef WITH_SANITIZER
const char *syscall_filter_kind(void)
{
	return "wide for sanitizers";
}

static scmp_filter_ctx begin(const struct sandbox *plan)
{
	(void)plan;
	return seccomp_init(SCMP_ACT_ALLOW);
}

/* The leak checker traces its own process, and reports run a symbolizer. */
static int add_rules(scmp_filter_ctx filter, const struct sandbox *plan)
{
	(void)add_network;
	(void)add_conditional;
	(void)add_programs;
	(void)refusal;
	(void)allowed;
	for (int family = 0; family < FAMILIES; family++) {
		bool resolver = family == AF_UNIX && plan->inet_connect;
		int result =
			family_allowed(plan, family)
				? 0
				: seccomp_rule_add(filter,
					  resolver ? SCMP_ACT_ERRNO(EACCES) : SCMP_ACT_KILL_PROCESS,
					  SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family));
		if (result < 0)
			return result;
	}
	return add_fatal(filter, plan, SCMP_ACT_ERRNO(EPERM), 2);
}
#else
const char *syscall_filter_kind(void)
{
	return "strict";
}

static scmp_filter_ctx begin(const struct sandbox *plan)
{
	return seccomp_init(refusal(plan));
}

static int add_rules(scmp_filter_ctx filter, const struct sandbox *plan)
{
	int result = add_names(filter, SCMP_ACT_ALLOW, allowed, ARRAY_LEN(allowed));
	if (result == 0)
		result = add_fatal(filter, plan, SCMP_ACT_KILL_PROCESS, ARRAY_LEN(fatal));
	if (result == 0)
		result = add_conditional(filter, plan);
	if (result == 0)
		result = add_network(filter, plan);
	return result;
}
#endif

bool syscall_filter_enter(const struct sandbox *plan, struct err *err)
{
	scmp_filter_ctx filter = begin(plan);
	if (!filter)
		return err_set(err, ERR_SYSTEM, "seccomp: no filter could be made");
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	int result = add_rules(filter, plan);
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	errno = -result;
	return result == 0 || err_errno(err, "seccomp");
}

uint64_t syscall_filter_refused(void)
{
	return atomic_load(&refused);
}

bool syscall_filter_news(char *text, size_t size)
{
	for (int call = 0; call < CALLS; call++) {
		if (refused_calls[call] != 1)
			continue;
		refused_calls[call] = 2;
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
		snprintf(text, size, "%s", name ? name : "unknown");
		free(name);
		return true;
	}
	return false;
}
