#include "config.h"

#include "wire/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include "base/buf.h"
#include "base/mem.h"
#include "wire/archive_name.h"

#define CHUNK      65536
#define RATIO_FROM (size_t)4194304 /* small files may be as dense as they like */
#define ZIP_TAIL   65557           /* an end of central directory, and its comment */
#define ISO_MARK   32769
#define TAR_BLOCK  512
#define ZIPS_MAX   8

struct kind {
	const char *name;
	size_t at; /* where the mark stands */
	struct str mark;
	int (*format)(struct archive *archive); /* NULL: compressed: tar, cpio, or anything */
	int (*filter)(struct archive *archive);
};

#define MARK(literal)                          \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}
static const struct kind kinds[] = {
	{"zip", 0, MARK("PK\003\004"), archive_read_support_format_zip, NULL},
	{"zip", 0, MARK("PK\005\006"), archive_read_support_format_zip, NULL},
	{"zip", 0, MARK("PK\007\010"), archive_read_support_format_zip, NULL},
	{"7z", 0, MARK("7z\274\257\047\034"), archive_read_support_format_7zip, NULL},
	{"rar", 0, MARK("Rar!\032\007\000"), archive_read_support_format_rar, NULL},
	{"rar5", 0, MARK("Rar!\032\007\001\000"), archive_read_support_format_rar5, NULL},
	{"cab", 0, MARK("MSCF\0\0\0\0"), archive_read_support_format_cab, NULL},
	{"ar", 0, MARK("!<arch>\n"), archive_read_support_format_ar, NULL},
	{"cpio", 0, MARK("070701"), archive_read_support_format_cpio, NULL},
	{"cpio", 0, MARK("070702"), archive_read_support_format_cpio, NULL},
	{"cpio", 0, MARK("070707"), archive_read_support_format_cpio, NULL},
	{"lha", 2, MARK("-lh"), archive_read_support_format_lha, NULL},
	{"lha", 2, MARK("-lz"), archive_read_support_format_lha, NULL},
	{"iso", ISO_MARK, MARK("CD001"), archive_read_support_format_iso9660, NULL},
	{"tar", 257, MARK("ustar"), archive_read_support_format_tar, NULL},
	{"gzip", 0, MARK("\037\213\010"), NULL, archive_read_support_filter_gzip},
	{"bzip2", 0, MARK("BZh"), NULL, archive_read_support_filter_bzip2},
	{"xz", 0, MARK("\3757zXZ\0"), NULL, archive_read_support_filter_xz},
	{"zstd", 0, MARK("\050\265\057\375"), NULL, archive_read_support_filter_zstd},
	{"lzip", 0, MARK("LZIP"), NULL, archive_read_support_filter_lzip},
	{"compress", 0, MARK("\037\235"), NULL, archive_read_support_filter_compress},
};
static const struct kind old_tar = {"tar", 0, MARK(""), archive_read_support_format_tar, NULL};
static const struct kind bare_zip = {
	"zip", 0, MARK("PK\003\004"), archive_read_support_format_zip_streamable, NULL};

/* A run through one archive. */
struct unpack {
	struct str bytes;
	struct str name;
	const struct kind *kind;
	const struct archive_limits *limits;
	struct archive_spent *spent;
	struct arena *arena;
	archive_take *take;
	void *context;
	struct archive *archive;
	const struct str *passwords;
	size_t password_count; /* 0 once none of them has opened it */
	bool unlocked;
	bool told;           /* to libarchive */
	struct str password; /* that opened it */
	size_t place;        /* of the member in hand, from 1 */
	size_t before;       /* spent->total when it began */
	size_t taken;        /* members that were shown */
	bool plain;          /* what is compressed is one file, whatever it looks like */
	bool good;
	bool enough; /* for who takes them */
	struct err *err;
};

/* --- what is it --- */

/* A header of tar before POSIX has no mark but its sum (of bytes, the sum itself as blanks). */
static bool is_old_tar(struct str bytes)
{
	unsigned long sum = 0;
	unsigned long said = 0;
	size_t digits = 0;

	if (bytes.len < TAR_BLOCK || bytes.p[0] == 0)
		return false;
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : (unsigned char)bytes.p[i];
	for (size_t i = 148; i < 156; i++) {
		if (bytes.p[i] >= '0' && bytes.p[i] <= '7') {
			said = said * 8 + (unsigned long)(bytes.p[i] - '0');
			digits++;
		} else if (bytes.p[i] != ' ' && bytes.p[i] != 0) {
			return false;
		}
	}
	return digits > 3 && said == sum;
}

