#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "client/command.h"
#include "client/complete.h"
#include "client/i18n.h"
#include "client/language.h"
#include "client/saved.h"

static const struct command *const tables[] = {today_commands, undo_commands, status_commands, alarm_commands,
	source_commands, report_commands, report_act_commands, inbox_commands, by_hand_commands,
	case_commands, party_commands, task_commands, clock_commands, playbook_commands, mail_commands,
	reply_commands, brief_commands, inquiry_commands, spam_commands, quarantine_commands, org_commands,
	contact_commands, group_commands, receipt_commands, evidence_commands, notice_commands, tlp_commands,
	rule_commands, rules_commands, rescan_commands, key_commands, search_commands, submit_commands,
	watch_commands, help_commands, operator_commands, approve_commands, journal_commands};

const struct command *command_find(const char *method)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		for (const struct command *command = tables[i]; command->method; command++)
			if (!strcmp(command->method, method))
				return command;
	return NULL;
}

static bool save(const struct invocation *invocation)
{
	struct err err;

	if (saved_write(invocation->verb, str_of(invocation->save), buf_view(&invocation->words), &err))
		return true;
	fprintf(stderr, "cirt: %s\n", err.text);
	return false;
}

static int run_at(const struct invocation *invocation, const struct place *place)
{
	const struct verb *verb = invocation->verb;
	char method[64];

	snprintf(method, sizeof(method), "%s%s%s", verb->noun, *verb->verb ? "." : "", verb->verb);
	const struct command *command = command_find(method);
	struct call call = {.invocation = invocation, .method = method, .place = place};
	screen_init(&call.screen);
	int code = command && command->run ? command->run(&call) : call_ask(&call);
	screen_flush(&call.screen);
	screen_free(&call.screen);
	link_close(&call.link);
	return code;
}

static int run(const struct invocation *invocation)
{
	struct place place;
	struct err err;

	if (invocation->save && !save(invocation))
		return EXIT_FAILED;
	if (!place_find(&invocation->place, &place, &err)) {
		fprintf(stderr, "cirt: %s\n", err.text);
		return EXIT_USAGE;
	}
	int code = run_at(invocation, &place);
	place_clear(&place);
	return code;
}

/* Asked by a shell, maybe through a script that says where the daemon is. */
static bool complete(int argc, char **argv, int *code)
{
	struct place_said said = {0};

	if (argc > 3 && !strcmp(argv[1], "--socket")) {
		said.socket = argv[2];
		argc -= 2;
		argv += 2;
	}
	if (argc > 2 && !strcmp(argv[1], "--complete") && !strcmp(argv[2], "--"))
		*code = complete_run(&said, argc - 3, argv + 3);
	else if (argc == 5 && !strcmp(argv[1], "--complete=bash") && !strcmp(argv[2], "--"))
		*code = complete_bash(&said, argv[3], argv[4]);
	else
		return false;
	return true;
}

/* `cirt`, `cirt case`, `cirt case --help`, `cirt case move --help`. */
static int help(const struct invocation *invocation)
{
	struct screen screen;
	int code = EXIT_DONE;

	screen_init(&screen);
	if (invocation->verb)
		help_verb(&screen, invocation->verb);
	else if (!invocation->noun)
		help_overview(&screen);
	else {
		help_noun(&screen, invocation->noun);
		code = invocation->help ? EXIT_DONE : EXIT_USAGE;
	}
	screen_flush(&screen);
	screen_free(&screen);
	return code;
}

int main(int argc, char **argv)
{
	struct invocation invocation;
	struct buf complaint = {0};
	int code;

	language_begin();
	if (complete(argc, argv, &code))
		return code;
	if (args_parse(argc, argv, &invocation, &complaint) != ARGS_RUN) {
		struct buf safe = {0};
		screen_safe(buf_view(&complaint), &safe);
		fputs(buf_cstr(&safe), stderr);
		buf_free(&safe);
		code = EXIT_USAGE;
	} else if (invocation.help || !invocation.verb) {
		code = help(&invocation);
	} else {
		code = run(&invocation);
	}
	buf_free(&complaint);
	args_free(&invocation);
	if (fflush(stdout) != 0 || ferror(stdout))
		code = code ? code : EXIT_FAILED;
	return code;
}
