#ifndef NETINFO_PREFIX_TABLE_H
#define NETINFO_PREFIX_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address as one number; IPv4 as IPv4-mapped IPv6 (RFC 4291 2.5.5.2). */
struct net_address {
	uint64_t high;
	uint64_t low;
};

struct net_info {
	uint32_t asn;    /* 0 unknown */
	char country[3]; /* ISO 3166, "" unknown */
};

/* Text to number; a prefix's "/len" is left out of the address. False if it is neither IPv4 nor IPv6. */
bool net_address_parse(const char *text, struct net_address *address);

/*
 * Lines "prefix,asn,country" (asn with or without "AS"; either may be empty; a first line without a prefix is
 * a heading; "#" comments). Nested prefixes are folded into disjoint ranges, so that the longest prefix wins
 * by one binary search. NULL: error says which line, and what was expected.
 */
struct prefix_table;

struct prefix_table *prefix_table_parse(const char *bytes, size_t len, char *error, size_t size);
void prefix_table_free(struct prefix_table *table);
bool prefix_table_find(const struct prefix_table *table, struct net_address address, struct net_info *info);

#endif
