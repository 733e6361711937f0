#include "config.h"

#include "unit.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "ipc/edge_control.h"
#include "ipc/edge_handout.h"
#include "ipc/edge_items.h"
#include "ipc/rules_bundle.h"
#include "model/item.h"
#include "triage/triage.h"

/* The room as it is, in its sandbox, in a process of its own; the test plays supervisor, spool and store. */

#define NOBODY  65534
#define PATIENT 60000 /* milliseconds: only a hang of the room itself takes so long */

struct world {
	struct arena *arena;
	struct conf conf;
	struct buf rules;
	pid_t child;
	int control;
	int spool;
	int store;
	struct handout_slot *slot;
	struct buf hello;
	struct buf space; /* of the frame read last */
};

struct file {
	const char *name;
	const char *source;
};

/* ---- frames, without a loop ---- */

static void pair(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

static void give(int socket, uint8_t version, uint16_t type, struct str body, int fd)
{
	struct err err;

	if (!frame_send(socket, version, type, body, &fd, fd >= 0, &err))
		fail_msg("%s", err.text);
}

static bool readable(int socket, int milliseconds)
{
	struct pollfd wait = {.fd = socket, .events = POLLIN};

	return poll(&wait, 1, milliseconds) > 0;
}

static struct frame take(struct world *world, int socket, uint8_t version)
{
	struct frame frame = {0};
	struct err err;

	if (!readable(socket, PATIENT))
		fail_msg("the room says nothing");
	if (!frame_receive(socket, version, &world->space, &frame, &err))
		fail_msg("%s", err.text);
	return frame;
}

/* The next frame of this type from the supervisor's socket; counters and pongs are passed over. */
static struct frame take_control(struct world *world, uint16_t type)
{
	struct frame frame;

	do
		frame = take(world, world->control, CONTROL_VERSION);
	while (frame.type != type && (frame.type == CONTROL_COUNTERS || frame.type == CONTROL_PONG));
	assert_int_equal(frame.type, type);
	return frame;
}

/* ---- the supervisor ---- */

static void grant(struct world *world, const char *name, struct str bytes)
{
	int fd;

	assert_true(fd_memory(name, bytes, &fd, NULL));
	give(world->control, CONTROL_VERSION, CONTROL_GRANT, str_of(name), fd);
	close(fd);
}

static void edge(struct world *world, enum edge_kind kind, enum room_id peer, uint32_t generation, int *mine)
{
	struct control_edge control = {.kind = kind, .peer = peer, .generation = generation};
	struct buf body = {0};
	int fds[2];

	fd_close(mine);
	pair(fds);
	*mine = fds[0];
	control_edge_encode(&control, &body);
	give(world->control, CONTROL_VERSION, CONTROL_EDGE, buf_view(&body), fds[1]);
	close(fds[1]);
	buf_free(&body);
}

static void room_child(int control, unsigned instance)
{
	dup2(control, CONTROL_FD);
	close_range(CONTROL_FD + 1, ~0u, 0);
	if (getuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
		_exit(99);
	_exit(room_main(&triage_room, instance));
}

static void launch(struct world *world, unsigned instance)
{
	struct buf slice = {0};
	int fds[2];

	pair(fds);
	world->child = fork();
	assert_true(world->child >= 0);
	if (world->child == 0)
		room_child(fds[1], instance);
	close(fds[1]);
	world->control = fds[0];
	conf_slice_encode(&world->conf, ROOM_BIT(ROOM_TRIAGE), &slice);
	give(world->control, CONTROL_VERSION, CONTROL_SLICE, buf_view(&slice), -1);
	grant(world, "rules", buf_view(&world->rules));
	give(world->control, CONTROL_VERSION, CONTROL_GO, STR_NONE, -1);
	buf_clear(&world->hello);
	buf_str(&world->hello, take_control(world, CONTROL_HELLO).body);
	buf_free(&slice);
}

/* ---- the spool ---- */

static void spool_edge(struct world *world, uint32_t generation)
{
	struct frame frame;
	int fd = memfd_create("slot", MFD_CLOEXEC);

	edge(world, EDGE_HANDOUT, ROOM_SPOOL, generation, &world->spool);
	assert_int_equal(ftruncate(fd, sizeof(struct handout_slot)), 0);
	if (world->slot)
		munmap(world->slot, sizeof(*world->slot));
	world->slot = mmap(NULL, sizeof(*world->slot), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(world->slot != MAP_FAILED);
	give(world->spool, HANDOUT_VERSION, HANDOUT_SLOT, STR_NONE, fd);
	close(fd);
	frame = take(world, world->spool, HANDOUT_VERSION);
	assert_int_equal(frame.type, HANDOUT_CREDIT);
}

static void hand_out(struct world *world, struct handout_entry entry)
{
	struct buf body = {0};
	int fd = -1;

	entry.inlined = entry.bytes.len <= HANDOUT_INLINE;
	if (!entry.inlined)
		assert_true(fd_memory("entry", entry.bytes, &fd, NULL));
	handout_entry_encode(&entry, &body);
	give(world->spool, HANDOUT_VERSION, HANDOUT_ENTRY, buf_view(&body), fd);
	fd_close(&fd);
	buf_free(&body);
}

static void assert_done(struct world *world, uint64_t ticket)
{
	struct frame frame = take(world, world->spool, HANDOUT_VERSION);
	uint64_t done;

	assert_int_equal(frame.type, HANDOUT_DONE);
	assert_true(handout_done_decode(frame.body, &done));
	assert_int_equal(done, ticket);
}

/* ---- the store ---- */

/* All items of an entry, in order, in the world's arena. */
static size_t land(struct world *world, uint64_t ticket, struct item *items, size_t most)
{
	size_t count = 0;
	bool last = false;

	while (!last) {
		struct frame frame = take(world, world->store, ITEMS_VERSION);
		struct finding finding;
		struct str bytes, mapped = STR_NONE;
		uint64_t said;
		assert_int_equal(frame.type, ITEMS_PIECE);
		assert_true(items_piece_decode(frame.body, &said, &last, &bytes));
		assert_int_equal(said, ticket);
		if (frame.fd_count > 0) {
			assert_true(fd_map(frame.fds[0], true, &mapped, NULL));
			close(frame.fds[0]);
			bytes = mapped;
		}
		assert_true(finding_decode(arena_str(world->arena, bytes), world->arena, &finding, NULL));
		fd_unmap(&mapped);
		for (size_t i = 0; i < finding.item_count; i++, count++)
			if (count < most)
				items[count] = finding.items[i];
	}
	return count;
}

/* ---- one world per test ---- */

static void rules_take(struct world *world, const struct file *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rules_bundle_add(&world->rules, str_of(files[i].name), str_of(files[i].source));
}

static int setup(void **state)
{
	const char *top = getenv("top_builddir");
	struct world *world = mem_alloc(sizeof(*world));

	world->arena = arena_new(0);
	world->control = world->spool = world->store = -1;
	conf_defaults(world->arena, &world->conf);
	world->conf.sandbox_relaxed = true;
	world->conf.log_level = LOG_LEVEL_ERROR;
	world->conf.plugin_dir = arena_printf(world->arena, "%s/plugins/.libs", top ? top : ".");
	world->conf.plugins.count = 0;
	*state = world;
	return 0;
}

static int end(struct world *world)
{
	int status = 0;

	fd_close(&world->control);
	if (world->child > 0)
		waitpid(world->child, &status, 0);
	world->child = 0;
	fd_close(&world->spool);
	fd_close(&world->store);
	return status;
}

static int teardown(void **state)
{
	struct world *world = *state;

	if (world->child > 0)
		kill(world->child, SIGKILL);
	end(world);
	if (world->slot)
		munmap(world->slot, sizeof(*world->slot));
	arena_free(&world->arena);
	buf_free(&world->rules);
	buf_free(&world->hello);
	buf_free(&world->space);
	free(world);
	return 0;
}

static void start(struct world *world)
{
	launch(world, 0);
	spool_edge(world, 1);
	edge(world, EDGE_ITEMS, ROOM_STORE, 1, &world->store);
}

#define LINE(ip, more) "{\"type\":\"test\",\"source\":{\"ip\":\"" ip "\"}" more "}\n"
#define THREE                    \
	LINE("198.51.100.1", "") \
	LINE("198.51.100.2", ",\"text\":\"CIRTD-TEST-CRASH CIRTD-TEST-HANG\"") LINE("198.51.100.3", "")

static void test_lines_become_items(void **state)
{
	struct world *world = *state;
	struct item items[4];

	start(world);
	hand_out(world,
		(struct handout_entry){.ticket = 7, .format = FORMAT_AUTO, .bytes = STR(THREE "no json\n")});
	assert_int_equal(land(world, 7, items, 4), 4);
	assert_done(world, 7);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(items[i].kind, ITEM_REPORT);
		assert_int_equal(items[i].number, i);
		assert_true(items[i].report.fingerprint.key.len > 0);
	}
	assert_int_equal(items[3].kind, ITEM_QUARANTINED);
	assert_str_is(items[3].bytes, "no json");
	assert_int_equal(world->slot->ticket, 0);
}

/* As PowerShell writes files: ASCII in UTF-16, behind a mark of the order of its bytes. */
static void test_entries_in_utf16_are_read(void **state)
{
	static const char *const entries[] = {THREE,
		"From: a@b.example\nSubject: s\n\nsee http://evil.example/\n",
		"{\"type\":\"bundle\",\"id\":\"bundle--00000000-0000-4000-8000-000000000001\",\"objects\":[]"
		"}"};
	static const size_t counts[] = {3, 1, 0};
	struct world *world = *state;
	struct item items[4];

	start(world);
	for (size_t i = 0; i < 2 * ARRAY_LEN(entries); i++) {
		const char *marks[] = {"\xff\xfe", "\xfe\xff"};
		struct buf bytes = {0};

		buf_text(&bytes, marks[i % 2]);
		for (const char *c = entries[i / 2]; *c; c++) {
			buf_char(&bytes, i % 2 ? 0 : *c);
			buf_char(&bytes, i % 2 ? *c : 0);
		}
		hand_out(world, (struct handout_entry){
					.ticket = i + 1, .format = FORMAT_AUTO, .bytes = buf_view(&bytes)});
		assert_int_equal(land(world, i + 1, items, 4), counts[i / 2]);
		assert_done(world, i + 1);
		buf_free(&bytes);
	}
}

static void test_large_entries_come_and_go_as_memory_files(void **state)
{
	struct world *world = *state;
	struct buf lines = {0};
	size_t count = 0;
	struct item item;

	start(world);
	while (lines.len < 3u << 20) {
		buf_printf(&lines, "{\"type\":\"test\",\"source\":{\"ip\":\"10.1.%zu.%zu\"}}\n", count / 250,
			count % 250);
		count++;
	}
	hand_out(world,
		(struct handout_entry){.ticket = 8, .format = FORMAT_LINES, .bytes = buf_view(&lines)});
	assert_int_equal(land(world, 8, &item, 1), count);
	assert_done(world, 8);
	buf_clear(&lines);
	/* One line of 5 MB: quarantined whole, more than fits inline. */
	while (lines.len < 5u << 20)
		buf_text(&lines, "0123456789abcdef");
	hand_out(world,
		(struct handout_entry){.ticket = 9, .format = FORMAT_LINES, .bytes = buf_view(&lines)});
	assert_int_equal(land(world, 9, &item, 1), 1);
	assert_int_equal(item.kind, ITEM_QUARANTINED);
	assert_int_equal(item.bytes.len, lines.len);
	assert_done(world, 9);
	buf_free(&lines);
}

static void test_an_entry_that_cannot_be_read_is_refused(void **state)
{
	struct world *world = *state;
	struct str stage, reason;
	struct frame frame;
	uint64_t ticket;

	start(world);
	hand_out(world,
		(struct handout_entry){.ticket = 9, .format = FORMAT_STIX, .bytes = STR("{\"objects\":")});
	frame = take(world, world->store, ITEMS_VERSION);
	assert_int_equal(frame.type, ITEMS_REFUSED);
	assert_true(items_refused_decode(frame.body, &ticket, &stage, &reason));
	assert_int_equal(ticket, 9);
	assert_str_is(stage, "stix");
	assert_true(reason.len > 0);
	assert_done(world, 9);
}

static void test_without_a_store_it_waits(void **state)
{
	struct world *world = *state;
	struct item item;

	launch(world, 0);
	spool_edge(world, 1);
	hand_out(world, (struct handout_entry){
				.ticket = 1, .format = FORMAT_LINES, .bytes = STR(LINE("192.0.2.1", ""))});
	assert_false(readable(world->spool, 300));
	edge(world, EDGE_ITEMS, ROOM_STORE, 1, &world->store);
	assert_int_equal(land(world, 1, &item, 1), 1);
	assert_done(world, 1);
	/* The store goes; another one comes. */
	edge(world, EDGE_ITEMS, ROOM_STORE, 2, &world->store);
	hand_out(world, (struct handout_entry){
				.ticket = 2, .format = FORMAT_LINES, .bytes = STR(LINE("192.0.2.2", ""))});
	assert_int_equal(land(world, 2, &item, 1), 1);
	assert_done(world, 2);
}

static void test_drain_finishes_what_is_in_hand(void **state)
{
	struct world *world = *state;
	struct item item;
	int status;

	launch(world, 0);
	spool_edge(world, 1);
	for (uint64_t ticket = 1; ticket <= 4; ticket++)
		hand_out(world, (struct handout_entry){.ticket = ticket,
					.format = FORMAT_LINES,
					.bytes = STR(LINE("192.0.2.1", ""))});
	edge(world, EDGE_ITEMS, ROOM_STORE, 1, &world->store);
	/* Its ping is answered behind the edge: all four are in its hands when it is told to drain. */
	assert_int_equal(land(world, 1, &item, 1), 1);
	give(world->control, CONTROL_VERSION, CONTROL_DRAIN, STR_NONE, -1);
	take_control(world, CONTROL_DRAINED);
	assert_int_equal(waitpid(world->child, &status, 0), world->child);
	world->child = 0;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	for (uint64_t ticket = 2; ticket <= 4; ticket++)
		assert_int_equal(land(world, ticket, &item, 1), 1);
	for (uint64_t ticket = 1; ticket <= 4; ticket++)
		assert_done(world, ticket);
}

static void plugin(struct world *world, const char *name)
{
	world->conf.plugins.values[0] = str_of(name);
	world->conf.plugins.count = 1;
}

static void assert_note(const struct item *item, const char *expected)
{
	for (size_t i = 0; i < item->report.note_count; i++)
		if (memmem(item->report.notes[i].p, item->report.notes[i].len, expected, strlen(expected)))
			return;
	fail_msg("no note says \"%s\"", expected);
}

/* The worker dies on item 1, and the slot says so. Then the entry is run again with this left out: items 0
 * and 2 land. */
static struct item run_again(struct world *world, struct handout_entry entry, struct handout_leave_out skip)
{
	struct item items[3];

	entry.ticket++;
	entry.leave_out = &skip;
	entry.leave_out_count = 1;
	hand_out(world, entry);
	assert_int_equal(land(world, entry.ticket, items, 3), 3);
	assert_done(world, entry.ticket);
	assert_int_equal(items[0].kind, ITEM_REPORT);
	assert_int_equal(items[0].report.note_count, 0);
	assert_int_equal(items[2].kind, ITEM_REPORT);
	return items[1];
}

static void assert_dies(struct world *world, struct handout_entry entry, const char *stage, int signal_number)
{
	int status;

	start(world);
	hand_out(world, entry);
	assert_int_equal(waitpid(world->child, &status, 0), world->child);
	world->child = 0;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal_number);
	assert_int_equal(world->slot->ticket, entry.ticket);
	assert_int_equal(world->slot->item, 1);
	assert_string_equal(world->slot->stage, stage);
	end(world);
	start(world);
}

static void assert_plugin_costs_its_item(struct world *world, const char *stage, int signal_number)
{
	struct handout_entry entry = {.ticket = 5, .format = FORMAT_LINES, .bytes = STR(THREE)};
	struct handout_leave_out skip = {.skip = SKIP_STAGE, .item = 1, .stage = str_of(stage)};
	struct item item;

	assert_dies(world, entry, stage, signal_number);
	item = run_again(world, entry, skip);
	assert_int_equal(item.kind, ITEM_QUARANTINED);
	assert_str_is(item.stage, stage);
	assert_true(str_starts(item.reason, str_of(stage)));
	assert_true(item.bytes.len > 0);
}

static void test_trap_09_a_plugin_that_crashes_costs_its_item(void **state)
{
	plugin(*state, "crash");
	assert_plugin_costs_its_item(*state, "plugin crash", SIGSEGV);
}

static void test_trap_09_a_plugin_that_hangs_costs_its_item(void **state)
{
	struct world *world = *state;

	plugin(world, "hang");
	world->conf.triage_cpu = 300000;
	assert_plugin_costs_its_item(world, "plugin hang", SIGXCPU);
}

/* libyara's own limit of one second does not stop this rule; the kernel's does. */
static void test_trap_09_a_rule_that_hangs_is_left_out(void **state)
{
	static const struct file files[] = {{"slow.yar", "rule slow { meta: scope = \"event\" strings: $x = "
							 "/aaaa.{0,300}aaa.{0,300}b/ condition: $x }"}};
	struct handout_leave_out skip = {.skip = SKIP_STAGE, .item = 1, .stage = STR("yara")};
	struct handout_entry entry = {.ticket = 5, .format = FORMAT_LINES};
	struct world *world = *state;
	struct buf lines = {0};
	struct item item;

	buf_text(&lines, LINE("198.51.100.1", ""));
	buf_text(&lines, "{\"type\":\"test\",\"source\":{\"ip\":\"198.51.100.2\"},\"text\":\"");
	for (int i = 0; i < 65536; i++)
		buf_char(&lines, 'a');
	buf_text(&lines, "\"}\n" LINE("198.51.100.3", ""));
	entry.bytes = buf_view(&lines);
	rules_take(world, files, 1);
	world->conf.triage_cpu = 300000;
	assert_dies(world, entry, "yara", SIGXCPU);
	item = run_again(world, entry, skip);
	assert_int_equal(item.kind, ITEM_REPORT);
	assert_note(&item, "scan not finished");
	assert_str_is(item.report.verdicts[0].outcome, "not finished");
	/* Should it die again, without a scan, the item goes. */
	skip = (struct handout_leave_out){
		.skip = SKIP_ITEM, .item = 1, .stage = STR("finish"), .reason = STR("worker signal 11")};
	entry.ticket++;
	item = run_again(world, entry, skip);
	assert_int_equal(item.kind, ITEM_QUARANTINED);
	assert_str_is(item.reason, "finish: worker signal 11");
	buf_free(&lines);
}

static void test_rules_steer_and_leave_a_verdict(void **state)
{
	static const struct file files[] = {
		{"a.yar", "rule bot { meta: scope = \"event\" classification = \"c2-server\" identifier = "
			  "\"botx\" severity = \"critical\" "
			  "tlp = \"red\" tag = \"ransomware\" strings: $x = \"needle\" condition: $x }"},
		{"b.yar", "rule broken { condition: nothing }"},
	};
	struct world *world = *state;
	const struct verdict *verdict;
	struct item item;

	rules_take(world, files, 2);
	start(world);
	hand_out(world, (struct handout_entry){.ticket = 1,
				.format = FORMAT_LINES,
				.bytes = STR("{\"type\":\"undetermined\",\"title\":\"needle\",\"source\":{"
					     "\"ip\":\"192.0.2.1\"}}\n")});
	assert_int_equal(land(world, 1, &item, 1), 1);
	assert_string_equal(rsit_name(item.report.type), "c2-server");
	assert_str_is(item.report.identifier, "botx");
	assert_int_equal(item.report.severity, 90);
	assert_int_equal(item.report.tlp, TLP_UNSTATED); /* what it asks for is weighed in the store */
	assert_int_equal(item.report.rule_tlp, TLP_RED);
	assert_str_is(item.report.tags[0], "ransomware");
	assert_int_equal(item.report.verdict_count, 1);
	verdict = &item.report.verdicts[0];
	assert_str_is(verdict->rule, "a.yar/bot");
	assert_int_equal(verdict->set_digest.len, 64);
	assert_true(str_starts(verdict->engine, STR("yara 4.")));
	assert_str_is(verdict->part, "doc");
	/* The fingerprint goes by what was found out. */
	assert_str_is(item.report.fingerprint.key, "type=c2-server|what=botx|host=192.0.2.1");
}

/* ---- what landed long ago ---- */

static void scan(struct world *world, const struct items_scan *scan)
{
	struct buf body = {0};
	int fd = -1;

	if (!scan->inlined)
		assert_true(fd_memory("evidence", scan->bytes, &fd, NULL));
	items_scan_encode(scan, &body);
	give(world->store, ITEMS_VERSION, ITEMS_SCAN, buf_view(&body), fd);
	fd_close(&fd);
	buf_free(&body);
}

static struct items_scanned scanned(struct world *world, uint64_t number)
{
	struct frame frame = take(world, world->store, ITEMS_VERSION);
	struct items_scanned answer;

	assert_int_equal(frame.type, ITEMS_SCANNED);
	assert_true(items_scanned_decode(arena_str(world->arena, frame.body), world->arena, &answer));
	assert_int_equal(answer.number, number);
	return answer;
}

#define OLD_MAIL                                                                                \
	"From: a@b.example\r\nSubject: s\r\nMIME-Version: 1.0\r\nContent-Type: "                \
	"multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nnothing\r\n" \
	"--x\r\nContent-Type: application/octet-stream; name=a.bin\r\n"                         \
	"Content-Disposition: attachment; filename=a.bin\r\n\r\nMZ needle\r\n--x--\r\n"

static const struct file needles[] = {
	{"a.yar", "rule line { meta: scope = \"event\" strings: $x = \"needle\" condition: $x }"},
	{"b.yar", "rule file { meta: scope = \"file\" strings: $x = \"needle\" condition: $x }"},
};

/* Each as it was when it came: only rules of that scope see it; a match names the file that it is in. */
static void test_old_bytes_are_looked_at_as_what_they_are(void **state)
{
	static const struct items_scan pieces[] = {
		{1, SCAN_MAIL, {0}, {0}, true, STR(OLD_MAIL)},
		{2, SCAN_FILE, STR("d\303\251.bin"), {0}, false, STR("MZ a needle in a file")},
		{3, SCAN_EVENT, STR("doc"), {0}, true, STR("{\"title\":\"needle\"}")},
	};
	static const char *const rules[] = {"b.yar/file", "b.yar/file", "a.yar/line"};
	static const char *const parts[] = {"a.bin", "d\303\251.bin", "doc"};
	struct world *world = *state;

	rules_take(world, needles, 2);
	start(world);
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct items_scanned answer;
		uint8_t digest[SHA256_LEN];
		scan(world, &pieces[i]);
		answer = scanned(world, i + 1);
		assert_int_equal(answer.end, SCAN_DONE);
		assert_false(answer.sealed || answer.unfinished);
		assert_int_equal(answer.rules.len, 64);
		assert_int_equal(answer.match_count, 1);
		assert_str_is(answer.matches[0].rule, rules[i]);
		assert_str_is(answer.matches[0].part, parts[i]);
		assert_int_equal(answer.matches[0].in_file, i < 2);
		sha256(i == 0 ? STR("MZ needle") : pieces[i].bytes, digest);
		if (i < 2)
			assert_memory_equal(answer.matches[0].digest, digest, SHA256_LEN);
	}
	assert_int_equal(world->slot->ticket, 0);
}

