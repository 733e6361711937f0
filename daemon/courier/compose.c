#include "config.h"

#include "courier/compose.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "courier/table_file.h"
#include "wire/mail_body.h"
#include "wire/mail_head.h"

#define VALUE_MAX 2000
#define TEXT_MAX  200000

struct compose {
	const struct letter_facts *facts;
	const struct letter_house *house;
	const struct texts *texts;
	struct arena *arena;     /* lives as long as the mail */
	struct arena *row_arena; /* of one row */
	struct mail_values values;
	struct told_row *kept;
	size_t kept_count;
	uint64_t count;
	bool differ[ROW_FIELDS]; /* not the same in all rows */
	struct table_file *file; /* NULL: without rows */
	struct buf table;
	struct buf subject;
	struct buf text;
};

struct compose *compose_new(
	const struct letter_facts *facts, const struct letter_house *house, const struct texts *texts)
{
	struct compose *compose = mem_alloc(sizeof(*compose));

	compose->facts = facts;
	compose->house = house;
	compose->texts = texts;
	compose->arena = arena_new(65536);
	compose->row_arena = arena_new(16384);
	compose->kept = mem_alloc(COMPOSE_INLINE * sizeof(*compose->kept));
	return compose;
}

void compose_free(struct compose **compose)
{
	struct compose *old = *compose;

	*compose = NULL;
	if (!old)
		return;
	table_file_free(&old->file);
	buf_free(&old->table);
	buf_free(&old->subject);
	buf_free(&old->text);
	arena_free(&old->arena);
	arena_free(&old->row_arena);
	free(old->kept);
	free(old);
}

/* --- rows --- */

static void keep(struct compose *compose, const struct told_row *row)
{
	for (unsigned i = 0; i < ROW_FIELDS; i++) {
		const struct str value = row->field[i];

		if (compose->count > 0 && !str_equal(value, compose->kept[0].field[i]))
			compose->differ[i] = true;
		if (compose->kept_count < COMPOSE_INLINE)
			compose->kept[compose->kept_count].field[i] = arena_str(compose->arena, value);
	}
	if (compose->kept_count < COMPOSE_INLINE)
		compose->kept_count++;
	compose->count++;
}

bool compose_row(struct compose *compose, const struct told_row *row, struct err *err)
{
	const struct letter_facts *facts = compose->facts;
	struct told_row clean;

	arena_reset(compose->row_arena);
	clean.hit = row->hit;
	for (unsigned i = 0; i < ROW_FIELDS; i++)
		clean.field[i] =
			i >= ROW_SANITISED && facts->sanitised
				? STR_NONE
				: mail_value(row->field[i], row_fields[i].lines,
					  row_fields[i].lines ? TEXT_MAX : VALUE_MAX, compose->row_arena);
	if (!compose->file) {
		const struct table_plan plan = {
			.format = facts->format == TABLE_XARF ? TABLE_XARF : TABLE_CSV,
			.sanitised = facts->sanitised,
			.zip_over = compose->house->zip_over,
			.max_size = compose->house->max_size,
			.sender = {compose->house->name, compose->house->from, facts->number}};

		compose->file = table_file_new(&plan);
	}
	keep(compose, &clean);
	return table_file_row(compose->file, &clean, err);
}

/* --- the text --- */

static struct str value(struct compose *compose, struct str text, bool lines)
{
	return mail_value(text, lines, lines ? TEXT_MAX : VALUE_MAX, compose->arena);
}

static struct str number_text(struct compose *compose, uint64_t number)
{
	return number > 0 ? arena_printf(compose->arena, "%llu", (unsigned long long)number) : STR_NONE;
}

static struct str tlp_label(const struct compose *compose, struct arena *arena)
{
	const char *name = tlp_name(compose->facts->tlp == TLP_UNSTATED ? TLP_AMBER : compose->facts->tlp);
	struct buf label = {0};
	struct str copy;

	buf_text(&label, "TLP:");
	for (; *name; name++)
		buf_char(&label, (char)(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name));
	copy = arena_str(arena, buf_view(&label));
	buf_free(&label);
	return copy;
}

static struct str common(const struct compose *compose, enum row_field field)
{
	return compose->count > 0 && !compose->differ[field] ? compose->kept[0].field[field] : STR_NONE;
}

static bool is_inline(const struct compose *compose)
{
	return compose->facts->format == TABLE_INLINE && compose->count <= COMPOSE_INLINE;
}

static void set_values(struct compose *compose)
{
	const struct letter_facts *facts = compose->facts;
	const struct letter_house *house = compose->house;
	struct str *field = compose->values.field;
	char date[CLOCK_TEXT];

	for (unsigned i = 0; i < MAIL_FIELDS; i++)
		field[i] = value(compose, facts->given[i], mail_fields[i].lines);
	field[FIELD_NUMBER] = value(compose, facts->number, false);
	field[FIELD_DATE] = arena_str(compose->arena, (struct str){clock_format(house->now, date), 10});
	field[FIELD_NAME] = value(compose, house->name, false);
	field[FIELD_ADDRESS] = house->from;
	field[FIELD_REPLY] = house->reply.len > 0 ? house->reply : house->from;
	field[FIELD_ORGANISATION] = value(compose, facts->organisation, false);
	field[FIELD_CONTACT] = value(compose, facts->contact, false);
	field[FIELD_TLP] = tlp_label(compose, compose->arena);
	field[FIELD_EXERCISE] = value(compose, facts->exercise, false);
	field[FIELD_CASE] = value(compose, facts->case_number, false);
	field[FIELD_COUNT] = number_text(compose, compose->count);
	field[FIELD_CLASS] = common(compose, ROW_CLASS);
	field[FIELD_TYPE] = common(compose, ROW_TYPE);
	field[FIELD_IDENTIFIER] = common(compose, ROW_IDENTIFIER);
	field[FIELD_MORE] = number_text(compose, compose->count - compose->kept_count);
	if (is_inline(compose) && compose->count > 0) {
		told_table(&compose->table, compose->kept, compose->kept_count);
		field[FIELD_TABLE] = buf_view(&compose->table);
	} else if (compose->file) {
		field[FIELD_ATTACHMENT] = str_of(table_file_part(compose->file, 0)->name);
	}
}

