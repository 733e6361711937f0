#include "config.h"

#include <ctype.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"
#include "client/law.h"
#include "client/news.h"
#include "client/when.h"

/*
 * A case on one screen: a line on what it is, then what is to be known of it, a line each, then what there is
 * most of, as tables. What there is nothing of has no line.
 */
#define LABEL        10
#define JOURNAL_LAST 5
#define GOES         STR("goes ") /* a mail of ours that may be taken back until then */

static const struct column mail_columns[] = {
	{"id", N_("MAIL"), CELL_TEXT, false},
	{"received", N_("RECEIVED"), CELL_AGO, false},
	{"new", N_("NEW"), CELL_FLAG, false},
	{"kind", N_("KIND"), CELL_TEXT, true},
	{"sender", N_("FROM"), CELL_TEXT, true},
	{"known", N_("KNOWN"), CELL_FLAG, true},
	{"way", N_("BY"), CELL_TEXT, true},
	{"title", N_("SUBJECT"), CELL_TEXT, true},
};

static const struct column perhaps_columns[] = {
	{"report", N_("PERHAPS OF IT"), CELL_TEXT, false},
	{"sender", N_("FROM"), CELL_TEXT, true},
	{"way", N_("BY"), CELL_TEXT, true},
};

static const struct column report_columns[] = {
	{"id", N_("REPORT"), CELL_TEXT, false},
	{"severity", N_("SEVERITY"), CELL_SEVERITY, false},
	{"count", N_("N"), CELL_NUMBER, false},
	{"last_seen", N_("LAST SEEN"), CELL_AGO, false},
	{"source", N_("SOURCE"), CELL_TEXT, true},
	{"probably", N_("PERHAPS OF"), CELL_TEXT, false},
	{"title", N_("TITLE"), CELL_TEXT, true},
};

static const struct column task_columns[] = {
	{"id", N_("TASK"), CELL_NUMBER, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"due", N_("DUE"), CELL_AGO, false},
	{"assignee", N_("WHO"), CELL_TEXT, false},
	{"title", N_("WHAT"), CELL_TEXT, true},
	{"result", N_("RESULT"), CELL_TEXT, true},
};

static const struct column measure_columns[] = {
	{"id", N_("COUNTERMEASURE"), CELL_NUMBER, false},
	{"kind", N_("KIND"), CELL_TEXT, false},
	{"target", N_("AGAINST"), CELL_TEXT, true},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"owner", N_("OWNER"), CELL_TEXT, false},
	{"review", N_("REVIEW"), CELL_AGO, false},
	{"expires", N_("EXPIRES"), CELL_AGO, false},
};

static const struct column event_columns[] = {
	{"at", N_("IN THE INCIDENT"), CELL_TIME, false},
	{"about", N_("ABOUT"), CELL_FLAG, false},
	{"until", N_("UNTIL"), CELL_TIME, false},
	{"text", N_("WHAT"), CELL_TEXT, true},
	{"told_by", N_("SAYS"), CELL_TEXT, true},
};

static const struct column journal_columns[] = {
	{"at", N_("WHEN"), CELL_AGO, false},
	{"actor", N_("WHO"), CELL_TEXT, true},
	{"what", N_("WHAT"), CELL_TEXT, true},
};

/* ---- lines ---- */

/* A line out of parts; nothing is printed where it has none. Its text is safe for a terminal. */
struct line {
	struct call *call;
	struct buf text;
};

static void line_between(struct line *line)
{
	if (line->text.len)
		buf_text(&line->text, " · ");
}

static void line_add(struct line *line, const char *text)
{
	if (!*text)
		return;
	line_between(line);
	screen_cell(str_of(text), &line->text);
}

/* A part of several words: each is made safe, and goes behind the one before. */
static void line_more(struct line *line, const char *text)
{
	if (!*text)
		return;
	buf_char(&line->text, ' ');
	screen_cell(str_of(text), &line->text);
}

static void line_time(struct line *line, struct json_object *time, enum cell cell)
{
	if (!time)
		return;
	buf_char(&line->text, ' ');
	screen_value(&line->call->screen, time, cell, &line->text);
}

