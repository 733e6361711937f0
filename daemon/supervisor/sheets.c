#include "config.h"

#include "supervisor/sheets.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/rules_bundle.h"
#include "model/calendar.h"
#include "model/playbook.h"
#include "model/regime.h"

#define SHEETS_MOST 500 /* of one folder */

enum sheet { SHEET_REGIME, SHEET_PLAYBOOK, SHEET_HOLIDAYS };
static const char *const prefixes[] = {"regime/", "playbook/", "holidays/"};

/* One file, or why it could not be read. */
typedef void sheet_fn(enum sheet kind, const char *path, struct str name, struct str bytes,
	const char *problem, void *context);

static void visit_file(enum sheet kind, const char *path, struct str name, sheet_fn *call, void *context)
{
	struct buf bytes = {0};
	struct err err = {0};
	bool ok = file_read(path, SHEET_SIZE + 1, &bytes, &err);

	call(kind, path, name, buf_view(&bytes), ok ? NULL : err.text, context);
	buf_free(&bytes);
}

static int is_sheet(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && str_ends(str_of(entry->d_name), STR(".conf"));
}

/* A folder that nobody has named need not be there. */
static void visit_folder(enum sheet kind, struct str folder, bool named, sheet_fn *call, void *context)
{
	struct dirent **entries = NULL;
	char *path = mem_strndup(folder.len ? folder.p : "", folder.len);
	int count = path[0] ? scandir(path, &entries, is_sheet, alphasort) : 0;

	if (count < 0 && (named || errno != ENOENT))
		call(kind, path, STR(""), STR(""), strerror(errno), context);
	for (int i = 0; i < count; i++) {
		struct str name = str_of(entries[i]->d_name);
		name.len -= strlen(".conf");
		char *file = mem_printf("%s/%s", path, entries[i]->d_name);
		if (i < SHEETS_MOST)
			visit_file(kind, file, name, call, context);
		free(file);
		free(entries[i]);
	}
	free(entries);
	free(path);
}

static void visit(const struct conf *conf, sheet_fn *call, void *context)
{
	visit_folder(SHEET_REGIME, conf->clock_regimes,
		conf->lines && conf_line(conf, "clocks", "regimes") > 0, call, context);
	visit_folder(SHEET_PLAYBOOK, conf->clock_playbooks,
		conf->lines && conf_line(conf, "clocks", "playbooks") > 0, call, context);
	for (size_t i = 0; i < conf->clock_holidays.count; i++) {
		struct str value = conf->clock_holidays.values[i];
		char *path = mem_strndup(value.p, value.len);
		visit_file(SHEET_HOLIDAYS, path, value, call, context);
		free(path);
	}
}

static void add(enum sheet kind, const char *path, struct str name, struct str bytes, const char *problem,
	void *context)
{
	struct buf *bundle = context;
	char *entry = mem_printf("%s" STR_FMT, prefixes[kind], STR_ARG(name));

	if (problem)
		log_warn_f(LOG_F({"file", path}), "left out: %s", problem);
	else
		rules_bundle_add(bundle, str_of(entry), bytes);
	free(entry);
}

/* "Europe/Vienna": what the link of the system's zone says, or TZ. */
static void machine_zone(struct buf *zone)
{
	char target[256];
	const char *said = getenv("TZ"), *marker = "zoneinfo/";
	ssize_t len = readlink("/etc/localtime", target, sizeof(target) - 1);

	if (said && *said) {
		buf_text(zone, *said == ':' ? said + 1 : said);
		return;
	}
	target[len > 0 ? len : 0] = 0;
	const char *name = strstr(target, marker);
	buf_text(zone, name ? name + strlen(marker) : "UTC");
}

void sheets_bundle(const struct conf *conf, struct buf *bundle)
{
	struct buf zone = {0};

	machine_zone(&zone);
	rules_bundle_add(bundle, STR("zone"), buf_view(&zone));
	visit(conf, add, bundle);
	buf_free(&zone);
}

struct checking {
	conf_complaint *complain;
	void *context;
	bool ok;
};

static void check(enum sheet kind, const char *path, struct str name, struct str bytes, const char *problem,
	void *context)
{
	struct checking *checking = context;
	struct json_object *read = NULL;
	struct buf fault = {0};
	int line = 0;
	(void)name;

	if (problem) {
		buf_text(&fault, problem);
	} else if (kind == SHEET_HOLIDAYS) {
		read = json_object_new_array();
		calendar_holidays_read(bytes, read, &line, &fault);
	} else {
		read = (kind == SHEET_REGIME ? regime_read : playbook_read)(bytes, &line, &fault);
	}
	if (fault.len > 0) {
		checking->ok = false;
		checking->complain(path, line, buf_cstr(&fault), checking->context);
	}
	json_object_put(read);
	buf_free(&fault);
}

bool sheets_check(const struct conf *conf, conf_complaint *complain, void *context)
{
	struct checking checking = {complain, context, true};
	struct json_object *hours = json_object_new_array();
	struct buf fault = {0};

	if (!calendar_hours_read(conf->clock_hours, hours, &fault)) {
		checking.ok = false;
		complain(conf->path.p, conf_line(conf, "clocks", "hours"), buf_cstr(&fault), context);
	}
	visit(conf, check, &checking);
	json_object_put(hours);
	buf_free(&fault);
	return checking.ok;
}
