#include "config.h"

#include "store/rescan.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/storable.h"

#define INLINE 262144u
#define DEATHS 3
#define NAME   1000 /* of rules and parts, as they are kept */
#define LOCAL  64   /* of an engine's name, or a set's digest */

enum state {
	IDLE,
	TAKING,   /* asked for the next lot */
	READY,    /* a piece has to be given to somebody */
	FETCHING, /* its bytes */
	SCANNING,
	WRITING
};

struct piece {
	int64_t report;
	int64_t evidence; /* a file added by hand */
	enum items_scan_as as;
	struct str month;
	struct str digest; /* as PostgreSQL writes it, "\x…"; p NULL: none */
	int64_t size;
	struct str name;
	struct str type;
};

struct counts {
	int64_t pieces;
	int64_t bytes;
	int64_t gone;
	int64_t sealed;
	int64_t unfinished;
	int64_t unreadable;
	int64_t failed;
};

/* What matched, side by side, as array literals. */
enum found { FOUND_REPORT, FOUND_EVIDENCE, FOUND_DIGEST, FOUND_RULE, FOUND_PART, FOUND };

struct rescan {
	struct pg *pg;
	rescan_send_fn *send;
	void *context;
	enum state state;
	bool ended;
	struct arena *arena; /* of the lot */
	int64_t job;
	int64_t step;
	int64_t upto;
	bool by_hand;
	struct piece *pieces;
	size_t piece_count;
	size_t at;
	unsigned deaths; /* over the piece at hand */
	struct counts counts;
	char rules[LOCAL + 1]; /* that the lot was scanned with: of the last answer */
	char engine[LOCAL + 1];
	struct buf found[FOUND];
	uint64_t number;    /* of the scan asked for last */
	const void *worker; /* who has it */
};

static void next_piece(struct rescan *rescan);

static void lot_clear(struct rescan *rescan)
{
	arena_reset(rescan->arena);
	rescan->pieces = NULL;
	rescan->piece_count = rescan->at = 0;
	rescan->deaths = 0;
	rescan->counts = (struct counts){0};
	rescan->rules[0] = rescan->engine[0] = '\0';
	rescan->worker = NULL;
	for (size_t i = 0; i < FOUND; i++) {
		buf_clear(&rescan->found[i]);
		pg_array_begin(&rescan->found[i]);
	}
	rescan->state = IDLE;
}

/* What was not written is looked at again. */
static void give_up(struct rescan *rescan, const char *what, const struct pg_result *result)
{
	if (result->outcome == PG_REFUSED)
		log_error_f(LOG_F({"reason", result->text}), "scanning again: %s", what);
	lot_clear(rescan);
}

/* ---- writing ---- */

static void on_written(struct pg *pg, const struct pg_result *result, void *context)
{
	struct rescan *rescan = context;
	bool done = result->outcome == PG_DONE;

	(void)pg;
	give_up(rescan, "what was found could not be written", result);
	if (done)
		rescan_kick(rescan);
}

static struct str number_text(struct arena *arena, int64_t number)
{
	return arena_printf(arena, "%lld", (long long)number);
}

static void write_lot(struct rescan *rescan)
{
	const struct counts *counts = &rescan->counts;
	const int64_t numbers[] = {counts->pieces, counts->bytes, counts->gone, counts->sealed,
		counts->unfinished, counts->unreadable, counts->failed};
	struct pg_parameter parameters[6 + ARRAY_LEN(numbers) + FOUND] = {
		{.value = number_text(rescan->arena, rescan->job)},
		{.value = number_text(rescan->arena, rescan->step)},
		{.value = number_text(rescan->arena, rescan->upto)},
		{.value = rescan->by_hand ? STR("t") : STR("f")},
	};
	size_t count = 4;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		parameters[count++].value = number_text(rescan->arena, numbers[i]);
	parameters[count++].value = str_of(rescan->rules);
	parameters[count++].value = str_of(rescan->engine);
	for (size_t i = 0; i < FOUND; i++) {
		pg_array_end(&rescan->found[i]);
		parameters[count++].value = buf_view(&rescan->found[i]);
	}
	rescan->state = WRITING;
	pg_query(rescan->pg,
		"SELECT rescan_done($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
		"$17, $18)",
		parameters, count, true, on_written, rescan);
}

/* ---- a piece ---- */

static void piece_done(struct rescan *rescan)
{
	rescan->at++;
	rescan->deaths = 0;
	rescan->worker = NULL;
	rescan->state = READY;
	next_piece(rescan);
}

static const char *piece_name(struct rescan *rescan, const struct piece *piece)
{
	return arena_printf(rescan->arena, "%s %lld", piece->report ? "report" : "added evidence",
		(long long)(piece->report ? piece->report : piece->evidence))
	        .p;
}

