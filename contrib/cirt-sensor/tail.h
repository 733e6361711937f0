#ifndef CIRT_SENSOR_TAIL_H
#define CIRT_SENSOR_TAIL_H

#include "base/buf.h"
#include "position.h"

/*
 * A file that grows, as whole lines, through every rotation: renamed (what is left of the old file is read
 * first, wherever in its folder it is now) or copied and truncated (what was written in between is read from
 * the copy). A last line without its end waits for it, until the file is over: then it is a line too.
 *
 * Lines that have been read wait in the window until they are dropped, which is when the door has
 * acknowledged them. The next file is opened only when the window is empty, so that a position never lies in
 * two files.
 */
struct tail;

enum tail_step {
	TAIL_MORE,  /* something was read: step again */
	TAIL_WAIT,  /* nothing new */
	TAIL_MOVED, /* another file was opened: its position must be saved before any of it is sent */
	TAIL_END    /* once: all has been read, and dropped */
};

#define TAIL_WINDOW (4u << 20)             /* bytes that wait, about */
#define TAIL_GRACE  (2 * INT64_C(1000000)) /* a renamed file may still be written to */

/* once: up to the present end of the file at path; what a rotation left behind of the file before it comes
 * first. */
struct tail *tail_new(const char *path, bool once);
void tail_free(struct tail **tail);
/* Go on behind a position. What cannot be found any more is told in the log, and the file at path is begun.
 * from_end: where there is no position, only what is written from now on. */
void tail_resume(struct tail *tail, const struct position *position);
void tail_from_end(struct tail *tail);
enum tail_step tail_step(struct tail *tail, int64_t now); /* now: clock_monotonic() */
struct str tail_window(const struct tail *tail);          /* whole lines */
/* The first `lines` of the window are durable; returns how many there were, and their bytes in *bytes. */
uint64_t tail_drop(struct tail *tail, uint64_t lines, size_t *bytes);
void tail_position(const struct tail *tail, struct position *position); /* all but session and acked */

#endif
