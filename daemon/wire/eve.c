/*
 * Suricata's EVE: one object a line, event_type says what. An alert is a report; flows, transactions and
 * statistics are context, kept as they came.
 *
 * Who is source and who is target: alert.source and alert.target where the rule says (its keyword `target`),
 * else the packet's addresses. Of a host that is infected the host is the source, by RSIT: the target that
 * the rule names, else the flow's client. Reports fold by signature and both addresses (report->signature).
 */
#include "config.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "model/storable.h"
#include "wire/lines.h"
#include "wire/taxon.h"

#define PAYLOAD_MAX ((size_t)65536) /* of one packet or stream, decoded */

/* By alert.severity, 1 to 4: the middle of high, medium, low and info. */
static const int severities[] = {70, 50, 30, 10};

struct end {
	struct str ip;
	const struct json_node *port;
};

struct alert {
	struct statement *statement;
	const struct json_node *root;
	const struct json_node *alert;
	struct end source, target;
	enum observable_role server; /* of the two, who answers */
};

static bool eve_is(const struct json_node *root)
{
	return json_tree_text(root, "event_type").len > 0 && json_tree_text(root, "timestamp").len > 0;
}

static struct end end_of(const struct json_node *node, const char *ip, const char *port)
{
	return (struct end){json_tree_text(node, ip), json_tree_get(node, port)};
}

static void swap(struct alert *alert)
{
	struct end source = alert->source;

	alert->source = alert->target;
	alert->target = source;
	alert->server = alert->server == OBSERVED_SOURCE ? OBSERVED_TARGET : OBSERVED_SOURCE;
}

/* Source and target as the rule's author meant them, else as the packet went. */
static void find_ends(struct alert *alert)
{
	const struct json_node *source = json_tree_get(alert->alert, "source");
	const struct json_node *target = json_tree_get(alert->alert, "target");
	bool to_client = str_equal(json_tree_text(alert->root, "direction"), STR("to_client"));
	bool infected = alert->statement->report.type != RSIT_NONE &&
	                strcmp(rsit_name(alert->statement->report.type), "infected-system") == 0;

	alert->source = end_of(alert->root, "src_ip", "src_port");
	alert->target = end_of(alert->root, "dest_ip", "dest_port");
	alert->server = to_client ? OBSERVED_SOURCE : OBSERVED_TARGET;
	if (json_tree_text(source, "ip").len > 0 && json_tree_text(target, "ip").len > 0) {
		if (str_equal(json_tree_text(source, "ip"), alert->target.ip))
			swap(alert);
		if (infected)
			swap(alert);
	} else if (infected && to_client) {
		swap(alert);
	}
}

static void take_ends(struct alert *alert)
{
	struct report *report = &alert->statement->report;
	int64_t port;

	statement_observe(alert->statement, OBSERVABLE_IP, OBSERVED_SOURCE, alert->source.ip);
	statement_observe(alert->statement, OBSERVABLE_IP, OBSERVED_TARGET, alert->target.ip);
	if (json_node_integer(alert->source.port, 0, UINT16_MAX, &port))
		report->source_port = (uint16_t)port;
	if (json_node_integer(alert->target.port, 0, UINT16_MAX, &port))
		report->target_port = (uint16_t)port;
}

static void classify(struct statement *statement, const struct json_node *alert)
{
	struct str category = json_tree_text(alert, "category");
	const struct taxon *taxon = taxon_find(&taxonomy_eve, category);
	char shown[JSON_SHOWN];

	if (!taxon && category.len > 0)
		reading_note(statement->reading, &statement->report,
			"the category \"%s\" is not known: taken as ids-alert", json_shown(category, shown));
	if (taxon)
		statement->report.type = taxon_type(taxon);
	else
		(void)rsit_parse(STR("ids-alert"), &statement->report.type);
}

/* First of a list of texts, or the text itself: metadata of rules is lists, of old versions texts. */
static struct str first_text(const struct json_node *node)
{
	if (node && node->kind == JSON_ARRAY)
		node = node->child;
	return json_node_text(node);
}

