#ifndef SUPERVISOR_SECRETS_H
#define SUPERVISOR_SECRETS_H

#include "base/buf.h"
#include "conf/conf.h"

/*
 * What is made once and never leaves the machine but as a grant to the one room that needs it: passwords of
 * the database roles ("role:password" lines, as the file of db_password_file) and the key that signs anchors
 * (Ed25519, PEM).
 */
bool secrets_make(const struct conf *conf, struct err *err);
/* The lines of role:password; wipe and free. */
bool secrets_passwords(const struct conf *conf, struct buf *lines, struct err *err);
/* Of one role, out of the lines; p NULL if it is not there. */
struct str secrets_password(struct str lines, const char *role);
/* What seals the cases' reply addresses. */
bool secrets_reply_key(const struct conf *conf, struct buf *key, struct err *err);
bool secrets_courier_id(const struct conf *conf, struct buf *id, struct err *err);
bool secrets_anchor_key(const struct conf *conf, struct buf *key, struct buf *public_key, struct err *err);

/* The roles; the first is the superuser of the managed server, the others stand in sql/roles.sql. */
extern const char *const secrets_roles[];

#endif
