#include "config.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "desk/session.h"

/* A right that was taken away holds no longer than this. */
#define KNOWN_FOR (5 * CLOCK_SECOND)
/* From a connection over TLS to its first request that an operator may ask. */
#define ADMITTED_WITHIN (60 * CLOCK_SECOND)

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

static bool is_configured(const struct desk *desk, uid_t uid)
{
	if (uid == 0 || uid == getuid())
		return true;
	for (size_t i = 0; i < desk->admin_count; i++)
		if (desk->admins[i] == uid)
			return true;
	return false;
}

bool who_is_configured(const struct session *session)
{
	return !session->remote && is_configured(session->desk, session->uid);
}

/* What is shown of somebody whom the database has not named yet. */
static void name_of(const struct session *session, char name[64])
{
	struct passwd found;
	char text[1024];

	if (session->remote)
		snprintf(name, 64, "certificate-%.16s", session->pin);
	else if (password_find(NULL, session->uid, &found, text))
		snprintf(name, 64, "%s", found.pw_name);
	else
		snprintf(name, 64, "uid-%u", session->uid);
}

/* What the database said last of somebody, for when it is away. */
struct known {
	char pin[SHA256_HEX]; /* "" where he came by the Unix socket */
	struct operator operator;
};

static uint64_t known_key(const struct session *session)
{
	uint8_t digest[SHA256_LEN] = {0};
	uint64_t key;

	if (!session->remote)
		return session->uid;
	hex_decode(str_of(session->pin), digest, sizeof(digest));
	memcpy(&key, digest, sizeof(key));
	return key | UINT64_C(1) << 63;
}

static const struct operator* known_find(const struct session *session)
{
	const struct known *known = map_get(session->desk->operators, known_key(session));

	return known && !strcmp(known->pin, session->pin) ? &known->operator: NULL;
}

bool who_leads(const struct desk *desk, uid_t uid)
{
	if (is_configured(desk, uid))
		return true;
	for (size_t i = 0; i < desk->lead_count; i++)
		if (desk->leads[i] == uid)
			return true;
	return false;
}

static void known_put(const struct session *session)
{
	struct known *known = mem_alloc(sizeof(*known));

	memcpy(known->pin, session->pin, sizeof(known->pin));
	known->operator= session->operator;
	free(map_put(session->desk->operators, known_key(session), known));
}

/* A stranger with a certificate holds no connection that an operator may need. */
static void refuse_stranger(struct request *request)
{
	struct session *session = request->session;

	if (session && session->remote)
		request_refuse(request, RPC_DENIED,
			"no operator has this certificate; its public key has the SHA-256 %s", session->pin);
	else
		request_refuse(request, RPC_DENIED,
			"%s (uid %u) is not an operator here: ask an administrator", request->operator.name,
			session ? session->uid : 0);
	if (session && session->remote)
		session_close(session);
}

static void decide(struct request *request, handler_fn *handler)
{
	const struct verb *verb = request->verb;
	const struct operator* who = & request->operator;

	/* What anybody may ask, whoever is at this machine may: from elsewhere only operators. */
	if (who->role >= verb->role &&
		(who->role > ROLE_NONE || !request->session || !request->session->remote)) {
		handler(request);
		return;
	}
	char title[64];

	request->desk->denied++;
	snprintf(title, sizeof(title), "%s%s%s", verb->noun, *verb->verb ? " " : "", verb->verb);
	log_warn_f(LOG_F({"operator", who->name}, {"role", role_name(who->role)}, {"noun", verb->noun},
			   {"verb", verb->verb}),
		"an operator asked for what the role does not allow");
	if (who->role == ROLE_NONE)
		refuse_stranger(request);
	else
		request_refuse(request, RPC_DENIED, "%s needs the role %s; %s is %s", title,
			role_name(verb->role), who->name, role_name(who->role));
}

