#include "config.h"

#include "triage/second_look.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

/* Entries go first; but while they come without an end, one piece in so much time is looked at. */
#define PATIENCE (5 * CLOCK_SECOND)

struct second_look {
	struct rule_set *rules;
	struct slot *slot;
	struct item_limit *limit;
	struct second_look_calls calls;
	struct examiner *examiner;
	bool waits;
	int64_t since;       /* monotonic */
	struct arena *arena; /* of the piece that waits */
	struct items_scan scan;
	struct str mapped;
	struct items_scanned answer;
	size_t space;
};

/* ---- what matched ---- */

static void hear(struct second_look *look, struct str rule, struct str part, const struct evidence *file)
{
	struct items_scanned *answer = &look->answer;
	struct items_match *match;

	if (answer->match_count == ITEMS_MATCHES) {
		answer->unfinished = true;
		return;
	}
	if (answer->match_count == look->space) {
		size_t space = look->space ? look->space * 2 : 16;
		struct items_match *more = arena_alloc(look->arena, space * sizeof(*more));
		if (answer->match_count)
			memcpy(more, answer->matches, answer->match_count * sizeof(*more));
		answer->matches = more;
		look->space = space;
	}
	match = &answer->matches[answer->match_count++];
	*match = (struct items_match){.rule = arena_str(look->arena, rule),
		.part = arena_str(look->arena, part),
		.in_file = file != NULL};
	if (file)
		memcpy(match->digest, file->digest, SHA256_LEN);
}

/* The file that a part is, or stands in: "a.zip/b.exe" is in "a.zip". */
static const struct evidence *file_of(const struct finding *finding, uint32_t item, struct str part)
{
	const struct evidence *best = NULL;

	for (size_t i = 0; i < finding->evidence_count; i++) {
		const struct evidence *file = &finding->evidence[i];
		bool inside = file->name.len > 0 && part.len > file->name.len &&
		              str_starts(part, file->name) && part.p[file->name.len] == '/';
		if (file->item == item && (inside || str_equal(part, file->name)) &&
			(!best || file->name.len > best->name.len))
			best = file;
	}
	return best;
}

static void hear_verdict(
	struct second_look *look, const struct finding *finding, uint32_t item, const struct verdict *verdict)
{
	if (!str_equal(verdict->engine, str_of(rule_engine_name())))
		return;
	if (verdict->rule.len == 0)
		look->answer.unfinished = true;
	else
		hear(look, verdict->rule, verdict->part, file_of(finding, item, verdict->part));
}

/* Of a mail only what is the mail's own: the reports that stand in it have their files and lines kept apart.
 */
static void on_found(const struct finding *finding, void *context)
{
	struct second_look *look = context;

	for (size_t i = 0; i < finding->item_count; i++) {
		const struct item *item = &finding->items[i];
		if (item->number > 0 && look->scan.as == SCAN_MAIL)
			continue;
		for (size_t v = 0; v < item->report.verdict_count; v++)
			hear_verdict(look, finding, item->number, &item->report.verdicts[v]);
	}
}

static void on_refused(uint64_t ticket, struct str stage, struct str reason, void *context)
{
	struct second_look *look = context;

	(void)ticket;
	(void)stage;
	(void)reason;
	look->answer.end = SCAN_UNREADABLE;
}

/* Nothing that is sealed makes it wait: what cannot be opened now is said, and the rest is looked at. */
static void on_open(const struct sealed *sealed, struct arena *arena, struct unsealed *unsealed, bool *lost,
	void *context)
{
	struct second_look *look = context;
	bool whole = sealed->kind == SEALED_PGP || sealed->kind == SEALED_CMS;

	if (look->calls.open)
		look->calls.open(sealed, arena, unsealed, lost, look->calls.context);
	else
		*unsealed = (struct unsealed){.outcome = UNSEAL_NO_KEY};
	look->answer.sealed |= whole && unsealed->outcome != UNSEAL_OPENED;
	if (unsealed->outcome == UNSEAL_LOCKED || unsealed->outcome == UNSEAL_AWAY)
		*unsealed = (struct unsealed){
			.outcome = UNSEAL_FAILED, .reason = STR("not opened again for the rules")};
	*lost = false;
}

static void on_sealed(uint64_t ticket, bool lost, void *context)
{
	struct second_look *look = context;

	(void)ticket;
	(void)lost;
	look->answer.end = SCAN_UNREADABLE;
}

static void on_alive(void *context)
{
	struct second_look *look = context;

	if (look->calls.alive)
		look->calls.alive(look->calls.context);
}

struct second_look *second_look_new(struct rule_set *rules, struct slot *slot, struct item_limit *limit,
	const struct second_look_calls *calls)
{
	struct second_look *look = mem_alloc(sizeof(*look));
	const struct examiner_calls mine = {.found = on_found,
		.refused = on_refused,
		.sealed = on_sealed,
		.open = on_open,
		.alive = on_alive,
		.context = look};

	look->rules = rules;
	look->slot = slot;
	look->limit = limit;
	look->calls = *calls;
	look->examiner = examiner_new(rules, NULL, slot, limit, 0, NULL, &mine);
	return look;
}

