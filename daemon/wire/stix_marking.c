#include "wire/stix_marking.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"

#define TLP_EXTENSION "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
#define REFS_MAX      100
#define GRANULAR_MAX  1000
#define SELECTORS_MAX 1000 /* checked of one object */
#define STEPS_MAX     50   /* of one selector */
#define STEP_MAX      251  /* STIX 2.1 section 3.1: names have at most 250 characters */
#define SHOWN_MAX     300
#define UNKNOWN_MAX   5 /* markings that are not there are told of */

/* A TLP that is none of the predefined ones, but says which it is. */
static bool tlp_of_definition(const struct json_object *marking, enum tlp *tlp)
{
	struct json_object *definition = json_of(marking, "definition", json_type_object);
	struct json_object *extensions = json_of(marking, "extensions", json_type_object);
	struct json_object *extension =
		extensions ? json_of(extensions, TLP_EXTENSION, json_type_object) : NULL;

	if (definition && str_equal(json_text(marking, "definition_type"), STR("tlp")))
		return tlp_parse(json_text(definition, "tlp"), tlp);
	if (extension)
		return tlp_parse(json_text(extension, "tlp_2_0"), tlp);
	return str_starts(json_text(marking, "name"), STR("TLP:")) &&
	       tlp_parse(json_text(marking, "name"), tlp);
}

static enum tlp tlp_of(struct stix_index *index, struct str id)
{
	enum tlp tlp = TLP_UNSTATED;
	struct json_object *marking;

	if (tlp_of_marking(id, &tlp))
		return tlp;
	marking = stix_index_get(index, id);
	if (!marking || !tlp_of_definition(marking, &tlp))
		tlp = TLP_UNSTATED;
	json_object_put(marking);
	return tlp;
}

/* What cannot be looked up may be anything: at least what holds where nobody said. */
static bool is_unknown(struct stix_index *index, struct str id)
{
	enum tlp tlp;

	return !tlp_of_marking(id, &tlp) && (!stix_index_has(index, id) || stix_index_spent(index));
}

static enum tlp stricter(enum tlp a, enum tlp b)
{
	return a > b ? a : b;
}

static enum tlp tlp_of_whole(struct stix_index *index, const struct json_object *object)
{
	struct json_object *refs = json_of(object, "object_marking_refs", json_type_array);
	enum tlp tlp = TLP_UNSTATED;

	for (size_t i = 0; refs && i < json_object_array_length(refs) && i < REFS_MAX; i++)
		tlp = stricter(tlp, tlp_of(index, json_value_text(json_object_array_get_idx(refs, i))));
	return tlp;
}

/* The i-th granular marking that names a marking; NULL if it is another thing (a language). */
static struct json_object *granular_at(struct json_object *granular, size_t i)
{
	struct json_object *marking = json_object_array_get_idx(granular, i);

	return json_object_is_type(marking, json_type_object) && json_text(marking, "marking_ref").len > 0
	               ? marking
	               : NULL;
}

static size_t granular_count(const struct json_object *granular)
{
	size_t count = granular ? json_object_array_length(granular) : 0;

	return count < GRANULAR_MAX ? count : GRANULAR_MAX;
}

enum tlp stix_tlp(struct stix_index *index, const struct json_object *object)
{
	struct json_object *granular = json_of(object, "granular_markings", json_type_array);
	enum tlp tlp = tlp_of_whole(index, object);

	for (size_t i = 0; i < granular_count(granular); i++) {
		struct json_object *marking = granular_at(granular, i);
		if (marking)
			tlp = stricter(tlp, tlp_of(index, json_text(marking, "marking_ref")));
	}
	return tlp;
}

/* --- selectors --- */

/* One step down: a property's name, or [n]. */
static struct json_object *step_down(struct json_object *at, struct str step)
{
	struct json_object *below = NULL;
	char name[STEP_MAX];
	uint64_t number;

	if (step.len > 2 && step.p[0] == '[' && step.p[step.len - 1] == ']') {
		if (!json_object_is_type(at, json_type_array) ||
			!str_to_u64((struct str){step.p + 1, step.len - 2}, &number) ||
			number >= json_object_array_length(at))
			return NULL;
		return json_object_array_get_idx(at, (size_t)number);
	}
	if (!json_object_is_type(at, json_type_object) || step.len == 0 || step.len >= sizeof(name))
		return NULL;
	snprintf(name, sizeof(name), STR_FMT, STR_ARG(step));
	return json_object_object_get_ex(at, name, &below) ? below : NULL;
}

/* "labels[0]" is written for "labels.[0]" too. */
static struct str first_step(struct str *rest)
{
	struct str step = {rest->p, 0};

