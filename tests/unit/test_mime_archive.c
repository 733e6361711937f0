#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <gmime/gmime.h>

#include "made_archive.h"

#include "base/buf.h"
#include "wire/archive_password.h"
#include "wire/reading.h"

#define ENVELOPE "{\"from\":\"sender@provider.example\",\"to\":[\"report@cirt.example\"]}"

struct run {
	struct arena *arena;
	struct reading reading;
	struct err err;
};

/* A mail with this text and one attachment. */
static struct buf mail_with(const char *text, const char *name, struct str bytes)
{
	gchar *base64 = g_base64_encode((const guchar *)bytes.p, bytes.len);
	struct buf mail = {0};

	buf_printf(&mail,
		"From: a@b.example\nSubject: s\nContent-Type: multipart/mixed; boundary=x\n\n"
		"--x\nContent-Type: application/octet-stream; name=\"%s\"\n"
		"Content-Transfer-Encoding: base64\n\n",
		name);
	buf_text(&mail, base64);
	buf_printf(&mail, "\n--x\nContent-Type: text/plain\n\n%s\n--x--\n", text);
	g_free(base64);
	return mail;
}

static void run_mail(struct run *run, struct buf *mail)
{
	run->arena = arena_new(65536);
	run->reading = (struct reading){.arena = run->arena, .limits = &reading_limits_default};
	assert_true(mail_read(&run->reading, buf_view(mail), STR(ENVELOPE), &run->err));
	buf_free(mail);
}

static void run_attached(struct run *run, const char *text, const char *name, struct made *made)
{
	struct buf mail = mail_with(text, name, make_end(made));

	run_mail(run, &mail);
	made_free(made);
}

static const struct part *part_of(const struct run *run, const char *name)
{
	for (size_t i = 0; i < run->reading.part_count; i++)
		if (str_equal(run->reading.parts[i].name, str_of(name)))
			return &run->reading.parts[i];
	return NULL;
}

static void assert_part(const struct run *run, const char *name, const char *bytes)
{
	const struct part *part = part_of(run, name);

	if (!part)
		fail_msg("no part \"%s\"", name);
	assert_true(str_equal(part->bytes, str_of(bytes)));
	assert_true(part->scopes & PART_FILE);
}

static bool has(const struct run *run, enum observable_type type, const char *value)
{
	const struct report *report = &run->reading.items[0].report;

	for (size_t i = 0; i < report->observable_count; i++)
		if (report->observables[i].type == type &&
			str_equal(report->observables[i].value, str_of(value)))
			return true;
	return false;
}

static bool contains(struct str text, const char *what)
{
	return memmem(text.p, text.len, what, strlen(what)) != NULL;
}

static bool noted(const struct run *run, const char *text)
{
	const struct report *report = &run->reading.items[0].report;

	for (size_t i = 0; i < report->note_count; i++)
		if (contains(report->notes[i], text))
			return true;
	return false;
}

static const struct item *quarantined(const struct run *run, const char *reason)
{
	for (size_t i = 0; i < run->reading.item_count; i++)
		if (run->reading.items[i].kind == ITEM_QUARANTINED &&
			contains(run->reading.items[i].reason, reason))
			return &run->reading.items[i];
	return NULL;
}

static void zip_begin(struct made *made, const char *password)
{
	make_begin(made, archive_write_set_format_zip, NULL, password ? "zip:encryption=aes256" : NULL,
		password);
}

static void test_files_inside_become_parts_and_indicators(void **state)
{
	struct made made;
	struct run run;

	(void)state;
	zip_begin(&made, NULL);
	make_member(&made, "../a.docm", "macro", 5);
	make_member(&made, "list.txt", "see hxxp://bad[.]example/x", 26);
	run_attached(&run, "text", "invoice.zip", &made);
	assert_part(&run, "invoice.zip/a.docm", "macro");
	assert_part(&run, "invoice.zip/list.txt", "see hxxp://bad[.]example/x");
	assert_true(part_of(&run, "invoice.zip/list.txt")->scopes & PART_TEXT);
	assert_true(has(&run, OBSERVABLE_FILENAME, "a.docm"));
	assert_true(has(&run, OBSERVABLE_FILENAME, "invoice.zip"));
	assert_true(has(
		&run, OBSERVABLE_SHA256, "27d66c0dcef19a926429158d80111b954a5c23d076833347da3e27b91e4b423d"));
	assert_true(has(&run, OBSERVABLE_URL, "http://bad.example/x"));
	assert_int_equal(run.reading.item_count, 1);
	arena_free(&run.arena);
}

