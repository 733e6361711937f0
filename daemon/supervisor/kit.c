#include "config.h"

#include "supervisor/kit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/edge_control.h"
#include "ipc/rules_bundle.h"
#include "supervisor/folders.h"
#include "supervisor/secrets.h"
#include "supervisor/sheets.h"
#include "supervisor/templates.h"

#define PEM_MAX   ((size_t)4 << 20)
#define RULES_MAX ((size_t)256 << 20)
#define FILE_MAX  ((size_t)2 << 30)

struct grant {
	char *name;
	room_mask rooms;
	int fd;
};

struct kit {
	unsigned holders;
	struct arena *arena;
	struct conf conf;
	struct grant *grants;
	size_t count;
};

static void add_fd(struct kit *kit, const char *name, room_mask rooms, int fd)
{
	kit->grants = mem_resize(kit->grants, (kit->count + 1) * sizeof(*kit->grants));
	kit->grants[kit->count++] = (struct grant){mem_strdup(name), rooms, fd};
}

static bool add_bytes(struct kit *kit, const char *name, room_mask rooms, struct str bytes, struct err *err)
{
	int fd;
	if (!fd_memory(name, bytes, &fd, err))
		return false;
	add_fd(kit, name, rooms, fd);
	return true;
}

/* The bytes of a file; path "": no such grant. */
static bool add_file(
	struct kit *kit, const char *name, room_mask rooms, struct str path, size_t max, struct err *err)
{
	struct buf bytes = {0};
	if (path.len == 0)
		return true;
	char *file = mem_strndup(path.p, path.len);
	bool ok = file_read(file, max, &bytes, err) && add_bytes(kit, name, rooms, buf_view(&bytes), err);
	if (bytes.data)
		mem_wipe(bytes.data, bytes.len);
	buf_free(&bytes);
	free(file);
	return ok;
}

static bool add_certificates(struct kit *kit, const struct conf *conf, struct err *err)
{
	const struct {
		const char *name;
		enum room_id room;
		struct str path;
	} files[] = {
		{"sensor.certificate", ROOM_INTAKE, conf->sensor_certificate},
		{"sensor.key", ROOM_INTAKE, conf->sensor_key},
		{"sensor.ca", ROOM_INTAKE, conf->sensor_ca},
		{"desk.certificate", ROOM_DESK, conf->desk_certificate},
		{"desk.key", ROOM_DESK, conf->desk_key},
		{"desk.ca", ROOM_DESK, conf->desk_ca},
		{"mail.certificate", ROOM_INTAKE, conf->mail_certificate},
		{"mail.key", ROOM_INTAKE, conf->mail_key},
		{"exchange.ca", ROOM_EXCHANGE, conf->exchange_ca},
		{"keys.passphrase", ROOM_KEYS, conf->keys_enabled ? conf->keys_passphrase_file : STR_NONE},
		{"exchange.certificate", ROOM_EXCHANGE, conf->exchange_certificate},
		{"exchange.key", ROOM_EXCHANGE, conf->exchange_key},
		{"mail_out.ca", ROOM_COURIER, conf->out_ca},
		{"mail_out.password", ROOM_COURIER, conf->out_password_file},
	};
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (!add_file(kit, files[i].name, ROOM_BIT(files[i].room), files[i].path, PEM_MAX, err))
			return false;
	return true;
}

static bool add_database(struct kit *kit, const struct database *database, struct err *err)
{
	static const struct {
		enum room_id room;
		const char *role;
	} roles[] = {{ROOM_STORE, "cirt_store"}, {ROOM_KEEPER, "cirt_keeper"}, {ROOM_DESK, "cirt_desk"},
		{ROOM_EXCHANGE, "cirt_exchange"}, {ROOM_COURIER, "cirt_courier"}};
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		room_mask room = ROOM_BIT(roles[i].room);
		if (!add_bytes(kit, "db.conninfo", room, str_of(database->conninfo), err) ||
			!add_bytes(kit, "db.user", room, str_of(roles[i].role), err) ||
			!add_bytes(kit, "db.password", room, database_password(database, roles[i].role), err))
			return false;
	}
	return true;
}

static bool add_open(
	struct kit *kit, const char *name, room_mask rooms, const char *path, int flags, struct err *err)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return err_errno(err, "%s", path);
	add_fd(kit, name, rooms, fd);
	return true;
}

/* The key is the keeper's alone; the file of anchors can be added to by it, and read by the desk. */
static bool add_anchors(struct kit *kit, const struct conf *conf, struct err *err)
{
	struct buf key = {0};
	struct buf public_key = {0};
	char *path = folders_state(conf, "anchors/anchors.log");
	bool ok =
		secrets_anchor_key(conf, &key, &public_key, err) &&
		add_bytes(kit, "anchor.key", ROOM_BIT(ROOM_KEEPER), buf_view(&key), err) &&
		add_bytes(kit, "anchor.public", ROOM_BIT(ROOM_KEEPER) | ROOM_BIT(ROOM_DESK),
			buf_view(&public_key), err) &&
		add_open(kit, "anchor.file", ROOM_BIT(ROOM_KEEPER), path, O_WRONLY | O_APPEND | O_CREAT,
			err) &&
		add_open(kit, "anchor.log", ROOM_BIT(ROOM_KEEPER) | ROOM_BIT(ROOM_DESK), path, O_RDONLY, err);
	if (key.data)
		mem_wipe(key.data, key.len);
	buf_free(&key);
	buf_free(&public_key);
	free(path);
	return ok;
}

