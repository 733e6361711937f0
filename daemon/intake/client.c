#include "intake/client.h"

static bool certificate_has_name(const struct peer_certificate *certificate, struct str name)
{
	for (size_t i = 0; i < certificate->name_count; i++) {
		if (str_equal_nocase(str_of(certificate->names[i]), name))
			return true;
	}
	return false;
}

static bool cut_prefix(struct str *text, struct str prefix)
{
	if (!str_starts(*text, prefix))
		return false;
	*text = (struct str){text->p + prefix.len, text->len - prefix.len};
	return true;
}

/* Cut " issuer:DN" off the end of *match; *issuer p is NULL if there is none. */
static void cut_issuer(struct str *match, struct str *issuer)
{
	static const struct str word = {"issuer:", 7};

	*issuer = STR_NONE;
	for (size_t i = 0; i + word.len <= match->len; i++) {
		struct str rest = {match->p + i, match->len - i};

		if ((i == 0 || match->p[i - 1] == ' ') && cut_prefix(&rest, word)) {
			*issuer = str_trim(rest);
			match->len = i;
			return;
		}
	}
}

bool client_matches(const struct source *source, const struct peer_certificate *certificate)
{
	struct str rest = source->match;
	struct str issuer;
	struct str word;
	bool issued;

	if (source->kind != SOURCE_SENSOR || !certificate->present || rest.len == 0)
		return false;
	cut_issuer(&rest, &issuer);
	issued = !issuer.p || (certificate->issuer && str_equal(issuer, str_of(certificate->issuer)));
	while (str_split(&rest, ' ', &word)) {
		if (cut_prefix(&word, STR("san:")) && word.len > 0 && issued &&
			certificate_has_name(certificate, word))
			return true;
		if (cut_prefix(&word, STR("pin:")) && word.len > 0 &&
			str_equal_nocase(word, str_of(certificate->key_pin)))
			return true;
	}
	return false;
}

const struct source *client_source(
	const struct source_table *table, const struct peer_certificate *certificate)
{
	const struct source *found = NULL;

	for (size_t i = 0; i < table->count; i++) {
		const struct source *source = &table->sources[i];

		if (client_matches(source, certificate) && (!found || (source->enabled && !found->enabled)))
			found = source;
	}
	return found;
}
