#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A mistake must say what was expected, in a line that the file has. */
static void complain(const char *file, int line, const char *text, void *context)
{
	int *lines = context;

	if (!file || !*text || line < 0 || line > *lines + 1)
		abort();
}

static void read_file(struct str text, struct arena *arena)
{
	int fd = memfd_create("conf", MFD_CLOEXEC);
	struct conf conf;
	char path[64];
	int lines = 0;

	if (fd < 0 || write(fd, text.p, text.len) != (ssize_t)text.len)
		abort();
	for (size_t i = 0; i < text.len; i++)
		lines += text.p[i] == '\n';
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	conf_read(path, arena, complain, &lines, &conf);
	close(fd);
}

/* First byte: a configuration file, or the slice of it that a room is sent. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(65536);
	struct conf conf;
	struct str body = {(const char *)data + 1, size - 1};

	if (size > 0 && data[0] & 1)
		read_file(body, arena);
	else if (size > 0)
		conf_slice_decode(body, arena, &conf, NULL);
	arena_free(&arena);
	return 0;
}
