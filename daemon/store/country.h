#ifndef STORE_COUNTRY_H
#define STORE_COUNTRY_H

#include "model/netaddr.h"

/*
 * In which country registries have delegated an address for use. Kept in memory, filled anew when a
 * registry's file is imported: at most a few hundred thousand prefixes of 24 bytes.
 */
struct countries;

struct countries *countries_new(void);
void countries_free(struct countries **countries);
/* country: two letters; others count for nothing. */
void countries_add(struct countries *countries, const struct netaddr *prefix, struct str country);
/* Once, after the last. */
void countries_settle(struct countries *countries);
/* By the longest prefix; STR_NONE where nobody has been given it. One search, whatever lengths there are. */
struct str country_of_address(const struct countries *countries, const struct netaddr *address);

#endif
