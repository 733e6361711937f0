#include "config.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/mem.h"
#include "model/storable.h"
#include "wire/fields.h"
#include "wire/html.h"
#include "wire/mime.h"
#include "wire/transfer.h"

struct str mail_raw(const struct mail *mail, GMimeObject *object)
{
	GMimeStream *stream = g_mime_stream_mem_new();
	GByteArray *array;
	struct str raw;

	g_mime_object_write_to_stream(object, NULL, stream);
	array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	raw = arena_str(mail->reading->arena, (struct str){(const char *)array->data, array->len});
	g_object_unref(stream);
	return raw;
}

struct str mail_encoded(const struct mail *mail, GMimePart *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;
	GMimeStream *copy;
	GByteArray *array;
	struct str bytes;

	if (!stream)
		return STR_NONE;
	copy = g_mime_stream_mem_new();
	g_mime_stream_reset(stream);
	g_mime_stream_write_to_stream(stream, copy);
	g_mime_stream_reset(stream);
	array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(copy));
	bytes = arena_str(mail->reading->arena, (struct str){(const char *)array->data, array->len});
	g_object_unref(copy);
	return bytes;
}

struct str mail_decoded(const struct mail *mail, GMimePart *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *stream;
	GByteArray *array;
	struct str bytes;

	if (!content)
		return STR_NONE;
	/* GMime does not know that blanks may have come behind the "=" on the way (RFC 2045 section 6.7). */
	if (g_mime_part_get_content_encoding(part) == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE)
		return transfer_quoted(mail_encoded(mail, part), mail->reading->arena);
	stream = g_mime_stream_mem_new();
	g_mime_data_wrapper_write_to_stream(content, stream);
	array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	bytes = arena_str(mail->reading->arena, (struct str){(const char *)array->data, array->len});
	g_object_unref(stream);
	return bytes;
}

struct str mail_media_type(const struct mail *mail, GMimeObject *object)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	char *text = type ? g_mime_content_type_get_mime_type(type) : NULL;
	char *lower = text ? g_ascii_strdown(text, -1) : NULL;
	struct str result = arena_str(mail->reading->arena, lower ? str_of(lower) : STR("text/plain"));

	g_free(text);
	g_free(lower);
	return result;
}

struct str mail_child_path(const struct mail *mail, struct str path, int number)
{
	if (path.len == 0)
		return arena_printf(mail->reading->arena, "%d", number);
	return arena_printf(mail->reading->arena, STR_FMT ".%d", STR_ARG(path), number);
}

struct str mail_place_name(const struct mail *mail, struct str path)
{
	return arena_printf(mail->reading->arena, "part " STR_FMT, STR_ARG(path.len ? path : STR("1")));
}

/* --- text --- */

struct leaf {
	GMimeObject *object;
	struct mail_place place;
	struct str type;  /* "text/plain" */
	struct str name;  /* of the file; "" */
	struct str bytes; /* decoded */
	bool attached;
	bool text; /* it is read as such */
};

static void take_text(struct mail *mail, const struct leaf *leaf)
{
	bool html = mail_is_html(leaf->type, leaf->name);
	struct str utf8 = mail_to_utf8(mail, leaf->object, leaf->bytes, html);
	struct str label = leaf->name.len ? leaf->name : html ? STR("html") : STR("text");
	struct str text;

	if (leaf->bytes.len == 0)
		return;
	reading_part(mail->reading, mail_item(mail)->number,
		leaf->attached ? PART_TEXT | PART_FILE : PART_TEXT, label, leaf->type, utf8);
	text = mail_read_text(mail, utf8, label, html, leaf->place.archives);
	if (!leaf->attached && !leaf->place.quiet)
		mail_append(mail, str_trim(text));
}

/* --- attachments --- */

static void take_file(struct mail *mail, const struct leaf *leaf)
{
	struct reading *reading = mail->reading;
	uint32_t number = mail_item(mail)->number;
	struct str name = leaf->name.len ? leaf->name : mail_place_name(mail, leaf->place.path);
	struct evidence *evidence = reading_evidence(reading, number, name, leaf->type, leaf->bytes);
	char hex[SHA256_HEX];

	hex_encode(evidence->digest, SHA256_LEN, hex);
	if (!leaf->text)
		reading_part(reading, number, PART_FILE, name, leaf->type, leaf->bytes);
	mail_archive_add(mail, leaf->bytes, name, leaf->place);
	if (!leaf->text)
		mail_look_inside(mail, leaf->bytes, name, leaf->place.archives);
	if (!leaf->attached || leaf->bytes.len == 0 || (mail->silent && str_starts(leaf->type, STR("text/"))))
		return;
	reading_observable(reading, mail_report(mail), OBSERVABLE_SHA256, OBSERVED_INDICATOR, str_of(hex));
	if (leaf->name.len > 0)
		reading_observable(
			reading, mail_report(mail), OBSERVABLE_FILENAME, OBSERVED_INDICATOR, leaf->name);
}

