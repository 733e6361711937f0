#include "unit.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/pack.h"
#include "ipc/edge_append.h"
#include "ipc/edge_control.h"
#include "ipc/edge_handout.h"
#include "ipc/edge_holding.h"
#include "ipc/edge_items.h"
#include "ipc/edge_keys.h"
#include "ipc/edge_probe.h"
#include "ipc/frame.h"
#include "ipc/rules_bundle.h"

#define MUTATIONS 20000

/* Each message: a sample of it, and a reader that writes again what it has read. */
struct message {
	const char *name;
	void (*sample)(struct buf *out);
	bool (*again)(struct str body, struct arena *arena, struct buf *out);
};

static const struct entry_id some_id = {
	.day = 20779, .spool = {1, 2, 3, 250, 251, 252}, .sequence = 1u << 20};
static const struct append_open some_open = {.append = 7,
	.source = 3,
	.format = FORMAT_LINES,
	.size_hint = 1234567,
	.exercise = {"drill-1", 7},
	.envelope = {"{\"peer\":\"198.51.100.7\"}", 23},
	.rerun = 99};
static const struct append_close some_close = {.bookmark_owner = {"session/0f0e", 12},
	.bookmark_value = {"200", 3},
	.expects = true,
	.expected = {"100", 3},
	.also_owner = {"feed/1", 6},
	.also_value = {"{}", 2}};

static struct holding_held some_held(void)
{
	return (struct holding_held){.ticket = 12345678901u,
		.worker = 3,
		.entry = {.id = some_id,
			.received = 1795600000000000,
			.source = 4,
			.lane = LANE_SENSORS,
			.format = FORMAT_MAIL,
			.size = 4096,
			.digest = {9, 8, 7},
			.exercise = STR("drill"),
			.envelope = STR("{}"),
			.rerun = 5},
		.attempt = 3,
		.bookmark_owner = STR("feed/12"),
		.bookmark_value = STR("etag")};
}

static void sample_open(struct buf *out)
{
	append_open_encode(&some_open, out);
}

static bool again_open(struct str body, struct arena *arena, struct buf *out)
{
	struct append_open open;
	(void)arena;
	if (!append_open_decode(body, &open))
		return false;
	append_open_encode(&open, out);
	return true;
}

static void sample_closing(struct buf *out)
{
	append_number_encode(7, out);
	append_close_encode(&some_close, out);
}

static bool again_closing(struct str body, struct arena *arena, struct buf *out)
{
	uint32_t append;
	struct append_close close;
	(void)arena;
	if (!append_closing_decode(body, &append, &close))
		return false;
	append_number_encode(append, out);
	append_close_encode(&close, out);
	return true;
}

static void sample_whole(struct buf *out)
{
	append_whole_encode(&some_open, &some_close, STR("{\"type\":\"phishing\"}\n"), out);
}

static bool again_whole(struct str body, struct arena *arena, struct buf *out)
{
	struct append_open open;
	struct append_close close;
	struct str bytes;
	(void)arena;
	if (!append_whole_decode(body, &open, &close, &bytes))
		return false;
	append_whole_encode(&open, &close, bytes, out);
	return true;
}

static void sample_data(struct buf *out)
{
	append_data_encode(7, STR("some bytes"), out);
}

static bool again_data(struct str body, struct arena *arena, struct buf *out)
{
	uint32_t append;
	struct str bytes;
	(void)arena;
	if (!append_data_decode(body, &append, &bytes))
		return false;
	append_data_encode(append, bytes, out);
	return true;
}

static void sample_committed(struct buf *out)
{
	append_committed_encode(&(struct append_committed){.append = 7, .id = some_id}, out);
}

static bool again_committed(struct str body, struct arena *arena, struct buf *out)
{
	struct append_committed committed;
	(void)arena;
	if (!append_committed_decode(body, &committed))
		return false;
	append_committed_encode(&committed, out);
	return true;
}

static void sample_bookmark_is(struct buf *out)
{
	append_bookmark_is_encode(7, true, STR("200"), out);
}

