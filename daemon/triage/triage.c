#include "config.h"

#include "triage/triage.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/edge_handout.h"
#include "ipc/edge_items.h"
#include "triage/charset_proof.h"
#include "triage/examiner.h"
#include "triage/in_hand.h"
#include "triage/key_client.h"
#include "triage/rules_check.h"
#include "triage/second_look.h"
#include "wire/archive.h"

/* A few entries: enough that the next one is here when one is done, few enough that people's mail does not
 * wait behind them. */
#define CREDIT_ENTRIES 8
#define CREDIT_BYTES   (UINT64_C(16) << 20)
/* While the store has this much of ours unread, nothing more is examined. */
#define STORE_QUEUE (16u << 20)
/* A store that does not come back for so long has dropped us: only a new worker gets a new edge. */
#define STORE_PATIENCE (30 * CLOCK_SECOND)

/* An answer about keys comes after those to other workers, and after a look at the keyring; the room itself
 * limits each of them. */
#define KEYS_TURNS    64
#define KEYS_PATIENCE (180 * CLOCK_SECOND)

struct mapped_file {
	struct mapped_file *next;
	struct str bytes;
};

struct triage {
	struct room *room;
	struct channel *spool;
	struct channel *store;
	struct rule_set *rules;
	struct plugin_host *plugins;
	struct mapped_file *files; /* of plugins */
	struct slot *slot;
	struct item_limit *limit;
	struct examiner *examiner;
	struct examiner *reading; /* the one that is at it: of entries, or of what came long ago */
	struct in_hand *hand;
	struct second_look *look;
	struct key_client *keys; /* NULL: the configuration does without */
	bool sealed;             /* the entry just read waits for them */
	struct timer *work;
	struct timer *patience;
	uint64_t *unsent; /* tickets whose findings are not completely in the store's socket */
	size_t unsent_count;
	size_t unsent_space;
	bool draining;
	struct arena *kept; /* what lasts as long as the worker: the hops */
	struct spam_hops hops;
	struct buf check; /* check mode: the result as JSON */
};

static struct triage *triage_of(struct room *room)
{
	return room_state(room);
}

/* ---- start ---- */

/* Mapped anew: a grant's own mapping ends with the next reload, the plugin's file does not. */
static struct str plugin_file(const char *plugin, const char *option, void *context)
{
	struct triage *triage = context;
	char *name = mem_printf("plugin.%s.%s", plugin, option);
	int fd = room_grant_fd(triage->room, name);
	struct mapped_file *file;
	struct str bytes;
	struct err err;

	free(name);
	if (fd < 0)
		return STR_NONE;
	if (!fd_map(fd, true, &bytes, &err)) {
		log_error_f(LOG_F({"plugin", plugin}, {"option", option}), "%s", err.text);
		return STR_NONE;
	}
	file = mem_alloc(sizeof(*file));
	*file = (struct mapped_file){triage->files, bytes};
	triage->files = file;
	return bytes;
}

static void rules_report(const struct rule_set *rules)
{
	size_t files, refused;
	const struct rule_refused *why = rule_set_refused(rules, &refused);

	rule_set_files(rules, &files);
	log_info("%zu files of rules loaded, %zu refused, digest %.16s", files, refused,
		rule_set_digest(rules));
	for (size_t i = 0; i < refused; i++)
		log_warn_f(
			LOG_F({"file", why[i].file}), "rules refused: line %d: %s", why[i].line, why[i].text);
}

static bool load_check(struct triage *triage, struct err *err)
{
	return rules_examine(room_grant(triage->room, "rules"), room_conf(triage->room)->yara_timeout,
		&triage->check, err);
}

static bool load_worker(struct triage *triage, struct err *err)
{
	const struct conf *conf = room_conf(triage->room);

	if (!rule_set_compile(room_grant(triage->room, "rules"), conf->yara_timeout, &triage->rules, err))
		return false;
	rules_report(triage->rules);
	triage->plugins = plugin_host_load(conf, plugin_file, triage);
	triage->limit = item_limit_new(conf->triage_cpu, conf->triage_wall);
	return true;
}

static bool triage_load(struct room *room, struct err *err)
{
	struct triage *triage = mem_alloc(sizeof(*triage));

	triage->room = room;
	triage->slot = slot_new();
	triage->hand = in_hand_new();
	room_set_state(room, triage);
	if (!rule_engine_start(err))
		return false;
	return room_instance(room) == TRIAGE_CHECK_INSTANCE ? load_check(triage, err)
	                                                    : load_worker(triage, err);
}

static void triage_plan(struct room *room, struct sandbox *plan)
{
	archive_begin();
	for (const char *const *folder = charset_folders; *folder; folder++)
		sandbox_allow(plan, *folder, SANDBOX_READ_EXEC);
	plan->executable_maps = true;
	plan->memory = room_conf(room)->triage_memory;
}

