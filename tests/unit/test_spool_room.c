#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/pack.h"
#include "ipc/edge_append.h"
#include "ipc/edge_control.h"
#include "ipc/edge_handout.h"
#include "ipc/edge_holding.h"
#include "spool/spool.h"

/* ---- the room's surroundings, as far as this room asks for them ---- */

struct room {
	struct loop *loop;
	struct conf conf;
	void *state;
	uint64_t refused;
	uint64_t poison;
	bool drained;
};

struct loop *room_loop(struct room *room)
{
	return room->loop;
}

const struct conf *room_conf(const struct room *room)
{
	return &room->conf;
}

void *room_state(const struct room *room)
{
	return room->state;
}

void room_set_state(struct room *room, void *state)
{
	room->state = state;
}

void room_counter(struct room *room, const char *name, uint64_t value)
{
	if (strcmp(name, "refused") == 0)
		room->refused = value;
	if (strcmp(name, "poison") == 0)
		room->poison = value;
}

void room_drained(struct room *room)
{
	room->drained = true;
}

void room_fail(struct room *room, const struct err *err)
{
	(void)room;
	print_error("the room failed: %s\n", err->text);
	abort();
}

/* The disk says no when the test wants it to. */
static bool disk_is_full;

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	(void)fd, (void)mode, (void)offset, (void)len;
	errno = ENOSPC;
	return disk_is_full ? -1 : 0;
}

/* ---- the peers ---- */

#define FRAMES 256

struct message {
	uint16_t type;
	char *body;
	size_t len;
	int fd;
};

struct peer {
	struct channel *channel;
	struct message messages[FRAMES];
	size_t count;
	size_t seen; /* by next() */
	bool closed;
};

struct world {
	struct room room;
	char path[64];
	struct arena *arena;
	struct peer intake;
	struct peer store;
	struct peer workers[2];
};

enum { MAILBOX = 1, SENSOR = 2 };

static void peer_frame(struct channel *channel, struct frame *frame, void *context)
{
	struct peer *peer = context;
	struct message *message = &peer->messages[peer->count++];

	(void)channel;
	assert_true(peer->count < FRAMES);
	message->type = frame->type;
	message->body = mem_dup(frame->body.p, frame->body.len + 1);
	message->len = frame->body.len;
	message->fd = frame->fd_count ? frame->fds[0] : -1;
	if (frame->fd_count)
		frame->fds[0] = -1;
}

static void peer_closed(struct channel *channel, const char *why, void *context)
{
	struct peer *peer = context;

	(void)channel;
	(void)why;
	peer->closed = true;
	channel_free(&peer->channel);
}

static void peer_end(struct peer *peer)
{
	channel_free(&peer->channel);
	for (size_t i = 0; i < peer->count; i++) {
		free(peer->messages[i].body);
		fd_close(&peer->messages[i].fd);
	}
	*peer = (struct peer){.closed = true};
}

/* Give the room one end of a pair, keep the other. */
static int peer_open(struct world *world, struct peer *peer, uint8_t version)
{
	int fds[2];

	peer_end(peer);
	peer->closed = false;
	assert_true(fd_pair(fds, NULL));
	peer->channel = channel_new(world->room.loop, fds[0], version, peer_frame, peer_closed, peer);
	return fds[1];
}

static void turn(struct world *world, int times)
{
	while (times-- > 0)
		loop_turn(world->room.loop, 2000);
}

/* The next frame of this type that has not been looked at; others before it are passed over. NULL: it does
 * not come. */
static const struct message *next(struct world *world, struct peer *peer, uint16_t type)
{
	for (int patience = 0; patience < 1000; patience++) {
		while (peer->seen < peer->count)
			if (peer->messages[peer->seen++].type == type)
				return &peer->messages[peer->seen - 1];
		loop_turn(world->room.loop, 2000);
	}
	return NULL;
}

static const struct message *expect(struct world *world, struct peer *peer, uint16_t type)
{
	const struct message *message = next(world, peer, type);

	assert_non_null(message);
	return message;
}

static struct str body_of(const struct message *message)
{
	return (struct str){message->body, message->len};
}

/* ---- what they say ---- */

static void intake_open(struct world *world)
{
	spool_room.edge(&world->room, EDGE_APPEND, ROOM_INTAKE, 0, 1,
		peer_open(world, &world->intake, APPEND_VERSION));
}