static bool again_bookmark_is(struct str body, struct arena *arena, struct buf *out)
{
	uint32_t append;
	bool found;
	struct str value;
	(void)arena;
	if (!append_bookmark_is_decode(body, &append, &found, &value))
		return false;
	append_bookmark_is_encode(append, found, value, out);
	return true;
}

static void sample_state(struct buf *out)
{
	struct book books[] = {{1, 20779, 10, 1000}, {2, 20780, 20, 2000}};
	uint64_t held[] = {5, 6, 7};
	struct append_state state = {.append = 3,
		.spool = {1, 2, 3},
		.next_sequence = 100,
		.live_entries = 3,
		.live_bytes = 3000,
		.limit_bytes = 1 << 30,
		.rerun_entries = 1,
		.kept_entries = 2,
		.books = books,
		.book_count = ARRAY_LEN(books),
		.held = held,
		.held_count = ARRAY_LEN(held)};
	append_state_encode(&state, out);
}

static bool again_state(struct str body, struct arena *arena, struct buf *out)
{
	struct append_state state;
	if (!append_state_decode(body, arena, &state))
		return false;
	append_state_encode(&state, out);
	return true;
}

static void sample_find(struct buf *out)
{
	append_find_encode(3, 17, out);
}

static bool again_find(struct str body, struct arena *arena, struct buf *out)
{
	uint32_t append;
	uint64_t sequence;
	(void)arena;
	if (!append_find_decode(body, &append, &sequence))
		return false;
	append_find_encode(append, sequence, out);
	return true;
}

static void sample_found(struct buf *out)
{
	struct append_found found = {.append = 3,
		.place = APPEND_KEPT,
		.entry = {.id = {20779, {1, 2, 3}, 17},
			.received = 5,
			.format = FORMAT_MAIL,
			.size = 10,
			.exercise = STR("drill"),
			.envelope = STR("{}")}};
	append_found_encode(&found, out);
}

static bool again_found(struct str body, struct arena *arena, struct buf *out)
{
	struct append_found found;
	(void)arena;
	if (!append_found_decode(body, &found))
		return false;
	append_found_encode(&found, out);
	return true;
}

static void sample_handout(struct buf *out)
{
	struct handout_leave_out skip[] = {
		{SKIP_STAGE, 2, STR("yara"), STR("")}, {SKIP_ITEM, 3, STR(""), STR("crashed")}};
	struct handout_entry entry = {.ticket = 17,
		.format = FORMAT_STIX,
		.envelope = STR("{}"),
		.leave_out = skip,
		.leave_out_count = ARRAY_LEN(skip),
		.inlined = true,
		.bytes = STR("{\"type\":\"bundle\"}")};
	handout_entry_encode(&entry, out);
}

static bool again_handout(struct str body, struct arena *arena, struct buf *out)
{
	struct handout_entry entry;
	if (!handout_entry_decode(body, arena, &entry))
		return false;
	handout_entry_encode(&entry, out);
	return true;
}

static void sample_held(struct buf *out)
{
	struct holding_held held = some_held();
	holding_held_encode(&held, out);
}

static bool again_held(struct str body, struct arena *arena, struct buf *out)
{
	struct holding_held held;
	(void)arena;
	if (!holding_held_decode(body, &held))
		return false;
	holding_held_encode(&held, out);
	return true;
}

static void sample_poison(struct buf *out)
{
	struct holding_poison poison = {.held = some_held(),
		.item = UINT32_MAX,
		.stage = STR("mime"),
		.reason = STR("crashed"),
		.inlined = true,
		.bytes = STR("From: x\r\n")};
	holding_poison_encode(&poison, out);
}

static bool again_poison(struct str body, struct arena *arena, struct buf *out)
{
	struct holding_poison poison;
	(void)arena;
	if (!holding_poison_decode(body, &poison))
		return false;
	holding_poison_encode(&poison, out);
	return true;
}

