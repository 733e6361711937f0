#include "config.h"

#include "supervisor/templates.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "ipc/rules_bundle.h"
#include "wire/template.h"

#define FILES_SIZE ((size_t)16 << 20) /* of all templates */

typedef bool template_fn(const char *path, struct str name, struct str bytes, void *context, struct err *err);

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool visit_file(const char *folder, const char *language, const char *file, template_fn *call,
	void *context, struct err *err)
{
	char *path = mem_printf("%s/%s/%s", folder, language, file);
	char *name = mem_printf("%s/%s", language, file);
	struct buf bytes = {0};
	enum mail_kind kind;
	struct str what;
	bool ok = true;
	if (template_name_parse(str_of(file), &kind, &what))
		ok = file_read(path, TEMPLATE_SIZE + 1, &bytes, err) &&
		     call(path, str_of(name), buf_view(&bytes), context, err);
	buf_free(&bytes);
	free(name);
	free(path);
	return ok;
}

static bool visit_language(
	const char *folder, const char *language, template_fn *call, void *context, struct err *err)
{
	struct dirent **entries = NULL;
	char *path = mem_printf("%s/%s", folder, language);
	int count = scandir(path, &entries, is_shown, alphasort);
	bool ok = true;
	for (int i = 0; i < count; i++) {
		ok = ok && visit_file(folder, language, entries[i]->d_name, call, context, err);
		free(entries[i]);
	}
	free(entries);
	free(path);
	return ok;
}

static bool visit(const struct conf *conf, template_fn *call, void *context, struct err *err)
{
	struct dirent **entries = NULL;
	char *folder =
		mem_strndup(conf->out_templates.len ? conf->out_templates.p : "", conf->out_templates.len);
	int count = folder[0] ? scandir(folder, &entries, is_shown, alphasort) : 0;
	bool ok = count >= 0 || err_set(err, ERR_NOTFOUND, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		ok = ok && visit_language(folder, entries[i]->d_name, call, context, err);
		free(entries[i]);
	}
	free(entries);
	free(folder);
	return ok;
}

static bool add(const char *path, struct str name, struct str bytes, void *context, struct err *err)
{
	struct buf *bundle = context;
	rules_bundle_add(bundle, name, bytes);
	return bundle->len <= FILES_SIZE ||
	       err_set(err, ERR_NOSPACE, "%s: templates of more than %zu MB", path, FILES_SIZE >> 20);
}

bool templates_bundle(const struct conf *conf, struct buf *bundle, struct err *err)
{
	return visit(conf, add, bundle, err);
}

static bool add_name(const char *path, struct str name, struct str bytes, void *context, struct err *err)
{
	struct buf *names = context;
	struct str rest = name, language, what, known = buf_view(names), one;
	enum mail_kind kind;

	(void)path;
	(void)bytes;
	(void)err;
	if (!str_split(&rest, '/', &language) || !template_name_parse(rest, &kind, &what) ||
		kind != MAIL_NOTICE || what.len == 0)
		return true;
	while (str_split(&known, '\n', &one))
		if (str_equal(one, what))
			return true;
	if (names->len > 0)
		buf_char(names, '\n');
	buf_str(names, what);
	return true;
}

bool templates_names(const struct conf *conf, struct buf *names, struct err *err)
{
	return visit(conf, add_name, names, err);
}

struct checking {
	conf_complaint *complain;
	void *context;
	bool ok;
};

static bool check(const char *path, struct str name, struct str bytes, void *context, struct err *err)
{
	struct checking *checking = context;
	struct str rest = name, language, what;
	struct template *template = NULL;
	struct buf fault = {0};
	enum mail_kind kind;
	int line = 0;
	(void)err;
	if (str_split(&rest, '/', &language) && template_name_parse(rest, &kind, &what))
		template = template_read(bytes, kind, &line, &fault);
	if (!template) {
		checking->ok = false;
		checking->complain(path, line, buf_cstr(&fault), checking->context);
	}
	template_free(&template);
	buf_free(&fault);
	return true;
}

bool templates_check(const struct conf *conf, conf_complaint *complain, void *context)
{
	struct checking checking = {complain, context, true};
	struct err err = {0};
	if (visit(conf, check, &checking, &err))
		return checking.ok;
	/* Where nothing is sent, and nobody named it, the folder need not be there. */
	if (err.code == ERR_NOTFOUND && conf->out_server.len == 0 &&
		conf_line(conf, "mail_out", "templates") == 0)
		return true;
	complain(conf->path.p, conf_line(conf, "mail_out", "templates"), err.text, context);
	return false;
}
