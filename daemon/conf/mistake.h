#ifndef CONF_MISTAKE_H
#define CONF_MISTAKE_H

#include "conf/conf.h"

/* The mistakes found in one file. */
struct mistake {
	int line; /* from 1; 0: none of its lines */
	struct str text;
};

struct mistakes {
	struct arena *arena;
	struct mistake *list;
	size_t count;
};

void mistake_add(struct mistakes *mistakes, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void mistakes_tell(struct mistakes *mistakes, const char *file, conf_complaint *complain, void *context);

#endif