static void line_end(struct line *line, const char *label)
{
	if (line->text.len && label)
		screen_label(&line->call->screen, label, LABEL);
	if (line->text.len)
		screen_text(&line->call->screen, label ? LABEL : 0, buf_view(&line->text));
	buf_free(&line->text);
}

static size_t rows_of(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static struct json_object *row_of(struct json_object *list, size_t i)
{
	return json_object_array_get_idx(list, i);
}

static void line_list(struct line *line, struct json_object *list)
{
	for (size_t i = 0; i < rows_of(list); i++)
		line_add(line, json_object_get_string(row_of(list, i)));
}

/* ---- what it is ---- */

static void head_color(struct line *line, const char *color, const char *text)
{
	bool on = line->call->screen.color && *color;

	line_between(line);
	buf_text(&line->text, on ? color : "");
	for (const char *at = text; *at; at++)
		buf_char(&line->text, (char)toupper((unsigned char)*at));
	buf_text(&line->text, on ? "\033[0m" : "");
}

/* "CRITICAL ransomware": its severity, and what it is in the words that say most. */
static void head_kind(struct line *line, struct json_object *result)
{
	const char *severity = member_text(result, "severity");
	struct json_object *tags = member_of(result, "tags");

	head_color(line, screen_severity_color(severity), severity);
	if (rows_of(tags) > 0)
		for (size_t i = 0; i < rows_of(tags); i++)
			line_more(line, json_object_get_string(row_of(tags, i)));
	else if (*member_text(result, "identifier"))
		line_more(line, member_text(result, "identifier"));
	else
		line_more(line, member_text(result, "classification"));
}

/* "open 8 h"; "contained · opened 8 h ago": how old it is, whatever its state. */
static void head_state(struct line *line, struct json_object *result)
{
	int64_t opened;

	line_add(line, member_text(result, "state"));
	if (*member_text(result, "merged_into")) {
		buf_printf(&line->text, " %s", _("into"));
		line_more(line, member_text(result, "merged_into"));
	} else if (member_of(result, "closed")) {
		line_time(line, member_of(result, "closed"), CELL_AGO);
	} else if (strcmp(member_text(result, "state"), "new") != 0 &&
		   strcmp(member_text(result, "state"), "open") != 0) {
		line_add(line, _("opened"));
		line_time(line, member_of(result, "opened"), CELL_AGO);
	} else if (clock_parse(str_of(member_text(result, "opened")), &opened)) {
		struct buf span = {0};
		when_span(line->call->screen.now - opened, &span);
		line_more(line, buf_cstr(&span));
		buf_free(&span);
	}
}

static void head_campaign(struct line *line, struct json_object *result)
{
	struct json_object *campaign = member_of(result, "campaign");
	int64_t below = member_number(result, "campaign_of");

	if (campaign) {
		line_add(line, _("campaign"));
		line_more(line, member_text(campaign, "title"));
		buf_printf(&line->text, _(" (%lld cases)"), (long long)member_number(campaign, "cases"));
	}
	if (below > 0) {
		line_between(line);
		buf_printf(&line->text, _("campaign of %lld cases"), (long long)below);
	}
}

static void show_head(struct call *call, struct json_object *result)
{
	struct line line = {.call = call};
	struct buf title = {0};
	char tlp[40];

	screen_cell(str_of(member_text(result, "number")), &title);
	buf_char(&title, ' ');
	screen_cell(str_of(member_text(result, "title")), &title);
	screen_heading(&call->screen, buf_cstr(&title));
	buf_free(&title);
	head_kind(&line, result);
	line_add(&line, member_text(result, "organisation"));
	head_state(&line, result);
	line_add(&line, *member_text(result, "assignee") ? member_text(result, "assignee") : _("nobody's"));
	snprintf(tlp, sizeof(tlp), "TLP:%.30s", member_text(result, "tlp"));
	head_color(&line, screen_tlp_color(member_text(result, "tlp")), tlp);
	if (member_true(result, "restricted"))
		line_add(&line, _("restricted"));
	if (*member_text(result, "exercise")) {
		line_add(&line, _("EXERCISE"));
		line_more(&line, member_text(result, "exercise"));
	}
	head_campaign(&line, result);
	line_end(&line, NULL);
}

/* ---- what is to be known ---- */

static void show_parties(struct call *call, struct json_object *result)
{
	struct json_object *parties = member_of(result, "parties");
	struct line line = {.call = call};

	for (size_t i = 0; i < rows_of(parties); i++) {
		struct json_object *party = row_of(parties, i), *refs = member_of(party, "refs");
		bool named = *member_text(party, "name");
		line_add(&line, member_text(party, "role"));
		line_more(&line, member_text(party, named ? "name" : "organisation"));
		if (named && *member_text(party, "organisation") &&
			strcmp(member_text(party, "organisation"), member_text(party, "name")) != 0) {
			buf_text(&line.text, ",");
			line_more(&line, member_text(party, "organisation"));
		}
		for (size_t j = 0; j < rows_of(refs); j++) {
			buf_printf(&line.text, " %s", _("ref"));
			line_more(&line, json_object_get_string(row_of(refs, j)));
		}
	}
	line_end(&line, _("parties"));
}

static void show_clocks(struct call *call, struct json_object *result)
{
	struct json_object *clocks = member_of(result, "clocks");
	struct line line = {.call = call};

	for (size_t i = 0; i < rows_of(clocks); i++) {
		struct json_object *clock = row_of(clocks, i);
		line_add(&line, !strcmp(member_text(clock, "whose"), "ours") ? _("OUR") : _("their"));
		line_more(&line, member_text(clock, "what"));
		if (!strcmp(member_text(clock, "state"), "paused"))
			line_more(&line, _("paused"));
		else
			line_time(&line, member_of(clock, "due"), CELL_DUE);
	}
	line_end(&line, _("clocks"));
	law_show(&call->screen, member_text(result, "number"), member_of(result, "law"), 0);
}

static void show_inquiries(struct call *call, struct json_object *result)
{
	struct json_object *inquiries = member_of(result, "inquiries");
	struct line line = {.call = call};

	for (size_t i = 0; i < rows_of(inquiries); i++) {
		struct json_object *inquiry = row_of(inquiries, i);
		line_add(&line, member_text(inquiry, "to"));
		buf_text(&line.text, ":");
		line_more(&line, member_text(inquiry, "state"));
		if (member_of(inquiry, "of"))
			buf_printf(&line.text, _(", %lld of %lld have answered"),
				(long long)(member_number(inquiry, "of") - member_number(inquiry, "silent")),
				(long long)member_number(inquiry, "of"));
		if (member_of(inquiry, "answered"))
			line_time(&line, member_of(inquiry, "answered"), CELL_AGO);
		else if (!strcmp(member_text(inquiry, "state"), "open") && member_of(inquiry, "due")) {
			buf_printf(&line.text, ", %s", _("due"));
			line_time(&line, member_of(inquiry, "due"), CELL_DUE);
		}
	}
	line_end(&line, _("asked"));
}

/* The last note that was pinned, in one line. */
static void show_now(struct call *call, struct json_object *result)
{
	struct json_object *now = member_of(result, "now"), *waits = member_of(result, "waits");
	struct line line = {.call = call};

	if (waits) {
		line_add(&line, member_text(waits, "whom"));
		line_add(&line, _("until"));
		line_time(&line, member_of(waits, "until"), CELL_TIME);
		line_end(&line, _("waits for"));
	}
	if (now) {
		line_add(&line, member_text(now, "text"));
		buf_text(&line.text, " (");
		screen_cell(str_of(member_text(now, "actor")), &line.text);
		line_time(&line, member_of(now, "at"), CELL_AGO);
		buf_text(&line.text, ")");
	}
	line_end(&line, _("now"));
}

static void count_part(struct line *line, const char *what, int64_t count)
{
	if (count == 0)
		return;
	line_between(line);
	buf_printf(&line->text, "%s %lld", what, (long long)count);
}

/* Since this person looked last. */
static void show_news(struct call *call, struct json_object *result)
{
	struct line line = {.call = call};

	if (member_of(result, "news"))
		news_describe(&call->screen, member_of(result, "news"), &line.text);
	line_end(&line, _("news"));
}

static void show_counts(struct call *call, struct json_object *result)
{
	struct json_object *tasks = member_of(result, "tasks");
	struct line line = {.call = call};
	size_t done = 0, dropped = 0;

	for (size_t i = 0; i < rows_of(tasks); i++) {
		done += !strcmp(member_text(row_of(tasks, i), "state"), "done");
		dropped += !strcmp(member_text(row_of(tasks, i), "state"), "dropped");
	}
	if (rows_of(tasks) > dropped)
		buf_printf(&line.text, _("tasks %zu/%zu"), done, rows_of(tasks) - dropped);
	count_part(&line, _("evidence"), member_number(result, "evidence"));
	count_part(&line, _("mails"), member_number(result, "mails_count"));
	count_part(&line, _("reports"), member_number(result, "reports"));
	count_part(&line, _("notes"), member_number(result, "notes_count"));
	line_end(&line, _("work"));
}

/* References that are no party's: those stand with the party. */
static void show_references(struct call *call, struct json_object *result)
{
	struct json_object *references = member_of(result, "references");
	struct line line = {.call = call};

	for (size_t i = 0; i < rows_of(references); i++) {
		struct json_object *reference = row_of(references, i);
		if (member_of(reference, "party"))
			continue;
		line_add(&line, member_text(reference, "system"));
		line_more(&line, member_text(reference, "value"));
	}
	line_end(&line, _("refs"));
}

static void show_end(struct call *call, struct json_object *result)
{
	struct line line = {.call = call};

	line_add(&line, member_text(result, "outcome"));
	line_add(&line, member_text(result, "outcome_text"));
	line_end(&line, _("outcome"));
	line_add(&line, member_text(result, "impact"));
	line_end(&line, _("impact"));
	line_add(&line, member_text(result, "reason"));
	line_end(&line, _("reason"));
}

static const struct {
	const char *member, *label;
} lists[] = {{"merged", N_("merged in")}, {"watchers", N_("watched")}, {"next_states", N_("may go to")}};

/* "type=phishing host= name=login.example": what says nothing of it is left out. */
static void line_keys(struct line *line, struct json_object *keys)
{
	for (size_t i = 0; i < rows_of(keys); i++) {
		struct str rest = str_of(json_object_get_string(row_of(keys, i))), word;
		line_between(line);
		for (bool first = true; str_split(&rest, ' ', &word);) {
			if (word.len == 0 || str_ends(word, STR("=")))
				continue;
			buf_text(&line->text, first ? "" : " ");
			screen_cell(word, &line->text);
			first = false;
		}
	}
}

static void show_rest(struct call *call, struct json_object *result)
{
	struct line line = {.call = call};

	if (rows_of(member_of(result, "tags")) > 0) {
		line_add(&line, member_text(result, "classification"));
		line_add(&line, member_text(result, "identifier"));
		line_end(&line, _("type"));
	}
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		line_list(&line, member_of(result, lists[i].member));
		line_end(&line, _(lists[i].label));
	}
	line_keys(&line, member_of(result, "keys"));
	line_end(&line, _("groups by"));
	line_add(&line, member_text(result, "reply_address"));
	line_add(&line, member_text(result, "subject_tag"));
	line_end(&line, _("answers"));
}

