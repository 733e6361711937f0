#ifndef IPC_EDGE_PROBE_H
#define IPC_EDGE_PROBE_H

#include "base/buf.h"

/* desk → exchange: what an operator wants to know of other systems now. */
#define PROBE_VERSION 2

enum probe_type {
	PROBE_DISCOVER = 1, /* struct probe_ask: what a TAXII server has at a URL */
	PROBE_PULL,         /* struct probe_ask: pull this source at once */
	PROBE_TOLD = 100    /* struct probe_told */
};

struct probe_ask {
	uint32_t ask;    /* echoed */
	uint32_t source; /* PULL */
	struct str url;  /* DISCOVER */
	struct str auth; /* DISCOVER: as of a source; "" */
	/* PULL: a JSON list of items that were given up, to be asked for again; "". */
	struct str items;
};

struct probe_told {
	uint32_t ask;
	bool ok;
	struct str text; /* JSON; where it is not ok: why, for people */
};

void probe_ask_encode(const struct probe_ask *ask, struct buf *out);
bool probe_ask_decode(struct str body, struct probe_ask *ask);
void probe_told_encode(const struct probe_told *told, struct buf *out);
bool probe_told_decode(struct str body, struct probe_told *told);

#endif