/* A file that somebody hands in, or a part that comes out of quarantine. */
static void test_an_archive_without_a_mail_is_opened(void **state)
{
	struct made made;
	struct run run = {.arena = arena_new(65536)};
	struct str bytes;

	(void)state;
	zip_begin(&made, NULL);
	make_member(&made, "list.txt", "see hxxp://bad[.]example/x", 26);
	bytes = arena_str(run.arena, make_end(&made));
	made_free(&made);
	run.reading = (struct reading){.arena = run.arena, .limits = &reading_limits_default};
	assert_true(mail_read(&run.reading, bytes, STR(ENVELOPE), &run.err));
	assert_part(&run, "archive/list.txt", "see hxxp://bad[.]example/x");
	assert_true(has(&run, OBSERVABLE_URL, "http://bad.example/x"));
	run.reading = (struct reading){.arena = run.arena, .limits = &reading_limits_default};
	assert_false(mail_read(&run.reading, (struct str){bytes.p, 12}, STR(ENVELOPE), &run.err));
	assert_non_null(strstr(run.err.text, "an archive in which nothing can be read: "));
	arena_free(&run.arena);
}

/* zip in 7z in tar.gz, with a mail in the innermost. */
static void test_archives_in_archives_and_mails_in_them(void **state)
{
	static const char eml[] = "From: crook@evil.example\nSubject: inner\n\npay at http://pay.example/\n";
	struct made inner, middle, outer;
	struct str bytes;
	struct run run;

	(void)state;
	zip_begin(&inner, NULL);
	make_member(&inner, "note.eml", eml, sizeof(eml) - 1);
	bytes = make_end(&inner);
	make_begin(&middle, archive_write_set_format_7zip, NULL, NULL, NULL);
	make_member(&middle, "inner.zip", bytes.p, bytes.len);
	bytes = make_end(&middle);
	make_begin(&outer, archive_write_set_format_ustar, archive_write_add_filter_gzip, NULL, NULL);
	make_member(&outer, "middle.7z", bytes.p, bytes.len);
	run_attached(&run, "text", "outer.tgz", &outer);
	assert_non_null(part_of(&run, "outer.tgz/middle.7z/inner.zip"));
	assert_true(has(&run, OBSERVABLE_URL, "http://pay.example/"));
	assert_true(has(&run, OBSERVABLE_EMAIL, "crook@evil.example"));
	assert_true(contains(run.reading.items[0].report.text, "Subject: inner"));
	made_free(&inner);
	made_free(&middle);
	arena_free(&run.arena);
}

static void test_depth_is_bounded(void **state)
{
	struct made made[6];
	struct str bytes = STR("core");
	struct run run;

	(void)state;
	for (int i = 0; i < 6; i++) {
		zip_begin(&made[i], NULL);
		make_member(&made[i], i == 0 ? "core" : "in.zip", bytes.p, bytes.len);
		if (i < 5)
			bytes = make_end(&made[i]);
	}
	run_attached(&run, "text", "out.zip", &made[5]);
	assert_non_null(part_of(&run, "out.zip/in.zip/in.zip/in.zip/in.zip"));
	assert_non_null(quarantined(&run, "nest deeper"));
	assert_null(part_of(&run, "out.zip/in.zip/in.zip/in.zip/in.zip/in.zip"));
	for (int i = 0; i < 5; i++)
		made_free(&made[i]);
	arena_free(&run.arena);
}

