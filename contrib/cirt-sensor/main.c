/* cirt-sensor: send the lines of a file to cirtd's sensor door, each exactly once. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "courier.h"

enum { EXIT_SENT = 0, EXIT_NOT_SENT = 1, EXIT_USAGE = 2 };

#define SECONDS_MAX 86400

struct options {
	struct door_settings door;
	char *host;
	const char *file;
	const char *position;
	bool once;
	bool from_end;
	uint64_t timeout; /* seconds; 0: never */
	uint64_t retry;
};

struct option_row {
	char letter;
	const char *name;
	const char *argument; /* NULL: none */
	const char *text;
};

static const struct option_row rows[] = {
	{'c', "certificate", "PEM", "our certificate, with what leads to its issuer"},
	{'k', "key", "PEM", "its private key"},
	{'a', "ca", "PEM", "who may have issued the door's certificate"},
	{'n', "name", "NAME", "that the door's certificate must have (default: HOST)"},
	{'s', "state", "FILE", "where the position is kept (default: the file's name and .cirt-sensor)"},
	{'1', "once", NULL, "send up to the file's present end, and exit when all is acknowledged"},
	{'e', "from-end", NULL, "where there is no position yet: only what is written from now on"},
	{'t', "timeout", "SECONDS",
		"give up when nothing was acknowledged for so long (default: never; with --once 60)"},
	{'r', "retry", "SECONDS", "between two attempts to connect, at most (default 60)"},
	{'v', "verbose", NULL, "tell more"},
	{'q', "quiet", NULL, "tell errors only"},
	{'h', "help", NULL, "this"},
	{'V', "version", NULL, "which version it is"},
};

static volatile int stopping;

static void on_signal(int number)
{
	(void)number;
	stopping = 1;
}

static int usage(FILE *out, int code)
{
	fprintf(out, "usage: cirt-sensor [OPTION]... HOST:PORT FILE\n"
		     "Send the lines of FILE to cirtd's sensor door, each exactly once, and go on as it "
		     "grows.\n\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char left[40];
		snprintf(left, sizeof(left), "-%c, --%s%s%s", rows[i].letter, rows[i].name,
			rows[i].argument ? " " : "", rows[i].argument ? rows[i].argument : "");
		fprintf(out, "  %-26s %s\n", left, rows[i].text);
	}
	return code;
}

static bool seconds(const char *text, uint64_t *value)
{
	return str_to_u64(str_of(text), value) && *value <= SECONDS_MAX;
}

/* False: the option's value is none. *code: exit with it, unless -1. */
static bool take_option(struct options *options, int letter, const char *value, int *code)
{
	switch (letter) {
	case 'c':
		options->door.certificate = value;
		return true;
	case 'k':
		options->door.key = value;
		return true;
	case 'a':
		options->door.ca = value;
		return true;
	case 'n':
		options->door.name = value;
		return true;
	case 's':
		options->position = value;
		return true;
	case '1':
		options->once = true;
		return true;
	case 'e':
		options->from_end = true;
		return true;
	case 't':
		return seconds(value, &options->timeout);
	case 'r':
		return seconds(value, &options->retry) && options->retry > 0;
	case 'v':
		log_set_level(LOG_LEVEL_INFO);
		return true;
	case 'q':
		log_set_level(LOG_LEVEL_ERROR);
		return true;
	case 'h':
		*code = usage(stdout, EXIT_SENT);
		return true;
	case 'V':
		*code = printf("cirt-sensor %s\n", PACKAGE_VERSION) > 0 ? EXIT_SENT : EXIT_NOT_SENT;
		return true;
	default:
		return false;
	}
}

/* A number, or the name of a service, which getaddrinfo() knows. */
static bool is_port(const char *text)
{
	uint64_t number;

	if (text[strspn(text, "0123456789")] != '\0')
		return text[strcspn(text, " /[]")] == '\0';
	return str_to_u64(str_of(text), &number) && number >= 1 && number <= 65535;
}

/* "cirt.example:6514", "[2001:db8::1]:6514". */
static bool split_address(struct options *options, const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t len;

	if (!colon || colon == text || colon[1] == '\0')
		return false;
	options->door.port = colon + 1;
	if (!is_port(colon + 1))
		return false;
	len = (size_t)(colon - text);
	if (text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	} else if (memchr(text, ':', len)) {
		return false;
	}
	options->host = mem_strndup(text, len);
	options->door.host = options->host;
	return len > 0;
}

/* -1, or the exit where it can never be sent. One that is not there yet is waited for, but not with --once.
 */