/* The last end of a central directory, NULL: none. Behind a program, a picture or rubbish: programs that open
 * it look at the end first. */
static const char *zip_end(struct str bytes)
{
	size_t tail = bytes.len < ZIP_TAIL ? bytes.len : ZIP_TAIL;

	for (size_t back = 22; back <= tail; back++)
		if (memcmp(bytes.p + bytes.len - back, "PK\005\006", 4) == 0)
			return bytes.p + bytes.len - back;
	return NULL;
}

static uint32_t little_endian(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
}

/* Without what stands in front of a zip, which may be another: its places count from its own beginning,
 * mostly. */
static struct str without_front(struct str bytes)
{
	const char *mark = zip_end(bytes);
	size_t end = mark ? (size_t)(mark - bytes.p) : 0;
	size_t length;

	if (!mark)
		return bytes;
	length = (size_t)little_endian(mark + 12) + little_endian(mark + 16);
	return length < end ? (struct str){bytes.p + end - length, bytes.len - (end - length)} : bytes;
}

static const struct kind *kind_of(struct str bytes)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *kind = &kinds[i];
		if (bytes.len >= kind->at + kind->mark.len &&
			memcmp(bytes.p + kind->at, kind->mark.p, kind->mark.len) == 0)
			return kind;
	}
	if (is_old_tar(bytes))
		return &old_tar;
	return zip_end(bytes) ? &kinds[0] : NULL;
}

bool archive_is(struct str bytes)
{
	return kind_of(bytes) != NULL;
}

/* --- open --- */

bool archive_begin(void)
{
	return setlocale(LC_CTYPE, "C.UTF-8") != NULL;
}

/* Anything but OK: this libarchive would start a program for it, or does not know it. */
static bool support(const struct unpack *unpack, struct archive *archive)
{
	const struct kind *kind = unpack->kind;

	if (kind->format)
		return kind->format(archive) == ARCHIVE_OK;
	return kind->filter(archive) == ARCHIVE_OK &&
	       (unpack->plain || (archive_read_support_format_tar(archive) == ARCHIVE_OK &&
					 archive_read_support_format_cpio(archive) == ARCHIVE_OK)) &&
	       archive_read_support_format_raw(archive) == ARCHIVE_OK;
}

static const char *complaint(struct archive *archive)
{
	const char *text = archive_error_string(archive);

	return text ? text : "no reason given";
}

/* The password found, once: it is asked for again where that is not the one. */
static const char *password_wanted(struct archive *archive, void *context)
{
	struct unpack *unpack = context;
	bool known = unpack->unlocked && !unpack->told;

	(void)archive;
	unpack->told |= known;
	return known ? arena_str(unpack->arena, unpack->password).p : NULL;
}

/* Does not touch unpack->archive. password "": the one that will have been found when it is needed. */
static struct archive *archive_open(struct unpack *unpack, struct str password, struct err *err)
{
	struct archive *archive = archive_read_new();

	if (!archive) {
		err_set(err, ERR_NOSPACE, "no memory to open it");
		return NULL;
	}
	if (password.len > 0)
		archive_read_add_passphrase(archive, arena_str(unpack->arena, password).p);
	else
		archive_read_set_passphrase_callback(archive, unpack, password_wanted);
	if (!support(unpack, archive))
		err_set(err, ERR_MALFORMED, "%s is not read here", unpack->kind->name);
	else if (archive_read_open_memory(archive, unpack->bytes.p, unpack->bytes.len) == ARCHIVE_OK)
		return archive;
	else
		err_set(err, ERR_MALFORMED, "a damaged %s archive: %s", unpack->kind->name,
			complaint(archive));
	archive_read_free(archive);
	return NULL;
}

/* --- limits and complaints --- */