static void store_sources(struct world *world)
{
	struct source sources[] = {
		{.id = MAILBOX,
			.kind = SOURCE_MAILBOX,
			.enabled = true,
			.format = FORMAT_MAIL,
			.name = STR("report"),
			.match = STR("report@"),
			.exercise = STR("blue-2026")},
		{.id = SENSOR,
			.kind = SOURCE_SENSOR,
			.enabled = true,
			.format = FORMAT_LINES,
			.name = STR("net"),
			.match = STR("san:net"),
			.settings = STR("{\"columns\":\"ip\"}")},
	};
	struct source_table table = {.version = 3, .sources = sources, .count = 2};

	source_table_encode(&table, channel_begin(world->store.channel));
	channel_end(world->store.channel, HOLDING_SOURCES);
}

static void store_open(struct world *world)
{
	spool_room.edge(&world->room, EDGE_HOLDING, ROOM_STORE, 0, 1,
		peer_open(world, &world->store, HOLDING_VERSION));
}

static void worker_open(struct world *world, unsigned instance, uint32_t generation, uint32_t entries)
{
	struct peer *worker = &world->workers[instance];

	spool_room.edge(&world->room, EDGE_HANDOUT, ROOM_TRIAGE, instance, generation,
		peer_open(world, worker, HANDOUT_VERSION));
	handout_credit_encode(entries, 1 << 20, channel_begin(worker->channel));
	channel_end(worker->channel, HANDOUT_CREDIT);
}

static void append(
	struct world *world, uint32_t number, uint32_t source, struct str bytes, struct append_close close)
{
	struct append_open open = {
		.append = number, .source = source, .envelope = STR("{\"peer\":\"unix\"}")};

	append_whole_encode(&open, &close, bytes, channel_begin(world->intake.channel));
	channel_end(world->intake.channel, APPEND_WHOLE);
}

static void append_plain(struct world *world, uint32_t number, uint32_t source, struct str bytes)
{
	append(world, number, source, bytes, (struct append_close){.bookmark_owner = STR("")});
}

static void send_u64(struct peer *peer, uint16_t type, uint64_t number)
{
	pack_u64(channel_begin(peer->channel), number);
	channel_end(peer->channel, type);
}

static void release(struct world *world, uint64_t ticket)
{
	holding_tickets_encode(&ticket, 1, channel_begin(world->store.channel));
	channel_end(world->store.channel, HOLDING_RELEASED);
}

static struct handout_entry handed(struct world *world, struct peer *worker)
{
	struct handout_entry entry;

	assert_true(
		handout_entry_decode(body_of(expect(world, worker, HANDOUT_ENTRY)), world->arena, &entry));
	return entry;
}

static struct holding_held held(struct world *world)
{
	struct holding_held is;

	assert_true(holding_held_decode(body_of(expect(world, &world->store, HOLDING_HELD)), &is));
	return is;
}

static struct append_state state_of(struct world *world)
{
	struct append_state is;

	append_number_encode(9999, channel_begin(world->intake.channel));
	channel_end(world->intake.channel, APPEND_ASK);
	assert_true(
		append_state_decode(body_of(expect(world, &world->intake, APPEND_STATE)), world->arena, &is));
	return is;
}

static enum append_place place_of(struct world *world, uint64_t sequence)
{
	struct append_found is;

	append_find_encode(9998, sequence, channel_begin(world->intake.channel));
	channel_end(world->intake.channel, APPEND_FIND);
	assert_true(append_found_decode(body_of(expect(world, &world->intake, APPEND_FOUND)), &is));
	assert_int_equal(is.append, 9998);
	if (is.place != APPEND_NOT_HERE)
		assert_int_equal(is.entry.id.sequence, sequence);
	return is.place;
}

