#ifndef INTAKE_DOORS_H
#define INTAKE_DOORS_H

#include "base/map.h"
#include "intake/peers.h"
#include "intake/session.h"
#include "intake/share.h"
#include "proc/appender.h"
#include "proc/room.h"
#include "proc/stream.h"

struct mail;
struct sensor;
struct listener;

/* Readers stop while more than this waits for the spool. */
#define DOORS_QUEUE_MAX (UINT64_C(4) << 20)

struct doors_counters {
	uint64_t mail_sessions;
	uint64_t mails;
	uint64_t mail_bytes;
	uint64_t mails_refused; /* after data: answered 4xx or 5xx */
	uint64_t recipients_refused;
	uint64_t mails_broken;   /* the connection ended with one on its way */
	uint64_t replies_forged; /* of them: a case's address with a wrong seal */
	uint64_t sensor_sessions;
	uint64_t lines;
	uint64_t line_bytes;
	uint64_t batches;
	uint64_t acks;
	uint64_t lines_too_long;
	uint64_t lines_cut;           /* at LONG_CUT */
	uint64_t lines_broken;        /* connections that ended with something that was not taken */
	uint64_t refused_certificate; /* none, wrong or expired */
	uint64_t refused_unmapped;
	uint64_t refused_disabled;
	uint64_t refused_full;    /* too many sessions */
	uint64_t refused_crowded; /* too many of this source or address */
};

/* What the doors of this room share. */
struct doors {
	struct room *room;
	struct loop *loop;
	struct appender *appender;
	struct tls_context *mail_tls;   /* NULL: no STARTTLS */
	struct tls_context *sensor_tls; /* NULL: the sensor door stays shut */
	struct listener *listeners;
	struct map *mails;    /* by slot */
	size_t smtp_sessions; /* of them by SMTP */
	struct map *sensors;  /* by number */
	struct peers *smtp_peers;
	struct peers *sensor_peers;
	uint64_t next_sensor;
	struct shares *shares;
	struct sessions *sessions;
	struct timer *drain_timer;
	struct timer *patience; /* runs while there is no edge to the spool */
	bool draining;
	char *hostname; /* in replies */
	struct doors_counters counters;
};

/* A connection has ended: while draining, the last one ends the room. */
void doors_left(struct doors *doors);

#endif
