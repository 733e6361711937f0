#ifndef INTAKE_PEERS_H
#define INTAKE_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* How many connections each address has open, so that no stranger takes all of a door's. */
struct peers;

struct peers *peers_new(void);
void peers_free(struct peers **peers);
/* An IPv4 address, or the /64 of an IPv6 one, since a host has all of that; 0 where it is neither. */
uint64_t peers_key(const struct sockaddr_storage *address);
/* One more of it; false if that is more than `most` (0: no limit). Key 0 is let in and not counted. */
bool peers_enter(struct peers *peers, uint64_t key, uint64_t most);
void peers_leave(struct peers *peers, uint64_t key);

#endif
