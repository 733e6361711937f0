#ifndef CLIENT_TTY_H
#define CLIENT_TTY_H

#include "base/buf.h"

/*
 * A terminal on which single keys count. tty_close() puts it back as it was; so that this happens on every
 * end, signals that would end the program come as TTY_END, and ctrl-C and ctrl-D too. Ctrl-Z stops as usual.
 */
struct tty;

enum tty_key {
	TTY_END = 256, /* the person or the system wants it over */
	TTY_RESIZED,
	TTY_UP,
	TTY_DOWN,
	TTY_ESCAPE,
	TTY_NONE /* no key that means anything */
};

/* Whether standard input and output are a terminal that can do it. */
bool tty_can(void);
struct tty *tty_open(void); /* NULL: it cannot */
void tty_close(struct tty **tty);
void tty_size(const struct tty *tty, int *lines, int *columns);
int tty_key(struct tty *tty); /* a byte, or one of the above; waits */
void tty_write(const struct tty *tty, struct str text);
/* A line typed behind a prompt at the cursor. False: given up. */
bool tty_line(struct tty *tty, const char *prompt, struct buf *line);

/* Append text that is safe for a terminal in exactly so many columns: cut with "…", or filled with blanks. */
void tty_cell(struct str text, int columns, struct buf *out);

#endif
