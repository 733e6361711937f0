#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The one global. Lines go to stderr as `TIME LEVEL room[pid]: text key=value …`, or, where stderr is the
 * journal, to journald with each field as CIRTD_KEY. Values from outside are escaped: control characters,
 * terminal escapes and bytes that are not UTF-8 never get out raw.
 */
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_field {
	const char *key;   /* lower case and underscores */
	const char *value; /* NULL is left out */
};

void log_open(const char *room); /* before the sandbox; room is copied */
void log_set_level(enum log_level level);
bool log_level_parse(const char *name, enum log_level *level);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const struct log_field *fields, size_t count, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
unsigned long log_count(enum log_level level); /* lines written so far, for the counters */

/* log_warn("text %d", n)   and   log_warn_f(LOG_F({"source", name}, {"peer", addr}), "text %d", n) */
#define LOG_F(...)                               \
	(const struct log_field[]){__VA_ARGS__}, \
		sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)
#define log_error(...)   log_write(LOG_LEVEL_ERROR, NULL, 0, __VA_ARGS__)
#define log_warn(...)    log_write(LOG_LEVEL_WARN, NULL, 0, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, NULL, 0, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, NULL, 0, __VA_ARGS__)
#define log_error_f(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn_f(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info_f(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug_f(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
