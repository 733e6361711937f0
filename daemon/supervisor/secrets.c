#include "config.h"

#include "supervisor/secrets.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "proc/key_pair.h"
#include "supervisor/folders.h"

#define PASSWORD_BYTES 24
#define FILE_MAX       65536
#define SEAL_BYTES     32

const char *const secrets_roles[] = {"postgres", "cirt_owner", "cirt_store", "cirt_keeper", "cirt_desk",
	"cirt_exchange", "cirt_courier", NULL};

struct str secrets_password(struct str lines, const char *role)
{
	struct str line;
	while (str_split(&lines, '\n', &line)) {
		struct str name;
		line = str_trim(line);
		if (str_split(&line, ':', &name) && str_equal(name, str_of(role)) && line.p)
			return line;
	}
	return STR_NONE;
}

/* Add a password for every role that has none: a later version may know more roles. */
static bool add_missing(struct buf *lines)
{
	bool added = false;
	for (size_t i = 0; secrets_roles[i]; i++) {
		uint8_t bytes[PASSWORD_BYTES];
		char text[2 * PASSWORD_BYTES + 1];
		if (secrets_password(buf_view(lines), secrets_roles[i]).p)
			continue;
		random_bytes(bytes, sizeof(bytes));
		hex_encode(bytes, sizeof(bytes), text);
		buf_printf(lines, "%s:%s\n", secrets_roles[i], text);
		mem_wipe(text, sizeof(text));
		added = true;
	}
	return added;
}

static bool make_passwords(const struct conf *conf, struct err *err)
{
	char *path = folders_state(conf, "secrets/database");
	struct buf lines = {0};
	bool ok = access(path, F_OK) < 0 || file_read(path, FILE_MAX, &lines, err);
	if (ok && add_missing(&lines))
		ok = file_write_atomic(path, 0600, buf_view(&lines), err);
	mem_wipe(lines.data, lines.len);
	buf_free(&lines);
	free(path);
	return ok;
}

static bool make_anchor_key(const struct conf *conf, struct err *err)
{
	char *path = folders_state(conf, "secrets/anchor.pem");
	char *public_path = folders_state(conf, "anchors/anchor.pub");
	struct buf key = {0};
	struct buf public_key = {0};
	bool ok = access(path, F_OK) == 0 ||
	          (key_pair_new(&key, err) && file_write_atomic(path, 0600, buf_view(&key), err));
	if (ok && access(public_path, F_OK) < 0) {
		buf_clear(&key);
		ok = file_read(path, FILE_MAX, &key, err) &&
		     key_pair_public(buf_view(&key), &public_key, err) &&
		     file_write_atomic(public_path, 0644, buf_view(&public_key), err);
	}
	mem_wipe(key.data, key.len);
	buf_free(&key);
	buf_free(&public_key);
	free(path);
	free(public_path);
	return ok;
}

/* Made once and never again: with another one every reply address that was ever given away is forged. */
static bool make_reply_key(const struct conf *conf, struct err *err)
{
	char *path = folders_state(conf, "secrets/reply.key");
	uint8_t bytes[SEAL_BYTES];
	char text[2 * SEAL_BYTES + 1];
	bool ok = true;
	if (access(path, F_OK) < 0) {
		random_bytes(bytes, sizeof(bytes));
		hex_encode(bytes, sizeof(bytes), text);
		ok = file_write_atomic(path, 0600, str_of(text), err);
		mem_wipe(bytes, sizeof(bytes));
		mem_wipe(text, sizeof(text));
	}
	free(path);
	return ok;
}

/* By which this node's courier is known to others on the same database: what it held when it ended is its own
 * again. */
static bool make_courier_id(const struct conf *conf, struct err *err)
{
	char *path = folders_state(conf, "secrets/courier.id");
	uint8_t uuid[UUID_LEN];
	char text[UUID_TEXT];
	bool ok = true;
	if (access(path, F_OK) < 0) {
		uuid_random(uuid);
		ok = file_write_atomic(path, 0600, str_of(uuid_format(uuid, text)), err);
	}
	free(path);
	return ok;
}

bool secrets_courier_id(const struct conf *conf, struct buf *id, struct err *err)
{
	char *path = folders_state(conf, "secrets/courier.id");
	bool ok = file_read(path, FILE_MAX, id, err);
	free(path);
	return ok;
}

bool secrets_make(const struct conf *conf, struct err *err)
{
	return (!conf->db_managed || make_passwords(conf, err)) && make_anchor_key(conf, err) &&
	       make_reply_key(conf, err) && make_courier_id(conf, err);
}

bool secrets_reply_key(const struct conf *conf, struct buf *key, struct err *err)
{
	char *path = folders_state(conf, "secrets/reply.key");
	bool ok = file_read(path, FILE_MAX, key, err);
	while (ok && key->len > 0 && (key->data[key->len - 1] == '\n' || key->data[key->len - 1] == '\r'))
		key->len--;
	if (ok && key->len < (size_t)2 * SEAL_BYTES)
		ok = err_set(
			err, ERR_MALFORMED, "%s: expected a secret of %d hex digits", path, 2 * SEAL_BYTES);
	free(path);
	return ok;
}

bool secrets_passwords(const struct conf *conf, struct buf *lines, struct err *err)
{
	if (!conf->db_managed && conf->db_password_file.len == 0)
		return true;
	char *path = conf->db_managed ? folders_state(conf, "secrets/database")
	                              : mem_strndup(conf->db_password_file.p, conf->db_password_file.len);
	bool ok = file_read(path, FILE_MAX, lines, err);
	free(path);
	return ok;
}

bool secrets_anchor_key(const struct conf *conf, struct buf *key, struct buf *public_key, struct err *err)
{
	char *path = folders_state(conf, "secrets/anchor.pem");
	bool ok = file_read(path, FILE_MAX, key, err) && key_pair_public(buf_view(key), public_key, err);
	free(path);
	return ok;
}
