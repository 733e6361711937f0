#include "config.h"

#include "client/choose.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/mem.h"
#include "client/i18n.h"

static bool same_word(struct str typed, const char *word)
{
	if (typed.len != strlen(word))
		return false;
	for (size_t i = 0; i < typed.len; i++) {
		int a = tolower((unsigned char)typed.p[i]), b = tolower((unsigned char)word[i]);
		if (a != b && !(a == '-' && (b == ' ' || b == '_')))
			return false;
	}
	return true;
}

static const struct column *column_named(const struct column *columns, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (same_word(name, columns[i].member) || same_word(name, _(columns[i].title)) ||
			same_word(name, columns[i].title))
			return &columns[i];
	return NULL;
}

/* A member of the first row that no column shows. */
static bool member_named(struct json_object *rows, struct str name, const char **member)
{
	struct json_object *row = rows ? json_object_array_get_idx(rows, 0) : NULL;

	if (!json_object_is_type(row, json_type_object))
		return false;
	json_object_object_foreach(row, key, value)
	{
		(void)value;
		*member = key;
		if (same_word(name, key))
			return true;
	}
	return false;
}

static void complain(struct str name, const struct column *columns, size_t count, struct json_object *rows,
	struct buf *complaint)
{
	struct json_object *row = rows ? json_object_array_get_idx(rows, 0) : NULL;

	buf_printf(complaint, _("there is no column \"" STR_FMT "\"; there are:"), STR_ARG(name));
	for (size_t i = 0; i < count; i++)
		buf_printf(complaint, " %s", columns[i].member);
	if (!json_object_is_type(row, json_type_object))
		return;
	json_object_object_foreach(row, key, value)
	{
		if (!json_object_is_type(value, json_type_object) &&
			!column_named(columns, count, str_of(key)))
			buf_printf(complaint, " %s", key);
	}
}

static bool add_column(struct choice *choice, const struct column *columns, size_t count,
	struct json_object *rows, struct str name)
{
	const struct column *known = column_named(columns, count, name);
	struct column *to = &choice->columns[choice->count];
	char *title = choice->titles[choice->count];
	const char *member;

	if (known) {
		*to = *known;
	} else if (member_named(rows, name, &member)) {
		size_t len = 0;
		for (; member[len] && len + 1 < sizeof(choice->titles[0]); len++) {
			char c = member[len];
			if (c >= 'a' && c <= 'z')
				c = (char)(c & ~0x20);
			title[len] = c;
			if (c == '_')
				title[len] = ' ';
		}
		title[len] = 0;
		*to = (struct column){member, title, CELL_TEXT, true};
	} else {
		return false;
	}
	choice->count++;
	return true;
}

/* What rows are put in order by. */
struct order {
	const char *member;
	enum cell cell;
	int direction;
};

static int severity_rank(const char *word)
{
	static const char *const words[] = {"info", "low", "medium", "high", "critical"};

	for (int i = 0; i < (int)ARRAY_LEN(words); i++)
		if (!strcmp(word, words[i]))
			return i;
	return -1;
}

static bool is_number(struct json_object *value)
{
	return json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
}

static int compare_values(const struct order *order, struct json_object *a, struct json_object *b)
{
	if (is_number(a) && is_number(b)) {
		double x = json_object_get_double(a), y = json_object_get_double(b);
		return (x > y) - (x < y);
	}
	const char *x = json_object_get_string(a), *y = json_object_get_string(b);
	if (order->cell == CELL_SEVERITY)
		return severity_rank(x) - severity_rank(y);
	return strcoll(x, y);
}

/* What says nothing comes last, whichever way. */
static int compare_rows(const void *left, const void *right, void *context)
{
	const struct order *order = context;
	struct json_object *a = member_of(*(struct json_object *const *)left, order->member);
	struct json_object *b = member_of(*(struct json_object *const *)right, order->member);

	if (!a || !b)
		return !a - !b;
	return order->direction * compare_values(order, a, b);
}

static struct json_object *sorted(struct json_object *rows, struct order order)
{
	size_t count = json_object_array_length(rows);
	struct json_object **all = mem_alloc((count + 1) * sizeof(struct json_object *));
	struct json_object *out = json_object_new_array();

	for (size_t i = 0; i < count; i++)
		all[i] = json_object_array_get_idx(rows, i);
	qsort_r(all, count, sizeof(struct json_object *), compare_rows, &order);
	for (size_t i = 0; i < count; i++)
		json_object_array_add(out, json_object_get(all[i]));
	free(all);
	return out;
}

static bool sort_rows(struct choice *choice, const char *sort, const struct column *columns, size_t count,
	struct json_object *rows, struct buf *complaint)
{
	struct str name = str_of(sort);
	struct order order = {.direction = str_starts(name, STR("-")) ? -1 : 1, .cell = CELL_TEXT};

	if (order.direction < 0)
		name = (struct str){name.p + 1, name.len - 1};
	const struct column *known = column_named(columns, count, name);
	if (known) {
		order.member = known->member;
		order.cell = known->cell;
	} else if (!member_named(rows, name, &order.member)) {
		complain(name, columns, count, rows, complaint);
		return false;
	}
	choice->rows = sorted(rows, order);
	return true;
}

bool choice_make(const char *wanted, const char *sort, const struct column *columns, size_t count,
	struct json_object *rows, struct choice *choice, struct buf *complaint)
{
	struct str rest = wanted ? str_of(wanted) : STR(""), name;

	choice->count = 0;
	choice->rows = NULL;
	while (wanted && str_split(&rest, ',', &name) && choice->count < CHOOSE_COLUMNS) {
		name = str_trim(name);
		if (!add_column(choice, columns, count, rows, name)) {
			complain(name, columns, count, rows, complaint);
			return false;
		}
	}
	for (size_t i = 0; !wanted && i < count && i < CHOOSE_COLUMNS; i++)
		choice->columns[choice->count++] = columns[i];
	if (sort && *sort)
		return sort_rows(choice, sort, columns, count, rows, complaint);
	choice->rows = json_object_get(rows);
	return true;
}