static void nested(struct mail *mail, GMimeMessage *message, struct mail_place place);

bool mail_is_message_name(struct str name)
{
	static const char *const endings[] = {".eml", ".mht", ".mhtml"};

	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		struct str ending = str_of(endings[i]);

		if (name.len > ending.len &&
			str_equal_nocase((struct str){name.p + name.len - ending.len, ending.len}, ending))
			return true;
	}
	return false;
}

/* A header that comes alone lacks the line that ends it. */
static struct str ended(struct str bytes, struct str type, struct arena *arena)
{
	static const char end[] = {'\r', '\n', '\r', '\n'};
	char *whole;

	if (!str_equal(type, STR("text/rfc822-headers")))
		return bytes;
	whole = arena_alloc(arena, bytes.len + sizeof(end));
	memcpy(whole, bytes.p, bytes.len);
	memcpy(whole + bytes.len, end, sizeof(end));
	return (struct str){whole, bytes.len + sizeof(end)};
}

bool mail_take_message(
	struct mail *mail, struct str bytes, struct str name, struct str type, struct mail_place place)
{
	GMimeObject *last = mail->last;
	struct str last_path = mail->last_path;
	GMimeMessage *inside =
		mail_parse(mail, ended(bytes, type, mail->reading->arena), mail_place_name(mail, place.path));

	if (!inside)
		return false;
	reading_evidence(mail->reading, mail_item(mail)->number, name, type, bytes);
	nested(mail, inside, place);
	mail_look_again(mail, bytes, name);
	g_object_unref(inside);
	mail->last = last; /* not one of those that are gone now */
	mail->last_path = last_path;
	return true;
}

/* A feedback report may bring back no more than the header of its message (RFC 5965 2, RFC 6591 3.3). */
static bool is_message(const struct mail *mail, const struct leaf *leaf)
{
	return str_equal(leaf->type, STR("message/rfc822")) || str_equal(leaf->type, STR("message/global")) ||
	       mail_is_message_name(leaf->name) ||
	       (str_equal(leaf->type, STR("text/rfc822-headers")) && mail->closed && !mail->silent);
}

/* An attached .eml, or a message/rfc822 in base64, which GMime leaves closed. */
static bool take_message(struct mail *mail, const struct leaf *leaf)
{
	struct str name = leaf->name.len > 0 ? leaf->name : STR("message.eml");

	if (!is_message(mail, leaf))
		return false;
	if (mail_take_message(mail, leaf->bytes, name, leaf->type, leaf->place))
		return true;
	reading_note(mail->reading, mail_report(mail), "an attached message cannot be read as one");
	return false;
}

/* What a machine says is no text for people. */
static bool take_statement(struct mail *mail, const struct leaf *leaf)
{
	struct mail_file file = {.part = mail_place_name(mail, leaf->place.path),
		.name = leaf->name,
		.type = leaf->type,
		.bytes = leaf->bytes,
		.seals = leaf->place.seals};

	return mail_machine_take(mail, &file);
}

void mail_take_bytes(struct mail *mail, struct str bytes, struct str name, struct mail_place place)
{
	struct str utf8;
	bool text = mail_text_of(mail, bytes, &utf8);
	struct leaf leaf = {.place = place,
		.type = text ? STR("text/plain") : STR("application/octet-stream"),
		.name = name,
		.bytes = bytes,
		.attached = name.len > 0,
		.text = text};

	mail->unsigned_parts += !place.covered;
	if (take_message(mail, &leaf) || take_statement(mail, &leaf))
		return;
	if (text)
		take_text(mail, &leaf);
	if (!text || leaf.attached)
		take_file(mail, &leaf);
}

