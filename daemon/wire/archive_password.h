#ifndef WIRE_ARCHIVE_PASSWORD_H
#define WIRE_ARCHIVE_PASSWORD_H

#include "base/arena.h"

/*
 * What may be the password of an archive that came with this text: the words behind "password" in the
 * languages of our mail, without quotes and punctuation, the nearest first, no doubles. *list begins with
 * what is in it already.
 */
void archive_password_find(struct str text, struct arena *arena, struct str *list, size_t max, size_t *count);

#endif
