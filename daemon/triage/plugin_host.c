#include "config.h"

#include "triage/plugin_host.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "cirt_plugin.h"
#include "model/storable.h"
#include "triage/plugin_builtin.h"
#include "triage/verdict.h"

#define STAGE_NAME 64

struct option {
	char *name;
	char *value;
};

/* One plugin as loaded; what its API calls `struct cirt_host`. */
struct cirt_host {
	const struct cirt_plugin *plugin;
	void *module; /* of dlopen(); NULL: built in */
	void *state;
	char stage[STAGE_NAME];  /* "plugin NAME" */
	char engine[STAGE_NAME]; /* "NAME VERSION" */
	plugin_file_fn *file;
	void *file_context;
	struct option *options; /* as the configuration gives them */
	size_t option_count;
};

struct refused {
	char *name;
	char text[256];
};

struct plugin_host {
	struct cirt_host **plugins;
	size_t count;
	struct refused *refused;
	size_t refused_count;
};

/* The item in hand. */
struct cirt_item {
	struct cirt_host *host;
	struct reading *reading;
	struct item *item;
	const struct part *part;
};

static void api_log(struct cirt_host *host, int level, const char *text)
{
	enum log_level levels[] = {LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG};

	log_write(levels[level < 0    ? 0
			  : level > 3 ? 3
				      : level],
		LOG_F({"plugin", host->plugin->name}), "%s", text);
}

static const char *api_option(struct cirt_host *host, const char *name)
{
	for (size_t i = 0; i < host->option_count; i++)
		if (strcmp(host->options[i].name, name) == 0)
			return host->options[i].value;
	return NULL;
}

static const void *api_file(struct cirt_host *host, const char *option, size_t *len)
{
	struct str bytes = host->file ? host->file(host->plugin->name, option, host->file_context) : STR_NONE;

	*len = bytes.len;
	return bytes.len > 0 ? bytes.p : NULL;
}

static size_t api_observables(const struct cirt_item *item)
{
	return item->item->report.observable_count;
}

static int api_observable(const struct cirt_item *item, size_t index, struct cirt_observable *out)
{
	const struct observable *observable;

	if (index >= item->item->report.observable_count)
		return -1;
	observable = &item->item->report.observables[index];
	out->type = observable_type_name(observable->type);
	out->role = observable_role_name(observable->role);
	out->value = arena_str(item->reading->arena, observable->value).p;
	return 0;
}

static const char *api_text(const struct cirt_item *item, size_t *len)
{
	*len = item->item->report.text.len;
	return *len > 0 ? item->item->report.text.p : "";
}

static const char *api_classification(const struct cirt_item *item)
{
	return rsit_name(item->item->report.type);
}

static const void *api_part(
	const struct cirt_item *item, const char **name, const char **media_type, size_t *len)
{
	if (!item->part)
		return NULL;
	*name = arena_str(item->reading->arena, item->part->name).p;
	*media_type = arena_str(item->reading->arena, item->part->media_type).p;
	*len = item->part->bytes.len;
	return item->part->bytes.p;
}

static int api_add_observable(
	struct cirt_item *item, const char *type_name, const char *role_name, const char *value)
{
	enum observable_type type;
	enum observable_role role;

	if (!observable_type_parse(str_of(type_name), &type) ||
		!observable_role_parse(str_of(role_name), &role))
		return -1;
	return reading_observable(item->reading, &item->item->report, type, role, str_of(value)) ? 0 : -1;
}

/* What the sender said himself stands. */
static void api_set_asn(struct cirt_item *item, uint32_t asn)
{
	if (item->item->report.asn == 0)
		item->item->report.asn = asn;
}

static void api_set_country(struct cirt_item *item, const char *country)
{
	bool ok = strlen(country) == 2 && country[0] >= 'A' && country[0] <= 'Z' && country[1] >= 'A' &&
	          country[1] <= 'Z';

	if (ok && item->item->report.country.len == 0)
		item->item->report.country = arena_str(item->reading->arena, str_of(country));
}

static void api_set_severity(struct cirt_item *item, int severity)
{
	if (severity >= 0 && severity <= 100)
		item->item->report.severity = severity;
}