static bool is_attached(GMimeObject *object, struct str type, struct str name)
{
	GMimeContentDisposition *disposition = g_mime_object_get_content_disposition(object);
	const char *kind = disposition ? g_mime_content_disposition_get_disposition(disposition) : NULL;

	if (kind && g_ascii_strcasecmp(kind, "attachment") == 0)
		return true;
	if (kind && g_ascii_strcasecmp(kind, "inline") == 0 && !str_starts(type, STR("application/")))
		return false;
	if (str_starts(type, STR("text/")))
		return name.len > 0;
	/* pictures that a page refers to are its decoration */
	return str_starts(type, STR("application/")) || !g_mime_object_get_content_id(object);
}

/* Of a message that was not delivered only the header may come back. */
static void take_returned_headers(struct mail *mail, struct str bytes)
{
	struct fields fields;

	fields_read(bytes, false, mail->reading->arena, &fields);
	mail_take_returned(mail, fields_value(&fields, "Message-ID"));
}

/* Many programs call every file application/octet-stream. */
static bool is_text(const struct mail *mail, const struct leaf *leaf)
{
	struct str text;

	return str_starts(leaf->type, STR("text/")) ||
	       (mail_is_text_name(leaf->name) && mail_text_of(mail, leaf->bytes, &text));
}

/* Armour in it; of a page, in what its reader sees. */
static void open_text(struct mail *mail, struct leaf *leaf)
{
	bool html = mail_is_html(leaf->type, leaf->name);
	size_t bad;
	struct str text = charset_unmarked(leaf->bytes, mail->reading->arena, &bad), page, beneath;

	if (text.len == 0 || !memmem(text.p, text.len, "-----BEGIN PGP ", 15))
		return;
	if (html) {
		page = mail_to_utf8(mail, leaf->object, leaf->bytes, true);
		text = html_text(page, mail->reading->arena, &beneath);
	}
	if (!mail_open_text(mail, &leaf->place, &text))
		return;
	if (html)
		reading_part(
			mail->reading, mail_item(mail)->number, PART_TEXT, STR("html"), leaf->type, page);
	leaf->object = NULL;
	leaf->bytes = text;
	if (html) {
		leaf->type = STR("text/plain");
		mail_search(mail, beneath);
	}
}

static void take_leaf(struct mail *mail, GMimeObject *object, struct mail_place place)
{
	struct leaf leaf = {.object = object, .place = place};

	if (mail->reading->at)
		mail->reading->at(mail->reading, mail_item(mail)->number, "mime");
	mail->last = object;
	mail->last_path = place.path;
	leaf.type = mail_media_type(mail, object);
	leaf.name = mail_file_name(mail, object);
	leaf.bytes = mail_decoded(mail, GMIME_PART(object));
	leaf.attached = is_attached(object, leaf.type, leaf.name);
	mail_judge_content(mail, GMIME_PART(object), mail_place_name(mail, place.path));
	if (mail_take_sealed_file(mail, object, leaf.type, leaf.name, leaf.bytes, place))
		return;
	mail->unsigned_parts += !place.covered;
	leaf.text = is_text(mail, &leaf);
	if (leaf.text)
		open_text(mail, &leaf);
	if (take_message(mail, &leaf) || take_statement(mail, &leaf))
		return;
	if (str_starts(leaf.type, STR("message/")) || str_equal(leaf.type, STR("text/rfc822-headers"))) {
		reading_evidence(mail->reading, mail_item(mail)->number,
			leaf.name.len ? leaf.name : leaf.type, leaf.type, leaf.bytes);
		reading_part(
			mail->reading, mail_item(mail)->number, PART_FILE, leaf.type, leaf.type, leaf.bytes);
		mail_look_inside(mail, leaf.bytes, leaf.type, place.archives);
		if (str_ends(leaf.type, STR("delivery-status")))
			mail_take_delivery(mail, leaf.bytes);
		if (str_starts(leaf.type, STR("text/")))
			take_returned_headers(mail, leaf.bytes);
		return; /* delivery status and its like: what machines say, kept, not searched */
	}
	if (leaf.text)
		take_text(mail, &leaf);
	if (!leaf.text || leaf.attached)
		take_file(mail, &leaf);
}

/* --- messages and multiparts --- */

