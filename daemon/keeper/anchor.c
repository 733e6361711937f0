#include "keeper/anchor.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

/* The last anchor is looked for in this much of the file's end. */
#define TAIL 65536

struct anchorer {
	int file;
	char *private_pem;
	size_t private_len;
	char *node;
	uint64_t number;
	uint8_t previous[SHA256_LEN];
	bool unfinished; /* the file ends in the middle of a line */
};

static bool tail_read(int log, struct buf *tail, struct err *err)
{
	struct stat stat;
	off_t start;
	ssize_t got;

	if (fstat(log, &stat) != 0)
		return err_errno(err, "anchors: cannot look at their file");
	start = stat.st_size > TAIL ? stat.st_size - TAIL : 0;
	while ((got = pread(log, buf_space(tail, 4096), 4096, start + (off_t)tail->len)) > 0)
		buf_grow(tail, (size_t)got);
	return got == 0 || err_errno(err, "anchors: cannot read their file");
}

/* The last line that is an anchor. */
static bool last_anchor(struct anchorer *anchorer, struct str tail, struct str public_pem, struct err *err)
{
	struct anchor anchor;
	bool found = false;
	struct str line;

	anchorer->unfinished = tail.len > 0 && tail.p[tail.len - 1] != '\n';
	for (struct str rest = tail; str_split(&rest, '\n', &line);) {
		if (line.len == 0 || !anchor_read(line, public_pem, &anchor, NULL))
			continue;
		anchorer->number = anchor.number;
		sha256(line, anchorer->previous);
		found = true;
	}
	if (!found && tail.len)
		return err_set(
			err, ERR_CORRUPT, "anchors: the end of their file holds no anchor of this key");
	return true;
}

bool anchorer_open(const struct anchorer_settings *settings, struct anchorer **anchorer, struct err *err)
{
	struct anchorer *made = mem_alloc(sizeof(*made));
	struct buf tail = {0};
	bool ok;

	made->file = settings->file;
	made->private_pem = mem_strndup(
		settings->private_pem.p ? settings->private_pem.p : "", settings->private_pem.len);
	made->private_len = settings->private_pem.len;
	made->node = mem_strndup(settings->node.p ? settings->node.p : "", settings->node.len);
	ok = tail_read(settings->log, &tail, err) &&
	     last_anchor(made, buf_view(&tail), settings->public_pem, err);
	buf_free(&tail);
	if (ok)
		*anchorer = made;
	else
		anchorer_free(&made);
	return ok;
}

void anchorer_free(struct anchorer **anchorer)
{
	if (!*anchorer)
		return;
	mem_wipe((*anchorer)->private_pem, (*anchorer)->private_len);
	free((*anchorer)->private_pem);
	free((*anchorer)->node);
	free(*anchorer);
	*anchorer = NULL;
}

static bool append(struct anchorer *anchorer, struct str bytes, struct err *err)
{
	/* What may stand there half after this is the next one's to finish. */
	anchorer->unfinished = true;
	if (!fd_write_all(anchorer->file, bytes.p, bytes.len, err))
		return err_prefix(err, "anchors");
	if (fsync(anchorer->file) != 0)
		return err_errno(err, "anchors: fsync");
	anchorer->unfinished = false;
	return true;
}

bool anchorer_add(struct anchorer *anchorer, struct anchor *anchor, struct err *err)
{
	struct buf text = {0};
	uint8_t hash[SHA256_LEN];
	size_t start;
	bool ok;

	anchor->number = anchorer->number + 1;
	anchor->at = clock_now();
	anchor->node = str_of(anchorer->node);
	memcpy(anchor->previous, anchorer->previous, SHA256_LEN);
	if (anchorer->unfinished)
		buf_char(&text, '\n');
	start = text.len;
	ok = anchor_write(anchor, (struct str){anchorer->private_pem, anchorer->private_len}, &text, err);
	if (ok) {
		sha256((struct str){text.data + start, text.len - start}, hash);
		buf_char(&text, '\n');
		ok = append(anchorer, buf_view(&text), err);
	}
	if (ok) {
		anchorer->number = anchor->number;
		memcpy(anchorer->previous, hash, SHA256_LEN);
	}
	buf_free(&text);
	return ok;
}

uint64_t anchorer_number(const struct anchorer *anchorer)
{
	return anchorer->number;
}