/* What came long ago comes behind what waits already. */
static void test_entries_go_before_old_bytes(void **state)
{
	static const struct items_scan old = {
		5, SCAN_EVENT, STR("doc"), {0}, true, STR("{\"title\":\"needle\"}")};
	struct world *world = *state;
	struct item item;

	rules_take(world, needles, 2);
	launch(world, 0);
	spool_edge(world, 1);
	for (uint64_t ticket = 1; ticket <= 3; ticket++)
		hand_out(world, (struct handout_entry){.ticket = ticket,
					.format = FORMAT_LINES,
					.bytes = STR(LINE("192.0.2.1", ""))});
	give(world->control, CONTROL_VERSION, CONTROL_PING, STR_NONE, -1);
	take_control(world, CONTROL_PONG);
	edge(world, EDGE_ITEMS, ROOM_STORE, 1, &world->store);
	scan(world, &old);
	for (uint64_t ticket = 1; ticket <= 3; ticket++)
		assert_int_equal(land(world, ticket, &item, 1), 1);
	assert_int_equal(scanned(world, 5).match_count, 1);
}

static void test_bytes_that_cannot_be_read_are_said_to_be_so(void **state)
{
	static const struct items_scan none = {8, SCAN_MAIL, {0}, {0}, true, STR("no header at all")};
	struct world *world = *state;

	rules_take(world, needles, 2);
	start(world);
	scan(world, &none);
	assert_int_equal(scanned(world, 8).end, SCAN_UNREADABLE);
}

