#include "config.h"

#include "base/mem.h"
#include "model/storable.h"
#include "wire/armour.h"
#include "wire/html.h"
#include "wire/letter.h"
#include "wire/mime.h"

/* What is encrypted or signed in a mail: PGP/MIME (RFC 3156), S/MIME (RFC 8551), OpenPGP in the text. */
#define SEALED_MAX MAIL_SEALED_MAX

/* --- what is said of it --- */

static const char *engine_of(enum sealed_kind kind)
{
	return kind == SEALED_PGP || kind == SEALED_PGP_DETACHED ? "openpgp" : "smime";
}

/* Of this place too: what a machine says there is signed by the same. */
static void say(struct mail *mail, struct mail_place *place, enum sealed_kind kind, struct str key,
	struct str part, struct str outcome)
{
	struct mail_seal *seal = arena_alloc(mail->reading->arena, sizeof(*seal));
	struct verdict verdict = {.engine = str_of(engine_of(kind)),
		.rule = key,
		.set_digest = STR(""),
		.part = part,
		.outcome = outcome};

	reading_verdict(mail->reading, mail_report(mail), &verdict);
	*seal = (struct mail_seal){place->seals, verdict};
	place->seals = seal;
}

static struct str describe(const struct mail *mail, const struct seal_signature *signature)
{
	struct arena *arena = mail->reading->arena;
	struct str key = signature->key.len > 0 ? signature->key : STR("an unknown key");
	const char *of_key = signature_key_text(signature->state);

	if (signature->who.len > 0)
		key = arena_printf(arena, STR_FMT " (" STR_FMT ")", STR_ARG(key),
			STR_ARG(utf8_cut(signature->who, 160)));
	return arena_printf(arena, "%s by " STR_FMT "%s%s", signature_state_text(signature->state),
		STR_ARG(key), of_key[0] ? ", " : "", of_key);
}

/* For the text: the whole fingerprint and the address would be searched as its indicators. */
static struct str describe_shortly(const struct mail *mail, const struct seal_signature *signature)
{
	size_t length = signature->key.len < 16 ? signature->key.len : 16;
	struct str key = {signature->key.p + signature->key.len - length, length};
	const char *of_key = signature_key_text(signature->state);

	return arena_printf(mail->reading->arena, "%s by %skey " STR_FMT "%s%s",
		signature_state_text(signature->state), key.len > 0 ? "" : "an unknown ", STR_ARG(key),
		of_key[0] ? ", " : "", of_key);
}

/* Does the key belong to who the mail says it is from? */
static bool is_sender(const struct mail *mail, struct str addresses)
{
	struct str address;

	while (str_split(&addresses, ' ', &address))
		if (address.len > 0 && str_equal_nocase(address, mail->reporter))
			return true;
	return false;
}

/* True: one of them holds, so that these bytes were signed. */
static bool say_signatures(struct mail *mail, struct mail_place *place, enum sealed_kind kind,
	const struct unsealed *unsealed, struct str part)
{
	bool holds = false;

	for (size_t i = 0; i < unsealed->signature_count; i++) {
		const struct seal_signature *one = &unsealed->signatures[i];

		say(mail, place, kind, one->key, part, describe(mail, one));
		if (!signature_holds(one->state))
			continue;
		holds = true;
		if (one->addresses.len > 0 && !is_sender(mail, one->addresses))
			reading_note(mail->reading, mail_report(mail),
				STR_FMT " is signed by " STR_FMT
					", but the mail says that it is from " STR_FMT,
				STR_ARG(part), STR_ARG(utf8_cut(one->who, 120)),
				STR_ARG(utf8_cut(mail->reporter, 120)));
	}
	mail->signed_parts += holds;
	return holds;
}

/* --- asking --- */

static void not_enabled(struct mail *mail, struct str part)
{
	reading_note(mail->reading, mail_report(mail),
		STR_FMT ": encrypted or signed, and not looked at: keys are not enabled", STR_ARG(part));
}

