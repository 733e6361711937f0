#ifndef WIRE_ZIP_WRITE_H
#define WIRE_ZIP_WRITE_H

#include "base/buf.h"
#include "base/err.h"

/* A ZIP archive that is made while what goes into it comes in. The same input makes the same bytes. */
struct zip_writer;

struct zip_writer *zip_writer_new(struct buf *out, struct err *err); /* out must live as long */
/* A file of a name in ASCII; what zip_writer_add() then gives goes into it. */
bool zip_writer_file(struct zip_writer *zip, const char *name, struct err *err);
bool zip_writer_add(struct zip_writer *zip, struct str bytes, struct err *err);
bool zip_writer_end(struct zip_writer *zip, struct err *err); /* all is in *out now */
void zip_writer_free(struct zip_writer **zip);

#endif
