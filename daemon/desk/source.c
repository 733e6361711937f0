#include "config.h"

#include "base/clock.h"
#include "base/mem.h"
#include "desk/handlers.h"
#include "desk/source_told.h"
#include "model/source.h"
#include "model/storable.h"
#include "wire/csv_map.h"
#include "wire/json_read.h"
#include "wire/taxii.h"

#define SOURCE_JSON                                                                                          \
	"json_build_object('name', s.name, 'kind', s.kind, 'state', CASE WHEN s.enabled THEN 'enabled' "     \
	"ELSE 'disabled' END,"                                                                               \
	" 'tlp', s.tlp, 'pap', s.pap, 'classification', s.type, 'format', s.format, 'trust', s.trust, "      \
	"'match', nullif(s.match, ''),"                                                                      \
	" 'exercise', nullif(x.name, ''), 'restricted', s.restricted, 'may_notify_affected', "               \
	"s.may_notify_affected, 'spam_counts', CASE WHEN s.kind = 'mailbox' THEN s.spam_counts END,"         \
	" 'interval', CASE WHEN is_pulled(s.kind) THEN s.interval_seconds END, 'max_lines', "                \
	"nullif(s.max_lines, 0),"                                                                            \
	" 'max_bytes', nullif(s.max_bytes, 0), 'created', stamp(s.added), 'last_seen', (SELECT "             \
	"stamp(max(b.said)) FROM books b WHERE b.source = s.id AND b.day > (SELECT max(y.day) FROM books y " \
	"WHERE y.source = s.id) - 8),"                                                                       \
	" 'silent_after', nullif(s.silent_seconds, 0), 'silent_since', stamp(q.since), 'silent', "           \
	"q.reason, 'pull', CASE WHEN NOT is_pulled(s.kind) THEN NULL WHEN f.source IS NULL THEN 'not "       \
	"yet' WHEN f.trouble = '' THEN 'ok' ELSE f.trouble END, 'tried', stamp(f.tried), 'pulled', "         \
	"stamp(f.succeeded), 'delivered', stamp(f.delivered), 'next_try', stamp(f.next_try), 'pages', "      \
	"f.pages, 'failures', nullif(f.failures, 0), 'failing_since', stamp(f.failing_since), "              \
	"'problem', nullif(f.problem, ''))"

#define SOURCE_FROM                                                                                      \
	" FROM source s JOIN exercise x ON x.id = s.exercise LEFT JOIN feed_state f ON f.source = s.id " \
	"LEFT JOIN source_silence q ON q.source = s.id"

/* Words for what is expected, made of the tables that check it. */
static struct str names_of(struct arena *arena, const char *(*name)(unsigned), unsigned from, unsigned to)
{
	struct buf text = {0};
	struct str names;

	for (unsigned i = from; i < to; i++) {
		if (i > from)
			buf_text(&text, i + 1 == to ? " or " : ", ");
		buf_text(&text, name(i));
	}
	names = arena_str(arena, buf_view(&text));
	buf_free(&text);
	return names;
}

static const char *kind_of(unsigned kind)
{
	return source_kind_name((enum source_kind)kind);
}

static const char *format_of(unsigned format)
{
	return format_name((enum format)format);
}

static struct str kind_names(struct arena *arena)
{
	return names_of(arena, kind_of, SOURCE_MAILBOX, SOURCE_KINDS);
}

static struct str format_names(struct arena *arena)
{
	return names_of(arena, format_of, FORMAT_AUTO, FORMATS);
}

static void on_page(struct request *request, const struct pg_result *result)
{
	request_answer(request, result_page(result, *(int64_t *)request->state));
}

