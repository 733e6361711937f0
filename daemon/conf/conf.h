#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

#define CONF_LIST 16

/* An address list such as {"127.0.0.1:24", "[::1]:24", "/run/cirtd/lmtp.sock"}. */
struct conf_list {
	struct str values[CONF_LIST];
	size_t count;
};

#define CONF_PLUGIN_OPTIONS 32
struct conf_plugin_option {
	struct str plugin;
	struct str name;
	struct str value;
	int line; /* in the file; 0 in a slice */
};

/*
 * The whole configuration, or one room's slice of it: the same struct, where what the room may not see has
 * its default. Sizes in bytes, times in microseconds.
 */
struct conf {
	struct str path;  /* of the file it was read from */
	const int *lines; /* in that file, of each option as in conf_options; 0: at its default. NULL in a
	                     slice */
	/* general */
	struct str state; /* folder: spool/, postgres/, anchors/, secrets/ */
	struct str run;   /* folder for sockets */
	struct str user;  /* as root: prefix of the rooms' users ("cirtd-" → cirtd-intake …) */
	bool sandbox_relaxed;
	enum log_level log_level;
	struct str hostname;
	struct str node; /* name of this node among several */
	/* database */
	bool acknowledge; /* reply: people are told that their report has arrived */
	bool db_managed;
	bool db_migrate;             /* apply migrations at start */
	struct str db_conninfo;      /* not managed: libpq's, without user and password */
	struct str db_pgbin;         /* folder with postgres and initdb */
	struct str db_password_file; /* not managed: lines "role:password" */
	/* lmtp, smtp */
	struct conf_list lmtp_listen;
	struct conf_list smtp_listen;
	uint64_t mail_max_size;
	uint64_t mail_max_recipients;
	uint64_t mail_timeout;
	uint64_t mail_max_sessions;
	uint64_t mail_max_per_address; /* SMTP; 0: no limit */
	struct str mail_certificate;   /* PEM files, read by the supervisor; "" = no STARTTLS */
	struct str mail_key;
	/* reply */
	struct str reply_address;   /* "" = case@ and the hostname */
	struct str reply_tag;       /* "CIRT-XX" */
	uint64_t acknowledge_limit; /* of one sender and day */
	/* spam */
	struct conf_list spam_hops; /* names, addresses and prefixes of our own mail servers */
	uint64_t spam_sender;       /* mails of one sender in a window; 0 = no limit */
	uint64_t spam_domain;
	uint64_t spam_window;
	uint64_t spam_keep;
	/* sensor */
	struct conf_list sensor_listen;
	struct str sensor_certificate;
	struct str sensor_key;
	struct str sensor_ca;     /* who may issue client certificates */
	uint64_t sensor_max_line; /* over this a line goes to quarantine unparsed: 1 MB */
	uint64_t sensor_max_sessions;
	uint64_t sensor_max_per_source;  /* 0: no limit */
	uint64_t sensor_max_per_address; /* 0: no limit */
	uint64_t sensor_timeout;
	/* desk */
	struct str desk_socket;       /* "" = run/cirt.sock */
	struct conf_list desk_listen; /* of operators from elsewhere */
	struct str desk_certificate;
	struct str desk_key;
	struct str desk_ca; /* who may issue operators' certificates */
	struct conf_list
		desk_admin; /* Unix users who are admin from the start; root and our own user always are */
	/* spool */
	uint64_t spool_size;         /* live bytes */
	uint64_t spool_keep;         /* how long released entries stay */
	uint64_t spool_commit_delay; /* group commit waits at most this long */
	/* triage */
	uint64_t triage_workers;
	uint64_t triage_memory;   /* per worker */
	uint64_t triage_cpu;      /* per item, CPU time */
	uint64_t triage_wall;     /* per item, wall clock */
	uint64_t yara_timeout;    /* per part */
	struct str rules;         /* folder of *.yar, *.yara, *.rule */
	struct conf_list plugins; /* names to load, in this order */
	struct str plugin_dir;
	struct conf_plugin_option plugin_options[CONF_PLUGIN_OPTIONS]; /* plugin NAME { option = "value" } */
	size_t plugin_option_count;
	/* archive: of all archives in one mail */
	struct conf_list archive_passwords;
	uint64_t archive_max_depth;
	uint64_t archive_max_count;
	uint64_t archive_max_member;
	uint64_t archive_max_total;
	uint64_t archive_max_ratio;
	/* store */
	uint64_t store_batch;       /* reports per transaction at most */
	uint64_t store_connections; /* over which they land: 1 to 8 */
	uint64_t fold_max_age;
	uint64_t max_late; /* event times further back than this before receipt are clamped */
	/* keeper */
	uint64_t anchor_interval;
	uint64_t case_cap;         /* cases that may open by themselves per hour */
	uint64_t partitions_ahead; /* months */
	uint64_t retain;           /* reports, microseconds since receipt */
	/* clocks */
	struct str clock_zone;  /* of the tz database; "" = the machine's */
	struct str clock_hours; /* "Mon-Fri 09:00-17:00" */
	struct conf_list clock_holidays;
	struct str clock_regimes;
	struct str clock_playbooks;
	/* notices */
	struct str notices_at; /* "07:00", local time: when the day's mails are full */
	uint64_t notices_mass; /* more mails than this at once want two people */
	/* exchange */
	struct str exchange_ca;          /* PEM bundle to trust for feeds; "" = the system's */
	struct str exchange_certificate; /* PEM: what we show to feeds that ask who we are */
	struct str exchange_key;
	uint64_t feed_interval; /* default */
	uint64_t feed_max_size;
	uint64_t feed_timeout;   /* of one request */
	uint64_t feed_min_speed; /* bytes a second */
	uint64_t feed_pull_time; /* of all requests of a pull */
	uint64_t feed_item_patience;
	/* keys */
	bool keys_enabled;
	struct str keys_folder;   /* "" = state/keys */
	struct str keys_programs; /* folder with gpg and gpg-agent */
	struct str keys_passphrase_file;
	uint64_t keys_timeout;
	uint64_t keys_max_size; /* of what one part may become */
	uint64_t keys_memory;   /* RLIMIT_DATA */
	/* mail_out */
	struct str out_server; /* smtp://HOST[:PORT] or smtps://…; "" = nothing is sent */
	struct str out_user;
	struct str out_password_file;
	bool out_tls_off;
	bool notices_automatic; /* mails of notices go without a person's word */
	struct str out_ca;
	struct str out_from; /* "" = cirt@ and the hostname */
	struct str out_name;
	struct str out_bounce; /* "" = bounce@ and the domain of from */
	struct str out_templates;
	struct str out_pgp; /* fingerprint of the key that signs; "" = none */
	struct str out_smime;
	uint64_t out_connections;
	uint64_t out_timeout;
	uint64_t out_retry;
	uint64_t out_backoff;
	uint64_t out_zip_over;
	uint64_t out_max_size;
};

