#ifndef TRIAGE_RULES_CHECK_H
#define TRIAGE_RULES_CHECK_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Looks at a bundle of rules before they are let at mail: compiles every file, and runs each by itself on
 * buffers made to hurt, in a child with a limit on CPU time, because libyara's own time limit does not hold
 * (trap 9). limit: microseconds of CPU for one file on all buffers. *json gets
 *
 *     {"ok":false,"items":[{"file":"a.yar","state":"ok","rules":2,"scopes":["text"],"names":["x","y"],"ms":12},
 *      {"file":"b.yar","state":"refused","line":3,"reason":"line 3: …"},
 *      {"file":"c.yar","state":"too
 * slow",…,"ms":10000,"reason":"…"}],"next":null,"engine":"yara 4.2.3","digest":"…"}
 *
 * States: ok; slow (named, but it may stand); too slow (over the limit) and refused make the whole not ok.
 *
 * Forks: to be called before the sandbox is entered, in a process without threads.
 */
bool rules_examine(struct str bundle, uint64_t limit, struct buf *json, struct err *err);

/* The rule files of a folder (*.yar, *.yara, *.rule), sorted by name, as a bundle. */
bool rules_folder_read(const char *folder, struct buf *bundle, struct err *err);

/* `cirtd rules-check FOLDER`: the same for a folder, told to people on standard output. Exit status: 0 ok, 1
 * not. */
int rules_check_main(const char *folder);

#endif
