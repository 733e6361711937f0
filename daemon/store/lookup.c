#include "config.h"

#include "store/lookup.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"

#define DEFAULT_QUIET (7 * CLOCK_DAY)

struct rule {
	int32_t id;
	unsigned kinds; /* bits by source kind; 0 = any */
	struct str class;
	enum rsit_type type;
	int min_severity;
	bool any_type;
	bool must_be_critical;
	bool critical;
	bool by_hand;
};

enum part {
	PART_NODE,
	PART_SOURCE,
	PART_EXERCISE,
	PART_FOLD_RULE,
	PART_CORRELATION_RULE,
	PART_ORGANISATION,
	PART_DELEGATION,
	PART_FOLD_UNDO,
	PARTS
};

struct lookup {
	struct pg *pg;
	char *node_name;
	lookup_sources_fn *on_sources;
	lookup_ready_fn *on_ready;
	void *context;
	unsigned loaded; /* bits by part */
	int64_t revisions[PARTS];
	int32_t node;
	struct arena *source_arena;
	struct source_table sources;
	struct map *exercises; /* name → id + 1 */
	int64_t quiet[RSIT_COUNT];
	struct arena *rule_arena;
	struct rule *rules;
	size_t rule_count;
	struct organisations *organisations;
	struct countries *countries;
	struct map *parted; /* digest, exercise, source */
};

struct lookup *lookup_new(
	struct pg *pg, struct str node, lookup_sources_fn *sources, lookup_ready_fn *ready, void *context)
{
	struct lookup *c = mem_alloc(sizeof *c);
	c->pg = pg;
	c->node_name = mem_strndup(node.p ? node.p : "", node.len);
	c->on_sources = sources;
	c->on_ready = ready;
	c->context = context;
	c->source_arena = arena_new(4096);
	c->rule_arena = arena_new(4096);
	c->exercises = map_new();
	c->parted = map_new();
	c->organisations = organisations_new();
	c->countries = countries_new();
	return c;
}

void lookup_free(struct lookup **lookup)
{
	struct lookup *c = *lookup;
	if (!c)
		return;
	arena_free(&c->source_arena);
	arena_free(&c->rule_arena);
	map_free(&c->exercises);
	map_free(&c->parted);
	organisations_free(&c->organisations);
	countries_free(&c->countries);
	free(c->node_name);
	free(c);
	*lookup = NULL;
}

static void take_node(struct lookup *c, const struct pg_result *rows)
{
	c->node = (int32_t)pg_value_int(rows, 0, 0);
}

static void take_source(const struct pg_result *rows, int row, struct arena *arena, struct source *source)
{
	*source = (struct source){
		.id = (uint32_t)pg_value_int(rows, row, 0),
		.enabled = pg_value_int(rows, row, 2),
		.restricted = pg_value_int(rows, row, 3),
		.may_notify_affected = pg_value_int(rows, row, 4),
		.trust = (int)pg_value_int(rows, row, 9),
		.name = arena_str(arena, pg_value(rows, row, 10)),
		.match = arena_str(arena, pg_value(rows, row, 11)),
		.exercise = arena_str(arena, pg_value(rows, row, 12)),
		.settings = arena_str(arena, pg_value(rows, row, 13)),
		.interval = (uint32_t)pg_value_int(rows, row, 14),
		.max_lines = (uint64_t)pg_value_int(rows, row, 15),
		.max_bytes = (uint64_t)pg_value_int(rows, row, 16),
	};
	source_kind_parse(pg_value(rows, row, 1), &source->kind);
	tlp_parse(pg_value(rows, row, 5), &source->tlp);
	pap_parse(pg_value(rows, row, 6), &source->pap);
	rsit_parse(pg_value(rows, row, 7), &source->type);
	format_parse(pg_value(rows, row, 8), &source->format);
}

static void take_sources(struct lookup *c, const struct pg_result *rows)
{
	size_t count = (size_t)rows->rows;
	arena_reset(c->source_arena);
	c->sources = (struct source_table){.count = count};
	c->sources.sources = arena_alloc(c->source_arena, (count + 1) * sizeof *c->sources.sources);
	for (size_t i = 0; i < count; i++)
		take_source(rows, (int)i, c->source_arena, &c->sources.sources[i]);
	c->sources.version = count ? (uint64_t)pg_value_int(rows, 0, 17) : 0;
	c->on_sources(&c->sources, c->context);
}

