#include "config.h"

#include "courier/sender.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

/* Bytes a second that the slowest line must carry. */
#define SLOWEST 10000

struct job {
	char *url;
	char *user;
	char *password;
	char *from;
	char *to;
	struct buf ca;
	bool tls_off;
	int64_t timeout;
	struct str bytes;
	size_t given; /* of them */
	/* What was said, and after which command. */
	char command[8];
	bool leaving;  /* QUIT: what follows says nothing of the mail */
	bool answered; /* something came behind the last line of the mail */
	char reply[600];
	struct sending_result result;
};

struct sender {
	sender_done_fn *done;
	void *context;
	struct watch *watch;
	int event; /* the thread has ended its job */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job *job; /* guarded by the lock until `event`; NULL: none */
	bool taken;      /* the thread has it */
	atomic_bool ends;
	CURL *easy; /* the thread's */
};

int64_t sender_limit(int64_t timeout, size_t bytes)
{
	return 4 * timeout + (int64_t)(bytes / SLOWEST) * CLOCK_SECOND;
}

/* --- what libcurl asks and tells, in the thread --- */

static size_t give(char *to, size_t size, size_t count, void *context)
{
	struct job *job = context;
	size_t left = job->bytes.len - job->given, space = size * count;
	size_t len = left < space ? left : space;

	memcpy(to, job->bytes.p + job->given, len);
	job->given += len;
	return len;
}

/* All lines of one answer, with blanks between them. */
static void keep_reply(struct job *job, struct str line)
{
	size_t at = job->answered ? strlen(job->reply) : 0;

	if (at > 0 && at + line.len + 2 > sizeof(job->reply))
		return;
	if (at > 0)
		job->reply[at++] = ' ';
	for (size_t i = 0; i < line.len && at + 1 < sizeof(job->reply); i++)
		if (line.p[i] >= ' ' && line.p[i] <= '~')
			job->reply[at++] = line.p[i];
	job->reply[at] = 0;
}

static int hear(CURL *easy, curl_infotype type, char *data, size_t len, void *context)
{
	struct job *job = context;
	struct str line = str_trim((struct str){data, len});

	(void)easy;
	job->leaving |= type == CURLINFO_HEADER_OUT && str_starts(line, STR("QUIT"));
	if (job->leaving)
		return 0;
	if (type == CURLINFO_HEADER_OUT) {
		snprintf(job->command, sizeof(job->command), "%.4s", line.len >= 4 ? line.p : "");
		job->answered = false;
	} else if (type == CURLINFO_HEADER_IN && line.len > 0) {
		keep_reply(job, line);
		job->answered = true;
	} else if (type == CURLINFO_DATA_OUT) {
		snprintf(job->command, sizeof(job->command), "body");
		job->answered = false;
	}
	return 0;
}

static int is_over(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct sender *sender = context;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return atomic_load(&sender->ends);
}

static void set_all(struct sender *sender, struct job *job, struct curl_slist *recipients)
{
	CURL *easy = sender->easy;
	struct curl_blob ca = {job->ca.data, job->ca.len, CURL_BLOB_NOCOPY};
	bool plain = strncmp(job->url, "smtp:", 5) == 0;

	curl_easy_setopt(easy, CURLOPT_URL, job->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, job->from);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(easy, CURLOPT_READDATA, job);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)job->bytes.len);
	curl_easy_setopt(easy, CURLOPT_USE_SSL, plain && job->tls_off ? CURLUSESSL_NONE : CURLUSESSL_ALL);
	if (job->ca.len > 0)
		curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &ca);
	if (job->user[0]) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, job->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, job->password);
	}
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(job->timeout / 1000));
	curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)(job->timeout / CLOCK_SECOND + 1));
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)(job->timeout / CLOCK_SECOND + 1));
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(sender_limit(job->timeout, job->bytes.len) / 1000));
	curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, hear);
	curl_easy_setopt(easy, CURLOPT_DEBUGDATA, job);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, is_over);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, sender);
}

/* Was it said of this mail, and not of the connection or of who we are? */
static bool is_about_mail(const struct job *job)
{
	return strcmp(job->command, "MAIL") == 0 || strcmp(job->command, "RCPT") == 0 ||
	       strcmp(job->command, "DATA") == 0 || strcmp(job->command, "body") == 0;
}

static void judge(const struct job *job, CURLcode code, struct sending_result *result)
{
	char first = (char)(job->answered ? job->reply[0] : '\0');
	bool given = strcmp(job->command, "body") == 0 && job->given == job->bytes.len;

	if (code == CURLE_OK) {
		result->outcome = SENDING_TAKEN;
	} else if (given && first != '4' && first != '5') {
		result->outcome = SENDING_UNKNOWN;
	} else if (is_about_mail(job) && first == '5' && !str_starts(str_of(job->reply), STR("53"))) {
		result->outcome = SENDING_REFUSED;
		/* A refusal to relay, or of what we are, is nothing that the recipient could help (RFC 3463).
		 */
		result->address = strcmp(job->command, "RCPT") == 0 && !strstr(job->reply, " 5.7.");
	} else {
		result->outcome = SENDING_LATER;
		result->server = !is_about_mail(job) || first != '4';
	}
	if (first)
		snprintf(result->text, sizeof(result->text), "%s", job->reply);
	else
		snprintf(result->text, sizeof(result->text), "%s: %s",
			given ? "no answer to the mail" : "no mail was taken", curl_easy_strerror(code));
}

