#include "config.h"

#include "tail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"

#define BLOCK     (256u << 10)
#define HELD_MAX  (32u << 20) /* a longer line is cut into lines: the door takes 16 MB of one at most */
#define MARK_SPAN 1024u

struct tail {
	char *path;
	bool once;
	bool from_end;
	int fd; /* -1: no file yet */
	uint64_t device, inode;
	uint64_t offset;  /* of the window's first byte */
	uint64_t held;    /* bytes behind the window that are no line yet */
	bool elsewhere;   /* the file is not, or no longer, at path: it ends */
	int64_t moved_at; /* since when; 0: not known */
	bool copied;      /* it is the copy of one that was truncated: next is path, from its start */
	bool padded;      /* the window's last line feed is ours: nothing is read behind it */
	struct buf window;
	char head[MARK_SPAN]; /* the file's first bytes, and those before offset, as far as there are any */
	size_t head_len;
	char back[MARK_SPAN];
	size_t back_len;
};

struct tail *tail_new(const char *path, bool once)
{
	struct tail *tail = mem_alloc(sizeof(*tail));

	tail->path = mem_strdup(path);
	tail->once = once;
	tail->fd = -1;
	return tail;
}

void tail_free(struct tail **tail)
{
	if (!*tail)
		return;
	fd_close(&(*tail)->fd);
	buf_free(&(*tail)->window);
	free((*tail)->path);
	free(*tail);
	*tail = NULL;
}

struct str tail_window(const struct tail *tail)
{
	return buf_view(&tail->window);
}

void tail_from_end(struct tail *tail)
{
	tail->from_end = true;
}

/* Marks: what a file is known by, besides its number, which another may get. */

static void mark_digest(
	const char *head, size_t head_len, const char *back, size_t back_len, uint8_t mark[SHA256_LEN])
{
	struct sha256 *hash = sha256_new();

	sha256_update(hash, head, head_len);
	sha256_update(hash, back, back_len);
	sha256_final(hash, mark);
	sha256_free(&hash);
}

static bool read_at(int fd, char *bytes, size_t len, uint64_t offset)
{
	while (len > 0) {
		ssize_t got = pread(fd, bytes, len, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		bytes += got;
		len -= (size_t)got;
		offset += (uint64_t)got;
	}
	return true;
}

static size_t span_of(uint64_t offset)
{
	return offset < MARK_SPAN ? (size_t)offset : MARK_SPAN;
}

/* Whether this file begins, and goes on before offset, as the one that the mark was made of. */
static bool has_mark(int fd, uint64_t offset, const uint8_t mark[SHA256_LEN])
{
	char head[MARK_SPAN], back[MARK_SPAN];
	size_t span = span_of(offset);
	uint8_t found[SHA256_LEN];

	if (!read_at(fd, head, span, 0) || !read_at(fd, back, span, offset - span))
		return false;
	mark_digest(head, span, back, span, found);
	return memcmp(found, mark, SHA256_LEN) == 0;
}

static void own_mark(const struct tail *tail, uint8_t mark[SHA256_LEN])
{
	mark_digest(tail->head, tail->head_len, tail->back, tail->back_len, mark);
}

void tail_position(const struct tail *tail, struct position *position)
{
	position->device = tail->device;
	position->inode = tail->inode;
	position->offset = tail->offset;
	own_mark(tail, position->mark);
}

/* Opening */

static int open_file(const char *path, struct stat *info)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0 && (fstat(fd, info) != 0 || !S_ISREG(info->st_mode)))
		fd_close(&fd);
	return fd;
}

/* Takes fd. */
static void tail_take(struct tail *tail, int fd, const struct stat *info, uint64_t offset)
{
	fd_close(&tail->fd);
	tail->fd = fd;
	tail->device = info->st_dev;
	tail->inode = info->st_ino;
	tail->offset = offset;
	tail->held = 0;
	tail->elsewhere = tail->copied = tail->padded = false;
	tail->moved_at = 0;
	tail->head_len = tail->back_len = span_of(offset);
	if (!read_at(fd, tail->head, tail->head_len, 0) ||
		!read_at(fd, tail->back, tail->back_len, offset - tail->back_len))
		tail->head_len = tail->back_len = 0;
	buf_clear(&tail->window);
}

/* Names that rotation gives: eve.json.1, eve.json-20261122. Compressed ones cannot be gone on with. */
static bool is_rotated_name(const char *base, const char *name)
{
	size_t len = strlen(base);

	if (strncmp(name, base, len) != 0 || (name[len] != '.' && name[len] != '-') || name[len + 1] == '\0')
		return false;
	return strspn(name + len + 1, "0123456789-.") == strlen(name + len + 1);
}

/* A file of the folder for which fits() holds; among several the one that was written to first. */
struct search {
	const struct tail *tail;
	uint64_t device, inode;
	uint64_t offset;
	const uint8_t *mark;
	struct timespec since;
};

