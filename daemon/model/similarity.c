#include "config.h"

#include "model/similarity.h"

#include <string.h>

#define TEXT_DIGITS   128u
#define BLOCK_DIGITS  9u
#define SSDEEP_LENGTH 64u

/* As in the table similarity_rule. */
static const char *const names[SIMILARITY_KINDS] = {
	[SIMILARITY_TEXT] = "text",
	[SIMILARITY_FILE] = "file",
};

const char *similarity_name(enum similarity_kind kind)
{
	return names[kind];
}

bool similarity_parse(struct str text, enum similarity_kind *kind)
{
	for (int i = SIMILARITY_TEXT; i < SIMILARITY_KINDS; i++) {
		if (str_equal(text, str_of(names[i]))) {
			*kind = (enum similarity_kind)i;
			return true;
		}
	}
	return false;
}

static bool is_of(struct str text, const char *characters)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] == '\0' || !strchr(characters, text.p[i]))
			return false;
	return true;
}

static bool is_ssdeep(struct str digest)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct str rest = digest, block, first, second;

	if (!str_split(&rest, ':', &block) || !str_split(&rest, ':', &first))
		return false;
	second = rest.p ? rest : STR("");
	return block.len > 0 && block.len <= BLOCK_DIGITS && is_of(block, "0123456789") &&
	       first.len <= SSDEEP_LENGTH && is_of(first, base64) && second.len <= SSDEEP_LENGTH &&
	       is_of(second, base64);
}

bool similarity_valid(enum similarity_kind kind, struct str digest)
{
	if (kind == SIMILARITY_TEXT)
		return digest.len == TEXT_DIGITS && is_of(digest, "0123456789abcdef");
	return kind == SIMILARITY_FILE && is_ssdeep(digest);
}
