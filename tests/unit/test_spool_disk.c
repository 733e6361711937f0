#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "spool/entry_store.h"
#include "spool/kv.h"

/* A spool in a folder of its own, whose clock the test turns. */
struct place {
	char path[64];
	struct entry_store *store;
	uint64_t size;
};

static int64_t now;

static int64_t test_now(void)
{
	return now;
}

static void place_open(struct place *place)
{
	struct entry_store_settings settings = {
		.path = place->path, .size = place->size, .keep = 900 * CLOCK_SECOND, .now = test_now};
	struct err err;

	if (!entry_store_open(&settings, &place->store, &err))
		fail_msg("%s", err.text);
}

static void place_make(struct place *place, uint64_t size)
{
	/* Where there is one, in memory: a killed process loses nothing of either, and thousands of commits
	 * cost less. */
	*place = (struct place){.path = "/dev/shm/test_spool_XXXXXX", .size = size};
	if (access("/dev/shm", W_OK) != 0)
		strcpy(place->path, "/tmp/test_spool_XXXXXX");
	now = clock_of_civil(2026, 11, 22, 10, 0, 0);
	assert_non_null(mkdtemp(place->path));
	place_open(place);
}

static void place_reopen(struct place *place)
{
	entry_store_free(&place->store);
	place_open(place);
}

static void place_remove(struct place *place)
{
	DIR *folder = opendir(place->path);
	struct dirent *file;

	entry_store_free(&place->store);
	while (folder && (file = readdir(folder))) {
		char *name = mem_printf("%s/%s", place->path, file->d_name);

		unlink(name);
		free(name);
	}
	closedir(folder);
	rmdir(place->path);
}

static void commit(struct place *place)
{
	struct err err;

	if (!entry_store_commit(place->store, &err))
		fail_msg("%s", err.text);
}

static struct entry sensor_entry(uint32_t source)
{
	return (struct entry){
		.source = source, .lane = LANE_SENSORS, .format = FORMAT_LINES, .envelope = STR("{}")};
}

static uint64_t add(struct place *place, uint32_t source, struct str bytes)
{
	struct entry entry = sensor_entry(source);

	arrival_whole(place->store, bytes, &entry, NULL);
	return entry.id.sequence;
}

/* Bytes that tell which entry they are of. */
static struct str pattern(uint64_t seed, size_t len)
{
	char *bytes = mem_alloc(len + 8);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)((seed * 31 + i * 7 + i / 251) & 0xff);
	return (struct str){bytes, len};
}

static void free_pattern(struct str bytes)
{
	free((char *)(uintptr_t)bytes.p);
}

static void assert_holds(struct place *place, uint64_t sequence, struct str bytes)
{
	struct buf space = {0};
	struct record record;
	struct str got;

	assert_true(entry_store_read(place->store, sequence, &record));
	assert_true(entry_store_read_bytes(place->store, &record, &space, &got));
	assert_true(str_equal(got, bytes));
	entry_store_unread(place->store);
	buf_free(&space);
}

static bool exists(struct place *place, uint64_t sequence)
{
	struct record record;
	bool found = entry_store_read(place->store, sequence, &record);

	entry_store_unread(place->store);
	return found;
}

static size_t waiting(struct place *place, uint32_t source)
{
	uint64_t sequence = 0;
	uint64_t size;
	size_t count = 0;

	while (entry_store_next(place->store, source, &sequence, &size)) {
		count++;
		sequence++;
	}
	entry_store_unread(place->store);
	return count;
}

static void test_an_entry_exists_once_it_is_committed(void **state)
{
	struct place place;
	struct str bytes = pattern(1, 1000);
	uint64_t sequence;

	(void)state;
	place_make(&place, 64 << 20);
	sequence = add(&place, 5, bytes);
	assert_false(exists(&place, sequence));
	assert_int_equal(waiting(&place, 5), 0);
	commit(&place);
	assert_holds(&place, sequence, bytes);
	assert_int_equal(waiting(&place, 5), 1);
	place_reopen(&place);
	assert_holds(&place, sequence, bytes);
	assert_int_equal(entry_store_counts(place.store)->live_entries, 1);
	free_pattern(bytes);
	place_remove(&place);
}

