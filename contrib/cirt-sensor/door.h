#ifndef CIRT_SENSOR_DOOR_H
#define CIRT_SENSOR_DOOR_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

/* A connection to cirtd's sensor door: mutual TLS 1.2 or later, a session, lines out, acknowledgements in. */
struct door_settings {
	const char *host;
	const char *port;
	const char *name; /* that the door's certificate must have; a name or an address */
	const char *
		certificate; /* PEM files: ours with its chain, its key, and who may have issued the door's */
	const char *key;
	const char *ca;
};

struct door_factory; /* the settings, read and checked */
struct door_factory *door_factory_new(const struct door_settings *settings, struct err *err);
void door_factory_free(struct door_factory **factory);

struct door;
/* Connect, shake hands and say which session it is; waits for at most `patience` microseconds. */
struct door *door_open(
	struct door_factory *factory, const uint8_t session[UUID_LEN], int64_t patience, struct err *err);
void door_close(struct door **door);
/* What can be written without waiting; *written may be 0. */
bool door_write(struct door *door, struct str bytes, size_t *written, struct err *err);
/* The highest acknowledgement that has come, if any; false: the connection has ended. */
bool door_read(struct door *door, bool *heard, uint64_t *ack, struct err *err);
/* Until something can be read, or written where that is wanted, for at most so long. */
void door_wait(struct door *door, bool to_write, int64_t microseconds);

#endif