/* Die as this signal, at this item and stage of this ticket. */
static void worker_dies(struct world *world, unsigned instance, uint32_t generation, struct control_death how,
	uint64_t ticket, uint32_t item, const char *stage)
{
	struct peer *worker = &world->workers[instance];
	int fd = -1;
	struct handout_slot *slot;

	turn(world, 3);
	for (size_t i = 0; i < worker->count; i++)
		if (worker->messages[i].type == HANDOUT_SLOT)
			fd = worker->messages[i].fd;
	slot = mmap(NULL, sizeof(*slot), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(slot, MAP_FAILED);
	slot->ticket = ticket;
	slot->item = item;
	strncpy(slot->stage, stage, SLOT_STAGE - 1);
	munmap(slot, sizeof(*slot));
	peer_end(worker);
	how.instance = (uint16_t)instance;
	how.generation = generation;
	spool_room.death(&world->room, &how);
	turn(world, 3);
}

/* ---- the world ---- */

static void room_up(struct world *world)
{
	struct err err;

	world->room.loop = loop_new();
	if (!spool_room.load(&world->room, &err) || !spool_room.start(&world->room, &err))
		fail_msg("%s", err.text);
}

static void room_down(struct world *world)
{
	peer_end(&world->intake);
	peer_end(&world->store);
	peer_end(&world->workers[0]);
	peer_end(&world->workers[1]);
	spool_room.stop(&world->room);
	loop_free(&world->room.loop);
}

static int world_make(void **state)
{
	struct world *world = mem_alloc(sizeof(*world));

	strcpy(world->path,
		access("/dev/shm", W_OK) == 0 ? "/dev/shm/test_spool_XXXXXX" : "/tmp/test_spool_XXXXXX");
	assert_non_null(mkdtemp(world->path));
	world->arena = arena_new(65536);
	world->room.conf.state = str_of(world->path);
	world->room.conf.spool_size = 64 << 20;
	world->room.conf.spool_keep = 900 * CLOCK_SECOND;
	world->room.conf.spool_commit_delay = 2000;
	room_up(world);
	*state = world;
	return 0;
}

static int world_remove(void **state)
{
	static const char *const files[] = {
		"spool/data.mdb", "spool/lock.mdb", "spool/owner.lock", "spool", ""};
	struct world *world = *state;

	room_down(world);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char *name = mem_printf("%s/%s", world->path, files[i]);

		remove(name);
		free(name);
	}
	arena_free(&world->arena);
	free(world);
	return 0;
}

/* Everybody there, the sources known. */
static struct world *gathered(void **state)
{
	struct world *world = *state;

	store_open(world);
	store_sources(world);
	turn(world, 3);
	intake_open(world);
	worker_open(world, 0, 1, 8);
	return world;
}

/* ---- the tests ---- */

static void test_an_entry_goes_all_the_way(void **state)
{
	struct world *world = gathered(state);
	struct append_committed committed;
	struct handout_entry entry;
	struct holding_held is;

	append_plain(world, 7, SENSOR, STR("{\"v\":1}\n"));
	assert_true(append_committed_decode(
		body_of(expect(world, &world->intake, APPEND_COMMITTED)), &committed));
	assert_int_equal(committed.append, 7);
	entry = handed(world, &world->workers[0]);
	assert_true(str_equal(entry.bytes, STR("{\"v\":1}\n")));
	is = held(world);
	assert_int_equal(is.ticket, entry.ticket);
	assert_int_equal(is.entry.id.sequence, committed.id.sequence);
	assert_int_equal(state_of(world).live_entries, 1);
	assert_int_equal(state_of(world).held_count, 1);
	assert_int_equal(place_of(world, committed.id.sequence), APPEND_IN_HAND);
	assert_int_equal(place_of(world, committed.id.sequence + 1), APPEND_NOT_HERE);
	send_u64(&world->workers[0], HANDOUT_DONE, entry.ticket);
	release(world, entry.ticket);
	turn(world, 60);
	assert_int_equal(state_of(world).live_entries, 0);
	assert_int_equal(state_of(world).kept_entries, 1);
	assert_int_equal(place_of(world, committed.id.sequence), APPEND_KEPT);
	assert_int_equal(state_of(world).books[0].entries, 1);
}

static void seal(struct world *world, struct peer *worker, uint64_t ticket, bool lost)
{
	handout_sealed_encode(ticket, lost, channel_begin(worker->channel));
	channel_end(worker->channel, HANDOUT_SEALED);
	turn(world, 3);
}

/* Mail that waits for the keys: out of the way of others, counted, and offered again when a worker says so.
 */
static void test_a_sealed_entry_waits_out_of_the_way(void **state)
{
	struct world *world = gathered(state);
	struct peer *worker = &world->workers[0];
	uint64_t first, again;

	append_plain(world, 1, SENSOR, STR("sealed\n"));
	first = handed(world, worker).ticket;
	assert_int_equal(held(world).ticket, first);
	seal(world, worker, first + 77, false); /* not what it was given: nothing happens */
	assert_int_equal(state_of(world).sealed_entries, 0);
	seal(world, worker, first, false);
	expect(world, &world->store, HOLDING_FORGET);
	assert_int_equal(state_of(world).sealed_entries, 1);
	assert_int_equal(state_of(world).held_count, 0);
	assert_int_equal(state_of(world).live_entries, 1);
	append_plain(world, 2, SENSOR, STR("plain\n"));
	assert_true(str_equal(handed(world, worker).bytes, STR("plain\n")));
	channel_send(worker->channel, HANDOUT_UNSEALED, STR_NONE);
	again = handed(world, worker).ticket;
	assert_true(again > first);
	assert_int_equal(state_of(world).sealed_entries, 0);
	assert_int_equal(state_of(world).held_count, 2);
}

