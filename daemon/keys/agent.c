#include "config.h"

#include "keys/agent.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define IDLE (60 * CLOCK_SECOND)

struct agent {
	const struct home *home;
	struct timer *idle;
	pid_t pid;
};

static void on_idle(void *context)
{
	agent_end(context);
}

struct agent *agent_new(struct loop *loop, const struct home *home)
{
	struct agent *agent = mem_alloc(sizeof(*agent));

	agent->home = home;
	agent->idle = timer_new(loop, on_idle, agent);
	return agent;
}

void agent_free(struct agent **agent)
{
	if (!*agent)
		return;
	agent_end(*agent);
	timer_free(&(*agent)->idle);
	free(*agent);
	*agent = NULL;
}

/* In the child: it is given its socket as systemd would, and finds its folder by the environment alone. */
static void become_agent(const struct home *home)
{
	char folder[4200], pid[32];
	char *argv[] = {"gpg-agent", "--supervised", NULL};
	char *environment[] = {folder, pid, "LISTEN_FDS=1", "LC_ALL=C", NULL};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || dup2(home->listener, 3) < 0)
		_exit(127);
	close_range(4, ~0U, 0);
	snprintf(folder, sizeof(folder), "GNUPGHOME=%s", home->gnupg);
	snprintf(pid, sizeof(pid), "LISTEN_PID=%ld", (long)getpid());
	execve(home->agent, argv, environment);
	_exit(127);
}

bool agent_need(struct agent *agent, struct err *err)
{
	timer_stop(agent->idle);
	if (agent->pid > 0)
		return true;
	agent->pid = fork();
	if (agent->pid == 0)
		become_agent(agent->home);
	if (agent->pid > 0)
		return true;
	agent->pid = 0;
	return err_errno(err, "starting gpg-agent");
}

void agent_rest(struct agent *agent)
{
	if (agent->pid > 0)
		timer_set(agent->idle, IDLE);
}

void agent_end(struct agent *agent)
{
	timer_stop(agent->idle);
	if (agent->pid > 0)
		kill(agent->pid, SIGKILL);
	agent->pid = 0; /* waited for with the others that are nobody's */
}

bool agent_is(const struct agent *agent, pid_t pid)
{
	return agent->pid > 0 && agent->pid == pid;
}

void agent_gone(struct agent *agent)
{
	log_warn("gpg-agent ended");
	timer_stop(agent->idle);
	agent->pid = 0;
}
