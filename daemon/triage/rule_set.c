#include "config.h"

#include "triage/rule_set.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ipc/rules_bundle.h"
#include "model/severity.h"
#include "triage/rule_compile.h"

/* Rules that may see the same parts: one compiled set, with the scanner that is kept for it. */
struct group {
	unsigned scopes;
	unsigned modules;
	YR_COMPILER *compiler; /* while compiling */
	YR_RULES *rules;
	YR_SCANNER *scanner;
	bool named; /* the external variables hold something */
};

struct rule_set {
	struct group *groups;
	size_t group_count;
	struct rule_file *files;
	size_t file_count;
	struct rule_refused *refused;
	size_t refused_count;
	size_t rules[PART_FILE + 1]; /* by scope */
	int timeout;                 /* seconds: finer is not to be had of libyara */
	char digest[SHA256_HEX];
};

bool rule_engine_start(struct err *err)
{
	int result = yr_initialize();

	return result == ERROR_SUCCESS ||
	       err_set(err, ERR_SYSTEM, "libyara does not start: error %d", result);
}

const char *rule_engine_name(void)
{
	return "yara " YR_VERSION;
}

static void refuse(struct rule_set *set, struct str file, int line, const char *text)
{
	set->refused = mem_resize(set->refused, (set->refused_count + 1) * sizeof(*set->refused));
	set->refused[set->refused_count++] =
		(struct rule_refused){mem_strndup(file.p, file.len), line, mem_strdup(text)};
}

static struct group *group_for(struct rule_set *set, unsigned scopes, unsigned modules)
{
	struct group *group;

	for (size_t i = 0; i < set->group_count; i++)
		if (set->groups[i].scopes == scopes && set->groups[i].modules == modules)
			return &set->groups[i];
	set->groups = mem_resize(set->groups, (set->group_count + 1) * sizeof(*set->groups));
	group = &set->groups[set->group_count++];
	*group = (struct group){.scopes = scopes, .modules = modules, .compiler = rule_compiler_new()};
	return group;
}

static void match_meta(struct rule_match *match, const YR_META *meta);

/* What a rule would make of a report, of which somebody may want to know before it does. */
static void rule_survey(YR_RULE *rule, struct rule_file *file)
{
	struct rule_match match = {.severity = -1, .confidence = -1};
	YR_META *meta;

	yr_rule_metas_foreach(rule, meta) match_meta(&match, meta);
	if (match.severity < 0 && !match.classification && !match.malware)
		return;
	buf_text(&file->says, file->says.len ? "," : "");
	buf_json_string(&file->says, str_of(rule->identifier));
	buf_printf(&file->says, ":{\"severity\":%d", match.severity);
	if (match.classification) {
		buf_text(&file->says, ",\"classification\":");
		buf_json_string(&file->says, str_of(match.classification));
	}
	if (match.malware) {
		buf_text(&file->says, ",\"malware\":");
		buf_json_string(&file->says, str_of(match.malware));
	}
	buf_char(&file->says, '}');
}

/* Count the rules of a file and what they may see; false with err where one says a scope that does not exist.
 */
static bool file_survey(struct rule_set *set, YR_RULES *rules, struct rule_file *file, struct err *err)
{
	size_t counts[PART_FILE + 1] = {0};
	YR_RULE *rule;

	yr_rules_foreach(rules, rule)
	{
		unsigned scopes;
		if (!rule_scopes(rule, &scopes, err))
			return false;
		file->scopes |= scopes;
		buf_text(&file->names, file->rules++ ? ",\"" : "\"");
		buf_text(&file->names, rule->identifier);
		buf_char(&file->names, '"');
		rule_survey(rule, file);
		for (unsigned scope = PART_EVENT; scope <= PART_FILE; scope <<= 1)
			counts[scope] += (scopes & scope) != 0;
	}
	for (unsigned scope = PART_EVENT; scope <= PART_FILE; scope <<= 1)
		set->rules[scope] += counts[scope];
	return true;
}

