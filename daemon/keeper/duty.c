#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "keeper/notice.h"
#include "keeper/state.h"

#define BATCH_MOST    500
#define SIMILAR_MOST  10 /* each may cost 70 ms, and the other duties wait meanwhile */
#define DIGEST        "1 minute"
#define QUARANTINED   "90 days"
#define SWEEP_PAGES   2048
#define SWEEP_REST    (600 * CLOCK_SECOND) /* between two walks through all fingerprints */
#define GONE_CYCLES   3
#define SILENCE_EVERY (5 * CLOCK_SECOND)
#define REVIEW_EVERY  (5 * CLOCK_SECOND) /* of countermeasures */
#define CAP_EVERY     (60 * CLOCK_SECOND)
#define CAP_OVER      (360 * CLOCK_SECOND) /* what waits is tried again after 300 s */
#define WARN_INTERVAL (3600 * CLOCK_SECOND)

#define INBOX_MOST    2000
#define EFFECT_MOST   5000
#define EFFECT_EVERY  (2 * CLOCK_SECOND)
#define NOTICES_MOST  2000 /* some seconds' work at most, so that the other duties have their turn */
#define PARAMETERS    4
#define PARAMETER_MAX 256

/*
 * One statement each, whose transaction is as long as it. fill() writes its parameters as text and returns
 * how many; took() reads the answer and says when to ask again, in microseconds.
 */
struct task {
	const char *name;
	const char *sql;
	size_t (*fill)(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX]);
	int64_t (*took)(struct keeper *keeper, const struct pg_result *result);
	void (*refused)(struct keeper *keeper);
	struct str (*document)(const struct keeper *keeper); /* the one parameter, where it is long */
};

static int64_t number(const struct pg_result *result, const char *name)
{
	int column = pg_column(result, name);

	return result->rows > 0 && column >= 0 ? pg_value_int(result, 0, column) : 0;
}

static uint64_t count(const struct pg_result *result, const char *name)
{
	int64_t value = number(result, name);

	return value > 0 ? (uint64_t)value : 0;
}

/* ---- correlation ---- */

static size_t correlate_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	snprintf(text[0], sizeof(text[0]), "%" PRIu64, keeper->batch);
	snprintf(text[1], sizeof(text[1]), "%" PRIu64, room_conf(keeper->room)->case_cap);
	snprintf(text[2], sizeof(text[2]), DIGEST);
	return 3;
}

/* The desk is told by a row of the journal, which its streams show. */
/* Said while something waits, and over when nothing has for longer than it takes to be tried again. */
static void cap_alarm(struct keeper *keeper, uint64_t waiting)
{
	int64_t now = clock_monotonic();
	char text[160];
	struct pg_parameter parameter = {.value = {text, 0}};

	if (waiting == 0) {
		if (keeper->capped == 0 || now - keeper->capped < CAP_OVER)
			return;
		keeper->capped = 0;
		pg_query(
			keeper->pg, "SELECT cirt.alarm_over('case-cap', 'rules')", NULL, 0, true, NULL, NULL);
		return;
	}
	keeper->capped = now;
	if (keeper->alarmed != 0 && now - keeper->alarmed < CAP_EVERY)
		return;
	keeper->alarmed = now;
	parameter.value.len = (size_t)snprintf(text, sizeof(text),
		"cases opened by rules have reached their cap of %" PRIu64
		" an hour (keeper.case_cap): %" PRIu64 " reports wait",
		room_conf(keeper->room)->case_cap, waiting);
	pg_query(keeper->pg, "SELECT cirt.alarm_raise('case-cap', 'rules', NULL, $1)", &parameter, 1, true,
		NULL, NULL);
}

static void warn_of_cap(struct keeper *keeper, uint64_t waiting)
{
	int64_t now = clock_monotonic();
	char text[64];
	struct pg_parameter parameter = {.value = {text, 0}};

	if (keeper->warned && now - keeper->warned < WARN_INTERVAL)
		return;
	keeper->warned = now;
	log_warn("cases opened by rules have reached their cap of %" PRIu64 " an hour: %" PRIu64
		 " reports wait",
		room_conf(keeper->room)->case_cap, waiting);
	parameter.value.len = (size_t)snprintf(text, sizeof(text), "{\"waiting\":%" PRIu64 "}", waiting);
	pg_query(keeper->pg, "SELECT cirt.journal_add('desk/alarm', 'case cap reached', NULL, $1)",
		&parameter, 1, true, NULL, NULL);
}