static bool triage_prove(struct room *room, struct err *err)
{
	(void)room;
	if (!archive_begin())
		return err_set(
			err, ERR_SYSTEM, "no names in archives can be read: expected the locale C.UTF-8");
	return charset_proof(err);
}

static void triage_hello(struct room *room, struct buf *json)
{
	struct triage *triage = triage_of(room);

	if (triage->check.len > 0) {
		buf_text(json, ",\"check\":");
		buf_str(json, buf_view(&triage->check));
		return;
	}
	rule_set_describe(triage->rules, json);
	plugin_host_describe(triage->plugins, json);
}

/* ---- findings out ---- */

static void done_say(struct triage *triage, uint64_t ticket)
{
	if (!triage->spool)
		return;
	handout_done_encode(ticket, channel_begin(triage->spool));
	channel_end(triage->spool, HANDOUT_DONE);
}

static void unsent_done(struct triage *triage)
{
	for (size_t i = 0; i < triage->unsent_count; i++)
		done_say(triage, triage->unsent[i]);
	triage->unsent_count = 0;
}

static void unsent_add(struct triage *triage, uint64_t ticket)
{
	if (triage->unsent_count == triage->unsent_space) {
		triage->unsent_space =
			triage->unsent_space ? triage->unsent_space * 2 : (size_t)2 * CREDIT_ENTRIES;
		triage->unsent = mem_resize(triage->unsent, triage->unsent_space * sizeof(*triage->unsent));
	}
	triage->unsent[triage->unsent_count++] = ticket;
}

static void on_piece(uint64_t ticket, bool last, struct str finding, void *context)
{
	struct triage *triage = context;
	struct buf body = {0};
	struct err err;
	int fd;

	if (!triage->store)
		return;
	if (finding.len <= ITEMS_INLINE) {
		items_piece_encode(ticket, last, finding, channel_begin(triage->store));
		channel_end(triage->store, ITEMS_PIECE);
		return;
	}
	if (!fd_memory("finding", finding, &fd, &err))
		room_fail(triage->room, &err);
	items_piece_encode(ticket, last, STR_NONE, &body);
	channel_send_fds(triage->store, ITEMS_PIECE, buf_view(&body), &fd, 1);
	buf_free(&body);
}

static void on_refused(uint64_t ticket, struct str stage, struct str reason, void *context)
{
	struct triage *triage = context;

	if (!triage->store)
		return;
	items_refused_encode(ticket, stage, reason, channel_begin(triage->store));
	channel_end(triage->store, ITEMS_REFUSED);
}

/* An entry may have many items, of which none takes long: it is the item that is watched. */
static void on_alive(void *context)
{
	const struct triage *triage = context;

	room_alive(triage->room);
}

/* ---- keys ---- */

static void on_sealed(uint64_t ticket, bool lost, void *context)
{
	struct triage *triage = context;

	triage->sealed = true;
	if (!triage->spool)
		return;
	handout_sealed_encode(ticket, lost, channel_begin(triage->spool));
	channel_end(triage->spool, HANDOUT_SEALED);
}

/* What waits here waits at the spool: it knows the order. */
static void on_keys_ready(void *context)
{
	struct triage *triage = context;

	if (triage->spool)
		channel_send(triage->spool, HANDOUT_UNSEALED, STR_NONE);
}

static void on_keys_tick(void *context)
{
	const struct triage *triage = context;

	examiner_tick(triage->reading);
}

static void on_open(const struct sealed *sealed, struct arena *arena, struct unsealed *unsealed, bool *lost,
	void *context)
{
	struct triage *triage = context;

	key_client_ask(triage->keys, sealed, arena, on_keys_tick, triage, unsealed, lost);
}

/* ---- work ---- */

static void work_soon(struct triage *triage)
{
	bool some = in_hand_count(triage->hand) > 0 || (triage->look && second_look_waits(triage->look));

	if (triage->store && some && channel_queued(triage->store) < STORE_QUEUE)
		timer_set(triage->work, 0);
}

/* What is still in hand when there is nobody to tell it to is the spool's to offer again. */
static void drain_check(struct triage *triage)
{
	if (triage->draining && (!triage->store || !triage->spool ||
					(in_hand_count(triage->hand) == 0 && triage->unsent_count == 0))) {
		triage->draining = false;
		if (triage->spool)
			channel_flush(triage->spool);
		room_drained(triage->room);
	}
}

static void on_store_drained(struct channel *channel, void *context)
{
	struct triage *triage = context;

	(void)channel;
	unsent_done(triage);
	drain_check(triage);
	work_soon(triage);
}

/* What came long ago waits for what comes now. */
static bool look_turn(struct triage *triage)
{
	return second_look_waits(triage->look) &&
	       (in_hand_count(triage->hand) == 0 || second_look_is_due(triage->look));
}