static void test_hello_says_what_is_loaded(void **state)
{
	static const struct file files[] = {{"bad.yar", "rule broken {\n condition: nothing }"}};
	struct world *world = *state;
	struct json_object *hello, *refused, *plugins;

	rules_take(world, files, 1);
	plugin(world, "crash");
	launch(world, 0);
	hello = json_tokener_parse(buf_cstr(&world->hello));
	assert_non_null(hello);
	refused = json_object_object_get(json_object_object_get(hello, "rules"), "items");
	assert_int_equal(json_object_array_length(refused), 1);
	refused = json_object_array_get_idx(refused, 0);
	assert_string_equal(json_object_get_string(json_object_object_get(refused, "file")), "bad.yar");
	assert_int_equal(json_object_get_int(json_object_object_get(refused, "line")), 2);
	plugins = json_object_array_get_idx(
		json_object_object_get(json_object_object_get(hello, "plugins"), "items"), 0);
	assert_string_equal(json_object_get_string(json_object_object_get(plugins, "name")), "crash");
	json_object_put(hello);
}

static void test_the_checking_instance_says_its_result(void **state)
{
	static const struct file files[] = {{"good.yar", "rule good { condition: false }"}};
	struct world *world = *state;
	struct json_object *hello, *check;

	rules_take(world, files, 1);
	launch(world, TRIAGE_CHECK_INSTANCE);
	hello = json_tokener_parse(buf_cstr(&world->hello));
	check = json_object_object_get(hello, "check");
	assert_non_null(check);
	assert_true(json_object_get_boolean(json_object_object_get(check, "ok")));
	json_object_put(hello);
}