void desk_source_list(struct request *request)
{
	int64_t *limit = arena_alloc(request->arena, sizeof(*limit)), cursor;
	struct str kind = STR_NONE;
	enum source_kind parsed;
	struct query query;

	if (!request_page(request, limit, &cursor) || !request_text(request, "kind", &kind))
		return;
	if (kind.p && !source_kind_parse(kind, &parsed)) {
		request_refuse(request, RPC_INVALID_PARAMS, "kind: expected " STR_FMT,
			STR_ARG(kind_names(request->arena)));
		return;
	}
	if (!request_database(request))
		return;
	request->state = limit;
	query_start(&query, request->arena,
		"SELECT " SOURCE_JSON ", s.id" SOURCE_FROM " WHERE s.id > $?::bigint");
	query_int(&query, cursor == INT64_MAX ? 0 : cursor);
	if (kind.p) {
		query_add(&query, " AND s.kind = $?::source_kind");
		query_str(&query, kind);
	}
	query_add(&query, " ORDER BY s.id LIMIT $?::bigint");
	query_int(&query, *limit + 1);
	request_query(request, &query, on_page);
}

static void on_source(struct request *request, const struct pg_result *result)
{
	if (result->rows == 0) {
		request_refuse(
			request, RPC_NOT_FOUND, "there is no source \"%s\"", (const char *)request->state);
		return;
	}
	request_answer(request, result_json(result, 0, 0));
}

void desk_source_show(struct request *request)
{
	struct query query;
	struct str name;

	if (!request_needs(request, "name", &name) || !request_database(request))
		return;
	request->state = (void *)arena_str(request->arena, name).p;
	query_start(&query, request->arena,
		"SELECT " SOURCE_JSON "::jsonb || jsonb_build_object('settings', nullif(s.settings, '{}'), "
		"'entries', b.entries, 'found', d.found, 'reports', d.reports,"
		" 'folded', d.folded, 'quarantined', d.quarantined,"
		" 'alarms', (SELECT json_agg(a.kind || ': ' || a.subject || ': ' || a.text ORDER BY a.id) "
		"FROM alarm a "
		"WHERE a.source = s.id AND a.ended IS NULL),"
		" 'items', (SELECT json_agg(json_build_object('item', i.item, 'state', CASE WHEN i.given_up "
		"THEN 'given up' ELSE 'tried again' END, 'trouble', i.trouble, 'problem', i.problem, "
		"'tries', "
		"i.tries, 'since', stamp(i.first), 'last', stamp(i.last)) ORDER BY i.given_up DESC, i.last "
		"DESC, i.item) FROM (SELECT * FROM feed_item WHERE source = s.id ORDER BY given_up DESC, "
		"last "
		"DESC, item LIMIT 100) i),"
		" 'feeds', (SELECT json_agg(json_build_object('feed', c.feed, 'columns', c.columns, 'since', "
		"stamp(c.first), 'changed', stamp(c.changed), 'changes', c.changes) ORDER BY c.feed) FROM "
		"feed_columns c WHERE c.source = s.id))" SOURCE_FROM
		", LATERAL (SELECT coalesce(sum(entries), 0) AS entries FROM books WHERE source = s.id) b,"
		" LATERAL (SELECT coalesce(sum(found), 0) AS found, coalesce(sum(reports), 0) AS reports,"
		" coalesce(sum(folded), 0) AS folded, coalesce(sum(quarantined), 0) AS quarantined FROM "
		"ledger_day"
		" WHERE source = s.id) d WHERE s.name = $?");
	query_str(&query, name);
	request_query(request, &query, on_source);
}

/* Changes: one transaction, the row as it is then is the answer. */

/* A word of these leads to one mailbox or sensor only: of two that are enabled, the other would get nothing.
 */
#define MATCH_WORDS(match) "array_remove(string_to_array(lower(" match "), ' '), '')"
#define MATCH_TAKEN(name, kind, match)                                                                    \
	"taken AS (SELECT o.name FROM source o WHERE o.enabled AND o.name <> " name " AND o.kind = " kind \
	" AND o.kind IN ('mailbox', 'sensor') AND o.match !~ '(^| )issuer:'"                              \
	" AND " MATCH_WORDS("o.match") " && " MATCH_WORDS(match) " ORDER BY o.id LIMIT 1),"