static bool ask(struct mail *mail, const struct sealed *sealed, struct str part, struct unsealed *unsealed)
{
	struct reading *reading = mail->reading;

	*unsealed = (struct unsealed){.outcome = UNSEAL_FAILED};
	if (reading->waits)
		return false;
	if (!reading->open_sealed) {
		not_enabled(mail, part);
		return false;
	}
	if (mail->sealed_parts++ >= SEALED_MAX) {
		if (mail->sealed_parts == SEALED_MAX + 1)
			reading_note(reading, mail_report(mail),
				"more than %d encrypted or signed parts; the others are not opened",
				SEALED_MAX);
		return false;
	}
	reading->open_sealed(reading, mail_item(mail)->number, sealed, unsealed);
	reading->waits |= unsealed->outcome == UNSEAL_LOCKED || unsealed->outcome == UNSEAL_AWAY;
	return !reading->waits;
}

/* What could not be opened is kept: as evidence it was before, in quarantine it can be run again with the
 * right key. */
static void set_aside(struct mail *mail, const struct unsealed *unsealed, struct str part, struct str raw)
{
	if (unsealed->reason.len == 0)
		return; /* nobody was asked */
	reading_note(mail->reading, mail_report(mail), STR_FMT " cannot be opened: " STR_FMT, STR_ARG(part),
		STR_ARG(unsealed->reason));
	reading_quarantine(
		mail->reading, part, "keys", raw, "it cannot be opened: " STR_FMT, STR_ARG(unsealed->reason));
}

static void say_opened(struct mail *mail, struct mail_place *place, enum sealed_kind kind,
	const struct unsealed *unsealed, struct str part)
{
	if (!unsealed->encrypted)
		return;
	say(mail, place, kind, unsealed->key, part,
		arena_printf(
			mail->reading->arena, "decrypted with our key " STR_FMT, STR_ARG(unsealed->key)));
}

/* --- what was inside --- */

/* The subject stands inside where the one outside says nothing (protected headers). */
static void take_subject(struct mail *mail, GMimeMessage *inside)
{
	static const char *const dummies[] = {
		"", "...", "Encrypted Message", "Encrypted message", "(no subject)", "[...]"};
	struct str subject = mail_header(mail, GMIME_OBJECT(inside), "Subject");
	struct str tags = letter_tags(subject, mail->reading->arena);

	if (subject.len == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(dummies); i++)
		if (str_equal(str_trim(mail_report(mail)->title), str_of(dummies[i]))) {
			mail_report(mail)->title = mail_one_line(mail, subject);
			break;
		}
	extract_observables(mail->reading, mail_report(mail), subject);
	if (tags.len > 0)
		mail_item(mail)->letter.tags = tags;
}

/* A whole MIME part: walked as if it had stood there. False: it is none. */
static bool walk_opened(struct mail *mail, struct str plain, struct str part, struct mail_place place)
{
	GMimeObject *last = mail->last;
	struct str last_path = mail->last_path;
	GMimeMessage *inside = mail_parse(mail, plain, part);
	GMimeObject *body = inside ? g_mime_message_get_mime_part(inside) : NULL;

	if (!inside)
		return false;
	reading_evidence(mail->reading, mail_item(mail)->number,
		arena_printf(mail->reading->arena, STR_FMT " opened.eml", STR_ARG(part)),
		STR("message/rfc822"), plain);
	if (place.opened)
		take_subject(mail, inside);
	place.depth++;
	if (body)
		mail_walk(mail, body, place);
	g_object_unref(inside);
	mail->last = last; /* not one of those that are gone now */
	mail->last_path = last_path;
	return true;
}

/* "a.csv.pgp" → "a.csv" */
static struct str inner_name(struct str name)
{
	static const char *const endings[] = {".pgp", ".gpg", ".asc", ".p7m"};

	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if (name.len > 4 &&
			str_equal_nocase((struct str){name.p + name.len - 4, 4}, str_of(endings[i])))
			return (struct str){name.p, name.len - 4};
	return STR_NONE;
}

