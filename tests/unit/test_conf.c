#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "ipc/graph.h"

#define SECOND UINT64_C(1000000)

/* The complaints of one reading, a line each: "3: text". */
static void note(const char *file, int line, const char *text, void *context)
{
	(void)file;
	buf_printf(context, "%d: %s\n", line, text);
}

static bool read_text(const char *text, struct arena *arena, struct buf *complaints, struct conf *conf)
{
	char path[] = "/tmp/cirtd-conf-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0 && fd_write_all(fd, text, strlen(text), NULL));
	close(fd);
	buf_clear(complaints);
	bool ok = conf_read(path, arena, note, complaints, conf);
	unlink(path);
	return ok;
}

static void test_reads_every_type(void **state)
{
	struct arena *arena = arena_new(0);
	struct buf complaints = {0};
	struct conf conf;
	(void)state;
	if (!read_text(
		    "# comment\n"
		    "state = /srv/cirtd # behind\n"
		    "sandbox = relaxed\nlog_level = debug\n/* more\n comment */\n"
		    "spool { size = 2G keep = 90s commit_delay = 0 }\n"
		    "lmtp { listen = {\"127.0.0.1:2424\", # first\n [::1]:2424, '/run/x.sock'} }\n"
		    "database { migrate = off }\n"
		    "triage { workers = 8 plugins = \"netinfo\" }\n"
		    "plugin netinfo { database = \"/a \\\"b\\\" // c\" level = 3 }\nplugin other { x = y }\n",
		    arena, &complaints, &conf))
		fail_msg("%s", buf_cstr(&complaints));
	assert_str_is(conf.state, "/srv/cirtd");
	assert_true(conf.sandbox_relaxed && !conf.db_migrate && conf.db_managed);
	assert_int_equal(conf.log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(conf.spool_size, UINT64_C(2) << 30);
	assert_int_equal(conf.spool_keep, 90 * SECOND);
	assert_int_equal(conf.spool_commit_delay, 0);
	assert_int_equal(conf.mail_max_size, 50 << 20);
	assert_int_equal(conf.lmtp_listen.count, 3);
	assert_str_is(conf.lmtp_listen.values[1], "[::1]:2424");
	assert_int_equal(conf.plugins.count, 1);
	assert_int_equal(conf.plugin_option_count, 3);
	assert_str_is(conf.plugin_options[0].plugin, "netinfo");
	assert_str_is(conf.plugin_options[0].value, "/a \"b\" // c");
	assert_str_is(conf.plugin_options[2].plugin, "other");
	buf_free(&complaints);
	arena_free(&arena);
}

static void test_all_mistakes_are_told_with_line_and_what_was_expected(void **state)
{
	static const char *const text = "# 1\n"
					"state = here\n"
					"lmpt { listen = {} }\n"
					"spool {\n"
					"    # 5\n"
					"    size = lots\n"
					"    sise = 3\n"
					"    keep = 5\n"
					"}\n"
					"sandbox = loose\n"
					"size = 3\n"
					"triage { workers = 0 cpu = {1s, 2s} }\n"
					"lmtp { listen = {\"0.0.0.0:25\", nowhere} }\n"
					"sensor { listen = {[::]:6514} }\n"
					"database { conninfo = \"host=x password=y\" managed = maybe }\n"
					"log_level = loud\n";
	static const char *const expected[] = {"2: state: an absolute path",
		"3: unknown section \"lmpt\": was \"lmtp\"", "6: spool.size: a size such as",
		"7: unknown option \"sise\" in section spool: was \"size\" meant",
		"8: spool.keep: a time with its unit",
		"10: sandbox: one of these words was expected: strict relaxed",
		"11: unknown option \"size\": it belongs into section spool",
		"12: triage.workers: a number from 1 to 64", "12: triage.cpu: one value was expected",
		"13: lmtp.listen: HOST:PORT", "13: lmtp.listen: another port than 25",
		"14: sensor.listen: certificate, key and ca",
		"15: database.conninfo: no user and no password", "15: database.managed: yes or no",
		"16: log_level: error, warn, info or debug"};
	struct arena *arena = arena_new(0);
	struct buf complaints = {0};
	struct conf conf = {.spool_size = 4711};
	(void)state;
	assert_false(read_text(text, arena, &complaints, &conf));
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		if (!strstr(buf_cstr(&complaints), expected[i]))
			fail_msg("\"%s\" is not in:\n%s", expected[i], buf_cstr(&complaints));
	}
	int last = 0;
	for (struct str rest = buf_view(&complaints), line; str_split(&rest, '\n', &line) && line.len > 0;) {
		assert_true(atoi(line.p) >= last);
		last = atoi(line.p);
	}
	assert_int_equal(conf.spool_size, 4711);
	buf_free(&complaints);
	arena_free(&arena);
}