/* One entry a turn of the loop, so that the supervisor's ping is answered between them. */
static void on_work(void *context)
{
	struct triage *triage = context;
	struct handout_entry entry;

	if (!triage->store)
		return;
	if (look_turn(triage)) {
		triage->reading = second_look_examiner(triage->look);
		second_look_run(triage->look, triage->store);
		work_soon(triage);
		return;
	}
	if (!in_hand_take(triage->hand, &entry))
		return;
	triage->sealed = false;
	triage->reading = triage->examiner;
	examiner_run(triage->examiner, &entry);
	if (!triage->sealed)
		unsent_add(triage, entry.ticket);
	if (channel_flush(triage->store))
		unsent_done(triage);
	drain_check(triage);
	work_soon(triage);
}

/* A copy: the configuration changes under us when it is read again, a moment before we are replaced. */
static struct str *keep_list(struct triage *triage, const struct conf_list *list)
{
	struct str *kept = arena_alloc(triage->kept, (list->count + 1) * sizeof(*kept));

	for (size_t i = 0; i < list->count; i++)
		kept[i] = arena_str(triage->kept, list->values[i]);
	return kept;
}

static void limit_archives(struct triage *triage, const struct conf *conf)
{
	const struct archive_limits limits = {
		.max_depth = (size_t)conf->archive_max_depth,
		.max_count = (size_t)conf->archive_max_count,
		.max_member = (size_t)conf->archive_max_member,
		.max_total = (size_t)conf->archive_max_total,
		.max_ratio = (size_t)conf->archive_max_ratio,
	};
	struct str *passwords = keep_list(triage, &conf->archive_passwords);

	examiner_set_archives(triage->examiner, &limits, passwords, conf->archive_passwords.count);
	examiner_set_archives(
		second_look_examiner(triage->look), &limits, passwords, conf->archive_passwords.count);
}

static bool triage_start(struct room *room, struct err *err)
{
	struct triage *triage = triage_of(room);
	const struct conf *conf = room_conf(room);
	struct examiner_calls calls = {.piece = on_piece,
		.refused = on_refused,
		.sealed = on_sealed,
		.open = conf->keys_enabled ? on_open : NULL,
		.alive = on_alive,
		.context = triage};
	const struct second_look_calls again = {calls.open, on_alive, triage};

	(void)err;
	if (!triage->rules)
		return true;
	triage->kept = arena_new(1024);
	triage->hops = (struct spam_hops){keep_list(triage, &conf->spam_hops), conf->spam_hops.count};
	if (conf->keys_enabled)
		triage->keys = key_client_new(room_loop(room),
			KEYS_PATIENCE + KEYS_TURNS * (int64_t)conf->keys_timeout, on_keys_ready, triage);
	triage->examiner = examiner_new(triage->rules, triage->plugins, triage->slot, triage->limit,
		(size_t)conf->sensor_max_line, &triage->hops, &calls);
	triage->look = second_look_new(triage->rules, triage->slot, triage->limit, &again);
	limit_archives(triage, conf);
	triage->work = timer_new(room_loop(room), on_work, triage);
	return true;
}

/* ---- edges ---- */

static void on_spool_frame(struct channel *channel, struct frame *frame, void *context)
{
	struct triage *triage = context;
	int fd = frame->fd_count > 0 ? frame->fds[0] : -1;
	struct err err = {0};

	if (frame->type == HANDOUT_SLOT) {
		if (fd < 0 || !slot_map(triage->slot, fd, &err))
			log_error("without a slot: %s", err.text);
		return;
	}
	if (frame->type != HANDOUT_ENTRY) {
		channel_break(channel, "a frame that is not of the hand-out edge");
		return;
	}
	if (frame->fd_count > 0)
		frame->fds[0] = -1;
	if (!in_hand_put(triage->hand, frame->body, fd, &err))
		channel_break(channel, err.text);
	work_soon(triage);
}

static void on_spool_closed(struct channel *channel, const char *why, void *context)
{
	struct triage *triage = context;

	(void)channel;
	log_info("the spool's edge ended (%s): %zu entries dropped, it offers them again",
		why ? why : "closed", in_hand_count(triage->hand) + triage->unsent_count);
	channel_free(&triage->spool);
	in_hand_clear(triage->hand);
	triage->unsent_count = 0;
	drain_check(triage);
}

static void spool_edge(struct triage *triage, int fd)
{
	channel_free(&triage->spool);
	in_hand_clear(triage->hand);
	triage->unsent_count = 0;
	triage->spool = channel_new(
		room_loop(triage->room), fd, HANDOUT_VERSION, on_spool_frame, on_spool_closed, triage);
	handout_credit_encode(CREDIT_ENTRIES, CREDIT_BYTES, channel_begin(triage->spool));
	channel_end(triage->spool, HANDOUT_CREDIT);
}