/* A row: what was changed, or NULL; who has its match already, or NULL. */
static void on_changed_row(struct request *request, const struct pg_result *result)
{
	struct str taken = pg_value(result, 0, 1);

	if (taken.p) {
		request_refuse_hint(request, RPC_CONFLICT,
			"Give it another match, or disable the other one first: cirt source disable",
			"the source \"" STR_FMT "\" has that match already: one of the two would get nothing",
			STR_ARG(taken));
		return;
	}
	if (!pg_value(result, 0, 0).p) {
		request_refuse(
			request, RPC_NOT_FOUND, "there is no source \"%s\"", (const char *)request->state);
		return;
	}
	request->result = result_json(result, 0, 0);
	source_commit(request);
}

static void switch_source(struct request *request, bool enabled)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	struct str name, reason = STR_NONE;

	if (!request_needs(request, "name", &name) || !request_text(request, "reason", &reason) ||
		!request_database(request))
		return;
	request->state = (void *)arena_str(request->arena, name).p;
	query_start(query, request->arena,
		"WITH n AS (SELECT name, kind, match FROM source WHERE name = $? AND NOT enabled AND "
		"$?::boolean),");
	query_add(
		query, MATCH_TAKEN("(SELECT name FROM n)", "(SELECT kind FROM n)", "(SELECT match FROM n)"));
	query_add(query,
		" s AS (UPDATE source SET enabled = $?::boolean WHERE name = $? AND NOT EXISTS (SELECT FROM "
		"taken) RETURNING name, enabled),");
	query_str(query, name);
	query_bool(query, enabled);
	query_bool(query, enabled);
	query_str(query, name);
	query_add(query,
		" why AS (SELECT journal_add('source/' || name, 'note', NULL, $?) FROM s WHERE $? <> '')"
		" SELECT (SELECT json_build_object('name', s.name, 'state', CASE WHEN s.enabled THEN "
		"'enabled' ELSE 'disabled' END,"
		" 'noted', (SELECT count(*) FROM why)) FROM s), (SELECT name FROM taken)");
	query_str(query, reason.p ? reason : STR(""));
	query_str(query, reason.p ? reason : STR(""));
	request_change(request, query, on_changed_row);
}

void desk_source_disable(struct request *request)
{
	switch_source(request, false);
}

void desk_source_enable(struct request *request)
{
	switch_source(request, true);
}

/* What `source add` was told, checked by the same tables that the doors use. */
struct new_source {
	struct str name, kind, match, tlp, pap, type, format, auth, exercise;
	int64_t trust, interval, max_lines, max_bytes, silent_after;
	bool restricted, ask_before, spam_welcome;
	bool keeps_auth;     /* a source that stands has a secret, and nothing new was said of it */
	struct str settings; /* JSON */
};

static bool is_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!alnum && (i == 0 || (c != '.' && c != '_' && c != '-')))
			return false;
	}
	return name.len > 0 && name.len <= 64;
}

/* NULL, or what was expected. */
static const char *check_words(const struct new_source *source, struct arena *arena)
{
	enum source_kind kind;
	enum rsit_type type;
	enum format format;
	enum tlp tlp;
	enum pap pap;

	if (!is_name(source->name))
		return "name: expected a to z, 0 to 9, and - . _ in between; at most 64";
	if (source->exercise.p && !is_name(source->exercise))
		return "exercise: expected a to z, 0 to 9, and - . _ in between; at most 64";
	if (!source_kind_parse(source->kind, &kind))
		return arena_printf(arena, "kind: expected " STR_FMT, STR_ARG(kind_names(arena))).p;
	if (source->tlp.p && (!tlp_parse(source->tlp, &tlp) || tlp == TLP_UNSTATED))
		return "tlp: expected clear, green, amber, amber+strict or red";
	if (source->pap.p && (!pap_parse(source->pap, &pap) || pap == PAP_UNSTATED))
		return "pap: expected clear, green, amber or red";
	if (source->format.p && !format_parse(source->format, &format))
		return arena_printf(arena, "format: expected " STR_FMT, STR_ARG(format_names(arena))).p;
	if (source->type.p && !rsit_parse(source->type, &type))
		return "type: expected an RSIT type, such as phishing";
	return NULL;
}

static bool is_pin(struct str word)
{
	uint8_t digest[SHA256_LEN];

	return str_starts(word, STR("pin:")) &&
	       hex_decode((struct str){word.p + 4, word.len - 4}, digest, sizeof(digest));
}

