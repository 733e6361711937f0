#include "config.h"

#include "spool/kv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define TABLES_MAX 16
/* fallocate() in steps of this, so that not every commit asks for more. */
#define RESERVE_STEP (UINT64_C(16) << 20)

struct kv {
	MDB_env *env;
	MDB_txn *writing;
	MDB_txn *reading; /* kept between uses; `reads` tells whether it holds a snapshot */
	bool reads;
	int broken; /* first error of the write transaction */
	MDB_dbi tables[TABLES_MAX];
	size_t page;
	uint64_t reserved;
	int lock;
	void *map; /* NULL: not known */
	size_t map_size;
};

static bool kv_fail(struct err *err, int code, const char *what)
{
	enum err_code kind = ERR_SYSTEM;

	if (code == MDB_MAP_FULL || code == ENOSPC || code == EDQUOT || code == MDB_TXN_FULL)
		kind = ERR_NOSPACE;
	else if (code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INVALID ||
		 code == MDB_VERSION_MISMATCH)
		kind = ERR_CORRUPT;
	else if (code == MDB_BAD_VALSIZE)
		kind = ERR_MALFORMED;
	return err_set(err, kind, "spool: %s: %s", what, mdb_strerror(code));
}

static bool kv_lock(struct kv *kv, const char *path, struct err *err)
{
	char *name = mem_printf("%s/owner.lock", path);

	kv->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (kv->lock < 0)
		err_errno(err, "spool: cannot open %s", name);
	else if (flock(kv->lock, LOCK_EX | LOCK_NB) != 0) {
		err_set(err, ERR_CONFLICT, "spool: another process has %s open", path);
		fd_close(&kv->lock);
	}
	free(name);
	return kv->lock >= 0;
}

static int open_tables(struct kv *kv, const char *const *tables)
{
	MDB_txn *txn;
	int code = mdb_txn_begin(kv->env, NULL, 0, &txn);

	if (code)
		return code;
	for (size_t i = 0; tables[i] && !code; i++)
		code = i < TABLES_MAX ? mdb_dbi_open(txn, tables[i], MDB_CREATE, &kv->tables[i])
		                      : MDB_DBS_FULL;
	if (code) {
		mdb_txn_abort(txn);
		return code;
	}
	return mdb_txn_commit(txn);
}

static int open_env(struct kv *kv, const struct kv_settings *settings)
{
	MDB_stat stat;
	int stale;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t map = ((size_t)settings->map_size + page - 1) / page * page;
	int code = mdb_env_create(&kv->env);

	if (!code)
		code = mdb_env_set_maxdbs(kv->env, TABLES_MAX);
	if (!code)
		code = mdb_env_set_mapsize(kv->env, map);
	/* No sync flag at all: a commit that returns is on the disk, file size and all. */
	if (!code)
		code = mdb_env_open(kv->env, settings->path, MDB_NOTLS | MDB_NORDAHEAD, 0600);
	/* A killed predecessor's reader slot would pin its pages for ever. */
	if (!code)
		code = mdb_reader_check(kv->env, &stale);
	if (!code)
		code = mdb_env_stat(kv->env, &stat);
	if (!code) {
		kv->page = stat.ms_psize;
		code = open_tables(kv, settings->tables);
	}
	return code;
}

/* LMDB does not tell where its map is; the kernel does. */
static void find_map(struct kv *kv)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	struct stat file;
	int fd;

	if (mdb_env_get_fd(kv->env, &fd) != 0 || fstat(fd, &file) != 0)
		file.st_ino = 0;
	while (maps && file.st_ino && fgets(line, sizeof(line), maps)) {
		uint64_t from, to, inode;
		char rights[5];
		/* Shared: a private mapping of whatever has that number elsewhere has bytes of its own. */
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %*x:%*x %" SCNu64, &from, &to, rights,
			    &inode) == 4 &&
			inode == file.st_ino && rights[3] == 's') {
			kv->map = (void *)(uintptr_t)from;
			kv->map_size = (size_t)(to - from);
		}
	}
	if (maps)
		fclose(maps);
}

void kv_trim(struct kv *kv)
{
	if (kv->map)
		madvise(kv->map, kv->map_size, MADV_DONTNEED);
}

