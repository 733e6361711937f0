#include "config.h"

#include "base/mem.h"
#include "conf/conf.h"
#include "conf/value.h"

#define LINE_MAX_LEN 110

/* Text in comment lines of at most LINE_MAX_LEN characters, each behind indent. */
static void print_comment(struct buf *out, const char *indent, struct str text)
{
	struct str word;
	size_t column = 0;
	while (str_split(&text, ' ', &word)) {
		if (column > 0 && column + 1 + word.len > LINE_MAX_LEN) {
			buf_char(out, '\n');
			column = 0;
		}
		if (column == 0) {
			buf_printf(out, "%s#", indent);
			column = strlen(indent) + 1;
		}
		buf_char(out, ' ');
		buf_str(out, word);
		column += 1 + word.len;
	}
	buf_char(out, '\n');
}

static void print_option(struct buf *out, const struct conf *defaults, const struct conf_option *option)
{
	const char *indent = *option->section ? "    " : "";
	struct buf help = {0};
	buf_text(&help, option->help);
	if (!option->reload)
		buf_text(&help, " (A change takes a restart.)");
	print_comment(out, indent, buf_view(&help));
	buf_printf(out, "%s#%s = ", indent, option->name);
	value_print(defaults, option, out);
	buf_text(out, "\n");
	buf_free(&help);
}

void conf_print_sample(struct buf *out)
{
	struct arena *arena = arena_new(0);
	struct conf defaults;
	const char *section = "";
	conf_defaults(arena, &defaults);
	buf_text(out, "# Configuration of cirtd: every option, at its default. `cirtd -t` checks it and "
		      "names each mistake by line;\n"
		      "# SIGHUP applies changes to all but the options that say otherwise.\n"
		      "# Sizes are written as 512K, 50M, 4G; times as 5ms, 10s, 15m, 12h, 31d; lists as "
		      "{\"one\", \"two\"}.\n");
	for (const struct conf_option *option = conf_options; option->name; option++) {
		bool first = strcmp(option->section, section) != 0;
		if (first) {
			buf_text(out, *section ? "}\n" : "");
			buf_printf(out, "\n%s {\n", option->section);
			section = option->section;
		} else {
			buf_char(out, '\n');
		}
		print_option(out, &defaults, option);
	}
	buf_text(out, "}\n\n# A plugin's own options; its manual page tells them.\n"
		      "#plugin lookalike { names = \"/var/lib/cirtd/names.csv\" }\n"
		      "#plugin netinfo { database = \"/var/lib/GeoIP/GeoLite2-ASN.mmdb\" }\n"
		      "#plugin similar { texts = \"yes\" files = \"yes\" }\n"
		      "#plugin warninglist { lists = \"/var/lib/cirtd/warninglists\" }\n");
	arena_free(&arena);
}
