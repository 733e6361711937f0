#include "config.h"

#include "keys/keys.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/pack.h"
#include "keys/agent.h"
#include "keys/job.h"
#include "keys/question.h"

/* Questions that wait; each worker asks one at a time, so more are the desk's. */
#define WAITING 256
/* Passphrases are made to cost time, and each key may have to be tried with several. */
#define LOOK_LIMIT (60 * CLOCK_SECOND)
/* After a look that failed, or a change that may have happened in part. */
#define LOOK_AGAIN (60 * CLOCK_SECOND)

struct peer {
	struct keys *keys;
	struct channel *channel;
	enum room_id room;
	unsigned number;
};

struct counts {
	uint64_t opened;
	uint64_t locked;
	uint64_t failed;
	uint64_t sealed;
	uint64_t not_sealed;
	uint64_t timeouts;
	uint64_t crashes;
};

struct keys {
	struct room *room;
	struct home home;
	struct passphrases *passphrases;
	struct agent *agent;
	struct job *job;
	struct map *peers; /* number → struct peer */
	unsigned last_peer;
	struct question *waiting;
	struct question **last;
	size_t waiting_count;
	struct question *in_hand;
	bool replaced; /* the agent, in the middle of it: not again and again where none can start */
	struct answering answering;
	bool known; /* passphrases has what the keyring has */
	struct timer *again;
	bool shut; /* by hand: the configuration's passphrase does not open it again before a restart */
	bool draining;
	struct counts counts;
};

static void next(struct keys *keys);

/* ---- answers ---- */

static struct peer *peer_of(const struct keys *keys, unsigned number)
{
	return map_get(keys->peers, number);
}

static void tell(struct keys *keys, const struct question *question, bool ok, struct str text)
{
	struct peer *peer = peer_of(keys, question->peer);
	struct keys_told told = {question->ask, ok, text};

	if (!peer)
		return;
	keys_told_encode(&told, channel_begin(peer->channel));
	channel_end(peer->channel, KEYS_TOLD);
}

static void tell_bytes(struct keys *keys, const struct question *question, int answer)
{
	struct peer *peer = peer_of(keys, question->peer);
	struct buf body = {0};

	if (!peer) {
		fd_close(&answer);
		return;
	}
	keys_opened_encode(question->ask, &body);
	channel_send_fds(peer->channel, question->type == KEYS_SEAL ? KEYS_SEALED : KEYS_OPENED,
		buf_view(&body), &answer, 1);
	buf_free(&body);
}

/* What waited for a key may be asked again. */
static void say_ready(struct keys *keys)
{
	size_t cursor = 0;
	uint64_t number;
	void *peer;

	while (map_next(keys->peers, &cursor, &number, &peer))
		channel_send(((struct peer *)peer)->channel, KEYS_READY, STR_NONE);
}

/* What the keyring has is not as it was told, or may not be. */
static void doubt(struct keys *keys)
{
	keys->known = false;
	timer_set(keys->again, LOOK_AGAIN);
}

/* A part that breaks its child or takes too long cannot be opened: its own fault, and told as such. */
static void tell_broken(struct keys *keys, const struct question *question, enum job_end end)
{
	struct str reason =
		end == JOB_TIMEOUT ? STR("over its time limit") : STR("what was to do it ended in it");
	struct unsealed unsealed = {.outcome = UNSEAL_FAILED, .reason = reason};
	struct seal_answer sealed = {.outcome = SEAL_FAILED, .reason = reason};
	struct buf answer = {0};
	struct err err;
	int fd;

	if (question_changes(question))
		doubt(keys);
	if (question->type != KEYS_OPEN && question->type != KEYS_SEAL) {
		tell(keys, question, false, reason);
		return;
	}
	if (question->type == KEYS_OPEN)
		keys_unsealed_encode(&unsealed, &answer);
	else
		keys_sealed_encode(&sealed, &answer);
	if (!fd_memory("answer", buf_view(&answer), &fd, &err))
		room_fail(keys->room, &err);
	tell_bytes(keys, question, fd);
	buf_free(&answer);
}

