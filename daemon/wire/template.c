#include "config.h"

#include "wire/template.h"

#include <stdlib.h>

#include "base/mem.h"

enum op { OP_TEXT, OP_FIELD, OP_COLUMN, OP_IF, OP_ELSE, OP_ROWS, OP_END };

struct step {
	enum op op;
	bool column; /* OP_IF: field is one of a row */
	struct str text;
	unsigned field;
	size_t to; /* OP_IF, OP_ELSE, OP_ROWS: the step to go on at when what follows is left out */
};

struct steps {
	struct step *list;
	size_t count;
};

struct template
{
	char *copy;
	struct steps subject;
	struct steps text;
};

struct reader {
	enum mail_kind kind;
	struct steps *steps;
	size_t open[TEMPLATE_DEPTH]; /* steps whose block has not ended */
	size_t depth;
	bool in_rows;
	bool in_subject;
	struct buf *fault;
};

static struct step *add(struct reader *reader, enum op op)
{
	struct steps *steps = reader->steps;

	steps->list = mem_resize(steps->list, (steps->count + 1) * sizeof(*steps->list));
	steps->list[steps->count] = (struct step){.op = op};
	return &steps->list[steps->count++];
}

static bool fault(struct reader *reader, const char *text)
{
	buf_text(reader->fault, text);
	return false;
}

/* --- names --- */

static bool is_field(const struct field_info *field, enum mail_kind kind)
{
	return !field->kinds || (field->kinds >> kind & 1);
}

static bool fault_name(struct reader *reader, struct str name)
{
	buf_text(reader->fault, "{");
	for (size_t i = 0; i < name.len && i < 40; i++)
		buf_char(reader->fault, (char)(name.p[i] < ' ' || name.p[i] > '~' ? '?' : name.p[i]));
	buf_printf(
		reader->fault, "}: a field of a mail of kind %s was expected:", mail_kind_name(reader->kind));
	for (unsigned i = 0; i < MAIL_FIELDS; i++)
		if (is_field(&mail_fields[i], reader->kind))
			buf_printf(reader->fault, " %s", mail_fields[i].name);
	for (unsigned i = 0; reader->in_rows && i < ROW_FIELDS; i++)
		buf_printf(reader->fault, " row.%s", row_fields[i].name);
	return false;
}

static bool read_name(struct reader *reader, struct str name, struct step *step)
{
	static const struct str row = {"row.", 4};
	bool column = reader->in_rows && str_starts(name, row);
	struct str rest = column ? (struct str){name.p + row.len, name.len - row.len} : name;
	const struct field_info *fields = column ? row_fields : mail_fields;
	unsigned count = column ? ROW_FIELDS : MAIL_FIELDS;

	for (unsigned i = 0; i < count; i++)
		if (is_field(&fields[i], reader->kind) && str_equal(rest, str_of(fields[i].name))) {
			step->field = i;
			step->column = column;
			if (reader->in_subject && fields[i].lines)
				return fault(reader, "a field of one line was expected in the subject");
			return true;
		}
	return fault_name(reader, name);
}

/* --- lines --- */

static bool open_block(struct reader *reader, enum op op, struct str name)
{
	struct step step = {.op = op};

	if (reader->depth == TEMPLATE_DEPTH)
		return fault(reader, "blocks within blocks: at most 8 were expected");
	if (op == OP_ROWS && (reader->in_rows || !is_field(&mail_fields[FIELD_COUNT], reader->kind)))
		return fault(reader, reader->in_rows
					     ? "{end} was expected before the next {rows}"
					     : "no {rows} was expected: a mail of this kind has none");
	if (op == OP_IF && !read_name(reader, name, &step))
		return false;
	reader->open[reader->depth++] = reader->steps->count;
	reader->in_rows |= op == OP_ROWS;
	*add(reader, op) = step;
	return true;
}

