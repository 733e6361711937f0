/*
 * Events of IntelMQ: keys are paths with dots ("source.ip"), or objects in objects where a bot was told to
 * write them so; both are read. classification.type is RSIT's since IntelMQ 3, older words are in a table.
 */
#include "config.h"

#include "base/mem.h"
#include "model/severity.h"
#include "wire/lines.h"
#include "wire/taxon.h"

#define PATH_DEPTH 4

/* By its whole path, else by its first word and the rest of the path within that. */
static const struct json_node *at_path(const struct json_node *node, const char *path)
{
	for (int depth = 0; node && depth < PATH_DEPTH; depth++) {
		const struct json_node *found = json_tree_get(node, path);
		const char *dot = strchr(path, '.');
		struct str head = {path, dot ? (size_t)(dot - path) : 0};
		if (found || !dot || node->kind != JSON_OBJECT)
			return found;
		for (node = node->child; node && !str_equal(node->key, head); node = node->next)
			;
		path = dot + 1;
	}
	return NULL;
}

static struct str text_at(const struct json_node *root, const char *path)
{
	return json_node_text(at_path(root, path));
}

static bool intelmq_is(const struct json_node *root)
{
	return text_at(root, "classification.type").len > 0;
}

static bool classify(struct statement *statement, struct err *err)
{
	struct str word = str_trim(text_at(statement->root, "classification.type"));
	const struct taxon *taxon;
	char shown[JSON_SHOWN];

	if (word.len == 0)
		return err_set(err, ERR_MALFORMED, "expected a text as \"classification.type\"");
	if (rsit_parse(word, &statement->report.type))
		return true;
	taxon = taxon_find(&taxonomy_intelmq, word);
	if (taxon)
		statement->report.type = taxon_type(taxon);
	else
		reading_note(statement->reading, &statement->report,
			"classification.type \"%s\" is not known: taken as the source's default",
			json_shown(word, shown));
	return true;
}

static const struct {
	const char *path;
	enum observable_type type;
	enum observable_role role;
} observed[] = {
	{"source.ip", OBSERVABLE_IP, OBSERVED_SOURCE},
	{"source.network", OBSERVABLE_IP, OBSERVED_SOURCE},
	{"source.fqdn", OBSERVABLE_NAME, OBSERVED_SOURCE},
	{"source.reverse_dns", OBSERVABLE_NAME, OBSERVED_SOURCE},
	{"source.url", OBSERVABLE_URL, OBSERVED_SOURCE},
	{"source.account", OBSERVABLE_ACCOUNT, OBSERVED_SOURCE},
	{"destination.ip", OBSERVABLE_IP, OBSERVED_TARGET},
	{"destination.network", OBSERVABLE_IP, OBSERVED_TARGET},
	{"destination.fqdn", OBSERVABLE_NAME, OBSERVED_TARGET},
	{"destination.reverse_dns", OBSERVABLE_NAME, OBSERVED_TARGET},
	{"destination.url", OBSERVABLE_URL, OBSERVED_TARGET},
	{"destination.account", OBSERVABLE_ACCOUNT, OBSERVED_TARGET},
	{"malware.hash.md5", OBSERVABLE_MD5, OBSERVED_INDICATOR},
	{"malware.hash.sha1", OBSERVABLE_SHA1, OBSERVED_INDICATOR},
	{"malware.hash.sha256", OBSERVABLE_SHA256, OBSERVED_INDICATOR},
};

/* Whether an earlier row of the same role and type has been taken: a network beside its address tells nothing
 * more. */
static bool is_network(const char *path)
{
	return strcmp(path, "source.network") == 0 || strcmp(path, "destination.network") == 0;
}

static void take_observables(struct statement *statement)
{
	for (size_t i = 0; i < ARRAY_LEN(observed); i++) {
		struct str text = text_at(statement->root, observed[i].path);
		if (text.len == 0 ||
			(is_network(observed[i].path) &&
				report_find(&statement->report, OBSERVABLE_IP, observed[i].role)))
			continue;
		statement_observe(statement, observed[i].type, observed[i].role, text);
	}
}

static void take_numbers(struct statement *statement)
{
	const struct json_node *root = statement->root;
	struct report *report = &statement->report;
	struct str accuracy = text_at(root, "feed.accuracy");
	struct str percent = STR_NONE;
	int64_t number;

	if (json_node_integer(at_path(root, "source.port"), 0, UINT16_MAX, &number))
		report->source_port = (uint16_t)number;
	if (json_node_integer(at_path(root, "destination.port"), 0, UINT16_MAX, &number))
		report->target_port = (uint16_t)number;
	if (json_node_integer(at_path(root, "source.asn"), 1, UINT32_MAX, &number))
		report->asn = (uint32_t)number;
	(void)str_split(&accuracy, '.', &percent);
	if (str_to_i64(percent, &number) && number >= 0 && number <= 100)
		report->confidence = (int)number;
	(void)severity_parse(text_at(root, "extra.severity"), &report->severity);
	if (report->severity > 100)
		report->severity = -1;
}

/* tlp as IntelMQ has it ("AMBER"); what is none of it stays unstated. */
static void take_tlp(struct statement *statement)
{
	struct str text = text_at(statement->root, "tlp");
	char shown[JSON_SHOWN];

	if (text.len > 0 && !tlp_parse(text, &statement->report.tlp))
		reading_note(statement->reading, &statement->report, "the TLP \"%s\" is none: not read",
			json_shown(text, shown));
}

static void take_texts(struct statement *statement)
{
	static const char *const titles[] = {
		"event_description.text", "classification.identifier", "malware.name", "classification.type"};
	const struct json_node *root = statement->root;

	for (size_t i = 0; i < ARRAY_LEN(titles) && statement->report.title.len == 0; i++)
		statement_title(statement, text_at(root, titles[i]));
	statement_text(statement, text_at(root, "comment"));
	statement_identifier(statement, text_at(root, "classification.identifier"));
	statement_malware(statement, text_at(root, "malware.name"));
	if (text_at(root, "feed.name").len > 0)
		reading_tag(statement->reading, &statement->report,
			arena_printf(statement->reading->arena, "feed:" STR_FMT,
				STR_ARG(text_at(root, "feed.name"))));
}

static bool intelmq_read(struct statement *statement, struct err *err)
{
	struct str time = text_at(statement->root, "time.source");

	if (!classify(statement, err))
		return false;
	statement_time(statement, time.len > 0 ? time : text_at(statement->root, "time.observation"));
	take_observables(statement);
	if (statement->report.observable_count == 0)
		return err_set(err, ERR_MALFORMED,
			"expected an address, network, name, URL, account or digest under source, "
			"destination or "
			"malware");
	take_numbers(statement);
	take_tlp(statement);
	take_texts(statement);
	return true;
}

const struct line_format intelmq_format = {
	FORMAT_INTELMQ, "IntelMQ", "classification.type", intelmq_is, intelmq_read};
