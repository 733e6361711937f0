#include "config.h"

#include "conf/conf.h"

#include "base/mem.h"
#include "base/pack.h"
#include "conf/value.h"

/* Options of plugins are for who loads plugins: the rooms that see the list of them. */
static room_mask plugin_rooms(void)
{
	for (const struct conf_option *option = conf_options; option->name; option++) {
		if (option->offset == offsetof(struct conf, plugin_dir))
			return option->rooms;
	}
	return 0;
}

void conf_defaults(struct arena *arena, struct conf *conf)
{
	*conf = (struct conf){.path = STR_NONE};
	for (const struct conf_option *option = conf_options; option->name; option++)
		value_set_default(conf, option, arena);
}

void conf_needs_restart(
	const struct conf *old, const struct conf *now, conf_complaint *complain, void *context)
{
	struct arena *arena = arena_new(1024);
	struct str file = arena_str(arena, now->path);
	for (const struct conf_option *option = conf_options; option->name; option++) {
		if (option->reload || value_equal(option, old, now))
			continue;
		struct str text = arena_printf(arena, "%s%s%s changed: this takes a restart", option->section,
			*option->section ? "." : "", option->name);
		complain(file.p, 0, text.p, context);
	}
	arena_free(&arena);
}

static void pack_value(const struct conf *conf, const struct conf_option *option, struct buf *out)
{
	const void *at = value_of(conf, option);
	switch (option->type) {
	case OPT_TEXT:
	case OPT_PATH:
		pack_str(out, *(const struct str *)at);
		break;
	case OPT_BOOL:
	case OPT_CHOICE:
		pack_u8(out, *(const bool *)at);
		break;
	case OPT_COUNT:
	case OPT_SIZE:
	case OPT_TIME:
		pack_u64(out, *(const uint64_t *)at);
		break;
	case OPT_LEVEL:
		pack_u32(out, *(const enum log_level *)at);
		break;
	case OPT_LIST:
	case OPT_LISTEN:
		pack_u32(out, (uint32_t)((const struct conf_list *)at)->count);
		for (size_t i = 0; i < ((const struct conf_list *)at)->count; i++)
			pack_str(out, ((const struct conf_list *)at)->values[i]);
		break;
	}
}

static void unpack_list(struct unpack *in, struct conf_list *list, struct arena *arena)
{
	list->count = unpack_enum(in, CONF_LIST + 1);
	for (size_t i = 0; i < list->count; i++)
		list->values[i] = arena_str(arena, unpack_str(in));
}

static void unpack_value(
	struct unpack *in, struct conf *conf, const struct conf_option *option, struct arena *arena)
{
	void *at = value_at(conf, option);
	switch (option->type) {
	case OPT_TEXT:
	case OPT_PATH:
		*(struct str *)at = arena_str(arena, unpack_str(in));
		break;
	case OPT_BOOL:
	case OPT_CHOICE:
		*(bool *)at = unpack_u8(in) != 0;
		break;
	case OPT_COUNT:
	case OPT_SIZE:
	case OPT_TIME:
		*(uint64_t *)at = unpack_u64(in);
		break;
	case OPT_LEVEL:
		*(enum log_level *)at = (enum log_level)unpack_enum(in, LOG_LEVEL_DEBUG + 1);
		break;
	case OPT_LIST:
	case OPT_LISTEN:
		unpack_list(in, at, arena);
		break;
	}
}

void conf_slice_encode(const struct conf *conf, room_mask room, struct buf *out)
{
	bool plugins = (plugin_rooms() & room) != 0;
	pack_u32(out, room);
	pack_str(out, conf->path);
	for (const struct conf_option *option = conf_options; option->name; option++) {
		if (option->rooms & room)
			pack_value(conf, option, out);
	}
	pack_u32(out, plugins ? (uint32_t)conf->plugin_option_count : 0);
	for (size_t i = 0; plugins && i < conf->plugin_option_count; i++) {
		pack_str(out, conf->plugin_options[i].plugin);
		pack_str(out, conf->plugin_options[i].name);
		pack_str(out, conf->plugin_options[i].value);
	}
}

bool conf_slice_decode(struct str bytes, struct arena *arena, struct conf *conf, struct err *err)
{
	struct unpack in = {.rest = bytes};
	struct conf read;
	conf_defaults(arena, &read);
	room_mask room = unpack_u32(&in);
	read.path = arena_str(arena, unpack_str(&in));
	for (const struct conf_option *option = conf_options; option->name; option++) {
		if (option->rooms & room)
			unpack_value(&in, &read, option, arena);
	}
	read.plugin_option_count = unpack_enum(&in, CONF_PLUGIN_OPTIONS + 1);
	for (size_t i = 0; i < read.plugin_option_count; i++) {
		struct conf_plugin_option *option = &read.plugin_options[i];
		option->plugin = arena_str(arena, unpack_str(&in));
		option->name = arena_str(arena, unpack_str(&in));
		option->value = arena_str(arena, unpack_str(&in));
	}
	if (!unpack_end(&in))
		return err_set(err, ERR_MALFORMED, "a slice of the configuration was expected");
	*conf = read;
	return true;
}