/* Pieces of odd sizes, over many commits, give the same bytes and digest as one piece. */
static void test_pieces_are_the_whole(void **state)
{
	static const size_t cuts[] = {1, 7, 65519, 65520, 65521, 200000, 3};
	struct place place;
	struct str bytes = pattern(2, 900000);
	struct str rest = bytes;
	struct entry entry = sensor_entry(1);
	struct entry whole = sensor_entry(1);
	struct arrival *arrival;

	(void)state;
	place_make(&place, 64 << 20);
	arrival = arrival_new(place.store);
	for (size_t i = 0; rest.len; i++) {
		size_t len = cuts[i % ARRAY_LEN(cuts)] < rest.len ? cuts[i % ARRAY_LEN(cuts)] : rest.len;

		arrival_bytes(arrival, (struct str){rest.p, len});
		rest.p += len;
		rest.len -= len;
		commit(&place);
	}
	arrival_close(&arrival, &entry, NULL);
	arrival_whole(place.store, bytes, &whole, NULL);
	commit(&place);
	assert_holds(&place, entry.id.sequence, bytes);
	assert_holds(&place, whole.id.sequence, bytes);
	assert_memory_equal(entry.digest, whole.digest, SHA256_LEN);
	assert_int_equal(entry_store_counts(place.store)->open_bytes, 0);
	free_pattern(bytes);
	place_remove(&place);
}