static void take_secrets(struct keys *keys, struct unpack *in)
{
	uint32_t count = unpack_count(in, 9);
	size_t locked, all;

	passphrases_clear(keys->passphrases);
	for (uint32_t i = 0; i < count; i++) {
		struct str key = unpack_str(in);
		bool open = unpack_u8(in) != 0;
		struct str text = unpack_str(in);
		char *copy = mem_strndup(text.p ? text.p : "", text.len);

		passphrases_put(keys->passphrases, key, open ? copy : NULL);
		mem_wipe(copy, text.len);
		free(copy);
	}
	all = passphrases_count(keys->passphrases, &locked);
	keys->known = count <= PASSPHRASE_KEYS;
	timer_stop(keys->again);
	if (locked > 0)
		log_warn("%zu of %zu secret keys are locked: mail that needs them waits; cirt key unlock",
			locked, all);
	else
		log_info("%zu secret keys, none of them locked", all);
}

static void take_managed(struct keys *keys, const struct question *question, struct str answer)
{
	struct unpack in = {.rest = answer};
	bool ok = unpack_u8(&in) != 0;
	struct str text = unpack_str(&in);

	if (ok && question_changes(question)) {
		take_secrets(keys, &in);
		say_ready(keys);
	} else if (question_changes(question) && question->type != KEYS_UNLOCK) {
		doubt(keys);
	}
	if (!ok && question->type == 0)
		log_error("the keyring cannot be read: " STR_FMT, STR_ARG(text));
	tell(keys, question, ok, text);
}

static void count_opened(struct keys *keys, struct str answer)
{
	struct unpack in = {.rest = answer};

	switch ((enum unseal_outcome)unpack_u32(&in)) {
	case UNSEAL_OPENED:
		keys->counts.opened++;
		break;
	case UNSEAL_LOCKED:
		keys->counts.locked++;
		break;
	default:
		keys->counts.failed++;
	}
}

static void count_sealed(struct keys *keys, struct str answer)
{
	struct unpack in = {.rest = answer};

	if (unpack_u32(&in) == SEAL_DONE)
		keys->counts.sealed++;
	else
		keys->counts.not_sealed++;
}

static void take_answer(struct keys *keys, const struct question *question, int fd)
{
	struct str answer;
	struct err err;

	if (!fd_map(fd, true, &answer, &err)) {
		fd_close(&fd);
		tell_broken(keys, question, JOB_CRASH);
		return;
	}
	if (question->type == KEYS_OPEN || question->type == KEYS_SEAL) {
		if (question->type == KEYS_OPEN)
			count_opened(keys, answer);
		else
			count_sealed(keys, answer);
		tell_bytes(keys, question, fd);
	} else {
		take_managed(keys, question, answer);
		fd_close(&fd);
	}
	fd_unmap(&answer);
}

/* ---- work ---- */

static void on_done(enum job_end end, int answer, void *context)
{
	struct keys *keys = context;
	struct question *question = keys->in_hand;

	keys->in_hand = NULL;
	keys->counts.timeouts += end == JOB_TIMEOUT;
	keys->counts.crashes += end == JOB_CRASH;
	if (end == JOB_DONE) {
		take_answer(keys, question, answer);
		agent_rest(keys->agent);
	} else {
		agent_end(keys->agent); /* it may be what hangs */
		tell_broken(keys, question, end);
	}
	question_free(&question);
	next(keys);
}

