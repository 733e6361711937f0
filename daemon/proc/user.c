#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "proc/sandbox.h"

static bool prove_dropped(uid_t uid, gid_t gid, struct err *err)
{
	uid_t uids[3];
	gid_t gids[3];
	if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 || getresgid(&gids[0], &gids[1], &gids[2]) < 0)
		return err_errno(err, "asking who we are");
	for (int i = 0; i < 3; i++)
		if (uids[i] != uid || gids[i] != gid)
			return err_set(err, ERR_SYSTEM, "the change of user did not take");
	if (setuid(0) == 0)
		return err_set(err, ERR_SYSTEM, "the change of user could be taken back");
	return true;
}

bool user_become(const char *user, struct err *err)
{
	if (geteuid() != 0)
		return true;
	errno = 0;
	const struct passwd *entry = getpwnam(user);
	if (!entry)
		return err_set(err, ERR_NOTFOUND,
			"there is no user %s: packaging/create-users makes the users of the rooms", user);
	if (entry->pw_uid == 0)
		return err_set(err, ERR_DENIED, "user %s is root", user);
	uid_t uid = entry->pw_uid;
	gid_t gid = entry->pw_gid;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return err_errno(err, "becoming user %s", user);
	return prove_dropped(uid, gid, err);
}