static void test_leftovers_are_swept_at_start(void **state)
{
	struct place place;
	struct str bytes = pattern(3, 500000);
	struct kv *kv;
	pid_t child;
	struct kv_key all = {.len = 0};
	struct str key;
	struct str value;
	struct err err;
	const char *const tables[] = {"chunk", "open", NULL};

	(void)state;
	place_make(&place, 64 << 20);
	entry_store_free(&place.store);
	child = fork();
	if (child == 0) {
		place_open(&place);
		arrival_bytes(arrival_new(place.store), bytes);
		commit(&place);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	assert_true(kv_open(&(struct kv_settings){place.path, 1 << 28, tables}, &kv, &err));
	assert_true(kv_seek(kv, KV_COMMITTED, 0, &all, 0, &key, &value));
	kv_free(&kv);
	place_open(&place);
	entry_store_free(&place.store);
	assert_true(kv_open(&(struct kv_settings){place.path, 1 << 28, tables}, &kv, &err));
	assert_false(kv_seek(kv, KV_COMMITTED, 0, &all, 0, &key, &value));
	assert_false(kv_seek(kv, KV_COMMITTED, 1, &all, 0, &key, &value));
	kv_free(&kv);
	place_open(&place);
	free_pattern(bytes);
	place_remove(&place);
}

static void test_trap_01_bookmark_is_one_transaction_with_the_entry(void **state)
{
	struct place place;
	struct entry entry = sensor_entry(1);
	struct append_close bookmark = {.bookmark_owner = STR("session/a"),
		.bookmark_value = STR("200"),
		.also_owner = STR("feed/7"),
		.also_value = STR("day")};
	struct str value;

	(void)state;
	place_make(&place, 64 << 20);
	arrival_whole(place.store, STR("x"), &entry, &bookmark);
	assert_false(entry_store_bookmark(place.store, STR("session/a"), &value));
	entry_store_unread(place.store);
	place_reopen(&place); /* killed before the commit: neither is there */
	assert_false(entry_store_bookmark(place.store, STR("session/a"), &value));
	assert_int_equal(waiting(&place, 1), 0);
	arrival_whole(place.store, STR("x"), &entry, &bookmark);
	commit(&place);
	place_reopen(&place);
	assert_true(entry_store_bookmark(place.store, STR("feed/7"), &value));
	assert_true(str_equal(value, STR("day")));
	assert_true(entry_store_bookmark(place.store, STR("session/a"), &value));
	assert_true(str_equal(value, STR("200")));
	entry_store_unread(place.store);
	assert_int_equal(waiting(&place, 1), 1);
	now += 31 * CLOCK_DAY;
	assert_int_equal(entry_store_expire_bookmarks(place.store), 1);
	commit(&place);
	assert_false(entry_store_bookmark(place.store, STR("session/a"), &value));
	place_remove(&place);
}

static void test_trap_02_id_and_sequence_are_never_used_twice(void **state)
{
	struct place place;
	struct place other;
	uint8_t id[UUID_LEN];
	uint64_t first;
	uint64_t ticket;

	(void)state;
	place_make(&place, 64 << 20);
	place_make(&other, 64 << 20);
	memcpy(id, entry_store_spool(place.store), UUID_LEN);
	assert_memory_not_equal(id, entry_store_spool(other.store), UUID_LEN);
	first = add(&place, 1, STR("a"));
	commit(&place);
	ticket = entry_store_ticket(place.store);
	/* Emptied to the last entry, the counter still counts on. */
	entry_store_release(place.store, first);
	commit(&place);
	now += 1000 * CLOCK_SECOND;
	entry_store_purge(place.store, 100);
	commit(&place);
	place_reopen(&place);
	assert_false(exists(&place, first));
	assert_true(add(&place, 1, STR("b")) > first);
	assert_true(entry_store_ticket(place.store) > ticket);
	assert_memory_equal(id, entry_store_spool(place.store), UUID_LEN);
	place_remove(&place);
	place_remove(&other);
}

static void test_trap_02_received_never_runs_backwards(void **state)
{
	struct place place;
	struct entry a = sensor_entry(1);
	struct entry b = sensor_entry(1);

	(void)state;
	place_make(&place, 64 << 20);
	arrival_whole(place.store, STR("a"), &a, NULL);
	commit(&place);
	place_reopen(&place);
	now -= 2 * CLOCK_DAY;
	arrival_whole(place.store, STR("b"), &b, NULL);
	assert_true(b.received >= a.received);
	assert_true(b.id.day >= a.id.day);
	place_remove(&place);
}

static void test_trap_02_mismatch_takes_a_new_spool_id(void **state)
{
	struct place place;
	struct str bytes = pattern(4, 100000);
	struct arena *arena = arena_new(1024);
	struct record record;
	uint8_t id[UUID_LEN];
	uint64_t sequence;
	uint64_t other;
	uint64_t moved = 0;
	uint64_t size;
	size_t count;

	(void)state;
	place_make(&place, 64 << 20);
	sequence = add(&place, 1, bytes);
	other = add(&place, 1, STR("other"));
	commit(&place);
	memcpy(id, entry_store_spool(place.store), UUID_LEN);
	assert_true(entry_store_rename(place.store, sequence));
	commit(&place);
	place_reopen(&place);
	assert_memory_not_equal(id, entry_store_spool(place.store), UUID_LEN);
	assert_false(exists(&place, sequence));
	moved = other + 1;
	assert_true(entry_store_next(place.store, 1, &moved, &size));
	entry_store_unread(place.store);
	assert_holds(&place, moved, bytes);
	assert_true(entry_store_read(place.store, moved, &record));
	assert_memory_equal(record.entry.id.spool, entry_store_spool(place.store), UUID_LEN);
	assert_true(entry_store_read(place.store, other, &record));
	assert_memory_equal(record.entry.id.spool, id, UUID_LEN);
	entry_store_unread(place.store);
	assert_int_equal(entry_store_counts(place.store)->live_entries, 2);
	assert_int_equal(entry_store_books(place.store, false, arena, &count)[0].entries, 1);
	arena_free(&arena);
	free_pattern(bytes);
	place_remove(&place);
}

static void test_trap_03_released_entries_are_kept_and_come_back(void **state)
{
	struct place place;
	struct str bytes = pattern(5, 70000);
	uint64_t a;
	uint64_t b;

	(void)state;
	place_make(&place, 64 << 20);
	a = add(&place, 1, bytes);
	b = add(&place, 2, bytes);
	commit(&place);
	assert_true(entry_store_release(place.store, a));
	assert_true(entry_store_release(place.store, b));
	assert_false(entry_store_release(place.store, b));
	commit(&place);
	assert_int_equal(waiting(&place, 1), 0);
	assert_int_equal(entry_store_counts(place.store)->live_bytes, 0);
	assert_int_equal(entry_store_counts(place.store)->kept_entries, 2);
	now += 800 * CLOCK_SECOND;
	assert_false(entry_store_purge(place.store, 100));
	place_reopen(&place);
	assert_int_equal(entry_store_revive(place.store, 100), 2);
	commit(&place);
	assert_int_equal(waiting(&place, 1), 1);
	assert_holds(&place, a, bytes);
	assert_int_equal(entry_store_counts(place.store)->live_entries, 2);
	assert_int_equal(entry_store_counts(place.store)->kept_entries, 0);
	entry_store_release(place.store, a);
	now += 901 * CLOCK_SECOND;
	entry_store_purge(place.store, 100);
	commit(&place);
	assert_false(exists(&place, a));
	assert_true(exists(&place, b));
	free_pattern(bytes);
	place_remove(&place);
}

/* Fill until no page is left: the last group is refused, what was acknowledged stays. */
static void fill_the_map(size_t len)
{
	struct place place;
	struct str bytes = pattern(6, len);
	struct err err = {.code = ERR_NONE};
	uint64_t first = 0;
	size_t count = 0;

	place_make(&place, 2 << 20);
	/* The limit of live bytes is the door's to keep; nobody keeps it here. */
	while (count < 100000) {
		uint64_t sequence = 0;
		int group = 0;

		while (group++ < 8)
			sequence = add(&place, 1, bytes);
		if (!entry_store_commit(place.store, &err))
			break;
		first = first ? first : sequence;
		count += 8;
	}
	assert_int_equal(err.code, ERR_NOSPACE);
	assert_int_equal(waiting(&place, 1), count);
	assert_int_equal(entry_store_counts(place.store)->live_entries, count);
	place_reopen(&place);
	assert_int_equal(waiting(&place, 1), count);
	assert_holds(&place, first, bytes);
	free_pattern(bytes);
	place_remove(&place);
}

/* Filled to the limit of live bytes, the spool can be emptied in any order and filled again. */
static void empty_in_order(size_t len, unsigned order)
{
	struct place place;
	struct str bytes = pattern(len, len);
	uint64_t *sequences = mem_alloc(sizeof(uint64_t) * 20000);
	const struct entry_store_counts *counts;

	place_make(&place, 2 << 20);
	counts = entry_store_counts(place.store);
	for (int round = 0; round < 3; round++) {
		size_t count = 0;

		while (counts->live_bytes < counts->limit)
			sequences[count++] = add(&place, 1, bytes);
		commit(&place);
		assert_int_equal(waiting(&place, 1), count);
		for (size_t k = 0; k < count; k++) {
			size_t at = order == 0 ? k : order == 1 ? count - 1 - k : (k * 7919) % count;

			entry_store_release(place.store, sequences[at]);
			entry_store_purge(place.store, 100);
			commit(&place);
		}
		for (size_t k = 0; k < count; k++)
			entry_store_release(place.store, sequences[k]);
		commit(&place);
		assert_int_equal(waiting(&place, 1), 0);
		assert_int_equal(counts->live_bytes, 0);
	}
	free(sequences);
	free_pattern(bytes);
	place_remove(&place);
}

static void test_trap_06_full_spool_can_be_emptied(void **state)
{
	static const size_t sizes[] = {600, 3000, 64000, 300000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (unsigned order = 0; order < 3; order++)
			empty_in_order(sizes[i], order);
}

static void test_trap_06_a_full_map_refuses_the_group_and_nothing_else(void **state)
{
	(void)state;
	fill_the_map(600);
	fill_the_map(64000);
}

static void test_trap_06_a_lost_group_spoils_what_was_in_it(void **state)
{
	struct place place;
	struct str bytes = pattern(7, 1 << 20);
	struct arrival *spoilt;
	struct arrival *idle;
	struct err err;
	uint64_t before;

	(void)state;
	place_make(&place, 2 << 20);
	before = add(&place, 1, STR("before"));
	commit(&place);
	idle = arrival_new(place.store);
	spoilt = arrival_new(place.store);
	for (int i = 0; i < 8; i++)
		arrival_bytes(spoilt, bytes);
	assert_false(entry_store_well(place.store, &err));
	assert_false(entry_store_commit(place.store, &err));
	assert_int_equal(err.code, ERR_NOSPACE);
	assert_true(arrival_spoilt(spoilt));
	assert_false(arrival_spoilt(idle));
	arrival_abort(&spoilt);
	arrival_abort(&idle);
	commit(&place);
	assert_int_equal(entry_store_counts(place.store)->open_bytes, 0);
	assert_int_equal(entry_store_counts(place.store)->live_entries, 1);
	assert_true(exists(&place, before));
	assert_true(entry_store_release(place.store, before));
	commit(&place);
	free_pattern(bytes);
	place_remove(&place);
}

static void test_trap_18_books_are_absolute_and_of_the_same_commit(void **state)
{
	struct place place;
	struct arena *arena = arena_new(1024);
	struct entry rerun = sensor_entry(1);
	struct book *books;
	size_t count;
	uint64_t first;

	(void)state;
	place_make(&place, 64 << 20);
	first = add(&place, 1, STR("12345"));
	add(&place, 1, STR("123"));
	commit(&place);
	add(&place, 1, STR("lost with the process"));
	place_reopen(&place);
	rerun.rerun = 77;
	arrival_whole(place.store, STR("again"), &rerun, NULL);
	entry_store_release(place.store, first);
	commit(&place);
	books = entry_store_books(place.store, true, arena, &count);
	assert_int_equal(count, 1);
	assert_int_equal(books[0].entries, 2);
	assert_int_equal(books[0].bytes, 8);
	assert_int_equal(entry_store_counts(place.store)->live_entries, 1);
	assert_int_equal(entry_store_counts(place.store)->rerun_entries, 1);
	entry_store_books(place.store, true, arena, &count);
	assert_int_equal(count, 0);
	now += CLOCK_DAY;
	add(&place, 1, STR("x"));
	entry_store_books(place.store, true, arena, &count);
	assert_int_equal(count, 1);
	entry_store_books(place.store, false, arena, &count);
	assert_int_equal(count, 2);
	arena_free(&arena);
	place_remove(&place);
}

static void test_only_one_process_may_have_it_open(void **state)
{
	struct entry_store_settings settings = {.size = 1 << 20};
	struct entry_store *second;
	struct place place;
	struct err err;

	(void)state;
	place_make(&place, 1 << 20);
	settings.path = place.path;
	assert_false(entry_store_open(&settings, &second, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	place_remove(&place);
}

/* ---- kill -9 ---- */

/* Append for ever, telling the parent of each commit what it acknowledged. */
static void child_appends(struct place *place, int out)
{
	for (uint64_t n = 1;; n++) {
		struct str bytes = pattern(n, 1 + (size_t)(n * 7919 % 150000));
		struct entry entry = sensor_entry(1 + (uint32_t)(n % 3));
		struct arrival *arrival = arrival_new(place->store);
		uint64_t said[2] = {0, n};

		arrival_bytes(arrival, (struct str){bytes.p, bytes.len / 2});
		if (n % 5 == 0)
			commit(place);
		arrival_bytes(arrival, (struct str){bytes.p + bytes.len / 2, bytes.len - bytes.len / 2});
		arrival_close(&arrival, &entry, NULL);
		said[0] = entry.id.sequence;
		if (n % 4 == 0 && n > 8)
			entry_store_release(place->store, entry.id.sequence - 1);
		commit(place);
		if (write(out, said, sizeof(said)) != sizeof(said))
			_exit(0);
		free_pattern(bytes);
	}
}

static uint64_t run_and_kill(struct place *place, useconds_t after, struct map *acknowledged)
{
	int ends[2];
	uint64_t said[2];
	uint64_t count = 0;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		place_open(place);
		child_appends(place, ends[1]);
	}
	close(ends[1]);
	usleep(after);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	while (read(ends[0], said, sizeof(said)) == sizeof(said)) {
		assert_null(map_put(acknowledged, said[0], (void *)(uintptr_t)said[1]));
		count++;
	}
	close(ends[0]);
	return count;
}

static void test_after_kill_9_everything_acknowledged_is_there_once(void **state)
{
	struct place place;
	struct map *acknowledged = map_new();
	struct arena *arena = arena_new(1024);
	struct book *books;
	uint64_t sequence;
	uint64_t entries = 0;
	uint64_t total = 0;
	size_t count;
	size_t cursor = 0;
	void *n;

	(void)state;
	place_make(&place, 512 << 20);
	entry_store_free(&place.store);
	for (unsigned round = 0; round < 8; round++)
		total += run_and_kill(&place, 20000 + round * 13007, acknowledged);
	place_open(&place);
	assert_true(total > 0);
	while (map_next(acknowledged, &cursor, &sequence, &n)) {
		uint64_t seed = (uint64_t)(uintptr_t)n;
		struct str bytes = pattern(seed, 1 + (size_t)(seed * 7919 % 150000));

		assert_holds(&place, sequence, bytes);
		free_pattern(bytes);
	}
	/* One more entry a round may have been committed without its acknowledgement getting out. */
	books = entry_store_books(place.store, false, arena, &count);
	for (size_t i = 0; i < count; i++)
		entries += books[i].entries;
	assert_in_range(entries, total, total + 8);
	assert_int_equal(
		entry_store_counts(place.store)->live_entries + entry_store_counts(place.store)->kept_entries,
		entries);
	assert_int_equal(waiting(&place, 1) + waiting(&place, 2) + waiting(&place, 3),
		entry_store_counts(place.store)->live_entries);
	arena_free(&arena);
	map_free(&acknowledged);
	place_remove(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_entry_exists_once_it_is_committed),
		cmocka_unit_test(test_pieces_are_the_whole),
		cmocka_unit_test(test_leftovers_are_swept_at_start),
		cmocka_unit_test(test_trap_01_bookmark_is_one_transaction_with_the_entry),
		cmocka_unit_test(test_trap_02_id_and_sequence_are_never_used_twice),
		cmocka_unit_test(test_trap_02_received_never_runs_backwards),
		cmocka_unit_test(test_trap_02_mismatch_takes_a_new_spool_id),
		cmocka_unit_test(test_trap_03_released_entries_are_kept_and_come_back),
		cmocka_unit_test(test_trap_06_full_spool_can_be_emptied),
		cmocka_unit_test(test_trap_06_a_full_map_refuses_the_group_and_nothing_else),
		cmocka_unit_test(test_trap_06_a_lost_group_spoils_what_was_in_it),
		cmocka_unit_test(test_trap_18_books_are_absolute_and_of_the_same_commit),
		cmocka_unit_test(test_only_one_process_may_have_it_open),
		cmocka_unit_test(test_after_kill_9_everything_acknowledged_is_there_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
