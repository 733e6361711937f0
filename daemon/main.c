#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "courier/courier.h"
#include "desk/desk.h"
#include "exchange/exchange.h"
#include "intake/intake.h"
#include "keeper/keeper.h"
#include "keys/keys.h"
#include "pg/migrate.h"
#include "proc/room.h"
#include "spool/spool.h"
#include "store/store.h"
#include "supervisor/check.h"
#include "supervisor/commands.h"
#include "supervisor/supervisor.h"
#include "triage/plugin_builtin.h"
#include "triage/plugin_host.h"
#include "triage/rules_check.h"
#include "triage/triage.h"

/* The rooms of this program, in the order in which they are started. */
static const struct room_spec *const rooms[] = {
	&spool_room,
	&store_room,
	&triage_room,
	&intake_room,
	&desk_room,
	&exchange_room,
	&keeper_room,
	&keys_room,
	&courier_room,
	NULL,
};

enum { EXIT_MISTAKE = 2 };

struct options {
	char conf_path[PATH_MAX];
	char sql_folder[PATH_MAX];
	bool check;
};

static void print_usage(FILE *out)
{
	fputs("usage: cirtd [-c FILE] [-S FOLDER] [-t | COMMAND]\n"
	      "\n"
	      "  -c FILE      configuration, instead of " CIRTD_CONFIG "\n"
	      "  -S FOLDER    migrations, instead of " CIRTD_SQLDIR "\n"
	      "  -t           check the configuration: every mistake with file and line; exit 2 if there is "
	      "one\n"
	      "  -f           stay in the foreground, as it always does\n"
	      "  --version    print the version\n"
	      "\n"
	      "Commands, instead of running:\n"
	      "  migrate          bring the schema of the database up to date\n"
	      "  psql [ARG…]      open our database as its owner\n"
	      "  rules-check DIR  compile and time every rule file of a folder\n"
	      "  sample-config    print a configuration with every option explained\n",
		out);
}

static int run_room(int argc, char **argv)
{
	enum room_id id;
	uint64_t instance = 0;
	if (argc != 4 || !room_parse(str_of(argv[2]), &id) || !str_to_u64(str_of(argv[3]), &instance)) {
		fputs("cirtd: --room is for the supervisor only\n", stderr);
		return EXIT_MISTAKE;
	}
	for (size_t i = 0; rooms[i]; i++)
		if (rooms[i]->id == id)
			return room_main(rooms[i], (unsigned)instance);
	return EXIT_MISTAKE;
}

static int run_supervisor(const struct options *options)
{
	enum room_id ids[ROOMS];
	size_t count = 0;
	while (rooms[count]) {
		ids[count] = rooms[count]->id;
		count++;
	}
	struct supervisor_settings settings = {.conf_path = options->conf_path,
		.sql_folder = options->sql_folder,
		.version = PACKAGE_VERSION,
		.rooms = ids,
		.room_count = count};
	return supervisor_run(&settings);
}

static int run_migrate(const struct options *options)
{
	struct database database;
	struct arena *arena = arena_new(16384);
	struct conf conf;
	struct err err = {0};
	unsigned applied = 0;
	log_open("migrate");
	if (!check_read(options->conf_path, arena, &conf, NULL)) {
		arena_free(&arena);
		return EXIT_MISTAKE;
	}
	bool ok = database_open(&conf, &database, &err) && command_become_owner(&conf, &err);
	struct migrate_settings settings = {.conninfo = database.conninfo,
		.owner_password = database_password(&database, "cirt_owner"),
		.admin_password = conf.db_managed ? database_password(&database, "postgres") : STR_NONE,
		.passwords = buf_view(&database.passwords),
		.folder = options->sql_folder};
	ok = ok && migrate_run(&settings, &applied, &err);
	if (ok)
		log_info("%u migrations applied, the schema is up to date", applied);
	else
		log_error("%s", err.text);
	database_close(&database);
	arena_free(&arena);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_command(const struct options *options, char **argv)
{
	if (strcmp(argv[0], "migrate") == 0 && !argv[1])
		return run_migrate(options);
	if (strcmp(argv[0], "psql") == 0)
		return command_psql(options->conf_path, argv + 1);
	if (strcmp(argv[0], "sample-config") == 0 && !argv[1])
		return command_sample_config();
	if (strcmp(argv[0], "rules-check") == 0 && argv[1] && !argv[2])
		return rules_check_main(argv[1]);
	fprintf(stderr, "cirtd: %s: migrate, psql, rules-check FOLDER or sample-config was expected\n",
		argv[0]);
	return EXIT_MISTAKE;
}

/* Children work in another folder: paths must be whole. */
static void take_path(const char *path, char whole[PATH_MAX])
{
	if (!realpath(path, whole))
		snprintf(whole, PATH_MAX, "%s", path);
}

int main(int argc, char **argv)
{
	struct options options = {.conf_path = CIRTD_CONFIG, .sql_folder = CIRTD_SQLDIR};
	int option;
	if (argc > 1 && strcmp(argv[1], "--room") == 0)
		return run_room(argc, argv);
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("cirtd %s\n", PACKAGE_VERSION) > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	while ((option = getopt(argc, argv, "+c:S:tf")) != -1) {
		switch (option) {
		case 'c':
			take_path(optarg, options.conf_path);
			break;
		case 'S':
			take_path(optarg, options.sql_folder);
			break;
		case 't':
			options.check = true;
			break;
		case 'f':
			break;
		default:
			print_usage(stderr);
			return EXIT_MISTAKE;
		}
	}
	if (options.check)
		return check_print(options.conf_path, plugin_is_builtin, plugin_takes);
	if (argv[optind])
		return run_command(&options, argv + optind);
	return run_supervisor(&options);
}
