#include "intake/bucket.h"

#define MILLION INT64_C(1000000)
/* Keeps level × rate within 63 bits. */
#define RATE_MAX UINT64_C(1000000000000)

static int64_t bucket_full(const struct bucket *bucket)
{
	return (int64_t)bucket->rate * MILLION;
}

void bucket_set(struct bucket *bucket, uint64_t rate, int64_t now)
{
	if (rate > RATE_MAX)
		rate = RATE_MAX;
	if (bucket->rate == rate)
		return;
	bucket->rate = rate;
	bucket->level = bucket_full(bucket);
	bucket->filled_at = now;
}

uint64_t bucket_room(struct bucket *bucket, int64_t now)
{
	int64_t passed = now - bucket->filled_at;

	if (bucket->rate == 0)
		return UINT64_MAX;
	bucket->filled_at = now;
	/* A second fills it from empty; a debt may take longer. */
	if (passed > 0 && passed > (bucket_full(bucket) - bucket->level) / (int64_t)bucket->rate)
		bucket->level = bucket_full(bucket);
	else if (passed > 0)
		bucket->level += passed * (int64_t)bucket->rate;
	return bucket->level >= MILLION ? (uint64_t)(bucket->level / MILLION) : 0;
}

void bucket_take(struct bucket *bucket, uint64_t count)
{
	if (bucket->rate == 0)
		return;
	if (count > RATE_MAX)
		count = RATE_MAX;
	bucket->level -= (int64_t)count * MILLION;
	if (bucket->level < -bucket_full(bucket) * 4)
		bucket->level = -bucket_full(bucket) * 4;
}

int64_t bucket_wait(const struct bucket *bucket)
{
	if (bucket->rate == 0 || bucket->level >= MILLION)
		return 0;
	return (MILLION - bucket->level) / (int64_t)bucket->rate + 1;
}
