#include "config.h"

#include "courier.h"

#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define LOOK_EVERY    (CLOCK_SECOND / 5) /* at a file that does not grow */
#define SAVE_EVERY    (CLOCK_SECOND / 2)
#define OPEN_PATIENCE (15 * CLOCK_SECOND)
#define SKIP_PATIENCE (2 * TAIL_GRACE)
#define RETRY_LEAST   (CLOCK_SECOND / 4)

struct courier {
	struct courier_settings settings;
	struct position position;
	struct door *door;
	bool welcome;  /* the door has said what it has of the session */
	uint64_t skip; /* lines that it has, and that we have not read yet */
	int64_t skipping_since;
	size_t sent;      /* bytes of the window that this connection has been given */
	int64_t retry_at; /* monotonic */
	int64_t retry_in;
	int64_t heard_at; /* of the last acknowledgement */
	int64_t saved_at;
	bool unsaved;
	bool ended; /* once: all has been read and dropped */
	uint64_t begun_at;
};

struct courier *courier_new(const struct courier_settings *settings)
{
	struct courier *courier = mem_alloc(sizeof(*courier));

	courier->settings = *settings;
	courier->retry_in = RETRY_LEAST;
	return courier;
}

void courier_free(struct courier **courier)
{
	if (!*courier)
		return;
	door_close(&(*courier)->door);
	free(*courier);
	*courier = NULL;
}

uint64_t courier_acked(const struct courier *courier)
{
	return courier->position.acked - courier->begun_at;
}

static bool save(struct courier *courier, struct err *err)
{
	tail_position(courier->settings.tail, &courier->position);
	courier->unsaved = false;
	courier->saved_at = clock_monotonic();
	return position_save(courier->settings.position, &courier->position, err);
}

bool courier_begin(struct courier *courier, struct err *err)
{
	courier->heard_at = clock_monotonic();
	if (position_load(courier->settings.position, &courier->position, err)) {
		tail_resume(courier->settings.tail, &courier->position);
		courier->begun_at = courier->position.acked;
		return true;
	}
	if (err->code != ERR_NOTFOUND)
		return false;
	courier->position = (struct position){.acked = 0};
	uuid_random(courier->position.session);
	return true;
}

/* The door */

static void hang_up(struct courier *courier)
{
	door_close(&courier->door);
	courier->welcome = false;
	courier->skip = 0;
	courier->skipping_since = 0;
	courier->sent = 0;
}

/* Twice as long each time, and between half and all of it, so that many sensors do not come at once. */
static void retry_later(struct courier *courier, const struct err *why)
{
	uint32_t chance;

	hang_up(courier);
	random_bytes(&chance, sizeof(chance));
	courier->retry_at = clock_monotonic() + courier->retry_in / 2 +
	                    (int64_t)(chance % (uint64_t)(courier->retry_in / 2 + 1));
	log_warn("%s; again in %.1f s", why->text,
		(double)(courier->retry_at - clock_monotonic()) / (double)CLOCK_SECOND);
	courier->retry_in *= 2;
	if (courier->retry_in > courier->settings.retry_most)
		courier->retry_in = courier->settings.retry_most;
}

static void connect_if_due(struct courier *courier)
{
	struct err err;

	if (courier->door || clock_monotonic() < courier->retry_at)
		return;
	courier->door = door_open(courier->settings.door, courier->position.session, OPEN_PATIENCE, &err);
	if (courier->door)
		log_info("connected");
	else
		retry_later(courier, &err);
}

/* The door lost the session, or what it had of it: the lines from here on are another's. */
static bool begin_session(struct courier *courier, struct err *err)
{
	uint64_t before = courier_acked(courier);

	uuid_random(courier->position.session);
	courier->position.acked = 0;
	courier->begun_at = 0 - before;
	hang_up(courier);
	return save(courier, err);
}

static uint64_t drop(struct courier *courier, uint64_t lines)
{
	size_t bytes;
	uint64_t count = tail_drop(courier->settings.tail, lines, &bytes);

	courier->sent -= bytes < courier->sent ? bytes : courier->sent;
	courier->position.acked += count;
	courier->unsaved |= count > 0;
	return count;
}

