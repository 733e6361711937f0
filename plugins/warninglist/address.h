#ifndef WARNINGLIST_ADDRESS_H
#define WARNINGLIST_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* An address or prefix as 16 bytes and how many bits of them hold; IPv4 as IPv4-mapped IPv6. */
#define ADDRESS_BITS 128u
struct address {
	unsigned char bytes[16];
	unsigned bits;
};

/* "192.0.2.0/24", "2001:db8::1", also in brackets; without a length all bits hold. */
bool address_parse(const char *text, size_t len, struct address *address);
/* Its first `bits` bits, the others zero. */
void address_cut(const struct address *address, unsigned bits, unsigned char bytes[16]);

#endif