static bool begin(struct keys *keys, struct question *question, struct err *err)
{
	const struct conf *conf = room_conf(keys->room);
	int64_t limit = question_changes(question) ? LOOK_LIMIT : (int64_t)conf->keys_timeout;

	if (keys->home.agent && question_needs_agent(question, keys->known) && !agent_need(keys->agent, err))
		return false;
	keys->answering = (struct answering){.home = &keys->home,
		.passphrases = keys->passphrases,
		.known = keys->known,
		.question = question,
		.max_size = conf->keys_max_size};
	struct str passphrase = keys->shut ? STR_NONE : room_grant(keys->room, "keys.passphrase");
	str_split(&passphrase, '\n', &keys->answering.passphrase);
	keys->in_hand = question;
	keys->replaced = false;
	if (job_start(keys->job, limit, question_work, &keys->answering, err))
		return true;
	keys->in_hand = NULL;
	return false;
}

static void next(struct keys *keys)
{
	while (keys->waiting && !job_runs(keys->job) && !keys->draining) {
		struct question *question = keys->waiting;
		struct err err;

		keys->waiting = question->next;
		if (!keys->waiting)
			keys->last = &keys->waiting;
		keys->waiting_count--;
		if (question->type == KEYS_LOCK) {
			keys->shut = true;
			passphrases_lock(keys->passphrases);
			agent_end(keys->agent);
		}
		if (question->peer != 0 && !peer_of(keys, question->peer)) {
			question_free(&question);
		} else if (!begin(keys, question, &err)) {
			log_error("%s", err.text);
			tell_broken(keys, question, JOB_CRASH);
			question_free(&question);
		}
	}
}

static void add(struct keys *keys, struct question *question)
{
	*keys->last = question;
	keys->last = &question->next;
	keys->waiting_count++;
	next(keys);
}

static void look_anew(struct keys *keys)
{
	add(keys, question_new(0, STR_NONE, -1, 0));
}

static void on_again(void *context)
{
	look_anew(context);
}

/* A job that waits for it finds the next one at the same socket. */
static void replace_agent(struct keys *keys)
{
	struct err err;

	agent_gone(keys->agent);
	if (!keys->in_hand || keys->replaced)
		return;
	keys->replaced = true;
	if (!agent_need(keys->agent, &err))
		log_error("%s", err.text);
}

/* Our children: jobs, the agent, and what they left behind, which becomes ours. */
static void on_child(int signal, void *context)
{
	struct keys *keys = context;
	int status;
	pid_t pid;

	(void)signal;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (agent_is(keys->agent, pid))
			replace_agent(keys);
		else if (job_is(keys->job, pid))
			job_ended(keys->job, status);
	}
}

/* ---- edges ---- */

static void on_frame(struct channel *channel, struct frame *frame, void *context)
{
	struct peer *peer = context;
	struct keys *keys = peer->keys;
	int fd = frame->fd_count > 0 ? frame->fds[0] : -1;
	struct question *question = NULL;

	if (!keys_may_ask(peer->room, frame->type)) {
		channel_break(channel, "a frame that this room may not send");
		return;
	}
	if (frame->fd_count > 0)
		frame->fds[0] = -1;
	if (keys->waiting_count < WAITING)
		question = question_new(frame->type, frame->body, fd, peer->number);
	else
		fd_close(&fd);
	/* The body may hold a passphrase. */
	mem_wipe((void *)(uintptr_t)frame->body.p, frame->body.len);
	if (question)
		add(keys, question);
	else
		channel_break(channel, "a question that cannot be read, or too many of them");
}

static void peer_end(struct peer *peer)
{
	map_remove(peer->keys->peers, peer->number);
	channel_free(&peer->channel);
	free(peer);
}

static void on_closed(struct channel *channel, const char *why, void *context)
{
	struct peer *peer = context;

	(void)channel;
	log_debug("the edge to %s ended: %s", room_name(peer->room), why ? why : "closed");
	peer_end(peer);
}

