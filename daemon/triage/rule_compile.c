#include "config.h"

#include "triage/rule_compile.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "wire/reading.h"

static const char *const variables[] = {"filename", "filepath", "extension", "filetype", "owner"};

static void must(int result)
{
	if (result != ERROR_SUCCESS)
		abort();
}

YR_COMPILER *rule_compiler_new(void)
{
	YR_COMPILER *compiler = NULL;

	must(yr_compiler_create(&compiler));
	yr_compiler_set_include_callback(compiler, NULL, NULL, NULL);
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		must(yr_compiler_define_string_variable(compiler, variables[i], ""));
	return compiler;
}

/* The first mistake that the compiler names. */
struct mistake {
	bool found;
	int line;
	char text[200];
};

static void on_message(
	int level, const char *file, int line, const YR_RULE *rule, const char *message, void *context)
{
	struct mistake *mistake = context;

	(void)file;
	(void)rule;
	if (level != YARA_ERROR_LEVEL_ERROR || mistake->found)
		return;
	mistake->found = true;
	mistake->line = line;
	snprintf(mistake->text, sizeof(mistake->text), "%s", message);
}

static int line_of_nul(struct str source)
{
	int line = 1;

	for (size_t i = 0; i < source.len && source.p[i]; i++)
		line += source.p[i] == '\n';
	return line;
}

bool rule_compiler_add(YR_COMPILER *compiler, struct str name, struct str source, int *line, struct err *err)
{
	struct mistake mistake = {0};
	char *text, *space;
	int errors;

	*line = 0;
	if (source.len > 0 && memchr(source.p, '\0', source.len)) {
		*line = line_of_nul(source);
		return err_set(err, ERR_MALFORMED, "expected text, found a NUL byte");
	}
	text = mem_strndup(source.p ? source.p : "", source.len);
	space = mem_strndup(name.p, name.len);
	yr_compiler_set_callback(compiler, on_message, &mistake);
	errors = yr_compiler_add_string(compiler, text, space);
	yr_compiler_set_callback(compiler, NULL, NULL);
	free(text);
	free(space);
	if (errors == 0)
		return true;
	*line = mistake.line;
	return err_set(err, ERR_MALFORMED, "%s", mistake.found ? mistake.text : "does not compile");
}

bool rule_file_compile(struct str name, struct str source, YR_RULES **rules, int *line, struct err *err)
{
	YR_COMPILER *compiler = rule_compiler_new();
	bool ok = rule_compiler_add(compiler, name, source, line, err);

	if (ok)
		must(yr_compiler_get_rules(compiler, rules));
	yr_compiler_destroy(compiler);
	return ok;
}

bool rule_scopes(YR_RULE *rule, unsigned *scopes, struct err *err)
{
	YR_META *meta;
	struct str list = STR_NONE, word;

	yr_rule_metas_foreach(rule, meta)
	{
		if (meta->type == META_TYPE_STRING && strcmp(meta->identifier, "scope") == 0)
			list = str_of(meta->string);
	}
	*scopes = PART_TEXT | PART_FILE;
	if (list.len == 0)
		return true;
	*scopes = 0;
	while (str_split(&list, ',', &word)) {
		word = str_trim(word);
		if (str_equal(word, STR("event")))
			*scopes |= PART_EVENT;
		else if (str_equal(word, STR("text")))
			*scopes |= PART_TEXT;
		else if (str_equal(word, STR("file")))
			*scopes |= PART_FILE;
		else
			return err_set(err, ERR_MALFORMED,
				"rule %s: expected meta scope to list event, text, file; found \"" STR_FMT
				"\"",
				rule->identifier, STR_ARG(utf8_cut(word, 40)));
	}
	return true;
}

static struct str blanks_skip(struct str text)
{
	while (text.len > 0 && (text.p[0] == ' ' || text.p[0] == '\t')) {
		text.p++;
		text.len--;
	}
	return text;
}

static bool imports(struct str line, const char *module)
{
	char quoted[16];

	line = blanks_skip(line);
	if (!str_starts(line, STR("import")))
		return false;
	line = blanks_skip((struct str){line.p + 6, line.len - 6});
	snprintf(quoted, sizeof(quoted), "\"%s\"", module);
	return str_starts(line, str_of(quoted));
}

unsigned rule_modules_of(struct str source)
{
	unsigned modules = 0;
	struct str line;

	while (str_split(&source, '\n', &line)) {
		modules |= imports(line, "pe") ? RULE_MODULE_PE : 0;
		modules |= imports(line, "elf") ? RULE_MODULE_ELF : 0;
		modules |= imports(line, "dotnet") ? RULE_MODULE_DOTNET : 0;
	}
	return modules;
}

static uint32_t number_at(struct str bytes, size_t at, size_t size)
{
	uint32_t value = 0;

	if (at > bytes.len || bytes.len - at < size)
		return 0;
	for (size_t i = size; i > 0; i--)
		value = value << 8 | (unsigned char)bytes.p[at + i - 1];
	return value;
}

/* Where the PE header of an MZ file stands; 0: it has none. */
static size_t pe_header(struct str bytes)
{
	size_t at;

	if (!str_starts(bytes, STR("MZ")))
		return 0;
	at = number_at(bytes, 0x3c, 4);
	return number_at(bytes, at, 4) == 0x4550 ? at : 0;
}

/* The 15th data directory of the optional header is the CLR's. */
static bool is_dotnet(struct str bytes)
{
	size_t pe = pe_header(bytes);
	size_t optional = pe + 24;
	size_t directories;

	if (pe == 0)
		return false;
	directories = optional + (number_at(bytes, optional, 2) == 0x20b ? 112 : 96);
	return number_at(bytes, directories + (size_t)14 * 8, 4) != 0;
}

bool rule_modules_fit(unsigned modules, struct str bytes)
{
	return modules == 0 || ((modules & RULE_MODULE_PE) && pe_header(bytes) != 0) ||
	       ((modules & RULE_MODULE_ELF) && str_starts(bytes, STR("\177ELF"))) ||
	       ((modules & RULE_MODULE_DOTNET) && is_dotnet(bytes));
}
