#include "config.h"

#include "client/download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "client/i18n.h"

struct download {
	struct call *call;
	const char *digest;
	struct sha256 *hash;
	const char *name; /* NULL: standard output */
	char *part;       /* what it is written to until all of it is here */
	int fd;
	int64_t size;
	int64_t have;
};

int download_complain(const char *name, const char *why)
{
	struct buf safe = {0};
	size_t len = strlen(name);

	screen_safe(str_of(name), &safe);
	buf_text(&safe, ": ");
	/* What could not be opened names itself. */
	screen_safe(str_of(!strncmp(why, name, len) && why[len] == ':'
				    ? why + len + 1 + strspn(why + len + 1, " ")
				    : why),
		&safe);
	fprintf(stderr, "cirt: %s\n", buf_cstr(&safe));
	buf_free(&safe);
	return EXIT_FAILED;
}

static int start(struct download *download)
{
	if (!download->name) {
		download->fd = STDOUT_FILENO;
		if (!isatty(STDOUT_FILENO))
			return EXIT_DONE;
		fputs(_("cirt: a terminal is no place for these bytes: say --output FILE\n"), stderr);
		return EXIT_USAGE;
	}
	download->part = mem_printf("%s.part", download->name);
	if (access(download->name, F_OK) == 0)
		return download_complain(download->name, strerror(EEXIST));
	download->fd = open(download->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return download->fd < 0 ? download_complain(download->part, strerror(errno)) : EXIT_DONE;
}

static int take_piece(struct download *download, struct json_object *piece)
{
	struct buf bytes = {0};
	struct err err;
	int code = EXIT_DONE;

	download->size = member_number(piece, "size");
	if (!base64_decode(str_of(member_text(piece, "data")), true, &bytes) ||
		(bytes.len == 0 && download->have < download->size)) {
		code = download_complain("evidence", _("the daemon's answer is not what was expected"));
	} else {
		sha256_update(download->hash, bytes.data, bytes.len);
		download->have += (int64_t)bytes.len;
		if (!fd_write_all(download->fd, bytes.data, bytes.len, &err))
			code = download_complain(download->name ? download->part : "-", err.text);
	}
	buf_free(&bytes);
	return code;
}

static int ask_piece(struct download *download)
{
	struct call *call = download->call;
	struct json_object *params = json_object_new_object();
	struct rpc_message answer;
	struct err err;
	int code = EXIT_DONE;

	json_object_object_add(params, "digest", json_object_new_string(download->digest));
	json_object_object_add(params, "offset", json_object_new_int64(download->have));
	if (!link_call(call->link, "evidence.get", params, NULL, NULL, &answer, &err)) {
		code = call_broken(call, &err);
	} else {
		code = answer.kind == RPC_ERROR ? call_failed(call, &answer)
		                                : take_piece(download, answer.result);
		rpc_free(&answer);
	}
	json_object_put(params);
	return code;
}

/* What came must be what was asked for. */
static int finish(struct download *download)
{
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX], wanted[SHA256_HEX] = "";
	const char *text = download->digest;

	sha256_final(download->hash, digest);
	hex_encode(digest, SHA256_LEN, hex);
	if (hex_decode(str_of(text), digest, SHA256_LEN))
		hex_encode(digest, SHA256_LEN, wanted);
	if (strcmp(hex, wanted) != 0)
		return download_complain(text, _("what came has another digest"));
	if (!download->name)
		return EXIT_DONE;
	if (fsync(download->fd) != 0 || link(download->part, download->name) != 0)
		return download_complain(download->name, strerror(errno));
	return EXIT_DONE;
}

int download_file(struct call *call, const char *digest, const char *name, int64_t *size)
{
	struct download download = {
		.call = call, .digest = digest, .fd = -1, .hash = sha256_new(), .name = name};
	int code = start(&download);

	do {
		if (code == EXIT_DONE)
			code = ask_piece(&download);
	} while (code == EXIT_DONE && download.have < download.size);
	if (code == EXIT_DONE)
		code = finish(&download);
	*size = download.size;
	if (download.name && download.fd >= 0) {
		fd_close(&download.fd);
		unlink(download.part);
	}
	free(download.part);
	sha256_free(&download.hash);
	return code;
}
