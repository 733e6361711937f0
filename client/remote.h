#ifndef CLIENT_REMOTE_H
#define CLIENT_REMOTE_H

#include <sys/types.h>

#include "base/hash.h"
#include "client/place.h"

/* A connection to the desk of another machine: TLS 1.2 or later, both sides by certificate; blocking. */
struct remote;

/* ERR_NOTFOUND: nobody listens there; ERR_DENIED: one side does not take the other's certificate;
 * ERR_MALFORMED: an address or a file is not what it must be. */
bool remote_open(const struct place *place, struct remote **remote, struct err *err);
void remote_close(struct remote **remote);
bool remote_write(struct remote *remote, const char *bytes, size_t len, struct err *err);
ssize_t remote_read(struct remote *remote, char *bytes, size_t most, struct err *err); /* 0: ended; -1 */
bool remote_waiting(struct remote *remote); /* bytes can be read without waiting for long */

/* SHA-256 of the public key of the first certificate of a PEM file: what the desk knows an operator by. */
bool remote_certificate_pin(const char *path, char pin[SHA256_HEX], struct err *err);

#endif