/* The room with the keys ends with it in hand, again and again: as a kill, from the fifth time on. */
static void test_trap_08_a_sealed_entry_that_ends_the_keys_is_left_out(void **state)
{
	struct world *world = gathered(state);
	struct peer *worker = &world->workers[0];
	struct handout_entry entry;

	append_plain(world, 1, SENSOR, STR("bad\n"));
	for (int i = 0; i < 5; i++) {
		entry = handed(world, worker);
		assert_int_equal(entry.leave_out_count, 0);
		seal(world, worker, entry.ticket, true);
		channel_send(worker->channel, HANDOUT_UNSEALED, STR_NONE);
	}
	entry = handed(world, worker);
	assert_int_equal(entry.leave_out_count, 1);
	assert_int_equal(entry.leave_out[0].skip, SKIP_STAGE);
	assert_true(str_equal(entry.leave_out[0].stage, STR("keys")));
}

static void test_pieces_come_out_as_a_sealed_file(void **state)
{
	struct world *world = gathered(state);
	struct append_open open = {.append = 3, .source = SENSOR};
	struct append_close close = {.bookmark_owner = STR("")};
	char *bytes = mem_alloc(APPEND_CHUNK);
	struct buf *body;
	const struct message *message;
	struct handout_entry entry;
	struct str mapped;
	struct err err;

	memset(bytes, 'x', APPEND_CHUNK);
	append_open_encode(&open, channel_begin(world->intake.channel));
	channel_end(world->intake.channel, APPEND_OPEN);
	for (int i = 0; i < 9; i++) {
		append_data_encode(
			3, (struct str){bytes, APPEND_CHUNK - 5}, channel_begin(world->intake.channel));
		channel_end(world->intake.channel, APPEND_DATA);
	}
	body = channel_begin(world->intake.channel);
	append_number_encode(3, body);
	append_close_encode(&close, body);
	channel_end(world->intake.channel, APPEND_CLOSE);
	expect(world, &world->intake, APPEND_COMMITTED);
	message = expect(world, &world->workers[0], HANDOUT_ENTRY);
	assert_true(handout_entry_decode(body_of(message), world->arena, &entry));
	assert_false(entry.inlined);
	assert_true(fd_map(message->fd, true, &mapped, &err));
	assert_int_equal(mapped.len, 9 * (APPEND_CHUNK - 5));
	fd_unmap(&mapped);
	free(bytes);
}

/* Source, lane and exercise come from the spool's own table and reach the store past triage. */
static void test_trap_05_provenance_does_not_pass_through_triage(void **state)
{
	struct world *world = gathered(state);
	struct holding_held is;
	uint8_t digest[SHA256_LEN];

	append_plain(world, 1, MAILBOX, STR("Subject: x\r\n\r\n"));
	is = held(world);
	sha256(STR("Subject: x\r\n\r\n"), digest);
	assert_int_equal(is.entry.source, MAILBOX);
	assert_int_equal(is.entry.lane, LANE_PEOPLE);
	assert_int_equal(is.entry.format, FORMAT_MAIL);
	assert_true(str_equal(is.entry.exercise, STR("blue-2026")));
	assert_memory_equal(is.entry.digest, digest, SHA256_LEN);
}

static void test_trap_05_the_store_learns_which_worker_holds_what(void **state)
{
	struct world *world = gathered(state);
	struct holding_held first;
	struct holding_held second;

	worker_open(world, 1, 2, 8);
	append_plain(world, 1, SENSOR, STR("{}\n"));
	first = held(world);
	append_plain(world, 2, SENSOR, STR("{}\n"));
	second = held(world);
	assert_int_not_equal(first.worker, second.worker);
	assert_int_equal(handed(world, &world->workers[first.worker]).ticket, first.ticket);
	assert_int_equal(handed(world, &world->workers[second.worker]).ticket, second.ticket);
}

static void test_trap_01_bookmark_counts_what_a_lost_edge_had_sent(void **state)
{
	struct world *world = gathered(state);
	struct str value;
	uint32_t number;
	bool found;

	append(world, 1, SENSOR, STR("a\n"),
		(struct append_close){.bookmark_owner = STR("session/s"), .bookmark_value = STR("17")});
	channel_flush(world->intake.channel);
	intake_open(world);
	append_bookmark_encode(5, STR("session/s"), channel_begin(world->intake.channel));
	channel_end(world->intake.channel, APPEND_BOOKMARK);
	assert_true(append_bookmark_is_decode(
		body_of(expect(world, &world->intake, APPEND_BOOKMARK_IS)), &number, &found, &value));
	/* Either the entry is in with its bookmark, or neither: never one of them. */
	if (found)
		assert_true(str_equal(value, STR("17")));
	assert_int_equal(state_of(world).live_entries, found ? 1 : 0);
}

