#include "config.h"

#include "wire/lineframe.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "base/mem.h"
#include "wire/syslog.h"

/* A hello is short; a longer first line is a line. */
#define HELLO_MAX 512

struct lineframe {
	size_t max_line;
	enum lineframe_framing framing;
	bool started;        /* the first line is behind us */
	bool in_long;        /* between LONG_BEGIN and LONG_END */
	size_t scanned;      /* bytes of the input known to hold no LF behind `whole` */
	size_t whole;        /* bytes of the input up to and with its last LF */
	size_t consume;      /* given by the last step */
	uint64_t long_given; /* of the long line */
	uint64_t left_out;
	size_t long_left; /* RFC 5425: bytes of the long frame still to come */
	struct buf lines; /* RFC 5425: MSGs as lines */
};

struct lineframe *lineframe_new(size_t max_line)
{
	struct lineframe *frame = mem_alloc(sizeof(*frame));

	frame->max_line = max_line;
	return frame;
}

void lineframe_free(struct lineframe **frame)
{
	if (!*frame)
		return;
	buf_free(&(*frame)->lines);
	free(*frame);
	*frame = NULL;
}

enum lineframe_framing lineframe_framing(const struct lineframe *frame)
{
	return frame->framing;
}

/* {"hello":{"session":"UUID"}} and nothing else. 1: it is; 0: a line like any other; -1: a hello that is
 * wrong. */
static int hello_read(struct str line, uint8_t session[UUID_LEN])
{
	struct json_tokener *tokener;
	struct json_object *root;
	struct json_object *hello = NULL;
	struct json_object *value = NULL;
	int found = 0;

	if (line.len > HELLO_MAX || !memmem(line.p, line.len, "\"hello\"", 7))
		return 0;
	tokener = json_tokener_new_ex(4);
	root = json_tokener_parse_ex(tokener, line.p, (int)line.len);
	if (json_object_is_type(root, json_type_object) && json_object_object_get_ex(root, "hello", &hello)) {
		found = -1;
		if (json_object_object_get_ex(hello, "session", &value) &&
			json_object_is_type(value, json_type_string) &&
			uuid_parse(str_of(json_object_get_string(value)), session))
			found = 1;
	}
	json_object_put(root);
	json_tokener_free(tokener);
	return found;
}

static void lineframe_scan(struct lineframe *frame, const struct buf *in)
{
	const char *last;

	if (frame->scanned >= in->len)
		return;
	last = memrchr(in->data + frame->scanned, '\n', in->len - frame->scanned);
	if (last)
		frame->whole = (size_t)(last + 1 - in->data);
	frame->scanned = in->len;
}

static void lineframe_consume(struct lineframe *frame, struct buf *in, size_t len)
{
	buf_consume(in, len);
	frame->scanned = frame->scanned > len ? frame->scanned - len : 0;
	frame->whole = frame->whole > len ? frame->whole - len : 0;
}

/* Take away what the last step gave. */
static void lineframe_settle(struct lineframe *frame, struct buf *in)
{
	if (frame->consume > 0)
		lineframe_consume(frame, in, frame->consume);
	frame->consume = 0;
}

static enum lineframe_step lineframe_hello(
	struct lineframe *frame, struct buf *in, struct lineframe_piece *piece, size_t len)
{
	int hello = hello_read((struct str){in->data, len}, piece->session);

	frame->started = true;
	if (hello == 0)
		return LINEFRAME_MORE;
	lineframe_consume(frame, in, len + 1);
	if (hello > 0)
		return LINEFRAME_HELLO;
	piece->why = "expected {\"hello\":{\"session\":\"UUID\"}}";
	return LINEFRAME_BROKEN;
}

static enum lineframe_step long_begin(struct lineframe *frame)
{
	frame->in_long = true;
	frame->long_given = 0;
	frame->left_out = 0;
	return LINEFRAME_LONG_BEGIN;
}

/* `len` more bytes of the long line stand at the front of the input. */
static enum lineframe_step long_part(
	struct lineframe *frame, struct buf *in, struct lineframe_piece *piece, size_t len)
{
	uint64_t room = LONG_CUT - frame->long_given;
	size_t given = len < room ? len : (size_t)room;

	frame->long_given += given;
	frame->left_out += len - given;
	frame->consume = len;
	piece->bytes = (struct str){in->data, given};
	return LINEFRAME_LONG_PART;
}

static enum lineframe_step long_end(struct lineframe *frame, struct lineframe_piece *piece)
{
	frame->in_long = false;
	piece->lines = 1;
	piece->left_out = frame->left_out;
	return LINEFRAME_LONG_END;
}

static enum lineframe_step lines_long_next(
	struct lineframe *frame, struct buf *in, struct lineframe_piece *piece)
{
	const char *end;

	if (in->len == 0)
		return LINEFRAME_MORE;
	end = memchr(in->data, '\n', in->len);
	if (end == in->data) {
		lineframe_consume(frame, in, 1);
		return long_end(frame, piece);
	}
	return long_part(frame, in, piece, end ? (size_t)(end - in->data) : in->len);
}