static const char *check_sensor(struct str match)
{
	struct str rest = match, word;

	while (str_split(&rest, ' ', &word))
		if (word.len && !is_pin(word) && !(str_starts(word, STR("san:")) && word.len > 4))
			return "match: a sensor is known by san:NAME of its certificate, or pin:SHA256 of "
			       "its key in hex";
	return NULL;
}

static bool has_text(struct str text, const char *part)
{
	return text.p && memmem(text.p, text.len, part, strlen(part));
}

/* A certificate of its own comes with its key, as PEM. */
static const char *check_auth(struct str auth)
{
	if (has_text(auth, "-----BEGIN ") &&
		(!str_starts(auth, STR("certificate ")) || !has_text(auth, " CERTIFICATE-----") ||
			!has_text(auth, "PRIVATE KEY-----")))
		return "auth: expected \"certificate \" and behind it, as PEM, the certificate and its key";
	return NULL;
}

static const char *check_match(const struct new_source *source)
{
	enum source_kind kind;

	source_kind_parse(source->kind, &kind);
	if (kind != SOURCE_DESK && str_trim(source->match).len == 0)
		return "match: say what it is known by: --match";
	if (kind == SOURCE_SENSOR)
		return check_sensor(source->match);
	if (kind == SOURCE_MAILBOX && !memchr(source->match.p, '@', source->match.len) &&
		!str_equal(source->match, STR("*")))
		return "match: a mailbox is known by its recipients: phish@cirt.example, report@, or *";
	if (source_kind_pulled(kind) && !str_starts(source->match, STR("https://")))
		return "match: a feed is known by its address: https://…";
	if (source->keeps_auth)
		return NULL;
	if (kind == SOURCE_MISP && !source->auth.p)
		return "auth: a MISP instance asks for a key: --auth \"key …\"";
	if (kind == SOURCE_SHADOWSERVER &&
		(!source->auth.p || !memchr(source->auth.p, ':', source->auth.len)))
		return "auth: Shadowserver's API asks for key and secret: --auth KEY:SECRET";
	return NULL;
}

/* A setting's value by itself; NULL, or what was expected. */
static const char *check_setting(const char *name, struct str value, struct arena *arena)
{
	struct err err;
	int64_t day;

	if (value.len == 0 || value.len > 1000)
		return "a setting has 1 to 1000 bytes";
	if (strcmp(name, "columns") == 0 && !csv_map_check(value, &err))
		return arena_printf(arena, "columns: %s", err.text).p;
	if (strcmp(name, "separator") == 0 && !csv_map_separator(value, &(char){0}))
		return "separator: expected one of , ; | tab";
	if (strcmp(name, "comment") == 0 && !str_equal(value, STR("none")) && value.len != 1)
		return "comment: expected one character, or none";
	if (strcmp(name, "since") == 0 &&
		!clock_parse(arena_printf(arena, STR_FMT "T00:00:00Z", STR_ARG(value)), &day))
		return "since: expected a day, such as 2026-11-01";
	if (strcmp(name, "download") == 0 && !str_starts(value, STR("https://")))
		return "download: expected https://…";
	if (strcmp(name, "contact") == 0 && (!memchr(value.p, '@', value.len) || !storable_is(value, 1000)))
		return "contact: expected an address, or more with commas between them";
	if (strcmp(name, "acknowledge") == 0 && !str_equal(value, STR("yes")) && !str_equal(value, STR("no")))
		return "acknowledge: expected yes or no";
	return NULL;
}

static const char *check_filter(enum source_kind kind, struct str value, struct arena *arena)
{
	struct json_object *object;
	struct buf query = {0};
	struct err err;
	bool good = true;

	if (value.len == 0)
		return NULL;
	if (kind == SOURCE_TAXII) {
		good = taxii_filter(value, &query, &err);
		buf_free(&query);
		return good ? NULL : arena_printf(arena, "filter: %s", err.text).p;
	}
	if (kind == SOURCE_MISP) {
		good = json_read(value, 8, &object, &err);
		if (good && !json_object_is_type(object, json_type_object))
			good = false;
		json_object_put(good || err.code == ERR_NONE ? object : NULL);
		return good ? NULL : "filter: expected a JSON object of what restSearch takes";
	}
	return NULL;
}