static int check_file(const char *path, bool once)
{
	struct stat info;
	const char *why = NULL;

	if (stat(path, &info) != 0) {
		why = strerror(errno);
		if (errno == ENOENT && *path && !once) {
			log_warn("%s does not exist yet: it is waited for", path);
			return -1;
		}
	} else if (!S_ISREG(info.st_mode)) {
		why = "expected a file";
	} else if (access(path, R_OK) != 0) {
		why = strerror(errno);
	}
	if (!why)
		return -1;
	log_error("%s: %s", path, why);
	return EXIT_NOT_SENT;
}

/* Exits are -1 as long as there is something to do. */
static int parse(int argc, char **argv, struct options *options)
{
	struct option longs[ARRAY_LEN(rows) + 1] = {0};
	char shorts[2 * ARRAY_LEN(rows) + 1];
	size_t len = 0;
	int code = -1;
	int letter;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		longs[i] = (struct option){rows[i].name, rows[i].argument ? required_argument : no_argument,
			NULL, rows[i].letter};
		shorts[len++] = rows[i].letter;
		if (rows[i].argument)
			shorts[len++] = ':';
	}
	shorts[len] = '\0';
	while (code < 0 && (letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (letter == '?')
			return EXIT_USAGE;
		if (!take_option(options, letter, optarg, &code)) {
			fprintf(stderr, "cirt-sensor: -%c: expected a whole number of seconds, at most %d\n",
				letter, SECONDS_MAX);
			return EXIT_USAGE;
		}
	}
	if (code >= 0)
		return code;
	if (argc - optind != 2) {
		usage(stderr, EXIT_USAGE);
		fprintf(stderr, "\ncirt-sensor: expected HOST:PORT and FILE, got %d arguments\n",
			argc - optind);
		return EXIT_USAGE;
	}
	if (!split_address(options, argv[optind])) {
		fprintf(stderr,
			"cirt-sensor: \"%s\": expected HOST:PORT or [ADDRESS]:PORT, with a port of 1 to "
			"65535\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	options->file = argv[optind + 1];
	return check_file(options->file, options->once);
}

static int check(struct options *options)
{
	if (!options->door.certificate || !options->door.key || !options->door.ca) {
		fprintf(stderr,
			"cirt-sensor: --certificate, --key and --ca are needed: the door asks for them\n");
		return EXIT_USAGE;
	}
	if (!options->door.name)
		options->door.name = options->door.host;
	if (options->timeout == UINT64_MAX)
		options->timeout = options->once ? 60 : 0;
	return -1;
}

/* Two of them with one position would take the session from each other for ever. */
static bool lock(const char *position, int *fd, struct err *err)
{
	char *path = mem_printf("%s.lock", position);

	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd < 0)
		err_errno(err, "%s", path);
	else if (flock(*fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		err_set(err, ERR_CONFLICT, "another cirt-sensor works with %s", position);
	else
		err->code = ERR_NONE;
	free(path);
	return err->code == ERR_NONE;
}

static bool carry(const struct options *options, struct err *err)
{
	struct courier_settings settings = {.position = options->position,
		.retry_most = (int64_t)options->retry * CLOCK_SECOND,
		.give_up = (int64_t)options->timeout * CLOCK_SECOND,
		.stopping = &stopping};
	struct courier *courier = NULL;
	bool good;
	int held = -1;

	settings.door = door_factory_new(&options->door, err);
	settings.tail = tail_new(options->file, options->once);
	if (options->from_end)
		tail_from_end(settings.tail);
	good = settings.door && lock(options->position, &held, err);
	if (good) {
		courier = courier_new(&settings);
		good = courier_begin(courier, err) && courier_run(courier, err);
		log_info("%llu lines acknowledged", (unsigned long long)courier_acked(courier));
	}
	courier_free(&courier);
	tail_free(&settings.tail);
	door_factory_free(&settings.door);
	fd_close(&held);
	return good;
}

int main(int argc, char **argv)
{
	struct options options = {.timeout = UINT64_MAX, .retry = 60};
	struct sigaction action = {.sa_handler = on_signal};
	struct err err = {0};
	char *position = NULL;
	int code;

	log_open("cirt-sensor");
	log_set_level(LOG_LEVEL_WARN);
	code = parse(argc, argv, &options);
	if (code < 0)
		code = check(&options);
	if (code >= 0) {
		free(options.host);
		return code;
	}
	if (!options.position)
		options.position = position = mem_printf("%s.cirt-sensor", options.file);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	code = EXIT_SENT;
	if (!carry(&options, &err)) {
		log_error("%s", err.text);
		code = EXIT_NOT_SENT;
	} else if (options.once && stopping) {
		code = EXIT_NOT_SENT;
	}
	free(position);
	free(options.host);
	return code;
}
