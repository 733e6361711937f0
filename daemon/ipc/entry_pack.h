#ifndef IPC_ENTRY_PACK_H
#define IPC_ENTRY_PACK_H

#include "base/arena.h"
#include "base/pack.h"
#include "model/entry.h"

/* What several edges carry of an entry. Readers are sticky as unpack_* are; strings point into the bytes
 * read. */
void entry_id_pack(const struct entry_id *id, struct buf *out);
void entry_id_unpack(struct unpack *in, struct entry_id *id);
void entry_pack(const struct entry *entry, struct buf *out);
void entry_unpack(struct unpack *in, struct entry *entry);
void books_pack(const struct book *books, size_t count, struct buf *out);
void books_unpack(struct unpack *in, struct arena *arena, struct book **books, size_t *count);
void numbers_pack(const uint64_t *numbers, size_t count, struct buf *out);
void numbers_unpack(struct unpack *in, struct arena *arena, uint64_t **numbers, size_t *count);
bool flag_unpack(struct unpack *in); /* a byte that is 0 or 1 */

#endif
