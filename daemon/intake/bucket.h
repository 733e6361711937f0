#ifndef INTAKE_BUCKET_H
#define INTAKE_BUCKET_H

#include <stdint.h>

/*
 * So many a second, with one second's worth saved up at most. Taking more than there is makes a debt that is
 * waited off, so that one thing larger than the rate passes too. Times in microseconds of clock_monotonic().
 */
struct bucket {
	uint64_t rate; /* 0 = no limit */
	int64_t level; /* millionths */
	int64_t filled_at;
};

void bucket_set(struct bucket *bucket, uint64_t rate,
	int64_t now); /* full at first; keeps its level at the same rate */
uint64_t bucket_room(struct bucket *bucket, int64_t now); /* what may be taken now; UINT64_MAX = no limit */
void bucket_take(struct bucket *bucket, uint64_t count);
int64_t bucket_wait(const struct bucket *bucket); /* from the last bucket_room(), until one may be taken */

#endif
