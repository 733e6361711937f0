#include "config.h"

#include "intake/peers.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

struct peers {
	struct map *counts; /* the number itself stands where the pointer would */
};

struct peers *peers_new(void)
{
	struct peers *peers = mem_alloc(sizeof(*peers));

	peers->counts = map_new();
	return peers;
}

void peers_free(struct peers **peers)
{
	if (!*peers)
		return;
	map_free(&(*peers)->counts);
	free(*peers);
	*peers = NULL;
}

/* A prefix of IPv6 below 0:1::/32 is nobody's, so that the two kinds never meet. */
static uint64_t key_of_ipv4(const void *bytes)
{
	uint32_t address;

	memcpy(&address, bytes, sizeof(address));
	return UINT64_C(1) << 32 | ntohl(address);
}

static uint64_t key_of_ipv6(const struct in6_addr *address)
{
	uint64_t key = 0;

	if (IN6_IS_ADDR_V4MAPPED(address))
		return key_of_ipv4(address->s6_addr + 12);
	for (int i = 0; i < 8; i++)
		key = key << 8 | address->s6_addr[i];
	return key != 0 ? key : 1; /* ::1 is an address too */
}

uint64_t peers_key(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return key_of_ipv4(&((const struct sockaddr_in *)(const void *)address)->sin_addr);
	if (address->ss_family == AF_INET6)
		return key_of_ipv6(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
	return 0;
}

static uintptr_t count_of(const struct peers *peers, uint64_t key)
{
	return (uintptr_t)map_get(peers->counts, key);
}

bool peers_enter(struct peers *peers, uint64_t key, uint64_t most)
{
	uintptr_t count = count_of(peers, key);

	if (key == 0)
		return true;
	if (most > 0 && count >= most)
		return false;
	map_put(peers->counts, key, (void *)(count + 1));
	return true;
}

void peers_leave(struct peers *peers, uint64_t key)
{
	uintptr_t count = count_of(peers, key);

	if (count > 1)
		map_put(peers->counts, key, (void *)(count - 1));
	else
		map_remove(peers->counts, key);
}