	while (step.len < rest->len && rest->p[step.len] != '.' &&
		(step.len == 0 || rest->p[step.len] != '['))
		step.len++;
	*rest = (struct str){rest->p + step.len, rest->len - step.len};
	if (rest->len > 1 && rest->p[0] == '.')
		*rest = (struct str){rest->p + 1, rest->len - 1};
	return step;
}

bool stix_selects(const struct json_object *object, struct str selector)
{
	struct json_object *at = NULL;
	struct str step = first_step(&selector);
	char name[STEP_MAX];

	if (step.len == 0 || step.len >= sizeof(name))
		return false;
	snprintf(name, sizeof(name), STR_FMT, STR_ARG(step));
	if (!json_object_object_get_ex(object, name, &at))
		return false;
	for (int steps = 0; at && selector.len > 0; steps++) {
		if (steps == STEPS_MAX)
			return false;
		step = first_step(&selector);
		at = step_down(at, step);
	}
	return at != NULL;
}

/* --- notes --- */

struct marked {
	struct buf by_tlp[TLP_RED + 1]; /* the selectors of each */
	struct buf absent;
	size_t selectors;
};

static void selector_add(struct buf *list, struct str selector)
{
	if (list->len > SHOWN_MAX)
		return;
	if (list->len > 0)
		buf_text(list, ", ");
	buf_str(list, utf8_cut(selector, SHOWN_MAX));
}

static void selectors_take(
	struct marked *marked, const struct json_object *object, struct json_object *marking, enum tlp tlp)
{
	struct json_object *selectors = json_of(marking, "selectors", json_type_array);
	size_t count = selectors ? json_object_array_length(selectors) : 0;

	for (size_t i = 0; i < count && marked->selectors < SELECTORS_MAX; i++, marked->selectors++) {
		struct str selector = json_value_text(json_object_array_get_idx(selectors, i));
		if (!stix_selects(object, selector))
			selector_add(&marked->absent, selector);
		else if (tlp != TLP_UNSTATED)
			selector_add(&marked->by_tlp[tlp], selector);
	}
}

static void unknown_note(
	struct reading *reading, struct report *report, struct stix_index *index, struct str id)
{
	if (!is_unknown(index, id))
		return;
	report->rule_tlp = stricter(report->rule_tlp, TLP_AMBER);
	reading_note(reading, report,
		"its marking " STR_FMT " cannot be looked up in the bundle: TLP %s at least",
		STR_ARG(utf8_cut(id, 100)), tlp_name(TLP_AMBER));
}

/* The first few that are not known; one is enough for the TLP. */
static void unknown_notes(struct reading *reading, struct report *report, struct stix_index *index,
	const struct json_object *object)
{
	struct json_object *refs = json_of(object, "object_marking_refs", json_type_array);
	struct json_object *granular = json_of(object, "granular_markings", json_type_array);
	size_t count = refs ? json_object_array_length(refs) : 0;

	for (size_t i = 0; i < count && i < REFS_MAX && report->note_count < UNKNOWN_MAX; i++)
		unknown_note(reading, report, index, json_value_text(json_object_array_get_idx(refs, i)));
	for (size_t i = 0; i < granular_count(granular) && report->note_count < UNKNOWN_MAX; i++) {
		struct json_object *marking = granular_at(granular, i);
		if (marking)
			unknown_note(reading, report, index, json_text(marking, "marking_ref"));
	}
	if (count > REFS_MAX) {
		report->rule_tlp = stricter(report->rule_tlp, TLP_AMBER);
		reading_note(reading, report, "more than %d markings; the first were read", REFS_MAX);
	}
}

void stix_marking_notes(struct reading *reading, struct report *report, struct stix_index *index,
	const struct json_object *object)
{
	struct json_object *granular = json_of(object, "granular_markings", json_type_array);
	struct marked marked = {.selectors = 0};

	unknown_notes(reading, report, index, object);
	for (size_t i = 0; i < granular_count(granular); i++) {
		struct json_object *marking = granular_at(granular, i);
		if (marking)
			selectors_take(
				&marked, object, marking, tlp_of(index, json_text(marking, "marking_ref")));
	}
	for (size_t tlp = 0; tlp <= TLP_RED; tlp++) {
		if (marked.by_tlp[tlp].len > 0)
			reading_note(reading, report, "TLP %s holds for its %s", tlp_name((enum tlp)tlp),
				buf_cstr(&marked.by_tlp[tlp]));
		buf_free(&marked.by_tlp[tlp]);
	}
	if (marked.absent.len > 0)
		reading_note(reading, report, "marked, but not there: %s", buf_cstr(&marked.absent));
	buf_free(&marked.absent);
}
