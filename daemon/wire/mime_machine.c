#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "model/severity.h"
#include "wire/arf.h"
#include "wire/json_cut.h"
#include "wire/machine.h"
#include "wire/mime.h"
#include "wire/shadowserver.h"
#include "wire/xarf.h"

/* Bytes of all such files of a mail together: nothing of it is sent on before all of it is read. */
#define STATEMENTS_MAX 4194304

/* What a machine says in a mail, to machines: feedback reports, X-ARF, tables. Each is a report of its own,
 * and the mail is its context. */

/* A table, or a file of STIX or events, waits until the mail is done: its rows are many; those of
 * Shadowserver are sent while they are read. */
struct mail_table {
	struct mail_table *next;
	enum format format;
	struct str text; /* in the arena; what is not of Shadowserver */
	struct buf name;
	struct buf bytes;
	struct arena *kept; /* of what was said of it: rows are sent, and their arena forgets */
	struct verdict *said;
	size_t said_count;
};

/* To whom the parts belong that are walked now: an item inside the mail's own. */
struct mail_scope {
	struct mail_scope *outer;
	unsigned depth; /* 1: inside the mail's own */
	bool exhibits;  /* opened by X-ARF: what follows is what it is proved with, or another X-ARF */
	/* of the mail, for when it ends */
	size_t index;
	struct buf text;
	struct str reporter;
	bool null_sender, silent, closed, machine_made;
	size_t statements, bad_before;
};

/* --- scopes --- */

void mail_scope_enter(struct mail *mail, size_t index)
{
	struct mail_scope *scope = arena_alloc(mail->reading->arena, sizeof(*scope));

	*scope = (struct mail_scope){.outer = mail->scope,
		.depth = mail->scope ? mail->scope->depth + 1 : 1,
		.index = mail->index,
		.text = mail->text,
		.reporter = mail->reporter,
		.null_sender = mail->null_sender,
		.silent = mail->silent,
		.closed = mail->closed,
		.machine_made = mail->machine_made,
		.statements = mail->statements,
		.bad_before = mail->bad_before};
	mail->scope = scope;
	mail->index = index;
	mail->text = (struct buf){0};
}

/* What stands in the text too is no second indicator. */
static void drop_doubles(struct report *report)
{
	size_t kept = 0;

	for (size_t i = 0; i < report->observable_count; i++) {
		const struct observable *one = &report->observables[i];
		bool known = false;
		for (size_t o = 0; o < report->observable_count && one->role == OBSERVED_INDICATOR; o++)
			known |= report->observables[o].role != OBSERVED_INDICATOR &&
			         report->observables[o].type == one->type &&
			         str_equal(report->observables[o].value, one->value);
		if (!known)
			report->observables[kept++] = *one;
	}
	report->observable_count = kept;
}

static void leave(struct mail *mail)
{
	struct mail_scope *scope = mail->scope;

	if (mail->closed)
		drop_doubles(mail_report(mail));
	mail_item_finish(mail);
	buf_free(&mail->text);
	mail->scope = scope->outer;
	mail->index = scope->index;
	mail->text = scope->text;
	mail->reporter = scope->reporter;
	mail->null_sender = scope->null_sender;
	mail->silent = scope->silent;
	mail->closed = scope->closed;
	mail->machine_made = scope->machine_made;
	mail->statements = scope->statements;
	mail->bad_before = scope->bad_before;
}

void mail_scope_leave(struct mail *mail, const struct mail_scope *outer)
{
	unsigned depth = outer ? outer->depth : 0;

	/* By depth: a second X-ARF, further inside, may have taken the place of the one that was outer. */
	while (mail->scope && mail->scope->depth > depth)
		leave(mail);
}

/* --- what it says of itself --- */

static bool header_begins(GMimeMessage *message, const char *name, const char *word)
{
	struct str value = str_trim(mail_header_raw(GMIME_OBJECT(message), name));
	size_t length = strlen(word);

	return value.len >= length && str_equal_nocase((struct str){value.p, length}, str_of(word));
}

