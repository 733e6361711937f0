#include "config.h"

#include "model/netaddr.h"

#include <arpa/inet.h>

static unsigned whole_bits(const struct netaddr *addr)
{
	return addr->family == 4 ? 32 : 128;
}

static void clear_host_bits(struct netaddr *addr)
{
	for (unsigned i = 0; i < sizeof(addr->bytes); i++) {
		unsigned kept = addr->bits > i * 8 ? addr->bits - i * 8 : 0;
		if (kept < 8)
			addr->bytes[i] = (uint8_t)(addr->bytes[i] & (0xff00u >> kept));
	}
}

/* ::ffff:192.0.2.1 says an IPv4 address (RFC 4291 section 2.5.5.2). */
static void unmap(struct netaddr *addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	if (addr->family != 6 || addr->bits < 96 || memcmp(addr->bytes, mapped, sizeof(mapped)) != 0)
		return;
	struct netaddr v4 = {.family = 4, .bits = (uint8_t)(addr->bits - 96)};
	memcpy(v4.bytes, addr->bytes + 12, 4);
	*addr = v4;
}

bool netaddr_parse(struct str text, struct netaddr *addr)
{
	char whole[INET6_ADDRSTRLEN];
	struct netaddr parsed = {0};
	struct str host;
	if (!str_split(&text, '/', &host) || host.len == 0 || host.len >= sizeof(whole) ||
		memchr(host.p, '\0', host.len))
		return false;
	memcpy(whole, host.p, host.len);
	whole[host.len] = '\0';
	parsed.family = strchr(whole, ':') ? 6 : 4;
	if (inet_pton(parsed.family == 6 ? AF_INET6 : AF_INET, whole, parsed.bytes) != 1)
		return false;
	uint64_t bits = whole_bits(&parsed);
	if (text.p && (text.len > 3 || !str_to_u64(text, &bits) || bits > whole_bits(&parsed)))
		return false;
	parsed.bits = (uint8_t)bits;
	unmap(&parsed);
	clear_host_bits(&parsed);
	*addr = parsed;
	return true;
}

/* Write a number under 1,000 and return where it ends. */
static char *put_decimal(char *at, unsigned value)
{
	if (value >= 100)
		*at++ = (char)('0' + value / 100);
	if (value >= 10)
		*at++ = (char)('0' + value / 10 % 10);
	*at++ = (char)('0' + value % 10);
	return at;
}

/* By hand: every report has several, and inet_ntop() prints each through a format string. */
static char *put_ipv4(char *at, const uint8_t bytes[4])
{
	for (size_t i = 0; i < 4; i++) {
		if (i > 0)
			*at++ = '.';
		at = put_decimal(at, bytes[i]);
	}
	return at;
}

const char *netaddr_format(const struct netaddr *addr, char text[NETADDR_TEXT])
{
	char *end = text;
	if (addr->family != 6)
		end = put_ipv4(text, addr->bytes);
	else if (inet_ntop(AF_INET6, addr->bytes, text, NETADDR_TEXT))
		end = text + strlen(text);
	if (addr->bits < whole_bits(addr)) {
		*end++ = '/';
		end = put_decimal(end, addr->bits);
	}
	*end = '\0';
	return text;
}

struct netaddr netaddr_prefix(const struct netaddr *addr, unsigned bits)
{
	struct netaddr prefix = *addr;
	if (bits < prefix.bits)
		prefix.bits = (uint8_t)bits;
	clear_host_bits(&prefix);
	return prefix;
}

bool netaddr_contains(const struct netaddr *prefix, const struct netaddr *addr)
{
	if (prefix->family != addr->family || prefix->bits > addr->bits)
		return false;
	struct netaddr cut = netaddr_prefix(addr, prefix->bits);
	return memcmp(cut.bytes, prefix->bytes, sizeof(cut.bytes)) == 0;
}

int netaddr_compare(const struct netaddr *a, const struct netaddr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	int order = memcmp(a->bytes, b->bytes, sizeof(a->bytes));
	return order ? order : (int)a->bits - (int)b->bits;
}