/* ---- what there is most of ---- */

static void show_table(
	struct call *call, const struct column *columns, size_t count, struct json_object *rows)
{
	if (rows_of(rows) == 0)
		return;
	screen_printf(&call->screen, "\n");
	screen_table(&call->screen, columns, count, rows);
}

static void show_reports(struct call *call, struct json_object *result)
{
	struct json_object *reports = member_of(result, "report_items");
	long long more = (long long)member_number(result, "reports") - (long long)rows_of(reports);

	show_table(call, report_columns, ARRAY_LEN(report_columns), reports);
	if (rows_of(reports) > 0 && more > 0)
		screen_printf(&call->screen, _("and %lld more\n"), more);
}

/* "goes in 43 s": not yet on its way. */
static void show_goes(int64_t at, int64_t now, struct buf *head)
{
	buf_text(head, _("goes "));
	when_relative(at, now, head);
}

/* --mail: every mail in and out, one after another. */
static void show_thread(struct call *call, struct json_object *mails)
{
	static const struct {
		const char *before, *member;
	} parts[] = {{"", "id"}, {" ", "who"}, {" · ", "title"}, {" · ", "state"}, {" · ", "sealed"}};
	int64_t goes;

	for (size_t i = 0; i < rows_of(mails); i++) {
		struct json_object *mail = row_of(mails, i);
		struct buf head = {0};
		buf_text(&head, !strcmp(member_text(mail, "way"), "out") ? _("→ ") : _("← "));
		screen_value(&call->screen, member_of(mail, "at"), CELL_TIME, &head);
		buf_char(&head, ' ');
		for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
			if (!*member_text(mail, parts[k].member))
				continue;
			struct str said = str_of(member_text(mail, parts[k].member));
			buf_text(&head, parts[k].before);
			if (str_starts(said, GOES) &&
				clock_parse((struct str){said.p + GOES.len, said.len - GOES.len}, &goes))
				show_goes(goes, call->screen.now, &head);
			else
				screen_cell(said, &head);
		}
		screen_printf(&call->screen, "\n");
		screen_heading(&call->screen, buf_cstr(&head));
		screen_block(&call->screen, 2, str_of(member_text(mail, "text")));
		buf_free(&head);
	}
}

