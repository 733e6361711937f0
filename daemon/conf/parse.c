#include "config.h"

#include "conf/parse.h"

#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/*
 * libconfuse stops at the first name that it does not know. So what is unknown is noted as a mistake, added
 * to what it knows, and the text is parsed again until there is no more: all mistakes in one go, each with
 * its line.
 */
enum shape { SHAPE_VALUE, SHAPE_SECTION, SHAPE_TITLED };

struct unknown {
	struct str section;
	struct str name;
	enum shape shape;
};

#define UNKNOWN_MAX 200
#define PLUGIN      "plugin"

struct parse {
	struct buf *text;
	struct arena *arena;
	struct mistakes *mistakes;
	struct unknown unknown[UNKNOWN_MAX];
	size_t unknown_count;
	struct settings *settings;
};

/* A value as libconfuse read it. */
struct token {
	int line;
	char text[];
};

static int take_token(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	(void)opt;
	size_t size = strlen(value) + 1;
	struct token *token = mem_alloc(sizeof(*token) + size);
	token->line = cfg->line;
	memcpy(token->text, value, size);
	*(void **)result = token;
	return 0;
}

/* Why parsing stopped. */
struct stop {
	bool is_set;
	bool is_unknown;
	int line;
	char section[64]; /* "" = top level */
	char text[128];   /* the unknown name, or what libconfuse says */
};

/* libconfuse gives its error function nothing of ours, and keeps its own lexer in globals: one parse at a
 * time. */
static struct stop *stopping;

static void take_error(cfg_t *cfg, const char *format, va_list args)
{
	if (stopping->is_set)
		return;
	stopping->is_set = true;
	stopping->line = cfg->line;
	snprintf(stopping->section, sizeof(stopping->section), "%s",
		strcmp(cfg->name, "root") ? cfg->name : "");
	stopping->is_unknown = strstr(format, "no such option") != NULL;
	if (stopping->is_unknown)
		snprintf(stopping->text, sizeof(stopping->text), "%s", va_arg(args, const char *));
	else
		vsnprintf(stopping->text, sizeof(stopping->text), format, args);
}

static bool is_first_of_section(const struct conf_option *option)
{
	return *option->section &&
	       (option == conf_options || strcmp(option[-1].section, option->section) != 0);
}

static cfg_opt_t value_opt(const char *name)
{
	return (cfg_opt_t)CFG_PTR_CB(name, NULL, CFGF_LIST, take_token, free);
}

/* What libconfuse shall know inside a section; the caller frees. */
static cfg_opt_t *section_opts(const struct parse *parse, const char *section)
{
	cfg_opt_t *opts = NULL;
	size_t count = 0;
	for (const struct conf_option *option = conf_options; option->name; option++) {
		if (strcmp(option->section, section) != 0)
			continue;
		opts = mem_resize(opts, (count + 1) * sizeof(*opts));
		opts[count++] = value_opt(option->name);
	}
	for (size_t i = 0; i < parse->unknown_count; i++) {
		const struct unknown *unknown = &parse->unknown[i];
		if (unknown->shape != SHAPE_VALUE || !str_equal(unknown->section, str_of(section)))
			continue;
		opts = mem_resize(opts, (count + 1) * sizeof(*opts));
		opts[count++] = value_opt(unknown->name.p);
	}
	opts = mem_resize(opts, (count + 1) * sizeof(*opts));
	opts[count] = (cfg_opt_t)CFG_END();
	return opts;
}

static void add_section(
	const struct parse *parse, cfg_opt_t **opts, size_t *count, const char *name, cfg_flag_t flags)
{
	*opts = mem_resize(*opts, (*count + 2) * sizeof(**opts));
	(*opts)[*count + 1] = (*opts)[*count]; /* the end */
	(*opts)[*count] = (cfg_opt_t)CFG_SEC(name, section_opts(parse, name), flags);
	(*count)++;
}