void mail_machine_declared(struct mail *mail, GMimeMessage *message)
{
	mail->machine_made |=
		header_begins(message, "X-ARF", "yes") || header_begins(message, "X-XARF", "plain") ||
		header_begins(message, "X-XARF", "secure") || header_begins(message, "X-XARF", "bulk");
}

/* --- parts --- */

static struct str title_of(const struct mail *mail)
{
	struct str title = mail_report(mail)->title;

	return str_equal(title, STR("(no subject)")) ? STR_NONE : title;
}

/* Who sent the mail reported all that is in it. */
static void add_reporter(struct mail *mail, size_t index)
{
	struct report *report = &mail->reading->items[index].report;

	reading_observable(mail->reading, report, OBSERVABLE_EMAIL, OBSERVED_REPORTER, mail->reporter);
	if (report->sender_id.len == 0)
		report->sender_id = mail_report(mail)->sender_id;
}

static bool take_feedback(struct mail *mail, const struct mail_file *file)
{
	struct reading *reading = mail->reading;
	enum arf_kind kind = arf_kind(file->text);
	struct str title = title_of(mail);
	size_t index;

	if (mail->closed || !str_equal(file->type, STR("message/feedback-report")))
		return false;
	mail->machine_made = true;
	if (kind == ARF_XARF)
		return false; /* kept as it is: the next part says it all */
	if (!machine_may_read(reading, file->part, "arf", file->bytes))
		return true;
	if (kind == ARF_NONE) {
		reading_quarantine(reading, file->part, "arf", file->bytes, "expected a field Feedback-Type");
		return true;
	}
	index = reading->item_count;
	reading_item(reading, kind == ARF_REPORT ? ITEM_REPORT : ITEM_CONTEXT)->part =
		arena_str(reading->arena, file->part);
	add_reporter(mail, index);
	arf_report(reading, &reading->items[index].report, file->text);
	reading->items[index].report.title = title;
	reading_part(reading, reading->items[index].number, PART_EVENT, STR("doc"), file->type,
		reading->items[index].report.doc);
	mail->statements++;
	mail_scope_enter(mail, index);
	mail->closed = true; /* what follows is the message that it is about */
	return true;
}

static bool is_json(const struct mail_file *file)
{
	return str_starts(file->type, STR("application/json")) ||
	       str_starts(file->type, STR("application/xarf")) || str_ends(file->name, STR(".json"));
}

static bool is_xarf(const struct mail *mail, const struct mail_file *file, bool json)
{
	if (json)
		return xarf_json_is(file->text) ||
		       (mail->machine_made && str_equal_nocase(file->name, STR("xarf.json")));
	if (file->name.len == 0 ||
		!(str_starts(file->type, STR("text/")) || str_ends(file->name, STR(".txt"))))
		return false;
	return xarf_text_is(file->text) ||
	       (mail->machine_made && str_equal_nocase(file->name, STR("report.txt")));
}

static bool take_xarf(struct mail *mail, const struct mail_file *file)
{
	struct reading *reading = mail->reading;
	bool again = mail->scope && mail->scope->exhibits, json = is_json(file);
	struct str text;
	size_t index;

	if ((mail->closed && !again) || !is_xarf(mail, file, json))
		return false;
	if (again)
		leave(mail);
	text = buf_view(&mail->text);
	index = reading->item_count;
	if (!(json ? xarf_json_item : xarf_text_item)(reading, file->part, title_of(mail), file->text))
		return true;
	add_reporter(mail, index);
	reading_evidence(reading, reading->items[index].number, file->name, file->type, file->bytes);
	mail->statements++;
	mail_scope_enter(mail, index);
	buf_str(&mail->text, text); /* what it says to people is about this report too */
	mail->scope->exhibits = mail->silent = mail->closed = true;
	return true;
}

/* The next of several in one part; where it is broken, all that is left. */
static bool bulk_next(struct str *rest, size_t max_depth, struct str *value)
{
	json_skip_space(rest);
	if (rest->len > 0 && *rest->p == ',')
		*rest = (struct str){rest->p + 1, rest->len - 1};
	json_skip_space(rest);
	*value = *rest;
	if (rest->len == 0 || *rest->p == ']')
		return false;
	if (!json_skip_value(rest, max_depth, value))
		*rest = (struct str){value->p + value->len, 0};
	return true;
}