static void on_store_frame(struct channel *channel, struct frame *frame, void *context)
{
	struct triage *triage = context;
	int fd = frame->fd_count > 0 ? frame->fds[0] : -1;
	struct err err = {0};

	if (frame->type != ITEMS_SCAN) {
		channel_break(channel, "a frame that is not of the items edge");
		return;
	}
	if (frame->fd_count > 0)
		frame->fds[0] = -1;
	if (!second_look_put(triage->look, frame->body, fd, &err))
		channel_break(channel, err.text);
	else if (triage->draining)
		second_look_return(triage->look, channel);
	work_soon(triage);
}

static void on_patience(void *context)
{
	struct triage *triage = context;
	struct err err;

	err_set(&err, ERR_NOTFOUND, "no store for %d seconds", (int)(STORE_PATIENCE / CLOCK_SECOND));
	room_fail(triage->room, &err);
}

/* Findings on their way are lost with the store; the spool knows that too and offers their entries again. */
static void store_lost(struct triage *triage)
{
	channel_free(&triage->store);
	second_look_return(triage->look, NULL);
	unsent_done(triage);
}

static void on_store_closed(struct channel *channel, const char *why, void *context)
{
	struct triage *triage = context;

	(void)channel;
	log_info("the store's edge ended: %s", why ? why : "closed");
	store_lost(triage);
	if (!triage->patience)
		triage->patience = timer_new(room_loop(triage->room), on_patience, triage);
	timer_set(triage->patience, STORE_PATIENCE);
	drain_check(triage);
}

static void store_edge(struct triage *triage, int fd)
{
	store_lost(triage);
	if (triage->patience)
		timer_stop(triage->patience);
	triage->store = channel_new(
		room_loop(triage->room), fd, ITEMS_VERSION, on_store_frame, on_store_closed, triage);
	channel_on_drained(triage->store, on_store_drained);
	work_soon(triage);
}

static void triage_edge(struct room *room, enum edge_kind kind, enum room_id peer, unsigned instance,
	uint32_t generation, int fd)
{
	struct triage *triage = triage_of(room);

	(void)peer;
	(void)instance;
	(void)generation;
	if (kind == EDGE_HANDOUT && triage->examiner)
		spool_edge(triage, fd);
	else if (kind == EDGE_ITEMS && triage->examiner)
		store_edge(triage, fd);
	else if (kind == EDGE_KEYS && triage->keys)
		key_client_edge(triage->keys, fd);
	else
		fd_close(&fd);
}

/* ---- the rest of a room's life ---- */

static void triage_drain(struct room *room)
{
	struct triage *triage = triage_of(room);

	triage->draining = true;
	if (triage->spool)
		channel_pause(triage->spool, true);
	if (triage->look)
		second_look_return(triage->look, triage->store);
	drain_check(triage);
}

static void triage_count(struct room *room)
{
	struct triage *triage = triage_of(room);
	const struct examiner_counts *counts;

	if (!triage->examiner)
		return;
	counts = examiner_counts(triage->examiner);
	room_counter(room, "entries", counts->entries);
	room_counter(room, "bytes", counts->bytes);
	room_counter(room, "items", counts->items);
	room_counter(room, "quarantined", counts->quarantined);
	room_counter(room, "refused", counts->refused);
	room_counter(room, "sealed", counts->sealed);
	room_counter(room, "scans", counts->scans);
	room_counter(room, "matches", counts->matches);
	room_counter(room, "scans_unfinished", counts->unfinished);
	room_counter(room, "in_hand", in_hand_count(triage->hand));
}

static void triage_stop(struct room *room)
{
	struct triage *triage = triage_of(room);

	if (!triage)
		return;
	channel_free(&triage->spool);
	channel_free(&triage->store);
	timer_free(&triage->work);
	timer_free(&triage->patience);
	examiner_free(&triage->examiner);
	second_look_free(&triage->look);
	arena_free(&triage->kept);
	key_client_free(&triage->keys);
	item_limit_free(&triage->limit);
	in_hand_free(&triage->hand);
	slot_free(&triage->slot);
	plugin_host_free(&triage->plugins);
	rule_set_free(&triage->rules);
	while (triage->files) {
		struct mapped_file *file = triage->files;
		triage->files = file->next;
		fd_unmap(&file->bytes);
		free(file);
	}
	free(triage->unsent);
	buf_free(&triage->check);
	free(triage);
	room_set_state(room, NULL);
}

const struct room_spec triage_room = {
	.id = ROOM_TRIAGE,
	.load = triage_load,
	.plan = triage_plan,
	.prove = triage_prove,
	.hello = triage_hello,
	.edge = triage_edge,
	.start = triage_start,
	.drain = triage_drain,
	.count = triage_count,
	.stop = triage_stop,
};
