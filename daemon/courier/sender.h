#ifndef COURIER_SENDER_H
#define COURIER_SENDER_H

#include "base/err.h"
#include "base/str.h"
#include "proc/loop.h"

/*
 * One connection to the mail server, in a thread of its own: libcurl waits for the answer to a mail without
 * giving the loop back. One mail at a time; the connection stays for the next. Certificates are always
 * verified, and no proxy is taken from the environment.
 */
struct sender;

struct sender_settings {
	struct str server; /* smtp://HOST:PORT or smtps://… */
	struct str hello;  /* our name */
	struct str user;   /* "" : none is asked for */
	struct str password;
	struct str ca; /* PEM; "" = the system's */
	bool tls_off;
	int64_t timeout; /* microseconds for an answer */
};

struct sending {
	const char *from; /* of the envelope */
	const char *to;
	struct str bytes; /* lines ended by CRLF; the caller's, until done */
};

enum sending_outcome {
	SENDING_TAKEN,
	SENDING_LATER,   /* 4xx, or the server was not reached: nothing of it was taken */
	SENDING_REFUSED, /* 5xx: never */
	SENDING_UNKNOWN  /* all of it was given, and no answer came */
};

struct sending_result {
	enum sending_outcome outcome;
	bool address;   /* SENDING_REFUSED: it is the recipient that there is not */
	bool server;    /* SENDING_LATER: it is no matter of this mail: unreachable, certificate, password */
	char text[600]; /* what the server said, or what came instead; printable ASCII */
};

typedef void sender_done_fn(struct sender *sender, const struct sending_result *result, void *context);

struct sender *sender_new(struct loop *loop, sender_done_fn *done, void *context, struct err *err);
void sender_free(struct sender **sender); /* breaks off what is being sent, within a second */
bool sender_is_busy(const struct sender *sender);
/* Strings of settings are copied. The sender must not be busy; done() is called from the loop. */
void sender_start(
	struct sender *sender, const struct sender_settings *settings, const struct sending *sending);
/* The longest that a mail of this size may take: microseconds. */
int64_t sender_limit(int64_t timeout, size_t bytes);

#endif
