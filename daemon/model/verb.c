#include "config.h"

#include "model/verb.h"

#include "base/mem.h"

static const char *const role_names[] = {
	[ROLE_NONE] = "none",
	[ROLE_VIEWER] = "viewer",
	[ROLE_TRAINEE] = "trainee",
	[ROLE_ANALYST] = "analyst",
	[ROLE_LEAD] = "lead",
	[ROLE_ADMIN] = "admin",
};

const char *role_name(enum role role)
{
	return (size_t)role < ARRAY_LEN(role_names) ? role_names[role] : role_names[ROLE_NONE];
}

bool role_parse(struct str text, enum role *role)
{
	for (size_t i = 0; i < ARRAY_LEN(role_names); i++) {
		if (str_equal(text, str_of(role_names[i]))) {
			*role = (enum role)i;
			return true;
		}
	}
	return false;
}