static cfg_t *parser_new(const struct parse *parse)
{
	cfg_opt_t *opts = section_opts(parse, "");
	size_t values = (size_t)cfg_numopts(opts);
	size_t count = values;
	for (const struct conf_option *option = conf_options; option->name; option++) {
		if (is_first_of_section(option))
			add_section(parse, &opts, &count, option->section, CFGF_NONE);
	}
	add_section(parse, &opts, &count, PLUGIN, CFGF_MULTI | CFGF_TITLE);
	for (size_t i = 0; i < parse->unknown_count; i++) {
		const struct unknown *unknown = &parse->unknown[i];
		if (unknown->shape != SHAPE_VALUE && unknown->section.len == 0)
			add_section(parse, &opts, &count, unknown->name.p,
				unknown->shape == SHAPE_TITLED ? CFGF_MULTI | CFGF_TITLE : CFGF_NONE);
	}
	cfg_t *cfg = cfg_init(opts, CFGF_NONE); /* which copies them */
	for (size_t i = values; i < count; i++)
		free(opts[i].subopts);
	free(opts);
	cfg_set_error_function(cfg, take_error);
	return cfg;
}

/* What stands behind an unknown name tells what it was meant to be. */
static enum shape shape_of(const struct parse *parse, int line, struct str name)
{
	struct str rest = buf_view(parse->text);
	for (; line > 1; line--) {
		struct str skipped;
		str_split(&rest, '\n', &skipped);
	}
	const char *found = rest.p ? memmem(rest.p, rest.len, name.p, name.len) : NULL;
	if (!found)
		return SHAPE_VALUE;
	rest.len -= (size_t)(found - rest.p) + name.len;
	rest.p = found + name.len;
	if (rest.len > 0 && (rest.p[0] == '"' || rest.p[0] == '\'')) {
		rest.p++;
		rest.len--;
	}
	rest = str_trim(rest);
	size_t end = 0;
	while (end < rest.len && rest.p[end] != '=' && rest.p[end] != '{' && rest.p[end] != '}' &&
		rest.p[end] != '\n')
		end++;
	if (end == rest.len || rest.p[end] != '{')
		return SHAPE_VALUE;
	return end == 0 ? SHAPE_SECTION : SHAPE_TITLED;
}

static bool is_known_section(const char *section)
{
	if (*section == '\0' || strcmp(section, PLUGIN) == 0)
		return true;
	for (const struct conf_option *option = conf_options; option->name; option++) {
		if (strcmp(option->section, section) == 0)
			return true;
	}
	return false;
}

/* The nearest section to `name`, or the nearest option in `section`. */
static const char *nearest(struct str name, const char *section, enum shape shape)
{
	const char *best_name = NULL;
	size_t best = SIZE_MAX, distance;
	for (const struct conf_option *option = conf_options; option->name; option++) {
		bool fits = shape == SHAPE_VALUE ? strcmp(option->section, section) == 0
		                                 : is_first_of_section(option);
		const char *candidate = shape == SHAPE_VALUE ? option->name : option->section;
		if (fits && str_resembles(name, str_of(candidate), &distance) && distance < best) {
			best = distance;
			best_name = candidate;
		}
	}
	return best_name;
}

/* Where an option of exactly this name stands, if it is another section. */
static const char *home_of(struct str name)
{
	for (const struct conf_option *option = conf_options; option->name; option++) {
		if (str_equal(name, str_of(option->name)))
			return *option->section ? option->section : "no section";
	}
	return NULL;
}

/* All that could have been meant. */
static void list_known(const char *section, enum shape shape, struct buf *text)
{
	const char *between = ": one of these was expected: ";
	for (const struct conf_option *option = conf_options; option->name; option++) {
		bool fits = shape == SHAPE_VALUE ? strcmp(option->section, section) == 0
		                                 : is_first_of_section(option);
		if (!fits)
			continue;
		buf_printf(text, "%s%s", between, shape == SHAPE_VALUE ? option->name : option->section);
		between = ", ";
	}
	if (shape != SHAPE_VALUE)
		buf_printf(text, "%s%s NAME", between, PLUGIN);
}

static void blame_unknown(struct parse *parse, const struct stop *stop, enum shape shape)
{
	struct str name = str_of(stop->text);
	const char *meant = nearest(name, stop->section, shape);
	const char *home = shape == SHAPE_VALUE ? home_of(name) : NULL;
	struct buf text = {0};
	buf_printf(&text, "unknown %s \"%s\"", shape == SHAPE_VALUE ? "option" : "section", stop->text);
	if (*stop->section)
		buf_printf(&text, " in section %s", stop->section);
	if (meant)
		buf_printf(&text, ": was \"%s\" meant?", meant);
	else if (home)
		buf_printf(
			&text, ": it belongs into %s%s", strcmp(home, "no section") ? "section " : "", home);
	else
		list_known(stop->section, shape, &text);
	mistake_add(parse->mistakes, stop->line, "%s", buf_cstr(&text));
	buf_free(&text);
}

