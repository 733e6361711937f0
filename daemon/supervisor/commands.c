#include "config.h"

#include "supervisor/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "proc/sandbox.h"
#include "supervisor/check.h"
#include "supervisor/folders.h"

int command_sample_config(void)
{
	struct buf text = {0};
	conf_print_sample(&text);
	bool ok = fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
	buf_free(&text);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

bool command_become_owner(const struct conf *conf, struct err *err)
{
	char *user = conf->db_managed ? folders_user(conf, "db") : NULL;
	bool ok = !user || user_become(user, err);
	free(user);
	return ok;
}

static void set_variable(const char *name, struct str value)
{
	char *text = mem_strndup(value.p ? value.p : "", value.len);
	if (value.p)
		setenv(name, text, 1);
	mem_wipe(text, value.len);
	free(text);
}

static int run_psql(const struct conf *conf, const struct database *database, char **more)
{
	size_t count = 0;
	while (more[count])
		count++;
	char *path = mem_printf(STR_FMT "/psql", STR_ARG(conf->db_pgbin));
	char **argv = mem_alloc((count + 3) * sizeof(*argv));
	argv[0] = path;
	argv[1] = mem_printf("%s user=cirt_owner", database->conninfo);
	memcpy(argv + 2, more, count * sizeof(*argv));
	set_variable("PGPASSWORD", database_password(database, "cirt_owner"));
	setenv("PGOPTIONS", "-c search_path=cirt,public", 0);
	execv(access(path, X_OK) == 0 ? path : "/usr/bin/psql", argv);
	fprintf(stderr, "cirtd: %s: %s\n", path, strerror(errno));
	return EXIT_FAILURE;
}

int command_psql(const char *conf_path, char **argv)
{
	struct arena *arena = arena_new(16384);
	struct database database = {0};
	struct conf conf;
	struct err err = {0};
	int status = 2;
	if (check_read(conf_path, arena, &conf, NULL)) {
		status = EXIT_FAILURE;
		if (database_open(&conf, &database, &err))
			status = run_psql(&conf, &database, argv);
		else
			fprintf(stderr, "cirtd: %s\n", err.text);
	}
	database_close(&database);
	arena_free(&arena);
	return status;
}
