#ifndef CLIENT_MAILDIR_H
#define CLIENT_MAILDIR_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The mails of a maildir: the files in new/ and cur/, by the time that their names begin with, so that a mail
 * comes before its answers whether somebody has read it or not.
 */
struct maildir {
	char **paths;
	size_t count;
};

bool maildir_read(const char *path, struct maildir *maildir); /* false: it has neither folder */
void maildir_free(struct maildir *maildir);

#endif
