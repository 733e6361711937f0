#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"
#include "client/maildir.h"
#include "client/piece.h"
#include "model/source.h"

#define DATA_BYTES 49152u /* of the file, in one message */
#define STDIN_MAX  (1u << 30)
#define BAR_WIDTH  28
#define BAR_EVERY  (CLOCK_SECOND / 10)

/* A maildir on its way: its mails are told of together. */
struct folder {
	const char *path;
	struct maildir maildir;
	size_t at;                   /* the mail that is being sent */
	struct json_object *entries; /* of all */
	size_t known;                /* taken in before */
	size_t failed;
	int64_t drawn; /* when the bar was drawn */
};

/* One file on its way. */
struct upload {
	struct call *call;
	struct folder *folder; /* it is of; NULL */
	const char *name;      /* as shown, and as the entry's envelope says */
	struct pieces pieces;
	bool ready;
	int64_t most;      /* bytes that a piece may have */
	size_t left_out;   /* that have more */
	int64_t committed; /* offset up to which it is durable */
	int64_t drawn;     /* when the bar was drawn */
	bool bar;
};

/* So much of a file or folder is durable. */
static void draw(const char *what, double share, bool last)
{
	int full = (int)(share * BAR_WIDTH);
	struct buf name = {0};

	screen_cell(utf8_cut(str_of(what), 40), &name);
	fprintf(stderr, "\r%-40s [", buf_cstr(&name));
	for (int i = 0; i < BAR_WIDTH; i++)
		fputc(i < full ? '#' : '-', stderr);
	fprintf(stderr, "] %3d %%%s", (int)(share * 100), last ? "\r\033[K" : "");
	fflush(stderr);
	buf_free(&name);
}

static void draw_bar(struct upload *upload, bool last)
{
	int64_t now = clock_monotonic();
	size_t size = upload->pieces.bytes.len;
	int64_t *drawn = upload->folder ? &upload->folder->drawn : &upload->drawn;

	if (!upload->bar || (now - *drawn < BAR_EVERY && (upload->folder || !last)))
		return;
	*drawn = now;
	if (upload->folder)
		draw(upload->folder->path,
			(double)upload->folder->at / (double)upload->folder->maildir.mails.count, false);
	else
		draw(upload->name, size ? (double)upload->committed / (double)size : 1, last);
}

static void tell_waiting(const struct upload *upload, const char *who)
{
	struct buf file = {0}, name = {0};

	screen_cell(str_of(upload->name), &file);
	screen_cell(str_of(who), &name);
	fprintf(stderr, _("cirt submit: %s is being taken in by %s just now: this waits for its end\n"),
		buf_cstr(&file), buf_cstr(&name));
	buf_free(&file);
	buf_free(&name);
}

static void notified(const struct rpc_message *message, void *context)
{
	struct upload *upload = context;
	int64_t offset = member_number(message->params, "offset");

	if (str_equal(message->method, STR("submit.waiting"))) {
		tell_waiting(upload, member_text(message->params, "operator"));
		return;
	}
	if (offset < 0 || (uint64_t)offset > upload->pieces.bytes.len)
		return;
	if (str_equal(message->method, STR("submit.ready"))) {
		upload->ready = true;
		upload->most = member_number(message->params, "most");
		upload->pieces.offset = (size_t)offset;
		upload->committed = offset;
	} else if (str_equal(message->method, STR("submit.progress")) && offset > upload->committed) {
		upload->committed = offset;
	}
	draw_bar(upload, false);
}

/* Wait for a message. True with *ended: it is the answer, and belongs to the caller. */
static bool hear(struct upload *upload, int64_t id, struct rpc_message *answer, bool *ended, struct err *err)
{
	*ended = false;
	if (!link_next(upload->call->link, answer, err)) {
		rpc_free(answer);
		return false;
	}
	if (answer->kind == RPC_NOTIFICATION) {
		notified(answer, upload);
	} else if (json_object_get_int64(answer->id) == id) {
		*ended = true;
		return true;
	}
	rpc_free(answer);
	return true;
}

static bool tell_data(struct upload *upload, int64_t id, struct str bytes, struct err *err)
{
	struct json_object *params = json_object_new_object();
	struct buf text = {0};

	base64_encode(bytes, &text);
	json_object_object_add(params, "submit", json_object_new_int64(id));
	json_object_object_add(
		params, "data", json_object_new_string_len(text.data ? text.data : "", (int)text.len));
	bool ok = link_tell(upload->call->link, "submit.data", params, err);
	json_object_put(params);
	buf_free(&text);
	return ok;
}

