/*
 * IDEA0, the alerts of CESNET's Warden: an object with Format "IDEA0". Keys count whatever their case. The
 * first category that has an RSIT type gives it; a Test among them makes it a test. Addresses that the sender
 * calls spoofed or anonymised are nobody's: they stay with an unknown role, so that no owner is told.
 */
#include "config.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "model/storable.h"
#include "wire/ip_range.h"
#include "wire/lines.h"
#include "wire/taxon.h"

#define RANGE_PREFIXES 64      /* of one range; a longer list stays in the document */
#define ATTACH_MAX     1048576 /* of one attachment, decoded */

static bool idea_is(const struct json_node *root)
{
	struct str format = json_node_text(json_tree_get_nocase(root, "Format"));

	return str_equal_nocase(format, STR("IDEA0"));
}

static struct str text_of(const struct json_node *node, const char *key)
{
	return json_node_text(json_tree_get_nocase(node, key));
}

/* Lists may be one value without brackets: real senders write Port so. */
static const struct json_node *first_of(const struct json_node *node, const char *key)
{
	const struct json_node *list = json_tree_get_nocase(node, key);

	return list && list->kind == JSON_ARRAY ? list->child : list;
}

/* What follows in a list; a value without brackets is a member, and what follows it is another. */
static const struct json_node *next_of(const struct json_node *one)
{
	return one->key.p ? NULL : one->next;
}

/* Categories */

static const struct taxon *class_of(struct str category)
{
	struct str class;
	const struct taxon *taxon;

	str_split(&category, '.', &class);
	taxon = taxon_find(&taxonomy_idea, class);
	return taxon ? taxon : taxon_near(&taxonomy_idea, class);
}

static const struct taxon *taxon_of(struct statement *statement, struct str category)
{
	const struct taxon *taxon = taxon_find(&taxonomy_idea, category);
	char shown[JSON_SHOWN];

	if (taxon || category.len == 0)
		return taxon;
	taxon = taxon_near(&taxonomy_idea, category);
	if (!taxon)
		taxon = class_of(category);
	reading_note(statement->reading, &statement->report, "the category \"%s\" is not known%s%s",
		json_shown(category, shown), taxon ? ": read as " : "", taxon ? taxon->word : "");
	return taxon;
}

static bool take_categories(struct statement *statement, struct err *err)
{
	struct report *report = &statement->report;
	size_t count = 0;

	for (const struct json_node *one = first_of(statement->root, "Category"); one; one = next_of(one)) {
		struct str category = str_trim(json_node_text(one));
		const struct taxon *taxon = taxon_of(statement, category);
		enum rsit_type type = taxon ? taxon_type(taxon) : RSIT_NONE;
		if (report->type == RSIT_NONE || (taxon && strcmp(taxon->type, "test") == 0))
			report->type = type;
		reading_tag(statement->reading, report,
			arena_printf(statement->reading->arena, "idea:" STR_FMT, STR_ARG(category)));
		count++;
	}
	return count > 0 || err_set(err, ERR_MALFORMED, "expected a list of texts as \"Category\"");
}

/* Sources and targets */

static void take_address(struct statement *statement, enum observable_role role, struct str text)
{
	struct ip_range range;
	struct netaddr prefix;
	char shown[NETADDR_TEXT];
	int count = 0;

	if (!ip_range_parse(text, &range)) {
		statement_observe(statement, OBSERVABLE_IP, role, text);
		return;
	}
	while (count++ < RANGE_PREFIXES && ip_range_next(&range, &prefix))
		statement_observe(statement, OBSERVABLE_IP, role, str_of(netaddr_format(&prefix, shown)));
	if (!range.over)
		reading_note(statement->reading, &statement->report,
			"a range of more than %d prefixes; the others stand in the document only",
			RANGE_PREFIXES);
}

static bool is_true(const struct json_node *node, const char *key)
{
	const struct json_node *value = json_tree_get_nocase(node, key);

	return value && value->kind == JSON_BOOL && value->truth;
}

static void take_port(const struct json_node *end, uint16_t *port)
{
	int64_t value;

	if (*port == 0 && json_node_integer(first_of(end, "Port"), 0, UINT16_MAX, &value))
		*port = (uint16_t)value;
}