/* True where parsing again may come further. */
static bool learn(struct parse *parse, const struct stop *stop)
{
	if (!stop->is_unknown || parse->unknown_count == UNKNOWN_MAX) {
		mistake_add(parse->mistakes, stop->line, "%s", stop->text);
		return false;
	}
	struct unknown unknown = {.section = arena_str(parse->arena, str_of(stop->section)),
		.name = arena_str(parse->arena, str_of(stop->text))};
	unknown.shape = shape_of(parse, stop->line, unknown.name);
	if (is_known_section(stop->section) && strcmp(stop->section, PLUGIN) != 0)
		blame_unknown(parse, stop, unknown.shape);
	if (unknown.shape != SHAPE_VALUE && unknown.section.len > 0) {
		mistake_add(parse->mistakes, stop->line, "no section was expected inside of a section");
		return false;
	}
	parse->unknown[parse->unknown_count++] = unknown;
	return true;
}

static bool is_option(struct str section, struct str name)
{
	if (str_equal(section, STR(PLUGIN)))
		return true;
	for (const struct conf_option *option = conf_options; option->name; option++) {
		if (str_equal(section, str_of(option->section)) && str_equal(name, str_of(option->name)))
			return true;
	}
	return false;
}

static void collect_value(struct parse *parse, cfg_opt_t *opt, struct str section, struct str title)
{
	struct settings *settings = parse->settings;
	struct setting setting = {.section = section, .title = title, .count = cfg_opt_size(opt)};
	if (setting.count == 0 || !is_option(section, str_of(opt->name)))
		return;
	setting.name = arena_str(parse->arena, str_of(opt->name));
	setting.values = arena_alloc(parse->arena, setting.count * sizeof(*setting.values));
	for (unsigned i = 0; i < setting.count; i++) {
		const struct token *token = cfg_opt_getnptr(opt, i);
		setting.values[i] = arena_str(parse->arena, str_of(token->text));
		if (i == 0)
			setting.line = token->line;
	}
	size_t size = settings->count * sizeof(setting);
	settings->list = arena_grow(parse->arena, settings->list, size, size + sizeof(setting));
	settings->list[settings->count++] = setting;
}

static void collect(struct parse *parse, cfg_t *cfg, struct str section)
{
	const char *title = cfg_title(cfg);
	struct str copy = arena_str(parse->arena, str_of(title ? title : ""));
	for (unsigned i = 0; i < cfg_num(cfg); i++) {
		cfg_opt_t *opt = cfg_getnopt(cfg, i);
		if (opt->type == CFGT_PTR)
			collect_value(parse, opt, section, copy);
		for (unsigned n = 0; opt->type == CFGT_SEC && n < cfg_opt_size(opt); n++)
			collect(parse, cfg_opt_getnsec(opt, n), arena_str(parse->arena, str_of(opt->name)));
	}
}

/* libconfuse counts a line too many behind the last one and behind long runs in comments. */
static int line_within(const struct buf *text, int line)
{
	int lines = text->len > 0 && text->data[text->len - 1] == '\n' ? 0 : 1;

	for (size_t i = 0; i < text->len; i++)
		lines += text->data[i] == '\n';
	return line < lines ? line : lines;
}

void conf_parse(struct buf *text, struct mistakes *mistakes, struct settings *settings)
{
	struct parse *parse = mem_alloc(sizeof(*parse));
	*parse = (struct parse){
		.text = text, .arena = mistakes->arena, .mistakes = mistakes, .settings = settings};
	for (;;) {
		struct stop stop = {.is_set = false};
		cfg_t *cfg = parser_new(parse);
		stopping = &stop;
		bool ok = cfg_parse_buf(cfg, buf_cstr(text)) == CFG_SUCCESS;
		stopping = NULL;
		stop.line = line_within(text, stop.line);
		bool again = !ok && stop.is_set && learn(parse, &stop);
		if (!again)
			collect(parse, cfg, STR(""));
		cfg_free(cfg);
		if (!again)
			break;
	}
	free(parse);
}
