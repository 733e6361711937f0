#include "config.h"

#include "courier/texts.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "ipc/rules_bundle.h"

struct text {
	char *language;
	char *stem;                /* "notice-intrusions" */
	struct template *template; /* NULL: cannot be read */
	char *fault;               /* then why, with its name */
};

struct texts {
	struct text *list;
	size_t count;
};

/* name: "en/notice.txt" */
static void add(struct texts *texts, struct str name, struct str bytes)
{
	struct str language, rest = name, what;
	struct template *template;
	struct buf fault = {0};
	enum mail_kind kind;
	int line;

	if (!str_split(&rest, '/', &language) || !template_name_parse(rest, &kind, &what))
		return;
	template = template_read(bytes, kind, &line, &fault);
	texts->list = mem_resize(texts->list, (texts->count + 1) * sizeof(*texts->list));
	struct text *text = &texts->list[texts->count++];
	*text = (struct text){
		mem_strndup(language.p, language.len), mem_strndup(rest.p, rest.len - 4), template, NULL};
	if (!template) {
		text->fault = mem_printf(
			"template " STR_FMT ", line %d: %s", STR_ARG(name), line, buf_cstr(&fault));
		log_error("%s", text->fault);
	}
	buf_free(&fault);
}

struct texts *texts_new(struct str bundle)
{
	struct texts *texts = mem_alloc(sizeof(*texts));
	struct str name, bytes;

	while (rules_bundle_next(&bundle, &name, &bytes) > 0)
		add(texts, name, bytes);
	return texts;
}

void texts_free(struct texts **texts)
{
	if (!*texts)
		return;
	for (size_t i = 0; i < (*texts)->count; i++) {
		template_free(&(*texts)->list[i].template);
		free((*texts)->list[i].language);
		free((*texts)->list[i].stem);
		free((*texts)->list[i].fault);
	}
	free((*texts)->list);
	free(*texts);
	*texts = NULL;
}

size_t texts_count(const struct texts *texts)
{
	return texts->count;
}

static const struct text *find(
	const struct texts *texts, struct str language, enum mail_kind kind, struct str end)
{
	struct str start = str_of(mail_kind_name(kind));

	for (size_t i = 0; i < texts->count; i++) {
		struct str stem = str_of(texts->list[i].stem), rest;

		if (!str_equal_nocase(str_of(texts->list[i].language), language) || !str_starts(stem, start))
			continue;
		rest = (struct str){stem.p + start.len, stem.len - start.len};
		if (end.len == 0 ? rest.len == 0
				 : rest.len == end.len + 1 && str_starts(rest, STR("-")) &&
					   str_ends(rest, end))
			return &texts->list[i];
	}
	return NULL;
}

const struct template *texts_find(const struct texts *texts, struct str language, enum mail_kind kind,
	struct str class, struct str name, struct err *err)
{
	struct str rest = language, base, start = str_of(mail_kind_name(kind));
	const struct text *found = NULL;

	if (str_starts(name, start) && name.len > start.len && name.p[start.len] == '-')
		name = (struct str){name.p + start.len + 1, name.len - start.len - 1};
	if (!str_split(&rest, '-', &base))
		base = language;
	const struct str languages[] = {language, base, STR("en")};
	for (size_t i = 0; i < ARRAY_LEN(languages) && !found; i++) {
		if (name.len > 0)
			found = find(texts, languages[i], kind, name);
		if (!found && class.len > 0)
			found = find(texts, languages[i], kind, class);
		if (!found)
			found = find(texts, languages[i], kind, STR_NONE);
	}
	if (!found)
		err_set(err, ERR_NOTFOUND, "there is no template en/%s.txt", mail_kind_name(kind));
	else if (!found->template)
		err_set(err, ERR_CORRUPT, "%s", found->fault);
	return found ? found->template : NULL;
}