static bool begins_as_part(struct str bytes)
{
	return (bytes.len > 8 && str_equal_nocase((struct str){bytes.p, 8}, STR("content-"))) ||
	       (bytes.len > 13 && str_equal_nocase((struct str){bytes.p, 13}, STR("mime-version:")));
}

static void take_inside(struct mail *mail, const struct unsealed *unsealed, struct str part, struct str name,
	struct mail_place place)
{
	if (!begins_as_part(unsealed->plain) || !walk_opened(mail, unsealed->plain, part, place))
		mail_take_bytes(mail, unsealed->plain, name, place);
}

/* --- parts that are sealed as a whole --- */

static void take_sealed(struct mail *mail, const struct sealed *sealed, struct str raw, struct str name,
	bool entity, struct mail_place place)
{
	struct str part = mail_place_name(mail, place.path);
	struct unsealed unsealed;

	if (!ask(mail, sealed, part, &unsealed) || unsealed.outcome != UNSEAL_OPENED) {
		if (!mail->reading->waits)
			set_aside(mail, &unsealed, part, raw);
		return;
	}
	say_opened(mail, &place, sealed->kind, &unsealed, part);
	place.covered |= say_signatures(mail, &place, sealed->kind, &unsealed, part);
	place.opened |= unsealed.encrypted;
	if (!entity || !walk_opened(mail, unsealed.plain, part, place))
		take_inside(mail, &unsealed, part, name, place);
}

static bool is_type(GMimeObject *object, const char *type, const char *subtype)
{
	GMimeContentType *of = g_mime_object_get_content_type(object);

	return of && g_mime_content_type_is_type(of, type, subtype);
}

static struct str parameter(GMimeObject *object, const char *name)
{
	GMimeContentType *type = object ? g_mime_object_get_content_type(object) : NULL;

	return str_of(type ? g_mime_content_type_get_parameter(type, name) : NULL);
}

static void keep(struct mail *mail, GMimeObject *object, struct str name, struct str bytes)
{
	reading_evidence(mail->reading, mail_item(mail)->number, name,
		object ? mail_media_type(mail, object) : STR("application/octet-stream"), bytes);
}

static void take_encrypted_part(struct mail *mail, GMimeObject *data, struct mail_place place)
{
	struct sealed sealed = {.kind = SEALED_PGP, .bytes = mail_decoded(mail, GMIME_PART(data))};

	keep(mail, data, STR("encrypted.asc"), sealed.bytes);
	take_sealed(mail, &sealed, mail_raw(mail, data), STR(""), true, place);
}

static bool take_encrypted(struct mail *mail, GMimeMultipart *multipart, struct mail_place place)
{
	GMimeObject *data;

	if (g_mime_multipart_get_count(multipart) < 2)
		return false;
	data = g_mime_multipart_get_part(multipart, 1);
	if (!GMIME_IS_PART(data))
		return false;
	place.path = mail_child_path(mail, place.path, 2);
	place.depth++;
	take_encrypted_part(mail, data, place);
	return true;
}

/* --- signatures beside what they cover --- */

/* Any part inside with bytes of its own: it knows where in the mail it stands. */
static GMimePart *any_leaf(GMimeObject *object, unsigned depth)
{
	while (object && depth-- > 0) {
		if (GMIME_IS_PART(object))
			return g_mime_part_get_content(GMIME_PART(object)) ? GMIME_PART(object) : NULL;
		if (GMIME_IS_MULTIPART(object)) {
			object = g_mime_multipart_get_count(GMIME_MULTIPART(object)) > 0
			                 ? g_mime_multipart_get_part(GMIME_MULTIPART(object), 0)
			                 : NULL;
		} else if (GMIME_IS_MESSAGE_PART(object)) {
			GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
			object = message ? g_mime_message_get_mime_part(message) : NULL;
		} else {
			object = NULL;
		}
	}
	return NULL;
}

