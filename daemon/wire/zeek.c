/*
 * Logs of Zeek in JSON (LogAscii::use_json), and rows of its logs in columns (zeek_log.h) as the same tree. A
 * notice is a report by what its `note` is, a hit of the intelligence framework one of an alert; notices
 * about Zeek itself and all other logs are context.
 */
#include "config.h"

#include "base/mem.h"
#include "wire/lines.h"
#include "wire/taxon.h"

static bool zeek_is(const struct json_node *root)
{
	if (!json_tree_get(root, "ts"))
		return false;
	return json_tree_text(root, "_path").len > 0 || json_tree_text(root, "note").len > 0 ||
	       json_tree_text(root, "seen.indicator").len > 0 || json_tree_text(root, "uid").len > 0;
}

static struct str either(const struct json_node *root, const char *key, const char *other)
{
	struct str text = json_tree_text(root, key);

	return text.len > 0 ? text : json_tree_text(root, other);
}

static void take_port(const struct json_node *root, const char *key, uint16_t *port)
{
	int64_t number;

	if (json_node_integer(json_tree_get(root, key), 0, UINT16_MAX, &number))
		*port = (uint16_t)number;
}

/*
 * A notice names src and dst; the connection that it came of, where there is one, stands beside them. Of a
 * weak server the server is what is reported, so it is the source.
 */
static void take_ends(struct statement *statement, bool of_server)
{
	const struct json_node *root = statement->root;
	struct str source = either(root, "src", "id.orig_h");
	struct str target = either(root, "dst", "id.resp_h");
	bool turned = of_server && target.len > 0;

	statement_observe(statement, OBSERVABLE_IP, turned ? OBSERVED_TARGET : OBSERVED_SOURCE, source);
	statement_observe(statement, OBSERVABLE_IP, turned ? OBSERVED_SOURCE : OBSERVED_TARGET, target);
	take_port(
		root, "id.orig_p", turned ? &statement->report.target_port : &statement->report.source_port);
	take_port(
		root, "id.resp_p", turned ? &statement->report.source_port : &statement->report.target_port);
	take_port(root, "p", turned ? &statement->report.source_port : &statement->report.target_port);
}

static bool is_of_server(enum rsit_type type)
{
	return type != RSIT_NONE && strcmp(rsit_name(type), "weak-crypto") == 0;
}

static bool notice_read(struct statement *statement, struct str note, struct err *err)
{
	const struct json_node *root = statement->root;
	const struct taxon *taxon = taxon_find(&taxonomy_zeek, note);

	if (taxon)
		statement->report.type = taxon_type(taxon);
	else
		(void)rsit_parse(STR("ids-alert"), &statement->report.type);
	if (taxon && taxon->type[0] == '\0')
		statement->kind = ITEM_CONTEXT;
	statement_identifier(statement, note);
	statement_title(statement, either(root, "msg", "note"));
	statement_text(statement, json_tree_text(root, "sub"));
	take_ends(statement, is_of_server(statement->report.type));
	(void)json_node_integer(json_tree_get(root, "n"), 1, INT32_MAX, &statement->report.count);
	if (statement->kind == ITEM_REPORT && statement->report.observable_count == 0 &&
		statement->report.text.len == 0)
		return err_set(err, ERR_MALFORMED, "expected a notice with src, dst, id.orig_h or sub");
	return true;
}

static const struct {
	const char *word;
	enum observable_type type;
} indicator_types[] = {
	{"Intel::ADDR", OBSERVABLE_IP},
	{"Intel::SUBNET", OBSERVABLE_IP},
	{"Intel::URL", OBSERVABLE_URL},
	{"Intel::DOMAIN", OBSERVABLE_NAME},
	{"Intel::EMAIL", OBSERVABLE_EMAIL},
	{"Intel::USER_NAME", OBSERVABLE_ACCOUNT},
	{"Intel::FILE_NAME", OBSERVABLE_FILENAME},
	{"Intel::SOFTWARE", OBSERVABLE_USER_AGENT},
};

/* A digest tells its kind by its length; a URL of Zeek's has no scheme. */
static void take_indicator(struct statement *statement, struct str type, struct str text)
{
	struct observable one;

	for (size_t i = 0; i < ARRAY_LEN(indicator_types); i++) {
		if (!str_equal(type, str_of(indicator_types[i].word)))
			continue;
		if (indicator_types[i].type == OBSERVABLE_URL && text.len > 0 &&
			!memmem(text.p, text.len, "://", 3))
			text = arena_printf(statement->reading->arena, "http://" STR_FMT, STR_ARG(text));
		statement_observe(statement, indicator_types[i].type, OBSERVED_INDICATOR, text);
		return;
	}
	if (observable_guess(text, statement->reading->arena, &one))
		statement_observe(statement, one.type, OBSERVED_INDICATOR, text);
}

static bool intel_read(struct statement *statement, struct err *err)
{
	const struct json_node *root = statement->root;
	struct str indicator = json_tree_text(root, "seen.indicator");
	struct str where = json_tree_text(root, "seen.where");

	(void)rsit_parse(STR("ids-alert"), &statement->report.type);
	take_ends(statement, false);
	take_indicator(statement, json_tree_text(root, "seen.indicator_type"), indicator);
	if (statement->report.observable_count == 0)
		return err_set(err, ERR_MALFORMED, "expected a hit with an indicator or addresses");
	statement_title(statement,
		arena_printf(statement->reading->arena, "Intelligence hit: " STR_FMT " (" STR_FMT ")",
			STR_ARG(indicator), STR_ARG(where)));
	return true;
}

static bool zeek_read(struct statement *statement, struct err *err)
{
	const struct json_node *root = statement->root;
	struct str path = json_tree_text(root, "_path");
	struct str note = json_tree_text(root, "note");

	if (!json_tree_get(root, "ts"))
		return err_set(err, ERR_MALFORMED, "expected \"ts\"");
	statement_time(statement, json_tree_text(root, "ts"));
	statement_sender_id(statement, json_tree_text(root, "uid"));
	if (note.len > 0 && (path.len == 0 || str_starts(path, STR("notice"))))
		return notice_read(statement, note, err);
	if (json_tree_text(root, "seen.indicator").len > 0)
		return intel_read(statement, err);
	statement->kind = ITEM_CONTEXT;
	statement_title(statement, arena_printf(statement->reading->arena, "Zeek: " STR_FMT,
					   STR_ARG(path.len > 0 ? path : STR("a log of no name"))));
	take_ends(statement, false);
	return true;
}

const struct line_format zeek_format = {
	FORMAT_ZEEK, "Zeek", "ts with _path, note, seen.indicator or uid", zeek_is, zeek_read};
