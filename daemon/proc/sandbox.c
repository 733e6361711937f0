#include "config.h"

#include "proc/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "proc/landlock.h"
#include "proc/syscall_filter.h"

#ifdef WITH_SANITIZER
/* The leak checker reads /proc, which is out of reach inside: it is asked whether to run. */
static bool inside;
int __lsan_is_turned_off(void);

int __lsan_is_turned_off(void)
{
	return inside;
}
#endif

void sandbox_allow(struct sandbox *plan, const char *path, enum sandbox_access access)
{
	if (plan->path_count < SANDBOX_PATHS)
		plan->paths[plan->path_count++] = (struct sandbox_path){path, access};
}

static bool limit(int resource, const char *name, uint64_t value, struct err *err)
{
	struct rlimit to = {value, value};
	struct rlimit now;
	if (getrlimit((__rlimit_resource_t)resource, &now) == 0 && now.rlim_max < value)
		to.rlim_cur = to.rlim_max = now.rlim_max;
	if (setrlimit((__rlimit_resource_t)resource, &to) < 0)
		return err_errno(err, "limit of %s", name);
	return true;
}

static bool set_limits(const struct sandbox *plan, struct err *err)
{
	if (!limit(RLIMIT_CORE, "core size", 0, err))
		return false;
	if (plan->open_files > 0 && !limit(RLIMIT_NOFILE, "open files", plan->open_files, err))
		return false;
#ifndef WITH_SANITIZER
	if (plan->memory > 0 && !limit(RLIMIT_DATA, "memory", plan->memory, err))
		return false;
#endif
	return true;
}

/* No plan ever has the root folder: where it opens, the sandbox does not hold. */
static bool prove(struct err *err)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return true;
	fd_close(&fd);
	return err_set(err, ERR_SYSTEM, "the sandbox does not hold: / could be opened inside it");
}

static void describe(const struct sandbox *plan, int abi, struct buf *enforced)
{
	const char *network = plan->inet_connect ? "connect" : plan->inet_listen ? "accept" : "none";
	buf_printf(enforced, "{\"landlock\":%d,\"filter\":\"%s\",\"network\":\"%s\",\"network_by\":\"%s\"",
		abi, syscall_filter_kind(), network, abi >= 4 ? "landlock and family" : "family");
#ifndef WITH_SANITIZER
	if (plan->memory > 0)
		buf_printf(enforced, ",\"memory\":%llu", (unsigned long long)plan->memory);
#endif
	buf_text(enforced, "}");
}

bool sandbox_enter(const struct sandbox *plan, bool relaxed, struct buf *enforced, struct err *err)
{
	int abi = landlock_abi();
	if (abi == 0 && !relaxed)
		return err_set(err, ERR_SYSTEM,
			"this kernel has no Landlock; to run without it, set sandbox = relaxed");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(err, "no_new_privs");
	if (!set_limits(plan, err))
		return false;
#ifdef WITH_SANITIZER
	inside = true;
#endif
	if (abi > 0 && !landlock_enter(plan, abi, err))
		return false;
	if (!syscall_filter_enter(plan, err))
		return false;
	if (abi > 0 && !prove(err))
		return false;
	if (abi == 0)
		log_warn("sandbox = relaxed: this kernel has no Landlock, files are held by their owners' "
			 "rights only");
	describe(plan, abi, enforced);
	return true;
}

uint64_t sandbox_refused(void)
{
	char name[64];
	while (syscall_filter_news(name, sizeof(name)))
		log_warn_f(LOG_F({"call", name}), "the sandbox refused a system call");
	return syscall_filter_refused();
}
