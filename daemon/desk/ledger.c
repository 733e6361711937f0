#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "desk/handlers.h"

/*
 * The books have two sides: the spool says what it received and released, the database what landed. They are
 * asked one after the other while work goes on, so that they are brought to one moment first:
 *
 *   1. ask the spool: what was received up to its next sequence (the cut), and how much of it is still there;
 *   2. one snapshot of the database: the sums, less what landed from the cut on. Other nodes' spools cannot
 * be asked: they stand by what their books say, up to the cut that the books name;
 *   3. pending is what was received before the cut and had not landed. The spool must have released no more
 * than what landed, and what landed must be released or in hand when the spool is asked again.
 *
 * At rest both bounds are one number. What is not balanced is looked at again for a moment, because an entry
 * that was landed by a store that died before it could say so is neither in hand nor released until it is
 * offered again.
 */
#define LEDGER_AGAIN (CLOCK_SECOND / 5)
#define LEDGER_LOOKS 10
#define LEDGER_AFTER (10 * CLOCK_SECOND) /* how long the correlator is waited for, beyond the entries */

enum sum {
	SUM_PROCESSED,
	SUM_ENTRIES_QUARANTINED,
	SUM_ENTRIES_DISCARDED,
	SUM_FOUND,
	SUM_REPORTS,
	SUM_FOLDED,
	SUM_CORRESPONDENCE,
	SUM_CONTEXT,
	SUM_SPAM,
	SUM_QUARANTINED,
	SUM_DISCARDED,
	SUM_ELSEWHERE,    /* received by other spools */
	SUM_SPOOLS,       /* how many those are */
	SUM_QUEUE,        /* reports that are due for the correlator, mails to be attached */
	SUM_SPAM_EXPIRED, /* of the spam, what is no longer kept */
	SUMS
};

/*
 * The spools that landed something today or yesterday are found one by one along the ledger's key. Of each
 * only what lies below its cut is counted: of ours ($1) the cut it has just said ($2), of others that of
 * their books. One without books has none yet, and nothing of it counts.
 */
static const char ledger_sql[] =
	"WITH RECURSIVE seen (day, spool) AS ("
	"SELECT d, (SELECT l.spool FROM ledger l WHERE l.day = d ORDER BY l.spool LIMIT 1)"
	" FROM (SELECT timezone('UTC', now())::date - n AS d FROM generate_series(0, 1) n) days"
	" UNION ALL SELECT s.day,"
	" (SELECT l.spool FROM ledger l WHERE l.day = s.day AND l.spool > s.spool ORDER BY l.spool LIMIT 1)"
	" FROM seen s WHERE s.spool IS NOT NULL),"
	" said AS (SELECT spool, max(upto) AS upto FROM books WHERE spool <> $1::uuid GROUP BY spool"
	" UNION ALL SELECT $1::uuid, $2::bigint),"
	" sums AS (SELECT sum(entries_processed) AS p, sum(entries_quarantined) AS eq, "
	"sum(entries_discarded) AS ed,"
	" sum(found) AS f, sum(reports) AS r, sum(folded) AS fo, sum(correspondence) AS co, sum(context) AS "
	"cx,"
	" sum(spam) AS sp, sum(quarantined) AS q, sum(discarded) AS d, sum(spam_expired) AS "
	"se FROM ledger_day),"
	" late AS (SELECT count(*) FILTER (WHERE l.disposition = 'processed') AS p,"
	" count(*) FILTER (WHERE l.disposition = 'quarantined') AS eq,"
	" count(*) FILTER (WHERE l.disposition = 'discarded') AS ed,"
	" sum(l.found) AS f, sum(l.reports) AS r, sum(l.folded) AS fo, sum(l.correspondence) AS co,"
	" sum(l.context) AS cx, sum(l.spam) AS sp, sum(l.quarantined) AS q, sum(l.discarded) AS d"
	" FROM seen s LEFT JOIN said USING (spool) CROSS JOIN LATERAL (SELECT * FROM ledger k WHERE k.day = "
	"s.day"
	" AND k.spool = s.spool AND k.sequence >= coalesce(said.upto, 0) AND k.rerun IS NULL OFFSET 0) l),"
	" others AS (SELECT sum(entries) AS n, count(DISTINCT spool) AS spools FROM books WHERE spool <> "
	"$1::uuid)"
	" SELECT coalesce(s.p, 0) - coalesce(l.p, 0), coalesce(s.eq, 0) - coalesce(l.eq, 0),"
	" coalesce(s.ed, 0) - coalesce(l.ed, 0), coalesce(s.f, 0) - coalesce(l.f, 0), coalesce(s.r, 0) - "
	"coalesce(l.r, 0),"
	" coalesce(s.fo, 0) - coalesce(l.fo, 0), coalesce(s.co, 0) - coalesce(l.co, 0), coalesce(s.cx, 0) - "
	"coalesce(l.cx, 0),"
	" coalesce(s.sp, 0) - coalesce(l.sp, 0), coalesce(s.q, 0) - coalesce(l.q, 0), coalesce(s.d, 0) - "
	"coalesce(l.d, 0),"
	" coalesce(o.n, 0), o.spools,"
	" (SELECT count(*) FROM (SELECT FROM correlation_queue WHERE due <= now() LIMIT 10000) q)"
	" + (SELECT count(*) FROM (SELECT FROM case_letter_queue LIMIT 10000) m),"
	" coalesce(s.se, 0)"
	" FROM sums s, late l, others o";

