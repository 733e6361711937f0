/*
 * netinfo: which autonomous system and country a report's source address belongs to. See netinfo.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cirt_plugin.h"
#include "mmdb.h"
#include "prefix_table.h"

/* Asked in this order, until both number and country are known. */
static const struct cirt_plugin_option options[] = {
	{"database", "MaxMind DB or CSV file prefix,asn,country", 1},
	{"asn", "the same, for autonomous systems (GeoLite2-ASN.mmdb)", 1},
	{"country", "the same, for countries (GeoLite2-Country.mmdb)", 1},
	{NULL, NULL, 0},
};
#define SOURCES 3

struct source {
	struct mmdb *mmdb;
	struct prefix_table *table;
};

struct netinfo {
	struct source sources[SOURCES];
	size_t count;
};

static void fini(void *state)
{
	struct netinfo *netinfo = state;

	if (!netinfo)
		return;
	for (size_t i = 0; i < netinfo->count; i++) {
		mmdb_close(netinfo->sources[i].mmdb);
		prefix_table_free(netinfo->sources[i].table);
	}
	free(netinfo);
}

static int source_open(
	struct source *source, const char *option, const void *bytes, size_t len, char *error, size_t size)
{
	char why[128] = "";

	if (mmdb_is(bytes, len))
		source->mmdb = mmdb_open(bytes, len, why, sizeof(why));
	else
		source->table = prefix_table_parse(bytes, len, why, sizeof(why));
	if (source->mmdb || source->table)
		return 0;
	snprintf(error, size, "option %s: %s", option, why);
	return -1;
}

static int init(const struct cirt_api *api, struct cirt_host *host, void **state, char *error, size_t size)
{
	struct netinfo *netinfo = calloc(1, sizeof(*netinfo));

	if (!netinfo)
		return -1;
	for (const struct cirt_plugin_option *option = options; option->name; option++) {
		size_t len = 0;
		const void *bytes = api->file(host, option->name, &len);
		if (!bytes)
			continue;
		if (source_open(&netinfo->sources[netinfo->count], option->name, bytes, len, error, size) !=
			0) {
			fini(netinfo);
			return -1;
		}
		netinfo->count++;
	}
	if (netinfo->count == 0)
		api->log(host, 1,
			"no option names a file: expected database, asn or country; nothing will be found");
	*state = netinfo;
	return 0;
}

static int source_address(
	const struct cirt_api *api, const struct cirt_item *item, struct net_address *address)
{
	size_t count = api->observables(item);

	for (size_t i = 0; i < count; i++) {
		struct cirt_observable observable;
		if (api->observable(item, i, &observable) != 0)
			continue;
		if (strcmp(observable.type, "ip") == 0 && strcmp(observable.role, "source") == 0)
			return net_address_parse(observable.value, address) ? 0 : -1;
	}
	return -1;
}

static int hook(const struct cirt_api *api, struct cirt_item *item, enum cirt_stage stage, void *state)
{
	const struct netinfo *netinfo = state;
	struct net_info known = {0};
	struct net_address address;

	(void)stage;
	if (netinfo->count == 0 || source_address(api, item, &address) != 0)
		return 0;
	for (size_t i = 0; i < netinfo->count && (known.asn == 0 || known.country[0] == '\0'); i++) {
		const struct source *source = &netinfo->sources[i];
		struct net_info info = {0};
		if (!(source->mmdb ? mmdb_find(source->mmdb, address, &info)
				   : prefix_table_find(source->table, address, &info)))
			continue;
		if (known.asn == 0)
			known.asn = info.asn;
		if (known.country[0] == '\0')
			memcpy(known.country, info.country, sizeof(known.country));
	}
	if (known.asn != 0)
		api->set_asn(item, known.asn);
	if (known.country[0] != '\0')
		api->set_country(item, known.country);
	return 0;
}

CIRT_PLUGIN_EXPORT(netinfo) = {
	.abi = CIRT_PLUGIN_ABI,
	.name = "netinfo",
	.version = "1",
	.summary = "autonomous system and country of the source address",
	.stages = CIRT_STAGE_ITEM,
	.options = options,
	.init = init,
	.fini = fini,
	.hook = hook,
};
