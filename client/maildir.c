#include "config.h"

#include "client/maildir.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

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

static bool add_folder(const char *path, const char *part, struct maildir *maildir)
{
	char *folder = mem_printf("%s/%s", path, part);
	struct dirent **names = NULL;
	int count = scandir(folder, &names, NULL, NULL);

	for (int i = 0; i < count; i++) {
		if (names[i]->d_name[0] != '.') {
			maildir->paths =
				mem_resize(maildir->paths, (maildir->count + 1) * sizeof(*maildir->paths));
			maildir->paths[maildir->count++] = mem_printf("%s/%s", folder, names[i]->d_name);
		}
		free(names[i]);
	}
	free(names);
	free(folder);
	return count >= 0;
}

bool maildir_read(const char *path, struct maildir *maildir)
{
	*maildir = (struct maildir){.count = 0};
	bool has_new = add_folder(path, "new", maildir);
	bool has_cur = add_folder(path, "cur", maildir);
	if (maildir->count > 0)
		qsort(maildir->paths, maildir->count, sizeof(*maildir->paths), by_name);
	return has_new || has_cur;
}

void maildir_free(struct maildir *maildir)
{
	for (size_t i = 0; i < maildir->count; i++)
		free(maildir->paths[i]);
	free(maildir->paths);
	*maildir = (struct maildir){.count = 0};
}