static void test_trap_01_bookmark_lands_with_the_entry(void **state)
{
	struct world *world = gathered(state);
	struct holding_held is;

	append(world, 1, SENSOR, STR("a\n"),
		(struct append_close){.bookmark_owner = STR("feed/12"), .bookmark_value = STR("etag")});
	is = held(world);
	assert_true(str_equal(is.bookmark_owner, STR("feed/12")));
	assert_true(str_equal(is.bookmark_value, STR("etag")));
}

/* Of two who go on from one bookmark, the second is refused, whether the first is durable yet or not. */
static void test_trap_01_two_cannot_go_on_from_one_bookmark(void **state)
{
	struct world *world = gathered(state);
	struct append_close from = {
		.bookmark_owner = STR("f/1"), .bookmark_value = STR("10"), .expects = true};
	struct err why;
	uint32_t number;
	append(world, 1, SENSOR, STR("a\n"), from);
	append(world, 2, SENSOR, STR("a\n"), from);
	assert_true(
		append_refused_decode(body_of(expect(world, &world->intake, APPEND_REFUSED)), &number, &why));
	assert_true(number == 2 && why.code == ERR_CONFLICT);
	from.expected = STR("10");
	append(world, 3, SENSOR, STR("b\n"), from);
	assert_int_equal(state_of(world).live_entries, 2);
}

static void test_trap_02_mismatch_is_appended_again_under_a_new_id(void **state)
{
	struct world *world = gathered(state);
	struct holding_epoch before;
	struct holding_epoch after;
	struct holding_held is;
	uint64_t first;

	assert_true(holding_epoch_decode(body_of(expect(world, &world->store, HOLDING_EPOCH)), &before));
	append_plain(world, 1, SENSOR, STR("a\n"));
	first = held(world).entry.id.sequence;
	send_u64(&world->store, HOLDING_MISMATCH, handed(world, &world->workers[0]).ticket);
	assert_true(holding_epoch_decode(body_of(expect(world, &world->store, HOLDING_EPOCH)), &after));
	assert_memory_not_equal(before.spool, after.spool, UUID_LEN);
	is = held(world);
	assert_memory_equal(is.entry.id.spool, after.spool, UUID_LEN);
	assert_true(is.entry.id.sequence > first);
	assert_true(is.ticket > after.first_ticket);
	assert_int_equal(state_of(world).live_entries, 1);
}

static void test_trap_03_another_timeline_offers_again(void **state)
{
	struct world *world = gathered(state);
	uint64_t ticket;

	pack_u32(channel_begin(world->store.channel), 1);
	channel_end(world->store.channel, HOLDING_TIMELINE);
	append_plain(world, 1, SENSOR, STR("a\n"));
	ticket = held(world).ticket;
	release(world, ticket);
	turn(world, 60);
	assert_int_equal(state_of(world).kept_entries, 1);
	pack_u32(channel_begin(world->store.channel), 2);
	channel_end(world->store.channel, HOLDING_TIMELINE);
	assert_true(held(world).ticket > ticket);
	assert_int_equal(state_of(world).kept_entries, 0);
	assert_int_equal(state_of(world).live_entries, 1);
}

static void test_trap_06_doors_close_and_open_again(void **state)
{
	struct world *world = *state;
	char *bytes = mem_alloc(200000);
	uint64_t tickets[64];
	size_t count = 0;
	struct err why;
	uint32_t number;
	bool open;

	room_down(world);
	world->room.conf.spool_size = 4 << 20;
	room_up(world);
	world = gathered(state);
	expect(world, &world->intake, APPEND_DOORS);
	for (uint32_t i = 1; i < 20; i++)
		append_plain(world, i, SENSOR, (struct str){bytes, 200000});
	assert_true(append_doors_decode(body_of(expect(world, &world->intake, APPEND_DOORS)), &open));
	assert_false(open);
	append_plain(world, 100, MAILBOX, STR("mail"));
	assert_true(
		append_refused_decode(body_of(expect(world, &world->intake, APPEND_REFUSED)), &number, &why));
	assert_int_equal(number, 100);
	assert_int_equal(why.code, ERR_NOSPACE);
	/* What sensors had under way is still taken: there is a tenth left. */
	append_plain(world, 101, SENSOR, STR("line\n"));
	expect(world, &world->intake, APPEND_COMMITTED);
	while (count < 5) {
		tickets[count] = handed(world, &world->workers[0]).ticket;
		send_u64(&world->workers[0], HANDOUT_DONE, tickets[count]);
		release(world, tickets[count++]);
	}
	assert_true(append_doors_decode(body_of(expect(world, &world->intake, APPEND_DOORS)), &open));
	assert_true(open);
	append_plain(world, 102, MAILBOX, STR("mail"));
	expect(world, &world->intake, APPEND_COMMITTED);
	free(bytes);
}

