#ifndef COURIER_DELIVERY_H
#define COURIER_DELIVERY_H

#include "courier/compose.h"
#include "courier/post.h"

/* One mail under way. Its functions end it, or ask for something whose answer leads on; nobody touches it
 * after. */
#define DELIVERY_KEYS 20

/* A key by which it could be sealed, and whose it is. */
struct key_choice {
	int32_t contact; /* 0: whom it is for already */
	struct str address;
	struct str name;
	enum seal_kind kind;
	struct str key;
};

enum key_policy { KEY_REQUIRED, KEY_PREFERRED, KEY_NEVER }; /* as key_policy in sql/027-register.sql */

struct delivery {
	struct delivery *next;
	struct post *post;
	int64_t id;
	char id_text[24];
	struct arena *arena;
	struct letter_facts facts;
	struct letter_house house;
	enum key_policy policy;
	bool barred; /* its case has become too strict for it since somebody wrote it */
	bool made;   /* its bytes are in the database */
	bool others_asked;
	bool signed_already;
	bool again;    /* nobody knows what became of the last attempt */
	bool taken;    /* it is out, and the database has yet to be told */
	int64_t begun; /* when it was last begun to be sent; clock_monotonic() */
	struct compose *compose;
	uint64_t told; /* rows */
	/* sealing */
	struct key_choice keys[DELIVERY_KEYS];
	size_t key_count;
	size_t key;
	char why_no_key[300]; /* of the first */
	struct buf entity;    /* what is sealed next */
	struct str sealed;    /* as in outbox.sealed */
	/* sending */
	struct buf mail;
	struct sender *sender; /* busy with it */
	struct sending_result result;
	struct timer *retry; /* to tell the database what became of it */
	char *from, *to;
};

void delivery_end(struct delivery *delivery); /* it is nobody's any more here: frees it */
bool delivery_lives(const struct post *post, const struct delivery *delivery);

/* Parameters in text, by number: $1 is the mail, $2 the courier; more follow, p NULL for NULL. */
#define DELIVERY_PARAMETERS 8
void delivery_query(
	struct delivery *delivery, const char *sql, const struct str *more, size_t count, pg_result_fn *call);
/* The start of any answer to it: false where there is none to go on with; then it is over. */
bool delivery_answered(struct delivery *delivery, const struct pg_result *result, const char *what);

/* Ends: each tells the database, and ends the delivery when that has been heard. */
/* bounded: for as long as mail_out.retry lets, and not for ever. said: by the server; "" : nothing. */
void delivery_put_off(
	struct delivery *delivery, int64_t wait, bool bounded, const char *why, const char *said);
void delivery_hold(struct delivery *delivery, const char *why, bool no_key);
void delivery_fail(struct delivery *delivery, const char *why, const char *said, bool theirs);

/* --- delivery_load.c: what it says; then delivery_seal() or, where it is made, delivery_send() --- */
void delivery_load(struct delivery *delivery);
/* --- delivery_seal.c: make, sign, encrypt and store it; then delivery_send() --- */
void delivery_seal(struct delivery *delivery);
/* --- delivery_send.c --- */
void delivery_send(struct delivery *delivery);

#endif