struct examiner *second_look_examiner(struct second_look *look)
{
	return look->examiner;
}

/* ---- the piece ---- */

static void clear(struct second_look *look)
{
	fd_unmap(&look->mapped);
	arena_free(&look->arena);
	look->waits = false;
}

void second_look_free(struct second_look **look)
{
	if (!*look)
		return;
	clear(*look);
	examiner_free(&(*look)->examiner);
	free(*look);
	*look = NULL;
}

static bool fill(struct second_look *look, struct str body, int fd, struct err *err)
{
	look->arena = arena_new(body.len + 1024);
	if (!items_scan_decode(arena_str(look->arena, body), &look->scan) || (!look->scan.inlined && fd < 0))
		return err_set(err, ERR_CORRUPT, "a piece to be scanned again cannot be read");
	if (look->scan.inlined)
		return true;
	if (!fd_map(fd, true, &look->mapped, err))
		return false;
	look->scan.bytes = look->mapped;
	return true;
}

bool second_look_put(struct second_look *look, struct str body, int fd, struct err *err)
{
	bool ok = !look->waits ||
	          err_set(err, ERR_CORRUPT, "a piece to be scanned again came before the last was done");

	if (ok && !fill(look, body, fd, err)) {
		clear(look);
		ok = false;
	}
	fd_close(&fd);
	if (ok) {
		look->waits = true;
		look->since = clock_monotonic();
	}
	return ok;
}

bool second_look_waits(const struct second_look *look)
{
	return look->waits;
}

bool second_look_is_due(const struct second_look *look)
{
	return look->waits && clock_monotonic() - look->since > PATIENCE;
}

static void answer(struct second_look *look, struct channel *store)
{
	if (store) {
		items_scanned_encode(&look->answer, channel_begin(store));
		channel_end(store, ITEMS_SCANNED);
	}
	clear(look);
}

static void begin(struct second_look *look)
{
	look->space = 0;
	look->answer = (struct items_scanned){.number = look->scan.number,
		.engine = str_of(rule_engine_name()),
		.rules = str_of(rule_set_digest(look->rules))};
}

void second_look_return(struct second_look *look, struct channel *store)
{
	if (!look->waits)
		return;
	begin(look);
	look->answer.end = SCAN_RETURNED;
	answer(look, store);
}

/* ---- looking at it ---- */

static bool is_type(struct str type)
{
	size_t slashes = 0;

	for (size_t i = 0; i < type.len; i++) {
		char c = type.p[i];
		bool plain =
			(c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || strchr("-.+_", c);
		slashes += c == '/';
		if (!c || (!plain && c != '/'))
			return false;
	}
	return slashes == 1 && !str_starts(type, STR("multipart/"));
}

/* RFC 8187 section 3.2.1 */
static void put_name(struct str name, struct buf *out)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.p[i];
		if (c < 0x80 && (((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
					c == '-' || c == '_'))
			buf_char(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

/* A file as the one attachment of a mail without words: so it goes the way that every attachment goes. */
static void wrap(const struct items_scan *scan, struct buf *mail)
{
	buf_text(mail, "MIME-Version: 1.0\r\nContent-Transfer-Encoding: binary\r\nContent-Type: ");
	buf_str(mail, is_type(scan->media_type) ? scan->media_type : STR("application/octet-stream"));
	buf_text(mail, "\r\nContent-Disposition: attachment; filename*=UTF-8''");
	put_name(scan->name.len ? scan->name : STR("file"), mail);
	buf_text(mail, "\r\n\r\n");
	buf_str(mail, scan->bytes);
}

static void read_mail(struct second_look *look, struct str mail)
{
	struct handout_entry entry = {.ticket = SLOT_ELSEWHERE,
		.format = FORMAT_MAIL,
		.envelope = STR("{}"),
		.inlined = true,
		.bytes = mail};

	examiner_run(look->examiner, &entry);
}

static void on_match(const struct rule_match *match, void *context)
{
	struct second_look *look = context;

	hear(look, arena_printf(look->arena, "%s/%s", match->file, match->rule), STR("doc"), NULL);
}

static void scan_event(struct second_look *look)
{
	const struct part part = {.scopes = PART_EVENT, .name = STR("doc"), .bytes = look->scan.bytes};

	if (!rule_set_sees(look->rules, PART_EVENT))
		return;
	slot_begin(look->slot, SLOT_ELSEWHERE);
	slot_at(look->slot, 0, "yara");
	item_limit_start(look->limit);
	if (rule_set_scan(look->rules, &part, on_match, look) != RULE_SCAN_DONE)
		look->answer.unfinished = true;
	item_limit_stop(look->limit);
	slot_begin(look->slot, 0);
}

void second_look_run(struct second_look *look, struct channel *store)
{
	struct buf wrapped = {0};

	begin(look);
	switch (look->scan.as) {
	case SCAN_EVENT:
		scan_event(look);
		break;
	case SCAN_FILE:
		wrap(&look->scan, &wrapped);
		read_mail(look, buf_view(&wrapped));
		buf_free(&wrapped);
		break;
	default:
		read_mail(look, look->scan.bytes);
	}
	answer(look, store);
}
