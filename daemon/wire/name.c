#include "config.h"

#include "wire/name.h"

#include "base/mem.h"
#include "model/observable.h"
#include "wire/tld.h"

struct str name_last_label(struct str name)
{
	for (size_t i = name.len; i > 0; i--)
		if (name.p[i - 1] == '.')
			return (struct str){name.p + i, name.len - i};
	return name;
}

/* Words of the trade that look like names. */
static bool is_product(struct str name)
{
	static const struct str products[] = {{"asp.net", 7}, {"vb.net", 6}, {"ado.net", 7}, {"socket.io", 9},
		{"configure.ac", 12}, {"configure.in", 12}, {"makefile.am", 11}, {"makefile.in", 11},
		{"config.in", 9}, {"ld.so", 5}, {"index.pl", 8}, {"command.com", 11}, {"window.name", 11}};

	for (size_t i = 0; i < ARRAY_LEN(products); i++)
		if (str_equal_nocase(products[i], name))
			return true;
	return false;
}

/* More than two labels of an ending that files have too: a module of a program, or a library. */
static bool is_file(struct str name, struct str top)
{
	struct str above = {name.p, name.len - top.len - 1};

	if (!tld_is_file_ending(top))
		return false;
	if (!memchr(above.p, '.', above.len))
		return true;
	if (str_equal(top, STR("so")))
		return str_starts(name, STR("lib"));
	/* Paraguay gives names below its own second level mostly */
	above = name_last_label(above);
	return str_equal(top, STR("py")) && !str_starts(name, STR("www.")) && !str_equal(above, STR("com")) &&
	       !str_equal(above, STR("org")) && !str_equal(above, STR("net")) &&
	       !str_equal(above, STR("edu")) && !str_equal(above, STR("gov")) &&
	       !str_equal(above, STR("coop")) && !str_equal(above, STR("mil"));
}

/* Is a bare name in running text one of DNS, rather than a file, a version or two sentences without a space?
 */
bool name_believable(struct str name, struct arena *arena)
{
	struct str raw = name_last_label(name);
	struct str value;
	struct str top;

	if (!observable_normalise(OBSERVABLE_NAME, name, arena, &value))
		return false;
	top = name_last_label(value);
	if (top.len == value.len || !tld_known(top))
		return false;
	if (raw.len > 1 && raw.p[0] >= 'A' && raw.p[0] <= 'Z' && raw.p[1] >= 'a' && raw.p[1] <= 'z')
		return false;
	return !is_file(value, top) && !is_product(value);
}