/* A line "--boundary", with nothing behind it but white space. */
static bool is_boundary(struct str text, size_t at, struct str boundary)
{
	size_t end = at + 2 + boundary.len;

	if ((at > 0 && text.p[at - 1] != '\n') || end > text.len || text.p[at] != '-' ||
		text.p[at + 1] != '-' || memcmp(text.p + at + 2, boundary.p, boundary.len) != 0)
		return false;
	if (end + 1 < text.len && text.p[end] == '-' && text.p[end + 1] == '-')
		end += 2;
	while (end < text.len && (text.p[end] == ' ' || text.p[end] == '\t' || text.p[end] == '\r'))
		end++;
	return end == text.len || text.p[end] == '\n';
}

static bool boundary_before(struct str text, size_t from, struct str boundary, size_t *start)
{
	for (size_t at = from; at-- > 0;) {
		const char *newline;

		if (text.p[at] != '-' || !is_boundary(text, at, boundary))
			continue;
		newline = memchr(text.p + at, '\n', text.len - at);
		*start = newline ? (size_t)(newline - text.p) + 1 : text.len;
		return *start <= from;
	}
	return false;
}

static bool boundary_after(struct str text, size_t from, struct str boundary, size_t *end)
{
	for (size_t at = from; at < text.len; at++) {
		const char *dash;

		if (is_boundary(text, at, boundary)) {
			*end = at;
			return true;
		}
		dash = memchr(text.p + at, '\n', text.len - at);
		if (!dash)
			return false;
		at = (size_t)(dash - text.p);
	}
	return false;
}

/* The line end in front of a boundary belongs to the boundary (RFC 2046 section 5.1.1). */
static struct str without_last_line_end(struct str text)
{
	if (text.len > 0 && text.p[text.len - 1] == '\n')
		text.len--;
	if (text.len > 0 && text.p[text.len - 1] == '\r')
		text.len--;
	return text;
}

/* The bytes of the first part as they stand in the mail: only they give the signature that was made over
 * them. What the parser would write again may differ. */
static struct str signed_bytes(const struct mail *mail, GMimeMultipart *multipart, GMimeObject *part)
{
	struct str boundary = str_of(g_mime_multipart_get_boundary(multipart));
	GMimePart *leaf = any_leaf(part, (unsigned)mail->reading->limits->max_depth);
	GMimeStream *stream = leaf ? g_mime_data_wrapper_get_stream(g_mime_part_get_content(leaf)) : NULL;
	GByteArray *array = stream && GMIME_IS_STREAM_MEM(stream)
	                            ? g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream))
	                            : NULL;
	struct str text;
	size_t start, end;

	if (!array || boundary.len == 0)
		return mail_raw(mail, part);
	text = (struct str){(const char *)array->data, array->len};
	if (stream->bound_start < 0 || (size_t)stream->bound_start > text.len ||
		!boundary_before(text, (size_t)stream->bound_start, boundary, &start) ||
		!boundary_after(text, start, boundary, &end))
		return mail_raw(mail, part);
	return without_last_line_end((struct str){text.p + start, end - start});
}

/* Signatures are made over lines that end in CRLF (RFC 3156 section 5, RFC 8551 section 3.1.1). */
static struct str canonical(const struct mail *mail, struct str text)
{
	struct buf out = {0};
	struct str line, copy;

	buf_reserve(&out, text.len + text.len / 32);
	while (str_split(&text, '\n', &line)) {
		buf_str(&out, line);
		if (!text.p)
			break;
		buf_text(&out, str_ends(line, STR("\r")) ? "\n" : "\r\n");
	}
	copy = arena_str(mail->reading->arena, buf_view(&out));
	buf_free(&out);
	return copy;
}

static enum sealed_kind detached_kind(GMimeMultipart *multipart, GMimeObject *signature)
{
	struct str protocol = parameter(GMIME_OBJECT(multipart), "protocol");

	if (is_type(signature, "application", "pgp-signature") ||
		str_equal_nocase(protocol, STR("application/pgp-signature")))
		return SEALED_PGP_DETACHED;
	if (is_type(signature, "application", "pkcs7-signature") ||
		is_type(signature, "application", "x-pkcs7-signature") ||
		str_equal_nocase(protocol, STR("application/pkcs7-signature")) ||
		str_equal_nocase(protocol, STR("application/x-pkcs7-signature")))
		return SEALED_CMS_DETACHED;
	return SEALED_KINDS;
}