static void give_out(struct rescan *rescan, struct str bytes)
{
	const struct piece *piece = &rescan->pieces[rescan->at];
	const struct items_scan scan = {.number = ++rescan->number,
		.as = piece->as,
		.name = piece->name,
		.media_type = piece->type,
		.inlined = bytes.len <= INLINE,
		.bytes = bytes};

	rescan->worker = rescan->send(&scan, rescan->context);
	rescan->state = rescan->worker ? SCANNING : READY;
}

static void on_end(struct pg *pg, const struct pg_result *result, void *context)
{
	(void)pg;
	(void)result;
	(void)context;
}

static void on_bytes(struct pg *pg, const struct pg_result *result, void *context)
{
	struct rescan *rescan = context;

	if (result->outcome != PG_DONE) {
		give_up(rescan, "its bytes cannot be read", result);
		return;
	}
	if (result->rows > 0)
		give_out(rescan, pg_value(result, 0, 0));
	pg_commit(pg, on_end, NULL);
	if (result->rows > 0)
		return;
	/* Retention was here since the lot was taken. */
	rescan->counts.gone++;
	piece_done(rescan);
}

static void on_begun(struct pg *pg, const struct pg_result *result, void *context)
{
	struct rescan *rescan = context;
	const struct piece *piece;

	if (result->outcome != PG_DONE) {
		give_up(rescan, "its bytes cannot be asked for", result);
		return;
	}
	piece = &rescan->pieces[rescan->at];
	if (piece->as == SCAN_EVENT) {
		const struct pg_parameter which = {.value = number_text(rescan->arena, piece->report)};
		pg_step_prepared(pg, "rescan_doc", "SELECT doc FROM report WHERE id = $1", &which, 1, true,
			on_bytes, rescan);
	} else {
		const struct pg_parameter which[] = {{.value = piece->month}, {.value = piece->digest}};
		pg_step_prepared(pg, "rescan_bytes",
			"SELECT bytes FROM evidence WHERE month = $1 AND digest = $2", which, 2, true,
			on_bytes, rescan);
	}
}

static void next_piece(struct rescan *rescan)
{
	if (rescan->at == rescan->piece_count) {
		write_lot(rescan);
		return;
	}
	rescan->state = FETCHING;
	pg_begin(rescan->pg, "BEGIN READ ONLY", on_begun, rescan);
}

/* ---- answers ---- */

static void keep_match(struct rescan *rescan, const struct piece *piece, const struct items_match *match)
{
	char hex[SHA256_HEX];

	pg_array_int(&rescan->found[FOUND_REPORT], piece->report);
	pg_array_int(&rescan->found[FOUND_EVIDENCE], piece->evidence);
	if (match->in_file)
		pg_array_text(&rescan->found[FOUND_DIGEST],
			arena_printf(rescan->arena, "\\x%s", hex_encode(match->digest, SHA256_LEN, hex)));
	else
		pg_array_text(&rescan->found[FOUND_DIGEST], piece->digest);
	pg_array_text(&rescan->found[FOUND_RULE], storable_text(match->rule, NAME, rescan->arena, NULL));
	pg_array_text(&rescan->found[FOUND_PART], storable_text(match->part, NAME, rescan->arena, NULL));
}

static void keep_word(struct str word, struct arena *arena, char kept[LOCAL + 1])
{
	struct str text = storable_text(word, LOCAL, arena, NULL);

	memcpy(kept, text.p ? text.p : "", text.len);
	kept[text.len] = '\0';
}

static void keep_answer(struct rescan *rescan, const struct items_scanned *answer)
{
	const struct piece *piece = &rescan->pieces[rescan->at];

	rescan->counts.pieces++;
	rescan->counts.bytes += piece->size;
	rescan->counts.sealed += answer->sealed;
	rescan->counts.unfinished += answer->unfinished;
	rescan->counts.unreadable += answer->end == SCAN_UNREADABLE;
	keep_word(answer->rules, rescan->arena, rescan->rules);
	keep_word(answer->engine, rescan->arena, rescan->engine);
	for (size_t i = 0; i < answer->match_count; i++)
		keep_match(rescan, piece, &answer->matches[i]);
}

bool rescan_answer(struct rescan *rescan, const void *worker, struct str body)
{
	struct items_scanned answer;

	if (rescan->state != SCANNING || rescan->worker != worker ||
		!items_scanned_decode(body, rescan->arena, &answer) || answer.number != rescan->number)
		return false;
	if (answer.end == SCAN_RETURNED) {
		rescan->worker = NULL;
		rescan->state = READY;
		return true;
	}
	keep_answer(rescan, &answer);
	piece_done(rescan);
	return true;
}