/* Take the settings that belong to this kind and format; those of others are a mistake that is told. */
static bool read_settings(struct request *request, struct new_source *source)
{
	struct json_object *settings = json_object_new_object();
	enum source_kind kind = SOURCE_DESK;
	const char *wrong = NULL;
	bool csv = source->format.p && str_equal(source->format, STR("csv"));

	source_kind_parse(source->kind, &kind);
	for (const struct source_setting *one = source_settings; one->name && !wrong; one++) {
		struct str value = STR_NONE;

		if (!request_text(request, one->name, &value)) {
			json_object_put(settings);
			return false;
		}
		if (!value.p)
			continue;
		if (!(one->csv ? csv : (one->kinds >> kind) & 1u))
			wrong = arena_printf(request->arena,
				one->csv ? "%s: only for --format csv" : "%s: not for a source of this kind",
				one->name)
			                .p;
		else
			wrong = check_setting(one->name, value, request->arena);
		if (!wrong && strcmp(one->name, "filter") == 0)
			wrong = check_filter(kind, value, request->arena);
		json_object_object_add(
			settings, one->name, json_object_new_string_len(value.p, (int)value.len));
	}
	source->settings = arena_str(request->arena, str_of(json_object_to_json_string(settings)));
	json_object_put(settings);
	if (wrong)
		request_refuse(request, RPC_INVALID_PARAMS, "%s", wrong);
	return !wrong;
}

static bool read_source(struct request *request, struct new_source *source)
{
	const char *wrong;

	source->trust = 50;
	source->interval = 3600;
	if (!request_needs(request, "name", &source->name) ||
		!request_needs(request, "kind", &source->kind) ||
		!request_text(request, "match", &source->match) ||
		!request_text(request, "tlp", &source->tlp) || !request_text(request, "pap", &source->pap) ||
		!request_text(request, "type", &source->type) ||
		!request_text(request, "format", &source->format) ||
		!request_text(request, "auth", &source->auth) ||
		!request_text(request, "exercise", &source->exercise) ||
		!request_number(request, "trust", 0, 100, &source->trust) ||
		!request_number(request, "interval", 1, 31536000, &source->interval) ||
		!request_number(request, "max_lines", 0, INT32_MAX, &source->max_lines) ||
		!request_number(request, "max_bytes", 0, INT64_MAX, &source->max_bytes) ||
		!request_number(request, "silent_after", 0, 31536000, &source->silent_after) ||
		!request_flag(request, "restricted", &source->restricted) ||
		!request_flag(request, "ask_before_notice", &source->ask_before) ||
		!request_flag(request, "spam_welcome", &source->spam_welcome))
		return false;
	wrong = check_words(source, request->arena);
	if (!wrong)
		wrong = check_match(source);
	if (!wrong)
		wrong = check_auth(source->auth);
	if (wrong)
		request_refuse(request, RPC_INVALID_PARAMS, "%s", wrong);
	return !wrong && read_settings(request, source);
}

/* The words that the schema's enums have, whatever was typed for them: "TLP:AMBER", "fraud/phishing". */
static void put_words(struct query *query, const struct new_source *source)
{
	enum rsit_type type = RSIT_NONE;
	enum tlp tlp = TLP_AMBER;
	enum pap pap = PAP_AMBER;

	if (source->tlp.p)
		tlp_parse(source->tlp, &tlp);
	if (source->pap.p)
		pap_parse(source->pap, &pap);
	if (source->type.p)
		rsit_parse(source->type, &type);
	query_str(query, str_of(tlp_name(tlp)));
	query_str(query, str_of(pap_name(pap)));
	query_str(query, source->type.p ? str_of(rsit_name(type)) : STR_NONE);
	query_str(query, source->format.p ? source->format : STR("auto"));
}