/* Rooms as bits, for who may see an option. Same order as enum room_id in ipc/graph.h. */
typedef uint32_t room_mask;

struct conf_option {
	const char *section; /* "" = top level */
	const char *name;
	enum conf_type {
		OPT_TEXT,
		OPT_PATH, /* absolute, or "" */
		OPT_BOOL,
		OPT_COUNT,
		OPT_SIZE,
		OPT_TIME,
		OPT_LIST,
		OPT_LISTEN, /* list of HOST:PORT, [HOST]:PORT or the absolute path of a Unix socket */
		OPT_LEVEL,
		OPT_CHOICE /* one of two words: false or true of a bool */
	} type;
	size_t offset; /* in struct conf */
	const char
		*fallback;   /* default, as it would be written; of a list: its values with a space between */
	uint64_t min, max;   /* OPT_COUNT, OPT_SIZE, OPT_TIME */
	const char *choices; /* OPT_CHOICE: "strict relaxed" */
	bool reload;         /* SIGHUP applies it; else it takes a restart */
	room_mask rooms;     /* who gets it in its slice */
	const char *help;
};

/* The one table: parser, `cirtd -t`, etc/cirtd.conf, the manual and the tests read it. Ends with name NULL.
 */
extern const struct conf_option conf_options[];

/* Every mistake found is given to `complain` as file, line, text that says what was expected. */
typedef void conf_complaint(const char *file, int line, const char *text, void *context);

/* Read and check a file; mistakes are told in the order of their lines. False if there was any. Strings live
 * in arena. */
bool conf_read(
	const char *path, struct arena *arena, conf_complaint *complain, void *context, struct conf *conf);
/* The line that set an option of what conf_read() read; 0: it is at its default. */
int conf_line(const struct conf *conf, const char *section, const char *name);
void conf_defaults(struct arena *arena, struct conf *conf);
/* Options changed between two configurations that a reload cannot apply, one call each (line 0). */
void conf_needs_restart(
	const struct conf *old, const struct conf *now, conf_complaint *complain, void *context);
/* What one room may see, and back. */
void conf_slice_encode(const struct conf *conf, room_mask room, struct buf *out);
bool conf_slice_decode(struct str bytes, struct arena *arena, struct conf *conf, struct err *err);
/* A commented file with every option at its default, as shipped in etc/cirtd.conf. */
void conf_print_sample(struct buf *out);

#endif