static bool tell_mark(struct upload *upload, int64_t id, const char *method, struct err *err)
{
	struct json_object *params = json_object_new_object();

	json_object_object_add(params, "submit", json_object_new_int64(id));
	json_object_object_add(params, "offset", json_object_new_int64((int64_t)upload->pieces.offset));
	bool ok = link_tell(upload->call->link, method, params, err);
	json_object_put(params);
	return ok;
}

/* One piece in messages of DATA_BYTES; ends early, with the answer, where the desk refuses. */
static bool send_piece(struct upload *upload, int64_t id, struct str piece, struct rpc_message *answer,
	bool *ended, struct err *err)
{
	while (piece.len && !*ended) {
		size_t len = piece.len < DATA_BYTES ? piece.len : DATA_BYTES;
		if (!tell_data(upload, id, (struct str){piece.p, len}, err))
			return false;
		piece = (struct str){piece.p + len, piece.len - len};
		while (!*ended && link_waiting(upload->call->link))
			if (!hear(upload, id, answer, ended, err))
				return false;
	}
	return *ended || tell_mark(upload, id, "submit.piece", err);
}

/* An entry may have no more bytes. The pieces behind it are taken in. */
static bool is_too_long(struct upload *upload, size_t start, struct str piece)
{
	struct buf safe = {0};

	if (upload->most <= 0 || piece.len <= (uint64_t)upload->most)
		return false;
	screen_cell(str_of(upload->name), &safe);
	fprintf(stderr, _("cirt submit: %s: what begins at byte %zu has %zu bytes, at most %lld: left out\n"),
		buf_cstr(&safe), start, piece.len, (long long)upload->most);
	buf_free(&safe);
	upload->left_out++;
	return true;
}

static bool converse(struct upload *upload, int64_t id, struct rpc_message *answer, struct err *err)
{
	struct buf space = {0};
	struct str piece;
	bool ended = false, ok = true;
	size_t start;

	while (ok && !ended && !upload->ready)
		ok = hear(upload, id, answer, &ended, err);
	for (start = upload->pieces.offset; ok && !ended && piece_next(&upload->pieces, &space, &piece);
		start = upload->pieces.offset)
		if (piece.len && !is_too_long(upload, start, piece))
			ok = send_piece(upload, id, piece, answer, &ended, err);
	if (ok && !ended)
		ok = tell_mark(upload, id, "submit.end", err);
	while (ok && !ended)
		ok = hear(upload, id, answer, &ended, err);
	buf_free(&space);
	return ok;
}

static struct json_object *opening(struct upload *upload)
{
	struct json_object *asked = upload->call->invocation->params, *params = json_object_new_object();
	static const char *const passed[] = {"source", "exercise", "again"};
	static const char *const formats[] = {
		[PIECE_WHOLE] = "auto", [PIECE_MBOX] = "mail", [PIECE_LINES] = "lines"};
	const char *format = member_text(asked, "format");
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX];
	struct buf name = {0};
	enum format wanted;

	upload->pieces.kind = piece_guess(upload->pieces.bytes);
	/* An object spread over lines, and a log with its head, mean something only whole. */
	if (format_parse(str_of(format), &wanted) && format_is_lines(wanted))
		upload->pieces.kind = wanted == FORMAT_LINES || upload->pieces.kind == PIECE_LINES
		                              ? PIECE_LINES
		                              : PIECE_WHOLE;
	else if (*format && strcmp(format, "auto") != 0 &&
		 (strcmp(format, "mail") != 0 || upload->pieces.kind != PIECE_MBOX))
		upload->pieces.kind = PIECE_WHOLE;
	sha256(upload->pieces.bytes, digest);
	screen_cell(str_of(upload->name), &name);
	struct str cut = utf8_cut(buf_view(&name), 255);
	json_object_object_add(params, "name", json_object_new_string_len(cut.p ? cut.p : "", (int)cut.len));
	json_object_object_add(params, "size", json_object_new_int64((int64_t)upload->pieces.bytes.len));
	json_object_object_add(params, "digest", json_object_new_string(hex_encode(digest, SHA256_LEN, hex)));
	json_object_object_add(params, "format",
		json_object_new_string(
			*format && strcmp(format, "auto") != 0 ? format : formats[upload->pieces.kind]));
	for (size_t i = 0; i < ARRAY_LEN(passed); i++)
		if (member_of(asked, passed[i]))
			json_object_object_add(
				params, passed[i], json_object_get(member_of(asked, passed[i])));
	buf_free(&name);
	return params;
}