static void test_passwords_of_analysts_and_of_the_text_open_it(void **state)
{
	static const char *const ways[][2] = {
		{"infected", "sample attached"},
		{"X9!k-42", "Dear all,\nthe password for the file in the attachment is: \"X9!k-42\".\n"},
		{"4711", "Das Passwort lautet 4711."},
		{"Qw.7", "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c \xd0\xba "
			 "\xd0\xb0\xd1\x80\xd1\x85\xd0\xb8\xd0\xb2\xd1\x83: Qw.7"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct made made;
		struct run run;
		zip_begin(&made, ways[i][0]);
		make_member(&made, "a.exe", "MZ", 2);
		run_attached(&run, ways[i][1], "s.zip", &made);
		assert_part(&run, "s.zip/a.exe", "MZ");
		assert_true(noted(&run, "opens with the password"));
		assert_int_equal(run.reading.item_count, 1);
		arena_free(&run.arena);
	}
}

static void test_unknown_password_is_noted_and_the_archive_kept(void **state)
{
	struct made made;
	struct run run;

	(void)state;
	zip_begin(&made, "nobody knows");
	make_member(&made, "a.exe", "MZ", 2);
	run_attached(&run, "text", "s.zip", &made);
	assert_true(noted(&run, "\"s.zip\": an encrypted zip archive"));
	assert_non_null(quarantined(&run, "no password that is known"));
	assert_true(str_equal(quarantined(&run, "no password")->part, STR("part 1: s.zip")));
	assert_int_equal(run.reading.evidence_count, 2);
	assert_true(str_equal(run.reading.evidence[1].name, STR("s.zip")));
	arena_free(&run.arena);
}

static void test_a_bomb_costs_its_own_archive(void **state)
{
	size_t size = 40u << 20;
	char *zeros = mem_alloc(size);
	struct made made;
	struct run run;

	(void)state;
	zip_begin(&made, NULL);
	make_member(&made, "first.txt", "http://first.example/", 21);
	make_member(&made, "zeros", zeros, size);
	run_attached(&run, "text http://text.example/", "bomb.zip", &made);
	assert_non_null(quarantined(&run, "too many times its size"));
	assert_true(has(&run, OBSERVABLE_URL, "http://first.example/"));
	assert_true(has(&run, OBSERVABLE_URL, "http://text.example/"));
	assert_int_equal(run.reading.items[0].kind, ITEM_REPORT);
	arena_free(&run.arena);
	free(zeros);
}

/* A document is a zip too: its macros are scanned, its style sheets are nobody's indicator. */
static void test_documents_are_scanned_and_make_no_noise(void **state)
{
	struct made made;
	struct run run;

	(void)state;
	zip_begin(&made, NULL);
	make_member(&made, "[Content_Types].xml", "<Types xmlns='http://schemas.example/'/>", 40);
	make_member(&made, "word/vbaProject.bin", "AutoOpen", 8);
	run_attached(&run, "text", "offer.docm", &made);
	assert_part(&run, "offer.docm/word/vbaProject.bin", "AutoOpen");
	assert_false(has(&run, OBSERVABLE_FILENAME, "vbaProject.bin"));
	assert_false(has(&run, OBSERVABLE_URL, "http://schemas.example/"));
	assert_true(has(&run, OBSERVABLE_FILENAME, "offer.docm"));
	arena_free(&run.arena);
}

static bool refuse_archives(struct reading *reading, uint32_t item, const char *stage)
{
	(void)reading;
	return item != 0 || strcmp(stage, "archive") != 0;
}

/* A worker ended in it: the mail lands all the same. */
static void test_archives_can_be_left_out(void **state)
{
	struct made made;
	struct buf mail;
	struct run run = {0};

	(void)state;
	zip_begin(&made, NULL);
	make_member(&made, "a", "1", 1);
	mail = mail_with("text", "a.zip", make_end(&made));
	run.arena = arena_new(65536);
	run.reading = (struct reading){
		.arena = run.arena, .limits = &reading_limits_default, .enter = refuse_archives};
	assert_true(mail_read(&run.reading, buf_view(&mail), STR(ENVELOPE), &run.err));
	assert_non_null(quarantined(&run, "not opened: a worker ended in it"));
	assert_null(part_of(&run, "a.zip/a"));
	buf_free(&mail);
	made_free(&made);
	arena_free(&run.arena);
}

static void test_words_behind_password_are_found(void **state)
{
	static const char *const texts[][2] = {
		{"Password: infected", "infected"},
		{"pwd=abc123", "abc123"},
		{"The Password is 'Sesam, oeffne dich'", "Sesam"},
		{"mot de passe : (secret)", "secret"},
		{"Zip-Passwort: Hallo!", "Hallo!"},
		{"Zip-Passwort: Hallo!", "Hallo"},
		{"\xe5\xaf\x86\xe7\xa0\x81\xef\xbc\x9a"
		 "8888",
			"8888"},
	};
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct str list[20];
		size_t count = 0;
		bool found = false;
		archive_password_find(str_of(texts[i][0]), arena, list, 20, &count);
		for (size_t n = 0; n < count; n++)
			found |= str_equal(list[n], str_of(texts[i][1]));
		if (!found)
			fail_msg("%s", texts[i][0]);
	}
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_inside_become_parts_and_indicators),
		cmocka_unit_test(test_an_archive_without_a_mail_is_opened),
		cmocka_unit_test(test_archives_in_archives_and_mails_in_them),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_passwords_of_analysts_and_of_the_text_open_it),
		cmocka_unit_test(test_unknown_password_is_noted_and_the_archive_kept),
		cmocka_unit_test(test_a_bomb_costs_its_own_archive),
		cmocka_unit_test(test_documents_are_scanned_and_make_no_noise),
		cmocka_unit_test(test_archives_can_be_left_out),
		cmocka_unit_test(test_words_behind_password_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
