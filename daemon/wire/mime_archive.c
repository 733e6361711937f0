#include "config.h"

#include "base/hash.h"
#include "base/mem.h"
#include "wire/archive.h"
#include "wire/archive_name.h"
#include "wire/archive_password.h"
#include "wire/mime.h"

#define STAGE_ARCHIVE "archive"
#define ARCHIVES_MAX  500 /* of one mail */
#define PASSWORDS_MAX 60
#define SHOWN_MAX     200 /* members of a mail whose digests and names become observables */

/* Archives wait until all of the mail's text is known: the password may stand in it. What is found inside
 * waits in the same queue. */
struct mail_archive {
	struct str name; /* as far as here: "outer.zip/inner.zip" */
	struct str bytes;
	struct mail_place place;
};

/* One archive at work. */
struct opening {
	struct mail *mail;
	struct mail_archive archive;
	bool document; /* an office document and its like: its innards are looked at, and are no findings */
	struct str password;
};

/* Containers of one thing: what is in them is part of that, and no file that anybody sent. */
static bool is_document(struct str bytes)
{
	static const char *const marks[] = {
		"[Content_Types].xml", "mimetypeapplication/", "META-INF/MANIFEST.MF", "AndroidManifest.xml"};

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (memmem(bytes.p, bytes.len, marks[i], strlen(marks[i])))
			return str_starts(bytes, STR("PK\003\004"));
	return false;
}

/* --- members --- */

static void show_member(struct opening *opening, const struct archive_member *member)
{
	struct mail *mail = opening->mail;
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX];

	if (opening->document || member->cut || member->bytes.len == 0)
		return;
	if (mail->members_shown++ == SHOWN_MAX)
		reading_note(mail->reading, mail_report(mail),
			"more than %d files in archives: digests of the others are not shown", SHOWN_MAX);
	if (mail->members_shown > SHOWN_MAX)
		return;
	sha256(member->bytes, digest);
	hex_encode(digest, SHA256_LEN, hex);
	reading_observable(
		mail->reading, mail_report(mail), OBSERVABLE_SHA256, OBSERVED_INDICATOR, str_of(hex));
	reading_observable(mail->reading, mail_report(mail), OBSERVABLE_FILENAME, OBSERVED_INDICATOR,
		archive_base_name(member->name));
}

/* What a machine says to machines: a zipped table. */
static bool take_statement(struct opening *opening, const struct archive_member *member, struct str name)
{
	struct mail *mail = opening->mail;
	const struct mail_scope *outer = mail->scope;
	struct mail_file file = {
		.part = arena_printf(mail->reading->arena, "part " STR_FMT ": " STR_FMT,
			STR_ARG(opening->archive.place.path.len ? opening->archive.place.path : STR("1")),
			STR_ARG(name)),
		.name = name,
		.type = STR("application/octet-stream"),
		.bytes = member->bytes,
		.seals = opening->archive.place.seals};
	bool taken = mail_machine_take(mail, &file);

	mail_scope_leave(mail, outer);
	return taken;
}

/* What people read is searched; in any other text (a script) only what is encoded is of interest. */
static void read_member(struct mail *mail, struct str utf8, struct str name, unsigned archives)
{
	if (mail_is_text_name(name))
		mail_read_text(mail, utf8, name, mail_is_html(STR_NONE, name), archives);
	else
		mail_look_inside(mail, utf8, name, archives);
}

static bool take_sealed(
	struct mail *mail, const struct archive_member *member, struct str name, struct mail_place place)
{
	const struct mail_scope *outer = mail->scope;
	bool taken;

	place.path = arena_printf(mail->reading->arena, STR_FMT ": " STR_FMT,
		STR_ARG(place.path.len ? place.path : STR("1")), STR_ARG(name));
	taken = mail_take_sealed_file(
		mail, NULL, STR("application/octet-stream"), name, member->bytes, place);
	mail_scope_leave(mail, outer);
	return taken;
}