static enum observable_role role_of(
	struct statement *statement, const struct json_node *end, enum observable_role role)
{
	static const char *const flags[] = {"Spoofed", "Anonymised"};

	if (is_true(end, "Imprecise"))
		reading_note(
			statement->reading, &statement->report, "the sender calls its addresses imprecise");
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (!is_true(end, flags[i]))
			continue;
		reading_note(statement->reading, &statement->report,
			"the sender calls addresses of the %s %s: they have no role",
			observable_role_name(role), flags[i]);
		return OBSERVED_UNKNOWN;
	}
	return role;
}

/* Where the source itself says that it commands others, that is what is reported of it. */
static void refine(struct statement *statement, const struct json_node *source)
{
	for (const struct json_node *type = first_of(source, "Type"); type; type = next_of(type))
		if (str_equal_nocase(json_node_text(type), STR("CC")) &&
			statement->report.type != RSIT_NONE &&
			strcmp(rsit_name(statement->report.type), "infected-system") == 0)
			(void)rsit_parse(STR("c2-server"), &statement->report.type);
}

static void take_end(struct statement *statement, const struct json_node *end, enum observable_role given)
{
	static const struct {
		const char *key;
		enum observable_type type;
	} members[] = {{"Hostname", OBSERVABLE_NAME}, {"URL", OBSERVABLE_URL}, {"Email", OBSERVABLE_EMAIL},
		{"MAC", OBSERVABLE_MAC}};
	struct report *report = &statement->report;
	enum observable_role role = role_of(statement, end, given);
	int64_t asn;

	for (const struct json_node *one = first_of(end, "IP4"); one; one = next_of(one))
		take_address(statement, role, json_node_text(one));
	for (const struct json_node *one = first_of(end, "IP6"); one; one = next_of(one))
		take_address(statement, role, json_node_text(one));
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		for (const struct json_node *one = first_of(end, members[i].key); one; one = next_of(one))
			statement_observe(statement, members[i].type, role, json_node_text(one));
	take_port(end, given == OBSERVED_SOURCE ? &report->source_port : &report->target_port);
	if (role == OBSERVED_SOURCE && report->asn == 0 &&
		json_node_integer(first_of(end, "ASN"), 1, UINT32_MAX, &asn))
		report->asn = (uint32_t)asn;
	if (given == OBSERVED_SOURCE)
		refine(statement, end);
}

/* References and attachments */

static void take_reference(struct statement *statement, struct str text)
{
	struct observable one;

	text = str_trim(text);
	if (text.len > 4 && str_equal_nocase((struct str){text.p, 4}, STR("cve:")))
		text = (struct str){text.p + 4, text.len - 4};
	if (!observable_guess(text, statement->reading->arena, &one) || one.type != OBSERVABLE_CVE)
		return;
	statement_observe(statement, OBSERVABLE_CVE, OBSERVED_INDICATOR, text);
	if (statement->report.identifier.len == 0)
		statement_identifier(statement, one.value);
}

/* "sha1:794467…", or "urn:sha256:…". */
static void take_digest(struct statement *statement, struct str text)
{
	enum observable_type type;
	struct str name = text;
	struct str value;
	const char *colon = text.len > 0 ? memrchr(text.p, ':', text.len) : NULL;

	if (!colon)
		return;
	name.len = (size_t)(colon - text.p);
	value = (struct str){colon + 1, text.len - name.len - 1};
	if (name.len > 4 && str_equal_nocase((struct str){name.p, 4}, STR("urn:")))
		name = (struct str){name.p + 4, name.len - 4};
	if (observable_type_parse(name, &type) && type >= OBSERVABLE_MD5 && type <= OBSERVABLE_SHA512)
		statement_observe(statement, type, OBSERVED_INDICATOR, value);
}

