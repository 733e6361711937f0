#include "config.h"

#include "supervisor/folders.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

char *folders_state(const struct conf *conf, const char *name)
{
	return mem_printf(STR_FMT "/%s", STR_ARG(conf->state), name);
}

char *folders_user(const struct conf *conf, const char *who)
{
	return geteuid() == 0 ? mem_printf(STR_FMT "%s", STR_ARG(conf->user), who) : NULL;
}

bool folders_give(const char *path, const char *user, struct err *err)
{
	if (!user)
		return true;
	const struct passwd *entry = getpwnam(user);
	if (!entry)
		return err_set(err, ERR_NOTFOUND, "there is no user %s: run packaging/create-users", user);
	if (lchown(path, entry->pw_uid, entry->pw_gid) < 0)
		return err_errno(err, "giving %s to %s", path, user);
	return true;
}

static bool make_folder(const char *path, mode_t mode, const char *user, struct err *err)
{
	struct stat info;
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_errno(err, "making the folder %s", path);
	if (stat(path, &info) < 0 || !S_ISDIR(info.st_mode))
		return err_set(err, ERR_CONFLICT, "%s: a folder was expected", path);
	if (chmod(path, mode) < 0 && errno != EPERM)
		return err_errno(err, "%s", path);
	return folders_give(path, user, err);
}

/* The folders above, as mkdir -p does it. */
static bool make_parents(const char *path, struct err *err)
{
	char *part = mem_strdup(path);
	bool ok = true;
	for (char *slash = strchr(part + 1, '/'); ok && slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(part, 0755) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
			ok = err_errno(err, "making the folder %s", part);
		*slash = '/';
	}
	free(part);
	return ok;
}

/* The keyring, and where its agent is reached: a folder of its own, because the room makes sockets in it. */
static bool make_keys(const struct conf *conf, struct err *err)
{
	char *user = folders_user(conf, "keys");
	char *folder = conf->keys_folder.len > 0 ? mem_strndup(conf->keys_folder.p, conf->keys_folder.len)
	                                         : folders_state(conf, "keys");
	char *sockets = mem_printf(STR_FMT "/keys", STR_ARG(conf->run));
	bool ok = make_parents(folder, err) && make_folder(folder, 0700, user, err) &&
	          make_folder(sockets, 0700, user, err);
	free(user);
	free(folder);
	free(sockets);
	return ok;
}

bool folders_make(const struct conf *conf, struct err *err)
{
	static const struct {
		const char *name;
		mode_t mode;
		const char *user;
	} below[] = {
		{"", 0755, NULL}, {"secrets", 0700, NULL}, {"anchors", 0755, NULL}, {"spool", 0700, "spool"}};
	bool ok = true;
	for (size_t i = 0; ok && i < ARRAY_LEN(below); i++) {
		char *path = folders_state(conf, below[i].name);
		char *user = below[i].user ? folders_user(conf, below[i].user) : NULL;
		ok = make_parents(path, err) && make_folder(path, below[i].mode, user, err);
		free(path);
		free(user);
	}
	char *run = mem_strndup(conf->run.p, conf->run.len);
	ok = ok && make_parents(run, err) && make_folder(run, 0755, NULL, err);
	free(run);
	return ok && (!conf->keys_enabled || make_keys(conf, err));
}

bool folders_lock(const struct conf *conf, int *lock, struct err *err)
{
	char *path = folders_state(conf, "lock");
	char text[32] = "";
	bool ok = false;
	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (*lock < 0) {
		err_errno(err, "%s", path);
	} else if (flock(*lock, LOCK_EX | LOCK_NB) < 0) {
		ssize_t n = read(*lock, text, sizeof(text) - 1);
		err_set(err, ERR_CONFLICT, "another cirtd has the state folder " STR_FMT ", process %.*s",
			STR_ARG(conf->state), n > 0 ? (int)strcspn(text, "\n") : 0, text);
	} else {
		int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
		ok = ftruncate(*lock, 0) == 0 && write(*lock, text, (size_t)len) == len;
		if (!ok)
			err_errno(err, "%s", path);
	}
	if (!ok)
		fd_close(lock);
	free(path);
	return ok;
}

static bool user_exists(const struct conf *conf, const char *who, struct err *err)
{
	char *user = folders_user(conf, who);
	const struct passwd *entry = getpwnam(user);
	bool ok = entry && entry->pw_uid != 0;
	if (!ok)
		err_set(err, ERR_NOTFOUND,
			"rooms do not run as root, and there is no user %s: run packaging/create-users, or "
			"start cirtd as a plain "
			"user",
			user);
	free(user);
	return ok;
}

bool folders_users_exist(const struct conf *conf, const enum room_id *rooms, size_t count, struct err *err)
{
	if (geteuid() != 0)
		return true;
	for (size_t i = 0; i < count; i++)
		if (!user_exists(conf, room_name(rooms[i]), err))
			return false;
	return !conf->db_managed || user_exists(conf, "db", err);
}