/* "CVE_2019_0708" and "2019-0708" as CVE-2019-0708. */
static void take_cve(struct statement *statement, struct str text)
{
	bool bare = text.len > 0 && text.p[0] >= '0' && text.p[0] <= '9';
	struct str front = bare ? STR("CVE-") : STR("");
	char *bytes = arena_alloc(statement->reading->arena, front.len + text.len + 1);
	struct str value = {bytes, front.len + text.len};

	memcpy(bytes, front.p, front.len);
	for (size_t i = 0; i < text.len; i++)
		bytes[front.len + i] = (char)(text.p[i] == '_' ? '-' : text.p[i]);
	if (statement_observe(statement, OBSERVABLE_CVE, OBSERVED_INDICATOR, value) &&
		statement->report.identifier.len == 0)
		statement_identifier(statement, value);
}

static void take_metadata(struct statement *statement, const struct json_node *metadata)
{
	static const struct {
		const char *word;
		int confidence;
	} words[] = {{"High", 80}, {"Medium", 50}, {"Low", 20}};
	const struct json_node *cve = json_tree_get(metadata, "cve");
	struct str confidence = first_text(json_tree_get(metadata, "confidence"));

	statement_malware(statement, first_text(json_tree_get(metadata, "malware_family")));
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_equal_nocase(confidence, str_of(words[i].word)))
			statement->report.confidence = words[i].confidence;
	if (cve && cve->kind == JSON_ARRAY)
		for (cve = cve->child; cve; cve = cve->next)
			take_cve(statement, json_node_text(cve));
	else
		take_cve(statement, json_node_text(cve));
}

/* The signature's number, in report->signature as "gid:sid", which folds; the revision is left out. */
static bool take_signature(struct alert *alert, struct err *err)
{
	struct statement *statement = alert->statement;
	struct arena *arena = statement->reading->arena;
	int64_t gid = 1;
	int64_t id;
	int64_t severity;

	if (!json_node_integer(json_tree_get(alert->alert, "signature_id"), 0, UINT32_MAX, &id))
		return err_set(
			err, ERR_MALFORMED, "expected \"alert\" with a whole number as \"signature_id\"");
	(void)json_node_integer(json_tree_get(alert->alert, "gid"), 0, UINT32_MAX, &gid);
	statement->report.signature = arena_printf(arena, "%lld:%lld", (long long)gid, (long long)id);
	if (statement->report.identifier.len == 0)
		statement->report.identifier =
			gid == 1 ? arena_printf(arena, "sid-%lld", (long long)id)
				 : arena_printf(arena, "sid-%lld-%lld", (long long)gid, (long long)id);
	if (json_node_integer(json_tree_get(alert->alert, "severity"), 1, ARRAY_LEN(severities), &severity))
		statement->report.severity = severities[severity - 1];
	statement_title(statement, json_tree_text(alert->alert, "signature"));
	if (statement->report.title.len == 0)
		statement->report.title = statement->report.identifier;
	return true;
}

/* The URL of a request: its host and its path stand apart. */
static void take_http(struct alert *alert)
{
	const struct json_node *http = json_tree_get(alert->root, "http");
	struct statement *statement = alert->statement;
	struct str host = json_tree_text(http, "hostname");
	struct str url = json_tree_text(http, "url");

	if (host.len > 0)
		statement_observe(statement,
			netaddr_parse(host, &(struct netaddr){0}) ? OBSERVABLE_IP : OBSERVABLE_NAME,
			alert->server, host);
	if (str_starts(url, STR("http://")) || str_starts(url, STR("https://")))
		statement_observe(statement, OBSERVABLE_URL, OBSERVED_INDICATOR, url);
	else if (host.len > 0 && str_starts(url, STR("/")))
		statement_observe(statement, OBSERVABLE_URL, OBSERVED_INDICATOR,
			arena_printf(statement->reading->arena, "http://" STR_FMT STR_FMT, STR_ARG(host),
				STR_ARG(url)));
	if (json_tree_text(http, "http_user_agent").len > 0)
		statement_observe(statement, OBSERVABLE_USER_AGENT, OBSERVED_UNKNOWN,
			json_tree_text(http, "http_user_agent"));
}