static bool earlier(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

static bool fits_inode(const struct search *search, int fd, const struct stat *info)
{
	return info->st_dev == search->device && info->st_ino == search->inode &&
	       (uint64_t)info->st_size >= search->offset && has_mark(fd, search->offset, search->mark);
}

static bool fits_copy(const struct search *search, int fd, const struct stat *info)
{
	return (info->st_dev != search->device || info->st_ino != search->inode) && search->offset > 0 &&
	       (uint64_t)info->st_size >= search->offset && has_mark(fd, search->offset, search->mark);
}

static bool fits_next(const struct search *search, int fd, const struct stat *info)
{
	(void)fd;
	return (info->st_dev != search->device || info->st_ino != search->inode) &&
	       earlier(search->since, info->st_mtim);
}

static int search_folder(const struct search *search, bool any_name,
	bool (*fits)(const struct search *search, int fd, const struct stat *info), struct stat *found)
{
	char *folder = mem_strdup(search->tail->path);
	char *slash = strrchr(folder, '/');
	char *base = mem_strdup(slash ? slash + 1 : folder);
	struct dirent *entry;
	DIR *dir;
	int best = -1;

	if (slash)
		slash[slash == folder ? 1 : 0] = '\0';
	dir = opendir(slash ? folder : ".");
	while (dir && (entry = readdir(dir))) {
		char *path;
		struct stat info;
		int fd;
		if (!is_rotated_name(base, entry->d_name) && (!any_name || entry->d_name[0] == '.'))
			continue;
		path = mem_printf("%s/%s", slash ? folder : ".", entry->d_name);
		fd = open_file(path, &info);
		free(path);
		if (fd >= 0 && fits(search, fd, &info) &&
			(best < 0 || earlier(info.st_mtim, found->st_mtim))) {
			fd_close(&best);
			best = fd;
			*found = info;
		} else {
			fd_close(&fd);
		}
	}
	if (dir)
		closedir(dir);
	free(folder);
	free(base);
	return best;
}

static bool is_same(const struct stat *info, uint64_t device, uint64_t inode)
{
	return info->st_dev == device && info->st_ino == inode;
}

void tail_resume(struct tail *tail, const struct position *position)
{
	struct search search = {.tail = tail,
		.device = position->device,
		.inode = position->inode,
		.offset = position->offset,
		.mark = position->mark};
	struct stat info, at_path;
	bool copied = false;
	int fd;

	if (position->inode == 0)
		return;
	fd = search_folder(&search, true, fits_inode, &info);
	if (fd < 0) {
		fd = search_folder(&search, false, fits_copy, &info);
		copied = fd >= 0;
	}
	if (fd < 0) {
		log_warn("the file that was being sent is gone: what was not sent of it is lost; %s is begun",
			tail->path);
		return;
	}
	tail_take(tail, fd, &info, position->offset);
	tail->copied = copied;
	tail->elsewhere =
		copied || (stat(tail->path, &at_path) == 0 && !is_same(&at_path, info.st_dev, info.st_ino));
}

/* The file at path, from its beginning. */
static bool open_at_path(struct tail *tail)
{
	struct stat info;
	int fd = open_file(tail->path, &info);

	if (fd < 0)
		return false;
	tail_take(tail, fd, &info, tail->from_end ? (uint64_t)info.st_size : 0);
	tail->from_end = false;
	return true;
}

/* Rotation */

/* Whether the file still holds what was read of it. */
static bool is_intact(const struct tail *tail, uint64_t size)
{
	char bytes[MARK_SPAN];

	if (size < tail->offset + tail->window.len - tail->padded)
		return false;
	return read_at(tail->fd, bytes, tail->head_len, 0) &&
	       memcmp(bytes, tail->head, tail->head_len) == 0 &&
	       read_at(tail->fd, bytes, tail->back_len, tail->offset - tail->back_len) &&
	       memcmp(bytes, tail->back, tail->back_len) == 0;
}

/* The window is empty: nothing of the truncated file waits but what only its copy holds. */
static void after_truncation(struct tail *tail)
{
	uint8_t mark[SHA256_LEN];
	struct search search = {.tail = tail,
		.device = tail->device,
		.inode = tail->inode,
		.offset = tail->offset,
		.mark = mark};
	struct stat info;
	int fd;

	own_mark(tail, mark);
	fd = search_folder(&search, false, fits_copy, &info);
	if (fd >= 0 && (uint64_t)info.st_size > tail->offset) {
		tail_take(tail, fd, &info, tail->offset);
		tail->copied = tail->elsewhere = true;
		return;
	}
	fd_close(&fd);
	if (!open_at_path(tail))
		fd_close(&tail->fd);
}

/* The window is empty, and this file has ended: the one that was begun after it, else that at path. */
static bool open_next(struct tail *tail)
{
	struct search search = {.tail = tail, .device = tail->device, .inode = tail->inode};
	struct stat info;
	int fd = -1;

	if (!tail->copied && fstat(tail->fd, &info) == 0) {
		search.since = info.st_mtim;
		fd = search_folder(&search, false, fits_next, &info);
	}
	if (fd < 0)
		return open_at_path(tail);
	tail_take(tail, fd, &info, 0);
	tail->elsewhere = true;
	return true;
}

static bool has_moved(struct tail *tail, int64_t now)
{
	struct stat info;

	if (tail->elsewhere)
		return true;
	/* While there is none at path, its writer has not begun another. */
	if (stat(tail->path, &info) != 0 || is_same(&info, tail->device, tail->inode)) {
		tail->moved_at = 0;
		return false;
	}
	if (tail->moved_at == 0)
		tail->moved_at = now;
	return now - tail->moved_at >= TAIL_GRACE;
}

/* Reading */

/* Add `len` bytes from behind the window, and a line feed of ours. */
static bool read_padded(struct tail *tail, size_t len)
{
	if (!read_at(tail->fd, buf_space(&tail->window, len), len, tail->offset + tail->window.len))
		return false;
	buf_grow(&tail->window, len);
	buf_char(&tail->window, '\n');
	tail->held = 0;
	tail->padded = true;
	return true;
}

/* Up to the last line feed; what is behind it is held back until its line ends, or is too long to wait for.
 */
static bool read_lines(struct tail *tail, uint64_t size)
{
	uint64_t from = tail->offset + tail->window.len;
	uint64_t left = size > from ? size - from : 0;
	size_t most = tail->held >= BLOCK ? (size_t)tail->held * 2 : BLOCK;
	size_t len = left < most ? (size_t)left : most;
	char *bytes;
	const char *end;

	if (len <= tail->held)
		return false;
	bytes = buf_space(&tail->window, len);
	if (!read_at(tail->fd, bytes, len, from))
		return false;
	end = memrchr(bytes, '\n', len);
	if (!end && len >= HELD_MAX)
		return read_padded(tail, HELD_MAX);
	if (!end) {
		tail->held = len;
		return len < left;
	}
	buf_grow(&tail->window, (size_t)(end + 1 - bytes));
	tail->held = 0;
	return true;
}

/* Once: the file in hand is the one at path, so that nothing comes behind it. */
static bool is_last(const struct tail *tail)
{
	struct stat info;

	return !tail->elsewhere &&
	       (stat(tail->path, &info) != 0 || is_same(&info, tail->device, tail->inode));
}

/* At the end of a file that will not grow. */
static enum tail_step at_end(struct tail *tail, int64_t now)
{
	/* Ended within a line: that is all there will be of it. */
	if (tail->held > 0 && read_padded(tail, (size_t)tail->held))
		return TAIL_MORE;
	if (tail->window.len > 0)
		return TAIL_WAIT;
	if (tail->once && is_last(tail))
		return TAIL_END;
	if (tail->once && !has_moved(tail, now))
		return TAIL_WAIT;
	if (open_next(tail))
		return TAIL_MOVED;
	return tail->once ? TAIL_END : TAIL_WAIT;
}

enum tail_step tail_step(struct tail *tail, int64_t now)
{
	struct stat info;

	if (tail->fd < 0)
		return open_at_path(tail) ? TAIL_MOVED : TAIL_WAIT;
	if (tail->window.len >= TAIL_WINDOW || tail->padded)
		return TAIL_WAIT;
	if (fstat(tail->fd, &info) != 0)
		return TAIL_WAIT;
	if (!is_intact(tail, (uint64_t)info.st_size)) {
		if (tail->window.len > 0)
			return TAIL_WAIT;
		after_truncation(tail);
		return tail->fd >= 0 ? TAIL_MOVED : TAIL_WAIT;
	}
	if (read_lines(tail, (uint64_t)info.st_size))
		return TAIL_MORE;
	return tail->once || has_moved(tail, now) ? at_end(tail, now) : TAIL_WAIT;
}

/* Dropping */

/* Keep the last bytes before the new offset, and the first of the file. */
static void remember(struct tail *tail, struct str bytes)
{
	size_t more = bytes.len < MARK_SPAN - tail->head_len ? bytes.len : MARK_SPAN - tail->head_len;
	size_t kept;

	memcpy(tail->head + tail->head_len, bytes.p, more);
	tail->head_len += more;
	if (bytes.len >= MARK_SPAN) {
		memcpy(tail->back, bytes.p + bytes.len - MARK_SPAN, MARK_SPAN);
		tail->back_len = MARK_SPAN;
		return;
	}
	kept = tail->back_len + bytes.len > MARK_SPAN ? MARK_SPAN - bytes.len : tail->back_len;
	memmove(tail->back, tail->back + tail->back_len - kept, kept);
	memcpy(tail->back + kept, bytes.p, bytes.len);
	tail->back_len = kept + bytes.len;
}

uint64_t tail_drop(struct tail *tail, uint64_t lines, size_t *bytes)
{
	size_t len = 0;
	uint64_t count = 0;
	const char *end;
	bool ours;

	while (count < lines && len < tail->window.len &&
		(end = memchr(tail->window.data + len, '\n', tail->window.len - len))) {
		len = (size_t)(end + 1 - tail->window.data);
		count++;
	}
	*bytes = len;
	if (len == 0)
		return 0;
	ours = tail->padded && len == tail->window.len;
	remember(tail, (struct str){tail->window.data, len - ours});
	tail->offset += len - ours;
	buf_consume(&tail->window, len);
	if (ours)
		tail->padded = false;
	return count;
}