/* Who checks seals, and who shows the addresses that have them. */
static bool add_reply_key(struct kit *kit, const struct conf *conf, struct err *err)
{
	room_mask rooms =
		ROOM_BIT(ROOM_INTAKE) | ROOM_BIT(ROOM_STORE) | ROOM_BIT(ROOM_DESK) | ROOM_BIT(ROOM_COURIER);
	struct buf key = {0};
	bool ok =
		secrets_reply_key(conf, &key, err) && add_bytes(kit, "reply.key", rooms, buf_view(&key), err);
	if (key.data)
		mem_wipe(key.data, key.len);
	buf_free(&key);
	return ok;
}

static bool add_courier(struct kit *kit, const struct conf *conf, struct err *err)
{
	struct buf bundle = {0};
	struct buf id = {0};
	struct err why = {0};
	bool ok = secrets_courier_id(conf, &id, err) &&
	          add_bytes(kit, "courier.id", ROOM_BIT(ROOM_COURIER), buf_view(&id), err);
	/* Without templates nothing is sent, and the courier says so of each mail. */
	if (ok && !templates_bundle(conf, &bundle, &why) && conf->out_server.len > 0)
		log_warn("no mail can be sent: %s", why.text);
	ok = ok && add_bytes(kit, "templates", ROOM_BIT(ROOM_COURIER), buf_view(&bundle), err);
	/* Which of them a rule may name is for the desk. */
	buf_clear(&bundle);
	(void)templates_names(conf, &bundle, &why);
	ok = ok && add_bytes(kit, "template.names", ROOM_BIT(ROOM_DESK), buf_view(&bundle), err);
	buf_free(&bundle);
	buf_free(&id);
	return ok;
}

static bool add_sheets(struct kit *kit, const struct conf *conf, struct err *err)
{
	struct buf bundle = {0};
	sheets_bundle(conf, &bundle);
	bool ok = add_bytes(kit, "sheets", ROOM_BIT(ROOM_KEEPER), buf_view(&bundle), err);
	buf_free(&bundle);
	return ok;
}

static bool add_spool(struct kit *kit, const struct conf *conf, struct err *err)
{
	char *path = folders_state(conf, "spool");
	bool ok = add_open(kit, "spool.dir", ROOM_BIT(ROOM_SPOOL), path, O_RDONLY | O_DIRECTORY, err);
	free(path);
	return ok;
}

static int is_rule(const struct dirent *entry)
{
	struct str name = str_of(entry->d_name);
	return name.p[0] != '.' &&
	       (str_ends(name, STR(".yar")) || str_ends(name, STR(".yara")) || str_ends(name, STR(".rule")));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* One rule file into the bundle. What is no file is passed over; what cannot be read is said, and costs
 * itself only. */
static bool add_rule(struct buf *bundle, const char *folder, const char *name, struct err *err)
{
	struct buf bytes = {0};
	struct err why = {0};
	struct stat info;
	char *path = mem_printf("%s/%s", folder, name);
	if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
		if (file_read(path, RULES_MAX, &bytes, &why))
			rules_bundle_add(bundle, str_of(name), buf_view(&bytes));
		else
			log_warn_f(LOG_F({"file", path}), "rule file left out: %s", why.text);
	}
	buf_free(&bytes);
	free(path);
	return bundle->len <= RULES_MAX ||
	       err_set(err, ERR_NOSPACE, "%s: rule files of more than %zu MB", folder, RULES_MAX >> 20);
}

static bool add_rules(struct kit *kit, const struct conf *conf, struct err *err)
{
	struct dirent **entries = NULL;
	struct buf bundle = {0};
	char *folder = mem_strndup(conf->rules.p, conf->rules.len);
	int count = folder[0] ? scandir(folder, &entries, is_rule, by_name) : 0;
	bool ok = true;
	if (count < 0)
		log_warn_f(LOG_F({"folder", folder}), "no rules are loaded: %s", strerror(errno));
	for (int i = 0; i < count; i++) {
		ok = ok && add_rule(&bundle, folder, entries[i]->d_name, err);
		free(entries[i]);
	}
	ok = ok && add_bytes(kit, "rules", ROOM_BIT(ROOM_TRIAGE), buf_view(&bundle), err);
	free(entries);
	buf_free(&bundle);
	free(folder);
	return ok;
}

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool is_data(struct str name)
{
	return str_ends(name, STR(".json")) || str_ends(name, STR(".csv")) || str_ends(name, STR(".txt"));
}