static void sample_tickets(struct buf *out)
{
	uint64_t tickets[] = {1, 2, UINT64_MAX};
	holding_tickets_encode(tickets, ARRAY_LEN(tickets), out);
}

static bool again_tickets(struct str body, struct arena *arena, struct buf *out)
{
	uint64_t *tickets;
	size_t count;
	if (!holding_tickets_decode(body, arena, &tickets, &count))
		return false;
	holding_tickets_encode(tickets, count, out);
	return true;
}

static void sample_piece(struct buf *out)
{
	items_piece_encode(17, true, STR("a finding"), out);
}

static bool again_piece(struct str body, struct arena *arena, struct buf *out)
{
	uint64_t ticket;
	bool last;
	struct str finding;
	(void)arena;
	if (!items_piece_decode(body, &ticket, &last, &finding))
		return false;
	items_piece_encode(ticket, last, finding, out);
	return true;
}

static void sample_scan(struct buf *out)
{
	items_scan_encode(&(struct items_scan){.number = 9,
				  .as = SCAN_FILE,
				  .name = STR("a.zip"),
				  .media_type = STR("application/zip"),
				  .inlined = true,
				  .bytes = STR("PK")},
		out);
}

static bool again_scan(struct str body, struct arena *arena, struct buf *out)
{
	struct items_scan scan;
	(void)arena;
	if (!items_scan_decode(body, &scan))
		return false;
	items_scan_encode(&scan, out);
	return true;
}

static void sample_scanned(struct buf *out)
{
	struct items_match matches[] = {{STR("a.yar/x"), STR("a.zip/b.exe"), true, {1, 2, 3}},
		{STR("a.yar/y"), STR("text"), false, {0}}};
	items_scanned_encode(&(struct items_scanned){9, SCAN_DONE, true, false, STR("yara 4.2.3"),
				     STR("abcd"), matches, 2},
		out);
}

static bool again_scanned(struct str body, struct arena *arena, struct buf *out)
{
	struct items_scanned scanned;
	if (!items_scanned_decode(body, arena, &scanned))
		return false;
	items_scanned_encode(&scanned, out);
	return true;
}

static void sample_probe(struct buf *out)
{
	probe_ask_encode(&(struct probe_ask){7, 9, STR("https://x/"), STR("a:b"), STR("[1]")}, out);
}

static bool again_probe(struct str body, struct arena *arena, struct buf *out)
{
	struct probe_ask ask;

	(void)arena;
	if (!probe_ask_decode(body, &ask))
		return false;
	probe_ask_encode(&ask, out);
	return true;
}

static void sample_told(struct buf *out)
{
	probe_told_encode(&(struct probe_told){7, true, STR("{}")}, out);
}

static bool again_told(struct str body, struct arena *arena, struct buf *out)
{
	struct probe_told told;

	(void)arena;
	if (!probe_told_decode(body, &told))
		return false;
	probe_told_encode(&told, out);
	return true;
}

static void sample_edge(struct buf *out)
{
	struct control_edge edge = {EDGE_HANDOUT, ROOM_TRIAGE, 1, 44};
	control_edge_encode(&edge, out);
}

static bool again_edge(struct str body, struct arena *arena, struct buf *out)
{
	struct control_edge edge;
	(void)arena;
	if (!control_edge_decode(body, &edge))
		return false;
	control_edge_encode(&edge, out);
	return true;
}

static void sample_death(struct buf *out)
{
	struct control_death death = {.instance = 1, .generation = 44, .signal = 11, .watchdog = true};
	control_death_encode(&death, out);
}

static bool again_death(struct str body, struct arena *arena, struct buf *out)
{
	struct control_death death;
	(void)arena;
	if (!control_death_decode(body, &death))
		return false;
	control_death_encode(&death, out);
	return true;
}

static void sample_counters(struct buf *out)
{
	struct control_counter counters[] = {{STR("mails"), 12}, {STR("lines"), 3456}};
	control_counters_encode(counters, ARRAY_LEN(counters), out);
}

