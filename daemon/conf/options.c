#include "config.h"

#include <stddef.h>

#include "base/clock.h"
#include "conf/conf.h"

/* Bits of enum room_id in ipc/graph.h, which stands above; a test holds them together. */
enum {
	SUPERVISOR = 1u << 0,
	INTAKE = 1u << 1,
	SPOOL = 1u << 2,
	TRIAGE = 1u << 3,
	STORE = 1u << 4,
	KEEPER = 1u << 5,
	DESK = 1u << 6,
	EXCHANGE = 1u << 7,
	KEYS = 1u << 8,
	COURIER = 1u << 9,
	EVERY = (1u << 10) - 1,
	DATABASE = SUPERVISOR | STORE | KEEPER | DESK | EXCHANGE | COURIER
};

#define KB     UINT64_C(1024)
#define MB     (KB * 1024)
#define GB     (MB * 1024)
#define TB     (GB * 1024)
#define MS     UINT64_C(1000)
#define SECOND ((uint64_t)CLOCK_SECOND)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    ((uint64_t)CLOCK_DAY)

#define AT(member) offsetof(struct conf, member)
#define RELOAD     true
#define RESTART    false

/* clang-format off */
const struct conf_option conf_options[] = {
	{"", "state", OPT_PATH, AT(state), CIRTD_STATEDIR, 0, 0, NULL, RESTART, EVERY,
		"Folder for all that must last: the spool, the managed database, anchors and secrets."},
	{"", "run", OPT_PATH, AT(run), "/run/cirtd", 0, 0, NULL, RESTART, EVERY,
		"Folder for sockets. Its path must be short: a socket's has at most 107 bytes."},
	{"", "sandbox", OPT_CHOICE, AT(sandbox_relaxed), "strict", 0, 0, "strict relaxed", RESTART, EVERY,
		"strict: a room that cannot enter its sandbox does not start. relaxed: it starts without Landlock where the "
		"kernel has none, and says so in the log each time."},
	{"", "user", OPT_TEXT, AT(user), "cirtd-", 0, 0, NULL, RESTART, EVERY,
		"Started as root: prefix of the rooms' system users, such as cirtd-intake. Else every room runs as who "
		"started cirtd."},
	{"", "log_level", OPT_LEVEL, AT(log_level), "info", 0, 0, NULL, RELOAD, EVERY,
		"error, warn, info or debug."},
	{"", "hostname", OPT_TEXT, AT(hostname), "", 0, 0, NULL, RESTART, EVERY,
		"Name for greetings and for what is sent. Empty: the machine's."},
	{"", "node", OPT_TEXT, AT(node), "", 0, 0, NULL, RESTART, EVERY,
		"Name of this node where several share one database. Empty: the hostname."},

	{"database", "managed", OPT_BOOL, AT(db_managed), "yes", 0, 0, NULL, RESTART, DATABASE,
		"yes: cirtd makes and runs a PostgreSQL of its own under the state folder, reachable by Unix socket only. "
		"no: use the server of conninfo."},
	{"database", "migrate", OPT_BOOL, AT(db_migrate), "yes", 0, 0, NULL, RESTART, SUPERVISOR,
		"Apply new migrations at start. no: only by cirtd migrate."},
	{"database", "conninfo", OPT_TEXT, AT(db_conninfo), "", 0, 0, NULL, RESTART, DATABASE,
		"Not managed: how to reach the server, as libpq has it, without user and password: "
		"host=a,b target_session_attrs=read-write dbname=cirt."},
	{"database", "password_file", OPT_PATH, AT(db_password_file), "", 0, 0, NULL, RESTART, SUPERVISOR,
		"Not managed: file with a line ROLE:PASSWORD for each of cirt_owner, cirt_store, cirt_keeper, cirt_desk, "
		"cirt_exchange and cirt_courier."},
	{"database", "programs", OPT_PATH, AT(db_pgbin), CIRTD_PGBINDIR, 0, 0, NULL, RESTART, SUPERVISOR,
		"Managed: folder with postgres, initdb and psql."},

	{"lmtp", "listen", OPT_LISTEN, AT(lmtp_listen), "", 0, 0, NULL, RESTART, SUPERVISOR | INTAKE,
		"Where mail comes in from a mail server of ours (RFC 2033), such as \"/run/cirtd/lmtp.sock\" or "
		"\"127.0.0.1:2424\". Never port 25. Empty: nowhere."},
	{"smtp", "listen", OPT_LISTEN, AT(smtp_listen), "", 0, 0, NULL, RESTART, SUPERVISOR | INTAKE,
		"Where mail comes in by SMTP. Empty: nowhere."},

	{"mail", "max_size", OPT_SIZE, AT(mail_max_size), "50M", 64 * KB, GB, NULL, RELOAD, INTAKE,
		"The largest mail that is taken, LMTP and SMTP alike."},
	{"mail", "max_recipients", OPT_COUNT, AT(mail_max_recipients), "100", 1, 10000, NULL, RELOAD, INTAKE,
		"Recipients of one mail."},
	{"mail", "timeout", OPT_TIME, AT(mail_timeout), "5m", SECOND, DAY, NULL, RELOAD, INTAKE,
		"How long a silent client is waited for."},
	{"mail", "max_sessions", OPT_COUNT, AT(mail_max_sessions), "200", 1, 100000, NULL, RELOAD, INTAKE,
		"Connections at once, a quarter of them for LMTP alone; more are told 421."},
	{"mail", "max_per_address", OPT_COUNT, AT(mail_max_per_address), "50", 0, 100000, NULL, RELOAD, INTAKE,
		"SMTP connections at once from one address (or IPv6 /64); LMTP comes from our own. 0: no limit."},
	{"mail", "certificate", OPT_PATH, AT(mail_certificate), "", 0, 0, NULL, RELOAD, SUPERVISOR,
		"PEM file with certificate and chain for STARTTLS. Empty: none is offered."},
	{"mail", "key", OPT_PATH, AT(mail_key), "", 0, 0, NULL, RELOAD, SUPERVISOR,
		"PEM file with its private key."},

	{"reply", "address", OPT_TEXT, AT(reply_address), "", 0, 0, NULL, RELOAD, DESK | STORE | COURIER,
		"Address to which replies in a case go, such as \"case@cirt.example\": each case has its own, "
		"case+2026-000412-SEAL@cirt.example, sealed so that nobody can guess another's. Empty: case@ and the hostname."},
	{"reply", "tag", OPT_TEXT, AT(reply_tag), "CIRT", 0, 0, NULL, RELOAD, DESK | STORE,
		"What our subject tags begin with: \"CIRT-XX\" for [CIRT-XX 2026-000412]. A tag with anything else is another "
		"team's."},
	{"reply", "acknowledge", OPT_BOOL, AT(acknowledge), "no", 0, 0, NULL, RELOAD, STORE | KEEPER,
		"Tell people that the mail in which they report something has arrived, and its number: only those whom their "
		"domain vouches for (DMARC, as spam.trusted_hops found out) or whom we know; no machine and no list. A mailbox may say otherwise: cirt "
		"source set report --acknowledge no."},
	{"reply", "acknowledge_limit", OPT_COUNT, AT(acknowledge_limit), "3", 1, 1000, NULL, RELOAD, KEEPER,
		"How many of these one sender gets in a day."},

	{"spam", "trusted_hops", OPT_LIST, AT(spam_hops), "", 0, 0, NULL, RELOAD, TRIAGE,
		"Our own mail servers, whose verdict on spam (rspamd, SpamAssassin) counts: names as they stand behind \"by\" in "
		"their Received fields, and addresses or prefixes from which they send. In text that quotes "
		"their header fields they are no indicators. Empty: no verdict counts."},
	{"spam", "sender_limit", OPT_COUNT, AT(spam_sender), "0", 0, 1000000, NULL, RELOAD, STORE,
		"More mails than this from one sender within the window are spam. 0: no limit."},
	{"spam", "domain_limit", OPT_COUNT, AT(spam_domain), "0", 0, 1000000, NULL, RELOAD, STORE,
		"The same for all senders of one domain together."},
	{"spam", "window", OPT_TIME, AT(spam_window), "1h", 60 * SECOND, 7 * DAY, NULL, RELOAD, STORE,
		"The window of both limits."},
	{"spam", "keep", OPT_TIME, AT(spam_keep), "30d", HOUR, 3660 * DAY, NULL, RELOAD, KEEPER,
		"How long spam is kept, to be searched, reviewed and rescued."},

	{"sensor", "listen", OPT_LISTEN, AT(sensor_listen), "", 0, 0, NULL, RESTART, SUPERVISOR | INTAKE,
		"Where sensors send lines over mutual TLS, such as \"[::]:6514\". Empty: nowhere."},
	{"sensor", "certificate", OPT_PATH, AT(sensor_certificate), "", 0, 0, NULL, RELOAD, SUPERVISOR,
		"PEM file with our certificate and chain."},
	{"sensor", "key", OPT_PATH, AT(sensor_key), "", 0, 0, NULL, RELOAD, SUPERVISOR,
		"PEM file with its private key."},
	{"sensor", "ca", OPT_PATH, AT(sensor_ca), "", 0, 0, NULL, RELOAD, SUPERVISOR,
		"PEM file with the authorities whose client certificates are taken."},
	{"sensor", "max_line", OPT_SIZE, AT(sensor_max_line), "1M", 4 * KB, 16 * MB, NULL, RELOAD, INTAKE | TRIAGE,
		"A longer line goes to quarantine unparsed."},
	{"sensor", "max_sessions", OPT_COUNT, AT(sensor_max_sessions), "1000", 1, 100000, NULL, RELOAD, INTAKE,
		"Connections at once."},
	{"sensor", "max_per_source", OPT_COUNT, AT(sensor_max_per_source), "100", 0, 100000, NULL, RELOAD, INTAKE,
		"Connections at once of one source, so that none takes all of the door. 0: no limit."},
	{"sensor", "max_per_address", OPT_COUNT, AT(sensor_max_per_address), "200", 0, 100000, NULL, RELOAD, INTAKE,
		"Connections at once from one address (or IPv6 /64), known or not. 0: no limit."},
	{"sensor", "timeout", OPT_TIME, AT(sensor_timeout), "1h", SECOND, 30 * DAY, NULL, RELOAD, INTAKE,
		"How long a silent sensor is kept connected."},

	{"desk", "socket", OPT_PATH, AT(desk_socket), "", 0, 0, NULL, RESTART, SUPERVISOR | DESK,
		"Socket for cirt. Empty: cirt.sock in the folder of run."},
	{"desk", "admin", OPT_LIST, AT(desk_admin), "", 0, 0, NULL, RELOAD, DESK,
		"Unix users who are admin from the start. root and the user of cirtd always are."},
	{"desk", "listen", OPT_LISTEN, AT(desk_listen), "", 0, 0, NULL, RESTART, SUPERVISOR | DESK,
		"Where operators come from elsewhere over mutual TLS, such as \"[::]:6515\". Empty: nowhere. Who that is, "
		"the public key of his certificate says: cirt operator set NAME --certificate FILE."},
	{"desk", "certificate", OPT_PATH, AT(desk_certificate), "", 0, 0, NULL, RELOAD, SUPERVISOR,
		"PEM file with our certificate and chain."},
	{"desk", "key", OPT_PATH, AT(desk_key), "", 0, 0, NULL, RELOAD, SUPERVISOR,
		"PEM file with its private key."},
	{"desk", "ca", OPT_PATH, AT(desk_ca), "", 0, 0, NULL, RELOAD, SUPERVISOR,
		"PEM file with the authorities whose certificates operators may come with."},

	{"spool", "size", OPT_SIZE, AT(spool_size), "4G", 16 * MB, 4 * TB, NULL, RESTART, SUPERVISOR | SPOOL,
		"Bytes that may wait. From 90 % on the doors close. The file may grow to three times this."},
	{"spool", "keep", OPT_TIME, AT(spool_keep), "15m", 0, 7 * DAY, NULL, RELOAD, SPOOL,
		"How long an entry stays after it landed, in case a failover of the database lost it."},
	{"spool", "commit_delay", OPT_TIME, AT(spool_commit_delay), "5ms", 0, SECOND, NULL, RELOAD, SPOOL,
		"How long a commit waits at most for others to share its fsync."},

	{"triage", "workers", OPT_COUNT, AT(triage_workers), "2", 1, 64, NULL, RESTART, SUPERVISOR | SPOOL,
		"Processes that read entries; at most one per core is of use."},
	{"triage", "memory", OPT_SIZE, AT(triage_memory), "512M", 64 * MB, 64 * GB, NULL, RELOAD, SUPERVISOR | TRIAGE,
		"Memory of one worker. An item that wants more goes to quarantine."},
	{"triage", "cpu", OPT_TIME, AT(triage_cpu), "10s", 100 * MS, HOUR, NULL, RELOAD, SUPERVISOR | TRIAGE,
		"CPU time that one item may cost."},
	{"triage", "wall", OPT_TIME, AT(triage_wall), "30s", SECOND, HOUR, NULL, RELOAD, SUPERVISOR | SPOOL | TRIAGE,
		"Time that one item may take by the clock."},
	{"triage", "yara_timeout", OPT_TIME, AT(yara_timeout), "10s", SECOND, HOUR, NULL, RELOAD, TRIAGE,
		"Time that YARA may take for one part."},
	{"triage", "rules", OPT_PATH, AT(rules), CIRTD_DATADIR "/rules.d", 0, 0, NULL, RELOAD,
		SUPERVISOR | TRIAGE | DESK, "Folder with YARA rules: *.yar, *.yara, *.rule."},
	{"triage", "plugins", OPT_LIST, AT(plugins), "", 0, 0, NULL, RELOAD, SUPERVISOR | TRIAGE | DESK,
		"Names of plugins to load, in the order in which they are asked, such as { netinfo, warninglist, lookalike, similar }. "
		"Their own options stand in a section each: plugin NAME { option = \"value\" }"},
	{"triage", "plugin_dir", OPT_PATH, AT(plugin_dir), CIRTD_PLUGINDIR, 0, 0, NULL, RELOAD, SUPERVISOR | TRIAGE,
		"Folder with plugins that are not built in."},

	{"archive", "passwords", OPT_LIST, AT(archive_passwords), "infected malware virus", 0, 0, NULL, RELOAD, TRIAGE,
		"Tried on encrypted archives in mails, in this order; then words of the mail that stand behind \"password\"."},
	{"archive", "max_depth", OPT_COUNT, AT(archive_max_depth), "4", 1, 20, NULL, RELOAD, TRIAGE,
		"Archives in archives that are opened."},
	{"archive", "max_members", OPT_COUNT, AT(archive_max_count), "1000", 1, 100000, NULL, RELOAD, TRIAGE,
		"Files that are taken out of all archives of one mail."},
	{"archive", "max_member", OPT_SIZE, AT(archive_max_member), "32M", 64 * KB, GB, NULL, RELOAD, TRIAGE,
		"Bytes of one of them."},
	{"archive", "max_total", OPT_SIZE, AT(archive_max_total), "64M", 64 * KB, 4 * GB, NULL, RELOAD, TRIAGE,
		"Bytes of all of them together. triage.memory must hold this beside the mail."},
	{"archive", "max_ratio", OPT_COUNT, AT(archive_max_ratio), "200", 2, 100000, NULL, RELOAD, TRIAGE,
		"How many times its size an archive may unpack to, above the first 4 MB."},

	{"store", "batch", OPT_COUNT, AT(store_batch), "4000", 1, 100000, NULL, RELOAD, STORE,
		"Reports that one transaction lands at most."},
	{"store", "connections", OPT_COUNT, AT(store_connections), "2", 1, 8, NULL, RESTART, STORE,
		"Connections over which reports land. The first lands whatever there is, the others help as soon as full "
		"batches wait."},

	{"fold", "max_age", OPT_TIME, AT(fold_max_age), "31d", DAY, 366 * DAY, NULL, RELOAD, STORE | KEEPER,
		"A report that is seen again and again is continued by a new one after this time."},
	{"fold", "max_late", OPT_TIME, AT(max_late), "30d", HOUR, 3660 * DAY, NULL, RELOAD, STORE,
		"An event time that lies further back than this is taken to be this long before receipt."},

	{"keeper", "anchor_interval", OPT_TIME, AT(anchor_interval), "5m", SECOND, DAY, NULL, RELOAD, KEEPER,
		"How often a signed root over the journal is written outside the database."},
	{"keeper", "case_cap", OPT_COUNT, AT(case_cap), "100", 1, 100000, NULL, RELOAD, KEEPER,
		"Cases that may open by themselves in an hour; then reports wait and the desk is warned."},
	{"keeper", "partitions_ahead", OPT_COUNT, AT(partitions_ahead), "3", 1, 24, NULL, RELOAD, KEEPER,
		"Months for which tables are made in advance."},
	{"keeper", "retain", OPT_TIME, AT(retain), "36500d", 180 * DAY, 36500 * DAY, NULL, RELOAD, KEEPER,
		"Reports go, a month at a time, when all of it was received so long ago, but for what is held: in a case, on hold, "
		"still seen, or kept longer by a row of the table retention_rule."},

	{"clocks", "time_zone", OPT_TEXT, AT(clock_zone), "", 0, 0, NULL, RELOAD, KEEPER,
		"The zone in which days, months and business hours are counted, such as Europe/Vienna. Empty: this machine's."},
	{"clocks", "hours", OPT_TEXT, AT(clock_hours), "Mon-Fri 09:00-17:00", 0, 0, NULL, RELOAD, SUPERVISOR | KEEPER,
		"Business hours, by which service clocks count: \"Mon-Thu 08:00-17:00, Fri 08:00-14:00\". Those of the law never stop."},
	{"clocks", "holidays", OPT_LIST, AT(clock_holidays), "", 0, 0, NULL, RELOAD, SUPERVISOR,
		"Files of days without business hours, one a line: \"2026-12-25 Christmas\", or \"12-25\" of every year."},
	{"clocks", "regimes", OPT_PATH, AT(clock_regimes), CIRTD_DATADIR "/regimes", 0, 0, NULL, RELOAD, SUPERVISOR,
		"Folder with the laws under which something is filed, NAME.conf each: cirt regime list."},
	{"clocks", "playbooks", OPT_PATH, AT(clock_playbooks), CIRTD_DATADIR "/playbooks", 0, 0, NULL, RELOAD, SUPERVISOR,
		"Folder with what cases begin with, NAME.conf each: cirt playbook list."},

	{"notices", "send", OPT_CHOICE, AT(notices_automatic), "by-hand", 0, 0, "by-hand automatic", RELOAD, KEEPER,
		"by-hand: mails of notices wait for cirt notice send. automatic: they go at the time of notices.at."},
	{"notices", "at", OPT_TEXT, AT(notices_at), "07:00", 0, 0, NULL, RELOAD, KEEPER,
		"Time of day, local, until which what goes to one contact is gathered in one mail: \"07:00\". One-shots go at once."},
	{"notices", "mass", OPT_COUNT, AT(notices_mass), "500", 1, 1000000, NULL, RELOAD, KEEPER | DESK,
		"More mails than this at once are let go by two people."},

	{"exchange", "ca", OPT_PATH, AT(exchange_ca), "", 0, 0, NULL, RELOAD, SUPERVISOR,
		"PEM file with the authorities to trust when feeds are pulled. Empty: the system's."},
	{"exchange", "certificate", OPT_PATH, AT(exchange_certificate), "", 0, 0, NULL, RELOAD, SUPERVISOR,
		"PEM file with our certificate and chain, shown to feeds whose auth is \"certificate\". Empty: none."},
	{"exchange", "key", OPT_PATH, AT(exchange_key), "", 0, 0, NULL, RELOAD, SUPERVISOR,
		"PEM file with its private key."},
	{"exchange", "feed_interval", OPT_TIME, AT(feed_interval), "15m", SECOND, 30 * DAY, NULL, RELOAD,
		EXCHANGE | DESK, "How often a feed is pulled that has no interval of its own."},
	{"exchange", "feed_max_size", OPT_SIZE, AT(feed_max_size), "256M", 64 * KB, 4 * GB, NULL, RELOAD, EXCHANGE,
		"The largest page that is taken."},
	{"exchange", "feed_timeout", OPT_TIME, AT(feed_timeout), "30m", SECOND, DAY, NULL, RELOAD, EXCHANGE,
		"How long one request to a feed may take in all."},
	{"exchange", "feed_min_speed", OPT_SIZE, AT(feed_min_speed), "100", 1, MB, NULL, RELOAD, EXCHANGE,
		"Bytes a second, over a minute, under which a request to a feed is given up."},
	{"exchange", "feed_pull_time", OPT_TIME, AT(feed_pull_time), "2h", SECOND, 7 * DAY, NULL, RELOAD, EXCHANGE,
		"How long one pull, all requests of it, may take: then others have their turn, and the next pull goes on."},
	{"exchange", "feed_item_patience", OPT_TIME, AT(feed_item_patience), "1d", SECOND, 30 * DAY, NULL, RELOAD,
		EXCHANGE, "How long an event or report file that cannot be had is asked for again, while the rest of its feed "
		"goes on. Then it is given up, with an alarm."},

	{"keys", "enabled", OPT_BOOL, AT(keys_enabled), "yes", 0, 0, NULL, RESTART, SUPERVISOR | TRIAGE | DESK | COURIER,
		"Whether encrypted mail is opened and signatures are checked, by a room of their own with a keyring of its "
		"own: cirt key list. no: such parts stay as they came."},
	{"keys", "folder", OPT_PATH, AT(keys_folder), "", 0, 0, NULL, RESTART, SUPERVISOR | KEYS,
		"Folder with the keyring, of the user of the room keys. Empty: keys in the folder of state."},
	{"keys", "programs", OPT_PATH, AT(keys_programs), "/usr/bin", 0, 0, NULL, RESTART, KEYS,
		"Folder with gpg and gpg-agent."},
	{"keys", "passphrase_file", OPT_PATH, AT(keys_passphrase_file), "", 0, 0, NULL, RELOAD, SUPERVISOR,
		"File with the passphrase of the keyring on its first line, for servers that start with nobody at hand. "
		"Empty: mail that needs it waits, sealed, until cirt key unlock."},
	{"keys", "timeout", OPT_TIME, AT(keys_timeout), "20s", SECOND, HOUR, NULL, RELOAD, KEYS | TRIAGE,
		"Time that one encrypted or signed part may take."},
	{"keys", "max_size", OPT_SIZE, AT(keys_max_size), "128M", 64 * KB, 4 * GB, NULL, RELOAD, KEYS,
		"The largest text that may come out of one encrypted part."},
	{"keys", "memory", OPT_SIZE, AT(keys_memory), "512M", 64 * MB, 64 * GB, NULL, RESTART, KEYS,
		"Memory of each process at work in the room."},
	{"mail_out", "server", OPT_TEXT, AT(out_server), "", 0, 0, NULL, RELOAD, SUPERVISOR | COURIER,
		"The mail server that takes what we send: \"smtp://mail.example:587\", with STARTTLS, or \"smtps://mail.example\". "
		"Empty: mails stay queued."},
	{"mail_out", "user", OPT_TEXT, AT(out_user), "", 0, 0, NULL, RELOAD, COURIER,
		"Who we are there. Empty: it does not ask."},
	{"mail_out", "password_file", OPT_PATH, AT(out_password_file), "", 0, 0, NULL, RELOAD, SUPERVISOR,
		"File with the password on its first line."},
	{"mail_out", "tls", OPT_CHOICE, AT(out_tls_off), "required", 0, 0, "required off", RELOAD, SUPERVISOR | COURIER,
		"required: no mail goes over a connection that is not encrypted, to a server whose certificate does not hold. "
		"off: smtp:// in the clear, for a server on this machine."},
	{"mail_out", "ca", OPT_PATH, AT(out_ca), "", 0, 0, NULL, RELOAD, SUPERVISOR,
		"PEM file with the authorities to trust there. Empty: the system's."},
	{"mail_out", "from", OPT_TEXT, AT(out_from), "", 0, 0, NULL, RELOAD, SUPERVISOR | COURIER | KEEPER | DESK,
		"Address in From, such as \"cirt@cirt.example\". Empty: cirt@ and the hostname."},
	{"mail_out", "name", OPT_TEXT, AT(out_name), "CIRT", 0, 0, NULL, RELOAD, DESK | COURIER,
		"Our name in From, in texts and in X-ARF."},
	{"mail_out", "bounce", OPT_TEXT, AT(out_bounce), "", 0, 0, NULL, RELOAD, COURIER,
		"Mailbox to which bounces go. Each mail has its own address there, bounce+N2026-000123-SEAL@cirt.example, as sender of "
		"the envelope. Empty: bounce@ and the domain of from."},
	{"mail_out", "templates", OPT_PATH, AT(out_templates), CIRTD_DATADIR "/templates", 0, 0, NULL, RELOAD,
		SUPERVISOR, "Folder with the texts of mails: LANGUAGE/KIND.txt and LANGUAGE/KIND-CLASS.txt."},
	{"mail_out", "pgp_key", OPT_TEXT, AT(out_pgp), "", 0, 0, NULL, RELOAD, DESK | COURIER,
		"Fingerprint of our OpenPGP key, which signs what is not signed by smime_key: cirt key list."},
	{"mail_out", "smime_key", OPT_TEXT, AT(out_smime), "", 0, 0, NULL, RELOAD, COURIER,
		"Fingerprint of our certificate, which signs what goes to people with certificates; and all in the clear, without "
		"pgp_key."},
	{"mail_out", "connections", OPT_COUNT, AT(out_connections), "2", 1, 16, NULL, RESTART, COURIER,
		"Mails that are sent at once."},
	{"mail_out", "timeout", OPT_TIME, AT(out_timeout), "5m", SECOND, HOUR, NULL, RELOAD, COURIER,
		"How long an answer of the server is waited for. Without one behind the last line of a mail nobody knows whether it "
		"was taken, and the same mail is sent again."},
	{"mail_out", "retry", OPT_TIME, AT(out_retry), "3d", SECOND, 60 * DAY, NULL, RELOAD, COURIER,
		"How long a mail that the server cannot take now is tried again, ever more seldom."},
	{"mail_out", "backoff", OPT_TIME, AT(out_backoff), "1m", 100 * MS, HOUR, NULL, RELOAD, COURIER,
		"How long it waits for its second attempt; then twice as long each time, up to an hour."},
	{"mail_out", "zip_over", OPT_SIZE, AT(out_zip_over), "256K", 0, GB, NULL, RELOAD, COURIER,
		"A larger table goes zipped."},
	{"mail_out", "max_size", OPT_SIZE, AT(out_max_size), "20M", 64 * KB, GB, NULL, RELOAD, COURIER,
		"The largest mail. One that would be larger is held."},
	{.name = NULL},
};
/* clang-format on */
