#include "config.h"

#include "keys/home.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"

/* No network, no terminal, no trust beyond what an administrator put into the keyring, no agent of its own
 * making. */
static const char gpg_options[] = "batch\n"
				  "no-tty\n"
				  "no-greeting\n"
				  "no-autostart\n"
				  "no-symkey-cache\n"
				  "no-auto-key-locate\n"
				  "no-auto-key-retrieve\n"
				  "no-auto-check-trustdb\n"
				  "disable-dirmngr\n"
				  "trust-model always\n"
				  "pinentry-mode loopback\n";
/* Passphrases are the room's to keep: what the agent remembers would outlive `cirt key lock`. */
static const char agent_options[] = "default-cache-ttl 0\n"
				    "max-cache-ttl 0\n"
				    "no-allow-external-cache\n"
				    "allow-loopback-pinentry\n"
				    "disable-scdaemon\n";

/* What a dynamically linked program is started by; execution is checked for it too. */
static const char *const loaders[] = {
	"/lib64/ld-linux-x86-64.so.2",
	"/lib/ld-linux-aarch64.so.1",
	"/lib/ld-linux-armhf.so.3",
	"/lib64/ld64.so.2",
	"/lib/ld64.so.1",
	"/lib/ld-linux-riscv64-lp64d.so.1",
	NULL,
};

static bool make_folder(const char *path, struct err *err)
{
	struct stat info;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_errno(err, "making the folder %s", path);
	if (stat(path, &info) < 0 || !S_ISDIR(info.st_mode) || info.st_uid != geteuid())
		return err_set(err, ERR_CONFLICT, "%s: a folder of this room's user was expected", path);
	return chmod(path, 0700) == 0 || err_errno(err, "%s", path);
}

static bool put_file(const struct home *home, const char *name, struct str text, struct err *err)
{
	char *path = mem_printf("%s/%s", home->gnupg, name);
	bool ok = file_write_atomic(path, 0600, text, err);

	free(path);
	return ok;
}

/* A listener of ours in the folder of sockets, whose path is short; GnuPG is led there from its own place. */
static bool listen_for_agent(const struct conf *conf, struct home *home, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char *path = mem_printf(STR_FMT "/keys/agent", STR_ARG(conf->run));
	char *leads = mem_printf("%%Assuan%%\nsocket=%s\n", path);
	bool ok = strlen(path) < sizeof(address.sun_path);

	if (ok)
		memcpy(address.sun_path, path, strlen(path));
	else
		err_set(err, ERR_NOSPACE, "%s: a shorter path was expected: set run to a shorter one", path);
	unlink(path);
	home->listener = ok ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	if (ok && (home->listener < 0 ||
			  bind(home->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
			  listen(home->listener, 16) < 0))
		ok = err_errno(err, "listening on %s", path);
	ok = ok && put_file(home, "S.gpg-agent", str_of(leads), err);
	free(path);
	free(leads);
	return ok;
}

static char *program(const struct conf *conf, const char *name)
{
	char *path = mem_printf(STR_FMT "/%s", STR_ARG(conf->keys_programs), name);

	if (access(path, X_OK) == 0)
		return path;
	log_warn("%s is not there: OpenPGP mail cannot be opened or checked", path);
	free(path);
	return NULL;
}

bool home_open(const struct conf *conf, struct home *home, struct err *err)
{
	struct str folder = conf->keys_folder;

	*home = (struct home){.listener = -1};
	home->folder = folder.len > 0 ? mem_strndup(folder.p, folder.len)
	                              : mem_printf(STR_FMT "/keys", STR_ARG(conf->state));
	home->gnupg = mem_printf("%s/gnupg", home->folder);
	home->smime = mem_printf("%s/smime", home->folder);
	home->gpg = program(conf, "gpg");
	home->agent = home->gpg ? program(conf, "gpg-agent") : NULL;
	if (!make_folder(home->folder, err) || !make_folder(home->gnupg, err) ||
		!make_folder(home->smime, err))
		return false;
	if (!home->agent)
		return true;
	return put_file(home, "gpg.conf", STR(gpg_options), err) &&
	       put_file(home, "gpg-agent.conf", STR(agent_options), err) && listen_for_agent(conf, home, err);
}

void home_close(struct home *home)
{
	fd_close(&home->listener);
	free(home->folder);
	free(home->gnupg);
	free(home->smime);
	free(home->gpg);
	free(home->agent);
	*home = (struct home){.listener = -1};
}

void home_plan(const struct home *home, struct sandbox *plan)
{
	plan->unix_sockets = true; /* gpg asks its agent */
	plan->executable_maps = true;
	plan->programs = true;
	sandbox_allow(plan, home->folder, SANDBOX_READ_WRITE);
	if (!home->agent)
		return;
	sandbox_allow(plan, home->gpg, SANDBOX_READ_EXEC);
	sandbox_allow(plan, home->agent, SANDBOX_READ_EXEC);
	for (const char *const *loader = loaders; *loader; loader++)
		sandbox_allow(plan, *loader, SANDBOX_READ_EXEC);
	sandbox_allow(plan, "/usr/lib", SANDBOX_READ);
	sandbox_allow(plan, "/lib", SANDBOX_READ);
	sandbox_allow(plan, "/usr/lib64", SANDBOX_READ);
	sandbox_allow(plan, "/etc/ld.so.cache", SANDBOX_READ);
	sandbox_allow(plan, "/dev/null", SANDBOX_READ_WRITE);
	sandbox_allow(plan, "/usr/share/gnupg", SANDBOX_READ);
}