static void check_signature(struct mail *mail, const struct sealed *sealed, struct mail_place *place)
{
	struct str part = mail_place_name(mail, place->path);
	struct unsealed unsealed;

	if (!ask(mail, sealed, part, &unsealed))
		return;
	if (unsealed.outcome == UNSEAL_OPENED)
		place->covered |= say_signatures(mail, place, sealed->kind, &unsealed, part);
	else
		say(mail, place, sealed->kind, STR("signature"), part,
			arena_printf(mail->reading->arena, "signature not checked: " STR_FMT,
				STR_ARG(utf8_cut(unsealed.reason, 300))));
}

/* The first part is signed by the second; what comes behind them is neither. */
static bool take_signed(struct mail *mail, GMimeMultipart *multipart, struct mail_place place)
{
	int count = g_mime_multipart_get_count(multipart);
	GMimeObject *signature = count > 1 ? g_mime_multipart_get_part(multipart, 1) : NULL;
	enum sealed_kind kind = signature ? detached_kind(multipart, signature) : SEALED_KINDS;
	struct mail_place inside = place;
	struct sealed sealed = {.kind = kind};

	if (kind == SEALED_KINDS || !GMIME_IS_PART(signature))
		return false;
	sealed.bytes =
		canonical(mail, signed_bytes(mail, multipart, g_mime_multipart_get_part(multipart, 0)));
	sealed.signature = mail_decoded(mail, GMIME_PART(signature));
	keep(mail, signature, kind == SEALED_PGP_DETACHED ? STR("signature.asc") : STR("smime.p7s"),
		sealed.signature);
	for (int i = 0; i < count && !mail->reading->waits; i++) {
		inside = place;
		inside.path = mail_child_path(mail, place.path, i + 1);
		inside.depth++;
		if (i == 0)
			check_signature(mail, &sealed, &inside);
		if (i != 1)
			mail_walk(mail, g_mime_multipart_get_part(multipart, i), inside);
	}
	return true;
}

/* --- shapes that gateways make --- */

static bool is_control(GMimeMultipart *multipart, int index)
{
	return index >= 0 && index < g_mime_multipart_get_count(multipart) &&
	       is_type(g_mime_multipart_get_part(multipart, index), "application", "pgp-encrypted");
}

static bool is_message(struct mail *mail, GMimeMultipart *multipart, int index)
{
	GMimeObject *part = index < g_mime_multipart_get_count(multipart)
	                            ? g_mime_multipart_get_part(multipart, index)
	                            : NULL;

	return part && GMIME_IS_PART(part) &&
	       armour_guess(mail_decoded(mail, GMIME_PART(part))) == ARMOUR_MESSAGE;
}

/* "a.csv.asc", "a.csv.sig" → "a.csv" */
static struct str signed_name(struct str name)
{
	static const struct str endings[] = {
		{".sig", 4}, {".asc", 4}, {".sign", 5}, {".pgp", 4}, {".gpg", 4}};

	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if (name.len > endings[i].len &&
			str_equal_nocase(
				(struct str){name.p + name.len - endings[i].len, endings[i].len}, endings[i]))
			return (struct str){name.p, name.len - endings[i].len};
	return STR_NONE;
}

static GMimePart *part_named(struct mail *mail, GMimeMultipart *multipart, struct str name)
{
	for (int i = 0; i < g_mime_multipart_get_count(multipart); i++) {
		GMimeObject *part = g_mime_multipart_get_part(multipart, i);

		if (GMIME_IS_PART(part) && str_equal(mail_file_name(mail, part), name))
			return GMIME_PART(part);
	}
	return NULL;
}

/* A signature over a file that stands beside it: checked, and kept as the file that it is. */
static void check_beside(
	struct mail *mail, GMimeMultipart *multipart, GMimeObject *child, struct mail_place place)
{
	struct sealed sealed = {.kind = SEALED_PGP_DETACHED};
	size_t signed_parts = mail->signed_parts;
	struct str name = mail_file_name(mail, child), of = signed_name(name);
	GMimePart *file;