bool kv_open(const struct kv_settings *settings, struct kv **kv, struct err *err)
{
	struct kv *made = mem_alloc(sizeof(*made));
	int code;

	made->lock = -1;
	if (!kv_lock(made, settings->path, err)) {
		kv_free(&made);
		return false;
	}
	code = open_env(made, settings);
	if (code) {
		kv_free(&made);
		kv_fail(err, code, "cannot open its database");
		return err_prefix(err, "%s", settings->path);
	}
	find_map(made);
	*kv = made;
	return true;
}

void kv_free(struct kv **kv)
{
	if (!*kv)
		return;
	kv_abort(*kv);
	if ((*kv)->reading)
		mdb_txn_abort((*kv)->reading);
	if ((*kv)->env)
		mdb_env_close((*kv)->env);
	fd_close(&(*kv)->lock);
	free(*kv);
	*kv = NULL;
}

/* ---- keys ---- */

static void key_bytes(struct kv_key *key, const void *bytes, size_t len)
{
	if (len && key->len + len <= KV_KEY_MAX)
		memcpy(key->bytes + key->len, bytes, len);
	key->len += len;
}

void kv_key_u32(struct kv_key *key, uint32_t value)
{
	uint8_t bytes[4] = {
		(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};

	key_bytes(key, bytes, sizeof(bytes));
}

void kv_key_u64(struct kv_key *key, uint64_t value)
{
	kv_key_u32(key, (uint32_t)(value >> 32));
	kv_key_u32(key, (uint32_t)value);
}

void kv_key_text(struct kv_key *key, struct str text)
{
	key_bytes(key, text.p, text.len);
}

uint32_t kv_u32(struct str key, size_t at)
{
	const uint8_t *p = (const uint8_t *)key.p + at;

	if (at + 4 > key.len)
		return 0;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint64_t kv_u64(struct str key, size_t at)
{
	if (at + 8 > key.len)
		return 0;
	return (uint64_t)kv_u32(key, at) << 32 | kv_u32(key, at + 4);
}

static MDB_val key_val(const struct kv_key *key)
{
	return (MDB_val){key->len, (void *)(uintptr_t)key->bytes};
}

static struct str val_str(MDB_val value)
{
	return (struct str){value.mv_data, value.mv_size};
}

/* ---- writing ---- */

static MDB_txn *write_txn(struct kv *kv)
{
	if (!kv->writing && !kv->broken)
		kv->broken = mdb_txn_begin(kv->env, NULL, 0, &kv->writing);
	return kv->broken ? NULL : kv->writing;
}

void kv_put(struct kv *kv, unsigned table, const struct kv_key *key, struct str value, bool last)
{
	MDB_txn *txn = write_txn(kv);
	MDB_val k = key_val(key);
	MDB_val v = {value.len, (void *)(uintptr_t)value.p};
	int code;

	if (!txn)
		return;
	if (key->len > KV_KEY_MAX) {
		kv->broken = MDB_BAD_VALSIZE;
		return;
	}
	code = mdb_put(txn, kv->tables[table], &k, &v, last ? MDB_APPEND : 0);
	if (code == MDB_KEYEXIST) {
		k = key_val(key);
		v = (MDB_val){value.len, (void *)(uintptr_t)value.p};
		code = mdb_put(txn, kv->tables[table], &k, &v, 0);
	}
	if (code)
		kv->broken = code;
}

void kv_delete(struct kv *kv, unsigned table, const struct kv_key *key)
{
	MDB_txn *txn = write_txn(kv);
	MDB_val k = key_val(key);
	int code;

	if (!txn)
		return;
	code = mdb_del(txn, kv->tables[table], &k, NULL);
	if (code && code != MDB_NOTFOUND)
		kv->broken = code;
}

bool kv_dirty(const struct kv *kv)
{
	return kv->writing || kv->broken;
}

bool kv_well(const struct kv *kv, struct err *err)
{
	return !kv->broken || kv_fail(err, kv->broken, "cannot write");
}

void kv_abort(struct kv *kv)
{
	if (kv->writing)
		mdb_txn_abort(kv->writing);
	kv->writing = NULL;
	kv->broken = 0;
}

bool kv_commit(struct kv *kv, struct err *err)
{
	int code = kv->broken;

	if (code) {
		kv_abort(kv);
		return kv_fail(err, code, "cannot write");
	}
	if (!kv->writing)
		return true;
	code = mdb_txn_commit(kv->writing);
	kv->writing = NULL;
	if (!code)
		return true;
	kv_fail(err, code, "cannot commit");
	/* A full map is found before anything is written. A full disk may come from the fsync: not to be told
	 * apart from other failures of it, so not to be survived. */
	if (err && code != MDB_MAP_FULL && code != MDB_TXN_FULL)
		err->code = ERR_SYSTEM;
	return false;
}

/* ---- reading ---- */

static MDB_txn *view_txn(struct kv *kv, enum kv_view view)
{
	if (view == KV_WRITTEN)
		return write_txn(kv);
	if (kv->reads)
		return kv->reading;
	if (kv->reading)
		kv->reads = mdb_txn_renew(kv->reading) == 0;
	else
		kv->reads = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &kv->reading) == 0;
	return kv->reads ? kv->reading : NULL;
}

void kv_release(struct kv *kv)
{
	if (kv->reads)
		mdb_txn_reset(kv->reading);
	kv->reads = false;
}

bool kv_get(struct kv *kv, enum kv_view view, unsigned table, const struct kv_key *key, struct str *value)
{
	MDB_txn *txn = view_txn(kv, view);
	MDB_val k = key_val(key);
	MDB_val v;

	if (!txn || key->len > KV_KEY_MAX || mdb_get(txn, kv->tables[table], &k, &v) != 0)
		return false;
	*value = val_str(v);
	return true;
}

static bool has_prefix(MDB_val key, const struct kv_key *prefix, size_t len)
{
	return key.mv_size >= len && (len == 0 || memcmp(key.mv_data, prefix->bytes, len) == 0);
}

bool kv_seek(struct kv *kv, enum kv_view view, unsigned table, const struct kv_key *key, size_t prefix,
	struct str *found, struct str *value)
{
	MDB_txn *txn = view_txn(kv, view);
	MDB_cursor *cursor;
	MDB_val k = key_val(key);
	MDB_val v;
	bool hit;

	if (!txn || mdb_cursor_open(txn, kv->tables[table], &cursor) != 0)
		return false;
	hit = mdb_cursor_get(cursor, &k, &v, key->len ? MDB_SET_RANGE : MDB_FIRST) == 0 &&
	      has_prefix(k, key, prefix);
	mdb_cursor_close(cursor);
	if (hit) {
		*found = val_str(k);
		*value = val_str(v);
	}
	return hit;
}

void kv_each(struct kv *kv, enum kv_view view, unsigned table, const struct kv_key *prefix, kv_row_fn *row,
	void *context)
{
	struct kv_key at = *prefix;
	struct str key;
	struct str value;

	while (kv_seek(kv, view, table, &at, prefix->len, &key, &value) && key.len < KV_KEY_MAX) {
		/* The next key in order is this one with a zero byte behind it; copied, as the row may go. */
		memcpy(at.bytes, key.p, key.len);
		at.len = key.len;
		kv_key_text(&at, (struct str){"", 1});
		if (!row(context, key, value))
			break;
	}
}

/* ---- room on the disk ---- */

uint64_t kv_file_used(const struct kv *kv)
{
	MDB_envinfo info;

	return mdb_env_info(kv->env, &info) ? 0 : ((uint64_t)info.me_last_pgno + 1) * kv->page;
}

bool kv_reserve(struct kv *kv, uint64_t more, struct err *err)
{
	uint64_t need = kv_file_used(kv) + more;
	struct statvfs fs;
	int fd;

	if (need <= kv->reserved)
		return true;
	if (mdb_env_get_fd(kv->env, &fd) != 0)
		return err_set(err, ERR_BUG, "spool: its database has no file");
	need = (need + RESERVE_STEP - 1) / RESERVE_STEP * RESERVE_STEP;
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)need) == 0) {
		kv->reserved = need;
		return true;
	}
	if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EPERM)
		return err_errno(err, "spool: cannot reserve room on the disk");
	/* A file system that cannot promise: ask it what is free. */
	if (fstatvfs(fd, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < more)
		return err_set(err, ERR_NOSPACE, "spool: the disk is full");
	return true;
}
