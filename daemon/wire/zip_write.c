#include "config.h"

#include "wire/zip_write.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

#include "base/mem.h"

struct zip_writer {
	struct archive *archive;
	struct buf *out;
};

static la_ssize_t take(struct archive *archive, void *context, const void *bytes, size_t len)
{
	struct zip_writer *zip = context;

	(void)archive;
	buf_append(zip->out, bytes, len);
	return (la_ssize_t)len;
}

static bool check(struct zip_writer *zip, la_ssize_t outcome, struct err *err)
{
	return outcome >= ARCHIVE_OK ||
	       err_set(err, ERR_SYSTEM, "making a ZIP archive: %s", archive_error_string(zip->archive));
}

struct zip_writer *zip_writer_new(struct buf *out, struct err *err)
{
	struct zip_writer *zip = mem_alloc(sizeof(*zip));

	zip->out = out;
	zip->archive = archive_write_new();
	/* What is not asked for at its end would be padded to a block. */
	archive_write_set_bytes_in_last_block(zip->archive, 1);
	if (!check(zip, archive_write_set_format_zip(zip->archive), err) ||
		!check(zip, archive_write_zip_set_compression_deflate(zip->archive), err) ||
		!check(zip, archive_write_open(zip->archive, zip, NULL, take, NULL), err))
		zip_writer_free(&zip);
	return zip;
}

bool zip_writer_file(struct zip_writer *zip, const char *name, struct err *err)
{
	struct archive_entry *entry = archive_entry_new();
	bool ok;

	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	/* 1980-01-01, the earliest that ZIP knows */
	archive_entry_set_mtime(entry, 315532800, 0);
	ok = check(zip, archive_write_header(zip->archive, entry), err);
	archive_entry_free(entry);
	return ok;
}

bool zip_writer_add(struct zip_writer *zip, struct str bytes, struct err *err)
{
	return bytes.len == 0 || check(zip, archive_write_data(zip->archive, bytes.p, bytes.len), err);
}

bool zip_writer_end(struct zip_writer *zip, struct err *err)
{
	return check(zip, archive_write_close(zip->archive), err);
}

void zip_writer_free(struct zip_writer **zip)
{
	if (!*zip)
		return;
	archive_write_free((*zip)->archive);
	free(*zip);
	*zip = NULL;
}