static void test_trap_06_on_a_full_disk_doors_close_and_release_goes_on(void **state)
{
	struct world *world = *state;
	uint64_t ticket;
	struct err why;
	uint32_t number;
	bool open;

	world = gathered(state);
	append_plain(world, 1, SENSOR, STR("before\n"));
	ticket = held(world).ticket;
	room_down(world);
	disk_is_full = true;
	room_up(world);
	world = gathered(state);
	assert_true(append_doors_decode(body_of(expect(world, &world->intake, APPEND_DOORS)), &open));
	assert_false(open);
	append_plain(world, 2, SENSOR, STR("while\n"));
	assert_true(
		append_refused_decode(body_of(expect(world, &world->intake, APPEND_REFUSED)), &number, &why));
	assert_int_equal(why.code, ERR_NOSPACE);
	ticket = held(world).ticket;
	release(world, ticket);
	turn(world, 60);
	assert_int_equal(state_of(world).live_entries, 0);
	disk_is_full = false;
	assert_true(append_doors_decode(body_of(expect(world, &world->intake, APPEND_DOORS)), &open));
	assert_true(open);
	append_plain(world, 3, SENSOR, STR("after\n"));
	expect(world, &world->intake, APPEND_COMMITTED);
}

static void test_trap_09_a_crash_is_retried_alone_step_by_step(void **state)
{
	struct world *world = gathered(state);
	struct control_death crash = {.signal = SIGSEGV};
	struct holding_poison poison;
	struct handout_entry bad;
	struct handout_entry good;
	uint32_t generation = 1;

	append_plain(world, 1, SENSOR, STR("bad\n"));
	append_plain(world, 2, SENSOR, STR("good\n"));
	bad = handed(world, &world->workers[0]);
	good = handed(world, &world->workers[0]);
	worker_dies(world, 0, generation, crash, bad.ticket, 3, "yara");
	worker_open(world, 0, ++generation, 8);
	bad = handed(world, &world->workers[0]);
	assert_true(str_equal(bad.bytes, STR("bad\n")));
	assert_int_equal(bad.leave_out_count, 1);
	assert_int_equal(bad.leave_out[0].skip, SKIP_STAGE);
	assert_true(str_equal(bad.leave_out[0].stage, STR("yara")));
	turn(world, 5);
	assert_int_equal(world->workers[0].seen, world->workers[0].count); /* alone */
	worker_dies(world, 0, generation, crash, bad.ticket, 3, "yara");
	worker_open(world, 0, ++generation, 8);
	bad = handed(world, &world->workers[0]);
	assert_int_equal(bad.leave_out_count, 2);
	assert_int_equal(bad.leave_out[1].skip, SKIP_ITEM);
	assert_int_equal(bad.leave_out[1].item, 3);
	worker_dies(world, 0, generation, crash, bad.ticket, 3, "yara");
	worker_open(world, 0, ++generation, 8);
	assert_true(holding_poison_decode(body_of(expect(world, &world->store, HOLDING_POISON)), &poison));
	assert_true(str_equal(poison.bytes, STR("bad\n")));
	assert_true(str_equal(poison.stage, STR("yara")));
	assert_int_equal(poison.item, 3);
	good = handed(world, &world->workers[0]);
	assert_true(str_equal(good.bytes, STR("good\n")));
	assert_int_equal(good.leave_out_count, 0);
}

static void test_trap_09_attempts_outlive_the_spool(void **state)
{
	struct world *world = gathered(state);
	struct handout_entry bad;

	append_plain(world, 1, SENSOR, STR("bad\n"));
	bad = handed(world, &world->workers[0]);
	worker_dies(world, 0, 1, (struct control_death){.signal = SIGABRT}, bad.ticket, 0, "plugin x");
	room_down(world);
	room_up(world);
	world = gathered(state);
	bad = handed(world, &world->workers[0]);
	assert_int_equal(bad.leave_out_count, 1);
	assert_true(str_equal(bad.leave_out[0].stage, STR("plugin x")));
	assert_int_equal(held(world).attempt, 2);
}