static void remember(struct request *request, enum role role, struct str name)
{
	struct session *session = request->session;

	request->operator.role = role;
	if (name.len)
		snprintf(request->operator.name, sizeof(request->operator.name), STR_FMT, STR_ARG(name));
	if (!session)
		return;
	session->operator= request->operator;
	session->known = clock_monotonic();
	session->admitted = session->admitted || role > ROLE_NONE;
	known_put(session);
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

/* Who is admin by the configuration is admin whatever stands in the database; there he only gets a name. */
static void query_configured(struct query *query, const struct session *session)
{
	query_add(query, "SELECT operator_configured($?, $?::bigint), 'admin'");
	query_str(query, str_of(session->operator.name));
	query_int(query, session->uid);
}

static void query_operator(struct query *query, const struct session *session)
{
	query_add(query, "SELECT name, role FROM operator WHERE enabled AND NOT configured AND ");
	if (session->remote) {
		query_add(query, "certificate = $?");
		query_str(query, str_of(session->pin));
		return;
	}
	query_add(query, "(uid = $?::bigint OR (uid IS NULL AND name = $?)) ORDER BY uid NULLS LAST LIMIT 1");
	query_int(query, session->uid);
	query_str(query, str_of(session->user));
}

static void look_up(struct request *request, handler_fn *handler, bool configured)
{
	struct query query;

	if (!request_database(request))
		return;
	query_start(&query, request->arena, "");
	if (configured)
		query_configured(&query, request->session);
	else
		query_operator(&query, request->session);
	request->state = (void *)handler;
	request_query(request, &query, on_found);
}

/* Must the database say who that is? What it said a moment ago holds. Who is admin by the configuration is
 * named once, by what changes something; so all else goes on without a database. */
static bool must_look_up(const struct session *session, const struct verb *verb, bool configured)
{
	bool up = desk_pg(session->desk) != NULL;

	if (configured)
		return verb->changes && !session->known && up;
	if (session->known && clock_monotonic() - session->known < KNOWN_FOR)
		return false;
	if (!up && known_find(session))
		return false;
	return session->remote || verb->role > ROLE_NONE;
}

void who_admit(struct request *request, handler_fn *handler)
{
	struct session *session = request->session;
	bool configured = who_is_configured(session);
	const struct operator* last = known_find(session);

	if (!session->user[0]) {
		name_of(session, session->user);
		memcpy(session->operator.name, session->user, sizeof(session->user));
	}
	if (configured)
		session->operator.role = ROLE_ADMIN;
	else if (!desk_pg(session->desk) && last)
		session->operator= * last;
	request->operator= session->operator;
	if (must_look_up(session, request->verb, configured))
		look_up(request, handler, configured);
	else
		decide(request, handler);
}

/* ---- while sessions are open ---- */

/* The role of a session by the rows of all operators: {name, role, uid, certificate}. */
static enum role role_by_rows(const struct session *session, const struct pg_result *rows)
{
	enum role role = ROLE_NONE;

	for (int i = 0; i < rows->rows; i++) {
		bool same = session->remote ? str_equal(pg_value(rows, i, 3), str_of(session->pin))
		                            : str_equal(pg_value(rows, i, 0), str_of(session->operator.name));
		if (same)
			role_parse(pg_value(rows, i, 1), &role);
	}
	return role;
}

/* What runs by itself, as a stream does, ends with the right to it. */
static void judge(struct session *session, const struct pg_result *rows)
{
	enum role role = role_by_rows(session, rows);
	bool running = false;

	if (role == session->operator.role)
		return;
	session->operator.role = role;
	session->known = 0;
	for (const struct request *request = session->requests; request; request = request->next)
		running = running || request->verb->role > role;
	if (role > ROLE_NONE && !running)
		return;
	log_info_f(LOG_F({"operator", session->operator.name}, {"role", role_name(role)}),
		"an operator's connection ends with the role that it was for");
	session_free(session);
}

/* Leads and admins who have a user here, by number or by the name of one. */
static void learn_leads(struct desk *desk, const struct pg_result *rows)
{
	desk->lead_count = 0;
	for (int i = 0; i < rows->rows && desk->lead_count < ARRAY_LEN(desk->leads); i++) {
		enum role role = ROLE_NONE;
		struct passwd found;
		char text[1024];
		int64_t uid;
		if (!role_parse(pg_value(rows, i, 1), &role) || role < ROLE_LEAD)
			continue;
		if (str_to_i64(pg_value(rows, i, 2), &uid)) {
			desk->leads[desk->lead_count++] = (uid_t)uid;
		} else {
			char *name = mem_strndup(pg_value(rows, i, 0).p, pg_value(rows, i, 0).len);
			if (password_find(name, 0, &found, text))
				desk->leads[desk->lead_count++] = found.pw_uid;
			free(name);
		}
	}
}

static void on_rows(struct pg *pg, const struct pg_result *result, void *context)
{
	struct desk *desk = context;
	struct session *next;

	(void)pg;
	desk->sweeping = false;
	if (result->outcome != PG_DONE)
		return;
	learn_leads(desk, result);
	for (struct session *session = desk->sessions; session; session = next) {
		next = session->next;
		if (session->known && !who_is_configured(session))
			judge(session, result);
	}
}

/* Who came from afar and asks for nothing, or too slowly. */
static void drop_idle(struct desk *desk)
{
	struct session *next;

	for (struct session *session = desk->sessions; session; session = next) {
		next = session->next;
		if (session->remote && !session->admitted &&
			clock_monotonic() - session->since > ADMITTED_WITHIN)
			session_free(session);
	}
}

void who_sweep(void *context)
{
	struct desk *desk = context;
	struct pg *pg = desk_pg(desk);

	timer_set(desk->sweep, KNOWN_FOR / 2);
	drop_idle(desk);
	if (!desk->sessions || !pg || desk->sweeping)
		return;
	desk->sweeping = true;
	pg_query(pg, "SELECT name, role, uid, certificate FROM operator WHERE enabled AND NOT configured",
		NULL, 0, false, on_rows, desk);
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
