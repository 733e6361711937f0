#include "ipc/graph.h"

const struct edge graph[] = {
	{EDGE_APPEND, ROOM_INTAKE, ROOM_SPOOL},
	{EDGE_APPEND, ROOM_EXCHANGE, ROOM_SPOOL},
	{EDGE_APPEND, ROOM_DESK, ROOM_SPOOL},
	{EDGE_HANDOUT, ROOM_SPOOL, ROOM_TRIAGE},
	{EDGE_ITEMS, ROOM_TRIAGE, ROOM_STORE},
	{EDGE_HOLDING, ROOM_SPOOL, ROOM_STORE},
	{EDGE_KEYS, ROOM_TRIAGE, ROOM_KEYS},
	{EDGE_KEYS, ROOM_DESK, ROOM_KEYS},
	{EDGE_KEYS, ROOM_COURIER, ROOM_KEYS},
	{EDGE_PROBE, ROOM_DESK, ROOM_EXCHANGE},
};
const size_t graph_count = sizeof(graph) / sizeof(graph[0]);

static const char *const names[ROOMS] = {
	[ROOM_SUPERVISOR] = "supervisor",
	[ROOM_INTAKE] = "intake",
	[ROOM_SPOOL] = "spool",
	[ROOM_TRIAGE] = "triage",
	[ROOM_STORE] = "store",
	[ROOM_KEEPER] = "keeper",
	[ROOM_DESK] = "desk",
	[ROOM_EXCHANGE] = "exchange",
	[ROOM_KEYS] = "keys",
	[ROOM_COURIER] = "courier",
};

const char *room_name(enum room_id room)
{
	return (unsigned)room < ROOMS ? names[room] : "unknown";
}

bool room_parse(struct str name, enum room_id *room)
{
	for (unsigned i = 0; i < ROOMS; i++)
		if (str_equal(name, str_of(names[i]))) {
			*room = (enum room_id)i;
			return true;
		}
	return false;
}
