#include "config.h"

#include "keys/question.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/pack.h"

static struct str own(struct str bytes)
{
	return (struct str){mem_strndup(bytes.p ? bytes.p : "", bytes.len), bytes.len};
}

static bool take_open(struct question *question, struct str body, int fd)
{
	struct keys_open open;

	if (!keys_open_decode(body, &open) || open.inlined != (fd < 0))
		return false;
	question->ask = open.ask;
	question->kind = open.kind;
	question->signature = own(open.signature);
	if (open.inlined) {
		question->bytes = own(open.bytes);
		return true;
	}
	question->mapped = fd_map(fd, true, &question->bytes, NULL);
	return question->mapped;
}

static bool take_seal(struct question *question, struct str body, int fd)
{
	struct keys_seal seal;

	if (!keys_seal_decode(body, &seal) || seal.inlined != (fd < 0))
		return false;
	question->ask = seal.ask;
	question->seal = seal.seal.kind;
	question->signer = own(seal.seal.signer);
	question->text = own(seal.seal.recipient);
	if (seal.inlined) {
		question->bytes = own(seal.seal.bytes);
		return true;
	}
	question->mapped = fd_map(fd, true, &question->bytes, NULL);
	return question->mapped;
}

static bool take_manage(struct question *question, struct str body, int fd)
{
	struct keys_manage manage;

	if (fd >= 0 || !keys_manage_decode(body, &manage))
		return false;
	question->ask = manage.ask;
	question->text = own(manage.text);
	question->bytes = own(manage.bytes);
	return true;
}

struct question *question_new(uint16_t type, struct str body, int fd, unsigned peer)
{
	struct question *question = mem_alloc(sizeof(*question));
	bool ok = true;

	question->type = (enum keys_type)type;
	question->peer = peer;
	if (type == KEYS_OPEN)
		ok = take_open(question, body, fd);
	else if (type == KEYS_SEAL)
		ok = take_seal(question, body, fd);
	else if (type != 0)
		ok = take_manage(question, body, fd);
	fd_close(&fd);
	if (!ok)
		question_free(&question);
	return question;
}

static void give_up(struct str *bytes)
{
	if (!bytes->p)
		return;
	mem_wipe((void *)(uintptr_t)bytes->p, bytes->len);
	free((void *)(uintptr_t)bytes->p);
	*bytes = STR_NONE;
}

void question_free(struct question **question)
{
	struct question *old = *question;

	*question = NULL;
	if (!old)
		return;
	if (old->mapped)
		fd_unmap(&old->bytes);
	else
		give_up(&old->bytes);
	give_up(&old->signature);
	give_up(&old->text);
	give_up(&old->signer);
	free(old);
}

bool question_changes(const struct question *question)
{
	return question->type != KEYS_OPEN && question->type != KEYS_SEAL && question->type != KEYS_LIST &&
	       question->type != KEYS_SIGN;
}

bool question_needs_agent(const struct question *question, bool known)
{
	return question->type != KEYS_LIST || !known;
}

/* --- in the job --- */

static struct openpgp openpgp_of(const struct answering *answering)
{
	return (struct openpgp){
		answering->home, answering->passphrases, answering->known, answering->max_size};
}

static struct smime smime_of(const struct answering *answering)
{
	return (struct smime){answering->home->smime, answering->passphrases, answering->max_size};
}

static void open_part(const struct answering *answering, struct buf *answer)
{
	const struct question *question = answering->question;
	struct arena *arena = arena_new(65536);
	struct sealed sealed = {question->kind, question->bytes, question->signature};
	struct openpgp openpgp = openpgp_of(answering);
	struct smime smime = smime_of(answering);
	struct unsealed unsealed;

	if (sealed.kind == SEALED_PGP || sealed.kind == SEALED_PGP_DETACHED)
		openpgp_open(&openpgp, &sealed, arena, &unsealed);
	else
		smime_open(&smime, &sealed, arena, &unsealed);
	keys_unsealed_encode(&unsealed, answer);
}

