#ifndef KEYS_JOB_H
#define KEYS_JOB_H

#include <sys/types.h>

#include "base/buf.h"
#include "proc/loop.h"

/*
 * One question, worked at by a child: it has copies of what it needs and none of our sockets, ends within its
 * time, and takes what it started with it. One at a time.
 */
struct job;

typedef void job_work_fn(
	void *context, struct buf *answer); /* in the child; context of job_start(), as it stood then */

enum job_end { JOB_DONE, JOB_TIMEOUT, JOB_CRASH };

/* answer: a sealed memory file with what work() said, for JOB_DONE; taken. */
typedef void job_done_fn(enum job_end end, int answer, void *context);

struct job *job_new(struct loop *loop, job_done_fn *done, void *context);
void job_free(struct job **job); /* kills what runs */
bool job_runs(const struct job *job);
bool job_start(struct job *job, int64_t limit, job_work_fn *work, void *context, struct err *err);
bool job_is(const struct job *job, pid_t pid);
void job_ended(struct job *job, int status); /* it was waited for */

#endif