void desk_source_add(struct request *request)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	struct new_source source = {.trust = 0};

	if (!read_source(request, &source) || !request_database(request))
		return;
	query_start(query, request->arena, "WITH ");
	query_add(query, MATCH_TAKEN("$?", "$?::source_kind", "$?"));
	query_add(query,
		" s AS (INSERT INTO source (name, kind, match, tlp, pap, type, format, trust, auth, "
		"interval_seconds,"
		" max_lines, max_bytes, restricted, may_notify_affected, spam_counts, exercise, settings, "
		"silent_seconds) "
		"SELECT $?, $?::source_kind, $?, $?::tlp, $?::pap,"
		" $?::rsit_type, $?::source_format, $?::int, $?, $?::int, $?::bigint, $?::bigint, "
		"$?::boolean, $?::boolean, $?::boolean,"
		" exercise_id($?), $?::jsonb, $?::int WHERE NOT EXISTS (SELECT FROM taken) RETURNING name, "
		"enabled)"
		" SELECT (SELECT json_build_object('name', name, 'state', CASE WHEN enabled THEN 'enabled' "
		"ELSE 'disabled' END) FROM s), (SELECT name FROM taken)");
	query_str(query, source.name);
	query_str(query, source.kind);
	query_str(query, source.match.p ? source.match : STR(""));
	query_str(query, source.name);
	query_str(query, source.kind);
	query_str(query, source.match.p ? source.match : STR(""));
	put_words(query, &source);
	query_int(query, source.trust);
	query_str(query, source.auth.p ? source.auth : STR(""));
	query_int(query, source.interval);
	query_int(query, source.max_lines);
	query_int(query, source.max_bytes);
	query_bool(query, source.restricted);
	query_bool(query, !source.ask_before);
	query_bool(query, !source.spam_welcome);
	query_str(query, source.exercise.p ? source.exercise : STR(""));
	query_str(query, source.settings);
	query_int(query, source.silent_after);
	request->conflict = "a source of this name exists already: cirt source list";
	request_change(request, query, on_changed_row);
}

/* A change: what is not said stays as it is, and all of it together has to be what `source add` would take.
 */

static const char *const switches[] = {"restricted", "spam_welcome", "ask_before_notice"};

/* What may be said both ways comes as a word. */
static bool read_switches(struct request *request)
{
	for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
		struct str word = STR_NONE;

		if (!request_text(request, switches[i], &word))
			return false;
		if (!word.p)
			continue;
		if (!str_equal(word, STR("yes")) && !str_equal(word, STR("no"))) {
			request_refuse(request, RPC_INVALID_PARAMS, "%s: expected yes or no", switches[i]);
			return false;
		}
		json_object_object_add(
			request->params, switches[i], json_object_new_boolean(str_equal(word, STR("yes"))));
	}
	return true;
}

static bool is_csv_setting(const char *name)
{
	for (const struct source_setting *one = source_settings; one->name; one++)
		if (one->csv && strcmp(one->name, name) == 0)
			return true;
	return false;
}

/* Add what stands to what was said. An empty text takes away what stands; how CSV is read goes with CSV. */
static void add_standing(struct request *request, struct json_object *standing)
{
	struct json_object *format = NULL;
	bool csv;

	if (!json_object_object_get_ex(request->params, "format", &format))
		json_object_object_get_ex(standing, "format", &format);
	csv = format && strcmp(json_object_get_string(format), "csv") == 0;
	json_object_object_foreach(standing, name, value)
	{
		struct json_object *said = NULL;

		if (json_object_object_get_ex(request->params, name, &said)) {
			if (json_object_is_type(said, json_type_string) &&
				json_object_get_string_len(said) == 0)
				json_object_object_del(request->params, name);
		} else if (value && (csv || !is_csv_setting(name))) {
			json_object_object_add(request->params, name, json_object_get(value));
		}
	}
}

