#ifndef CLIENT_MAILDIR_H
#define CLIENT_MAILDIR_H

#include <stdbool.h>
#include <stddef.h>

struct names {
	char **list;
	size_t count;
};

/*
 * The mails of a maildir: the files in new/ and cur/, by the time that their names begin with, so that a mail
 * comes before its answers whether somebody has read it or not. Folders in it (Maildir++: ".Sent",
 * ".INBOX.cases") are maildirs of their own. No link is followed: whoever may write there could name any file
 * by one.
 */
struct maildir {
	struct names mails;   /* paths */
	struct names folders; /* in it, by name */
	struct names links;   /* names of those of its folders that are links, and so are left out */
};

/* `folders`: the mails of the folders in it too. False: it has neither new/ nor cur/. */
bool maildir_read(const char *path, bool folders, struct maildir *maildir);
void maildir_free(struct maildir *maildir);

#endif
