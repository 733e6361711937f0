#ifndef EXCHANGE_COLLECTOR_H
#define EXCHANGE_COLLECTOR_H

#include "exchange/catalogue.h"
#include "exchange/fetch.h"
#include "proc/appender.h"

/* All feeds of this room, and what they share. */
struct collector {
	struct loop *loop;
	struct appender *appender;
	struct fetcher *fetcher;
	struct catalogue *catalogue;
	struct map *feeds; /* by source id */
	uint64_t interval; /* of a source that says none, in microseconds */
	uint64_t max_size;
	uint64_t patience;  /* microseconds for which an item is tried again */
	uint64_t pull_time; /* microseconds for all of a pull; 0: no limit */
	bool draining;
	uint64_t pulls; /* begun */
	uint64_t not_modified;
	uint64_t failed;
	uint64_t pages; /* taken into the spool */
	uint64_t bytes;
};

void collector_sources(
	struct collector *collector, const struct source_table *table); /* begin, change and end feeds */
void collector_resume(struct collector *collector);     /* spool, queue or credentials have changed */
void collector_drain(struct collector *collector);      /* begin nothing more */
bool collector_busy(const struct collector *collector); /* an entry is being committed */
void collector_stop(struct collector *collector);

#endif