	if (!GMIME_IS_PART(child) || (of.len == 0 && !is_type(child, "application", "pgp-signature")))
		return;
	sealed.signature = mail_decoded(mail, GMIME_PART(child));
	if (armour_guess(sealed.signature) != ARMOUR_SIGNATURE)
		return;
	file = of.len > 0 ? part_named(mail, multipart, of) : NULL;
	if (!file) {
		reading_note(mail->reading, mail_report(mail),
			STR_FMT " is a signature, and what it was made over is not beside it",
			STR_ARG(mail_place_name(mail, place.path)));
		return;
	}
	sealed.bytes = mail_decoded(mail, file);
	check_signature(mail, &sealed, &place);
	mail->signed_parts = signed_parts; /* it says nothing of the mail */
}

bool mail_take_sealed_child(struct mail *mail, GMimeMultipart *multipart, int index, struct mail_place place)
{
	GMimeObject *child = g_mime_multipart_get_part(multipart, index);

	if (is_control(multipart, index) && is_message(mail, multipart, index + 1))
		return true; /* "Version: 1" */
	if (is_control(multipart, index - 1) && is_message(mail, multipart, index)) {
		take_encrypted_part(mail, child, place);
		return true;
	}
	if (GMIME_IS_PART(child))
		check_beside(mail, multipart, child, place);
	return false;
}

bool mail_take_sealed_multipart(struct mail *mail, GMimeMultipart *multipart, struct mail_place place)
{
	GMimeObject *object = GMIME_OBJECT(multipart);

	if (is_type(object, "multipart", "encrypted"))
		return take_encrypted(mail, multipart, place);
	if (is_type(object, "multipart", "signed"))
		return take_signed(mail, multipart, place);
	return false;
}

/* --- files --- */

static bool is_smime(struct str type, struct str name, GMimeObject *object)
{
	struct str what = parameter(object, "smime-type");

	if (str_equal_nocase(what, STR("certs-only")))
		return false;
	return str_equal(type, STR("application/pkcs7-mime")) ||
	       str_equal(type, STR("application/x-pkcs7-mime")) ||
	       (name.len > 4 && str_equal_nocase((struct str){name.p + name.len - 4, 4}, STR(".p7m")));
}

static bool is_pgp(struct str type, struct str name, struct str bytes)
{
	bool said = str_equal(type, STR("application/pgp-encrypted")) ||
	            str_equal(type, STR("application/pgp")) ||
	            (inner_name(name).len > 0 && !str_ends(name, STR(".p7m")));
	enum armour_kind kind = armour_guess(bytes);

	/* One in armour says itself what it is; in a text it is opened where it stands. */
	said |= !str_starts(type, STR("text/")) && bytes.len > 0 && !(bytes.p[0] & 0x80);
	return said && (kind == ARMOUR_MESSAGE || kind == ARMOUR_SIGNED);
}

bool mail_take_sealed_file(struct mail *mail, GMimeObject *object, struct str type, struct str name,
	struct str bytes, struct mail_place place)
{
	bool smime = is_smime(type, name, object);
	struct sealed sealed = {.kind = smime ? SEALED_CMS : SEALED_PGP, .bytes = bytes};

	if (!smime && !is_pgp(type, name, bytes))
		return false;
	if (!mail->reading->open_sealed) {
		not_enabled(mail, mail_place_name(mail, place.path));
		return false;
	}
	keep(mail, object, name.len > 0 ? name : smime ? STR("smime.p7m") : STR("encrypted.pgp"), bytes);
	take_sealed(mail, &sealed, object ? mail_raw(mail, object) : bytes, inner_name(name), smime, place);
	return true;
}

/* --- in the text --- */

static void put_opened(
	struct mail *mail, const struct unsealed *unsealed, bool holds, struct buf *text, struct str part)
{
	const struct seal_signature *first = unsealed->signature_count > 0 ? &unsealed->signatures[0] : NULL;