/* A list of X-ARF, or one behind the other: *rest is where the first begins. */
static bool is_bulk(const struct mail *mail, const struct mail_file *file, struct str *rest)
{
	struct str value;

	*rest = file->text;
	if (mail->closed || !is_json(file))
		return false;
	if (!json_open(rest, '[')) {
		struct str behind = *rest;
		return xarf_json_is(*rest) &&
		       json_skip_value(&behind, mail->reading->limits->max_depth, &value) &&
		       xarf_json_is(behind);
	}
	return xarf_json_is(*rest);
}

/* Several reports in one part (X-XARF: BULK). What else the mail says, its subject too, is about none of them
 * alone. */
static bool take_bulk(struct mail *mail, const struct mail_file *file)
{
	struct reading *reading = mail->reading;
	struct str rest, value, reason;
	size_t number = 0;

	if (!is_bulk(mail, file, &rest))
		return false;
	while (bulk_next(&rest, reading->limits->max_depth, &value)) {
		struct str part =
			arena_printf(reading->arena, STR_FMT " report %zu", STR_ARG(file->part), ++number);
		size_t index = reading->item_count;
		if (reading_is_full(reading, &reason)) {
			value.len += rest.len;
			reading_quarantine(reading, part, "xarf", value, STR_FMT, STR_ARG(reason));
			break;
		}
		if (!xarf_json_item(reading, part, STR_NONE, arena_str(reading->arena, value)))
			continue;
		add_reporter(mail, index);
		mail->statements++;
	}
	mail->machine_made = true;
	reading_evidence(reading, mail_item(mail)->number, file->name, file->type, file->bytes);
	return true;
}

/* The verdicts of a chain, the first that was said first. */
static size_t seals_list(const struct mail_seal *seals, struct arena *arena, struct verdict **list)
{
	size_t count = 0, at;

	for (const struct mail_seal *seal = seals; seal; seal = seal->next)
		count++;
	at = count;
	*list = arena_alloc(arena, (count + 1) * sizeof(**list));
	for (const struct mail_seal *seal = seals; seal; seal = seal->next) {
		const struct verdict *from = &seal->verdict;

		(*list)[--at] = (struct verdict){.engine = arena_str(arena, from->engine),
			.rule = arena_str(arena, from->rule),
			.set_digest = arena_str(arena, from->set_digest),
			.part = arena_str(arena, from->part),
			.outcome = arena_str(arena, from->outcome)};
	}
	return count;
}

static struct mail_table *table_add(struct mail *mail, const struct mail_file *file, enum format format)
{
	struct mail_table **last = &mail->tables, *table;

	while (*last)
		last = &(*last)->next;
	*last = table = mem_alloc(sizeof(*table));
	table->format = format;
	buf_str(&table->name, file->name);
	table->kept = arena_new(256);
	table->said_count = seals_list(file->seals, table->kept, &table->said);
	return table;
}

/* STIX and events of sensors, as people attach them: read as from a file, once the mail itself is done. It
 * stays a report, and the file its evidence: somebody wrote it. */
static void take_statements(struct mail *mail, const struct mail_file *file)
{
	size_t size = file->text.len;
	enum format format;

	if (mail->closed ||
		(!is_json(file) && !str_ends(file->name, STR(".ndjson")) &&
			!str_ends(file->name, STR(".jsonl"))) ||
		!format_says(file->text, &format))
		return;
	for (const struct mail_table *table = mail->tables; table; table = table->next)
		size += table->text.len;
	if (size > STATEMENTS_MAX)
		reading_note(mail->reading, mail_report(mail),
			STR_FMT ": of all files %d bytes are read for events and STIX at most, this is for "
				"cirt submit",
			STR_ARG(utf8_cut(file->name, 100)), STATEMENTS_MAX);
	else
		table_add(mail, file, format)->text = arena_str(mail->reading->arena, file->text);
}

