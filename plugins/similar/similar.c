/*
 * similar: digests of texts and attachments by which near-duplicates are found. See similar.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fuzzy.h>

#include "cirt_plugin.h"
#include "minhash.h"

/* ssdeep of less says nothing, of more costs too much of the item's time. */
#define FILE_LEAST 512
#define FILE_MOST  (32u << 20)

static const struct cirt_plugin_option options[] = {
	{"texts", "yes (default) or no: digests of texts", 0},
	{"files", "yes (default) or no: digests of attachments", 0},
	{NULL, NULL, 0},
};

struct similar {
	int texts;
	int files;
};

static int take_switch(const struct cirt_api *api, struct cirt_host *host, const char *option, int *value,
	char *error, size_t size)
{
	const char *text = api->option(host, option);

	*value = !text || strcmp(text, "yes") == 0;
	if (*value || strcmp(text, "no") == 0)
		return 0;
	snprintf(error, size, "option %s: expected yes or no", option);
	return -1;
}

static int init(const struct cirt_api *api, struct cirt_host *host, void **state, char *error, size_t size)
{
	struct similar *similar = calloc(1, sizeof(*similar));

	if (!similar || take_switch(api, host, "texts", &similar->texts, error, size) != 0 ||
		take_switch(api, host, "files", &similar->files, error, size) != 0) {
		free(similar);
		return -1;
	}
	*state = similar;
	return 0;
}

/* A text is compared as such; pictures are mostly the same logo in many signatures; JSON is what sensors
 * send. */
static int is_file(const char *media_type)
{
	static const char *const others[] = {"text/", "image/", "message/", "multipart/", "application/json"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strncmp(media_type, others[i], strlen(others[i])) == 0)
			return 0;
	return 1;
}

static int digest_part(const struct cirt_api *api, struct cirt_item *item)
{
	const char *name, *media_type;
	char digest[FUZZY_MAX_RESULT];
	size_t len = 0;
	const void *bytes = api->part(item, &name, &media_type, &len);

	if (!bytes || len < FILE_LEAST || len > FILE_MOST || !is_file(media_type))
		return 0;
	if (fuzzy_hash_buf(bytes, (uint32_t)len, digest) != 0)
		return -1;
	/* One file too many is no failure. */
	(void)api->add_similarity(item, "file", digest);
	return 0;
}

static int digest_text(const struct cirt_api *api, struct cirt_item *item)
{
	char digest[MINHASH_TEXT];
	size_t len = 0;
	const char *text = api->text(item, &len);

	if (text && minhash(text, len, digest) == 0)
		(void)api->add_similarity(item, "text", digest);
	return 0;
}

static int hook(const struct cirt_api *api, struct cirt_item *item, enum cirt_stage stage, void *state)
{
	const struct similar *similar = state;

	if (stage == CIRT_STAGE_PART)
		return similar->files ? digest_part(api, item) : 0;
	return similar->texts ? digest_text(api, item) : 0;
}

CIRT_PLUGIN_EXPORT(similar) = {
	.abi = CIRT_PLUGIN_ABI,
	.name = "similar",
	.version = "1",
	.summary = "digests by which near-duplicate texts and attachments are linked",
	.stages = CIRT_STAGE_ITEM | CIRT_STAGE_PART,
	.options = options,
	.init = init,
	.fini = free,
	.hook = hook,
};