static bool other_block(struct reader *reader)
{
	size_t at = reader->depth > 0 ? reader->open[reader->depth - 1] : 0;

	if (reader->depth == 0 || reader->steps->list[at].op != OP_IF)
		return fault(reader, "{else} was expected only within {if NAME}");
	add(reader, OP_ELSE);
	reader->steps->list[at].to = reader->steps->count;
	reader->open[reader->depth - 1] = reader->steps->count - 1;
	return true;
}

static bool close_block(struct reader *reader)
{
	struct step *opened;

	if (reader->depth == 0)
		return fault(reader, "{end} was expected only behind {if NAME} or {rows}");
	opened = &reader->steps->list[reader->open[--reader->depth]];
	if (opened->op == OP_ROWS) {
		reader->in_rows = false;
		opened->to = reader->steps->count + 1;
		add(reader, OP_END)->to = reader->open[reader->depth];
	} else {
		opened->to = reader->steps->count;
	}
	return true;
}

static bool read_inline(struct reader *reader, struct str line)
{
	size_t from = 0, at = 0;

	while (at < line.len) {
		char c = line.p[at];
		const char *close;
		struct step step = {.op = OP_FIELD};

		if (c != '{' && c != '}') {
			at++;
			continue;
		}
		if (at > from)
			add(reader, OP_TEXT)->text = (struct str){line.p + from, at - from};
		if (at + 1 < line.len && line.p[at + 1] == c) {
			add(reader, OP_TEXT)->text = (struct str){line.p + at, 1};
			from = at += 2;
			continue;
		}
		close = c == '{' ? memchr(line.p + at, '}', line.len - at) : NULL;
		if (!close)
			return fault(reader, "{NAME}, or {{ and }} for braces, were expected");
		if (!read_name(
			    reader, (struct str){line.p + at + 1, (size_t)(close - line.p) - at - 1}, &step))
			return false;
		step.op = step.column ? OP_COLUMN : OP_FIELD;
		*add(reader, step.op) = step;
		from = at = (size_t)(close - line.p) + 1;
	}
	if (at > from)
		add(reader, OP_TEXT)->text = (struct str){line.p + from, at - from};
	return true;
}

static bool read_line(struct reader *reader, struct str line)
{
	struct str whole = str_trim(line);

	if (str_equal(whole, STR("{rows}")))
		return open_block(reader, OP_ROWS, STR_NONE);
	if (str_equal(whole, STR("{else}")))
		return other_block(reader);
	if (str_equal(whole, STR("{end}")))
		return close_block(reader);
	if (str_starts(whole, STR("{if ")) && str_ends(whole, STR("}")) &&
		memchr(whole.p, '}', whole.len) == whole.p + whole.len - 1)
		return open_block(reader, OP_IF, str_trim((struct str){whole.p + 4, whole.len - 5}));
	if (!read_inline(reader, line))
		return false;
	add(reader, OP_TEXT)->text = STR("\n");
	return true;
}

static bool read_subject(struct reader *reader, struct template *template, struct str line)
{
	static const struct str name = {"Subject:", 8};
	struct str text;

	if (!str_starts(line, name))
		return fault(reader, "\"Subject: …\" was expected on the first line");
	text = str_trim((struct str){line.p + name.len, line.len - name.len});
	if (text.len == 0 || text.len > 500)
		return fault(reader, "a subject of 1 to 500 bytes was expected");
	reader->steps = &template->subject;
	reader->in_subject = true;
	if (!read_inline(reader, text))
		return false;
	reader->in_subject = false;
	reader->steps = &template->text;
	return true;
}