static bool acknowledge(struct courier *courier, uint64_t ack, struct err *err)
{
	uint64_t lines = ack - courier->position.acked;

	if (ack < courier->position.acked) {
		log_warn("the door has %llu lines of the session, %llu were acknowledged: a new one begins",
			(unsigned long long)ack, (unsigned long long)courier->position.acked);
		return begin_session(courier, err);
	}
	if (!courier->welcome)
		courier->skip = lines;
	else if (drop(courier, lines) < lines)
		return err_set(err, ERR_MALFORMED, "the door acknowledges lines that were not sent");
	courier->welcome = true;
	courier->heard_at = clock_monotonic();
	courier->retry_in = RETRY_LEAST;
	return true;
}

/* Lines that the door has from an earlier connection are in the file that the position names, and nowhere
 * else. Where they are not, that file has lost them, and the count of the session no longer fits it. */
static bool skip_known(struct courier *courier, enum tail_step step, struct err *err)
{
	if (courier->skip > 0)
		courier->skip -= drop(courier, courier->skip);
	if (courier->skip == 0) {
		courier->skipping_since = 0;
		return step != TAIL_MOVED || save(courier, err);
	}
	if (courier->skipping_since == 0)
		courier->skipping_since = clock_monotonic();
	/* A last line without its end may take the tail's patience before it is one. */
	if (step == TAIL_MORE ||
		(step == TAIL_WAIT && clock_monotonic() - courier->skipping_since < SKIP_PATIENCE))
		return true;
	log_warn("the door has %llu lines more than the file: a new session begins",
		(unsigned long long)courier->skip);
	return begin_session(courier, err);
}

static bool talk(struct courier *courier, struct err *err)
{
	struct str window;
	bool heard;
	uint64_t ack;
	size_t written;
	struct err why;

	if (!courier->door)
		return true;
	if (!door_read(courier->door, &heard, &ack, &why)) {
		retry_later(courier, &why);
		return true;
	}
	if (heard && !acknowledge(courier, ack, err))
		return false;
	if (!courier->door || !courier->welcome || courier->skip > 0)
		return true;
	window = tail_window(courier->settings.tail);
	if (!door_write(courier->door, (struct str){window.p + courier->sent, window.len - courier->sent},
		    &written, &why))
		retry_later(courier, &why);
	else
		courier->sent += written;
	return true;
}

/* The file */

static bool read_file(struct courier *courier, enum tail_step *step, struct err *err)
{
	*step = tail_step(courier->settings.tail, clock_monotonic());
	courier->ended = *step == TAIL_END;
	return skip_known(courier, *step, err);
}

static void rest(struct courier *courier, enum tail_step step)
{
	struct str window = tail_window(courier->settings.tail);
	bool to_write = courier->welcome && courier->skip == 0 && courier->sent < window.len;

	if (step == TAIL_MORE || step == TAIL_MOVED)
		return;
	if (courier->door)
		door_wait(courier->door, to_write, LOOK_EVERY);
	else
		(void)poll(NULL, 0, (int)(LOOK_EVERY / 1000));
}

static bool is_given_up(const struct courier *courier, struct err *err)
{
	int64_t limit = courier->settings.give_up;

	if (limit == 0 || clock_monotonic() - courier->heard_at < limit)
		return false;
	err_set(err, ERR_AGAIN, "given up: nothing was acknowledged for %lld s",
		(long long)(limit / CLOCK_SECOND));
	return true;
}

bool courier_run(struct courier *courier, struct err *err)
{
	enum tail_step step;

	while (!*courier->settings.stopping && !courier->ended) {
		if (!read_file(courier, &step, err))
			return false;
		connect_if_due(courier);
		if (!talk(courier, err) || is_given_up(courier, err))
			return false;
		if (courier->unsaved && clock_monotonic() - courier->saved_at > SAVE_EVERY &&
			!save(courier, err))
			return false;
		if (!courier->ended)
			rest(courier, step);
	}
	return !courier->unsaved || save(courier, err);
}
