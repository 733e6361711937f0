#include "config.h"

#include "client/piece.h"

#include "wire/mbox.h"

static struct str line_at(struct str bytes, size_t offset)
{
	const char *start = bytes.p + offset;
	const char *end = memchr(start, '\n', bytes.len - offset);

	return (struct str){start, end ? (size_t)(end - start) + 1 : bytes.len - offset};
}

enum piece_kind piece_guess(struct str bytes)
{
	if (mbox_guess(bytes))
		return PIECE_MBOX;
	if (str_starts(bytes, STR("\xef\xbb\xbf")))
		bytes = (struct str){bytes.p + 3, bytes.len - 3};
	if (!str_starts(bytes, STR("{")))
		return PIECE_WHOLE;
	/* A bundle written over several lines ends its first line inside the object. */
	struct str first = str_trim(line_at(bytes, 0));
	return str_ends(first, STR("}")) && first.len < bytes.len ? PIECE_LINES : PIECE_WHOLE;
}

static bool next_mail(struct pieces *pieces, struct buf *space, struct str *piece)
{
	struct mbox mbox = {pieces->bytes, pieces->offset};
	bool more = mbox_next(&mbox, space, piece);

	pieces->offset = mbox.offset;
	return more;
}

static struct str next_lines(struct pieces *pieces)
{
	size_t start = pieces->offset, end = start;

	while (end < pieces->bytes.len) {
		size_t len = line_at(pieces->bytes, end).len;
		if (end > start && end + len - start > PIECE_LINES_SIZE)
			break;
		end += len;
	}
	pieces->offset = end;
	return (struct str){pieces->bytes.p + start, end - start};
}

bool piece_next(struct pieces *pieces, struct buf *space, struct str *piece)
{
	if (pieces->offset >= pieces->bytes.len)
		return false;
	if (pieces->kind == PIECE_MBOX) {
		return next_mail(pieces, space, piece);
	} else if (pieces->kind == PIECE_LINES) {
		*piece = next_lines(pieces);
	} else {
		*piece = (struct str){pieces->bytes.p + pieces->offset, pieces->bytes.len - pieces->offset};
		pieces->offset = pieces->bytes.len;
	}
	return true;
}
