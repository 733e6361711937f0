#include "config.h"

#include "keys/job.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"

struct job {
	struct timer *limit;
	pid_t pid; /* 0: none */
	int answer;
	bool late;
	job_done_fn *done;
	void *context;
};

/* The child leads a group, in which GnuPG is too. */
static void on_limit(void *context)
{
	struct job *job = context;

	job->late = true;
	kill(-job->pid, SIGKILL);
	kill(job->pid, SIGKILL);
}

struct job *job_new(struct loop *loop, job_done_fn *done, void *context)
{
	struct job *job = mem_alloc(sizeof(*job));

	job->limit = timer_new(loop, on_limit, job);
	job->answer = -1;
	job->done = done;
	job->context = context;
	return job;
}

void job_free(struct job **job)
{
	if (!*job)
		return;
	if ((*job)->pid > 0)
		on_limit(*job);
	timer_free(&(*job)->limit);
	fd_close(&(*job)->answer);
	free(*job);
	*job = NULL;
}

bool job_runs(const struct job *job)
{
	return job->pid > 0;
}

static void limit_cpu(int64_t limit)
{
	rlim_t seconds = (rlim_t)(limit / CLOCK_SECOND) + 1;
	struct rlimit cpu = {seconds, seconds + 1};

	setrlimit(RLIMIT_CPU, &cpu);
}

static void work_inside(int answer, int64_t limit, job_work_fn *work, void *context)
{
	struct buf bytes = {0};
	bool ok = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && setpgid(0, 0) == 0 && dup2(answer, 3) == 3 &&
	          fcntl(3, F_SETFD, FD_CLOEXEC) == 0;

	/* Descriptors of the edges are no business of what reads hostile bytes. */
	close_range(4, ~0U, 0);
	limit_cpu(limit);
	signal(SIGCHLD, SIG_DFL);
	if (ok)
		work(context, &bytes);
	_exit(ok && fd_write_all(3, bytes.data, bytes.len, NULL) ? 0 : 1);
}

bool job_start(struct job *job, int64_t limit, job_work_fn *work, void *context, struct err *err)
{
	job->answer = memfd_create("answer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (job->answer < 0)
		return err_errno(err, "an answer");
	job->late = false;
	job->pid = fork();
	if (job->pid == 0)
		work_inside(job->answer, limit, work, context);
	if (job->pid < 0) {
		job->pid = 0;
		fd_close(&job->answer);
		return err_errno(err, "a process for a job");
	}
	setpgid(job->pid, job->pid); /* whoever is first */
	timer_set(job->limit, limit);
	return true;
}

bool job_is(const struct job *job, pid_t pid)
{
	return job->pid > 0 && job->pid == pid;
}

void job_ended(struct job *job, int status)
{
	const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
	enum job_end end = job->late ? JOB_TIMEOUT : JOB_CRASH;
	int answer = job->answer;

	kill(-job->pid, SIGKILL); /* what it left */
	timer_stop(job->limit);
	job->pid = 0;
	job->answer = -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && fcntl(answer, F_ADD_SEALS, seals) == 0)
		end = JOB_DONE;
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		end = JOB_TIMEOUT;
	if (end != JOB_DONE)
		fd_close(&answer);
	if (end != JOB_DONE && WIFSIGNALED(status))
		log_warn("a job ended by signal %d%s", WTERMSIG(status),
			job->late ? ", over its time limit" : "");
	else if (end != JOB_DONE)
		log_warn("a job ended with status %d", WEXITSTATUS(status));
	job->done(end, answer, job->context);
}