static int64_t correlate_took(struct keeper *keeper, const struct pg_result *result)
{
	struct keeper_counters *counters = &keeper->counters;
	bool full = count(result, "taken") >= keeper->batch;

	counters->correlated += count(result, "taken");
	counters->attached += count(result, "attached");
	counters->opened += count(result, "opened");
	counters->reopened += count(result, "reopened");
	if (count(result, "taken") > 0)
		counters->waiting = count(result, "waiting");
	cap_alarm(keeper, count(result, "waiting"));
	if (count(result, "waiting") > 0)
		warn_of_cap(keeper, counters->waiting);
	if (keeper->batch < BATCH_MOST && count(result, "taken") > 0)
		keeper->batch = keeper->batch * 2 < BATCH_MOST ? keeper->batch * 2 : BATCH_MOST;
	return full ? 0 : CLOCK_SECOND / 2;
}

/* A batch that the database refuses is taken one by one, and the one that it refuses alone waits. */
static void correlate_refused(struct keeper *keeper)
{
	if (keeper->batch > 1) {
		keeper->batch = 1;
		return;
	}
	keeper->counters.put_back++;
	pg_query(keeper->pg, "SELECT cirt.keeper_put_back()", NULL, 0, true, NULL, NULL);
}

static size_t raise_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	(void)keeper;
	snprintf(text[0], sizeof(text[0]), "%d", BATCH_MOST);
	return 1;
}

static int64_t raise_took(struct keeper *keeper, const struct pg_result *result)
{
	keeper->counters.raised += count(result, "raised");
	return count(result, "taken") >= BATCH_MOST ? 0 : CLOCK_SECOND;
}

static int64_t letters_took(struct keeper *keeper, const struct pg_result *result)
{
	keeper->counters.letters += count(result, "attached");
	return count(result, "taken") >= BATCH_MOST ? 0 : CLOCK_SECOND / 2;
}

static int64_t late_letters_took(struct keeper *keeper, const struct pg_result *result)
{
	keeper->counters.letters += count(result, "attached");
	return count(result, "taken") >= BATCH_MOST ? 0 : 2 * CLOCK_SECOND;
}

static size_t similar_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	(void)keeper;
	snprintf(text[0], sizeof(text[0]), "%d", SIMILAR_MOST);
	return 1;
}

static int64_t similar_took(struct keeper *keeper, const struct pg_result *result)
{
	keeper->counters.similar += count(result, "linked");
	return count(result, "taken") >= SIMILAR_MOST ? 0 : CLOCK_SECOND;
}

static int64_t revise_took(struct keeper *keeper, const struct pg_result *result)
{
	keeper->counters.revoked += count(result, "revoked");
	return count(result, "taken") >= BATCH_MOST ? 0 : CLOCK_SECOND;
}

/* ---- notices ---- */

static size_t notices_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	const struct conf *conf = room_conf(keeper->room);
	struct str domain = notice_domain(conf);

	snprintf(text[0], sizeof(text[0]), "%" PRIu64, keeper->notices);
	clock_format(notice_full(conf->notices_at, clock_now()), text[1]);
	snprintf(text[2], sizeof(text[2]), STR_FMT, STR_ARG(domain));
	return 3;
}

static int64_t notices_took(struct keeper *keeper, const struct pg_result *result)
{
	uint64_t taken = count(result, "taken");

	keeper->counters.warned += taken;
	keeper->counters.put += count(result, "put");
	keeper->counters.mails += count(result, "mails");
	bool full = taken >= keeper->notices;
	if (taken > 0 && keeper->notices < NOTICES_MOST)
		keeper->notices = keeper->notices * 2 < NOTICES_MOST ? keeper->notices * 2 : NOTICES_MOST;
	return full ? 0 : CLOCK_SECOND;
}

/* As with cases: the one report that is refused alone is for a person, and the others go on. */
static void notices_refused(struct keeper *keeper)
{
	if (keeper->notices > 1) {
		keeper->notices = 1;
		return;
	}
	keeper->counters.put_back++;
	pg_query(keeper->pg, "SELECT cirt.keeper_notice_refused('')", NULL, 0, true, NULL, NULL);
}