/* The line whose value counts, wherever in its line or in a repeated section it stands. */
static void test_the_line_of_an_option_is_the_last_that_set_it(void **state)
{
	static const char *const text = "spool { size = 2G\n keep = 90s }\n"
					"exchange { ca = \"/a\" }\n"
					"exchange {\n ca = \"/b\"\n ca = \"/c\"\n}\n"
					"plugin netinfo { database = \"/d\" }\n";
	struct arena *arena = arena_new(0);
	struct buf complaints = {0};
	struct conf conf;
	(void)state;
	if (!read_text(text, arena, &complaints, &conf))
		fail_msg("%s", buf_cstr(&complaints));
	assert_int_equal(conf_line(&conf, "spool", "size"), 1);
	assert_int_equal(conf_line(&conf, "spool", "keep"), 2);
	assert_str_is(conf.exchange_ca, "/c");
	assert_int_equal(conf_line(&conf, "exchange", "ca"), 6);
	assert_int_equal(conf_line(&conf, "exchange", "key"), 0);
	assert_int_equal(conf.plugin_options[0].line, 8);
	buf_free(&complaints);
	arena_free(&arena);
}

static void test_what_is_not_closed_is_told_where_it_began(void **state)
{
	static const struct {
		const char *text;
		const char *complaint;
	} cases[] = {
		{"\nspool {\nsize = 4G\n", "2: the { of this line"},
		{"\n}\n", "2: } closes nothing"},
		{"state = \"/srv\nrun = 3\n", "1: the string that begins here"},
		{"\n/* never\nending", "2: the comment that begins here"},
		{"spool { size }", "1: "},
		{"state state", "1: "},
		{"spool = 4G", "1: "},
		{"plugin { x = 1 }", "1: "},
		{"state =", "1: "},
		{"spool { size = 4 G }", "1: unknown option \"G\""},
		{"spool { nonsense = 3 }",
			"1: unknown option \"nonsense\" in section spool: one of these was "
			"expected: size, keep, commit_delay\n"},
		{"\nnonsense = 3", "2: unknown option \"nonsense\": one of these was expected: state, run,"},
		{"nonsense { x = 3 }",
			"1: unknown section \"nonsense\": one of these was expected: database,"},
	};
	struct arena *arena = arena_new(0);
	struct buf complaints = {0};
	struct conf conf;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(read_text(cases[i].text, arena, &complaints, &conf));
		if (!str_starts(buf_view(&complaints), str_of(cases[i].complaint)))
			fail_msg("%s\n%s", cases[i].text, buf_cstr(&complaints));
	}
	assert_false(conf_read("/nonexistent/cirtd.conf", arena, note, &complaints, &conf));
	buf_free(&complaints);
	arena_free(&arena);
}

/* Whatever a file holds: reading it ends, and is false where there was a complaint. */
static void test_any_text_is_read_or_refused(void **state)
{
	static const char *const pieces[] = {"spool", "size", "{", "}", "=", "+=", "\"", "'", "\n", "#", "/*",
		"*/", "//", "4G", ",", "plugin", "x", " ", "lmtp", "listen", "foo", "\\", "${HOME}", "(", ")",
		"\xff", "include"};
	struct buf complaints = {0};
	uint64_t seed = 13;
	(void)state;
	for (int round = 0; round < 1500; round++) {
		struct arena *arena = arena_new(0);
		struct buf text = {0};
		struct conf conf;
		for (size_t n = chance_below(&seed, 25); n > 0; n--) {
			buf_text(&text, pieces[chance_below(&seed, sizeof(pieces) / sizeof(pieces[0]))]);
			buf_text(&text, chance(&seed) & 1 ? " " : "");
		}
		bool ok = read_text(buf_cstr(&text), arena, &complaints, &conf);
		assert_int_equal(ok, complaints.len == 0);
		buf_free(&text);
		arena_free(&arena);
	}
	buf_free(&complaints);
}

