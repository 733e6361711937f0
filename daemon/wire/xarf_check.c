#include "config.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "model/observable.h"
#include "wire/fields.h"
#include "wire/json_read.h"
#include "wire/xarf.h"

#define EVIDENCE_MAX     50
#define EVIDENCE_ONE_MAX ((size_t)5 << 20)
#define EVIDENCE_ALL_MAX ((size_t)15 << 20)
#define FAULTS_MAX       800 /* bytes; what stands behind them is not said */

enum kind { TEXT, ADDRESS, PORT, LINK, EMAIL, TIME, FLAG, NUMBER, PART, OBJECT, LIST, WORD, UUID, VERSION4 };

static const char *const expectations[] = {
	[TEXT] = "a text that is not empty",
	[ADDRESS] = "an IP address",
	[PORT] = "a port, 0 to 65535",
	[LINK] = "a URL",
	[EMAIL] = "a mail address",
	[TIME] = "a time as in RFC 3339",
	[FLAG] = "true or false",
	[NUMBER] = "a whole number that is not negative",
	[PART] = "a number from 0 to 1",
	[OBJECT] = "an object that is not empty",
	[LIST] = "a list",
	[WORD] = "one of ",
	[UUID] = "a UUID",
	[VERSION4] = "a version 4.x.y",
};

struct rule {
	const char *name;
	enum kind kind;
	bool required;
	const char *words; /* of WORD, by blanks */
};

struct check {
	struct buf *faults;
	const char *path; /* in front of names: "Report." */
};

static void fault(const struct check *check, const char *name, const char *expected, const char *more)
{
	if (check->faults->len > FAULTS_MAX)
		return;
	buf_printf(check->faults, "%s%s%s: expected %s%s", check->faults->len > 0 ? "; " : "", check->path,
		name, expected, more ? more : "");
}

/* --- values --- */

static bool normalises(enum observable_type type, struct str text)
{
	struct arena *arena = arena_new(0);
	struct str value;
	bool ok = text.len > 0 && observable_normalise(type, text, arena, &value);

	arena_free(&arena);
	return ok;
}

static bool is_word(const char *words, struct str text)
{
	struct str rest = str_of(words), word;

	while (str_split(&rest, ' ', &word))
		if (str_equal_nocase(word, text))
			return true;
	return false;
}