#define MAIL(charset, bytes)                                                                                \
	"From: a@b.example\r\nTo: report@cirt.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: " \
	"text/plain; charset=" charset "\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" bytes "\r\n"

/* In the sandbox, where converters come from disk: what the text says arrives, in charsets that are not built
 * in. */
static void test_trap_07_charsets_work_inside_the_sandbox(void **state)
{
	static const struct {
		const char *mail;
		const char *text;
	} samples[] = {
		{MAIL("GB18030", "\xc4\xe3\xba\xc3"), "你好"},
		{MAIL("ISO-2022-JP", "\x1b$B$3$s\x1b(B"), "こん"},
		{MAIL("KOI8-R", "\xf0\xd2\xc9\xd7\xc5\xd4"), "Привет"},
		{MAIL("windows-1252", "5 \x80"), "5 €"},
	};
	struct world *world = *state;

	start(world);
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct handout_entry entry = {
			.ticket = i + 1, .format = FORMAT_MAIL, .bytes = str_of(samples[i].mail)};
		struct item item;
		hand_out(world, entry);
		assert_true(land(world, i + 1, &item, 1) >= 1);
		assert_done(world, i + 1);
		if (!memmem(item.report.text.p, item.report.text.len, samples[i].text,
			    strlen(samples[i].text)))
			fail_msg("expected %s, got " STR_FMT, samples[i].text, STR_ARG(item.report.text));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lines_become_items),
		TEST(test_entries_in_utf16_are_read),
		TEST(test_large_entries_come_and_go_as_memory_files),
		TEST(test_an_entry_that_cannot_be_read_is_refused),
		TEST(test_without_a_store_it_waits),
		TEST(test_drain_finishes_what_is_in_hand),
		TEST(test_trap_09_a_plugin_that_crashes_costs_its_item),
		TEST(test_trap_09_a_plugin_that_hangs_costs_its_item),
		TEST(test_trap_09_a_rule_that_hangs_is_left_out),
		TEST(test_rules_steer_and_leave_a_verdict),
		TEST(test_old_bytes_are_looked_at_as_what_they_are),
		TEST(test_entries_go_before_old_bytes),
		TEST(test_bytes_that_cannot_be_read_are_said_to_be_so),
		TEST(test_hello_says_what_is_loaded),
		TEST(test_the_checking_instance_says_its_result),
		TEST(test_trap_07_charsets_work_inside_the_sandbox),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