void rescan_lost(struct rescan *rescan, const void *worker)
{
	const struct piece *piece;

	if (rescan->state != SCANNING || rescan->worker != worker)
		return;
	piece = &rescan->pieces[rescan->at];
	rescan->worker = NULL;
	rescan->state = READY;
	if (++rescan->deaths < DEATHS) {
		log_warn("a worker ended while it scanned %s again", piece_name(rescan, piece));
		return;
	}
	log_error("%s is left out: %u workers ended while they scanned it again", piece_name(rescan, piece),
		DEATHS);
	rescan->counts.failed++;
	piece_done(rescan);
}

/* ---- lots ---- */

static struct str column_text(struct rescan *rescan, const struct pg_result *rows, int row, const char *name)
{
	struct str value = pg_value(rows, row, pg_column(rows, name));

	return value.p ? arena_str(rescan->arena, value) : STR_NONE;
}

static int64_t column_int(const struct pg_result *rows, int row, const char *name)
{
	return pg_value_int(rows, row, pg_column(rows, name));
}

static enum items_scan_as kind_of(struct str kind)
{
	if (str_equal(kind, STR("mail")))
		return SCAN_MAIL;
	return str_equal(kind, STR("event")) ? SCAN_EVENT : SCAN_FILE;
}

/* A lot that was taken up too often without being written may be what ends us: nobody touches it. */
static void take_piece(struct rescan *rescan, const struct pg_result *rows, int row)
{
	struct str kind = column_text(rescan, rows, row, "kind");
	struct piece piece = {.report = column_int(rows, row, "of_report"),
		.evidence = column_int(rows, row, "of_evidence"),
		.as = kind_of(kind),
		.month = column_text(rescan, rows, row, "of_month"),
		.digest = column_text(rescan, rows, row, "of_digest"),
		.size = column_int(rows, row, "of_size"),
		.name = column_text(rescan, rows, row, "of_name"),
		.type = column_text(rescan, rows, row, "of_type")};

	if (kind.len == 0)
		return;
	if (!column_int(rows, row, "skipped")) {
		rescan->pieces[rescan->piece_count++] = piece;
		return;
	}
	log_error("%s is left out: it was begun too often", piece_name(rescan, &piece));
	rescan->counts.failed++;
}

static void on_taken(struct pg *pg, const struct pg_result *result, void *context)
{
	struct rescan *rescan = context;

	(void)pg;
	if (result->outcome != PG_DONE || result->rows == 0 || rescan->ended) {
		give_up(rescan, "what is to be scanned cannot be asked for", result);
		return;
	}
	rescan->job = column_int(result, 0, "job");
	rescan->step = column_int(result, 0, "at_step");
	rescan->upto = column_int(result, 0, "upto");
	rescan->by_hand = column_int(result, 0, "is_by_hand");
	rescan->counts.gone = column_int(result, 0, "lost");
	rescan->pieces = arena_alloc(rescan->arena, (size_t)result->rows * sizeof(*rescan->pieces));
	for (int i = 0; i < result->rows; i++)
		take_piece(rescan, result, i);
	rescan->state = READY;
	next_piece(rescan);
}

void rescan_kick(struct rescan *rescan)
{
	if (rescan->ended || !pg_is_up(rescan->pg))
		return;
	if (rescan->state == READY) {
		next_piece(rescan);
	} else if (rescan->state == IDLE) {
		rescan->state = TAKING;
		pg_query(rescan->pg, "SELECT * FROM rescan_take()", NULL, 0, true, on_taken, rescan);
	}
}

/* ---- life ---- */

static void on_state(struct pg *pg, bool up, const char *why, void *context)
{
	(void)pg;
	(void)why;
	if (up)
		rescan_kick(context);
}

static void on_asked(struct pg *pg, const char *channel, const char *payload, void *context)
{
	(void)pg;
	(void)channel;
	(void)payload;
	rescan_kick(context);
}

struct rescan *rescan_new(
	struct loop *loop, const struct pg_settings *settings, rescan_send_fn *send, void *context)
{
	struct rescan *rescan = mem_alloc(sizeof(*rescan));

	rescan->send = send;
	rescan->context = context;
	rescan->arena = arena_new(65536);
	lot_clear(rescan);
	rescan->pg = pg_new(loop, settings, on_state, rescan);
	pg_listen(rescan->pg, "cirt_rescan", on_asked, rescan);
	return rescan;
}

void rescan_end(struct rescan *rescan)
{
	rescan->ended = true;
}

void rescan_free(struct rescan **rescan)
{
	if (!*rescan)
		return;
	pg_free(&(*rescan)->pg);
	arena_free(&(*rescan)->arena);
	for (size_t i = 0; i < FOUND; i++)
		buf_free(&(*rescan)->found[i]);
	free(*rescan);
	*rescan = NULL;
}
