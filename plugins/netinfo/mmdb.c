#include "config.h"

#include "mmdb.h"

#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MARK     "\xab\xcd\xefMaxMind.com"
#define MARK_LEN (sizeof(MARK) - 1)
#define MARK_END 131072 /* the mark stands in the last 128 KB */

struct mmdb {
	MMDB_s db;
};

bool mmdb_is(const char *bytes, size_t len)
{
	size_t from = len > MARK_END ? len - MARK_END : 0;

	return len > MARK_LEN && memmem(bytes + from, len - from, MARK, MARK_LEN) != NULL;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t written = write(fd, bytes, len);
		if (written <= 0)
			return false;
		bytes += written;
		len -= (size_t)written;
	}
	return true;
}

struct mmdb *mmdb_open(const char *bytes, size_t len, char *error, size_t size)
{
	struct mmdb *mmdb = calloc(1, sizeof(*mmdb));
	int fd = memfd_create("netinfo", MFD_CLOEXEC);
	char path[64];
	int status = MMDB_OUT_OF_MEMORY_ERROR;

	if (mmdb && fd >= 0 && write_all(fd, bytes, len)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		status = MMDB_open(path, MMDB_MODE_MMAP, &mmdb->db);
	}
	if (fd >= 0)
		close(fd);
	if (status == MMDB_SUCCESS)
		return mmdb;
	snprintf(error, size, "not a MaxMind database: %s", MMDB_strerror(status));
	free(mmdb);
	return NULL;
}

void mmdb_close(struct mmdb *mmdb)
{
	if (!mmdb)
		return;
	MMDB_close(&mmdb->db);
	free(mmdb);
}

static void text_of(MMDB_entry_s *entry, const char *const *path, char *text, size_t size)
{
	MMDB_entry_data_s data;

	text[0] = '\0';
	if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data ||
		data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size >= size)
		return;
	memcpy(text, data.utf8_string, data.data_size);
	text[data.data_size] = '\0';
}

/* GeoLite2 and GeoIP2 call it autonomous_system_number, others asn. */
static uint32_t asn_of(MMDB_entry_s *entry)
{
	const char *const number[] = {"autonomous_system_number", NULL};
	const char *const name[] = {"asn", NULL};
	MMDB_entry_data_s data;
	char text[16];

	if (MMDB_aget_value(entry, &data, number) == MMDB_SUCCESS && data.has_data &&
		data.type == MMDB_DATA_TYPE_UINT32)
		return data.uint32;
	text_of(entry, name, text, sizeof(text));
	return (uint32_t)strtoul(strncmp(text, "AS", 2) == 0 ? text + 2 : text, NULL, 10);
}

static void country_of(MMDB_entry_s *entry, char country[3])
{
	static const char *const paths[][3] = {{"country", "iso_code", NULL}, {"country_code", NULL},
		{"country", NULL}, {"registered_country", "iso_code", NULL}};
	char text[3] = "";

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && text[0] == '\0'; i++)
		text_of(entry, paths[i], text, sizeof(text));
	memcpy(country, text, sizeof(text));
}

static void address_bytes(struct net_address address, unsigned char bytes[16])
{
	for (int i = 0; i < 8; i++) {
		bytes[i] = (unsigned char)(address.high >> (56 - 8 * i));
		bytes[8 + i] = (unsigned char)(address.low >> (56 - 8 * i));
	}
}

bool mmdb_find(const struct mmdb *mmdb, struct net_address address, struct net_info *info)
{
	bool four = address.high == 0 && address.low >> 32 == 0xffff;
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};
	MMDB_lookup_result_s found;
	int error = 0;

	if (four)
		in.sin_addr.s_addr = htonl((uint32_t)address.low);
	else
		address_bytes(address, six.sin6_addr.s6_addr);
	found = MMDB_lookup_sockaddr(
		&mmdb->db, four ? (struct sockaddr *)&in : (struct sockaddr *)&six, &error);
	if (error != MMDB_SUCCESS || !found.found_entry)
		return false;
	info->asn = asn_of(&found.entry);
	country_of(&found.entry, info->country);
	return info->asn != 0 || info->country[0] != '\0';
}