static void take_exercises(struct lookup *c, const struct pg_result *rows)
{
	for (int row = 0; row < rows->rows; row++)
		map_put_str(c->exercises, pg_value(rows, row, 1),
			(void *)(uintptr_t)(pg_value_int(rows, row, 0) + 1));
}

static void take_fold_rules(struct lookup *c, const struct pg_result *rows)
{
	int64_t rest = DEFAULT_QUIET;
	for (int row = 0; row < rows->rows; row++)
		if (!pg_value(rows, row, 0).p)
			rest = pg_value_int(rows, row, 1);
	for (size_t i = 0; i < RSIT_COUNT; i++)
		c->quiet[i] = rest;
	for (int row = 0; row < rows->rows; row++) {
		enum rsit_type type;
		if (pg_value(rows, row, 0).p && rsit_parse(pg_value(rows, row, 0), &type))
			c->quiet[type] = pg_value_int(rows, row, 1);
	}
}

static void take_rule(const struct pg_result *rows, int row, struct arena *arena, struct rule *rule)
{
	struct str kinds = pg_value(rows, row, 1);
	struct str kind;
	*rule = (struct rule){
		.id = (int32_t)pg_value_int(rows, row, 0),
		.class = pg_value(rows, row, 2).p ? arena_str(arena, pg_value(rows, row, 2)) : STR_NONE,
		.any_type = !pg_value(rows, row, 3).p,
		.min_severity = pg_value(rows, row, 4).p ? (int)pg_value_int(rows, row, 4) : -1,
		.must_be_critical = pg_value(rows, row, 5).p != NULL,
		.critical = pg_value_int(rows, row, 5),
		.by_hand = str_equal(pg_value(rows, row, 6), STR("by-hand")),
	};
	if (!rule->any_type)
		rsit_parse(pg_value(rows, row, 3), &rule->type);
	while (str_split(&kinds, ' ', &kind)) {
		enum source_kind bit;
		if (source_kind_parse(kind, &bit))
			rule->kinds |= 1u << bit;
	}
}

static void take_rules(struct lookup *c, const struct pg_result *rows)
{
	size_t count = (size_t)rows->rows;
	arena_reset(c->rule_arena);
	c->rules = arena_alloc(c->rule_arena, (count + 1) * sizeof *c->rules);
	c->rule_count = count;
	for (size_t i = 0; i < count; i++)
		take_rule(rows, (int)i, c->rule_arena, &c->rules[i]);
}

static struct validity take_validity(const struct pg_result *rows, int row)
{
	struct validity valid = {INT64_MIN, INT64_MAX};
	if (pg_value(rows, row, 3).p)
		valid.first = pg_value_int(rows, row, 3);
	if (pg_value(rows, row, 4).p)
		valid.end = pg_value_int(rows, row, 4);
	return valid;
}

static void take_organisations(struct lookup *c, const struct pg_result *rows)
{
	struct organisations *fresh = organisations_new();
	for (int row = 0; row < rows->rows; row++) {
		struct str kind = pg_value(rows, row, 0);
		int32_t id = (int32_t)pg_value_int(rows, row, 1);
		struct str value = pg_value(rows, row, 2);
		struct netaddr prefix;
		if (str_equal(kind, STR("prefix")) && netaddr_parse(value, &prefix))
			organisations_prefix(fresh, &prefix, take_validity(rows, row), id);
		else if (str_equal(kind, STR("domain")))
			organisations_domain(fresh, value, take_validity(rows, row), id);
		else if (str_equal(kind, STR("asn")))
			organisations_asn(
				fresh, (uint32_t)pg_value_int(rows, row, 2), take_validity(rows, row), id);
		else if (str_equal(kind, STR("brand")))
			organisations_brand(fresh, value, take_validity(rows, row), id);
		else if (str_equal(kind, STR("critical")))
			organisations_critical(fresh, id);
	}
	organisations_free(&c->organisations);
	c->organisations = fresh;
}

