#include "address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool parse_length(const char *text, unsigned most, unsigned *bits)
{
	char *end = NULL;
	unsigned long length;

	if (*text < '0' || *text > '9')
		return false;
	length = strtoul(text, &end, 10);
	if (*end || length > most)
		return false;
	*bits = (unsigned)length;
	return true;
}

bool address_parse(const char *text, size_t len, struct address *address)
{
	char host[64];
	char *slash;
	bool four;

	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(host) || memchr(text, '\0', len))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	slash = strchr(host, '/');
	if (slash)
		*slash = '\0';
	memset(address->bytes, 0, 10);
	memset(address->bytes + 10, 0xff, 2);
	four = inet_pton(AF_INET, host, address->bytes + 12) == 1;
	if (!four && inet_pton(AF_INET6, host, address->bytes) != 1)
		return false;
	address->bits = four ? 32 : ADDRESS_BITS;
	if (slash && !parse_length(slash + 1, address->bits, &address->bits))
		return false;
	if (four)
		address->bits += 96;
	return true;
}

void address_cut(const struct address *address, unsigned bits, unsigned char bytes[16])
{
	memset(bytes, 0, 16);
	memcpy(bytes, address->bytes, bits / 8);
	if (bits % 8)
		bytes[bits / 8] = (unsigned char)(address->bytes[bits / 8] & (0xff00u >> bits % 8));
}
