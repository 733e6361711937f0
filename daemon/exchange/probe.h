#ifndef EXCHANGE_PROBE_H
#define EXCHANGE_PROBE_H

#include "exchange/collector.h"

/*
 * What the desk asks of the exchange: which collections a TAXII 2.1 server has (discovery, API roots,
 * collections), and that a source be pulled at once. URLs that a server names are another origin's: public
 * addresses only, and no credentials.
 */
struct probes;

struct probes *probes_new(struct collector *collector);
void probes_free(struct probes **probes);        /* those that run get no answer */
void probes_edge(struct probes *probes, int fd); /* takes fd */

#endif