static size_t ready_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	const struct conf *conf = room_conf(keeper->room);

	snprintf(text[0], sizeof(text[0]), "%s", conf->notices_automatic ? "true" : "false");
	snprintf(text[1], sizeof(text[1]), "%" PRIu64, conf->notices_mass);
	return 2;
}

static int64_t ready_took(struct keeper *keeper, const struct pg_result *result)
{
	(void)keeper, (void)result;
	return 2 * CLOCK_SECOND;
}

/* ---- clocks ---- */

static struct str house_document(const struct keeper *keeper)
{
	return buf_view(&keeper->house);
}

static int64_t house_took(struct keeper *keeper, const struct pg_result *result)
{
	struct str wrong = result->rows > 0 ? pg_value(result, 0, pg_column(result, "wrong")) : STR_NONE;

	(void)keeper;
	if (count(result, "changed") > 0)
		log_info("regimes, playbooks and calendar: %llu new versions",
			(unsigned long long)count(result, "changed"));
	if (wrong.len > 0)
		log_warn("left as it was before: " STR_FMT, STR_ARG(wrong));
	return CLOCK_DAY;
}

static int64_t clocks_took(struct keeper *keeper, const struct pg_result *result)
{
	uint64_t warned = count(result, "warned"), breached = count(result, "breached"),
		 back = count(result, "back");

	keeper->counters.clocks_warned += warned;
	keeper->counters.clocks_breached += breached;
	keeper->counters.waits_over += back;
	return warned >= BATCH_MOST || breached >= BATCH_MOST || back >= BATCH_MOST ? 0 : CLOCK_SECOND;
}

/* ---- questions ---- */

static size_t inquiries_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	struct str domain = notice_domain(room_conf(keeper->room));

	snprintf(text[0], sizeof(text[0]), STR_FMT, STR_ARG(domain));
	return 1;
}

static int64_t inquiries_took(struct keeper *keeper, const struct pg_result *result)
{
	(void)keeper, (void)result;
	return 5 * CLOCK_SECOND;
}

/* ---- what comes back ---- */

static size_t back_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	const struct conf *conf = room_conf(keeper->room);
	struct str domain = notice_domain(conf);

	snprintf(text[0], sizeof(text[0]), "%d", BATCH_MOST);
	snprintf(text[1], sizeof(text[1]), STR_FMT, STR_ARG(domain));
	snprintf(text[2], sizeof(text[2]), "%s", conf->acknowledge ? "true" : "false");
	snprintf(text[3], sizeof(text[3]), "%" PRIu64, conf->acknowledge_limit);
	return 4;
}

static int64_t back_took(struct keeper *keeper, const struct pg_result *result)
{
	keeper->counters.bounced += count(result, "bounced");
	keeper->counters.answered += count(result, "answered");
	keeper->counters.acknowledged += count(result, "acknowledged");
	return count(result, "taken") >= BATCH_MOST ? 0 : CLOCK_SECOND / 2;
}

/* ---- by the clock ---- */

static int64_t partition_took(struct keeper *keeper, const struct pg_result *result)
{
	(void)keeper, (void)result;
	return 20 * CLOCK_SECOND;
}

static int64_t approvals_took(struct keeper *keeper, const struct pg_result *result)
{
	(void)keeper, (void)result;
	return 60 * CLOCK_SECOND;
}

static size_t ahead_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	snprintf(text[0], sizeof(text[0]), "%" PRIu64, room_conf(keeper->room)->partitions_ahead);
	return 1;
}

static int64_t hourly(struct keeper *keeper, const struct pg_result *result)
{
	(void)keeper, (void)result;
	return 3600 * CLOCK_SECOND;
}

static size_t sweep_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	snprintf(text[0], sizeof(text[0]), "%" PRIu64, keeper->sweep_page);
	snprintf(text[1], sizeof(text[1]), "%d", SWEEP_PAGES);
	snprintf(text[2], sizeof(text[2]), "%d", GONE_CYCLES);
	return 3;
}

