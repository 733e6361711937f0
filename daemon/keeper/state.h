#ifndef KEEPER_STATE_H
#define KEEPER_STATE_H

#include "keeper/anchor.h"
#include "pg/pg.h"
#include "proc/room.h"

/* The duties, most urgent first; keeper/duty.c has the table. */
enum duty {
	DUTY_PARTITION, /* ids for this month */
	DUTY_HOUSE,     /* regimes, playbooks, calendar: as configured */
	DUTY_BY_HAND,   /* what operators took down, once it has landed */
	DUTY_CORRELATE,
	DUTY_RAISE,
	DUTY_REVISE, /* newer versions of STIX objects, and revocations */
	DUTY_BACK,   /* bounces of our mails and answers to them */
	DUTY_LETTERS,
	DUTY_NOTICES,       /* what has landed, and whom to warn of it */
	DUTY_NOTICES_READY, /* mails that are full */
	DUTY_INBOX,         /* what is new, in lines */
	DUTY_EFFECT,        /* what became of what was told, summed up */
	DUTY_APPROVALS,     /* what was done alone and nobody has countersigned in time */
	DUTY_CLOCKS,        /* what is due soon or over, cases that wait */
	DUTY_INQUIRIES,     /* reminders of questions, and what nobody has answered in time */
	DUTY_LATE_LETTERS,  /* answers that came before the case of what they answer */
	DUTY_SIMILAR,
	DUTY_ANCHOR,
	DUTY_AHEAD, /* partitions of the months to come */
	DUTY_SWEEP,
	DUTY_KEYS,
	DUTY_QUARANTINE,
	DUTY_RETIRE, /* months whose time is over */
	DUTY_SIMILAR_EXPIRE,
	DUTY_SPAM,
	DUTY_ATTRIBUTE, /* open reports after a change of the register */
	DUTY_SILENCE,   /* sources that say nothing any more */
	DUTY_MEASURES,  /* countermeasures that are to be looked at */
	DUTIES
};

struct keeper_counters {
	uint64_t correlated;
	uint64_t attached;
	uint64_t opened;
	uint64_t reopened;
	uint64_t waiting; /* over the cap of cases, in the last batch */
	uint64_t raised;
	uint64_t revoked;
	uint64_t similar; /* links of near-duplicates */
	uint64_t letters; /* mails attached to cases */
	uint64_t spam;    /* mails whose time is over */
	uint64_t silent;  /* sources, now */
	uint64_t warned;  /* reports looked at for notices */
	uint64_t put;     /* into mails */
	uint64_t mails;   /* begun */
	uint64_t bounced; /* mails of ours */
	uint64_t answered;
	uint64_t acknowledged; /* reports of people */
	uint64_t gone;
	uint64_t expired;
	uint64_t retired;    /* reports */
	uint64_t attributed; /* reports that belong to somebody else now */
	uint64_t clocks_warned;
	uint64_t clocks_breached;
	uint64_t waits_over; /* cases that came back */
	uint64_t put_back;
	uint64_t failed;
};

struct keeper {
	struct room *room;
	struct pg *pg;
	struct anchorer *anchorer;
	struct anchor anchor; /* in the making */
	struct buf house;     /* of model/house.h */
	struct buf refusal;   /* why the configuration that was read last does not hold */
	bool refusal_told;    /* the alarm of it is said, or over */
	struct timer *timer;
	struct timer *drain_timer;
	struct keeper_counters counters;
	int64_t due[DUTIES]; /* monotonic */
	enum duty running;
	bool busy;   /* something is asked of the database */
	bool locked; /* we are the one keeper, as long as this connection lives */
	bool draining;
	uint64_t batch; /* of the correlator: falls to one where a batch is refused */
	uint64_t sweep_page;
	uint64_t notices; /* of a batch of notices: likewise falls to one */
	int64_t started;  /* by the clock */
	int64_t warned;   /* when the desk was last told of the cap, monotonic */
	int64_t alarmed;  /* when its alarm was last said */
	int64_t capped;   /* when something last waited for the cap; 0: the alarm is over */
};

/* ---- duty.c ---- */

const char *duty_name(enum duty duty);
void duty_ask(struct keeper *keeper, enum duty duty);

/* ---- keeper.c ---- */

/* A duty has ended: do it again after that many microseconds, and go on with what is due. */
void keeper_done(struct keeper *keeper, int64_t again);
/* Its statement did not end well: say so, and how soon to try again. */
void keeper_failed(struct keeper *keeper, const struct pg_result *result);

#endif
