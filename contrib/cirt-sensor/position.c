#include "config.h"

#include "position.h"

#include <errno.h>
#include <unistd.h>

#include "base/fd.h"

#define FIRST_LINE   "cirt-sensor 1"
#define POSITION_MAX 1024

static bool take_number(struct str *words, uint64_t *number)
{
	struct str word;

	return str_split(words, ' ', &word) && str_to_u64(word, number);
}

static bool take_member(struct str line, struct position *position, unsigned *seen)
{
	struct str name;

	str_split(&line, ' ', &name);
	if (str_equal(name, STR("session")) && uuid_parse(line, position->session))
		*seen |= 1;
	else if (str_equal(name, STR("acked")) && take_number(&line, &position->acked))
		*seen |= 2;
	else if (str_equal(name, STR("file")) && take_number(&line, &position->device) &&
		 take_number(&line, &position->inode))
		*seen |= 4;
	else if (str_equal(name, STR("offset")) && take_number(&line, &position->offset))
		*seen |= 8;
	else if (str_equal(name, STR("mark")) && hex_decode(line, position->mark, SHA256_LEN))
		*seen |= 16;
	else
		return false;
	return true;
}

static bool position_parse(struct str text, struct position *position)
{
	struct str line;
	unsigned seen = 0;

	if (!str_split(&text, '\n', &line) || !str_equal(line, STR(FIRST_LINE)))
		return false;
	while (str_split(&text, '\n', &line))
		if (line.len > 0 && !take_member(line, position, &seen))
			return false;
	return seen == 31;
}

bool position_load(const char *path, struct position *position, struct err *err)
{
	struct position found = {0};
	struct buf text = {0};
	bool good;

	if (access(path, F_OK) != 0 && errno == ENOENT)
		return err_set(err, ERR_NOTFOUND, "%s does not exist yet", path);
	if (!file_read(path, POSITION_MAX, &text, err)) {
		buf_free(&text);
		return false;
	}
	good = position_parse(buf_view(&text), &found);
	buf_free(&text);
	if (!good)
		return err_set(err, ERR_CORRUPT,
			"%s is no position of cirt-sensor; who removes it begins anew", path);
	*position = found;
	return true;
}

bool position_save(const char *path, const struct position *position, struct err *err)
{
	char session[UUID_TEXT];
	char mark[SHA256_HEX];
	struct buf text = {0};
	bool good;

	buf_printf(&text, "%s\nsession %s\nacked %llu\nfile %llu %llu\noffset %llu\nmark %s\n", FIRST_LINE,
		uuid_format(position->session, session), (unsigned long long)position->acked,
		(unsigned long long)position->device, (unsigned long long)position->inode,
		(unsigned long long)position->offset, hex_encode(position->mark, SHA256_LEN, mark));
	good = file_write_atomic(path, 0600, buf_view(&text), err);
	buf_free(&text);
	return good;
}