static bool take_table(struct mail *mail, const struct mail_file *file)
{
	uint32_t number = mail_item(mail)->number;

	if (mail->closed || !shadowserver_is(file->name, file->text))
		return false;
	buf_str(&table_add(mail, file, FORMAT_SHADOWSERVER)->bytes, file->text);
	reading_evidence(mail->reading, number, file->name, file->type, file->bytes);
	reading_part(mail->reading, number, PART_TEXT | PART_FILE, file->name, STR("text/csv"), file->text);
	mail->statements++;
	return true;
}

bool mail_machine_take(struct mail *mail, const struct mail_file *file)
{
	struct mail_file read = *file;
	struct verdict *said;
	bool taken;
	size_t bad;

	if (mail_item(mail)->kind != ITEM_REPORT || file->bytes.len == 0)
		return false; /* a bounce brings back what we sent ourselves */
	read.text = charset_unmarked(file->bytes, mail->reading->arena, &bad);
	mail->reading->said_count = seals_list(file->seals, mail->reading->arena, &said);
	mail->reading->said = said;
	take_statements(mail, &read);
	taken = take_feedback(mail, &read) || take_bulk(mail, &read) || take_xarf(mail, &read) ||
	        take_table(mail, &read);
	mail->reading->said_count = 0;
	return taken;
}

/* --- the mail itself --- */

/* Shadowserver says where the report lies, and sends none. */
static void note_link(struct mail *mail)
{
	struct report *report = mail_report(mail);
	struct str link = shadowserver_link(buf_view(&mail->text));
	size_t kept = 0;

	if (link.len == 0)
		return;
	link = arena_str(mail->reading->arena, link);
	for (size_t i = 0; i < report->observable_count; i++)
		if (report->observables[i].role == OBSERVED_REPORTER)
			report->observables[kept++] = report->observables[i];
	report->observable_count = kept;
	rsit_parse(STR("other"), &report->type);
	severity_parse(STR("info"), &report->severity);
	report->identifier = STR("shadowserver-link");
	report->doc = link; /* a machine's statement, that nobody is to answer */
	reading_note(mail->reading, report,
		"the report itself is not in this mail, it can be fetched from " STR_FMT
		" by hand, or all of them by a source of kind shadowserver",
		STR_ARG(utf8_cut(link, 300)));
}

void mail_machine_settle(struct mail *mail)
{
	struct item *item = mail_item(mail);

	if (item->kind != ITEM_REPORT)
		return;
	if (mail->statements > 0)
		item->kind = ITEM_CONTEXT;
	else if (mail->machine_made && mail->reading->bad_count > mail->bad_before)
		reading_note(mail->reading, &item->report,
			"what it says to machines cannot be read: it is in quarantine");
	else
		note_link(mail);
}

/* Their items point into the files, so nothing is forgotten in between. */
static void read_statements(struct mail *mail)
{
	struct reading *reading = mail->reading;
	void (*flush)(struct reading * reading) = reading->flush;
	struct err err = {0};

	reading->flush = NULL;
	for (const struct mail_table *table = mail->tables; table; table = table->next) {
		reading->said = table->said;
		reading->said_count = table->said_count;
		if (table->format != FORMAT_SHADOWSERVER &&
			!(table->format == FORMAT_STIX ? stix_read : lines_read)(
				reading, table->text, STR_NONE, &err))
			reading_quarantine(reading, arena_str(reading->arena, buf_view(&table->name)), "json",
				table->text, "%s", err.text);
	}
	reading->said_count = 0;
	reading->flush = flush;
}

void mail_machine_tables(struct mail *mail)
{
	struct str title = title_of(mail);
	struct buf subject = {0};

	if (!mail->reading->waits)
		read_statements(mail);
	buf_str(&subject, title); /* the arena forgets it after the first rows */
	for (struct mail_table *table = mail->tables, *next; table; table = next) {
		next = table->next;
		mail->reading->said = table->said;
		mail->reading->said_count = table->said_count;
		if (!mail->reading->waits && table->format == FORMAT_SHADOWSERVER)
			shadowserver_rows(mail->reading, buf_view(&table->name), buf_view(&subject),
				buf_view(&table->bytes));
		buf_free(&table->name);
		mail->reading->said_count = 0;
		arena_free(&table->kept);
		buf_free(&table->bytes);
		free(table);
	}
	mail->tables = NULL;
	buf_free(&subject);
}