static void perform(struct sender *sender, struct job *job)
{
	struct curl_slist *recipients = curl_slist_append(NULL, job->to);

	if (!sender->easy)
		sender->easy = curl_easy_init();
	/* Keeps the connection. */
	curl_easy_reset(sender->easy);
	set_all(sender, job, recipients);
	judge(job, curl_easy_perform(sender->easy), &job->result);
	/* A connection that has fallen silent is no good for the next mail. */
	if (!job->answered && job->result.outcome != SENDING_TAKEN) {
		curl_easy_cleanup(sender->easy);
		sender->easy = NULL;
	}
	curl_slist_free_all(recipients);
}

static void *work(void *context)
{
	struct sender *sender = context;
	const uint64_t one = 1;

	pthread_mutex_lock(&sender->lock);
	while (!atomic_load(&sender->ends)) {
		struct job *job = sender->taken ? NULL : sender->job;

		if (!job) {
			pthread_cond_wait(&sender->wake, &sender->lock);
			continue;
		}
		sender->taken = true;
		pthread_mutex_unlock(&sender->lock);
		perform(sender, job);
		pthread_mutex_lock(&sender->lock);
		if (write(sender->event, &one, sizeof(one)) < 0)
			break;
	}
	pthread_mutex_unlock(&sender->lock);
	curl_easy_cleanup(sender->easy);
	return NULL;
}

/* --- in the loop --- */

static void job_free(struct job **job)
{
	struct job *old = *job;

	*job = NULL;
	if (!old)
		return;
	mem_wipe(old->password, strlen(old->password));
	free(old->url);
	free(old->user);
	free(old->password);
	free(old->from);
	free(old->to);
	buf_free(&old->ca);
	free(old);
}

static void on_event(int fd, unsigned ready, void *context)
{
	struct sender *sender = context;
	struct sending_result result;
	uint64_t count;

	(void)ready;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&sender->lock);
	result = sender->job->result;
	job_free(&sender->job);
	sender->taken = false;
	pthread_mutex_unlock(&sender->lock);
	sender->done(sender, &result, sender->context);
}

struct sender *sender_new(struct loop *loop, sender_done_fn *done, void *context, struct err *err)
{
	struct sender *sender = mem_alloc(sizeof(*sender));
	int problem;

	sender->done = done;
	sender->context = context;
	sender->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&sender->lock, NULL);
	pthread_cond_init(&sender->wake, NULL);
	problem = sender->event < 0 ? errno : pthread_create(&sender->thread, NULL, work, sender);
	if (problem != 0) {
		fd_close(&sender->event);
		free(sender);
		errno = problem;
		err_errno(err, "a thread for a connection to the mail server");
		return NULL;
	}
	sender->watch = watch_new(loop, sender->event, on_event, sender);
	watch_set(sender->watch, LOOP_READ);
	return sender;
}

void sender_free(struct sender **sender)
{
	struct sender *old = *sender;

	*sender = NULL;
	if (!old)
		return;
	atomic_store(&old->ends, true);
	pthread_mutex_lock(&old->lock);
	pthread_cond_signal(&old->wake);
	pthread_mutex_unlock(&old->lock);
	pthread_join(old->thread, NULL);
	pthread_mutex_destroy(&old->lock);
	pthread_cond_destroy(&old->wake);
	watch_free(&old->watch);
	fd_close(&old->event);
	job_free(&old->job);
	free(old);
}

bool sender_is_busy(const struct sender *sender)
{
	return sender->job != NULL;
}

static char *copy_of(struct str text)
{
	return mem_strndup(text.len ? text.p : "", text.len);
}

void sender_start(
	struct sender *sender, const struct sender_settings *settings, const struct sending *sending)
{
	struct job *job = mem_alloc(sizeof(*job));

	/* The path of the URL is what we greet with. */
	job->url = mem_printf(STR_FMT "/" STR_FMT, STR_ARG(settings->server), STR_ARG(settings->hello));
	job->user = copy_of(settings->user);
	job->password = copy_of(settings->password);
	job->from = mem_strdup(sending->from);
	job->to = mem_strdup(sending->to);
	buf_str(&job->ca, settings->ca);
	job->tls_off = settings->tls_off;
	job->timeout = settings->timeout;
	job->bytes = sending->bytes;
	pthread_mutex_lock(&sender->lock);
	sender->job = job;
	sender->taken = false;
	pthread_cond_signal(&sender->wake);
	pthread_mutex_unlock(&sender->lock);
}