static void test_trap_09_a_kill_by_nobody_is_not_held_against_it(void **state)
{
	struct world *world = gathered(state);
	struct handout_entry entry;
	uint64_t before;

	append_plain(world, 1, SENSOR, STR("fine\n"));
	for (uint32_t generation = 1; generation < 5; generation++) {
		entry = handed(world, &world->workers[0]);
		assert_int_equal(entry.leave_out_count, 0);
		before = entry.ticket;
		worker_dies(world, 0, generation, (struct control_death){.signal = SIGKILL}, entry.ticket, 0,
			"mime");
		worker_open(world, 0, generation + 1, 8);
	}
	entry = handed(world, &world->workers[0]);
	assert_int_equal(entry.leave_out_count, 0);
	assert_true(entry.ticket > before);
	spool_room.count(&world->room);
	assert_int_equal(world->room.poison, 0);
	worker_dies(world, 0, 5, (struct control_death){.signal = SIGKILL}, entry.ticket, 0, "mime");
	worker_open(world, 0, 6, 8);
	assert_int_equal(handed(world, &world->workers[0]).leave_out_count, 1);
}

/* A worker may only speak of what it was given. */
static void test_trap_09_a_hostile_slot_blames_nobody_else(void **state)
{
	struct world *world = gathered(state);
	struct handout_entry first;
	struct handout_entry second;

	worker_open(world, 1, 1, 8);
	append_plain(world, 1, SENSOR, STR("one\n"));
	append_plain(world, 2, SENSOR, STR("two\n"));
	first = handed(world, &world->workers[0]);
	second = handed(world, &world->workers[1]);
	worker_dies(world, 0, 1, (struct control_death){.signal = SIGSEGV}, second.ticket, 0, "yara");
	assert_int_not_equal(first.ticket, second.ticket);
	assert_int_equal(handed(world, &world->workers[1]).leave_out_count, 0);
	spool_room.count(&world->room);
	assert_int_equal(world->room.poison, 0);
}

static void test_trap_09_entries_wait_for_the_cause_of_death(void **state)
{
	struct world *world = gathered(state);
	struct control_death crash = {.instance = 0, .generation = 1, .signal = SIGSEGV};

	append_plain(world, 1, SENSOR, STR("x\n"));
	handed(world, &world->workers[0]);
	peer_end(&world->workers[0]);
	worker_open(world, 1, 2, 8);
	turn(world, 20);
	assert_int_equal(world->workers[1].count, 1); /* its slot, and no entry */
	spool_room.death(&world->room, &crash);
	handed(world, &world->workers[1]);
}

static void test_trap_19_sources_are_known_without_the_database(void **state)
{
	struct world *world = gathered(state);
	struct source_table table;
	struct err err;

	turn(world, 60);
	room_down(world);
	room_up(world);
	intake_open(world);
	assert_true(source_table_decode(
		body_of(expect(world, &world->intake, APPEND_SOURCES)), world->arena, &table, &err));
	assert_int_equal(table.count, 2);
	assert_true(str_equal(table.sources[1].name, STR("net")));
	assert_true(str_equal(table.sources[1].settings, STR("{\"columns\":\"ip\"}")));
	append_plain(world, 1, SENSOR, STR("x\n"));
	expect(world, &world->intake, APPEND_COMMITTED);
}

static void test_trap_20_a_lost_store_is_offered_everything_again(void **state)
{
	struct world *world = gathered(state);
	struct holding_epoch epoch;
	struct holding_held again;
	uint64_t old;

	append_plain(world, 1, SENSOR, STR("x\n"));
	old = held(world).ticket;
	send_u64(&world->workers[0], HANDOUT_DONE, handed(world, &world->workers[0]).ticket);
	peer_end(&world->store);
	turn(world, 3);
	store_open(world);
	assert_true(holding_epoch_decode(body_of(expect(world, &world->store, HOLDING_EPOCH)), &epoch));
	assert_true(epoch.first_ticket > old);
	again = held(world);
	assert_true(again.ticket > epoch.first_ticket);
	/* A late word about an old ticket says nothing about the new one. */
	release(world, old);
	turn(world, 60);
	assert_int_equal(state_of(world).live_entries, 1);
	release(world, again.ticket);
	turn(world, 60);
	assert_int_equal(state_of(world).live_entries, 0);
}

static void test_credit_is_kept(void **state)
{
	struct world *world = *state;
	uint64_t ticket;

	store_open(world);
	store_sources(world);
	turn(world, 3);
	intake_open(world);
	worker_open(world, 0, 1, 1);
	append_plain(world, 1, SENSOR, STR("one\n"));
	append_plain(world, 2, SENSOR, STR("two\n"));
	ticket = handed(world, &world->workers[0]).ticket;
	turn(world, 20);
	assert_int_equal(world->workers[0].seen, world->workers[0].count);
	send_u64(&world->workers[0], HANDOUT_DONE, UINT64_MAX);
	turn(world, 5);
	assert_int_equal(world->workers[0].seen, world->workers[0].count);
	send_u64(&world->workers[0], HANDOUT_DONE, ticket);
	assert_true(str_equal(handed(world, &world->workers[0]).bytes, STR("two\n")));
}