static void take_delegations(struct lookup *c, const struct pg_result *rows)
{
	struct countries *fresh = countries_new();
	for (int row = 0; row < rows->rows; row++) {
		struct netaddr prefix;
		if (netaddr_parse(pg_value(rows, row, 0), &prefix))
			countries_add(fresh, &prefix, pg_value(rows, row, 1));
	}
	countries_settle(fresh);
	countries_free(&c->countries);
	c->countries = fresh;
}

/* Digest as 32 hex digits, exercise, source. */
static struct str parted_key(
	const uint8_t digest[FINGERPRINT_LEN], int32_t exercise, uint32_t source, char key[80])
{
	char hex[2 * FINGERPRINT_LEN + 1];
	int len = snprintf(key, 80, "%s %d %u", hex_encode(digest, FINGERPRINT_LEN, hex), exercise, source);
	return (struct str){key, (size_t)len};
}

static void take_parted(struct lookup *c, const struct pg_result *rows)
{
	for (int row = 0; row < rows->rows; row++)
		map_put_str(c->parted, pg_value(rows, row, 0), c);
}

/* In this order: later parts need nothing of earlier ones, but sources should reach the doors first. */
static const struct {
	const char *what; /* in `revision`; NULL: read once per connection */
	const char *sql;
	void (*take)(struct lookup *c, const struct pg_result *rows);
} parts[PARTS] = {
	[PART_NODE] = {NULL,
		"INSERT INTO node (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET seen = now() RETURNING "
		"id",
		take_node},
	[PART_SOURCE] = {"source",
		"SELECT s.id, s.kind, s.enabled, s.restricted, s.may_notify_affected, s.tlp, s.pap, s.type, "
		"s.format, s.trust, s.name, "
		"s.match, e.name, s.settings::text, s.interval_seconds, s.max_lines, s.max_bytes, "
		"(SELECT revision FROM revision WHERE what = 'source') "
		"FROM source s JOIN exercise e ON e.id = s.exercise ORDER BY s.id",
		take_sources},
	[PART_EXERCISE] = {"exercise", "SELECT id, name FROM exercise", take_exercises},
	[PART_FOLD_RULE] = {"fold_rule",
		"SELECT type, (extract(epoch FROM quiet) * 1000000)::bigint FROM fold_rule", take_fold_rules},
	[PART_CORRELATION_RULE] = {"correlation_rule",
		"SELECT id, array_to_string(kinds, ' '), class, type, min_severity, critical, mode FROM "
		"correlation_rule "
		"WHERE enabled ORDER BY priority",
		take_rules},
	[PART_ORGANISATION] = {"organisation",
		"SELECT e.kind, e.organisation, e.value, (extract(epoch FROM lower(e.valid * o.valid)) * "
		"1000000)::bigint, (extract(epoch FROM upper(e.valid * o.valid)) * 1000000)::bigint FROM ("
		"SELECT 'critical' AS kind, id AS organisation, '' AS value, valid FROM organisation WHERE "
		"critical "
		"UNION ALL SELECT 'prefix', organisation, prefix::text, valid FROM organisation_prefix "
		"UNION ALL SELECT 'domain', organisation, domain, valid FROM organisation_domain "
		"UNION ALL SELECT 'asn', organisation, asn::text, valid FROM organisation_asn "
		"UNION ALL SELECT 'brand', organisation, brand, valid FROM organisation_brand) AS e "
		"JOIN organisation o ON o.id = e.organisation WHERE NOT isempty(e.valid * o.valid) "
		"ORDER BY lower(e.valid * o.valid) NULLS FIRST, e.organisation DESC",
		take_organisations},
	[PART_DELEGATION] = {"delegation", "SELECT prefix::text, country FROM delegation", take_delegations},
	[PART_FOLD_UNDO] = {"fold_undo",
		"SELECT DISTINCT concat(replace(digest::text, '-', ''), ' ', exercise, ' ', source) FROM "
		"fold_undo",
		take_parted},
};

/* What a query's call gets: which part of which lookup. */
struct load {
	struct lookup *lookup;
	enum part part;
};