/* How many more bytes may come; *why: which limit that is. */
static size_t allowance(const struct unpack *unpack, size_t member, const char **why)
{
	const struct archive_limits *limits = unpack->limits;
	size_t so_far = unpack->spent->total - unpack->before + member;
	size_t dense = unpack->bytes.len * limits->max_ratio;
	size_t total = unpack->spent->total + member;
	size_t left = limits->max_member > member ? limits->max_member - member : 0;

	*why = "a member larger than is read";
	if (dense < RATIO_FROM)
		dense = RATIO_FROM;
	if (total >= limits->max_total || limits->max_total - total < left) {
		left = total >= limits->max_total ? 0 : limits->max_total - total;
		*why = "more bytes than are unpacked of one mail";
	}
	if (so_far >= dense || dense - so_far < left) {
		left = so_far >= dense ? 0 : dense - so_far;
		*why = "it unpacks to too many times its size";
	}
	return left;
}

static void over(struct unpack *unpack, const char *why)
{
	const struct archive_limits *limits = unpack->limits;

	unpack->good = false;
	err_set(unpack->err, ERR_NOSPACE,
		"%s (limits: %zu members, %zu MB each, %zu MB together, %zu times its size)", why,
		limits->max_count, limits->max_member >> 20, limits->max_total >> 20, limits->max_ratio);
}

/* The first complaint is the one that counts; what follows it may be read all the same. */
static void complain(struct unpack *unpack, enum err_code code, const char *what, const char *why)
{
	if (unpack->good)
		err_set(unpack->err, code, "%s %s archive: %s", what, unpack->kind->name, why);
	unpack->good = false;
}

static void complain_of_reading(struct unpack *unpack)
{
	if (archive_read_has_encrypted_entries(unpack->archive) == 1)
		complain(unpack, ERR_DENIED, "an encrypted", complaint(unpack->archive));
	else
		complain(unpack, ERR_MALFORMED, "a damaged", complaint(unpack->archive));
}

/* --- passwords --- */

/* Read the member at this place to its end. The check in a zip is one byte, which one wrong password in 256
 * passes: only what is whole counts. */
static bool opens(struct unpack *unpack, size_t place, struct str password)
{
	struct archive *archive = archive_open(unpack, password, NULL);
	struct archive_entry *entry;
	la_ssize_t got = -1;
	size_t length = 0;
	char chunk[4096];

	if (!archive)
		return false;
	for (size_t i = 0; i < place; i++)
		if (archive_read_next_header(archive, &entry) < ARCHIVE_WARN)
			break;
	while (length <= unpack->limits->max_member &&
		(got = archive_read_data(archive, chunk, sizeof(chunk))) > 0)
		length += (size_t)got;
	archive_read_free(archive);
	return got >= 0;
}

/* Before the data of an encrypted member is read. False: it stays closed. */
static bool unlock(struct unpack *unpack)
{
	for (size_t i = 0; i < unpack->password_count && !unpack->unlocked; i++) {
		if (!opens(unpack, unpack->place, unpack->passwords[i]))
			continue;
		unpack->unlocked = true;
		unpack->password = unpack->passwords[i];
	}
	if (!unpack->unlocked) {
		unpack->password_count = 0;
		complain(unpack, ERR_DENIED, "an encrypted", "no password that is known opens it");
	}
	return unpack->unlocked;
}

/* --- one member --- */

static struct str label_of(struct unpack *unpack, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname_utf8(entry);
	struct str label;

	if (!unpack->kind->format && archive_format(unpack->archive) == ARCHIVE_FORMAT_RAW)
		return archive_label(archive_stem(unpack->name), unpack->arena);
	if (!name)
		name = archive_entry_pathname(entry);
	label = archive_label(str_of(name), unpack->arena);
	return label.len > 0 ? label : arena_printf(unpack->arena, "member %zu", unpack->place);
}

/* Is there no more to be had of this archive? */
enum progress { GO_ON, STOP };

/* All there is of the member in hand, up to the limits. */
static enum progress read_data(struct unpack *unpack, struct buf *data, bool *cut)
{
	for (;;) {
		const char *why;
		size_t left = allowance(unpack, data->len, &why);
		la_ssize_t got = archive_read_data(unpack->archive, buf_space(data, CHUNK), CHUNK);
		if (got == ARCHIVE_RETRY)
			continue;
		if (got == 0)
			return GO_ON;
		*cut = got < 0 || (size_t)got > left;
		if (got < 0) {
			complain_of_reading(unpack);
			return got > ARCHIVE_FATAL ? GO_ON : STOP;
		}
		buf_grow(data, *cut ? left : (size_t)got);
		if (*cut) {
			over(unpack, why);
			return STOP;
		}
	}
}

