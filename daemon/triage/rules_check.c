#include "config.h"

#include "triage/rules_check.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "ipc/rules_bundle.h"
#include "triage/item_limit.h"
#include "triage/rule_compile.h"
#include "triage/rule_set.h"

#define TORTURE_SIZE   65536
#define FILE_MAX_BYTES (16u << 20)
/* A file that needs more than this for all buffers is named, though it may stand. */
#define SLOW_MS 1000

/* ---- buffers made to hurt ---- */

static void fill_pattern(char *bytes, const char *pattern)
{
	size_t len = strlen(pattern);

	for (size_t i = 0; i < TORTURE_SIZE; i++)
		bytes[i] = pattern[i % len];
}

static void fill_noise(char *bytes, unsigned mask)
{
	uint64_t state = 0x9e3779b97f4a7c15u;

	for (size_t i = 0; i < TORTURE_SIZE; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		bytes[i] = (char)(mask == 0xff ? state & 0xff : ' ' + (state & mask));
	}
}

/* One character again and again, what decoders and patterns with gaps like least, text, noise, nothing at
 * all. */
static bool torture(unsigned which, char *bytes, size_t *len)
{
	static const char *const patterns[] = {"a", "A", "0", " ", "%", "aab", "ab ", "<a>",
		"http://a.example/ ", "TVqQAAMAAAAEAAAA", "eval(base64_decode(", "MZ\x90", "\xff\xfe",
		"powershell -e "};

	*len = TORTURE_SIZE;
	if (which < ARRAY_LEN(patterns)) {
		fill_pattern(bytes, patterns[which]);
		return true;
	}
	which -= (unsigned)ARRAY_LEN(patterns);
	if (which == 0)
		memset(bytes, 0, TORTURE_SIZE);
	else if (which == 1)
		fill_noise(bytes, 0xff);
	else if (which == 2)
		fill_noise(bytes, 0x3f);
	else
		return false;
	return true;
}

/* ---- the child ---- */

/* What the child says when it is done with a file. */
struct timing {
	uint32_t file;
	uint32_t ms;
};

static int match_ignore(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
	(void)context;
	(void)message;
	(void)data;
	(void)user;
	return CALLBACK_CONTINUE;
}

