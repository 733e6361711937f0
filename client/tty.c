#include "config.h"

#include "client/tty.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "base/mem.h"
#include "client/charset.h"

#define LINE_MAX_TYPED 200

struct tty {
	struct termios before;
	struct termios raw;
	sigset_t mask; /* before */
	int signals;
};

bool tty_can(void)
{
	const char *kind = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && kind && *kind && strcmp(kind, "dumb") != 0;
}

static void write_all(struct str text)
{
	while (text.len > 0) {
		ssize_t written = write(STDOUT_FILENO, text.p, text.len);
		if (written < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (written > 0)
			text = (struct str){text.p + written, text.len - (size_t)written};
	}
}

void tty_write(const struct tty *tty, struct str text)
{
	char charset[CHARSET_NAME];
	struct buf out = {0};
	bool other = charset_of_terminal(charset);

	(void)tty;
	if (other)
		charset_put(text, charset, &out);
	write_all(other ? buf_view(&out) : text);
	buf_free(&out);
}

/* The other screen, so that what stood on this one comes back. */
static void enter(const struct tty *tty)
{
	tcsetattr(STDIN_FILENO, TCSADRAIN, &tty->raw);
	tty_write(tty, STR("\x1b[?1049h\x1b[?25l"));
}

static void leave(const struct tty *tty)
{
	tty_write(tty, STR("\x1b[0m\x1b[?25h\x1b[?1049l"));
	tcsetattr(STDIN_FILENO, TCSADRAIN, &tty->before);
}

struct tty *tty_open(void)
{
	static const int heard[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
	struct tty *tty = mem_alloc(sizeof(*tty));
	sigset_t wanted;

	sigemptyset(&wanted);
	for (size_t i = 0; i < ARRAY_LEN(heard); i++)
		sigaddset(&wanted, heard[i]);
	if (tcgetattr(STDIN_FILENO, &tty->before) < 0) {
		free(tty);
		return NULL;
	}
	sigprocmask(SIG_BLOCK, &wanted, &tty->mask);
	tty->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	tty->raw = tty->before;
	tty->raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	tty->raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
	tty->raw.c_cc[VMIN] = 1;
	tty->raw.c_cc[VTIME] = 0;
	enter(tty);
	return tty;
}

void tty_close(struct tty **tty)
{
	if (!*tty)
		return;
	leave(*tty);
	if ((*tty)->signals >= 0)
		close((*tty)->signals);
	sigprocmask(SIG_SETMASK, &(*tty)->mask, NULL);
	free(*tty);
	*tty = NULL;
}

void tty_size(const struct tty *tty, int *lines, int *columns)
{
	struct winsize size = {0};

	(void)tty;
	*lines = 24;
	*columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
		*lines = size.ws_row;
		*columns = size.ws_col;
	}
}

static int read_signal(const struct tty *tty)
{
	struct signalfd_siginfo info;

	if (read(tty->signals, &info, sizeof(info)) != sizeof(info))
		return TTY_NONE;
	return info.ssi_signo == SIGWINCH ? TTY_RESIZED : TTY_END;
}

/* A byte that has come, or comes at once; -1. */
static int more_bytes(int milliseconds)
{
	struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
	unsigned char byte;

	if (poll(&wait, 1, milliseconds) <= 0 || read(STDIN_FILENO, &byte, 1) != 1)
		return -1;
	return byte;
}

/* What keys with arrows send: ESC [ A, or ESC O A. All of a sequence is taken. */
static int escape_key(void)
{
	int byte = more_bytes(50);

	if (byte < 0)
		return TTY_ESCAPE;
	if (byte != '[' && byte != 'O')
		return TTY_NONE;
	do
		byte = more_bytes(50);
	while (byte >= 0 && byte < '@');
	return byte == 'A' ? TTY_UP : byte == 'B' ? TTY_DOWN : TTY_NONE;
}

static void stop(struct tty *tty)
{
	leave(tty);
	raise(SIGSTOP);
	enter(tty);
}

int tty_key(struct tty *tty)
{
	struct pollfd wait[2] = {
		{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = tty->signals, .events = POLLIN}};
	unsigned char byte;

	if (poll(wait, 2, -1) < 0)
		return TTY_NONE;
	if (wait[1].revents)
		return read_signal(tty);
	if (read(STDIN_FILENO, &byte, 1) != 1)
		return TTY_END;
	switch (byte) {
	case 3:  /* ctrl-C */
	case 4:  /* ctrl-D */
	case 28: /* ctrl-\ */
		return TTY_END;
	case 26: /* ctrl-Z */
		stop(tty);
		return TTY_RESIZED;
	case '\r':
		return '\n';
	case 27:
		return escape_key();
	default:
		return byte;
	}
}

bool tty_line(struct tty *tty, const char *prompt, struct buf *line)
{
	int key;

	tty_write(tty, str_of(prompt));
	tty_write(tty, STR("\x1b[?25h"));
	for (;;) {
		key = tty_key(tty);
		if (key == '\n' || key == TTY_END || key == TTY_ESCAPE)
			break;
		if ((key == 127 || key == 8) && line->len > 0) {
			line->len--;
			tty_write(tty, STR("\b \b"));
		} else if (key >= ' ' && key < 127 && line->len < LINE_MAX_TYPED) {
			buf_char(line, (char)key);
			tty_write(tty, (struct str){line->data + line->len - 1, 1});
		}
	}
	tty_write(tty, STR("\x1b[?25l"));
	return key == '\n' && line->len > 0;
}

/* Columns of the character that text begins with, and its bytes. */
static int width_of(struct str text, size_t *bytes)
{
	mbstate_t state = {0};
	wchar_t wide;
	size_t got = mbrtowc(&wide, text.p, text.len, &state);

	if (got == 0 || got > text.len) {
		*bytes = 1;
		return 1;
	}
	*bytes = got;
	return wcwidth(wide) < 0 ? 0 : wcwidth(wide);
}

static int columns_of(struct str text)
{
	int columns = 0;
	size_t bytes;

	for (; text.len > 0; text = (struct str){text.p + bytes, text.len - bytes})
		columns += width_of(text, &bytes);
	return columns;
}

void tty_cell(struct str text, int columns, struct buf *out)
{
	bool cut = columns_of(text) > columns;
	int room = cut ? columns - 1 : columns;

	while (text.len > 0) {
		size_t bytes;
		int width = width_of(text, &bytes);
		if (width > room)
			break;
		buf_append(out, text.p, bytes);
		room -= width;
		text = (struct str){text.p + bytes, text.len - bytes};
	}
	for (; room > 0; room--)
		buf_char(out, ' ');
	if (cut && columns > 0)
		buf_text(out, "…");
}
