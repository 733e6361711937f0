#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "courier/compose.h"
#include "ipc/rules_bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * A mail out of hostile names, values and rows, in a hostile template: "KIND FORMAT FLAGS" as three bytes,
 * the template, a zero byte, and values divided by zero bytes. Whatever they are, it has the fields that we
 * write, each once, and lines that a mail server takes.
 */
#define VALUES 64

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool is_ours(struct str name)
{
	static const char *const names[] = {"Date", "From", "To", "Reply-To", "Subject", "Message-ID",
		"In-Reply-To", "References", "Auto-Submitted", "X-Auto-Response-Suppress", "Precedence",
		"X-TLP", "X-Exercise", "MIME-Version"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_equal(name, str_of(names[i])))
			return true;
	return false;
}

/* Lines end by CRLF, are ASCII without controls, and are at most 998 bytes long (RFC 5322 section 2.1.1). */
static void check_lines(struct str bytes)
{
	struct str line;

	must(bytes.len == 0 || str_ends(bytes, STR("\r\n")));
	while (str_split(&bytes, '\n', &line)) {
		if (!bytes.p && line.len == 0)
			break;
		must(line.len > 0 && line.len <= 999 && line.p[line.len - 1] == '\r');
		for (size_t i = 0; i + 1 < line.len; i++)
			must((line.p[i] >= ' ' && line.p[i] <= '~') || line.p[i] == '\t');
	}
}

static void check_head(struct str head)
{
	struct str all = head, line, seen[20];
	size_t count = 0;

	check_lines(head);
	while (str_split(&all, '\n', &line) && line.len > 0) {
		struct str rest = line, name;

		if (line.p[0] == ' ' || line.p[0] == '\t')
			continue;
		must(str_split(&rest, ':', &name) && is_ours(name) && count < 20);
		for (size_t i = 0; i < count; i++)
			must(!str_equal(seen[i], name));
		seen[count++] = name;
	}
	must(count >= 7);
}

static void write_mail(struct compose *compose)
{
	struct buf mail = {0};

	for (int hides = 0; hides < 2; hides++) {
		buf_clear(&mail);
		compose_head(compose, hides, &mail);
		check_head(buf_view(&mail));
		buf_clear(&mail);
		compose_entity(compose, hides, &mail);
		check_lines(buf_view(&mail));
		must(memmem(mail.data, mail.len, "\r\n\r\n", 4) != NULL);
	}
	buf_free(&mail);
}

static void make(
	struct letter_facts *facts, const struct str *values, const struct texts *texts, unsigned rows)
{
	const struct letter_house house = {.name = values[7],
		.from = STR("cirt@cirt.example"),
		.reply = STR("case+N2026-000001-seal@cirt.example"),
		.zip_over = 2000,
		.max_size = 1 << 20,
		.now = INT64_C(1795400000000000)};
	struct compose *compose;
	struct err err;
	bool ok = true;

	compose = compose_new(facts, &house, texts);
	for (unsigned row = 0; ok && row < rows; row++) {
		struct told_row told;

		for (unsigned i = 0; i < ROW_FIELDS; i++)
			told.field[i] = values[(8 + row * 5 + i) % VALUES];
		ok = compose_row(compose, &told, &err);
	}
	if (ok && compose_end(compose, &err) && compose_fill(compose, &err))
		write_mail(compose);
	compose_free(&compose);
}

/* A mistake has a line and is told; the courier leaves such a template out. */
static bool is_template(enum mail_kind kind, struct str text)
{
	struct buf fault = {0};
	int line = 0;
	struct template *template = template_read(text, kind, &line, &fault);
	bool is = template != NULL;

	must(is || (line > 0 && fault.len > 0));
	template_free(&template);
	buf_free(&fault);
	return is;
}

static struct texts *read_texts(enum mail_kind kind, struct str template)
{
	struct buf bundle = {0};
	char name[64];
	struct texts *texts;

	strcpy(name, "en/");
	strcat(name, mail_kind_name(kind));
	strcat(name, ".txt");
	rules_bundle_add(&bundle, str_of(name), template);
	texts = texts_new(buf_view(&bundle));
	buf_free(&bundle);
	return texts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data, size}, template = STR_NONE, values[VALUES];
	struct letter_facts facts = {0};
	struct texts *texts;
	uint8_t flags;

	if (size < 4)
		return 0;
	flags = data[2];
	facts.kind = (enum mail_kind)(data[0] % MAIL_KINDS);
	facts.format = (enum table_format)(data[1] % 3);
	rest = (struct str){rest.p + 3, rest.len - 3};
	str_split(&rest, 0, &template);
	if (!is_template(facts.kind, template))
		return 0;
	for (size_t i = 0; i < VALUES; i++)
		if (!str_split(&rest, 0, &values[i]))
			values[i] = STR("");
	facts.sanitised = flags & 1;
	facts.tlp = (enum tlp)(flags >> 1 & 3);
	facts.number = STR("N2026-000001");
	facts.language = values[0];
	facts.template = values[1];
	facts.address = STR("soc@hospital.example");
	facts.message_id = STR("<1@cirt.example>");
	facts.in_reply_to = values[2];
	facts.organisation = values[3];
	facts.contact = values[4];
	facts.exercise = values[5];
	facts.case_number = values[6];
	for (unsigned i = 0; i < MAIL_FIELDS; i++)
		facts.given[i] = values[(20 + i) % VALUES];
	texts = read_texts(facts.kind, template);
	make(&facts, values, texts, flags >> 3);
	texts_free(&texts);
	return 0;
}