static bool again_counters(struct str body, struct arena *arena, struct buf *out)
{
	struct control_counter *counters;
	size_t count;
	if (!control_counters_decode(body, arena, &counters, &count))
		return false;
	control_counters_encode(counters, count, out);
	return true;
}

static void sample_answer(struct buf *out)
{
	control_answer_encode(8, true, STR("{\"rooms\":[]}"), out);
}

static bool again_answer(struct str body, struct arena *arena, struct buf *out)
{
	uint32_t ask;
	bool ok;
	struct str json;
	(void)arena;
	if (!control_answer_decode(body, &ask, &ok, &json))
		return false;
	control_answer_encode(ask, ok, json, out);
	return true;
}

static void sample_key_question(struct buf *out)
{
	keys_open_encode(&(struct keys_open){.ask = 3,
				 .kind = SEALED_PGP_DETACHED,
				 .inlined = true,
				 .bytes = STR("text"),
				 .signature = STR("signature")},
		out);
}

static bool again_key_question(struct str body, struct arena *arena, struct buf *out)
{
	struct keys_open open;
	(void)arena;
	if (!keys_open_decode(body, &open))
		return false;
	keys_open_encode(&open, out);
	return true;
}

static void sample_key_answer(struct buf *out)
{
	struct seal_signature signature = {
		SIGNATURE_KEY_EXPIRED, STR("ABCD"), STR("A <a@b.example>"), STR("a@b.example")};
	struct unsealed unsealed = {.outcome = UNSEAL_OPENED,
		.reason = STR(""),
		.encrypted = true,
		.key = STR("EF"),
		.plain = STR("plain"),
		.signatures = &signature,
		.signature_count = 1};

	keys_unsealed_encode(&unsealed, out);
}

static bool again_key_answer(struct str body, struct arena *arena, struct buf *out)
{
	struct unsealed unsealed;
	if (!keys_unsealed_decode(body, arena, &unsealed))
		return false;
	keys_unsealed_encode(&unsealed, out);
	return true;
}

static void sample_key_management(struct buf *out)
{
	keys_manage_encode(&(struct keys_manage){3, STR("ABCD"), STR("bytes")}, out);
}

static bool again_key_management(struct str body, struct arena *arena, struct buf *out)
{
	struct keys_manage manage;
	(void)arena;
	if (!keys_manage_decode(body, &manage))
		return false;
	keys_manage_encode(&manage, out);
	return true;
}

static void sample_key_told(struct buf *out)
{
	keys_told_encode(&(struct keys_told){3, true, STR("{}")}, out);
}

static bool again_key_told(struct str body, struct arena *arena, struct buf *out)
{
	struct keys_told told;
	(void)arena;
	if (!keys_told_decode(body, &told))
		return false;
	keys_told_encode(&told, out);
	return true;
}

static const struct message messages[] = {
	{"append open", sample_open, again_open},
	{"append close", sample_closing, again_closing},
	{"append whole", sample_whole, again_whole},
	{"append data", sample_data, again_data},
	{"append committed", sample_committed, again_committed},
	{"bookmark is", sample_bookmark_is, again_bookmark_is},
	{"append state", sample_state, again_state},
	{"append find", sample_find, again_find},
	{"append found", sample_found, again_found},
	{"handout entry", sample_handout, again_handout},
	{"keys open", sample_key_question, again_key_question},
	{"keys unsealed", sample_key_answer, again_key_answer},
	{"keys manage", sample_key_management, again_key_management},
	{"keys told", sample_key_told, again_key_told},
	{"holding held", sample_held, again_held},
	{"holding poison", sample_poison, again_poison},
	{"holding tickets", sample_tickets, again_tickets},
	{"items piece", sample_piece, again_piece},
	{"items scan", sample_scan, again_scan},
	{"items scanned", sample_scanned, again_scanned},
	{"probe ask", sample_probe, again_probe},
	{"probe told", sample_told, again_told},
	{"control edge", sample_edge, again_edge},
	{"control death", sample_death, again_death},
	{"control counters", sample_counters, again_counters},
	{"control answer", sample_answer, again_answer},
};