/* Of a folder each mail is counted, and told of at the end. */
static void gather(struct folder *folder, struct json_object *result)
{
	struct json_object *entries = member_of(result, "entries");
	size_t count = entries ? json_object_array_length(entries) : 0;

	for (size_t i = 0; i < count; i++)
		json_object_array_add(
			folder->entries, json_object_get(json_object_array_get_idx(entries, i)));
	folder->known += count == 0;
}

static void tell_result(struct upload *upload, struct json_object *result, struct json_object *items)
{
	struct json_object *entries = member_of(result, "entries");
	size_t count = entries ? json_object_array_length(entries) : 0;
	struct buf line = {0};

	json_object_object_add(result, "file", json_object_new_string(upload->name));
	json_object_object_add(result, "left_out", json_object_new_int64((int64_t)upload->left_out));
	json_object_array_add(items, json_object_get(result));
	if (upload->call->invocation->json)
		return;
	screen_cell(str_of(upload->name), &line);
	if (count == 0 && upload->left_out > 0)
		buf_text(&line, _(": nothing was taken in"));
	else if (count == 0)
		buf_text(&line, _(": was taken in before; --again takes it in once more"));
	else if (count == 1)
		buf_printf(&line, _(": taken in as %s"),
			json_object_get_string(json_object_array_get_idx(entries, 0)));
	else
		buf_printf(&line, _(": taken in as %zu entries, %s to %s"), count,
			json_object_get_string(json_object_array_get_idx(entries, 0)),
			json_object_get_string(json_object_array_get_idx(entries, count - 1)));
	buf_char(&line, '\n');
	buf_str(&upload->call->screen.out, buf_view(&line));
	buf_free(&line);
}

static int submit_bytes(struct call *call, struct folder *folder, const char *name, struct str bytes,
	struct json_object *items)
{
	struct upload upload = {.call = call,
		.folder = folder,
		.name = name,
		.pieces = {.bytes = bytes},
		.bar = isatty(STDERR_FILENO)};
	struct rpc_message answer = {0};
	struct err err;
	int code = EXIT_DONE;

	if (bytes.len == 0) {
		fprintf(stderr, _("cirt submit: %s is empty\n"), name);
		return EXIT_FAILED;
	}
	struct json_object *params = opening(&upload);
	int64_t id = link_ask(call->link, "submit", params, &err);
	json_object_put(params);
	bool ok = id >= 0 && converse(&upload, id, &answer, &err);
	draw_bar(&upload, true);
	if (!ok)
		return call_broken(call, &err);
	if (answer.kind == RPC_ERROR)
		code = call_failed(call, &answer);
	else if (upload.left_out > 0)
		code = EXIT_FAILED;
	if (answer.kind != RPC_ERROR && !(folder && upload.left_out))
		folder ? gather(folder, answer.result) : tell_result(&upload, answer.result, items);
	rpc_free(&answer);
	return code;
}

static int refuse_file(const char *path, const char *why)
{
	struct buf safe = {0};

	screen_cell(str_of(path), &safe);
	fprintf(stderr, "cirt submit: %s: %s\n", buf_cstr(&safe), why);
	buf_free(&safe);
	return EXIT_FAILED;
}

static int submit_stdin(struct call *call, struct json_object *items)
{
	struct buf bytes = {0};
	ssize_t got;

	do {
		got = read(STDIN_FILENO, buf_space(&bytes, 65536), 65536);
		if (got > 0)
			buf_grow(&bytes, (size_t)got);
	} while ((got > 0 && bytes.len < STDIN_MAX) || (got < 0 && errno == EINTR));
	int code = got == 0
	                   ? submit_bytes(call, NULL, "-", buf_view(&bytes), items)
	                   : refuse_file("-", got < 0 ? strerror(errno) : _("longer than 1 GB: name a file"));
	buf_free(&bytes);
	return code;
}