/* dns.query[] of version 2, dns.queries[] of version 3, dns.rrname of the events themselves. */
static void take_dns(struct alert *alert)
{
	static const char *const lists[] = {"query", "queries"};
	const struct json_node *dns = json_tree_get(alert->root, "dns");

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct json_node *list = json_tree_get(dns, lists[i]);
		for (const struct json_node *one = list ? list->child : NULL; one; one = one->next)
			statement_observe(alert->statement, OBSERVABLE_NAME, OBSERVED_INDICATOR,
				json_tree_text(one, "rrname"));
	}
	statement_observe(
		alert->statement, OBSERVABLE_NAME, OBSERVED_INDICATOR, json_tree_text(dns, "rrname"));
}

static void take_file(struct statement *statement, const struct json_node *file)
{
	static const struct {
		const char *key;
		enum observable_type type;
	} digests[] = {{"sha256", OBSERVABLE_SHA256}, {"sha1", OBSERVABLE_SHA1}, {"md5", OBSERVABLE_MD5}};

	for (size_t i = 0; i < ARRAY_LEN(digests); i++)
		statement_observe(
			statement, digests[i].type, OBSERVED_INDICATOR, json_tree_text(file, digests[i].key));
}

static void take_files(struct alert *alert)
{
	const struct json_node *files = json_tree_get(alert->root, "files");

	for (const struct json_node *one = files ? files->child : NULL; one; one = one->next)
		take_file(alert->statement, one);
	take_file(alert->statement, json_tree_get(alert->root, "fileinfo"));
}

/* What went over the wire, for the rules: what a base64 hides they do not see. */
static void take_payload(struct alert *alert)
{
	struct reading *reading = alert->statement->reading;
	struct str text = json_tree_text(alert->root, "payload");
	struct buf payload = {0};

	if (text.len > 0 && text.len <= PAYLOAD_MAX / 3 * 4 && base64_decode(text, true, &payload) &&
		payload.len > 0)
		reading_part(reading, statement_item(alert->statement), PART_FILE, STR("payload"),
			STR("application/octet-stream"), arena_str(reading->arena, buf_view(&payload)));
	buf_free(&payload);
}

static bool alert_read(struct statement *statement, struct err *err)
{
	struct alert alert = {.statement = statement,
		.root = statement->root,
		.alert = json_tree_get(statement->root, "alert")};

	classify(statement, alert.alert);
	take_metadata(statement, json_tree_get(alert.alert, "metadata"));
	if (!take_signature(&alert, err))
		return false;
	find_ends(&alert);
	take_ends(&alert);
	take_http(&alert);
	take_dns(&alert);
	statement_observe(statement, OBSERVABLE_NAME, alert.server,
		json_tree_text(json_tree_get(alert.root, "tls"), "sni"));
	take_files(&alert);
	if (statement->report.observable_count == 0)
		return err_set(err, ERR_MALFORMED, "expected an alert with src_ip or dest_ip");
	if (str_equal(json_tree_text(alert.alert, "action"), STR("blocked")))
		reading_tag(statement->reading, &statement->report, STR("blocked"));
	take_payload(&alert);
	return true;
}

static bool eve_read(struct statement *statement, struct err *err)
{
	struct str type = json_tree_text(statement->root, "event_type");

	if (!eve_is(statement->root))
		return err_set(err, ERR_MALFORMED, "expected texts as \"event_type\" and \"timestamp\"");
	statement_time(statement, json_tree_text(statement->root, "timestamp"));
	statement_sender_id(statement, json_tree_text(statement->root, "flow_id"));
	if (str_equal(type, STR("alert")))
		return alert_read(statement, err);
	statement->kind = ITEM_CONTEXT;
	statement_observe(
		statement, OBSERVABLE_IP, OBSERVED_SOURCE, json_tree_text(statement->root, "src_ip"));
	statement_observe(
		statement, OBSERVABLE_IP, OBSERVED_TARGET, json_tree_text(statement->root, "dest_ip"));
	statement_title(
		statement, arena_printf(statement->reading->arena, "Suricata: " STR_FMT, STR_ARG(type)));
	return true;
}

const struct line_format eve_format = {FORMAT_EVE, "Suricata EVE", "event_type", eve_is, eve_read};