static void what_is_written_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct arena *arena = arena_new(1024);
		struct buf body = {0};
		struct buf again = {0};
		messages[i].sample(&body);
		assert_true(messages[i].again(buf_view(&body), arena, &again));
		assert_true(str_equal(buf_view(&body), buf_view(&again)));
		buf_free(&body);
		buf_free(&again);
		arena_free(&arena);
	}
}

/* Bytes in memory of exactly their length, so that a read past the end is seen. */
static bool read_exact(const struct message *message, struct str bytes, struct buf *again)
{
	struct arena *arena = arena_new(1024);
	char *copy = bytes.len > 0 ? mem_dup(bytes.p, bytes.len) : NULL;
	bool ok = message->again((struct str){copy, bytes.len}, arena, again);
	free(copy);
	arena_free(&arena);
	return ok;
}

static void a_message_cut_or_prolonged_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct buf body = {0};
		struct buf again = {0};
		messages[i].sample(&body);
		for (size_t len = 0; len < body.len; len++)
			assert_false(read_exact(&messages[i], (struct str){body.data, len}, &again));
		buf_char(&body, 0);
		assert_false(read_exact(&messages[i], buf_view(&body), &again));
		buf_free(&body);
		buf_free(&again);
	}
}

/* Whatever a hostile room sends is refused, or is read as what it says and nothing else. */
static void mutations_are_refused_or_mean_what_they_say(void **state)
{
	uint64_t seed = 20261122;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct buf body = {0};
		messages[i].sample(&body);
		for (unsigned n = 0; n < MUTATIONS / ARRAY_LEN(messages); n++) {
			struct buf mutant = {0};
			struct buf again = {0};
			buf_str(&mutant, buf_view(&body));
			for (size_t k = 1 + chance_below(&seed, 4); k > 0; k--)
				mutant.data[chance_below(&seed, mutant.len)] = (char)chance(&seed);
			if (read_exact(&messages[i], buf_view(&mutant), &again))
				assert_true(str_equal(buf_view(&mutant), buf_view(&again)));
			buf_free(&mutant);
			buf_free(&again);
		}
		buf_free(&body);
	}
}

static void refusals_keep_code_and_text(void **state)
{
	struct buf body = {0};
	struct err why = {0}, read = {0};
	uint32_t append;
	(void)state;
	err_set(&why, ERR_NOSPACE, "the spool is full");
	append_refused_encode(9, &why, &body);
	assert_true(append_refused_decode(buf_view(&body), &append, &read));
	assert_int_equal(append, 9);
	assert_int_equal(read.code, ERR_NOSPACE);
	assert_string_equal(read.text, "the spool is full");
	body.data[4] = ERR_BUG + 1;
	assert_false(append_refused_decode(buf_view(&body), &append, &read));
	buf_free(&body);
}

static void frames_come_one_after_another(void **state)
{
	struct buf bytes = {0};
	struct frame frame;
	size_t used;
	(void)state;
	frame_encode(1, 5, STR("first"), 0, &bytes);
	frame_encode(1, 6, STR(""), 0, &bytes);
	assert_int_equal(frame_decode((struct str){bytes.data, 12}, 1, &frame, &used, NULL), 0);
	assert_int_equal(frame_decode(buf_view(&bytes), 1, &frame, &used, NULL), 1);
	assert_int_equal(frame.type, 5);
	assert_true(str_equal(frame.body, STR("first")));
	buf_consume(&bytes, used);
	assert_int_equal(frame_decode(buf_view(&bytes), 1, &frame, &used, NULL), 1);
	assert_int_equal(frame.type, 6);
	assert_int_equal(used, bytes.len);
	buf_free(&bytes);
}