struct ledger {
	int64_t deadline; /* monotonic; 0: do not wait */
	int64_t drained;  /* monotonic: since when no entry is pending; 0: some are */
	int looks;
	struct timer *again;
	uint32_t append; /* question to the spool; 0: none open */
	/* the spool's first answer */
	uint8_t spool[UUID_LEN];
	uint64_t cut, received, live, reruns;
	int64_t sums[SUMS];
};

static void ledger_release(struct request *request)
{
	struct ledger *ledger = request->state;

	if (ledger->append)
		appender_forget(request->desk->appender, ledger->append);
	timer_free(&ledger->again);
	free(ledger);
}

static int64_t landed(const struct ledger *ledger)
{
	return ledger->sums[SUM_PROCESSED] + ledger->sums[SUM_ENTRIES_QUARANTINED] +
	       ledger->sums[SUM_ENTRIES_DISCARDED];
}

static int64_t received(const struct ledger *ledger)
{
	return (int64_t)ledger->received + ledger->sums[SUM_ELSEWHERE];
}

static bool items_agree(const struct ledger *ledger)
{
	int64_t sum = 0;

	for (enum sum i = SUM_REPORTS; i <= SUM_DISCARDED; i++)
		sum += ledger->sums[i];
	return sum == ledger->sums[SUM_FOUND];
}

static void add_sums(
	struct json_object *to, const struct ledger *ledger, const char *const *names, enum sum first)
{
	for (size_t i = 0; names[i]; i++)
		json_object_object_add(to, names[i], json_object_new_int64(ledger->sums[first + i]));
}

static void ledger_answer(struct request *request, bool balanced, bool waited_out)
{
	static const char *const entries[] = {"processed", "quarantined", "discarded", NULL};
	static const char *const items[] = {"found", "reports", "folded", "correspondence", "context", "spam",
		"quarantined", "discarded", NULL};
	struct ledger *ledger = request->state;
	struct json_object *result = json_object_new_object(), *part = json_object_new_object();

	json_object_object_add(part, "received", json_object_new_int64(received(ledger)));
	add_sums(part, ledger, entries, SUM_PROCESSED);
	json_object_object_add(part, "pending", json_object_new_int64(received(ledger) - landed(ledger)));
	json_object_object_add(result, "entries", part);
	part = json_object_new_object();
	add_sums(part, ledger, items, SUM_FOUND);
	json_object_object_add(result, "items", part);
	json_object_object_add(result, "spam_expired", json_object_new_int64(ledger->sums[SUM_SPAM_EXPIRED]));
	json_object_object_add(result, "balanced", json_object_new_boolean(balanced));
	if (waited_out)
		json_object_object_add(result, "ok", json_object_new_boolean(false));
	request_answer(request, result);
}

static bool may_wait(const struct ledger *ledger)
{
	return ledger->deadline && clock_monotonic() < ledger->deadline;
}

static void look_again(struct request *request)
{
	struct ledger *ledger = request->state;
	int64_t pause = ledger->looks++ < 4 ? CLOCK_SECOND / 25 : LEDGER_AGAIN;

	if (request->session)
		timer_set(ledger->again, pause);
	else
		request_refuse(request, RPC_FAILED, "nobody waits for the answer any more");
}

/* The correlator is waited for too, but not for ever: cases may be capped per hour. */
static bool is_settled(struct ledger *ledger, int64_t pending)
{
	if (pending != 0 || ledger->live != 0 || ledger->reruns != 0) {
		ledger->drained = 0;
		return false;
	}
	if (!ledger->drained)
		ledger->drained = clock_monotonic();
	return ledger->sums[SUM_QUEUE] == 0 || clock_monotonic() - ledger->drained > LEDGER_AFTER;
}

