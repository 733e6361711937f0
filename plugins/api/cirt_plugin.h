#ifndef CIRT_PLUGIN_H
#define CIRT_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

/*
 * The only header that a plugin includes. A plugin is one shared object (or built in) that exports one
 * descriptor:
 *
 *     CIRT_PLUGIN_EXPORT(netinfo) = { .abi = CIRT_PLUGIN_ABI, .name = "netinfo", … };
 *
 * It runs inside a triage worker: no network, no files, no exec, under a CPU and a wall clock limit per item.
 * A plugin that crashes or hangs costs the item in hand, which goes to quarantine with the plugin's name.
 * Files are opened before the sandbox by the host and given as bytes; a plugin never opens a path.
 */
#define CIRT_PLUGIN_ABI 2
/*
 * The number rises when something is added. What is there keeps its place and its meaning: members are only
 * ever appended to the structures that the host makes (struct cirt_api), so that the host takes every number
 * from CIRT_PLUGIN_ABI_OLDEST to its own, and a plugin that was compiled for an older one goes on working.
 * One that was compiled for a newer header is refused with both numbers. 2 added severity(), lower_severity()
 * and add_similarity().
 */
#define CIRT_PLUGIN_ABI_OLDEST 1

/* The descriptor's name: `cirt_plugin` in a shared object; one that is built in needs a name of its own. */
#ifdef CIRT_PLUGIN_BUILTIN
#define CIRT_PLUGIN_EXPORT(plugin)                            \
	extern const struct cirt_plugin cirt_plugin_##plugin; \
	const struct cirt_plugin cirt_plugin_##plugin
#else
#define CIRT_PLUGIN_EXPORT(plugin)                   \
	extern const struct cirt_plugin cirt_plugin; \
	const struct cirt_plugin cirt_plugin
#endif

struct cirt_host; /* the host's own */
struct cirt_item; /* the item in hand, valid during the hook */

enum cirt_stage {
	CIRT_STAGE_ITEM = 1, /* after observables are known, before YARA */
	CIRT_STAGE_PART = 2  /* for every decoded part with bytes */
};

struct cirt_observable {
	const char *type;  /* "ip", "name", "url", … */
	const char *role;  /* "source", "target", … */
	const char *value; /* normalised, UTF-8, NUL-terminated */
};

/* What the host offers. All strings are copied by the host. */
struct cirt_api {
	void (*log)(struct cirt_host *host, int level, const char *text); /* 0 error … 3 debug */
	const char *(*option)(struct cirt_host *host, const char *name);  /* NULL if not set */
	/* The bytes of a file that an option names; kept by the host for the life of the plugin. NULL if it
	 * has none. */
	const void *(*file)(struct cirt_host *host, const char *option, size_t *len);
	size_t (*observables)(const struct cirt_item *item);
	int (*observable)(
		const struct cirt_item *item, size_t index, struct cirt_observable *out); /* 0 = ok */
	const char *(*text)(const struct cirt_item *item, size_t *len); /* the item's plain text */
	const char *(*classification)(const struct cirt_item *item);    /* RSIT type */
	/* The part in hand, CIRT_STAGE_PART only. */
	const void *(*part)(
		const struct cirt_item *item, const char **name, const char **media_type, size_t *len);
	int (*add_observable)(struct cirt_item *item, const char *type, const char *role, const char *value);
	void (*set_asn)(struct cirt_item *item, uint32_t asn);
	void (*set_country)(struct cirt_item *item, const char *iso3166);
	void (*set_severity)(struct cirt_item *item, int severity);
	void (*add_tag)(struct cirt_item *item, const char *tag);
	void (*add_verdict)(struct cirt_item *item, const char *rule, const char *outcome);
	void (*add_note)(struct cirt_item *item, const char *note);
	/* ABI 2 */
	/* 0..100 as the sender or a plugin before this one stated it, else what reports of its type usually
	 * have; -1 unknown. */
	int (*severity)(const struct cirt_item *item);
	/* Never raises. The report gets a note that tells both numbers and the reason. A rule that matches
	 * afterwards may raise it again. */
	void (*lower_severity)(struct cirt_item *item, int severity, const char *reason);
	/* What near-duplicates of this item, or of the part in hand, are found by; never folds. kind: "text",
	 * 128 hex digits of which each eight are a band (two with an equal band are compared, the score is
	 * how many of the 64 pairs are equal); "file", an ssdeep digest. 0 = ok; else there are too many, or
	 * it is not of its kind. */
	int (*add_similarity)(struct cirt_item *item, const char *kind, const char *digest);
};

struct cirt_plugin_option {
	const char *name; /* under plugin NAME { … } in cirtd.conf */
	const char *help;
	/* The host opens it and gives its bytes by file(). Of a folder: those of all files in it and in its
	 * folders whose names end in .json, .csv or .txt, one after another by name, a line feed after each.
	 */
	int is_file;
};

struct cirt_plugin {
	uint32_t abi;     /* CIRT_PLUGIN_ABI as compiled */
	const char *name; /* a-z 0-9 - */
	const char *version;
	const char *summary;                      /* one line */
	unsigned stages;                          /* of enum cirt_stage */
	const struct cirt_plugin_option *options; /* ends with name NULL; may be NULL */
	/* 0 = ok; else the plugin is not used and `error` (size bytes) says why. */
	int (*init)(
		const struct cirt_api *api, struct cirt_host *host, void **state, char *error, size_t size);
	void (*fini)(void *state);
	/* 0 = ok; anything else is a note "plugin NAME: failed" on the report. */
	int (*hook)(const struct cirt_api *api, struct cirt_item *item, enum cirt_stage stage, void *state);
};

#endif