/* All data files of a folder and of its folders, one after another. */
static bool add_folder(struct buf *bytes, const char *folder, int depth, struct err *err)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_shown, by_name);
	bool ok = count >= 0 || err_set(err, ERR_SYSTEM, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		struct stat info;
		struct buf file = {0};
		char *path = mem_printf("%s/%s", folder, entries[i]->d_name);
		if (!ok || stat(path, &info) != 0) {
			/* a link to nothing */
		} else if (S_ISREG(info.st_mode) && is_data(str_of(path))) {
			ok = file_read(path, FILE_MAX, &file, err);
			buf_str(bytes, buf_view(&file));
			buf_char(bytes, '\n');
		} else if (S_ISDIR(info.st_mode) && depth > 0) {
			ok = add_folder(bytes, path, depth - 1, err);
		}
		ok = ok &&
		     (bytes->len <= FILE_MAX || err_set(err, ERR_NOSPACE, "%s: files of more than %u MB",
							folder, (unsigned)(FILE_MAX >> 20)));
		buf_free(&file);
		free(path);
		free(entries[i]);
	}
	free(entries);
	return ok;
}

static bool add_plugin_folder(struct kit *kit, const char *name, const char *folder, struct err *err)
{
	struct buf bytes = {0};
	bool ok = add_folder(&bytes, folder, 1, err) &&
	          add_bytes(kit, name, ROOM_BIT(ROOM_TRIAGE), buf_view(&bytes), err);
	buf_free(&bytes);
	return ok;
}

/* Whatever plugin option names a file gives its bytes: the worker that reads it may open none. */
static bool add_plugins(struct kit *kit, const struct conf *conf, struct err *err)
{
	for (size_t i = 0; i < conf->plugin_option_count; i++) {
		const struct conf_plugin_option *option = &conf->plugin_options[i];
		struct stat info;
		char *path = mem_strndup(option->value.p, option->value.len);
		char *name = mem_printf(
			"plugin." STR_FMT "." STR_FMT, STR_ARG(option->plugin), STR_ARG(option->name));
		bool ok = true;
		if (path[0] == '/' && stat(path, &info) == 0 && S_ISREG(info.st_mode))
			ok = add_file(kit, name, ROOM_BIT(ROOM_TRIAGE), option->value, FILE_MAX, err);
		else if (path[0] == '/' && stat(path, &info) == 0 && S_ISDIR(info.st_mode))
			ok = add_plugin_folder(kit, name, path, err);
		free(path);
		free(name);
		if (!ok)
			return false;
	}
	return true;
}

struct kit *kit_new(
	const struct conf *conf, struct arena *arena, const struct database *database, struct err *err)
{
	struct kit *kit = mem_alloc(sizeof(*kit));
	kit->holders = 1;
	kit->arena = arena;
	kit->conf = *conf;
	if (!add_certificates(kit, conf, err) || !add_database(kit, database, err) ||
		!add_anchors(kit, conf, err) || !add_reply_key(kit, conf, err) ||
		!add_courier(kit, conf, err) || !add_sheets(kit, conf, err) || !add_spool(kit, conf, err) ||
		!add_rules(kit, conf, err) || !add_plugins(kit, conf, err))
		kit_free(&kit);
	return kit;
}

struct kit *kit_hold(struct kit *kit)
{
	kit->holders++;
	return kit;
}

void kit_free(struct kit **kit)
{
	struct kit *old = *kit;
	*kit = NULL;
	if (!old || --old->holders > 0)
		return;
	for (size_t i = 0; i < old->count; i++) {
		fd_close(&old->grants[i].fd);
		free(old->grants[i].name);
	}
	free(old->grants);
	arena_free(&old->arena);
	free(old);
}

static const struct grant *find(const struct kit *kit, enum room_id room, const char *name)
{
	for (size_t i = 0; i < kit->count; i++)
		if ((kit->grants[i].rooms & ROOM_BIT(room)) && strcmp(kit->grants[i].name, name) == 0)
			return &kit->grants[i];
	return NULL;
}

static void take_back(
	const struct kit *kit, enum room_id room, struct channel *control, const struct kit *before)
{
	for (size_t i = 0; i < before->count; i++)
		if ((before->grants[i].rooms & ROOM_BIT(room)) && !find(kit, room, before->grants[i].name))
			channel_send(control, CONTROL_GRANT, str_of(before->grants[i].name));
}

bool kit_send(const struct kit *kit, enum room_id room, struct channel *control, const struct kit *before,
	struct err *err)
{
	conf_slice_encode(&kit->conf, ROOM_BIT(room), channel_begin(control));
	channel_end(control, CONTROL_SLICE);
	for (size_t i = 0; i < kit->count; i++) {
		const struct grant *grant = &kit->grants[i];
		if (!(grant->rooms & ROOM_BIT(room)))
			continue;
		int fd = fcntl(grant->fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return err_errno(err, "handing over %s", grant->name);
		channel_send_fds(control, CONTROL_GRANT, str_of(grant->name), &fd, 1);
	}
	if (before)
		take_back(kit, room, control, before);
	return true;
}

const struct conf *kit_conf(const struct kit *kit)
{
	return &kit->conf;
}