	if (first)
		buf_printf(text, "--- %s" STR_FMT " ---\n", holds ? "signed: " : "",
			STR_ARG(describe_shortly(mail, first)));
	buf_str(text, unsealed->plain);
	if (unsealed->plain.len > 0 && unsealed->plain.p[unsealed->plain.len - 1] != '\n')
		buf_char(text, '\n');
	if (first)
		buf_text(text, holds ? "--- end of what is signed ---\n" : "--- end ---\n");
	(void)part;
}

/* The same stands in the text and in the page of many mails. */
static bool is_known(struct mail *mail, struct str armour)
{
	for (size_t i = 0; i < mail->block_count; i++)
		if (str_equal(mail->blocks[i], armour))
			return true;
	if (mail->block_count < SEALED_MAX)
		mail->blocks[mail->block_count++] = armour;
	return false;
}

/* One block; false: it stays as it stands. */
static bool open_block(struct mail *mail, struct mail_place *place, const struct armour *armour,
	struct str part, struct buf *text)
{
	struct sealed sealed = {.kind = SEALED_PGP, .bytes = armour->block};
	struct unsealed unsealed;

	if (armour->kind != ARMOUR_MESSAGE && armour->kind != ARMOUR_SIGNED)
		return false;
	if (armour->unclosed)
		reading_note(mail->reading, mail_report(mail), STR_FMT ": armour has no end", STR_ARG(part));
	if (armour->unclosed && armour->kind == ARMOUR_SIGNED)
		return false;
	if (armour->odd)
		sealed.bytes = armour_clean(armour, mail->reading->arena);
	if (is_known(mail, sealed.bytes))
		return false;
	if (!ask(mail, &sealed, part, &unsealed))
		return false;
	if (unsealed.outcome != UNSEAL_OPENED) {
		set_aside(mail, &unsealed, part, armour->block);
		return false;
	}
	say_opened(mail, place, SEALED_PGP, &unsealed, part);
	put_opened(mail, &unsealed, say_signatures(mail, place, SEALED_PGP, &unsealed, part), text, part);
	return true;
}

/* Lines that end in "<br>" were a page, whatever they are called now. */
static struct str as_lines(const struct mail *mail, struct str text)
{
	struct str beneath;
	static const char *const wrapped[] = {"PGP MESSAGE-----<", "PGP SIGNED MESSAGE-----<"};

	for (size_t i = 0; i < ARRAY_LEN(wrapped); i++)
		if (memmem(text.p, text.len, wrapped[i], strlen(wrapped[i])))
			return html_text(text, mail->reading->arena, &beneath);
	return text;
}

bool mail_open_text(struct mail *mail, struct mail_place *place, struct str *text)
{
	struct buf out = {0};
	struct str rest;
	struct armour armour;
	bool any = false, outside = false;
	size_t held = mail->signed_parts;

	if (!text->len || !memmem(text->p, text->len, "-----BEGIN PGP ", 15))
		return false;
	rest = as_lines(mail, *text);
	while (!mail->reading->waits && armour_next(&rest, &armour)) {
		struct str part = arena_printf(mail->reading->arena, "the text of " STR_FMT,
			STR_ARG(mail_place_name(mail, place->path)));

		outside |= str_trim(armour.before).len > 0;
		buf_str(&out, armour.before);
		if (open_block(mail, place, &armour, part, &out))
			any = true;
		else
			buf_str(&out, armour.block);
	}
	outside |= str_trim(rest).len > 0;
	buf_str(&out, rest);
	if (any)
		*text = arena_str(mail->reading->arena, buf_view(&out));
	buf_free(&out);
	/* Only what stands between the lines is signed, which is nothing where there is more. */
	if (mail->signed_parts > held && !outside)
		mail->unsigned_parts--;
	return any;
}

void mail_sealed_end(struct mail *mail)
{
	if (mail->signed_parts > 0 && mail->unsigned_parts > 0)
		reading_note(mail->reading, mail_report(mail),
			"not all of it is signed: the signature says nothing about %zu other parts",
			mail->unsigned_parts);
}