static void on_loaded(struct pg *pg, const struct pg_result *result, void *context)
{
	struct load *load = context;
	struct lookup *c = load->lookup;
	enum part part = load->part;
	(void)pg;
	free(load);
	if (result->outcome != PG_DONE) {
		if (result->outcome == PG_REFUSED)
			log_error_f(LOG_F({"table", parts[part].what}, {"sqlstate", result->sqlstate}),
				"the lookup cannot be read: %s", result->text);
		return;
	}
	bool was_ready = lookup_is_ready(c);
	parts[part].take(c, result);
	c->loaded |= 1u << part;
	if (!was_ready && lookup_is_ready(c))
		c->on_ready(c->context);
}

static void lookup_load(struct lookup *c, enum part part)
{
	struct load *load = mem_alloc(sizeof *load);
	struct pg_parameter name = {.value = str_of(c->node_name)};
	*load = (struct load){c, part};
	pg_query(c->pg, parts[part].sql, &name, part == PART_NODE, part == PART_NODE, on_loaded, load);
}

void lookup_reload(struct lookup *c)
{
	c->loaded = 0;
	for (enum part part = 0; part < PARTS; part++)
		lookup_load(c, part);
	lookup_poll(c);
}

static void on_revisions(struct pg *pg, const struct pg_result *result, void *context)
{
	struct lookup *c = context;
	(void)pg;
	for (int row = 0; result->outcome == PG_DONE && row < result->rows; row++)
		for (enum part part = 0; part < PARTS; part++) {
			int64_t revision = pg_value_int(result, row, 1);
			if (!parts[part].what ||
				!str_equal(str_of(parts[part].what), pg_value(result, row, 0)) ||
				c->revisions[part] == revision)
				continue;
			c->revisions[part] = revision;
			lookup_load(c, part);
		}
}

void lookup_poll(struct lookup *c)
{
	pg_query(c->pg, "SELECT what, revision FROM revision", NULL, 0, false, on_revisions, c);
}

bool lookup_is_ready(const struct lookup *c)
{
	return c->loaded == (1u << PARTS) - 1;
}

const struct source_table *lookup_sources(const struct lookup *c)
{
	return &c->sources;
}

const struct organisations *lookup_organisations(const struct lookup *c)
{
	return c->organisations;
}

const struct countries *lookup_countries(const struct lookup *c)
{
	return c->countries;
}

int32_t lookup_node(const struct lookup *c)
{
	return c->node;
}

int32_t lookup_exercise(const struct lookup *c, struct str name)
{
	return (int32_t)(intptr_t)map_get_str(c->exercises, name) - 1;
}

static void on_exercise(struct pg *pg, const struct pg_result *result, void *context)
{
	struct lookup *c = context;
	(void)pg;
	if (result->outcome == PG_DONE)
		take_exercises(c, result);
	else if (result->outcome == PG_REFUSED)
		log_error_f(LOG_F({"sqlstate", result->sqlstate}), "an exercise cannot be made: %s",
			result->text);
	if (result->outcome != PG_REFUSED)
		c->on_ready(c->context);
}

void lookup_ask_exercise(struct lookup *c, struct str name)
{
	struct pg_parameter parameter = {.value = name};
	pg_query(c->pg, "SELECT exercise_id($1::text), $1::text", &parameter, 1, true, on_exercise, c);
}

int64_t lookup_quiet(const struct lookup *c, enum rsit_type type)
{
	return c->quiet[type];
}

bool lookup_parted(
	const struct lookup *c, const uint8_t digest[FINGERPRINT_LEN], int32_t exercise, uint32_t source)
{
	char key[80];
	return map_count(c->parted) && map_get_str(c->parted, parted_key(digest, exercise, source, key));
}

static bool rule_holds(const struct rule *rule, const struct correlation_facts *facts)
{
	if (rule->kinds && !(rule->kinds & 1u << facts->kind))
		return false;
	if (rule->class.p && !str_equal(rule->class, str_of(rsit_class(facts->type))))
		return false;
	if (!rule->any_type && rule->type != facts->type)
		return false;
	if (rule->min_severity >= 0 && facts->severity < rule->min_severity)
		return false;
	return !rule->must_be_critical || rule->critical == facts->critical;
}

int32_t lookup_rule(const struct lookup *c, const struct correlation_facts *facts)
{
	for (size_t i = 0; i < c->rule_count; i++)
		if (rule_holds(&c->rules[i], facts))
			return c->rules[i].by_hand ? 0 : c->rules[i].id;
	return 0;
}