static int64_t sweep_took(struct keeper *keeper, const struct pg_result *result)
{
	keeper->counters.gone += count(result, "gone");
	keeper->counters.expired += count(result, "expired");
	keeper->sweep_page = count(result, "next_page");
	return keeper->sweep_page ? 2 * CLOCK_SECOND : SWEEP_REST;
}

static int64_t keys_took(struct keeper *keeper, const struct pg_result *result)
{
	(void)keeper, (void)result;
	return 300 * CLOCK_SECOND;
}

static size_t quarantine_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	(void)keeper;
	snprintf(text[0], sizeof(text[0]), QUARANTINED);
	return 1;
}

static size_t retire_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	snprintf(text[0], sizeof(text[0]), "%" PRIu64 " seconds",
		room_conf(keeper->room)->retain / (uint64_t)CLOCK_SECOND);
	return 1;
}

static int64_t retire_took(struct keeper *keeper, const struct pg_result *result)
{
	keeper->counters.retired += count(result, "reports");
	if (result->rows == 0)
		return 3600 * CLOCK_SECOND;
	log_info("the time of month %lld is over: %llu reports went, %llu reports and items are held",
		(long long)number(result, "retired"), (unsigned long long)count(result, "reports"),
		(unsigned long long)count(result, "held"));
	return CLOCK_SECOND;
}

static size_t similar_expire_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	(void)keeper;
	snprintf(text[0], sizeof(text[0]), "%d", BATCH_MOST);
	return 1;
}

static int64_t similar_expire_took(struct keeper *keeper, const struct pg_result *result)
{
	(void)keeper;
	return number(result, "keeper_similar_expire") >= BATCH_MOST ? CLOCK_SECOND : 3600 * CLOCK_SECOND;
}

static size_t spam_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	snprintf(text[0], sizeof(text[0]), "%" PRIu64 " seconds",
		room_conf(keeper->room)->spam_keep / (uint64_t)CLOCK_SECOND);
	snprintf(text[1], sizeof(text[1]), "%d", BATCH_MOST);
	return 2;
}

static int64_t spam_took(struct keeper *keeper, const struct pg_result *result)
{
	keeper->counters.spam += count(result, "keeper_spam");
	return count(result, "keeper_spam") >= BATCH_MOST ? CLOCK_SECOND : 600 * CLOCK_SECOND;
}

static int64_t attribute_took(struct keeper *keeper, const struct pg_result *result)
{
	keeper->counters.attributed += count(result, "changed");
	return count(result, "taken") >= BATCH_MOST ? CLOCK_SECOND / 20 : CLOCK_SECOND;
}

/* ---- by hand ---- */

static size_t by_hand_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	(void)keeper;
	snprintf(text[0], sizeof(text[0]), "%d", BATCH_MOST);
	return 1;
}

static int64_t by_hand_took(struct keeper *keeper, const struct pg_result *result)
{
	(void)keeper;
	(void)result;
	return CLOCK_SECOND / 4;
}

/* ---- the inbox ---- */

static size_t inbox_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	(void)keeper;
	snprintf(text[0], sizeof(text[0]), "%d", INBOX_MOST);
	return 1;
}

static int64_t inbox_took(struct keeper *keeper, const struct pg_result *result)
{
	(void)keeper;
	return count(result, "taken") > 0 ? CLOCK_SECOND / 20 : CLOCK_SECOND / 2;
}

/* ---- what became of what was told ---- */

static size_t effect_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	(void)keeper;
	snprintf(text[0], sizeof(text[0]), "%d", EFFECT_MOST);
	return 1;
}

static int64_t effect_took(struct keeper *keeper, const struct pg_result *result)
{
	(void)keeper;
	return count(result, "taken") > 0 ? CLOCK_SECOND / 20 : EFFECT_EVERY;
}

static size_t silence_fill(const struct keeper *keeper, char text[PARAMETERS][PARAMETER_MAX])
{
	clock_format(keeper->started, text[0]);
	return 1;
}

static int64_t measures_took(struct keeper *keeper, const struct pg_result *result)
{
	(void)keeper, (void)result;
	return REVIEW_EVERY;
}