static void seal_part(const struct answering *answering, struct buf *answer)
{
	const struct question *question = answering->question;
	struct arena *arena = arena_new(65536);
	struct seal seal = {question->seal, question->signer, question->text, question->bytes};
	struct openpgp openpgp = openpgp_of(answering);
	struct smime smime = smime_of(answering);
	struct seal_answer sealed;

	if (seal.kind == SEAL_PGP)
		openpgp_seal(&openpgp, &seal, arena, &sealed);
	else
		smime_seal(&smime, &seal, arena, &sealed);
	keys_sealed_encode(&sealed, answer);
}

/* The secret keys, as they are after this. */
struct secrets {
	struct buf packed;
	struct buf json; /* the open ones, as strings */
	uint32_t count;
	uint32_t open;
};

static void on_secret(struct str key, const char *text, void *context)
{
	struct secrets *secrets = context;

	secrets->count++;
	pack_str(&secrets->packed, key);
	pack_u8(&secrets->packed, text != NULL);
	pack_str(&secrets->packed, str_of(text ? text : ""));
	if (!text)
		return;
	if (secrets->open++ > 0)
		buf_char(&secrets->json, ',');
	buf_json_string(&secrets->json, key);
}

#define CANDIDATES (PASSPHRASE_KEYS + 4)

/* None, what is known already, what the configuration has, what was said now. */
static void collect(const struct answering *answering, const char *candidates[CANDIDATES], char *texts[2])
{
	size_t count = 0, cursor = 0;
	const char *key, *text;

	candidates[count++] = "";
	while (passphrases_next(answering->passphrases, &cursor, &key, &text)) {
		bool seen = !text;

		for (size_t i = 0; !seen && i < count; i++)
			seen = strcmp(candidates[i], text) == 0;
		if (!seen)
			candidates[count++] = text;
	}
	for (size_t i = 0; i < 2; i++)
		if (texts[i])
			candidates[count++] = texts[i];
	candidates[count] = NULL;
}

/* GnuPG that is missing or fails leaves certificates as they are. */
static bool look(const struct answering *answering, struct secrets *secrets, struct err *err)
{
	const struct question *question = answering->question;
	const char *candidates[CANDIDATES];
	char *texts[2] = {NULL, NULL};
	struct openpgp openpgp = openpgp_of(answering);
	struct smime smime = smime_of(answering);

	if (question->type != KEYS_LOCK && answering->passphrase.len > 0)
		texts[0] = mem_strndup(answering->passphrase.p, answering->passphrase.len);
	if (question->type == KEYS_UNLOCK)
		texts[1] = mem_strndup(question->bytes.p, question->bytes.len);
	collect(answering, candidates, texts);
	return (!answering->home->agent || openpgp_try(&openpgp, candidates, on_secret, secrets, err)) &&
	       smime_try(&smime, candidates, on_secret, secrets, err);
}

static bool list(const struct answering *answering, struct buf *json, struct err *err)
{
	struct openpgp openpgp = openpgp_of(answering);
	struct smime smime = smime_of(answering);
	struct buf items = {0};
	bool ok = (!answering->home->agent || openpgp_list(&openpgp, &items, err)) &&
	          smime_list(&smime, &items, err);

	buf_text(json, "{\"items\":[");
	buf_str(json, buf_view(&items));
	buf_text(json, "],\"next\":null}");
	buf_free(&items);
	return ok;
}

static bool import(const struct answering *answering, struct buf *json, struct err *err)
{
	struct openpgp openpgp = openpgp_of(answering);
	struct smime smime = smime_of(answering);
	struct str bytes = answering->question->bytes;
	struct buf items = {0};
	bool ok = smime_is_pem(bytes) ? smime_import(&smime, bytes, &items, err)
	                              : openpgp_import(&openpgp, bytes, &items, err);

	if (ok && items.len == 0)
		ok = err_set(err, ERR_MALFORMED,
			"no key in it: an OpenPGP key, or certificates in PEM, were expected");
	buf_text(json, "{\"keys\":[");
	buf_str(json, buf_view(&items));
	buf_text(json, "]");
	buf_free(&items);
	return ok;
}

