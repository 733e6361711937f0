#ifndef TESTS_MADE_ARCHIVE_H
#define TESTS_MADE_ARCHIVE_H

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

/* Archives made for a test, in memory: begin, members, end; the bytes live until made_free(). */
#define SPACE (80u << 20)

struct made {
	struct archive *archive;
	char *space;
	size_t used;
};

static inline void make_begin(struct made *made, int (*format)(struct archive *),
	int (*filter)(struct archive *), const char *options, const char *password)
{
	*made = (struct made){.archive = archive_write_new(), .space = mem_alloc(SPACE)};
	assert_int_equal(format(made->archive), ARCHIVE_OK);
	if (filter)
		assert_int_equal(filter(made->archive), ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(made->archive, 1);
	if (options)
		assert_int_equal(archive_write_set_options(made->archive, options), ARCHIVE_OK);
	if (password)
		assert_int_equal(archive_write_set_passphrase(made->archive, password), ARCHIVE_OK);
	assert_int_equal(
		archive_write_open_memory(made->archive, made->space, SPACE, &made->used), ARCHIVE_OK);
}

static inline void make_member(struct made *made, const char *name, const void *bytes, size_t size)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t)size);
	assert_int_equal(archive_write_header(made->archive, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(made->archive, bytes, size), size);
	archive_entry_free(entry);
}

static inline struct str make_end(struct made *made)
{
	assert_int_equal(archive_write_close(made->archive), ARCHIVE_OK);
	archive_write_free(made->archive);
	return (struct str){made->space, made->used};
}

static inline void made_free(struct made *made)
{
	free(made->space);
}

#endif