static int64_t silence_took(struct keeper *keeper, const struct pg_result *result)
{
	struct str fell = result->rows > 0 ? pg_value(result, 0, pg_column(result, "fell")) : STR_NONE;
	struct str back = result->rows > 0 ? pg_value(result, 0, pg_column(result, "back")) : STR_NONE;

	if (fell.len > 0)
		log_warn("sources have fallen silent: " STR_FMT, STR_ARG(fell));
	if (back.len > 0)
		log_info("sources speak again: " STR_FMT, STR_ARG(back));
	keeper->counters.silent = count(result, "silent");
	return SILENCE_EVERY;
}

static const struct task tasks[DUTIES] = {
	[DUTY_PARTITION] = {"partition",
		"SELECT cirt.partition_month(to_char(timezone('UTC', now()), 'YYYYMM')::int)", NULL,
		partition_took, NULL},
	[DUTY_CORRELATE] = {"correlate", "SELECT * FROM cirt.keeper_correlate($1, $2, $3)", correlate_fill,
		correlate_took, correlate_refused},
	[DUTY_HOUSE] = {"house", "SELECT * FROM cirt.keeper_house($1::jsonb)", NULL, house_took, NULL,
		house_document},
	[DUTY_RAISE] = {"raise", "SELECT * FROM cirt.keeper_raise($1)", raise_fill, raise_took, NULL},
	[DUTY_LETTERS] = {"letters", "SELECT * FROM cirt.keeper_letters($1)", raise_fill, letters_took, NULL},
	[DUTY_LATE_LETTERS] = {"late letters", "SELECT * FROM cirt.keeper_late_letters($1)", raise_fill,
		late_letters_took, NULL},
	[DUTY_BACK] = {"back", "SELECT * FROM cirt.keeper_back($1, $2, $3::boolean, $4)", back_fill,
		back_took, NULL},
	[DUTY_NOTICES] = {"notices", "SELECT * FROM cirt.keeper_notices($1, $2::timestamptz, $3)",
		notices_fill, notices_took, notices_refused},
	[DUTY_NOTICES_READY] = {"notices ready", "SELECT * FROM cirt.keeper_notices_ready($1::boolean, $2)",
		ready_fill, ready_took, NULL},
	[DUTY_APPROVALS] = {"approvals", "SELECT cirt.keeper_approvals()", NULL, approvals_took, NULL},
	[DUTY_CLOCKS] = {"clocks", "SELECT * FROM cirt.keeper_clocks($1)", raise_fill, clocks_took, NULL},
	[DUTY_INQUIRIES] = {"inquiries", "SELECT * FROM cirt.keeper_inquiries($1)", inquiries_fill,
		inquiries_took, NULL},
	[DUTY_SIMILAR] = {"similar", "SELECT * FROM cirt.keeper_similar($1)", similar_fill, similar_took,
		NULL},
	[DUTY_REVISE] = {"revise", "SELECT * FROM cirt.keeper_revise($1)", raise_fill, revise_took, NULL},
	[DUTY_ANCHOR] = {"anchor", "SELECT * FROM cirt.anchor_mark()", NULL, NULL, NULL},
	[DUTY_AHEAD] = {"partitions ahead", "SELECT cirt.partitions_ahead($1)", ahead_fill, hourly, NULL},
	[DUTY_SWEEP] = {"sweep", "SELECT * FROM cirt.keeper_sweep($1, $2, $3)", sweep_fill, sweep_took, NULL},
	[DUTY_KEYS] = {"keys", "SELECT cirt.keeper_expire_keys()", NULL, keys_took, NULL},
	[DUTY_QUARANTINE] = {"quarantine", "SELECT cirt.keeper_quarantine($1::interval)", quarantine_fill,
		hourly, NULL},
	[DUTY_RETIRE] = {"retention", "SELECT * FROM cirt.keeper_retire($1::interval)", retire_fill,
		retire_took, NULL},
	[DUTY_SIMILAR_EXPIRE] = {"similar expire", "SELECT cirt.keeper_similar_expire($1)",
		similar_expire_fill, similar_expire_took, NULL},
	[DUTY_BY_HAND] = {"by hand", "SELECT cirt.keeper_by_hand($1)", by_hand_fill, by_hand_took, NULL},
	[DUTY_INBOX] = {"inbox", "SELECT cirt.keeper_inbox($1) AS taken", inbox_fill, inbox_took, NULL},
	[DUTY_EFFECT] = {"effect", "SELECT cirt.keeper_effect($1) AS taken", effect_fill, effect_took, NULL},
	[DUTY_ATTRIBUTE] = {"attribute", "SELECT * FROM cirt.keeper_attribute($1)", raise_fill,
		attribute_took, NULL},
	[DUTY_SILENCE] = {"silence",
		"SELECT array_to_string(fell, '; ') AS fell, array_to_string(back, ', ') AS back, silent "
		"FROM cirt.keeper_silence($1::timestamptz)",
		silence_fill, silence_took, NULL},
	[DUTY_MEASURES] = {"measures", "SELECT * FROM cirt.keeper_measures()", NULL, measures_took, NULL},
	[DUTY_SPAM] = {"spam", "SELECT cirt.keeper_spam($1::interval, $2)", spam_fill, spam_took, NULL},
};

