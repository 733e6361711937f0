#include "config.h"

#include "client/law.h"

#include "base/clock.h"
#include "client/command.h"
#include "client/i18n.h"
#include "client/when.h"

static size_t rows_of(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

void law_show(struct screen *screen, const char *number, struct json_object *law, int indent)
{
	struct json_object *must = member_of(law, "must_file"), *assumed = member_of(law, "assumed");
	struct buf name = {0}, since = {0};
	int64_t at;

	for (size_t i = 0; i < rows_of(must); i++) {
		buf_clear(&name);
		screen_cell(str_of(json_object_get_string(json_object_array_get_idx(must, i))), &name);
		screen_printf(screen,
			_("%*s%s applies and NO CLOCK RUNS: since when do they know? cirt filing new %s "
			  "--regime %s --aware WHEN\n"),
			indent, "", buf_cstr(&name), number, buf_cstr(&name));
	}
	for (size_t i = 0; i < rows_of(assumed); i++) {
		struct json_object *filing = json_object_array_get_idx(assumed, i);
		buf_clear(&name);
		buf_clear(&since);
		screen_cell(str_of(member_text(filing, "regime")), &name);
		if (clock_parse(str_of(member_text(filing, "aware")), &at))
			when_due(at, screen->now, &since);
		screen_printf(screen,
			_("%*s%s counts from %s, when the case was opened: since when do they know? cirt "
			  "filing set %s --aware WHEN\n"),
			indent, "", buf_cstr(&name), buf_cstr(&since), member_text(filing, "filing"));
	}
	buf_free(&name);
	buf_free(&since);
}