static void api_add_tag(struct cirt_item *item, const char *tag)
{
	reading_tag(item->reading, &item->item->report, str_of(tag));
}

static void api_add_verdict(struct cirt_item *item, const char *rule, const char *outcome)
{
	struct verdict verdict = {.engine = str_of(item->host->engine),
		.rule = str_of(rule),
		.part = item->part ? item->part->name : STR_NONE,
		.outcome = str_of(outcome)};

	reading_verdict(item->reading, &item->item->report, &verdict);
}

static void api_add_note(struct cirt_item *item, const char *note)
{
	reading_note(item->reading, &item->item->report, "%s: %s", item->host->stage, note);
}

static int api_severity(const struct cirt_item *item)
{
	const struct report *report = &item->item->report;

	if (report->severity >= 0)
		return report->severity;
	return report->type == RSIT_NONE ? -1 : rsit_severity(report->type);
}

static void api_lower_severity(struct cirt_item *item, int severity, const char *reason)
{
	int was = api_severity(item);

	if (severity < 0 || severity > 100 || (was >= 0 && severity >= was))
		return;
	item->item->report.severity = severity;
	if (was >= 0)
		reading_note(item->reading, &item->item->report, "%s: severity lowered from %d to %d: %s",
			item->host->stage, was, severity, reason);
	else
		reading_note(item->reading, &item->item->report, "%s: severity lowered to %d: %s",
			item->host->stage, severity, reason);
}

static int api_add_similarity(struct cirt_item *item, const char *kind_name, const char *digest)
{
	struct report *report = &item->item->report;
	struct arena *arena = item->reading->arena;
	enum similarity_kind kind;

	if (!similarity_parse(str_of(kind_name), &kind) || !similarity_valid(kind, str_of(digest)) ||
		report->similarity_count == SIMILARITIES_MAX)
		return -1;
	if (!report->similarities)
		report->similarities = arena_alloc(arena, SIMILARITIES_MAX * sizeof(*report->similarities));
	report->similarities[report->similarity_count++] = (struct similarity){
		.kind = kind,
		.part = item->part ? arena_str(arena, item->part->name) : STR(""),
		.digest = arena_str(arena, str_of(digest)),
	};
	return 0;
}

static const struct cirt_api api = {
	.log = api_log,
	.option = api_option,
	.file = api_file,
	.observables = api_observables,
	.observable = api_observable,
	.text = api_text,
	.classification = api_classification,
	.part = api_part,
	.add_observable = api_add_observable,
	.set_asn = api_set_asn,
	.set_country = api_set_country,
	.set_severity = api_set_severity,
	.add_tag = api_add_tag,
	.add_verdict = api_add_verdict,
	.add_note = api_add_note,
	.severity = api_severity,
	.lower_severity = api_lower_severity,
	.add_similarity = api_add_similarity,
};

static bool name_valid(struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", name.p[i]) || name.p[i] == '\0')
			return false;
	return name.len > 0 && name.len < STAGE_NAME / 2;
}

static bool module_open(struct cirt_host *one, struct str folder, struct str name, struct err *err)
{
	char path[512];
	const char *why;

	snprintf(path, sizeof(path), STR_FMT "/" STR_FMT ".so", STR_ARG(folder), STR_ARG(name));
	one->module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!one->module) {
		why = dlerror();
		return err_set(err, ERR_NOTFOUND, "%s", why ? why : path);
	}
	one->plugin = dlsym(one->module, "cirt_plugin");
	return one->plugin ||
	       err_set(err, ERR_MALFORMED, "%s: expected a descriptor named cirt_plugin", path);
}