/* A file is compiled alone first: a compiler that has seen a mistake is of no more use. */
static void file_add(struct rule_set *set, struct str name, struct str source, struct sha256 *digest)
{
	struct rule_file file = {.modules = rule_modules_of(source)};
	struct err err = {0};
	YR_RULES *rules = NULL;
	bool ok;
	int line;

	if (!rule_file_compile(name, source, &rules, &line, &err)) {
		refuse(set, name, line, err.text);
		return;
	}
	ok = file_survey(set, rules, &file, &err);
	yr_rules_destroy(rules);
	if (ok && file.rules > 0)
		ok = rule_compiler_add(
			group_for(set, file.scopes, file.modules)->compiler, name, source, &line, &err);
	if (!ok) {
		refuse(set, name, line, err.text);
		buf_free(&file.names);
		buf_free(&file.says);
		return;
	}
	file.name = mem_strndup(name.p, name.len);
	set->files = mem_resize(set->files, (set->file_count + 1) * sizeof(*set->files));
	set->files[set->file_count++] = file;
	sha256_update(digest, name.p, name.len);
	sha256_update(digest, "", 1);
	sha256_update(digest, source.p, source.len);
	sha256_update(digest, "", 1);
}

static void group_finish(struct group *group, int timeout)
{
	if (yr_compiler_get_rules(group->compiler, &group->rules) != ERROR_SUCCESS ||
		yr_scanner_create(group->rules, &group->scanner) != ERROR_SUCCESS)
		abort();
	yr_compiler_destroy(group->compiler);
	group->compiler = NULL;
	yr_scanner_set_timeout(group->scanner, timeout);
	/* Without its SIGSEGV handlers, which would hide a crash from the one who has to judge it. */
	yr_scanner_set_flags(group->scanner, SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING);
}

bool rule_set_compile(struct str bundle, uint64_t timeout, struct rule_set **out, struct err *err)
{
	struct rule_set *set = mem_alloc(sizeof(*set));
	struct sha256 *hash = sha256_new();
	uint8_t digest[SHA256_LEN];
	struct str name, source;
	int more;

	set->timeout = timeout < CLOCK_SECOND ? 1 : (int)(timeout / (uint64_t)CLOCK_SECOND);
	while ((more = rules_bundle_next(&bundle, &name, &source)) > 0)
		file_add(set, name, source, hash);
	sha256_final(hash, digest);
	sha256_free(&hash);
	hex_encode(digest, SHA256_LEN, set->digest);
	for (size_t i = 0; i < set->group_count; i++)
		group_finish(&set->groups[i], set->timeout);
	/* What compiling leaves behind is large, and a worker will not ask for as much again. */
	malloc_trim(0);
	if (more < 0) {
		rule_set_free(&set);
		return err_set(err, ERR_CORRUPT, "the bundle of rules is broken");
	}
	*out = set;
	return true;
}

void rule_set_free(struct rule_set **set)
{
	struct rule_set *old = *set;

	if (!old)
		return;
	for (size_t i = 0; i < old->group_count; i++) {
		yr_scanner_destroy(old->groups[i].scanner);
		yr_rules_destroy(old->groups[i].rules);
	}
	for (size_t i = 0; i < old->file_count; i++) {
		free(old->files[i].name);
		buf_free(&old->files[i].names);
		buf_free(&old->files[i].says);
	}
	for (size_t i = 0; i < old->refused_count; i++) {
		free(old->refused[i].file);
		free(old->refused[i].text);
	}
	free(old->groups);
	free(old->files);
	free(old->refused);
	free(old);
	*set = NULL;
}

const char *rule_set_digest(const struct rule_set *set)
{
	return set->digest;
}

size_t rule_set_rules(const struct rule_set *set, unsigned scope)
{
	return scope <= PART_FILE ? set->rules[scope] : 0;
}

const struct rule_file *rule_set_files(const struct rule_set *set, size_t *count)
{
	*count = set->file_count;
	return set->files;
}

const struct rule_refused *rule_set_refused(const struct rule_set *set, size_t *count)
{
	*count = set->refused_count;
	return set->refused;
}

bool rule_set_sees(const struct rule_set *set, unsigned scopes)
{
	for (size_t i = 0; i < set->group_count; i++)
		if (set->groups[i].scopes & scopes)
			return true;
	return false;
}

/* A scan in hand: what the callback needs. */
struct scan {
	unsigned scopes;
	rule_match_fn *match;
	void *context;
};