static void note_head(struct call *call, struct json_object *note)
{
	struct line line = {.call = call};

	buf_printf(&line.text, "\n%s %lld", _("note"), (long long)member_number(note, "id"));
	line_add(&line, member_text(note, "actor"));
	line_add(&line, "");
	line_time(&line, member_of(note, "at"), CELL_TIME);
	if (member_true(note, "pinned"))
		line_add(&line, _("pinned"));
	if (member_true(note, "unsaid"))
		line_add(&line, _("not to be told on"));
	if (member_of(note, "edited"))
		line_add(&line, _("edited"));
	screen_heading(&call->screen, buf_cstr(&line.text));
	buf_free(&line.text);
}

static void show_notes(struct call *call, struct json_object *result)
{
	struct json_object *notes = member_of(result, "notes");
	long long before = (long long)member_number(result, "notes_count") - (long long)rows_of(notes);

	if (rows_of(notes) > 0 && before > 0)
		screen_printf(&call->screen, _("\nand %lld notes before these\n"), before);
	for (size_t i = 0; i < rows_of(notes); i++) {
		struct json_object *note = row_of(notes, i);
		note_head(call, note);
		if (member_of(note, "erased"))
			screen_printf(&call->screen, "  %s\n", _("(erased)"));
		screen_block(&call->screen, 2, str_of(member_text(note, "text")));
		if (member_of(note, "cut"))
			screen_printf(&call->screen, _("  … all of it: cirt note show %lld\n"),
				(long long)member_number(note, "id"));
	}
}