/* The lines at the front that make a piece: none that is too long. */
static size_t piece_length(const struct lineframe *frame, const struct buf *in,
	const struct lineframe_most *most, uint64_t *lines)
{
	size_t len = 0;

	*lines = 0;
	while (len < frame->whole && (*lines == 0 || *lines < most->lines)) {
		const char *end = memchr(in->data + len, '\n', frame->whole - len);
		size_t line = (size_t)(end + 1 - in->data) - len;

		if (line - 1 > frame->max_line || (len > 0 && len + line > most->bytes))
			break;
		len += line;
		++*lines;
	}
	return len;
}

static enum lineframe_step lines_next(struct lineframe *frame, struct buf *in,
	const struct lineframe_most *most, struct lineframe_piece *piece)
{
	size_t len;

	if (frame->in_long)
		return lines_long_next(frame, in, piece);
	lineframe_scan(frame, in);
	if (!frame->started && frame->whole > 0) {
		const char *end = memchr(in->data, '\n', frame->whole);
		enum lineframe_step step = lineframe_hello(frame, in, piece, (size_t)(end - in->data));

		if (step != LINEFRAME_MORE)
			return step;
	}
	if (frame->whole == 0)
		return in->len > frame->max_line ? long_begin(frame) : LINEFRAME_MORE;
	len = piece_length(frame, in, most, &piece->lines);
	if (len == 0)
		return long_begin(frame);
	frame->consume = len;
	piece->bytes = (struct str){in->data, len};
	return LINEFRAME_LINES;
}

/* A MSG becomes a line: what would end it early becomes a space, which JSON allows wherever it allows a LF.
 */
static void add_msg(struct lineframe *frame, struct str msg)
{
	size_t at = frame->lines.len;

	buf_str(&frame->lines, msg);
	for (size_t i = at; i < frame->lines.len; i++) {
		if (frame->lines.data[i] == '\n' || frame->lines.data[i] == '\r')
			frame->lines.data[i] = ' ';
	}
	buf_char(&frame->lines, '\n');
}

static enum lineframe_step syslog_long_next(
	struct lineframe *frame, struct buf *in, struct lineframe_piece *piece)
{
	size_t len = in->len < frame->long_left ? in->len : frame->long_left;

	if (frame->long_left == 0)
		return long_end(frame, piece);
	if (len == 0)
		return LINEFRAME_MORE;
	frame->long_left -= len;
	return long_part(frame, in, piece, len);
}

static enum lineframe_step syslog_next(struct lineframe *frame, struct buf *in,
	const struct lineframe_most *most, struct lineframe_piece *piece)
{
	struct str message;
	size_t used;
	size_t want = 0;
	int found = 0;

	if (frame->in_long)
		return syslog_long_next(frame, in, piece);
	buf_clear(&frame->lines);
	while (frame->lines.len < most->bytes && (piece->lines == 0 || piece->lines < most->lines) &&
		(found = syslog_frame(buf_view(in), &message, &used, &want)) > 0 && want <= frame->max_line) {
		add_msg(frame, syslog_msg(message));
		piece->lines++;
		buf_consume(in, used);
	}
	if (piece->lines > 0) {
		piece->bytes = buf_view(&frame->lines);
		return LINEFRAME_LINES;
	}
	if (found < 0) {
		piece->why = "expected MSG-LEN SP SYSLOG-MSG (RFC 5425)";
		return LINEFRAME_BROKEN;
	}
	if (want <= frame->max_line)
		return LINEFRAME_MORE;
	buf_consume(in, (size_t)((char *)memchr(in->data, ' ', in->len) + 1 - in->data));
	frame->long_left = want;
	return long_begin(frame);
}

static void lineframe_decide(struct lineframe *frame, const struct buf *in)
{
	if (frame->framing != FRAMING_UNKNOWN || in->len == 0)
		return;
	frame->framing = in->data[0] >= '1' && in->data[0] <= '9' ? FRAMING_SYSLOG : FRAMING_LINES;
}

size_t lineframe_ready(struct lineframe *frame, struct buf *in)
{
	lineframe_settle(frame, in);
	lineframe_decide(frame, in);
	if (frame->framing == FRAMING_SYSLOG)
		return frame->in_long ? SIZE_MAX : in->len;
	lineframe_scan(frame, in);
	if (frame->in_long || (!frame->started && frame->whole > 0) ||
		(frame->whole == 0 && in->len > frame->max_line))
		return SIZE_MAX;
	return frame->whole;
}

enum lineframe_step lineframe_next(struct lineframe *frame, struct buf *in, const struct lineframe_most *most,
	struct lineframe_piece *piece)
{
	*piece = (struct lineframe_piece){.bytes = STR_NONE};
	lineframe_settle(frame, in);
	lineframe_decide(frame, in);
	if (frame->framing == FRAMING_UNKNOWN)
		return LINEFRAME_MORE;
	if (frame->framing == FRAMING_SYSLOG)
		return syslog_next(frame, in, most, piece);
	return lines_next(frame, in, most, piece);
}