static int percent_of(const YR_META *meta)
{
	int value = -1;

	if (meta->type == META_TYPE_STRING)
		return severity_parse(str_of(meta->string), &value) ? value : -1;
	return meta->integer >= 0 && meta->integer <= 100 ? (int)meta->integer : -1;
}

static void match_meta(struct rule_match *match, const YR_META *meta)
{
	const struct {
		const char *name;
		const char **text;
	} texts[] = {
		{"classification", &match->classification},
		{"identifier", &match->identifier},
		{"malware", &match->malware},
		{"title", &match->title},
		{"tag", &match->tag},
		{"tlp", &match->tlp},
	};

	if (strcmp(meta->identifier, "severity") == 0)
		match->severity = percent_of(meta);
	else if (strcmp(meta->identifier, "confidence") == 0)
		match->confidence = percent_of(meta);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (meta->type == META_TYPE_STRING && strcmp(meta->identifier, texts[i].name) == 0)
			*texts[i].text = meta->string;
}

static int on_scan(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
	struct scan *scan = user;
	struct rule_match match = {.severity = -1, .confidence = -1};
	YR_RULE *rule = data;
	YR_META *meta;
	unsigned scopes;

	(void)context;
	if (message != CALLBACK_MSG_RULE_MATCHING)
		return CALLBACK_CONTINUE;
	/* Others of the same file may have brought it here. */
	if (!rule_scopes(rule, &scopes, NULL) || !(scopes & scan->scopes))
		return CALLBACK_CONTINUE;
	match.file = rule->ns->name;
	match.rule = rule->identifier;
	yr_rule_metas_foreach(rule, meta) match_meta(&match, meta);
	scan->match(&match, scan->context);
	return CALLBACK_CONTINUE;
}

static void variable_set(struct group *group, const char *name, struct str value)
{
	char text[256];
	size_t len = value.len < sizeof(text) - 1 ? value.len : sizeof(text) - 1;

	if (len > 0)
		memcpy(text, value.p, len);
	text[len] = '\0';
	if (yr_scanner_define_string_variable(group->scanner, name, text) != ERROR_SUCCESS)
		abort();
}

/* As common rule collections expect them: extension with its dot, file type in capitals. */
static void variables_set(struct group *group, const struct part *part)
{
	struct str path = (part->scopes & PART_FILE) ? part->name : STR_NONE;
	struct str name = path, extension = STR_NONE;
	const char *mark;
	const char *type = "";

	if (path.len == 0 && !group->named)
		return;
	if (path.len > 0 && (mark = memrchr(path.p, '/', path.len)) != NULL)
		name = (struct str){mark + 1, path.len - (size_t)(mark + 1 - path.p)};
	if (name.len > 0 && (mark = memrchr(name.p, '.', name.len)) != NULL)
		extension = (struct str){mark, name.len - (size_t)(mark - name.p)};
	if (rule_modules_fit(RULE_MODULE_PE, part->bytes))
		type = "EXE";
	else if (rule_modules_fit(RULE_MODULE_ELF, part->bytes))
		type = "ELF";
	else if (str_starts(part->bytes, STR("%PDF")))
		type = "PDF";
	else if (str_starts(part->bytes, STR("PK\3\4")))
		type = "ZIP";
	variable_set(group, "filename", name);
	variable_set(group, "filepath", path);
	variable_set(group, "extension", extension);
	variable_set(group, "filetype", path.len > 0 ? str_of(type) : STR_NONE);
	group->named = path.len > 0;
}

enum rule_scan rule_set_scan(
	struct rule_set *set, const struct part *part, rule_match_fn *match, void *context)
{
	struct scan scan = {part->scopes, match, context};
	enum rule_scan worst = RULE_SCAN_DONE;

	for (size_t i = 0; i < set->group_count; i++) {
		struct group *group = &set->groups[i];
		int result;
		if (!(group->scopes & part->scopes) || !rule_modules_fit(group->modules, part->bytes))
			continue;
		variables_set(group, part);
		yr_scanner_set_callback(group->scanner, on_scan, &scan);
		result = yr_scanner_scan_mem(group->scanner,
			(const uint8_t *)(part->bytes.p ? part->bytes.p : ""), part->bytes.len);
		if (result == ERROR_SCAN_TIMEOUT && worst == RULE_SCAN_DONE)
			worst = RULE_SCAN_TIMEOUT;
		else if (result != ERROR_SUCCESS && result != ERROR_SCAN_TIMEOUT)
			worst = RULE_SCAN_FAILED;
	}
	return worst;
}