static int submit_file(struct call *call, struct folder *folder, const char *path, struct json_object *items)
{
	struct str bytes = STR_NONE;
	struct stat info;
	struct err err;
	int code;
	/* Whoever may write into a folder chooses its links; a file that a person names may be one. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (folder ? O_NOFOLLOW : 0));

	if (fd < 0)
		return refuse_file(
			path, folder && errno == ELOOP ? _("is a link: not followed") : strerror(errno));
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
		code = refuse_file(path, _("is not a file"));
	} else if (info.st_size == 0) {
		code = refuse_file(path, _("is empty"));
	} else if (!fd_map(fd, false, &bytes, &err)) {
		code = refuse_file(path, err.text);
	} else {
		code = submit_bytes(call, folder, path, bytes, items);
		fd_unmap(&bytes);
	}
	close(fd);
	return code;
}

static struct json_object *names_json(const struct names *names)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; names && i < names->count; i++)
		json_object_array_add(list, json_object_new_string(names->list[i]));
	return list;
}

static void tell_names(const char *path, const char *what, const struct names *names, const char *hint)
{
	struct buf line = {0};

	if (names->count == 0)
		return;
	screen_cell(str_of(path), &line);
	buf_printf(&line, ": %s", what);
	for (size_t i = 0; i < names->count; i++) {
		buf_text(&line, i ? ", " : " ");
		screen_cell(str_of(names->list[i]), &line);
	}
	fprintf(stderr, "cirt submit: %s%s\n", buf_cstr(&line), hint);
	buf_free(&line);
}

static void tell_folder(struct call *call, const struct folder *folder, bool inner, struct json_object *items)
{
	struct json_object *told = json_object_new_object();
	size_t taken = json_object_array_length(folder->entries);
	struct buf line = {0};

	json_object_object_add(told, "file", json_object_new_string(folder->path));
	json_object_object_add(told, "entries", json_object_get(folder->entries));
	json_object_object_add(told, "known", json_object_new_int64((int64_t)folder->known));
	json_object_object_add(told, "failed", json_object_new_int64((int64_t)folder->failed));
	json_object_object_add(told, "folders_left_out", names_json(inner ? NULL : &folder->maildir.folders));
	json_object_object_add(told, "links_left_out", names_json(&folder->maildir.links));
	json_object_array_add(items, told);
	tell_names(folder->path, _("links are not followed:"), &folder->maildir.links, "");
	if (!inner)
		tell_names(folder->path, _("folders in it are left out:"), &folder->maildir.folders,
			_("; --folders takes them in too"));
	if (call->invocation->json)
		return;
	screen_cell(str_of(folder->path), &line);
	buf_printf(&line, _(": %zu mails taken in, %zu were taken in before, %zu failed\n"), taken,
		folder->known, folder->failed);
	buf_str(&call->screen.out, buf_view(&line));
	buf_free(&line);
}

/* Every mail of a maildir. What was interrupted goes on: each mail that was taken in is known by what it is,
 * wherever it has been moved since. */
static int submit_folder(struct call *call, const char *path, struct json_object *items)
{
	struct folder folder = {.path = path, .entries = json_object_new_array()};
	bool inner = json_object_get_boolean(member_of(call->invocation->params, "folders"));
	int code = EXIT_DONE;

	if (!maildir_read(path, inner, &folder.maildir)) {
		json_object_put(folder.entries);
		maildir_free(&folder.maildir);
		return refuse_file(path, _("is a folder, but not a maildir (no new/ and cur/ in it)"));
	}
	for (; folder.at < folder.maildir.mails.count && (code == EXIT_DONE || code == EXIT_FAILED);
		folder.at++) {
		int one = submit_file(call, &folder, folder.maildir.mails.list[folder.at], items);
		folder.failed += one != EXIT_DONE;
		code = one != EXIT_DONE ? one : code;
	}
	if (folder.drawn)
		draw(path, 1, true);
	tell_folder(call, &folder, inner, items);
	json_object_put(folder.entries);
	maildir_free(&folder.maildir);
	return code;
}

static int submit_one(struct call *call, const char *path, struct json_object *items)
{
	struct stat info;

	if (!strcmp(path, "-"))
		return submit_stdin(call, items);
	if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
		return submit_folder(call, path, items);
	return submit_file(call, NULL, path, items);
}

static int submit_run(struct call *call)
{
	struct json_object *files = member_of(call->invocation->params, "file");
	struct json_object *result = json_object_new_object(), *items = json_object_new_array();
	int code = call_connect(call);

	json_object_object_add(result, "items", items);
	json_object_object_add(result, "next", NULL);
	for (size_t i = 0; i < json_object_array_length(files) && (code == EXIT_DONE || code == EXIT_FAILED);
		i++) {
		int one =
			submit_one(call, json_object_get_string(json_object_array_get_idx(files, i)), items);
		code = one != EXIT_DONE ? one : code;
	}
	if (call->invocation->json && json_object_array_length(items))
		call_json(call, result);
	json_object_put(result);
	return code;
}

const struct command submit_commands[] = {{"submit", NULL, submit_run}, {NULL, NULL, NULL}};
