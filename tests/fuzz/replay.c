/* main() of a fuzz target that is built without libFuzzer: replays the target's corpus. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUTS      512
#define MUTATIONS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t runs;

/* Exactly sized, so that a sanitizer sees the first byte read too far. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	runs++;
}

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A few bytes changed, always the same ones for the same file. */
static void run_changed(const uint8_t *data, size_t size)
{
	static const uint8_t special[] = {0, 0xff, '\n', '"', '[', '{', '\\', '=', '-', ':', ' ', 0x80};
	uint64_t state = 0x9e3779b97f4a7c15u ^ size;
	uint8_t *copy = malloc(size);

	if (!copy)
		abort();
	for (int i = 0; i < MUTATIONS; i++) {
		memcpy(copy, data, size);
		for (uint64_t n = 1 + random_next(&state) % 4; n > 0; n--) {
			uint64_t value = random_next(&state);
			copy[random_next(&state) % size] =
				value & 1 ? special[(value >> 8) % sizeof(special)] : (uint8_t)(value >> 8);
		}
		run(copy, size);
	}
	free(copy);
}

static uint8_t *load(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t got;

	*size = 0;
	if (!file)
		return NULL;
	do {
		uint8_t *more = realloc(data, *size + 65536);
		if (!more)
			abort();
		data = more;
		got = fread(data + *size, 1, 65536, file);
		*size += got;
	} while (got > 0);
	fclose(file);
	return data;
}

static int replay_file(const char *path, int thoroughly)
{
	size_t size;
	uint8_t *data = load(path, &size);

	if (!data) {
		fprintf(stderr, "replay: cannot read %s\n", path);
		return 1;
	}
	run(data, size);
	if (thoroughly && size > 0) {
		size_t step = size > CUTS ? size / CUTS : 1;
		for (size_t cut = 0; cut < size; cut += step)
			run(data, cut);
		run_changed(data, size);
	}
	free(data);
	return 0;
}

static int replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int failed = 0, files = 0;

	if (!dir) {
		fprintf(stderr, "replay: no corpus %s\n", folder);
		return 1;
	}
	while ((entry = readdir(dir))) {
		char path[4096];
		if (entry->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= sizeof(path))
			continue;
		failed |= replay_file(path, 1);
		files++;
	}
	closedir(dir);
	printf("%s: %d files, %zu runs\n", folder, files, runs);
	return failed || files == 0;
}

int main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir");
	const char *name = strrchr(argv[0], '/');
	char folder[4096];

	if (argc > 1) {
		int failed = 0;
		for (int i = 1; i < argc; i++)
			failed |= replay_file(argv[i], 0);
		return failed;
	}
	name = name ? name + 1 : argv[0];
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", top ? top : ".", name);
	return replay_folder(folder);
}
