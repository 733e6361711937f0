#include "config.h"

#include "client/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "client/i18n.h"

#define DEFAULT_SOCKET "/run/cirtd/cirt.sock"
#define SYSTEM_FILE    "/etc/cirt.conf"
#define FILE_MAX       65536

static char *copy(const char *text)
{
	return text && *text ? mem_strdup(text) : NULL;
}

/* "~/" is the home of who calls. */
static char *path_of(struct str value)
{
	const char *home = getenv("HOME");

	if (home && str_starts(value, STR("~/")))
		return mem_printf("%s/%.*s", home, (int)(value.len - 2), value.p + 2);
	return mem_strndup(value.p, value.len);
}

static char **member_of_place(struct place *place, struct str name)
{
	const struct {
		const char *name;
		char **member;
	} members[] = {{"socket", &place->socket}, {"server", &place->server},
		{"certificate", &place->certificate}, {"key", &place->key}, {"ca", &place->ca}};

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (str_equal(name, str_of(members[i].name)))
			return members[i].member;
	return NULL;
}

bool place_read(struct str text, const char *path, struct place *place, struct err *err)
{
	struct str rest = text, line, name;
	struct place found = {0};
	size_t number = 0;
	bool ok = true;

	while (ok && str_split(&rest, '\n', &line)) {
		struct str value = str_trim(line);
		number++;
		if (value.len == 0 || value.p[0] == '#')
			continue;
		str_split(&value, '=', &name);
		char **member = member_of_place(&found, str_trim(name));
		value = value.p ? str_trim(value) : STR_NONE;
		if (!member || value.len == 0) {
			ok = err_set(err, ERR_MALFORMED,
				_("%s:%zu: expected socket, server, certificate, key or ca = VALUE"), path,
				number);
		} else {
			free(*member);
			*member = path_of(value);
		}
	}
	/* A socket that is said nearer to the person goes before a server of a file. */
	if (ok && !place->socket && !place->server) {
		place->socket = found.server ? NULL : copy(found.socket);
		place->server = copy(found.server);
	}
	if (ok && !place->certificate)
		place->certificate = copy(found.certificate);
	if (ok && !place->key)
		place->key = copy(found.key);
	if (ok && !place->ca)
		place->ca = copy(found.ca);
	place_clear(&found);
	return ok;
}

/* False with err->code ERR_NOTFOUND: there is no such file, which is no fault. */
static bool read_file(const char *path, struct place *place, struct err *err)
{
	struct buf text = {0};
	FILE *file = fopen(path, "re");
	char piece[4096];
	size_t got;
	bool ok;

	if (!file && (errno == ENOENT || errno == ENOTDIR))
		return err_set(err, ERR_NOTFOUND, "%s", path);
	if (!file)
		return err_errno(err, "%s", path);
	while (text.len < FILE_MAX && (got = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_append(&text, piece, got);
	fclose(file);
	ok = utf8_valid(buf_view(&text)) ? place_read(buf_view(&text), path, place, err)
	                                 : err_set(err, ERR_MALFORMED, _("%s: expected text in UTF-8"), path);
	buf_free(&text);
	return ok;
}

static char *own_file(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && *config)
		return mem_printf("%s/cirt/cirt.conf", config);
	return home && *home ? mem_printf("%s/.config/cirt/cirt.conf", home) : NULL;
}

static bool read_files(struct place *place, struct err *err)
{
	struct err why = {0};
	char *own = own_file();
	bool ok = own && read_file(own, place, &why);

	free(own);
	if (!ok && (why.code == ERR_NONE || why.code == ERR_NOTFOUND)) {
		why = (struct err){0};
		ok = read_file(SYSTEM_FILE, place, &why) || why.code == ERR_NOTFOUND;
	}
	if (!ok)
		err_set(err, why.code, "%s", why.text);
	return ok;
}

bool place_find(const struct place_said *said, struct place *place, struct err *err)
{
	*place = (struct place){.socket = copy(said->socket),
		.server = copy(said->server),
		.certificate = copy(said->certificate),
		.key = copy(said->key),
		.ca = copy(said->ca)};
	if (!place->socket && !place->server) {
		place->server = copy(getenv("CIRT_SERVER"));
		if (!place->server)
			place->socket = copy(getenv("CIRT_SOCKET"));
	}
	if (!place->socket && !read_files(place, err)) {
		place_clear(place);
		return false;
	}
	if (!place->socket && !place->server)
		place->socket = mem_strdup(DEFAULT_SOCKET);
	return true;
}

const char *place_name(const struct place *place)
{
	return place->server ? place->server : place->socket;
}

void place_clear(struct place *place)
{
	free(place->socket);
	free(place->server);
	free(place->certificate);
	free(place->key);
	free(place->ca);
	*place = (struct place){0};
}
