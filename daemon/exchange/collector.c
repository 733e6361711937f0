#include "exchange/collector.h"

#include "base/log.h"
#include "base/map.h"
#include "exchange/feed.h"

static bool is_pulled(const struct source *source)
{
	return source && source->enabled && source_kind_pulled(source->kind);
}

/* End those that are no longer in the table, or are something else there. */
static void end_feeds(struct collector *collector, const struct source_table *table)
{
	size_t cursor = 0;
	uint64_t id;
	void *value;

	while (map_next(collector->feeds, &cursor, &id, &value)) {
		const struct source *source = source_by_id(table, (uint32_t)id);
		struct feed *feed = value;

		if (is_pulled(source) && feed_keep(feed, source))
			continue;
		map_remove(collector->feeds, id);
		feed_free(&feed);
	}
}

void collector_sources(struct collector *collector, const struct source_table *table)
{
	catalogue_refresh(collector->catalogue);
	end_feeds(collector, table);
	for (size_t i = 0; i < table->count; i++) {
		const struct source *source = &table->sources[i];

		if (!is_pulled(source) || collector->draining)
			continue;
		if (!map_get(collector->feeds, source->id))
			map_put(collector->feeds, source->id, feed_new(collector, source));
	}
}

void collector_resume(struct collector *collector)
{
	size_t cursor = 0;
	uint64_t id;
	void *value;

	while (map_next(collector->feeds, &cursor, &id, &value))
		feed_resume(value);
}

bool collector_busy(const struct collector *collector)
{
	size_t cursor = 0;
	uint64_t id;
	void *value;

	while (map_next(collector->feeds, &cursor, &id, &value)) {
		if (feed_committing(value))
			return true;
	}
	return false;
}

void collector_drain(struct collector *collector)
{
	size_t cursor = 0;
	uint64_t id;
	void *value;

	collector->draining = true;
	while (map_next(collector->feeds, &cursor, &id, &value)) {
		struct feed *feed = value;

		if (feed_committing(feed))
			continue;
		map_remove(collector->feeds, id);
		feed_free(&feed);
	}
}

void collector_stop(struct collector *collector)
{
	size_t cursor = 0;
	uint64_t id;
	void *value;

	while (map_next(collector->feeds, &cursor, &id, &value)) {
		struct feed *feed = value;

		map_remove(collector->feeds, id);
		feed_free(&feed);
	}
}