static void put_change(struct request *request, struct query *query, const struct new_source *source)
{
	struct str match = source->match.p ? source->match : STR("");

	query_start(
		query, request->arena, "WITH n AS (SELECT name, kind, enabled FROM source WHERE name = $?),");
	query_str(query, source->name);
	query_add(query, MATCH_TAKEN("(SELECT name FROM n)", "(SELECT kind FROM n)",
				 "(SELECT CASE WHEN enabled THEN $? ELSE '' END FROM n)"));
	query_str(query, match);
	query_add(query,
		" s AS (UPDATE source SET match = $?, tlp = $?::tlp, pap = $?::pap, type = $?::rsit_type, "
		"format = $?::source_format, trust = $?::int, interval_seconds = $?::int, max_lines = "
		"$?::bigint, max_bytes = $?::bigint, restricted = $?::boolean, may_notify_affected = "
		"$?::boolean, spam_counts = $?::boolean, exercise = exercise_id($?), settings = $?::jsonb, "
		"silent_seconds = $?::int");
	query_str(query, match);
	put_words(query, source);
	query_int(query, source->trust);
	query_int(query, source->interval);
	query_int(query, source->max_lines);
	query_int(query, source->max_bytes);
	query_bool(query, source->restricted);
	query_bool(query, !source->ask_before);
	query_bool(query, !source->spam_welcome);
	query_str(query, source->exercise.p ? source->exercise : STR(""));
	query_str(query, source->settings);
	query_int(query, source->silent_after);
	if (!source->keeps_auth) {
		query_add(query, ", auth = $?");
		query_str(query, source->auth.p ? source->auth : STR(""));
	}
	query_add(query, " WHERE name = $? AND NOT EXISTS (SELECT FROM taken) RETURNING name, enabled)");
	query_str(query, source->name);
}

static void on_standing(struct request *request, const struct pg_result *result)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	struct new_source source = {.trust = 0};
	struct json_object *standing, *said = NULL;
	struct str reason = STR_NONE;

	if (result->rows == 0) {
		request_refuse(
			request, RPC_NOT_FOUND, "there is no source \"%s\"", (const char *)request->state);
		return;
	}
	standing = result_json(result, 0, 0);
	source.keeps_auth = !json_object_object_get_ex(request->params, "auth", &said);
	add_standing(request, standing);
	json_object_put(standing);
	if (!request_text(request, "reason", &reason) || !read_source(request, &source))
		return;
	put_change(request, query, &source);
	query_add(query,
		", why AS (SELECT journal_add('source/' || name, 'note', NULL, $?) FROM s WHERE $? <> '')"
		" SELECT (SELECT json_build_object('name', s.name, 'state', CASE WHEN s.enabled THEN "
		"'enabled' ELSE 'disabled' END, 'noted', (SELECT count(*) FROM why)) FROM s), (SELECT name "
		"FROM taken)");
	query_str(query, reason.p ? reason : STR(""));
	query_str(query, reason.p ? reason : STR(""));
	request_step(request, query, on_changed_row);
}

static void on_set_begun(struct request *request, const struct pg_result *result)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));

	(void)result;
	query_start(query, request->arena,
		"SELECT s.settings || jsonb_strip_nulls(jsonb_build_object('kind', s.kind, 'match', s.match, "
		"'tlp', "
		"s.tlp, 'pap', s.pap, 'type', s.type, 'format', s.format, 'trust', s.trust, 'interval', "
		"s.interval_seconds, 'max_lines', s.max_lines, 'max_bytes', s.max_bytes, 'silent_after', "
		"nullif(s.silent_seconds, 0), 'exercise', nullif(x.name, ''), 'restricted', s.restricted, "
		"'ask_before_notice', NOT s.may_notify_affected, 'spam_welcome', NOT s.spam_counts)) "
		"FROM source s JOIN exercise x ON x.id = s.exercise WHERE s.name = $? FOR UPDATE OF s");
	query_str(query, str_of(request->state));
	request_step(request, query, on_standing);
}

void desk_source_set(struct request *request)
{
	struct json_object *kind = NULL;
	struct str name;

	if (!request_needs(request, "name", &name))
		return;
	if (json_object_object_get_ex(request->params, "kind", &kind)) {
		request_refuse(request, RPC_INVALID_PARAMS,
			"kind: a source stays what it is; disable it and add another one");
		return;
	}
	if (!read_switches(request) || !request_database(request))
		return;
	request->state = (void *)arena_str(request->arena, name).p;
	request_begin(request, on_set_begun);
}