static void test_store_wants_the_bytes_of_what_triage_refused(void **state)
{
	struct world *world = gathered(state);
	struct holding_poison poison;
	uint64_t ticket;

	append_plain(world, 1, MAILBOX, STR("broken"));
	ticket = held(world).ticket;
	send_u64(&world->store, HOLDING_WANT, ticket);
	assert_true(holding_poison_decode(body_of(expect(world, &world->store, HOLDING_POISON)), &poison));
	assert_int_equal(poison.held.ticket, ticket);
	assert_int_equal(poison.stage.len, 0);
	assert_true(str_equal(poison.bytes, STR("broken")));
	release(world, ticket);
	turn(world, 60);
	assert_int_equal(state_of(world).live_entries, 0);
}

static void test_what_is_not_of_the_edge_ends_it(void **state)
{
	struct world *world = gathered(state);

	channel_send(world->intake.channel, APPEND_DATA, STR("\1"));
	for (int i = 0; i < 50 && !world->intake.closed; i++)
		turn(world, 1);
	assert_true(world->intake.closed);
	channel_send(world->store.channel, HOLDING_RELEASED, STR("\377\377\377\377"));
	for (int i = 0; i < 50 && !world->store.closed; i++)
		turn(world, 1);
	assert_true(world->store.closed);
}

static void test_unsound_appends_are_refused_and_the_edge_lives(void **state)
{
	struct world *world = gathered(state);
	char *bytes = mem_alloc(300);
	struct append_close close = {.bookmark_owner = {bytes, 300}, .bookmark_value = STR("v")};

	append_plain(world, 1, 77, STR("no such source"));
	expect(world, &world->intake, APPEND_REFUSED);
	memset(bytes, 'o', 300);
	append(world, 2, SENSOR, STR("x"), close);
	expect(world, &world->intake, APPEND_REFUSED);
	append_plain(world, 3, SENSOR, STR("x"));
	expect(world, &world->intake, APPEND_COMMITTED);
	free(bytes);
}

static void test_drain_finishes_what_is_held(void **state)
{
	struct world *world = gathered(state);
	uint64_t ticket;

	append_plain(world, 1, SENSOR, STR("x\n"));
	ticket = held(world).ticket;
	spool_room.drain(&world->room);
	assert_false(world->room.drained);
	release(world, ticket);
	for (int i = 0; i < 3000 && !world->room.drained; i++)
		turn(world, 1);
	assert_true(world->room.drained);
}

#define room_test(test) cmocka_unit_test_setup_teardown(test, world_make, world_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		room_test(test_an_entry_goes_all_the_way),
		room_test(test_a_sealed_entry_waits_out_of_the_way),
		room_test(test_trap_08_a_sealed_entry_that_ends_the_keys_is_left_out),
		room_test(test_pieces_come_out_as_a_sealed_file),
		room_test(test_trap_01_bookmark_counts_what_a_lost_edge_had_sent),
		room_test(test_trap_01_bookmark_lands_with_the_entry),
		room_test(test_trap_01_two_cannot_go_on_from_one_bookmark),
		room_test(test_trap_02_mismatch_is_appended_again_under_a_new_id),
		room_test(test_trap_03_another_timeline_offers_again),
		room_test(test_trap_05_provenance_does_not_pass_through_triage),
		room_test(test_trap_05_the_store_learns_which_worker_holds_what),
		room_test(test_trap_06_doors_close_and_open_again),
		room_test(test_trap_06_on_a_full_disk_doors_close_and_release_goes_on),
		room_test(test_trap_09_a_crash_is_retried_alone_step_by_step),
		room_test(test_trap_09_attempts_outlive_the_spool),
		room_test(test_trap_09_a_kill_by_nobody_is_not_held_against_it),
		room_test(test_trap_09_a_hostile_slot_blames_nobody_else),
		room_test(test_trap_09_entries_wait_for_the_cause_of_death),
		room_test(test_trap_19_sources_are_known_without_the_database),
		room_test(test_trap_20_a_lost_store_is_offered_everything_again),
		room_test(test_credit_is_kept),
		room_test(test_store_wants_the_bytes_of_what_triage_refused),
		room_test(test_what_is_not_of_the_edge_ends_it),
		room_test(test_unsound_appends_are_refused_and_the_edge_lives),
		room_test(test_drain_finishes_what_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