static void keys_edge(struct room *room, enum edge_kind kind, enum room_id from, unsigned instance,
	uint32_t generation, int fd)
{
	struct keys *keys = room_state(room);
	struct peer *peer;

	(void)instance;
	(void)generation;
	if (kind != EDGE_KEYS) {
		fd_close(&fd);
		return;
	}
	peer = mem_alloc(sizeof(*peer));
	*peer = (struct peer){.keys = keys, .room = from, .number = ++keys->last_peer};
	map_put(keys->peers, peer->number, peer);
	peer->channel = channel_new(room_loop(room), fd, KEYS_VERSION, on_frame, on_closed, peer);
	channel_send(peer->channel, KEYS_READY, STR_NONE);
}

/* ---- the room ---- */

static bool keys_load(struct room *room, struct err *err)
{
	struct keys *keys = mem_alloc(sizeof(*keys));

	keys->room = room;
	keys->last = &keys->waiting;
	keys->peers = map_new();
	keys->passphrases = passphrases_new();
	room_set_state(room, keys);
	/* What GnuPG leaves behind comes to us, to be ended and waited for. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_errno(err, "taking care of what children leave");
	return home_open(room_conf(room), &keys->home, err);
}

static void keys_plan(struct room *room, struct sandbox *plan)
{
	const struct keys *keys = room_state(room);

	home_plan(&keys->home, plan);
	plan->memory = room_conf(room)->keys_memory;
	plan->open_files = 256; /* GPGME closes all there could be, one by one */
}

static void keys_hello(struct room *room, struct buf *json)
{
	const struct keys *keys = room_state(room);

	buf_printf(json, ",\"gnupg\":%s", keys->home.agent ? "true" : "false");
}

static bool keys_start(struct room *room, struct err *err)
{
	struct keys *keys = room_state(room);

	(void)err;
	keys->job = job_new(room_loop(room), on_done, keys);
	keys->agent = agent_new(room_loop(room), &keys->home);
	keys->again = timer_new(room_loop(room), on_again, keys);
	loop_signal(room_loop(room), SIGCHLD, on_child, keys);
	look_anew(keys);
	return true;
}

static void keys_reload(struct room *room, const struct conf *old)
{
	(void)old;
	look_anew(room_state(room));
}

/* Whoever still asks asks the next one. */
static void keys_drain(struct room *room)
{
	struct keys *keys = room_state(room);

	keys->draining = true;
	room_drained(room);
}

static void keys_count(struct room *room)
{
	const struct keys *keys = room_state(room);
	size_t locked, all = passphrases_count(keys->passphrases, &locked);

	room_counter(room, "opened", keys->counts.opened);
	room_counter(room, "locked", keys->counts.locked);
	room_counter(room, "failed", keys->counts.failed);
	room_counter(room, "sealed", keys->counts.sealed);
	room_counter(room, "not_sealed", keys->counts.not_sealed);
	room_counter(room, "timeouts", keys->counts.timeouts);
	room_counter(room, "crashes", keys->counts.crashes);
	room_counter(room, "waiting", keys->waiting_count);
	room_counter(room, "secret_keys", all);
	room_counter(room, "locked_keys", locked);
}

static void keys_stop(struct room *room)
{
	struct keys *keys = room_state(room);
	size_t cursor = 0;
	uint64_t number;
	void *peer;

	if (!keys)
		return;
	job_free(&keys->job);
	agent_free(&keys->agent);
	timer_free(&keys->again);
	while (map_next(keys->peers, &cursor, &number, &peer))
		peer_end(peer);
	question_free(&keys->in_hand);
	while (keys->waiting) {
		struct question *question = keys->waiting;

		keys->waiting = question->next;
		question_free(&question);
	}
	map_free(&keys->peers);
	passphrases_free(&keys->passphrases);
	home_close(&keys->home);
	free(keys);
	room_set_state(room, NULL);
}

const struct room_spec keys_room = {
	.id = ROOM_KEYS,
	.load = keys_load,
	.plan = keys_plan,
	.hello = keys_hello,
	.edge = keys_edge,
	.start = keys_start,
	.reload = keys_reload,
	.drain = keys_drain,
	.count = keys_count,
	.stop = keys_stop,
};