static void blocking_frames_carry_descriptors(void **state)
{
	struct buf space = {0};
	struct frame frame;
	struct err err;
	int ends[2], file, refused[2];
	(void)state;
	assert_true(fd_pair(ends, &err));
	assert_true(fd_memory("test", STR("content"), &file, &err));
	assert_true(frame_send(ends[0], 1, 2, STR("body"), &file, 1, &err));
	assert_true(frame_receive(ends[1], 1, &space, &frame, &err));
	assert_int_equal(frame.fd_count, 1);
	assert_true(str_equal(frame.body, STR("body")));
	fd_close(&frame.fds[0]);
	fd_close(&file);
	assert_true(frame_send(ends[0], 2, 2, STR("body"), NULL, 0, &err));
	assert_false(frame_receive(ends[1], 1, &space, &frame, &err));
	assert_int_equal(err.code, ERR_MALFORMED);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	assert_true(fd_pair(refused, &err));
	fd_close(&refused[0]);
	assert_false(frame_receive(refused[1], 1, &space, &frame, &err));
	assert_int_equal(err.code, ERR_NOTFOUND);
	fd_close(&refused[1]);
	buf_free(&space);
}

static void rules_bundles_are_cut_as_they_were_put(void **state)
{
	struct buf bundle = {0};
	struct str name, bytes;
	(void)state;
	rules_bundle_add(&bundle, STR("a.yar"), STR("rule a { condition: true }"));
	rules_bundle_add(&bundle, STR("empty.yar"), STR(""));
	struct str rest = buf_view(&bundle);
	assert_int_equal(rules_bundle_next(&rest, &name, &bytes), 1);
	assert_true(str_equal(name, STR("a.yar")));
	assert_true(str_equal(bytes, STR("rule a { condition: true }")));
	assert_int_equal(rules_bundle_next(&rest, &name, &bytes), 1);
	assert_int_equal(bytes.len, 0);
	assert_int_equal(rules_bundle_next(&rest, &name, &bytes), 0);
	for (size_t len = 1; len < 20; len++) {
		rest = (struct str){bundle.data, len};
		assert_int_equal(rules_bundle_next(&rest, &name, &bytes), -1);
	}
	buf_free(&bundle);
}

/* Triage opens, the courier seals and the desk manages: none may ask what another may, but which keys there
 * are. */
static void test_trap_08_who_may_ask_the_keys_what(void **state)
{
	(void)state;
	assert_true(keys_may_ask(ROOM_TRIAGE, KEYS_OPEN));
	assert_true(keys_may_ask(ROOM_COURIER, KEYS_SEAL));
	assert_true(keys_may_ask(ROOM_DESK, KEYS_UNLOCK));
	for (unsigned type = 0; type < 256; type++) {
		int may = 0;
		for (unsigned room = 0; room < ROOMS + 2; room++) {
			bool asks = keys_may_ask(room, (uint16_t)type);
			if (room != ROOM_TRIAGE && room != ROOM_COURIER && room != ROOM_DESK)
				assert_false(asks);
			may += asks;
		}
		assert_true(may <= (type == KEYS_LIST ? 2 : 1));
	}
	assert_false(keys_may_ask(ROOM_TRIAGE, KEYS_LIST));
}

static void rooms_have_names(void **state)
{
	enum room_id id;
	(void)state;
	for (unsigned i = 0; i < ROOMS; i++) {
		assert_true(room_parse(str_of(room_name((enum room_id)i)), &id));
		assert_int_equal(id, i);
	}
	assert_false(room_parse(STR("attic"), &id));
	for (size_t i = 0; i < graph_count; i++)
		assert_true(graph[i].a != graph[i].b && graph[i].a != ROOM_SUPERVISOR &&
			    graph[i].b != ROOM_SUPERVISOR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_message_cut_or_prolonged_is_refused),
		cmocka_unit_test(mutations_are_refused_or_mean_what_they_say),
		cmocka_unit_test(refusals_keep_code_and_text),
		cmocka_unit_test(frames_come_one_after_another),
		cmocka_unit_test(blocking_frames_carry_descriptors),
		cmocka_unit_test(rules_bundles_are_cut_as_they_were_put),
		cmocka_unit_test(test_trap_08_who_may_ask_the_keys_what),
		cmocka_unit_test(rooms_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
