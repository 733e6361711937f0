#include "config.h"

#include "proc/grants.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"

struct grant {
	struct grant *next;
	char *name;
	int fd;
	struct str bytes;
};

struct grants {
	struct grant *live;
	struct grant *retired;
};

static void grant_free(struct grant *grant)
{
	fd_unmap(&grant->bytes);
	fd_close(&grant->fd);
	free(grant->name);
	free(grant);
}

struct grants *grants_new(void)
{
	return mem_alloc(sizeof(struct grants));
}

void grants_retire(struct grants *grants)
{
	while (grants->retired) {
		struct grant *next = grants->retired->next;
		grant_free(grants->retired);
		grants->retired = next;
	}
}

void grants_free(struct grants **grants)
{
	if (!*grants)
		return;
	grants_retire(*grants);
	(*grants)->retired = (*grants)->live;
	grants_retire(*grants);
	free(*grants);
	*grants = NULL;
}

static struct grant *find(const struct grants *grants, struct str name)
{
	struct grant *at = grants->live;
	while (at && !str_equal(str_of(at->name), name))
		at = at->next;
	return at;
}

static void retire(struct grants *grants, struct grant *grant)
{
	struct grant **at = &grants->live;
	while (*at != grant)
		at = &(*at)->next;
	*at = grant->next;
	grant->next = grants->retired;
	grants->retired = grant;
}

bool grants_put(struct grants *grants, struct str name, int fd, struct err *err)
{
	struct grant *old = find(grants, name);
	if (old)
		retire(grants, old);
	if (fd < 0)
		return true;
	struct grant *grant = mem_alloc(sizeof(*grant));
	grant->name = mem_strndup(name.p, name.len);
	grant->fd = fd;
	grant->next = grants->live;
	grants->live = grant;
	/* Folders and files to append to have no seals: they are used by their descriptor. */
	bool memory = fcntl(fd, F_GET_SEALS) > 0;
	return !memory || fd_map(fd, true, &grant->bytes, err);
}

struct str grants_bytes(const struct grants *grants, const char *name)
{
	const struct grant *grant = find(grants, str_of(name));
	return grant ? grant->bytes : STR_NONE;
}

int grants_fd(const struct grants *grants, const char *name)
{
	const struct grant *grant = find(grants, str_of(name));
	return grant ? grant->fd : -1;
}

bool grants_next(const struct grants *grants, size_t *cursor, const char **name)
{
	size_t skip = *cursor;
	const struct grant *at = grants->live;
	while (at && skip-- > 0)
		at = at->next;
	if (!at)
		return false;
	(*cursor)++;
	*name = at->name;
	return true;
}
