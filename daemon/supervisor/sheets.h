#ifndef SUPERVISOR_SHEETS_H
#define SUPERVISOR_SHEETS_H

#include "base/buf.h"
#include "conf/conf.h"

/*
 * The files of the section clocks: every NAME.conf of the folders of regimes and playbooks, and the files of
 * holidays, into the grant "sheets" (ipc/rules_bundle.h) as "regime/NAME", "playbook/NAME", "holidays/PATH";
 * and "zone", the time zone of this machine, for where none is configured. What cannot be read is logged, and
 * the rest goes on.
 */
void sheets_bundle(const struct conf *conf, struct buf *bundle);

/* Read every one of them, and tell each mistake with its file and line. False: there was one. */
bool sheets_check(const struct conf *conf, conf_complaint *complain, void *context);

#endif