static bool take_member(const struct archive_member *member, void *context)
{
	struct opening *opening = context;
	struct mail *mail = opening->mail;
	struct str utf8;
	bool text = mail_text_of(mail, member->bytes, &utf8);
	struct str name = arena_printf(mail->reading->arena, STR_FMT "/" STR_FMT,
		STR_ARG(opening->archive.name), STR_ARG(member->name));
	struct mail_place place = opening->archive.place;

	if (member->password.len > 0)
		opening->password = member->password;
	place.archives++;
	if (!opening->document && !member->cut && take_statement(opening, member, name))
		return true;
	show_member(opening, member);
	if (mail_is_message_name(name) && !opening->document &&
		mail_take_message(mail, member->bytes, name, STR("message/rfc822"), place))
		return true;
	if (!opening->document && !member->cut && take_sealed(mail, member, name, place))
		return !mail->reading->waits;
	reading_part(mail->reading, mail_item(mail)->number, text ? PART_TEXT | PART_FILE : PART_FILE, name,
		text ? STR("text/plain") : STR("application/octet-stream"), text ? utf8 : member->bytes);
	if (text && !opening->document)
		read_member(mail, utf8, name, place.archives);
	mail_archive_add(mail, member->bytes, name, place);
	return true;
}

/* --- archives --- */

static void set_aside(struct mail *mail, const struct mail_archive *archive, const char *why)
{
	reading_note(mail->reading, mail_report(mail), "\"" STR_FMT "\": %s", STR_ARG(archive->name), why);
	/* A guess at how else the mail may be read: its bytes are in the part where they were found. */
	if (str_equal(archive->place.path, STR(MAIL_HIDDEN)))
		return;
	reading_quarantine(mail->reading,
		arena_printf(mail->reading->arena, "part " STR_FMT ": " STR_FMT,
			STR_ARG(archive->place.path.len ? archive->place.path : STR("1")),
			STR_ARG(archive->name)),
		STAGE_ARCHIVE, archive->bytes, "%s", why);
}

void mail_archive_add(struct mail *mail, struct str bytes, struct str name, struct mail_place place)
{
	struct arena *arena = mail->reading->arena;
	struct mail_archive archive = {arena_str(arena, name), bytes, place};

	if (!archive_is(bytes))
		return;
	if (mail->archive_count == ARCHIVES_MAX) {
		reading_note(mail->reading, mail_report(mail),
			"more than %d archives: the others are not opened", ARCHIVES_MAX);
		return;
	}
	if (!mail->archives)
		mail->archives = arena_alloc(arena, ARCHIVES_MAX * sizeof(*mail->archives));
	mail->archives[mail->archive_count++] = archive;
}

static void open_one(
	struct mail *mail, const struct mail_archive *archive, const struct str *passwords, size_t count)
{
	struct reading *reading = mail->reading;
	struct opening opening = {.mail = mail, .archive = *archive, .document = is_document(archive->bytes)};
	struct err err;
	bool good;

	if (archive->place.archives >= reading->limits->archive.max_depth) {
		set_aside(mail, archive, "archives nest deeper than are opened");
		return;
	}
	if (reading->enter && !reading->enter(reading, mail_item(mail)->number, STAGE_ARCHIVE)) {
		set_aside(mail, archive, "not opened: a worker ended in it");
		return;
	}
	good = archive_unpack(archive->bytes, archive->name, &reading->limits->archive, &mail->unpacked,
		passwords, count, reading->arena, take_member, &opening, &err);
	if (opening.password.len > 0)
		reading_note(reading, mail_report(mail),
			"\"" STR_FMT "\" opens with the password \"" STR_FMT "\"", STR_ARG(archive->name),
			STR_ARG(opening.password));
	if (!good)
		set_aside(mail, archive, err.text);
}

void mail_archives_open(struct mail *mail)
{
	const struct reading_limits *limits = mail->reading->limits;
	struct str passwords[PASSWORDS_MAX];
	size_t count = 0;

	if (mail->archive_count == 0)
		return;
	for (; count < limits->password_count && count < PASSWORDS_MAX / 2; count++)
		passwords[count] = limits->passwords[count];
	archive_password_find(
		mail_report(mail)->title, mail->reading->arena, passwords, PASSWORDS_MAX, &count);
	archive_password_find(buf_view(&mail->text), mail->reading->arena, passwords, PASSWORDS_MAX, &count);
	for (size_t i = 0; i < mail->archive_count; i++) {
		struct mail_archive archive = mail->archives[i];
		if (mail->reading->waits)
			return;
		open_one(mail, &archive, passwords, count);
	}
}
