#ifndef WIRE_ARCHIVE_H
#define WIRE_ARCHIVE_H

#include "base/arena.h"
#include "base/err.h"

/*
 * Archives and compressed files, one level of them, by libarchive behind a fence (trap 28): the format is
 * told by the first bytes here, and libarchive gets that one and its filter only. Read: zip (also behind
 * something else), 7z, rar, tar, cab, iso, lha, cpio, ar, and gzip, bzip2, xz, zstd, lzip and compress, alone
 * or around tar or cpio. Left out: lrzip, grzip and lzop, for which libarchive starts programs; mtree, which
 * opens files; xar, an XML parser; uuencode, which is the mail's business.
 */
struct archive_limits {
	size_t max_depth;  /* archives in archives: for who calls again on a member; 4 */
	size_t max_count;  /* members of one and all that is inside them: 1,000 */
	size_t max_member; /* bytes of one member: 32 MB */
	size_t max_total;  /* bytes of all members together: 64 MB */
	size_t max_ratio;  /* bytes out for one byte in, above the first 4 MB: 200 */
};

/* What has been taken of the limits; {0} to begin with, handed on to what is inside. */
struct archive_spent {
	size_t count;
	size_t total;
};

struct archive_member {
	struct str name;  /* a label, never a path: UTF-8, no controls, no "..", not absolute; "a/b.docm" */
	struct str bytes; /* in the arena */
	struct str password; /* that opened it; "" */
	bool cut;            /* by a limit, or by damage: these are its first bytes */
};

/* False: enough, the rest is left unread. */
typedef bool archive_take(const struct archive_member *member, void *context);

/*
 * Names in zip, 7z and rar are Unicode, and libarchive gives them in the process's locale only: make that one
 * of UTF-8. Once per process, before its sandbox; again: nothing. False: there is none.
 */
bool archive_begin(void);
/* Does it look like one that is read here? */
bool archive_is(struct str bytes);
/*
 * Every file in it, in its order; folders and links count as members, and are not shown. `name` is what it is
 * called itself: the member of a compressed file is named after it. Passwords are tried in their order where
 * it is encrypted. False: not to its end, and members before that have been taken. err says why, for people:
 * ERR_DENIED encrypted, and no password opens it; ERR_NOSPACE a limit; ERR_MALFORMED damaged, or not an
 * archive. Of a zip without its directory is taken what stands behind local headers.
 */
bool archive_unpack(struct str bytes, struct str name, const struct archive_limits *limits,
	struct archive_spent *spent, const struct str *passwords, size_t password_count, struct arena *arena,
	archive_take *take, void *context, struct err *err);

#endif
