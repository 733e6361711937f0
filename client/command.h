#ifndef CLIENT_COMMAND_H
#define CLIENT_COMMAND_H

#include "client/args.h"
#include "client/link.h"
#include "client/screen.h"

/* One call of cirt: what was asked, and how to answer. */
struct call {
	const struct invocation *invocation;
	const char *method;        /* "case.list" */
	const struct place *place; /* where the daemon listens */
	struct link *link;         /* NULL until call_connect() */
	int code;                  /* what showing came to: EXIT_DONE, or what it complained of */
	struct screen screen;
};

/* Shows the desk's answer to a person. */
typedef void show_fn(struct call *call, struct json_object *result);
/* Does all of it itself: for verbs that are more than question and answer. */
typedef int run_fn(struct call *call);

struct command {
	const char *method;
	show_fn *show;
	run_fn *run;
};

/* Tables of the verbs of a noun or several, ended by method NULL. */
extern const struct command status_commands[];
extern const struct command alarm_commands[];
extern const struct command source_commands[];
extern const struct command report_commands[];
extern const struct command report_act_commands[];
extern const struct command inbox_commands[];
extern const struct command by_hand_commands[];
extern const struct command case_commands[];
extern const struct command clock_commands[]; /* filings, regimes and case.wait too */
void case_show(struct call *call, struct json_object *result);
int case_note(struct call *call);             /* also of `note edit`: "-" is standard input */
extern const struct command party_commands[]; /* note, party, ref, tag, event */
extern const struct command task_commands[];  /* task, measure, campaign */
extern const struct command playbook_commands[];
extern const struct command mail_commands[];
extern const struct command reply_commands[];
extern const struct command inquiry_commands[];
extern const struct command brief_commands[];
extern const struct command spam_commands[];
extern const struct command quarantine_commands[];
extern const struct command org_commands[];
extern const struct command contact_commands[];
extern const struct command group_commands[];
int org_export_run(struct call *call);
int org_import_run(struct call *call);
int org_registry_run(struct call *call);
extern const struct command receipt_commands[];
extern const struct command evidence_commands[];
extern const struct command notice_commands[];
extern const struct command tlp_commands[];
extern const struct command rule_commands[];
extern const struct command rules_commands[];
extern const struct command rescan_commands[];
extern const struct command key_commands[];
extern const struct command search_commands[];
extern const struct command submit_commands[];
extern const struct command today_commands[];
extern const struct command undo_commands[];
extern const struct command watch_commands[];
extern const struct command operator_commands[];
extern const struct command approve_commands[];
extern const struct command journal_commands[];
extern const struct command help_commands[];

const struct command *command_find(const char *method);

/* Exit code, with a message on stderr unless it is EXIT_DONE. */
int call_connect(struct call *call);
int call_ask(struct call *call);                                      /* question, answer, shown */
int call_failed(struct call *call, const struct rpc_message *answer); /* an RPC_ERROR, told to the person */
int call_broken(struct call *call, const struct err *err);
void call_json(struct call *call,
	struct json_object *value); /* to stdout, one line; several where it is a terminal */
/* "More: cirt … --cursor X" below a page that is not the last. */
void call_more(struct call *call, struct json_object *result);
/* A table with the columns and in the order that were asked for; what there is not is complained of, and the
 * exit code says so. */
void call_table(struct call *call, const struct column *columns, size_t count, struct json_object *rows);
/* A page of rows, or `nothing` where it is empty. */
void call_page(struct call *call, const struct column *columns, size_t count, struct json_object *result,
	const char *nothing);
/* One row, as the list of it shows it. */
void call_row(struct call *call, const struct column *columns, size_t count, struct json_object *row);

/* What a verb answers that two people have to do: false where it says nothing of an approval. */
bool approval_show(struct call *call, struct json_object *result);

/* What a noun is about, in a line. */
const char *help_summary(const char *noun);
void help_overview(struct screen *screen);
int help_noun(struct screen *screen, const char *noun);
void help_verb(struct screen *screen, const struct verb *verb);

#endif