static void take_content(struct statement *statement, const struct json_node *attach)
{
	struct reading *reading = statement->reading;
	struct str content = text_of(attach, "Content");
	struct str name = json_node_text(first_of(attach, "FileName"));
	struct str type = json_node_text(first_of(attach, "ContentType"));
	bool encoded = str_equal_nocase(text_of(attach, "ContentEncoding"), STR("base64"));
	struct buf bytes = {0};

	if (content.len == 0)
		return;
	if (encoded && !base64_decode(content, true, &bytes)) {
		reading_note(reading, &statement->report, "an attachment is not base64: kept as it stands");
		buf_clear(&bytes);
	}
	if (bytes.len == 0)
		buf_str(&bytes, content);
	if (bytes.len <= ATTACH_MAX) {
		content = arena_str(reading->arena, buf_view(&bytes));
		name = name.len > 0 ? name : STR("attachment");
		type = type.len > 0 ? type : STR("application/octet-stream");
		reading_evidence(reading, statement_item(statement), name, type, content);
		reading_part(reading, statement_item(statement), PART_FILE, name, type, content);
	}
	buf_free(&bytes);
}

static void take_attachments(struct statement *statement)
{
	for (const struct json_node *attach = first_of(statement->root, "Attach"); attach;
		attach = next_of(attach)) {
		for (const struct json_node *hash = first_of(attach, "Hash"); hash; hash = next_of(hash))
			take_digest(statement, json_node_text(hash));
		for (const struct json_node *name = first_of(attach, "FileName"); name; name = next_of(name))
			statement_observe(
				statement, OBSERVABLE_FILENAME, OBSERVED_INDICATOR, json_node_text(name));
		take_content(statement, attach);
	}
}

/* The whole */

/* 0..1 as percent, from the digits: "0.563" is 56. */
static void take_confidence(struct statement *statement)
{
	struct str text = text_of(statement->root, "Confidence");
	struct str whole;
	int percent = 0;

	if (text.len == 0)
		return;
	str_split(&text, '.', &whole);
	if (str_equal(whole, STR("1")))
		percent = 100;
	else if (!str_equal(whole, STR("0")))
		return;
	for (size_t i = 0; percent < 100 && i < 2; i++)
		percent = percent * 10 +
		          (i < text.len && text.p[i] >= '0' && text.p[i] <= '9' ? text.p[i] - '0' : 0);
	statement->report.confidence = percent;
}

static void take_count(struct statement *statement)
{
	static const char *const keys[] = {"ConnCount", "FlowCount"};

	for (size_t i = 0; i < ARRAY_LEN(keys) && statement->report.count == 1; i++)
		(void)json_node_integer(json_tree_get_nocase(statement->root, keys[i]), 1, INT32_MAX,
			&statement->report.count);
}

static void take_time(struct statement *statement)
{
	static const char *const keys[] = {"EventTime", "WinStartTime", "DetectTime", "CreateTime"};

	for (size_t i = 0; i < ARRAY_LEN(keys) && statement->report.observed == CLOCK_UNKNOWN; i++)
		statement_time(statement, text_of(statement->root, keys[i]));
}

static bool idea_read(struct statement *statement, struct err *err)
{
	const struct json_node *root = statement->root;

	if (!idea_is(root))
		return err_set(err, ERR_MALFORMED, "expected \"Format\":\"IDEA0\"");
	if (text_of(root, "ID").len == 0)
		return err_set(err, ERR_MALFORMED, "expected a text as \"ID\"");
	if (!take_categories(statement, err))
		return false;
	statement_sender_id(statement, text_of(root, "ID"));
	take_time(statement);
	take_confidence(statement);
	take_count(statement);
	for (const struct json_node *one = first_of(root, "Source"); one; one = next_of(one))
		take_end(statement, one, OBSERVED_SOURCE);
	for (const struct json_node *one = first_of(root, "Target"); one; one = next_of(one))
		take_end(statement, one, OBSERVED_TARGET);
	for (const struct json_node *one = first_of(root, "Ref"); one; one = next_of(one))
		take_reference(statement, json_node_text(one));
	statement_title(statement, text_of(root, "Description"));
	if (statement->report.title.len == 0)
		statement_title(statement, json_node_text(first_of(root, "Category")));
	statement_text(statement, text_of(root, "Note"));
	take_attachments(statement);
	return true;
}

const struct line_format idea_format = {FORMAT_IDEA, "IDEA", "Format \"IDEA0\"", idea_is, idea_read};
