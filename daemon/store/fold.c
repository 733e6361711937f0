#include "store/fold.h"

#include "base/clock.h"

int fold_family_compare(const struct fold_key *a, const struct fold_key *b)
{
	int order = memcmp(a->digest, b->digest, sizeof a->digest);
	return order ? order : (a->exercise > b->exercise) - (a->exercise < b->exercise);
}

int fold_key_compare(const struct fold_key *a, const struct fold_key *b)
{
	int order = fold_family_compare(a, b);
	if (order)
		return order;
	if (a->tlp != b->tlp)
		return a->tlp < b->tlp ? -1 : 1;
	return (a->scope > b->scope) - (a->scope < b->scope);
}

enum fold_verdict fold_decide(const struct fold_state *state, const struct fold_limits *limits, int64_t time)
{
	if (!state->report)
		return FOLD_NEW;
	if (time > state->last + limits->quiet)
		return FOLD_RELAPSE;
	if (time > state->first + limits->max_age)
		return FOLD_CONTINUATION;
	if (time < state->first - limits->quiet || time < state->last - limits->max_age)
		return FOLD_APART;
	return FOLD_AGAIN;
}

void fold_apply(struct fold_state *state, enum fold_verdict verdict, int64_t report, int64_t time)
{
	switch (verdict) {
	case FOLD_AGAIN:
		if (time < state->first)
			state->first = time;
		if (time > state->last)
			state->last = time;
		return;
	case FOLD_APART:
		return;
	case FOLD_NEW:
	case FOLD_RELAPSE:
	case FOLD_CONTINUATION:
		*state = (struct fold_state){report, time, time, -1, -1, -1};
	}
}

bool fold_worth_moving(
	const struct fold_state *was, const struct fold_state *now, const struct fold_limits *limits)
{
	return now->last - was->last > limits->quiet / 20 || was->first - now->first > limits->quiet / 20;
}

int64_t fold_time(int64_t observed, int64_t received, int64_t max_late)
{
	if (observed == CLOCK_UNKNOWN || observed > received)
		return received;
	return observed < received - max_late ? received - max_late : observed;
}