static void ledger_judge(struct request *request, bool balanced)
{
	struct ledger *ledger = request->state;
	int64_t pending = received(ledger) - landed(ledger);

	if (ledger->deadline) {
		bool settled = is_settled(ledger, pending);
		if ((settled && balanced) || !may_wait(ledger))
			ledger_answer(request, balanced, !settled);
		else
			look_again(request);
	} else if (balanced || ledger->looks >= LEDGER_LOOKS) {
		ledger_answer(request, balanced, false);
	} else {
		look_again(request);
	}
}

static uint64_t books_sum(const struct append_state *state)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < state->book_count; i++)
		sum += state->books[i].entries;
	return sum;
}

static void ledger_unanswered(struct request *request, const char *why)
{
	struct ledger *ledger = request->state;

	if (may_wait(ledger))
		look_again(request);
	else
		request_refuse(request, RPC_UNAVAILABLE, "the books cannot be compared: %s", why);
}

/* The second look at the spool: what landed was released, or is in hand. */
static void on_state_after(const struct append_state *state, const struct err *err, void *context)
{
	struct request *request = context;
	struct ledger *ledger = request->state;

	ledger->append = 0;
	if (!state) {
		ledger_unanswered(request, err->text);
		return;
	}
	uint64_t released = books_sum(state) - state->live_entries;
	int64_t most = (int64_t)released + (int64_t)state->held_count + ledger->sums[SUM_ELSEWHERE];
	int64_t least = (int64_t)(ledger->received - ledger->live);
	ledger_judge(request, items_agree(ledger) && landed(ledger) >= least && landed(ledger) <= most &&
				      landed(ledger) <= received(ledger));
}

static void on_sums(struct pg *pg, const struct pg_result *result, void *context)
{
	struct request *request = context;
	struct ledger *ledger = request->state;

	(void)pg;
	if (result->outcome != PG_DONE || result->rows != 1) {
		ledger_unanswered(request, result->text);
		return;
	}
	for (int i = 0; i < SUMS; i++)
		ledger->sums[i] = pg_value_int(result, 0, i);
	/* At rest there is nothing between the bounds. */
	if (ledger->live == 0 && landed(ledger) == (int64_t)ledger->received &&
		ledger->sums[SUM_SPOOLS] == 0) {
		ledger_judge(request, items_agree(ledger));
		return;
	}
	ledger->append = appender_ask(request->desk->appender, on_state_after, request);
	if (!ledger->append)
		ledger_unanswered(request, "the spool is away");
}

static void on_state_before(const struct append_state *state, const struct err *err, void *context)
{
	struct request *request = context;
	struct ledger *ledger = request->state;
	struct pg *pg = desk_pg(request->desk);
	char spool[UUID_TEXT], cut[24];

	ledger->append = 0;
	if (!state || !pg) {
		ledger_unanswered(request, !state ? err->text : pg_why_down(request->desk->pg[0]));
		return;
	}
	memcpy(ledger->spool, state->spool, UUID_LEN);
	ledger->cut = state->next_sequence;
	ledger->received = books_sum(state);
	ledger->live = state->live_entries;
	ledger->reruns = state->rerun_entries;
	snprintf(cut, sizeof(cut), "%llu", (unsigned long long)ledger->cut);
	const struct pg_parameter values[] = {
		{.value = str_of(uuid_format(ledger->spool, spool))},
		{.value = str_of(cut)},
	};
	pg_query(pg, ledger_sql, values, ARRAY_LEN(values), false, on_sums, request);
}

static void ledger_look(void *context)
{
	struct request *request = context;
	struct ledger *ledger = request->state;

	ledger->append = appender_ask(request->desk->appender, on_state_before, request);
	if (!ledger->append)
		ledger_unanswered(request, "the spool is away");
}

void desk_ledger_show(struct request *request)
{
	struct ledger *ledger;
	int64_t wait = 0;

	if (!request_number(request, "wait", 0, 86400, &wait))
		return;
	ledger = mem_alloc(sizeof(*ledger));
	if (wait > 0)
		ledger->deadline = clock_monotonic() + wait * CLOCK_SECOND;
	request->state = ledger;
	request->release = ledger_release;
	ledger->again = timer_new(room_loop(request->desk->room), ledger_look, request);
	ledger_look(request);
}
