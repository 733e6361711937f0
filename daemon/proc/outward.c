#include "config.h"

#include "proc/outward.h"

#include <netdb.h>
#include <sys/socket.h>

#include "base/mem.h"

void outward_plan(struct sandbox *plan)
{
	/* Names are resolved and certificates are trusted by files (trap 7). */
	static const char *const files[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf",
		"/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/ssl",
		"/usr/lib/ssl", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
		"/run/systemd/resolve", "/etc/localtime", "/usr/share/zoneinfo"};
	static const char *const libraries[] = {
		"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		sandbox_allow(plan, files[i], SANDBOX_READ);
	/* nsswitch.conf may name modules, which are loaded when the first name is looked up. */
	for (size_t i = 0; i < ARRAY_LEN(libraries); i++)
		sandbox_allow(plan, libraries[i], SANDBOX_READ_EXEC);
	plan->executable_maps = true;
	plan->unix_sockets = true;
	plan->inet_connect = true;
	plan->threads = true;
}

bool outward_prove(const char *service, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	int problem = getaddrinfo("localhost", service, &hints, &found);

	if (problem != 0)
		return err_set(err, ERR_DENIED, "localhost cannot be resolved in the sandbox: %s",
			gai_strerror(problem));
	freeaddrinfo(found);
	return true;
}