/* Folders and links are read too: what hides in them counts, and is not skipped for nothing. */
static enum progress take_member(struct unpack *unpack, struct archive_entry *entry)
{
	struct archive_member member = {.name = label_of(unpack, entry)};
	bool file = archive_entry_filetype(entry) == AE_IFREG || archive_entry_filetype(entry) == 0;
	struct buf data = {0};
	enum progress progress;

	if (archive_entry_is_encrypted(entry)) {
		if (!unlock(unpack))
			return GO_ON;
		member.password = unpack->password;
	}
	progress = read_data(unpack, &data, &member.cut);
	member.bytes = arena_str(unpack->arena, buf_view(&data));
	buf_free(&data);
	unpack->spent->total += member.bytes.len;
	if (member.bytes.len > 0 || (file && !member.cut && !archive_entry_hardlink(entry))) {
		unpack->taken++;
		unpack->enough = !unpack->take(&member, unpack->context);
	}
	return unpack->enough ? STOP : progress;
}

/* The next header; false where there is none. */
static bool next_member(struct unpack *unpack, struct archive_entry **entry)
{
	int code = ARCHIVE_RETRY;

	while (code == ARCHIVE_RETRY) {
		if (unpack->spent->count++ >= unpack->limits->max_count) {
			over(unpack, "more members than are read");
			return false;
		}
		unpack->place++;
		code = archive_read_next_header(unpack->archive, entry);
	}
	if (code < ARCHIVE_WARN)
		complain_of_reading(unpack);
	return code == ARCHIVE_OK || code == ARCHIVE_WARN;
}

static void read_members(struct unpack *unpack)
{
	struct archive_entry *entry;
	struct err err;

	unpack->before = unpack->spent->total;
	unpack->place = 0;
	unpack->told = false;
	unpack->archive = archive_open(unpack, STR_NONE, &err);
	if (!unpack->archive) {
		if (unpack->good)
			err_set(unpack->err, err.code, "%s", err.text);
		unpack->good = false;
		return;
	}
	while (!unpack->enough && next_member(unpack, &entry))
		if (take_member(unpack, entry) == STOP)
			break;
	archive_read_free(unpack->archive);
}

/* Blocks of zeros are the end of a tar: a disk's image begins with them, and so may what is to be hidden. */
static void read_compressed(struct unpack *unpack)
{
	read_members(unpack);
	unpack->plain = unpack->good && unpack->place == 1 && unpack->taken == 0;
	if (unpack->plain)
		read_members(unpack);
}

/* Where the directory at the end is none, from the front. */
static void read_zip(struct unpack *unpack)
{
	size_t taken = unpack->taken;
	const struct kind *kind = unpack->kind;

	read_members(unpack);
	if (unpack->good || unpack->place > 1 || unpack->taken > taken ||
		!str_starts(unpack->bytes, bare_zip.mark))
		return;
	unpack->kind = &bare_zip;
	read_members(unpack);
	unpack->kind = kind;
}

/* Zips one behind the other: some programs show the first, some the last. */
static void read_zips(struct unpack *unpack)
{
	struct str rest = unpack->bytes;

	for (int i = 0; i < ZIPS_MAX && !unpack->enough; i++) {
		unpack->bytes = without_front(rest);
		read_zip(unpack);
		rest.len = (size_t)(unpack->bytes.p - rest.p);
		if (rest.len == 0 || !zip_end(rest))
			break;
	}
}

bool archive_unpack(struct str bytes, struct str name, const struct archive_limits *limits,
	struct archive_spent *spent, const struct str *passwords, size_t password_count, struct arena *arena,
	archive_take *take, void *context, struct err *err)
{
	struct unpack unpack = {.bytes = bytes,
		.name = name,
		.kind = kind_of(bytes),
		.limits = limits,
		.spent = spent,
		.passwords = passwords,
		.password_count = password_count,
		.arena = arena,
		.take = take,
		.context = context,
		.good = true,
		.err = err};

	if (!unpack.kind)
		return err_set(err, ERR_MALFORMED, "not an archive that is read here");
	if (unpack.kind->format == archive_read_support_format_zip)
		read_zips(&unpack);
	else if (unpack.kind->filter)
		read_compressed(&unpack);
	else
		read_members(&unpack);
	return unpack.good;
}