static void put_banner(struct compose *compose)
{
	buf_printf(&compose->text, STR_FMT "\n", STR_ARG(compose->values.field[FIELD_TLP]));
	if (compose->facts->exercise.len > 0)
		buf_printf(&compose->text, "*** EXERCISE EXERCISE EXERCISE: " STR_FMT " ***\n",
			STR_ARG(compose->values.field[FIELD_EXERCISE]));
}

bool compose_end(struct compose *compose, struct err *err)
{
	if (compose->file && !table_file_end(compose->file, err))
		return false;
	if (is_inline(compose))
		table_file_free(&compose->file);
	return true;
}

bool compose_fill(struct compose *compose, struct err *err)
{
	const struct letter_facts *facts = compose->facts;
	const struct template *template = texts_find(compose->texts, facts->language, facts->kind,
		common(compose, ROW_CLASS), facts->template, err);

	if (!template)
		return false;
	buf_clear(&compose->table);
	buf_clear(&compose->subject);
	buf_clear(&compose->text);
	set_values(compose);
	put_banner(compose);
	buf_char(&compose->text, '\n');
	if (!template_fill(template, &compose->values, compose->kept, compose->kept_count, &compose->subject,
		    &compose->text, err))
		return false;
	buf_char(&compose->text, '\n');
	put_banner(compose);
	return true;
}

/* --- the mail --- */

static void put_subject(const struct compose *compose, bool hides, struct buf *out)
{
	const struct str *field = compose->values.field;
	struct arena *arena = arena_new(4096);
	struct str what = hides ? field[FIELD_NAME] : buf_view(&compose->subject);

	if (compose->facts->exercise.len > 0)
		buf_printf(out, "[EXERCISE " STR_FMT "] ", STR_ARG(field[FIELD_EXERCISE]));
	buf_printf(out, "[" STR_FMT "] ", STR_ARG(field[FIELD_TLP]));
	if (field[FIELD_TAGS].len > 0)
		buf_printf(out, STR_FMT " ", STR_ARG(field[FIELD_TAGS]));
	else
		buf_printf(out, "[" STR_FMT "] ", STR_ARG(field[FIELD_NUMBER]));
	buf_str(out, mail_value(what, false, 500, arena));
	arena_free(&arena);
}

void compose_entity(const struct compose *compose, bool hides, struct buf *out)
{
	size_t count = compose->file ? table_file_parts(compose->file) : 0;
	struct mail_part *parts = mem_alloc((count + 1) * sizeof(*parts));
	struct buf subject = {0};

	for (size_t i = 0; i < count; i++)
		parts[i] = *table_file_part(compose->file, i);
	if (hides)
		put_subject(compose, false, &subject);
	mail_entity(
		out, compose->facts->message_id, buf_view(&subject), buf_view(&compose->text), parts, count);
	buf_free(&subject);
	free(parts);
}

/* Machines are told that one speaks (RFC 3834): they answer no mail that says so. */
static void put_origin(const struct letter_facts *facts, struct buf *out)
{
	if (facts->kind == MAIL_OTHER || facts->kind == MAIL_RELEASE)
		return;
	mail_head_plain(out, "Auto-Submitted",
		facts->kind == MAIL_ACKNOWLEDGEMENT ? STR("auto-replied") : STR("auto-generated"));
	mail_head_plain(out, "X-Auto-Response-Suppress", STR("OOF, AutoReply"));
	mail_head_plain(out, "Precedence", STR("bulk"));
}

void compose_head(const struct compose *compose, bool hides, struct buf *out)
{
	const struct letter_facts *facts = compose->facts;
	const struct letter_house *house = compose->house;
	struct buf subject = {0};

	put_subject(compose, hides, &subject);
	mail_head_date(out, house->now);
	mail_head_address(out, "From", compose->values.field[FIELD_NAME], house->from);
	mail_head_address(out, "To", compose->values.field[FIELD_CONTACT], facts->address);
	if (house->reply.len > 0)
		mail_head_address(out, "Reply-To", compose->values.field[FIELD_NAME], house->reply);
	mail_head_text(out, "Subject", buf_view(&subject));
	mail_head_plain(out, "Message-ID", facts->message_id);
	if (facts->in_reply_to.len > 0) {
		mail_head_plain(out, "In-Reply-To", facts->in_reply_to);
		mail_head_plain(out, "References",
			compose->values.field[FIELD_REFERENCES].len > 0
				? compose->values.field[FIELD_REFERENCES]
				: facts->in_reply_to);
	}
	put_origin(facts, out);
	mail_head_plain(out, "X-TLP", compose->values.field[FIELD_TLP]);
	if (facts->exercise.len > 0)
		mail_head_text(out, "X-Exercise", compose->values.field[FIELD_EXERCISE]);
	mail_head_plain(out, "MIME-Version", STR("1.0"));
	buf_free(&subject);
}
