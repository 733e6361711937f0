#include "config.h"

#include "base/log.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_SYSTEMD
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#endif

#include "base/buf.h"
#include "base/clock.h"

#define LOG_TEXT   2048 /* of a message or value, before escaping; longer ones are cut */
#define LOG_FIELDS 32
#define LOG_LEVELS 4

static const char *const level_names[LOG_LEVELS] = {"error", "warn", "info", "debug"};

static struct {
	char room[32];
	enum log_level level;
	bool journal;
	unsigned long counts[LOG_LEVELS];
} logger = {.room = "cirtd", .level = LOG_LEVEL_INFO};

/* What could steer a terminal or mislead a reader: controls, line separators, changes of writing direction.
 */
static bool is_dangerous(uint32_t c)
{
	return c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0x200e ||
	       c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void escape(struct buf *out, struct str text, bool quoted)
{
	bool cut = text.len > LOG_TEXT;
	text = utf8_cut(text, LOG_TEXT);
	while (text.len > 0) {
		uint32_t c = utf8_next(&text);
		if (c == '\n')
			buf_text(out, "\\n");
		else if (is_dangerous(c))
			buf_printf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
		else if (quoted && (c == '"' || c == '\\'))
			buf_printf(out, "\\%c", (char)c);
		else
			buf_utf8(out, c);
	}
	if (cut)
		buf_text(out, "...");
}

static bool is_bare(struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.p[i];
		if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return false;
	}
	return value.len > 0;
}

static void write_stderr(enum log_level level, const struct log_field *fields, size_t count, struct str text)
{
	struct buf line = {0};
	char now[CLOCK_TEXT];
	buf_printf(&line, "%s %s %s[%d]: ", clock_format(clock_now(), now), level_names[level], logger.room,
		(int)getpid());
	escape(&line, text, false);
	for (size_t i = 0; i < count; i++) {
		if (!fields[i].value)
			continue;
		struct str value = str_of(fields[i].value);
		bool bare = is_bare(value);
		buf_printf(&line, bare ? " %s=" : " %s=\"", fields[i].key);
		escape(&line, value, !bare);
		if (!bare)
			buf_char(&line, '"');
	}
	buf_char(&line, '\n');
	/* One write a line, so that lines of several rooms do not mix. A log that cannot be written is not an
	 * error. */
	ssize_t wrote = write(STDERR_FILENO, line.data, line.len);
	(void)wrote;
	buf_free(&line);
}

#ifdef HAVE_SYSTEMD
static const int priorities[LOG_LEVELS] = {3, 4, 6, 7}; /* of syslog */

static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat info;
	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &info) == 0 && info.st_dev == (dev_t)device &&
	       info.st_ino == (ino_t)inode;
}

static void journal_field(struct buf *out, const char *key, struct str value)
{
	buf_text(out, "CIRTD_");
	for (; *key; key++)
		buf_char(out, (char)toupper((unsigned char)*key));
	buf_char(out, '=');
	escape(out, value, false);
}

static void write_journal(enum log_level level, const struct log_field *fields, size_t count, struct str text)
{
	struct buf parts[LOG_FIELDS + 4] = {0};
	struct iovec vector[LOG_FIELDS + 4];
	size_t n = 0;
	buf_text(&parts[n], "MESSAGE=");
	escape(&parts[n++], text, false);
	buf_printf(&parts[n++], "PRIORITY=%d", priorities[level]);
	buf_text(&parts[n++], "SYSLOG_IDENTIFIER=cirtd");
	journal_field(&parts[n++], "room", str_of(logger.room));
	for (size_t i = 0; i < count && i < LOG_FIELDS; i++) {
		if (fields[i].value)
			journal_field(&parts[n++], fields[i].key, str_of(fields[i].value));
	}
	for (size_t i = 0; i < n; i++)
		vector[i] = (struct iovec){parts[i].data, parts[i].len};
	if (sd_journal_sendv(vector, (int)n) < 0)
		write_stderr(level, fields, count, text);
	for (size_t i = 0; i < n; i++)
		buf_free(&parts[i]);
}
#endif

void log_open(const char *room)
{
	snprintf(logger.room, sizeof(logger.room), "%s", room);
#ifdef HAVE_SYSTEMD
	logger.journal = stderr_is_journal();
	/* libsystemd opens its socket with the first message and keeps it: now, since a sandbox may not allow
	 * it later. */
	if (logger.journal)
		write_journal(LOG_LEVEL_DEBUG, NULL, 0, STR("log opened"));
#endif
}

void log_set_level(enum log_level level)
{
	logger.level = level;
}

bool log_level_parse(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < LOG_LEVELS; i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_enabled(enum log_level level)
{
	return level <= logger.level;
}

void log_write(enum log_level level, const struct log_field *fields, size_t count, const char *format, ...)
{
	if (!log_enabled(level))
		return;
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		return;
	logger.counts[level]++;
#ifdef HAVE_SYSTEMD
	if (logger.journal)
		write_journal(level, fields, count, (struct str){text, (size_t)len});
	else
#endif
		write_stderr(level, fields, count, (struct str){text, (size_t)len});
	free(text);
}

unsigned long log_count(enum log_level level)
{
	return logger.counts[level];
}