static bool remove_key(const struct answering *answering, struct buf *json, struct err *err)
{
	struct openpgp openpgp = openpgp_of(answering);
	struct smime smime = smime_of(answering);
	struct str key = answering->question->text;
	bool found = false, ok = key.len == 40 || key.len == 64;

	for (size_t i = 0; i < key.len; i++)
		ok &= (key.p[i] >= '0' && key.p[i] <= '9') || (key.p[i] >= 'A' && key.p[i] <= 'F');
	if (!ok)
		return err_set(
			err, ERR_MALFORMED, "a whole fingerprint was expected, as cirt key list shows it");
	if (answering->home->agent && !openpgp_remove(&openpgp, key, &found, err))
		return false;
	if (!found && !smime_remove(&smime, key, &found, err))
		return false;
	if (!found)
		return err_set(err, ERR_NOTFOUND, "there is no key " STR_FMT, STR_ARG(key));
	buf_text(json, "{\"keys\":[");
	buf_json_string(json, key);
	buf_text(json, "]");
	return true;
}

/* Do it, then see which secret keys there are and what opens them. */
static bool change(
	const struct answering *answering, struct buf *json, struct secrets *secrets, struct err *err)
{
	const struct question *question = answering->question;
	size_t locked;

	if (question->type == KEYS_IMPORT       ? !import(answering, json, err)
		: question->type == KEYS_REMOVE ? !remove_key(answering, json, err)
						: false)
		return false;
	if (!look(answering, secrets, err))
		return false;
	if (question->type == KEYS_UNLOCK &&
		passphrases_count(answering->passphrases, &locked) - locked >= secrets->open)
		return err_set(err, ERR_DENIED,
			secrets->open == secrets->count ? "no key is locked"
							: "the passphrase opens none of the locked keys");
	if (json->len == 0) {
		buf_text(json, "{\"keys\":[");
		buf_str(json, buf_view(&secrets->json));
		buf_text(json, "]");
	}
	buf_printf(json, ",\"secret\":%u,\"open\":%u}", secrets->count, secrets->open);
	return true;
}

/* What the desk may have signed is evidence, and no mail. */
static bool sign_manifest(const struct answering *answering, struct buf *json, struct err *err)
{
	const struct question *question = answering->question;
	struct arena *arena = arena_new(16384);
	struct openpgp openpgp = openpgp_of(answering);
	struct seal seal = {.kind = SEAL_PGP, .signer = question->text, .bytes = question->bytes};
	struct seal_answer made = {.outcome = SEAL_FAILED, .reason = STR("GnuPG is not installed")};
	bool ok;

	if (!str_starts(question->bytes, STR(KEYS_MANIFEST)) || question->text.len == 0) {
		made.reason = STR("a manifest of evidence and a key of ours were expected");
	} else if (answering->home->agent) {
		openpgp_seal(&openpgp, &seal, arena, &made);
	}
	ok = made.outcome == SEAL_DONE;
	if (ok) {
		buf_text(json, "{\"signature\":");
		buf_json_string(json, made.bytes);
		buf_text(json, "}");
	} else {
		err_set(err, ERR_DENIED, STR_FMT, STR_ARG(made.reason));
	}
	arena_free(&arena);
	return ok;
}

static void manage(const struct answering *answering, struct buf *answer)
{
	struct secrets secrets = {.count = 0};
	struct buf json = {0};
	struct err err = {0};
	bool changes = question_changes(answering->question);
	bool ok = changes                                  ? change(answering, &json, &secrets, &err)
	          : answering->question->type == KEYS_SIGN ? sign_manifest(answering, &json, &err)
	                                                   : list(answering, &json, &err);

	pack_u8(answer, ok);
	pack_str(answer, ok ? buf_view(&json) : str_of(err.text));
	pack_u32(answer, secrets.count);
	buf_str(answer, buf_view(&secrets.packed));
}

void question_work(void *context, struct buf *answer)
{
	const struct answering *answering = context;

	if (answering->question->type == KEYS_OPEN)
		open_part(answering, answer);
	else if (answering->question->type == KEYS_SEAL)
		seal_part(answering, answer);
	else
		manage(answering, answer);
}