static bool is_uuid(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		char c = (char)(text.p[i] | 0x20);
		if (dash ? text.p[i] != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return text.len == 36;
}

/* Of this major number: "4.2.0"; of 3, which was less strict, "3" too. */
static bool is_version(struct str text, char major)
{
	size_t dots = 0;

	for (size_t i = 0; i < text.len; i++) {
		dots += text.p[i] == '.';
		if (text.p[i] != '.' && (text.p[i] < '0' || text.p[i] > '9'))
			return false;
	}
	return text.len > 0 && text.p[0] == major && (text.len == 1 || text.p[1] == '.') &&
	       text.p[text.len - 1] != '.' && (major == '3' || dots == 2);
}

static bool is_number(struct json_object *value, double least, double most)
{
	double number = json_object_get_double(value);

	return number >= least && number <= most;
}

static bool text_fits(const struct rule *rule, struct str text)
{
	int64_t time;

	switch (rule->kind) {
	case ADDRESS:
		return normalises(OBSERVABLE_IP, text);
	case LINK:
		return normalises(OBSERVABLE_URL, text);
	case EMAIL:
		return normalises(OBSERVABLE_EMAIL, text);
	case TIME:
		return fields_time(text, &time);
	case WORD:
		return is_word(rule->words, text);
	case UUID:
		return is_uuid(text);
	case VERSION4:
		return is_version(text, '4');
	default:
		return str_trim(text).len > 0;
	}
}

static bool fits(const struct rule *rule, struct json_object *value)
{
	switch (rule->kind) {
	case PORT:
		return json_object_is_type(value, json_type_int) && is_number(value, 0, 65535);
	case NUMBER:
		return json_object_is_type(value, json_type_int) && is_number(value, 0, 1e18);
	case PART:
		return (json_object_is_type(value, json_type_int) ||
			       json_object_is_type(value, json_type_double)) &&
		       is_number(value, 0, 1);
	case FLAG:
		return json_object_is_type(value, json_type_boolean);
	case OBJECT:
		return json_object_is_type(value, json_type_object) && json_object_object_length(value) > 0;
	case LIST:
		return json_object_is_type(value, json_type_array);
	default:
		return json_object_is_type(value, json_type_string) &&
		       text_fits(rule, json_value_text(value));
	}
}

static void check_rules(
	const struct check *check, struct json_object *object, const struct rule *rules, size_t count)
{
	struct json_object *value;

	for (size_t i = 0; i < count; i++) {
		if (!json_object_object_get_ex(object, rules[i].name, &value) ? rules[i].required
									      : !fits(&rules[i], value))
			fault(check, rules[i].name, expectations[rules[i].kind], rules[i].words);
	}
}

static void check_required(const struct check *check, struct json_object *object, const char *names)
{
	struct str rest = str_of(names), name;
	char copy[64];

	while (names && str_split(&rest, ' ', &name)) {
		memcpy(copy, name.p, name.len);
		copy[name.len] = '\0';
		if (!json_object_object_get_ex(object, copy, NULL))
			fault(check, copy, "it, since this type must have it", NULL);
	}
}

/* --- version 4 --- */

static void check_party(struct json_object *object, const char *name, const char *path, struct buf *faults)
{
	static const struct rule rules[] = {
		{"org", TEXT, true, NULL}, {"contact", EMAIL, true, NULL}, {"domain", TEXT, true, NULL}};
	struct check check = {faults, path};
	struct json_object *party = json_of(object, name, json_type_object);

	if (party)
		check_rules(&check, party, rules, ARRAY_LEN(rules));
	else
		fault(&(struct check){faults, ""}, name, expectations[OBJECT], NULL);
}

static size_t check_exhibit(const struct check *check, struct json_object *exhibit)
{
	static const struct rule rules[] = {{"content_type", TEXT, true, NULL}, {"payload", TEXT, true, NULL},
		{"hash", TEXT, false, NULL}};
	struct str payload;
	struct buf bytes = {0};
	size_t size;

	if (!json_object_is_type(exhibit, json_type_object)) {
		fault(check, "", expectations[OBJECT], NULL);
		return 0;
	}
	check_rules(check, exhibit, rules, ARRAY_LEN(rules));
	payload = json_text(exhibit, "payload");
	if (payload.len > 0 && !base64_decode(payload, true, &bytes))
		fault(check, "payload", "base64", NULL);
	size = bytes.len;
	if (size > EVIDENCE_ONE_MAX)
		fault(check, "payload", "at most 5 MB", NULL);
	buf_free(&bytes);
	return size;
}

static void check_evidence(struct json_object *object, struct buf *faults)
{
	struct check check = {faults, ""};
	struct json_object *list = json_of(object, "evidence", json_type_array);
	size_t count = list ? json_object_array_length(list) : 0;
	size_t total = 0;

	if (count > EVIDENCE_MAX)
		fault(&check, "evidence", "at most 50 items", NULL);
	check.path = "evidence[].";
	for (size_t i = 0; i < count && i < EVIDENCE_MAX && total <= EVIDENCE_ALL_MAX; i++)
		total += check_exhibit(&check, json_object_array_get_idx(list, i));
	if (total > EVIDENCE_ALL_MAX)
		fault(&check, "", "at most 15 MB in all", NULL);
}

static const struct rule v4_report[] = {
	{"xarf_version", VERSION4, true, NULL},
	{"report_id", UUID, true, NULL},
	{"timestamp", TIME, true, NULL},
	{"source_identifier", TEXT, true, NULL},
	{"category", TEXT, true, NULL},
	{"type", TEXT, true, NULL},
	{"source_port", PORT, false, NULL},
	{"destination_ip", ADDRESS, false, NULL},
	{"destination_port", PORT, false, NULL},
	{"url", LINK, false, NULL},
	{"first_seen", TIME, false, NULL},
	{"last_seen", TIME, false, NULL},
	{"confidence", PART, false, NULL},
	{"protocol", TEXT, false, NULL},
	{"evidence", LIST, false, NULL},
	{"tags", LIST, false, NULL},
};

void xarf_check_v4(struct json_object *object, const struct xarf_type *type, struct buf *faults)
{
	struct check check = {faults, ""};

	check_rules(&check, object, v4_report, ARRAY_LEN(v4_report));
	check_party(object, "reporter", "reporter.", faults);
	check_party(object, "sender", "sender.", faults);
	if (!type && json_text(object, "type").len > 0)
		fault(&check, "type", "one that its category has", NULL);
	if (type)
		check_required(&check, object, type->required);
	if (str_equal(json_text(object, "category"), STR("messaging")) &&
		str_equal(json_text(object, "protocol"), STR("smtp")))
		check_required(&check, object, "smtp_from source_port");
	check_evidence(object, faults);
}

/* --- version 3 --- */

static const struct rule v3_report[] = {
	{"ReportClass", TEXT, true, NULL},
	{"ReportType", TEXT, true, NULL},
	{"ReportSubType", TEXT, false, NULL},
	{"Date", TIME, true, NULL},
	{"FirstSeen", TIME, false, NULL},
	{"SourceIp", ADDRESS, false, NULL},
	{"SourcePort", PORT, false, NULL},
	{"SourceUrl", LINK, false, NULL},
	{"DestinationIp", ADDRESS, false, NULL},
	{"DestinationPort", PORT, false, NULL},
	{"ASN", NUMBER, false, NULL},
	{"SmtpMailFromAddress", EMAIL, false, NULL},
	{"SmtpRcptToAddress", EMAIL, false, NULL},
	{"ReporterCaseID", TEXT, false, NULL},
	{"ReporterNotes", TEXT, false, NULL},
	{"ReporterSeverity", WORD, false, "info low medium high critical"},
	{"Ongoing", FLAG, false, NULL},
	{"ByteCount", NUMBER, false, NULL},
	{"PacketCount", NUMBER, false, NULL},
	{"MalwareName", TEXT, false, NULL},
	{"ServiceName", TEXT, false, NULL},
	{"ServiceVersion", TEXT, false, NULL},
	{"TransportProtocol", WORD, false, "tcp udp sctp icmp"},
	{"InfringedMaterial", TEXT, false, NULL},
	{"MaterialType", TEXT, false, NULL},
	{"TrademarkedMaterial", TEXT, false, NULL},
	{"FileName", TEXT, false, NULL},
	{"Harasser", TEXT, false, NULL},
	{"Account", OBJECT, false, NULL},
	{"FileHash", OBJECT, false, NULL},
	{"CVSS", OBJECT, false, NULL},
	{"CVE", TEXT, false, NULL},
	{"Samples", LIST, false, NULL},
};

static void check_samples(struct json_object *report, struct buf *faults)
{
	static const struct rule rules[] = {{"ContentType", TEXT, true, NULL}, {"Payload", TEXT, true, NULL},
		{"Base64Encoded", FLAG, true, NULL}, {"Description", TEXT, false, NULL}};
	struct check check = {faults, "Report.Samples[]."};
	struct json_object *list = json_of(report, "Samples", json_type_array);

	for (size_t i = 0; list && i < json_object_array_length(list) && i < EVIDENCE_MAX; i++) {
		struct json_object *sample = json_object_array_get_idx(list, i);
		if (json_object_is_type(sample, json_type_object))
			check_rules(&check, sample, rules, ARRAY_LEN(rules));
		else
			fault(&check, "", expectations[OBJECT], NULL);
	}
}

/* A vector says which CVSS it is of. */
static void check_cvss(struct json_object *report, struct buf *faults)
{
	struct check check = {faults, "Report.CVSS."};
	struct json_object *cvss = json_of(report, "CVSS", json_type_object);
	struct str vector = cvss ? json_text(cvss, "Vector") : STR_NONE;
	struct str version = cvss ? json_text(cvss, "Version") : STR_NONE;

	if (vector.len > 0 && version.len > 0 &&
		!(str_starts(vector, STR("CVSS:")) && vector.len > 5 + version.len &&
			str_equal((struct str){vector.p + 5, version.len}, version) &&
			vector.p[5 + version.len] == '/') &&
		!str_equal(version, STR("2.0")))
		fault(&check, "Vector", "a vector of that Version", NULL);
}

static void check_account(struct json_object *report, struct buf *faults)
{
	static const struct rule rules[] = {{"AccountIdentifier", TEXT, false, NULL},
		{"AccountName", TEXT, false, NULL}, {"AccountEmail", EMAIL, false, NULL}};
	struct check check = {faults, "Report.Account."};
	struct json_object *account = json_of(report, "Account", json_type_object);

	if (account)
		check_rules(&check, account, rules, ARRAY_LEN(rules));
}

/* The shape of xarf-spec's older samples: Source with IP and Port, instead of SourceIp. */
static void check_source(struct json_object *report, const struct xarf_type *type, struct buf *faults)
{
	static const struct rule rules[] = {
		{"IP", ADDRESS, false, NULL}, {"Port", PORT, false, NULL}, {"URL", LINK, false, NULL}};
	struct check check = {faults, "Report.Source."};
	struct json_object *source = json_of(report, "Source", json_type_object);

	if (source)
		check_rules(&check, source, rules, ARRAY_LEN(rules));
	else if (type)
		check_required(&(struct check){faults, "Report."}, report, type->required);
}

static void check_reporter(struct json_object *object, struct buf *faults)
{
	static const struct rule organisation[] = {{"ReporterOrg", TEXT, true, NULL},
		{"ReporterOrgEmail", EMAIL, true, NULL}, {"ReporterContactEmail", EMAIL, false, NULL}};
	static const struct rule person[] = {{"ReporterContactEmail", EMAIL, true, NULL}};
	struct check check = {faults, "ReporterInfo."};
	struct json_object *reporter = json_of(object, "ReporterInfo", json_type_object);
	bool alone = reporter && str_equal_nocase(json_text(reporter, "ReporterType"), STR("Person"));

	if (!reporter)
		fault(&(struct check){faults, ""}, "ReporterInfo", expectations[OBJECT], NULL);
	else if (alone)
		check_rules(&check, reporter, person, ARRAY_LEN(person));
	else
		check_rules(&check, reporter, organisation, ARRAY_LEN(organisation));
}

void xarf_check_v3(struct json_object *object, const struct xarf_type *type, struct buf *faults)
{
	static const struct rule top[] = {{"Disclosure", FLAG, true, NULL},
		{"OnBehalfOf", OBJECT, false, NULL}, {"Report", OBJECT, true, NULL}};
	struct check check = {faults, ""};
	struct json_object *report = json_of(object, "Report", json_type_object);

	if (!is_version(json_text(object, "Version"), '3'))
		fault(&check, "Version", "\"3\"", NULL);
	check_rules(&check, object, top, ARRAY_LEN(top));
	check_reporter(object, faults);
	if (!report)
		return;
	check.path = "Report.";
	check_rules(&check, report, v3_report, ARRAY_LEN(v3_report));
	if (!type && json_text(report, "ReportType").len > 0)
		fault(&check, "ReportType", "one that is known", NULL);
	check_source(report, type, faults);
	check_account(report, faults);
	check_cvss(report, faults);
	check_samples(report, faults);
}
