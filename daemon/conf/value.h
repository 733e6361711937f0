#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/conf.h"

/* One option's value: from text, to text. */

/* Where in conf the option's value stands. */
void *value_at(struct conf *conf, const struct conf_option *option);
const void *value_of(const struct conf *conf, const struct conf_option *option);
bool value_is_list(const struct conf_option *option);

/* Read one value and set it; of a list: add it. The error says what was expected. Strings are copied to
 * arena. */
bool value_set(struct conf *conf, const struct conf_option *option, struct str text, struct arena *arena,
	struct err *err);
void value_set_default(struct conf *conf, const struct conf_option *option, struct arena *arena);
bool value_equal(const struct conf_option *option, const struct conf *a, const struct conf *b);
/* As it would be written: 50M, 15m, "text", {"a", "b"}. */
void value_print(const struct conf *conf, const struct conf_option *option, struct buf *out);

#endif
