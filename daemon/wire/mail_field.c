#include "config.h"

#include "wire/mail_field.h"

#include "base/buf.h"
#include "base/mem.h"

static const char *const kinds[MAIL_KINDS] = {
	"notice", "one-shot", "key-waits", "release", "acknowledgement", "mail", "test"};

#define BIT(kind) (1u << (kind))
#define EVERY     (BIT(MAIL_KINDS) - 1)
#define TELLING   (BIT(MAIL_NOTICE) | BIT(MAIL_ONE_SHOT))
#define WRITTEN   (BIT(MAIL_ONE_SHOT) | BIT(MAIL_OTHER))

/* clang-format off */
const struct field_info mail_fields[MAIL_FIELDS] = {
	[FIELD_NUMBER] = {"number", EVERY, false, ""},
	[FIELD_DATE] = {"date", EVERY, false, ""},
	[FIELD_NAME] = {"name", EVERY, false, ""},
	[FIELD_ADDRESS] = {"address", EVERY, false, ""},
	[FIELD_REPLY] = {"reply", EVERY, false, ""},
	[FIELD_ORGANISATION] = {"organisation", EVERY, false, ""},
	[FIELD_CONTACT] = {"contact", EVERY, false, ""},
	[FIELD_TLP] = {"tlp", EVERY, false, ""},
	[FIELD_EXERCISE] = {"exercise", EVERY, false, ""},
	[FIELD_CASE] = {"case", EVERY, false, ""},
	[FIELD_COUNT] = {"count", TELLING, false, ""},
	[FIELD_CLASS] = {"class", TELLING, false, ""},
	[FIELD_TYPE] = {"type", TELLING, false, ""},
	[FIELD_IDENTIFIER] = {"identifier", TELLING, false, ""},
	[FIELD_ATTACHMENT] = {"attachment", TELLING, false, ""},
	[FIELD_TABLE] = {"table", TELLING, true, ""},
	[FIELD_MORE] = {"more", TELLING, false, ""},
	[FIELD_TEXT] = {"text", EVERY, true, "text"},
	[FIELD_SUBJECT] = {"subject", WRITTEN, false, "subject"},
	[FIELD_TAGS] = {"tags", BIT(MAIL_OTHER), false, "tags"},
	[FIELD_REFERENCES] = {"references", BIT(MAIL_OTHER), false, "references"},
	[FIELD_REPORT] = {"report", BIT(MAIL_RELEASE) | BIT(MAIL_ACKNOWLEDGEMENT), false, "report"},
	[FIELD_RECEIVED] = {"received", BIT(MAIL_RELEASE) | BIT(MAIL_ACKNOWLEDGEMENT), false, "received"},
	[FIELD_WAITS] = {"waits", BIT(MAIL_KEY_WAITS), false, "waits"},
	[FIELD_REASON] = {"reason", BIT(MAIL_KEY_WAITS) | BIT(MAIL_RELEASE), false, "reason"},
};

const struct field_info row_fields[ROW_FIELDS] = {
	[ROW_LAST] = {"last", 0, false, "last"},
	[ROW_FIRST] = {"first", 0, false, "first"},
	[ROW_IP] = {"ip", 0, false, "ip"},
	[ROW_NAME] = {"name", 0, false, "name"},
	[ROW_PORT] = {"port", 0, false, "port"},
	[ROW_ASN] = {"asn", 0, false, "asn"},
	[ROW_COUNTRY] = {"country", 0, false, "country"},
	[ROW_CLASS] = {"class", 0, false, "class"},
	[ROW_TYPE] = {"type", 0, false, "classification"},
	[ROW_IDENTIFIER] = {"identifier", 0, false, "identifier"},
	[ROW_SEVERITY] = {"severity", 0, false, "severity"},
	[ROW_COUNT] = {"count", 0, false, "count"},
	[ROW_REPORT] = {"report", 0, false, "report"},
	[ROW_MALWARE] = {"malware", 0, false, "malware"},
	[ROW_CONFIDENCE] = {"confidence", 0, false, "confidence"},
	[ROW_TITLE] = {"title", 0, false, "title"},
	[ROW_OBSERVABLES] = {"observables", 0, true, "observables"},
};
/* clang-format on */

const char *mail_kind_name(enum mail_kind kind)
{
	return kind < MAIL_KINDS ? kinds[kind] : "unknown";
}

bool mail_kind_parse(struct str name, enum mail_kind *kind)
{
	for (unsigned i = 0; i < MAIL_KINDS; i++)
		if (str_equal(name, str_of(kinds[i]))) {
			*kind = (enum mail_kind)i;
			return true;
		}
	return false;
}

/* Marks that turn the direction of text make a line read as another; separators of lines are controls too. */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0x2028 || c == 0x2029 || c == 0x200e || c == 0x200f ||
	       c == 0xfeff;
}

static void take_character(struct buf *out, uint32_t c, bool lines)
{
	if (lines && c == '\n') {
		buf_char(out, '\n');
	} else if (c == '\n' || c == '\r' || c == '\t' || c == 0x2028 || c == 0x2029) {
		if (out->len > 0 && out->data[out->len - 1] != ' ')
			buf_char(out, ' ');
	} else if (!is_control(c)) {
		buf_utf8(out, c);
	}
}

struct str mail_value(struct str value, bool lines, size_t max, struct arena *arena)
{
	struct buf out = {0};
	struct str copy;

	while (value.len > 0 && out.len <= max) {
		/* A line feed comes from any of the three ways to end a line. */
		if (lines && value.p[0] == '\r') {
			value.p++;
			value.len--;
			if (value.len == 0 || value.p[0] != '\n')
				buf_char(&out, '\n');
			continue;
		}
		take_character(&out, utf8_next(&value), lines);
	}
	copy = arena_str(arena, utf8_cut(lines ? buf_view(&out) : str_trim(buf_view(&out)), max));
	buf_free(&out);
	return copy;
}
