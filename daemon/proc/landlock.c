#include "config.h"

#include "proc/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

/* linux/landlock.h of the newest kernel that is used here; ABI versions in brackets. */
#define FS_EXECUTE        (UINT64_C(1) << 0)
#define FS_WRITE_FILE     (UINT64_C(1) << 1)
#define FS_READ_FILE      (UINT64_C(1) << 2)
#define FS_READ_DIR       (UINT64_C(1) << 3)
#define FS_REMOVE_DIR     (UINT64_C(1) << 4)
#define FS_REMOVE_FILE    (UINT64_C(1) << 5)
#define FS_MAKE_DIR       (UINT64_C(1) << 7)
#define FS_MAKE_REG       (UINT64_C(1) << 8)
#define FS_REFER          (UINT64_C(1) << 13) /* 2 */
#define FS_TRUNCATE       (UINT64_C(1) << 14) /* 3 */
#define FS_IOCTL_DEV      (UINT64_C(1) << 15) /* 5 */
#define FS_ALL_1          ((UINT64_C(1) << 13) - 1)
#define NET_BIND_TCP      (UINT64_C(1) << 0) /* 4 */
#define NET_CONNECT_TCP   (UINT64_C(1) << 1) /* 4 */
#define SCOPE_ALL         UINT64_C(3)        /* 6: abstract Unix sockets, signals */
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT     2

struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

struct path_rule {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

struct port_rule {
	uint64_t allowed_access;
	uint64_t port;
};

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	return abi > 0 ? (int)abi : 0;
}

static uint64_t handled_fs(int abi)
{
	uint64_t all = FS_ALL_1;
	if (abi >= 2)
		all |= FS_REFER;
	if (abi >= 3)
		all |= FS_TRUNCATE;
	if (abi >= 5)
		all |= FS_IOCTL_DEV;
	return all;
}

static uint64_t rights(enum sandbox_access access, bool folder)
{
	uint64_t allowed = FS_READ_FILE;
	if (access == SANDBOX_READ_EXEC)
		allowed |= FS_EXECUTE;
	if (access == SANDBOX_READ_WRITE)
		allowed |= FS_WRITE_FILE | FS_TRUNCATE;
	if (folder)
		allowed |= FS_READ_DIR;
	if (folder && access == SANDBOX_READ_WRITE)
		allowed |= FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_REFER;
	return allowed;
}

static bool add_path(int ruleset, const struct sandbox_path *path, int abi, struct err *err)
{
	struct stat info;
	int fd = open(path->path, O_PATH | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return true;
	if (fd < 0 || fstat(fd, &info) < 0)
		return err_errno(err, "%s", path->path);
	struct path_rule rule = {.parent_fd = fd};
	rule.allowed_access = rights(path->access, S_ISDIR(info.st_mode)) & handled_fs(abi);
	bool ok = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0 ||
	          err_errno(err, "Landlock rule for %s", path->path);
	fd_close(&fd);
	return ok;
}

static bool add_ports(int ruleset, const struct sandbox *plan, struct err *err)
{
	for (size_t i = 0; i < plan->connect_port_count; i++) {
		struct port_rule rule = {NET_CONNECT_TCP, plan->connect_ports[i]};
		if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) != 0)
			return err_errno(err, "Landlock rule for port %u", plan->connect_ports[i]);
	}
	return true;
}

static uint64_t handled_net(const struct sandbox *plan, int abi)
{
	if (abi < 4)
		return 0;
	return plan->inet_connect && plan->connect_port_count == 0 ? NET_BIND_TCP
	                                                           : NET_BIND_TCP | NET_CONNECT_TCP;
}

bool landlock_enter(const struct sandbox *plan, int abi, struct err *err)
{
	struct ruleset attributes = {.handled_access_fs = handled_fs(abi),
		.handled_access_net = handled_net(plan, abi),
		.scoped = abi >= 6 ? SCOPE_ALL : 0};
	size_t size = abi >= 6 ? sizeof(attributes) : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
	if (ruleset < 0)
		return err_errno(err, "Landlock");
	bool ok = true;
	for (size_t i = 0; ok && i < plan->path_count; i++)
		ok = add_path(ruleset, &plan->paths[i], abi, err);
	if (ok && (attributes.handled_access_net & NET_CONNECT_TCP) && plan->inet_connect)
		ok = add_ports(ruleset, plan, err);
	if (ok && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		ok = err_errno(err, "entering Landlock");
	fd_close(&ruleset);
	return ok;
}
