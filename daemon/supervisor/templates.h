#ifndef SUPERVISOR_TEMPLATES_H
#define SUPERVISOR_TEMPLATES_H

#include "base/buf.h"
#include "conf/conf.h"

/*
 * The texts of mails: the folder mail_out.templates, with a folder for each language. Each LANGUAGE/KIND.txt
 * and LANGUAGE/KIND-WORD.txt goes into the grant "templates" (ipc/rules_bundle.h) under that name; other
 * names are passed over. ERR_NOTFOUND: there is no such folder.
 */
bool templates_bundle(const struct conf *conf, struct buf *bundle, struct err *err);

/* The words of LANGUAGE/notice-WORD.txt, which a rule may name, each once, one a line. */
bool templates_names(const struct conf *conf, struct buf *names, struct err *err);

/* Read every template, and tell each mistake with its file and line. False: there was one. */
bool templates_check(const struct conf *conf, conf_complaint *complain, void *context);

#endif
