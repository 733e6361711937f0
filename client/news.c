#include "config.h"

#include "client/news.h"

#include "base/clock.h"
#include "client/command.h"
#include "client/i18n.h"
#include "client/when.h"

static void came(struct buf *text, size_t begun, int64_t count, const char *one, const char *many)
{
	if (count == 0)
		return;
	buf_text(text, text->len > begun ? " · " : "");
	buf_printf(text, "%lld %s", (long long)count, count == 1 ? one : many);
}

void news_describe(struct screen *screen, struct json_object *news, struct buf *text)
{
	struct json_object *by = member_of(news, "by");
	size_t begun = text->len;
	int64_t last;

	for (size_t i = 0; by && i < json_object_array_length(by); i++) {
		struct json_object *one = json_object_array_get_idx(by, i);
		struct buf who = {0};
		screen_cell(str_of(member_text(one, "who")), &who);
		buf_text(text, text->len > begun ? " · " : "");
		buf_printf(text, _("%lld by %s"), (long long)member_number(one, "n"), buf_cstr(&who));
		buf_free(&who);
	}
	came(text, begun, member_number(news, "mails"), _("mail"), _("mails"));
	came(text, begun, member_number(news, "reports"), _("report"), _("reports"));
	if (clock_parse(str_of(member_text(news, "last")), &last)) {
		buf_text(text, ", ");
		when_due(last, screen->now, text);
	}
}
