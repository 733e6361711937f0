#include "config.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "desk/session.h"

/* A right that was taken away holds no longer than this. */
#define KNOWN_FOR (5 * CLOCK_SECOND)

/* Straight from the file: the name service would load modules and open sockets that the sandbox refuses. */
static bool password_find(const char *name, uint32_t uid, struct passwd *found, char text[1024])
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *entry = NULL;

	if (!file)
		return false;
	while (fgetpwent_r(file, found, text, 1024, &entry) == 0)
		if (name ? !strcmp(found->pw_name, name) : found->pw_uid == uid)
			break;
	fclose(file);
	return entry != NULL;
}

void who_load(struct desk *desk)
{
	const struct conf_list *admins = &room_conf(desk->room)->desk_admin;
	struct passwd found;
	char text[1024];

	desk->admin_count = 0;
	for (size_t i = 0; i < admins->count; i++) {
		char *name = mem_strndup(admins->values[i].p, admins->values[i].len);
		if (password_find(name, 0, &found, text))
			desk->admins[desk->admin_count++] = found.pw_uid;
		else
			log_warn_f(LOG_F({"user", name}), "desk.admin names a user that does not exist");
		free(name);
	}
}

static bool is_admin(const struct desk *desk, uint32_t uid)
{
	if (uid == 0 || uid == getuid())
		return true;
	for (size_t i = 0; i < desk->admin_count; i++)
		if (desk->admins[i] == uid)
			return true;
	return false;
}

static void name_of(uint32_t uid, char name[64])
{
	struct passwd found;
	char text[1024];

	if (password_find(NULL, uid, &found, text))
		snprintf(name, 64, "%s", found.pw_name);
	else
		snprintf(name, 64, "uid-%u", uid);
}

static void decide(struct request *request, handler_fn *handler)
{
	const struct verb *verb = request->verb;
	const struct operator* who = & request->operator;

	if (who->role >= verb->role) {
		handler(request);
		return;
	}
	request->desk->denied++;
	log_warn_f(LOG_F({"operator", who->name}, {"role", role_name(who->role)}, {"noun", verb->noun},
			   {"verb", verb->verb}),
		"an operator asked for what the role does not allow");
	if (who->role == ROLE_NONE)
		request_refuse(
			request, RPC_DENIED, "%s is not an operator here: ask an administrator", who->name);
	else
		request_refuse(request, RPC_DENIED, "%s %s needs the role %s; %s is %s", verb->noun,
			verb->verb, role_name(verb->role), who->name, role_name(who->role));
}

/* What is known stays for when the database is away. */
static void remember(struct request *request, enum role role, struct str name)
{
	struct desk *desk = request->desk;
	struct session *session = request->session;

	request->operator.role = role;
	if (name.len)
		snprintf(request->operator.name, sizeof(request->operator.name), STR_FMT, STR_ARG(name));
	if (!session)
		return;
	session->operator= request->operator;
	session->known = clock_monotonic();
	free(map_put(desk->operators, session->uid, mem_dup(&request->operator, sizeof(request->operator))));
}

static void on_found(struct request *request, const struct pg_result *result)
{
	handler_fn *handler = (handler_fn *)request->state;
	enum role role = ROLE_NONE;

	request->state = NULL;
	if (result->rows == 1)
		role_parse(pg_value(result, 0, 1), &role);
	remember(request, role, result->rows == 1 ? pg_value(result, 0, 0) : STR_NONE);
	decide(request, handler);
}

static void look_up(struct request *request, handler_fn *handler)
{
	struct query query;

	if (!request_database(request))
		return;
	query_start(&query, request->arena,
		"SELECT name, role FROM operator WHERE enabled AND (uid = $?::bigint OR (uid IS NULL AND "
		"name = $?))"
		" ORDER BY uid NULLS LAST LIMIT 1");
	query_int(&query, request->session->uid);
	query_str(&query, str_of(request->operator.name));
	request->state = (void *)handler;
	request_query(request, &query, on_found);
}

void who_admit(struct request *request, handler_fn *handler)
{
	struct session *session = request->session;
	struct desk *desk = request->desk;
	struct operator* last = map_get(desk->operators, session->uid);

	if (!session->operator.name[0])
		name_of(session->uid, session->operator.name);
	if (is_admin(desk, session->uid))
		session->operator.role = ROLE_ADMIN;
	else if (session->known && clock_monotonic() - session->known < KNOWN_FOR)
		; /* as it was a moment ago */
	else if (!desk_pg(desk) && last)
		session->operator= * last;
	else if (request->verb->role > ROLE_NONE) {
		request->operator= session->operator;
		look_up(request, handler);
		return;
	}
	request->operator= session->operator;
	decide(request, handler);
}

void who_free(struct desk *desk)
{
	size_t cursor = 0;
	uint64_t key;
	void *value;

	while (map_next(desk->operators, &cursor, &key, &value))
		free(value);
	map_free(&desk->operators);
}