const char *duty_name(enum duty duty)
{
	return tasks[duty].name;
}

static void duty_answer(struct pg *pg, const struct pg_result *result, void *context)
{
	struct keeper *keeper = context;
	const struct task *task = &tasks[keeper->running];

	(void)pg;
	if (result->outcome == PG_DONE) {
		keeper_done(keeper, task->took(keeper, result));
		return;
	}
	if (result->outcome == PG_REFUSED && task->refused)
		task->refused(keeper);
	keeper_failed(keeper, result);
}

/* ---- anchors ---- */

static bool add_heads(const struct pg_result *result, struct anchor *anchor)
{
	int object = pg_column(result, "object");
	int n = pg_column(result, "n");
	int hash = pg_column(result, "hash");
	struct merkle merkle;

	merkle_begin(&merkle);
	for (int row = 0; row < result->rows; row++) {
		struct str hex = pg_value(result, row, hash); /* "\x…" */
		uint8_t digest[SHA256_LEN];

		if (hex.len != 2 + 2 * SHA256_LEN ||
			!hex_decode((struct str){hex.p + 2, hex.len - 2}, digest, SHA256_LEN))
			return false;
		merkle_head(&merkle, pg_value(result, row, object), (uint64_t)pg_value_int(result, row, n),
			(struct str){(const char *)digest, SHA256_LEN});
	}
	anchor->heads = merkle.leaves;
	merkle_root(&merkle, anchor->root);
	return true;
}

static void heads_answer(struct pg *pg, const struct pg_result *result, void *context)
{
	struct keeper *keeper = context;
	struct err err;

	(void)pg;
	if (result->outcome != PG_DONE) {
		keeper_failed(keeper, result);
		return;
	}
	if (!add_heads(result, &keeper->anchor)) {
		log_error("anchor: a head of the journal holds no SHA-256");
		keeper->counters.failed++;
	} else if (!anchorer_add(keeper->anchorer, &keeper->anchor, &err)) {
		log_error("%s", err.text);
		keeper->counters.failed++;
	}
	keeper_done(keeper, (int64_t)room_conf(keeper->room)->anchor_interval);
}

static void mark_answer(struct pg *pg, const struct pg_result *result, void *context)
{
	struct keeper *keeper = context;
	struct str last;
	struct pg_parameter parameter = {.binary = false};

	if (result->outcome != PG_DONE) {
		keeper_failed(keeper, result);
		return;
	}
	keeper->anchor = (struct anchor){.records = count(result, "records"), .last = count(result, "last")};
	last = pg_value(result, 0, pg_column(result, "last"));
	parameter.value = last;
	pg_query(pg, "SELECT * FROM cirt.anchor_heads($1)", &parameter, 1, false, heads_answer, keeper);
}

void duty_ask(struct keeper *keeper, enum duty duty)
{
	const struct task *task = &tasks[duty];
	char text[PARAMETERS][PARAMETER_MAX];
	struct pg_parameter parameters[PARAMETERS] = {{.binary = false}};
	size_t used = task->fill ? task->fill(keeper, text) : 0;

	for (size_t i = 0; i < used; i++)
		parameters[i].value = str_of(text[i]);
	if (task->document)
		parameters[used++].value = task->document(keeper);
	pg_query(keeper->pg, task->sql, parameters, used, true,
		duty == DUTY_ANCHOR ? mark_answer : duty_answer, keeper);
}