static void match_ignore(const struct rule_match *match, void *context)
{
	(void)match;
	(void)context;
}

double rule_set_cost(struct rule_set *set, enum part_scope scope)
{
	static const char event[] =
		"{\"v\":1,\"id\":\"a-17\",\"type\":\"infected-system\",\"time\":\"2026-11-22T10:00:00Z\","
		"\"source\":{\"ip\":\"198.51.100.7\",\"port\":4711},\"malware\":\"mirai\",\"severity\":60}";
	static const char words[] =
		"Dear colleagues, please find below the list of hosts of your network that we saw. ";
	struct part part = {.scopes = scope, .bytes = {event, sizeof(event) - 1}};
	struct buf text = {0};
	int64_t began, runs = 0;

	if (!rule_set_sees(set, scope))
		return 0;
	if (scope != PART_EVENT) {
		while (text.len < 20000)
			buf_text(&text, words);
		part.bytes = buf_view(&text);
	}
	rule_set_scan(set, &part, match_ignore, NULL);
	began = clock_monotonic();
	do {
		rule_set_scan(set, &part, match_ignore, NULL);
		runs++;
	} while (runs < 50 && clock_monotonic() - began < 50000);
	buf_free(&text);
	return (double)(clock_monotonic() - began) / (double)runs;
}

static const char *const scope_names[] = {"event", "text", "file"};

static void scopes_describe(unsigned scopes, struct buf *json)
{
	bool first = true;

	buf_char(json, '[');
	for (unsigned i = 0; i < ARRAY_LEN(scope_names); i++) {
		if (!(scopes & 1u << i))
			continue;
		buf_printf(json, "%s\"%s\"", first ? "" : ",", scope_names[i]);
		first = false;
	}
	buf_char(json, ']');
}

void rule_file_describe(const struct rule_file *file, const char *state, struct buf *json)
{
	buf_text(json, "{\"file\":");
	buf_json_string(json, str_of(file->name));
	buf_printf(json, ",\"state\":\"%s\",\"rules\":%zu,\"scopes\":", state, file->rules);
	scopes_describe(file->scopes, json);
	buf_text(json, ",\"names\":[");
	buf_str(json, buf_view(&file->names));
	buf_text(json, "],\"says\":{");
	buf_str(json, buf_view(&file->says));
	buf_char(json, '}');
}

void rule_refused_describe(const struct rule_refused *refused, struct buf *json)
{
	char *reason = refused->line > 0 ? mem_printf("line %d: %s", refused->line, refused->text)
	                                 : mem_strdup(refused->text);

	buf_text(json, "{\"file\":");
	buf_json_string(json, str_of(refused->file));
	buf_printf(json, ",\"state\":\"refused\",\"line\":%d,\"reason\":", refused->line);
	buf_json_string(json, str_of(reason));
	free(reason);
}

void rule_set_describe(struct rule_set *set, struct buf *json)
{
	buf_text(json, ",\"rules\":{\"items\":[");
	for (size_t i = 0; i < set->file_count; i++) {
		if (i > 0)
			buf_char(json, ',');
		rule_file_describe(&set->files[i], "loaded", json);
		buf_char(json, '}');
	}
	for (size_t i = 0; i < set->refused_count; i++) {
		if (i + set->file_count > 0)
			buf_char(json, ',');
		rule_refused_describe(&set->refused[i], json);
		buf_char(json, '}');
	}
	buf_printf(json, "],\"next\":null,\"engine\":\"%s\",\"digest\":\"%s\",\"cost\":[", rule_engine_name(),
		set->digest);
	for (unsigned i = 0; i < ARRAY_LEN(scope_names); i++)
		buf_printf(json, "%s{\"scope\":\"%s\",\"rules\":%zu,\"us\":%.1f}", i ? "," : "",
			scope_names[i], set->rules[1u << i], rule_set_cost(set, 1u << i));
	buf_text(json, "]}");
}