static void assert_same(const struct conf *a, const struct conf *b)
{
	struct buf x = {0}, y = {0};
	conf_slice_encode(a, ROOM_ALL, &x);
	conf_slice_encode(b, ROOM_ALL, &y);
	assert_true(str_equal(buf_view(&x), buf_view(&y)));
	buf_free(&x);
	buf_free(&y);
}

/* The sample has every default: as it stands, and with all its options uncommented. */
static void test_sample_says_the_defaults(void **state)
{
	struct arena *arena = arena_new(0);
	struct buf sample = {0}, bare = {0}, complaints = {0};
	struct conf defaults, read;
	(void)state;
	conf_defaults(arena, &defaults);
	conf_print_sample(&sample);
	if (!read_text(buf_cstr(&sample), arena, &complaints, &read))
		fail_msg("%s", buf_cstr(&complaints));
	read.path = STR_NONE;
	assert_same(&read, &defaults);
	for (struct str rest = buf_view(&sample), line; str_split(&rest, '\n', &line);) {
		struct str text = str_trim(line);
		bool is_option = text.len > 1 && text.p[0] == '#' && text.p[1] != ' ' &&
		                 !str_starts(text, STR("#plugin"));
		buf_str(&bare, is_option ? (struct str){text.p + 1, text.len - 1} : line);
		buf_char(&bare, '\n');
	}
	if (!read_text(buf_cstr(&bare), arena, &complaints, &read))
		fail_msg("%s", buf_cstr(&complaints));
	read.path = STR_NONE;
	assert_same(&read, &defaults);
	buf_free(&sample);
	buf_free(&bare);
	buf_free(&complaints);
	arena_free(&arena);
}

static void append_replaced(struct buf *out, struct str line, const char *from, const char *to)
{
	const char *found = memmem(line.p, line.len, from, strlen(from));
	if (found) {
		size_t before = (size_t)(found - line.p);
		buf_append(out, line.p, before);
		buf_text(out, to);
		buf_append(out, found + strlen(from), line.len - before - strlen(from));
	} else {
		buf_str(out, line);
	}
}

/* etc/cirtd.conf is what the table says, with Debian's folders in the place of this build's. */
static void test_shipped_file_is_the_sample(void **state)
{
	static const char *const folders[][3] = {{"#state = ", CIRTD_STATEDIR, "/var/lib/cirtd"},
		{"#programs = ", CIRTD_PGBINDIR, "/usr/lib/postgresql/15/bin"},
		{"#rules = ", CIRTD_DATADIR, "/usr/share/cirtd"},
		{"#templates = ", CIRTD_DATADIR, "/usr/share/cirtd"},
		{"#regimes = ", CIRTD_DATADIR, "/usr/share/cirtd"},
		{"#playbooks = ", CIRTD_DATADIR, "/usr/share/cirtd"},
		{"#plugin_dir = ", CIRTD_PLUGINDIR, "/usr/lib/cirtd/plugins"}};
	struct buf sample = {0}, expected = {0}, shipped = {0};
	char path[4096];
	(void)state;
	conf_print_sample(&sample);
	for (struct str rest = buf_view(&sample), line;
		str_split(&rest, '\n', &line) && (rest.p || line.len > 0);) {
		size_t which = 0;
		while (which < ARRAY_LEN(folders) && !str_starts(str_trim(line), str_of(folders[which][0])))
			which++;
		if (which < ARRAY_LEN(folders))
			append_replaced(&expected, line, folders[which][1], folders[which][2]);
		else
			buf_str(&expected, line);
		buf_char(&expected, '\n');
	}
	snprintf(path, sizeof(path), "%s/etc/cirtd.conf", getenv("top_srcdir") ? getenv("top_srcdir") : ".");
	assert_true(file_read(path, 1 << 20, &shipped, NULL));
	assert_string_equal(buf_cstr(&shipped), buf_cstr(&expected));
	buf_free(&sample);
	buf_free(&expected);
	buf_free(&shipped);
}