/* A message inside: what was forwarded to us. Who sent it is an indicator; the way it came is not. */
static void nested(struct mail *mail, GMimeMessage *message, struct mail_place place)
{
	static const char *const senders[] = {"From", "Reply-To", "Sender"};
	GMimeObject *body = g_mime_message_get_mime_part(message);
	struct str subject = mail_header(mail, GMIME_OBJECT(message), "Subject");
	struct str from = mail_header(mail, GMIME_OBJECT(message), "From");
	const struct mail_scope *outer = mail->scope;

	mail_take_returned(mail, mail_header_raw(GMIME_OBJECT(message), "Message-ID"));
	if (!mail->closed)
		mail_machine_declared(mail, message);
	else
		reading_evidence(mail->reading, mail_item(mail)->number, STR("message.eml"),
			STR("message/rfc822"), mail_raw(mail, GMIME_OBJECT(message)));

	mail_append(mail, arena_printf(mail->reading->arena,
				  "--- message inside ---\nFrom: " STR_FMT "\nSubject: " STR_FMT,
				  STR_ARG(mail_tidy(mail, from)), STR_ARG(mail_tidy(mail, subject))));
	for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
		struct str address = mail_address(mail, GMIME_OBJECT(message), senders[i]);
		if (address.len > 0 && !mail->silent)
			reading_observable(mail->reading, mail_report(mail), OBSERVABLE_EMAIL,
				OBSERVED_INDICATOR, address);
	}
	mail_search(mail, subject);
	place.nested = true;
	place.quiet = false;
	place.depth++;
	if (body)
		mail_walk(mail, body, place);
	mail_scope_leave(mail, outer);
}

static bool is_plain(GMimeObject *object)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);

	return type && g_mime_content_type_is_type(type, "text", "plain");
}

/* Messages of a digest have nothing to do with each other; as many as a mail may have parts. */
static void walk_digested(struct mail *mail, GMimeMessagePart *part, struct mail_place place)
{
	GMimeMessage *message = g_mime_message_part_get_message(part);

	if (!message || place.depth > mail->reading->limits->max_depth ||
		mail->leaves >= mail->reading->limits->max_parts) {
		mail_walk(mail, GMIME_OBJECT(part), place);
		return;
	}
	mail->leaves++;
	mail_take_digested(mail, message, place);
}

static void take_multipart(struct mail *mail, GMimeMultipart *multipart, struct mail_place place)
{
	GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(multipart));
	bool alternative = type && g_mime_content_type_is_type(type, "multipart", "alternative");
	bool digest = type && g_mime_content_type_is_type(type, "multipart", "digest") && !mail->closed &&
	              mail_item(mail)->kind == ITEM_REPORT;
	const struct mail_scope *outer = mail->scope;
	int count = g_mime_multipart_get_count(multipart);
	bool plain = false;

	if (count == 0 && place.nested) { /* who returns a mail cuts it as he likes */
		reading_note(mail->reading, mail_report(mail), "a message inside ends early");
		return;
	}
	if (count == 0) {
		reading_quarantine(mail->reading, mail_place_name(mail, place.path), "mime",
			mail_raw(mail, GMIME_OBJECT(multipart)), "a multipart in which no part begins");
		return;
	}
	for (int i = 0; i < count; i++) {
		GMimeObject *child = g_mime_multipart_get_part(multipart, i);
		struct mail_place inside = place;
		inside.path = mail_child_path(mail, place.path, i + 1);
		inside.depth++;
		inside.quiet = place.quiet || (alternative && plain);
		plain |= is_plain(child);
		if (digest && GMIME_IS_MESSAGE_PART(child))
			walk_digested(mail, GMIME_MESSAGE_PART(child), inside);
		else if (!mail_take_sealed_child(mail, multipart, i, inside))
			mail_walk(mail, child, inside);
	}
	mail_scope_leave(mail, outer);
	mail->unclosed |= !place.nested && !multipart->write_end_boundary;
}

void mail_walk(struct mail *mail, GMimeObject *object, struct mail_place place)
{
	const struct reading_limits *limits = mail->reading->limits;

	if (mail->reading->waits)
		return;
	if (place.depth > limits->max_depth) {
		reading_quarantine(mail->reading, mail_place_name(mail, place.path), "mime",
			mail_raw(mail, object), "parts nest deeper than %zu", limits->max_depth);
		return;
	}
	if (mail->leaves++ >= limits->max_parts) {
		if (!mail->too_many)
			reading_note(mail->reading, mail_report(mail),
				"more than %zu parts; the others stand in the mail only", limits->max_parts);
		mail->too_many = true;
		return;
	}
	mail_judge_object(mail, object);
	if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
		if (message)
			nested(mail, message, place);
	} else if (GMIME_IS_MULTIPART(object)) {
		if (mail_take_sealed_multipart(mail, GMIME_MULTIPART(object), place))
			return;
		take_multipart(mail, GMIME_MULTIPART(object), place);
	} else if (GMIME_IS_PART(object)) {
		take_leaf(mail, object, place);
	}
}