static struct str without_return(struct str line)
{
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

static bool read_all(struct reader *reader, struct template *template, struct str text, int *number)
{
	struct str line;

	*number = 1;
	if (text.len > TEMPLATE_SIZE || !utf8_valid(text) || (text.len > 0 && memchr(text.p, 0, text.len)))
		return fault(reader, "at most 64 KB of text in UTF-8 were expected");
	if (!str_split(&text, '\n', &line))
		line = STR_NONE;
	if (!read_subject(reader, template, without_return(line)))
		return false;
	for (*number = 2; text.len > 0 && str_split(&text, '\n', &line); (*number)++) {
		line = without_return(line);
		if (*number == 2 && line.len > 0)
			return fault(reader, "an empty line was expected behind the subject");
		if (*number > 2 && !read_line(reader, line))
			return false;
	}
	return reader->depth == 0 || fault(reader, "{end} was expected before the end of the file");
}

struct template *template_read(struct str text, enum mail_kind kind, int *line, struct buf *fault_text)
{
	struct template *template = mem_alloc(sizeof(*template));
	struct reader reader = {.kind = kind, .fault = fault_text};

	template->copy = mem_strndup(text.len ? text.p : "", text.len);
	if (!read_all(&reader, template, (struct str){template->copy, text.len}, line))
		template_free(&template);
	return template;
}

void template_free(struct template **template)
{
	if (!*template)
		return;
	free((*template)->subject.list);
	free((*template)->text.list);
	free((*template)->copy);
	free(*template);
	*template = NULL;
}

/* --- filling --- */

struct filling {
	const struct mail_values *values;
	const struct told_row *rows;
	size_t count;
	size_t row;
	struct buf *out;
};

static struct str value_of(const struct filling *filling, const struct step *step)
{
	if (!step->column)
		return filling->values->field[step->field];
	return filling->row < filling->count ? filling->rows[filling->row].field[step->field] : STR_NONE;
}

/* The number of the step behind this one. */
static size_t take_step(struct filling *filling, const struct step *step, size_t at)
{
	switch (step->op) {
	case OP_TEXT:
		buf_str(filling->out, step->text);
		return at + 1;
	case OP_IF:
		return value_of(filling, step).len > 0 ? at + 1 : step->to;
	case OP_ELSE:
		return step->to;
	case OP_ROWS:
		filling->row = 0;
		return filling->count > 0 ? at + 1 : step->to;
	case OP_END:
		return ++filling->row < filling->count ? step->to + 1 : at + 1;
	default:
		buf_str(filling->out, value_of(filling, step));
		return at + 1;
	}
}

static bool fill(const struct steps *steps, struct filling *filling, struct err *err)
{
	size_t at = 0;

	while (at < steps->count && filling->out->len <= TEMPLATE_TEXT)
		at = take_step(filling, &steps->list[at], at);
	return at >= steps->count ||
	       err_set(err, ERR_NOSPACE, "the text of a mail is larger than %zu MB", TEMPLATE_TEXT >> 20);
}

bool template_fill(const struct template *template, const struct mail_values *values,
	const struct told_row *rows, size_t count, struct buf *subject, struct buf *text, struct err *err)
{
	struct filling filling = {values, rows, count, 0, subject};

	if (!fill(&template->subject, &filling, err))
		return false;
	filling.out = text;
	return fill(&template->text, &filling, err);
}

static bool is_word(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!((text.p[i] >= 'a' && text.p[i] <= 'z') || (text.p[i] >= '0' && text.p[i] <= '9') ||
			    text.p[i] == '-'))
			return false;
	return text.len > 0 && text.len <= 60;
}

bool template_name_parse(struct str name, enum mail_kind *kind, struct str *what)
{
	static const struct str end = {".txt", 4};
	struct str stem;

	*what = STR_NONE;
	if (!str_ends(name, end))
		return false;
	stem = (struct str){name.p, name.len - end.len};
	if (mail_kind_parse(stem, kind))
		return true;
	for (unsigned i = 0; i < MAIL_KINDS; i++) {
		struct str known = str_of(mail_kind_name((enum mail_kind)i));

		if (stem.len <= known.len + 1 || !str_starts(stem, known) || stem.p[known.len] != '-')
			continue;
		*kind = (enum mail_kind)i;
		*what = (struct str){stem.p + known.len + 1, stem.len - known.len - 1};
		return is_word(*what);
	}
	return false;
}
