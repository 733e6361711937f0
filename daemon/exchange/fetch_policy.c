#include "exchange/fetch_policy.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define RETRY_AFTER_MAX CLOCK_DAY
#define DATE_MAX        64 /* an HTTP date has 29 */

struct block {
	uint32_t prefix;
	unsigned bits;
};

/* RFC 6890 and its successors: what is not global unicast. */
static const struct block inside[] = {
	{0x00000000, 8},  /* this network */
	{0x0a000000, 8},  /* private */
	{0x64400000, 10}, /* shared */
	{0x7f000000, 8},  /* loopback */
	{0xa9fe0000, 16}, /* link-local */
	{0xac100000, 12}, /* private */
	{0xc0000000, 24}, /* protocol assignments */
	{0xc0a80000, 16}, /* private */
	{0xc6120000, 15}, /* benchmarking */
	{0xe0000000, 4},  /* multicast */
	{0xf0000000, 4},  /* reserved, broadcast */
};

static bool ipv4_is_public(uint32_t address)
{
	for (size_t i = 0; i < ARRAY_LEN(inside); i++)
		if ((address ^ inside[i].prefix) >> (32 - inside[i].bits) == 0)
			return false;
	return true;
}

static uint32_t ipv4_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool ipv6_is_public(const uint8_t bytes[16])
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

	if (memcmp(bytes, nat64, sizeof(nat64)) == 0)
		return ipv4_is_public(ipv4_at(bytes + 12));
	if (bytes[0] == 0x20 && bytes[1] == 0x02) /* 6to4 */
		return ipv4_is_public(ipv4_at(bytes + 2));
	/* Global unicast is 2000::/3; of it Teredo (2001::/32) hides an address too. */
	return (bytes[0] & 0xe0) == 0x20 &&
	       !(bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0 && bytes[3] == 0);
}

static const uint8_t *ipv6_bytes(const struct sockaddr *address)
{
	return ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr;
}

static uint32_t ipv4_number(const struct sockaddr *address)
{
	return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr);
}

bool address_is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ipv4_number(address) >> 24 == 127;
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

bool address_is_public(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ipv4_is_public(ipv4_number(address));
	return address->sa_family == AF_INET6 && ipv6_is_public(ipv6_bytes(address));
}

static char *url_part(CURLU *parts, CURLUPart what, unsigned flags)
{
	char *text = NULL;

	return curl_url_get(parts, what, &text, flags) == CURLUE_OK ? text : NULL;
}

bool url_check(const char *url, bool *plain, struct err *err)
{
	CURLU *parts = curl_url();
	char *scheme = NULL;
	bool good;

	if (parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK)
		scheme = url_part(parts, CURLUPART_SCHEME, 0);
	*plain = scheme && strcmp(scheme, "http") == 0;
	good = *plain || (scheme && strcmp(scheme, "https") == 0);
	curl_free(scheme);
	curl_url_cleanup(parts);
	return good || err_set(err, ERR_MALFORMED, "expected an https URL");
}

bool url_same_origin(const char *a, const char *b)
{
	static const CURLUPart what[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
	CURLU *left = curl_url();
	CURLU *right = curl_url();
	bool same = left && right && curl_url_set(left, CURLUPART_URL, a, 0) == CURLUE_OK &&
	            curl_url_set(right, CURLUPART_URL, b, 0) == CURLUE_OK;

	for (size_t i = 0; same && i < ARRAY_LEN(what); i++) {
		char *one = url_part(left, what[i], CURLU_DEFAULT_PORT);
		char *other = url_part(right, what[i], CURLU_DEFAULT_PORT);

		same = one && other && str_equal_nocase(str_of(one), str_of(other));
		curl_free(one);
		curl_free(other);
	}
	curl_url_cleanup(left);
	curl_url_cleanup(right);
	return same;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_number(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	return text.len > 0;
}

static int64_t bounded(int64_t wait)
{
	if (wait < 0)
		return 0;
	return wait > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : wait;
}

int64_t retry_after_parse(struct str value, int64_t now)
{
	uint64_t seconds;
	char date[DATE_MAX];
	time_t when;

	if (is_number(value)) {
		/* More digits than a number has are more seconds than we wait. */
		bool small = str_to_u64(value, &seconds) && seconds < RETRY_AFTER_MAX / CLOCK_SECOND;

		return small ? (int64_t)seconds * CLOCK_SECOND : RETRY_AFTER_MAX;
	}
	/* curl takes bare numbers and signs for dates; no HTTP date begins with one. */
	if (value.len == 0 || value.len >= sizeof(date) || !is_letter(value.p[0]))
		return -1;
	memcpy(date, value.p, value.len);
	date[value.len] = '\0';
	when = curl_getdate(date, NULL);
	if (when < 0)
		return -1;
	if (when > (INT64_MAX - CLOCK_DAY) / CLOCK_SECOND)
		return RETRY_AFTER_MAX;
	return bounded((int64_t)when * CLOCK_SECOND - now);
}
