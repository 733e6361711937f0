#include "config.h"

#include "supervisor/counters.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ipc/edge_control.h"

#define COUNTERS_MAX 128
#define RATE_MEMORY  10.0 /* seconds: a rate follows the last ones most */

struct counter {
	char *name;
	uint64_t value;
	double rate;
};

struct counters {
	struct counter all[COUNTERS_MAX];
	size_t count;
	int64_t taken;
	struct arena *arena;
};

struct counters *counters_new(void)
{
	struct counters *counters = mem_alloc(sizeof(*counters));
	counters->arena = arena_new(4096);
	return counters;
}

void counters_forget(struct counters *counters)
{
	for (size_t i = 0; i < counters->count; i++)
		free(counters->all[i].name);
	counters->count = 0;
	counters->taken = 0;
}

void counters_free(struct counters **counters)
{
	if (!*counters)
		return;
	counters_forget(*counters);
	arena_free(&(*counters)->arena);
	free(*counters);
	*counters = NULL;
}

static struct counter *find(struct counters *counters, struct str name)
{
	for (size_t i = 0; i < counters->count; i++)
		if (str_equal(str_of(counters->all[i].name), name))
			return &counters->all[i];
	if (counters->count == COUNTERS_MAX)
		return NULL;
	struct counter *added = &counters->all[counters->count++];
	*added = (struct counter){.name = mem_strndup(name.p, name.len)};
	return added;
}

bool counters_take(struct counters *counters, struct str body)
{
	struct control_counter *read;
	size_t count;
	int64_t now = clock_monotonic();
	double seconds = (double)(now - counters->taken) / (double)CLOCK_SECOND;
	arena_reset(counters->arena);
	if (!control_counters_decode(body, counters->arena, &read, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct counter *counter = find(counters, read[i].name);
		if (!counter)
			continue;
		bool rises = counters->taken != 0 && seconds > 0 && read[i].value >= counter->value;
		double rate = rises ? (double)(read[i].value - counter->value) / seconds : 0;
		counter->rate += (rate - counter->rate) * seconds / (seconds + RATE_MEMORY);
		counter->value = read[i].value;
	}
	counters->taken = now;
	return true;
}

void counters_describe(const struct counters *counters, struct buf *json)
{
	buf_text(json, "\"counters\":{");
	for (size_t i = 0; i < counters->count; i++) {
		buf_text(json, i > 0 ? "," : "");
		buf_json_string(json, str_of(counters->all[i].name));
		buf_printf(json, ":%llu", (unsigned long long)counters->all[i].value);
	}
	buf_text(json, "},\"rates\":{");
	for (size_t i = 0; i < counters->count; i++) {
		buf_text(json, i > 0 ? "," : "");
		buf_json_string(json, str_of(counters->all[i].name));
		buf_printf(json, ":%.1f", counters->all[i].rate);
	}
	buf_text(json, "}");
}