static void test_each_room_sees_its_slice_only(void **state)
{
	struct arena *arena = arena_new(0);
	struct buf complaints = {0}, slice = {0};
	struct conf conf, seen, defaults;
	(void)state;
	conf_defaults(arena, &defaults);
	assert_true(read_text(
		"spool { size = 2G keep = 1h }\nmail { max_recipients = 7 }\nsensor { max_line = 2M }\n"
		"database { password_file = /etc/secret }\nlmtp { listen = {a:1, b:2} }\nplugin p { a = b "
		"}\n",
		arena, &complaints, &conf));
	conf_slice_encode(&conf, ROOM_BIT(ROOM_INTAKE), &slice);
	assert_null(memmem(slice.data, slice.len, "secret", 6));
	assert_true(conf_slice_decode(buf_view(&slice), arena, &seen, NULL));
	assert_int_equal(seen.mail_max_recipients, 7);
	assert_int_equal(seen.lmtp_listen.count, 2);
	assert_int_equal(seen.spool_size, defaults.spool_size);
	assert_int_equal(seen.plugin_option_count, 0);
	for (size_t len = 0; len < slice.len; len++)
		assert_false(conf_slice_decode((struct str){slice.data, len}, arena, &seen, NULL));
	buf_clear(&slice);
	conf_slice_encode(&conf, ROOM_BIT(ROOM_TRIAGE), &slice);
	assert_true(conf_slice_decode(buf_view(&slice), arena, &seen, NULL));
	assert_str_is(seen.plugin_options[0].value, "b");
	assert_int_equal(seen.sensor_max_line, 2 << 20);
	assert_int_equal(seen.spool_keep, defaults.spool_keep);
	buf_clear(&slice);
	conf_slice_encode(&conf, ROOM_BIT(ROOM_SUPERVISOR), &slice);
	assert_true(conf_slice_decode(buf_view(&slice), arena, &seen, NULL));
	assert_str_is(seen.db_password_file, "/etc/secret");
	buf_free(&complaints);
	buf_free(&slice);
	arena_free(&arena);
}

static void test_says_what_takes_a_restart(void **state)
{
	struct arena *arena = arena_new(0);
	struct buf complaints = {0}, changes = {0};
	struct conf old, now;
	(void)state;
	conf_defaults(arena, &old);
	assert_true(read_text(
		"log_level = debug\nstate = /other\nlmtp { listen = {a:1} }\n", arena, &complaints, &now));
	conf_needs_restart(&old, &now, note, &changes);
	assert_string_equal(buf_cstr(&changes), "0: state changed: this takes a restart\n"
						"0: lmtp.listen changed: this takes a restart\n");
	buf_free(&complaints);
	buf_free(&changes);
	arena_free(&arena);
}

/* conf stands below ipc and repeats the bits of its enum. */
static void test_rooms_are_those_of_the_graph(void **state)
{
	static const struct {
		const char *section;
		const char *name;
		room_mask rooms;
	} expected[] = {
		{"mail", "max_size", ROOM_BIT(ROOM_INTAKE)},
		{"spool", "keep", ROOM_BIT(ROOM_SPOOL)},
		{"triage", "yara_timeout", ROOM_BIT(ROOM_TRIAGE)},
		{"store", "batch", ROOM_BIT(ROOM_STORE)},
		{"keeper", "case_cap", ROOM_BIT(ROOM_KEEPER)},
		{"desk", "admin", ROOM_BIT(ROOM_DESK)},
		{"exchange", "feed_max_size", ROOM_BIT(ROOM_EXCHANGE)},
		{"keys", "memory", ROOM_BIT(ROOM_KEYS)},
		{"mail_out", "retry", ROOM_BIT(ROOM_COURIER)},
		{"database", "password_file", ROOM_BIT(ROOM_SUPERVISOR)},
		{"", "state", ROOM_ALL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const struct conf_option *option = conf_options;
		while (option->name && (strcmp(option->section, expected[i].section) ||
					       strcmp(option->name, expected[i].name)))
			option++;
		assert_non_null(option->name);
		assert_int_equal(option->rooms, expected[i].rooms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_every_type),
		cmocka_unit_test(test_all_mistakes_are_told_with_line_and_what_was_expected),
		cmocka_unit_test(test_the_line_of_an_option_is_the_last_that_set_it),
		cmocka_unit_test(test_what_is_not_closed_is_told_where_it_began),
		cmocka_unit_test(test_any_text_is_read_or_refused),
		cmocka_unit_test(test_sample_says_the_defaults),
		cmocka_unit_test(test_shipped_file_is_the_sample),
		cmocka_unit_test(test_each_room_sees_its_slice_only),
		cmocka_unit_test(test_says_what_takes_a_restart),
		cmocka_unit_test(test_rooms_are_those_of_the_graph),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