static bool descriptor_check(const struct cirt_plugin *plugin, struct str name, struct err *err)
{
	if (plugin->abi < CIRT_PLUGIN_ABI_OLDEST || plugin->abi > CIRT_PLUGIN_ABI)
		return err_set(err, ERR_MALFORMED, "expected ABI %d to %d, it has %u: compile it again",
			CIRT_PLUGIN_ABI_OLDEST, CIRT_PLUGIN_ABI, plugin->abi);
	if (!plugin->name || !str_equal(str_of(plugin->name), name))
		return err_set(err, ERR_MALFORMED, "its descriptor has another name");
	if (!plugin->version || !plugin->summary || !plugin->hook ||
		!(plugin->stages & (CIRT_STAGE_ITEM | CIRT_STAGE_PART)))
		return err_set(
			err, ERR_MALFORMED, "expected version, summary, stages and hook in its descriptor");
	return true;
}

static const struct cirt_plugin_option *option_of(
	const struct cirt_plugin *plugin, struct str name, struct err *err)
{
	const struct cirt_plugin_option *own = plugin->options;
	struct buf known = {0};

	for (; own && own->name; own++) {
		if (str_equal(name, str_of(own->name))) {
			buf_free(&known);
			return own;
		}
		buf_printf(&known, "%s%s", known.len ? ", " : "", own->name);
	}
	err_set(err, ERR_MALFORMED, "it has no option \"" STR_FMT "\" (it has: %s)", STR_ARG(name),
		known.len ? buf_cstr(&known) : "none");
	buf_free(&known);
	return NULL;
}

/* Every option that the configuration gives it must be one of its own. */
static bool options_take(struct cirt_host *one, const struct conf *conf, struct err *err)
{
	for (size_t i = 0; i < conf->plugin_option_count; i++) {
		const struct conf_plugin_option *given = &conf->plugin_options[i];
		const struct cirt_plugin_option *own;
		if (!str_equal(given->plugin, str_of(one->plugin->name)))
			continue;
		own = option_of(one->plugin, given->name, err);
		if (!own)
			return false;
		one->options = mem_resize(one->options, (one->option_count + 1) * sizeof(*one->options));
		one->options[one->option_count++] =
			(struct option){mem_strdup(own->name), mem_strndup(given->value.p, given->value.len)};
	}
	return true;
}

bool plugin_takes(const struct conf *conf, struct str plugin, struct str option, struct err *err)
{
	struct cirt_host one = {.plugin = plugin_builtin_find(plugin)};
	bool good = (one.plugin || module_open(&one, conf->plugin_dir, plugin, err)) &&
	            descriptor_check(one.plugin, plugin, err) && option_of(one.plugin, option, err);

	if (one.module)
		dlclose(one.module);
	return good;
}

static bool plugin_start(struct cirt_host *one, const struct conf *conf, struct str name, struct err *err)
{
	char why[200] = "";

	one->plugin = plugin_builtin_find(name);
	if (!one->plugin && !module_open(one, conf->plugin_dir, name, err))
		return false;
	if (!one->plugin || !descriptor_check(one->plugin, name, err) || !options_take(one, conf, err))
		return false;
	snprintf(one->stage, sizeof(one->stage), "plugin %s", one->plugin->name);
	snprintf(one->engine, sizeof(one->engine), "%s %s", one->plugin->name, one->plugin->version);
	if (one->plugin->init && one->plugin->init(&api, one, &one->state, why, sizeof(why)) != 0)
		return err_set(err, ERR_DENIED, "%s", why[0] ? why : "its init failed");
	return true;
}

static void plugin_free(struct cirt_host *one)
{
	for (size_t i = 0; i < one->option_count; i++) {
		free(one->options[i].name);
		free(one->options[i].value);
	}
	free(one->options);
	if (one->module)
		dlclose(one->module);
	free(one);
}

static void plugin_load(
	struct plugin_host *host, struct cirt_host *one, const struct conf *conf, struct str name)
{
	struct err err = {0};
	struct refused *refused;
	bool ok = name_valid(name) ? plugin_start(one, conf, name, &err)
	                           : err_set(&err, ERR_MALFORMED, "expected a name of a-z, 0-9 and -");

	if (ok) {
		host->plugins = mem_resize(host->plugins, (host->count + 1) * sizeof(struct cirt_host *));
		host->plugins[host->count++] = one;
		return;
	}
	plugin_free(one);
	host->refused = mem_resize(host->refused, (host->refused_count + 1) * sizeof(*host->refused));
	refused = &host->refused[host->refused_count++];
	refused->name = mem_strndup(name.p, name.len);
	memcpy(refused->text, err.text, sizeof(refused->text));
	log_error_f(LOG_F({"plugin", refused->name}), "plugin not used: %s", err.text);
}

