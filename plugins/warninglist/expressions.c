#include "expressions.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define STEPS_MAX   20000u
#define DEPTH_MAX   1000u
#define HEAP_KB_MAX 1024u
#define TEXT_MAX    1024u

struct expression {
	uint32_t list;
	char *text;
	pcre2_code *code;
};

struct expressions {
	struct expression *list;
	size_t count;
	pcre2_match_context *limits;
	pcre2_match_data *data;
};

struct expressions *expressions_new(void)
{
	struct expressions *expressions = calloc(1, sizeof(*expressions));

	if (!expressions)
		return NULL;
	expressions->limits = pcre2_match_context_create(NULL);
	expressions->data = pcre2_match_data_create(1, NULL);
	if (!expressions->limits || !expressions->data) {
		expressions_free(expressions);
		return NULL;
	}
	pcre2_set_match_limit(expressions->limits, STEPS_MAX);
	pcre2_set_depth_limit(expressions->limits, DEPTH_MAX);
	pcre2_set_heap_limit(expressions->limits, HEAP_KB_MAX);
	return expressions;
}

void expressions_free(struct expressions *expressions)
{
	if (!expressions)
		return;
	for (size_t i = 0; i < expressions->count; i++) {
		pcre2_code_free(expressions->list[i].code);
		free(expressions->list[i].text);
	}
	free(expressions->list);
	pcre2_match_data_free(expressions->data);
	pcre2_match_context_free(expressions->limits);
	free(expressions);
}

/* What stands between delimiters, and the flags after them. False: a flag that is not known. */
static bool undelimit(const char **text, size_t *len, uint32_t *flags)
{
	const char *last = strrchr(*text, '/');

	*len = strlen(*text);
	*flags = 0;
	if (**text != '/' || last == *text)
		return true;
	for (const char *flag = last + 1; *flag; flag++) {
		switch (*flag) {
		case 'i':
			*flags |= PCRE2_CASELESS;
			break;
		case 'm':
			*flags |= PCRE2_MULTILINE;
			break;
		case 's':
			*flags |= PCRE2_DOTALL;
			break;
		case 'x':
			*flags |= PCRE2_EXTENDED;
			break;
		case 'D':
			*flags |= PCRE2_DOLLAR_ENDONLY;
			break;
		case 'u':
			*flags |= PCRE2_UTF;
			break;
		default:
			return false;
		}
	}
	*len = (size_t)(last - *text) - 1;
	(*text)++;
	return true;
}

bool expressions_add(struct expressions *expressions, uint32_t list, const char *text)
{
	struct expression *grown;
	struct expression one = {.list = list};
	const char *inner = text;
	PCRE2_SIZE where;
	uint32_t flags;
	size_t len;
	int why;

	if (!undelimit(&inner, &len, &flags) || len == 0 || len > TEXT_MAX)
		return false;
	one.code = pcre2_compile((PCRE2_SPTR)inner, len, flags | PCRE2_NEVER_BACKSLASH_C, &why, &where, NULL);
	one.text = strdup(text);
	grown = realloc(expressions->list, (expressions->count + 1) * sizeof(*grown));
	if (grown)
		expressions->list = grown;
	if (!one.code || !one.text || !grown) {
		pcre2_code_free(one.code);
		free(one.text);
		return false;
	}
	grown[expressions->count++] = one;
	return true;
}

unsigned expressions_find(const struct expressions *expressions, const char *value, size_t len, unsigned most,
	expressions_fn *match, void *context)
{
	for (size_t i = 0; i < expressions->count; i++) {
		const struct expression *one = &expressions->list[i];
		if (most == 0)
			return 0;
		most--;
		/* 0 too: there were more groups than we keep. */
		if (pcre2_match(one->code, (PCRE2_SPTR)value, len, 0, 0, expressions->data,
			    expressions->limits) >= 0)
			match(one->list, one->text, context);
	}
	return most;
}
