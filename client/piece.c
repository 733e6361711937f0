#include "config.h"

#include "client/piece.h"

static struct str line_at(struct str bytes, size_t offset)
{
	const char *start = bytes.p + offset;
	const char *end = memchr(start, '\n', bytes.len - offset);

	return (struct str){start, end ? (size_t)(end - start) + 1 : bytes.len - offset};
}

enum piece_kind piece_guess(struct str bytes)
{
	if (str_starts(bytes, STR("From ")))
		return PIECE_MBOX;
	if (!str_starts(bytes, STR("{")))
		return PIECE_WHOLE;
	/* A bundle written over several lines ends its first line inside the object. */
	struct str first = str_trim(line_at(bytes, 0));
	return str_ends(first, STR("}")) && first.len < bytes.len ? PIECE_LINES : PIECE_WHOLE;
}

static bool is_separator(struct pieces *pieces, size_t offset)
{
	struct str rest = {pieces->bytes.p + offset, pieces->bytes.len - offset};

	if (!str_starts(rest, STR("From ")))
		return false;
	/* Only behind an empty line: a mail's text may well start a line with From. */
	return offset == 0 || (offset >= 2 && pieces->bytes.p[offset - 1] == '\n' &&
				      (pieces->bytes.p[offset - 2] == '\n' ||
					      (offset >= 3 && pieces->bytes.p[offset - 2] == '\r' &&
						      pieces->bytes.p[offset - 3] == '\n')));
}

/* ">From ", ">>From ": one > less. */
static struct str unquote(struct str line)
{
	size_t quotes = 0;

	while (quotes < line.len && line.p[quotes] == '>')
		quotes++;
	if (quotes && str_starts((struct str){line.p + quotes, line.len - quotes}, STR("From ")))
		return (struct str){line.p + 1, line.len - 1};
	return line;
}

static struct str next_mail(struct pieces *pieces, struct buf *space)
{
	buf_clear(space);
	if (is_separator(pieces, pieces->offset))
		pieces->offset += line_at(pieces->bytes, pieces->offset).len;
	while (pieces->offset < pieces->bytes.len && !is_separator(pieces, pieces->offset)) {
		struct str line = line_at(pieces->bytes, pieces->offset);
		buf_str(space, unquote(line));
		pieces->offset += line.len;
	}
	return buf_view(space);
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
		*piece = next_mail(pieces, space);
	} else if (pieces->kind == PIECE_LINES) {
		*piece = next_lines(pieces);
	} else {
		*piece = (struct str){pieces->bytes.p + pieces->offset, pieces->bytes.len - pieces->offset};
		pieces->offset = pieces->bytes.len;
	}
	return true;
}
