#include "config.h"

#include "desk/own.h"

#include <string.h>

static struct str domain_of(struct str address)
{
	const char *at = address.len ? memrchr(address.p, '@', address.len) : NULL;

	return at ? (struct str){at + 1, address.len - (size_t)(at + 1 - address.p)} : STR_NONE;
}

struct str own_domain(const struct conf *conf)
{
	struct str domain = domain_of(conf->out_from);

	if (domain.p)
		return domain;
	return conf->hostname.len ? conf->hostname : STR("localhost");
}

struct json_object *own_text(struct str text)
{
	return json_object_new_string_len(text.p ? text.p : "", (int)text.len);
}

void own_put_addresses(const struct conf *conf, struct json_object *asked)
{
	struct json_object *own = json_object_new_array();
	struct str answers = domain_of(conf->reply_address);

	json_object_array_add(own, own_text(own_domain(conf)));
	if (answers.len > 0) {
		json_object_array_add(own, own_text(answers));
		json_object_array_add(own, own_text(conf->reply_address));
	}
	json_object_object_add(asked, "own", own);
}

void own_put_templates(struct room *room, struct json_object *asked)
{
	struct json_object *names = json_object_new_array();
	struct str rest = room_grant(room, "template.names"), name;

	while (str_split(&rest, '\n', &name))
		json_object_array_add(names, own_text(name));
	json_object_object_add(asked, "templates", names);
}