struct plugin_host *plugin_host_load(const struct conf *conf, plugin_file_fn *file, void *context)
{
	struct plugin_host *host = mem_alloc(sizeof(*host));

	for (size_t i = 0; i < conf->plugins.count; i++) {
		struct cirt_host *one = mem_alloc(sizeof(*one));
		one->file = file;
		one->file_context = context;
		plugin_load(host, one, conf, conf->plugins.values[i]);
	}
	return host;
}

void plugin_host_free(struct plugin_host **host)
{
	struct plugin_host *old = *host;

	if (!old)
		return;
	for (size_t i = 0; i < old->count; i++) {
		if (old->plugins[i]->plugin->fini)
			old->plugins[i]->plugin->fini(old->plugins[i]->state);
		plugin_free(old->plugins[i]);
	}
	for (size_t i = 0; i < old->refused_count; i++)
		free(old->refused[i].name);
	free(old->plugins);
	free(old->refused);
	free(old);
	*host = NULL;
}

size_t plugin_host_count(const struct plugin_host *host)
{
	return host->count;
}

static void run(struct plugin_host *host, struct cirt_item *item, enum cirt_stage stage,
	plugin_enter_fn *enter, void *context)
{
	for (size_t i = 0; i < host->count; i++) {
		struct cirt_host *one = host->plugins[i];
		if (!(one->plugin->stages & stage) || !enter(item->item->number, one->stage, context))
			continue;
		item->host = one;
		if (one->plugin->hook(&api, item, stage, one->state) != 0)
			reading_note(item->reading, &item->item->report, "%s: failed", one->stage);
	}
}

void plugin_host_item(struct plugin_host *host, struct reading *reading, size_t index, plugin_enter_fn *enter,
	void *context)
{
	struct cirt_item item = {.reading = reading, .item = &reading->items[index]};

	run(host, &item, CIRT_STAGE_ITEM, enter, context);
}

void plugin_host_part(struct plugin_host *host, struct reading *reading, size_t index,
	const struct part *part, plugin_enter_fn *enter, void *context)
{
	struct cirt_item item = {.reading = reading, .item = &reading->items[index], .part = part};

	run(host, &item, CIRT_STAGE_PART, enter, context);
}

static void plugin_describe(const struct cirt_host *one, struct buf *json)
{
	const struct cirt_plugin *plugin = one->plugin;

	buf_text(json, "{\"name\":");
	buf_json_string(json, str_of(plugin->name));
	buf_text(json, ",\"state\":\"loaded\",\"version\":");
	buf_json_string(json, str_of(plugin->version));
	buf_text(json, ",\"summary\":");
	buf_json_string(json, str_of(plugin->summary));
	buf_printf(json, ",\"stages\":[%s%s%s],\"built_in\":%s}",
		plugin->stages & CIRT_STAGE_ITEM ? "\"item\"" : "", (plugin->stages & 3) == 3 ? "," : "",
		plugin->stages & CIRT_STAGE_PART ? "\"part\"" : "", one->module ? "false" : "true");
}

static void refused_describe(const struct refused *refused, struct buf *json)
{
	buf_text(json, "{\"name\":");
	buf_json_string(json, str_of(refused->name));
	buf_text(json, ",\"state\":\"refused\",\"reason\":");
	buf_json_string(json, str_of(refused->text));
	buf_char(json, '}');
}

void plugin_host_describe(const struct plugin_host *host, struct buf *json)
{
	buf_text(json, ",\"plugins\":{\"items\":[");
	for (size_t i = 0; i < host->count + host->refused_count; i++) {
		if (i > 0)
			buf_char(json, ',');
		if (i < host->count)
			plugin_describe(host->plugins[i], json);
		else
			refused_describe(&host->refused[i - host->count], json);
	}
	buf_text(json, "],\"next\":null}");
}
