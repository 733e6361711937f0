#include "config.h"

#include "wire/archive_name.h"

#include "base/buf.h"
#include "model/storable.h"

#define NAME_MAX_BYTES 255

static bool is_dots(struct str piece)
{
	return str_equal(piece, STR(".")) || str_equal(piece, STR(".."));
}

/* "C:" in front, where Windows would look at another disk */
static bool is_drive(struct str piece)
{
	return piece.len == 2 && piece.p[1] == ':';
}

/* Controls, and what turns the direction of writing: "gpj.exe" must not read "exe.jpg". */
static bool is_invisible(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

static void append_visible(struct buf *out, struct str piece)
{
	while (piece.len > 0) {
		uint32_t c = utf8_next(&piece);
		buf_utf8(out, is_invisible(c) ? '_' : c);
	}
}

struct str archive_label(struct str name, struct arena *arena)
{
	struct buf out = {0};
	struct str label;
	size_t start = 0;

	for (size_t i = 0; name.len > 0 && i <= name.len; i++) {
		struct str piece = {name.p + start, i - start};
		if (i < name.len && name.p[i] != '/' && name.p[i] != '\\')
			continue;
		start = i + 1;
		if (piece.len == 0 || is_dots(piece) || is_drive(piece))
			continue;
		if (out.len > 0)
			buf_char(&out, '/');
		append_visible(&out, piece);
	}
	/* the end tells what it is */
	label = buf_view(&out);
	while (label.len > NAME_MAX_BYTES)
		utf8_next(&label);
	label = arena_str(arena, label);
	buf_free(&out);
	return label;
}

struct str archive_base_name(struct str label)
{
	const char *slash = label.len ? memrchr(label.p, '/', label.len) : NULL;

	return slash ? (struct str){slash + 1, label.len - (size_t)(slash + 1 - label.p)} : label;
}

struct str archive_stem(struct str name)
{
	static const char *const endings[] = {
		".gz", ".tgz", ".bz2", ".tbz", ".xz", ".txz", ".zst", ".lz", ".z"};

	name = archive_base_name(name);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t length = strlen(endings[i]);
		if (name.len > length && str_equal_nocase((struct str){name.p + name.len - length, length},
						 str_of(endings[i])))
			return (struct str){name.p, name.len - length};
	}
	return STR("data");
}
