#ifndef COURIER_POST_H
#define COURIER_POST_H

#include "courier/sealer.h"
#include "courier/sender.h"
#include "courier/texts.h"
#include "pg/pg.h"
#include "proc/room.h"

/*
 * What the courier's files share: the post office, with its connections to the database, the keys and the
 * mail server, and the deliveries under way, each of them one mail from its taking to its end.
 */
#define POST_SENDERS 16

struct post_counts {
	uint64_t sent;
	uint64_t failed;
	uint64_t held;
	uint64_t put_off;
	uint64_t again; /* sent a second time, since no answer came to the first */
	uint64_t encrypted;
};

struct delivery;

struct post {
	struct room *room;
	struct loop *loop;
	struct pg *pg; /* NULL: no database */
	struct sealer *sealer;
	struct texts *texts;
	char id[40];
	struct sender *senders[POST_SENDERS];
	struct delivery *using[POST_SENDERS]; /* whose each is */
	size_t sender_count;
	struct delivery *deliveries; /* a list */
	size_t delivery_count;
	struct timer *look;   /* for the next mail */
	struct timer *resume; /* runs while the server is not asked */
	struct timer *key_look;
	int64_t pause; /* of the last time it was not reached; 0: it was */
	bool alarmed;
	bool cleared; /* an alarm of an earlier courier is over */
	bool looking; /* the question for the next mail is under way */
	bool freed;   /* what an earlier courier of this node held is free again */
	bool draining;
	struct post_counts counts;
};

void post_look(struct post *post);                      /* take the next mail, where there is room for one */
void post_trouble(struct post *post, const char *text); /* the server was not reached */
void post_reached(struct post *post);
void post_wordless(struct post *post, const char *text); /* a mail has no text: why */

/* --- delivery.c --- */
void delivery_start(struct post *post, int64_t id);
void delivery_free_all(struct post *post);
void delivery_drop_idle(struct post *post); /* all that no server knows of */
void delivery_sent(struct sender *sender, const struct sending_result *result, void *post);

/* --- key_watch.c --- */
void key_watch_look(struct post *post); /* have our own keys long to live? */

#endif