static uint32_t cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint32_t)((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

static uint32_t file_time(struct str name, struct str source, char *bytes, uint64_t limit)
{
	uint32_t began = cpu_ms();
	YR_RULES *rules = NULL;
	size_t len;
	int line;

	if (!rule_file_compile(name, source, &rules, &line, NULL))
		return 0;
	for (unsigned which = 0; torture(which, bytes, &len); which++)
		yr_rules_scan_mem(rules, (const uint8_t *)bytes, len,
			SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING, match_ignore, NULL,
			(int)(limit / (uint64_t)CLOCK_SECOND) + 1);
	yr_rules_destroy(rules);
	return cpu_ms() - began;
}

/* Times the files from `from` on; the kernel ends it at the first that takes too long. */
static void child_run(struct str bundle, uint32_t from, uint64_t limit, int out)
{
	struct item_limit *clock = item_limit_new(limit, limit * 20);
	char *bytes = mem_alloc(TORTURE_SIZE);
	struct str name, source;
	uint32_t number = 0;

	for (; rules_bundle_next(&bundle, &name, &source) > 0; number++) {
		struct timing timing = {.file = number};
		if (number < from)
			continue;
		item_limit_stop(clock);
		item_limit_start(clock);
		timing.ms = file_time(name, source, bytes, limit);
		if (!fd_write_all(out, &timing, sizeof(timing), NULL))
			_exit(1);
	}
	_exit(0);
}

/* ---- the parent ---- */

struct check {
	struct str bundle;
	uint64_t limit;
	uint32_t files;
	uint32_t next;    /* the file that is timed now */
	uint32_t *ms;     /* of each file that was finished */
	bool *unfinished; /* those that were not */
};

static void timings_read(struct check *check, int in)
{
	struct timing timing;

	while (fd_read_exact(in, &timing, sizeof(timing), NULL)) {
		if (timing.file != check->next || timing.file >= check->files)
			continue;
		check->next = timing.file + 1;
		check->ms[timing.file] = timing.ms;
	}
}

/* One child, until it is done or dies at a file, which is then named and passed over. */
static bool child_once(struct check *check, struct err *err)
{
	int ends[2], status;
	pid_t child;

	if (pipe(ends) != 0)
		return err_errno(err, "cannot make a pipe");
	child = fork();
	if (child < 0) {
		close(ends[0]);
		close(ends[1]);
		return err_errno(err, "cannot start a child");
	}
	if (child == 0) {
		close(ends[0]);
		child_run(check->bundle, check->next, check->limit, ends[1]);
	}
	close(ends[1]);
	timings_read(check, ends[0]);
	close(ends[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (check->next < check->files)
		check->unfinished[check->next++] = true;
	return true;
}

static const struct rule_refused *refused_find(const struct rule_set *rules, struct str name)
{
	size_t count;
	const struct rule_refused *refused = rule_set_refused(rules, &count);

	for (size_t i = 0; i < count; i++)
		if (str_equal(str_of(refused[i].file), name))
			return &refused[i];
	return NULL;
}

static const struct rule_file *file_find(const struct rule_set *rules, struct str name)
{
	size_t count;
	const struct rule_file *files = rule_set_files(rules, &count);

	for (size_t i = 0; i < count; i++)
		if (str_equal(str_of(files[i].name), name))
			return &files[i];
	return NULL;
}

static void time_describe(
	const struct check *check, uint32_t number, const struct rule_file *file, struct buf *json)
{
	unsigned limit = (unsigned)(check->limit / 1000);

	if (check->unfinished[number]) {
		rule_file_describe(file, "too slow", json);
		buf_printf(json, ",\"ms\":%u,\"reason\":\"over the limit of %u ms on buffers made to hurt\"",
			limit, limit);
	} else if (check->ms[number] > SLOW_MS) {
		rule_file_describe(file, "slow", json);
		buf_printf(json, ",\"ms\":%u,\"reason\":\"%u ms on buffers made to hurt\"", check->ms[number],
			check->ms[number]);
	} else {
		rule_file_describe(file, "ok", json);
		buf_printf(json, ",\"ms\":%u", check->ms[number]);
	}
}

static void describe(const struct check *check, const struct rule_set *rules, struct buf *json)
{
	struct str rest = check->bundle, name, source;
	struct buf items = {0};
	bool ok = true;

	for (uint32_t number = 0; rules_bundle_next(&rest, &name, &source) > 0; number++) {
		const struct rule_refused *refused = refused_find(rules, name);
		if (number > 0)
			buf_char(&items, ',');
		if (refused)
			rule_refused_describe(refused, &items);
		else
			time_describe(check, number, file_find(rules, name), &items);
		buf_char(&items, '}');
		ok = ok && !refused && !check->unfinished[number];
	}
	buf_printf(json, "{\"ok\":%s,\"items\":[", ok ? "true" : "false");
	buf_str(json, buf_view(&items));
	buf_printf(json, "],\"next\":null,\"engine\":\"%s\",\"digest\":\"%s\"}", rule_engine_name(),
		rule_set_digest(rules));
	buf_free(&items);
}

bool rules_examine(struct str bundle, uint64_t limit, struct buf *json, struct err *err)
{
	struct check check = {.bundle = bundle, .limit = limit > 0 ? limit : (uint64_t)(10 * CLOCK_SECOND)};
	struct rule_set *rules = NULL;
	struct str rest = bundle, name, source;
	bool ok;

	while (rules_bundle_next(&rest, &name, &source) > 0)
		check.files++;
	check.ms = mem_alloc((check.files + 1) * sizeof(*check.ms));
	check.unfinished = mem_alloc((check.files + 1) * sizeof(*check.unfinished));
	ok = rule_set_compile(bundle, check.limit, &rules, err);
	while (ok && check.next < check.files)
		ok = child_once(&check, err);
	if (ok)
		describe(&check, rules, json);
	rule_set_free(&rules);
	free(check.ms);
	free(check.unfinished);
	return ok;
}

/* ---- for people ---- */

static int is_rule_file(const struct dirent *entry)
{
	struct str name = str_of(entry->d_name);

	return entry->d_name[0] != '.' &&
	       (str_ends(name, STR(".yar")) || str_ends(name, STR(".yara")) || str_ends(name, STR(".rule")));
}

bool rules_folder_read(const char *folder, struct buf *bundle, struct err *err)
{
	struct dirent **names = NULL;
	int count = scandir(folder, &names, is_rule_file, alphasort);
	bool ok = count >= 0 || err_errno(err, "%s", folder);

	for (int i = 0; i < count; i++) {
		char *path = mem_printf("%s/%s", folder, names[i]->d_name);
		struct buf bytes = {0};
		ok = ok && file_read(path, FILE_MAX_BYTES, &bytes, err);
		if (ok)
			rules_bundle_add(bundle, str_of(names[i]->d_name), buf_view(&bytes));
		buf_free(&bytes);
		free(path);
		free(names[i]);
	}
	free(names);
	return ok;
}

int rules_check_main(const char *folder)
{
	struct buf bundle = {0}, json = {0};
	struct err err = {0};
	bool ok = rule_engine_start(&err) && rules_folder_read(folder, &bundle, &err) &&
	          rules_examine(buf_view(&bundle), (uint64_t)(10 * CLOCK_SECOND), &json, &err);

	if (ok)
		printf("%s\n", buf_cstr(&json));
	else
		fprintf(stderr, "cirtd: %s\n", err.text);
	ok = ok && str_starts(buf_view(&json), STR("{\"ok\":true"));
	buf_free(&bundle);
	buf_free(&json);
	return ok ? 0 : 1;
}
