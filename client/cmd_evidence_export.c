#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "client/download.h"
#include "client/i18n.h"

/*
 * A case's files as a folder: files/DIGEST, custody.json, and SHA256SUMS last, which has the digests of all
 * of them, with our signature beside it. A folder without it is not whole. Names are digests and ours: what
 * files were called by others stands in custody.json only.
 */

int evidence_export(struct call *call);

static bool is_digest(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

/* A file that nobody changes any more. */
static int put(const char *folder, const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", folder, name);
	struct err err;
	int code = EXIT_DONE;

	if (!file_write_atomic(path, 0400, str_of(text), &err))
		code = download_complain(path, err.text);
	free(path);
	return code;
}

static int fetch(struct call *call, const char *folder, const char *digest)
{
	char *path = mem_printf("%s/files/%s", folder, digest);
	int64_t size;
	int code = download_file(call, digest, path, &size);

	if (code == EXIT_DONE && chmod(path, 0400) != 0)
		code = download_complain(path, strerror(errno));
	free(path);
	return code;
}

static int fetch_all(struct call *call, const char *folder, struct json_object *files)
{
	size_t count = files ? json_object_array_length(files) : 0;
	bool told = isatty(STDERR_FILENO);
	int code = EXIT_DONE;

	for (size_t i = 0; i < count && code == EXIT_DONE; i++) {
		const char *digest = json_object_get_string(json_object_array_get_idx(files, i));

		if (told)
			fprintf(stderr, _("\r%zu of %zu files"), i + 1, count);
		code = digest && is_digest(digest)
		               ? fetch(call, folder, digest)
		               : download_complain(
					 "evidence", _("the daemon's answer is not what was expected"));
	}
	if (told && count > 0)
		fputc('\n', stderr);
	return code;
}

static int fill(struct call *call, const char *folder, struct json_object *result)
{
	char *files = mem_printf("%s/files", folder);
	const char *signature = member_text(result, "signature");
	int code = mkdir(files, 0700) == 0 ? EXIT_DONE : download_complain(files, strerror(errno));

	free(files);
	if (code == EXIT_DONE)
		code = fetch_all(call, folder, member_of(result, "files"));
	if (code == EXIT_DONE)
		code = put(folder, "custody.json", member_text(result, "custody"));
	if (code == EXIT_DONE && *signature)
		code = put(folder, "SHA256SUMS.asc", signature);
	return code == EXIT_DONE ? put(folder, "SHA256SUMS", member_text(result, "manifest")) : code;
}

static void tell(struct call *call, const char *folder, struct json_object *result)
{
	size_t count = json_object_array_length(member_of(result, "files"));
	bool is_signed = *member_text(result, "signature") != 0;
	struct buf safe = {0};

	if (call->invocation->json) {
		struct json_object *answer = json_object_new_object();
		json_object_object_add(answer, "output", json_object_new_string(folder));
		json_object_object_add(answer, "files", json_object_new_int64((int64_t)count));
		json_object_object_add(answer, "gone", json_object_get(member_of(result, "gone")));
		json_object_object_add(answer, "tlp", json_object_get(member_of(result, "tlp")));
		json_object_object_add(answer, "signed", json_object_new_boolean(is_signed));
		json_object_object_add(answer, "unsigned_because", json_object_get(member_of(result, "why")));
		call_json(call, answer);
		json_object_put(answer);
		return;
	}
	screen_cell(str_of(folder), &safe);
	screen_printf(&call->screen,
		ngettext("%zu file of case %s in %s, TLP:%s.\n", "%zu files of case %s in %s, TLP:%s.\n",
			count),
		count, member_text(result, "case"), buf_cstr(&safe), member_text(result, "tlp"));
	if (member_number(result, "gone") > 0)
		screen_printf(&call->screen, _("%lld more are not kept any more.\n"),
			(long long)member_number(result, "gone"));
	if (is_signed)
		screen_printf(&call->screen, "%s\n", _("Signed: gpg --verify SHA256SUMS.asc SHA256SUMS"));
	else
		screen_printf(&call->screen, _("Not signed: %s\n"), member_text(result, "why"));
	screen_printf(&call->screen, "%s\n", _("Check it: sha256sum -c SHA256SUMS. Files may be hostile."));
	buf_free(&safe);
}

static int make(struct call *call, const char *folder, struct json_object *result)
{
	int code = fill(call, folder, result);

	if (code == EXIT_DONE)
		tell(call, folder, result);
	else
		download_complain(folder, _("it is not whole: SHA256SUMS is missing"));
	return code;
}

/* Nothing has left. */
static int waits(struct call *call, struct json_object *result)
{
	if (call->invocation->json)
		call_json(call, result);
	else
		approval_show(call, result);
	return EXIT_DONE;
}

/* The folder is there, and stays empty where nothing leaves. */
static int ask(struct call *call, const char *folder)
{
	struct rpc_message answer;
	struct err err;
	int code = call_connect(call);

	if (code != EXIT_DONE)
		return code;
	if (!link_call(call->link, call->method, call->invocation->params, NULL, NULL, &answer, &err))
		return call_broken(call, &err);
	if (answer.kind == RPC_ERROR)
		code = call_failed(call, &answer);
	else if (member_true(answer.result, "waits"))
		code = waits(call, answer.result);
	else
		code = make(call, folder, answer.result);
	rpc_free(&answer);
	return code;
}

int evidence_export(struct call *call)
{
	const char *folder = member_text(call->invocation->params, "output");
	int code;

	if (!*folder) {
		fprintf(stderr, "cirt: %s\n",
			_("say where to: --output DIR, a folder that is not there yet"));
		return EXIT_USAGE;
	}
	/* The word of a second person is used up by asking: what is wrong with the folder is said before. */
	if (mkdir(folder, 0700) != 0)
		return download_complain(folder, strerror(errno));
	code = ask(call, folder);
	if (rmdir(folder) != 0 && errno != ENOTEMPTY && errno != EEXIST)
		download_complain(folder, strerror(errno));
	return code;
}
