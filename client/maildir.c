#include "config.h"

#include "client/maildir.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

static void names_add(struct names *names, char *name)
{
	names->list = mem_resize(names->list, (names->count + 1) * sizeof(*names->list));
	names->list[names->count++] = name;
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct names){.count = 0};
}

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* "1795000000.M1P2.host:2,S": seconds as a number, since an old name has fewer digits; then the rest, without
 * the flags behind its colon, which change. */
static int by_name(const void *a, const void *b)
{
	const char *left = base_name(*(char *const *)a), *right = base_name(*(char *const *)b);
	unsigned long long first = strtoull(left, NULL, 10), second = strtoull(right, NULL, 10);

	if (first != second)
		return first < second ? -1 : 1;
	return strcmp(left, right);
}

enum place { PLACE_NONE, PLACE_LINK, PLACE_FOLDER };

static enum place place_of(const char *path)
{
	struct stat info;

	if (lstat(path, &info) != 0)
		return PLACE_NONE;
	return S_ISLNK(info.st_mode) ? PLACE_LINK : S_ISDIR(info.st_mode) ? PLACE_FOLDER : PLACE_NONE;
}

static bool add_mails(const char *path, const char *part, struct maildir *maildir)
{
	char *folder = mem_printf("%s/%s", path, part);
	enum place place = place_of(folder);
	struct dirent **names = NULL;
	int count = place == PLACE_FOLDER ? scandir(folder, &names, NULL, NULL) : -1;

	for (int i = 0; i < count; i++) {
		if (names[i]->d_name[0] != '.')
			names_add(&maildir->mails, mem_printf("%s/%s", folder, names[i]->d_name));
		free(names[i]);
	}
	if (place == PLACE_LINK)
		names_add(&maildir->links, mem_strdup(folder));
	free(names);
	free(folder);
	return count >= 0;
}

static bool add_maildir(const char *path, struct maildir *maildir)
{
	bool has_new = add_mails(path, "new", maildir);
	bool has_cur = add_mails(path, "cur", maildir);

	return has_new || has_cur;
}

/* What is no maildir is a program's own: an index, a list of subscriptions. */
static bool is_maildir(const char *path)
{
	static const char *const parts[] = {"new", "cur"};
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char *part = mem_printf("%s/%s", path, parts[i]);
		found |= place_of(part) == PLACE_FOLDER;
		free(part);
	}
	return found;
}

static void add_folder(const char *path, const char *name, bool mails, struct maildir *maildir)
{
	char *folder = mem_printf("%s/%s", path, name);
	enum place place = place_of(folder);

	if (place == PLACE_LINK && is_maildir(folder)) {
		names_add(&maildir->links, mem_strdup(folder));
	} else if (place == PLACE_FOLDER && is_maildir(folder)) {
		names_add(&maildir->folders, mem_strdup(name));
		if (mails)
			add_maildir(folder, maildir);
	}
	free(folder);
}

bool maildir_read(const char *path, bool folders, struct maildir *maildir)
{
	struct dirent **names = NULL;

	*maildir = (struct maildir){.mails = {.count = 0}};
	bool found = add_maildir(path, maildir);
	int count = found ? scandir(path, &names, NULL, alphasort) : 0;
	for (int i = 0; i < count; i++) {
		const char *name = names[i]->d_name;
		if (name[0] == '.' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			add_folder(path, name, folders, maildir);
		free(names[i]);
	}
	free(names);
	if (maildir->mails.count > 0)
		qsort(maildir->mails.list, maildir->mails.count, sizeof(*maildir->mails.list), by_name);
	return found;
}

void maildir_free(struct maildir *maildir)
{
	names_free(&maildir->mails);
	names_free(&maildir->folders);
	names_free(&maildir->links);
}