/* The last lines; all of them for who asks for the journal. */
static void show_journal(struct call *call, struct json_object *result)
{
	struct json_object *journal = member_of(result, "journal"), *last = json_object_new_array();
	size_t count = rows_of(journal);
	bool all = member_true(call->invocation->params, "journal");

	for (size_t i = all || count < JOURNAL_LAST ? 0 : count - JOURNAL_LAST; i < count; i++)
		json_object_array_add(last, json_object_get(row_of(journal, i)));
	show_table(call, journal_columns, ARRAY_LEN(journal_columns), last);
	json_object_put(last);
}

void case_show(struct call *call, struct json_object *result)
{
	show_head(call, result);
	show_parties(call, result);
	show_clocks(call, result);
	show_inquiries(call, result);
	show_now(call, result);
	show_news(call, result);
	show_counts(call, result);
	show_references(call, result);
	show_end(call, result);
	show_rest(call, result);
	show_table(call, event_columns, ARRAY_LEN(event_columns), member_of(result, "events"));
	show_table(call, task_columns, ARRAY_LEN(task_columns), member_of(result, "tasks"));
	show_table(call, measure_columns, ARRAY_LEN(measure_columns), member_of(result, "measures"));
	show_reports(call, result);
	show_table(call, mail_columns, ARRAY_LEN(mail_columns), member_of(result, "mails"));
	show_thread(call, member_of(result, "thread"));
	show_table(call, perhaps_columns, ARRAY_LEN(perhaps_columns), member_of(result, "perhaps"));
	show_notes(call, result);
	show_journal(call, result);
}
