#include "config.h"

#include "wire/machine.h"

#include "model/storable.h"

bool machine_may_read(struct reading *reading, struct str part, const char *stage, struct str bytes)
{
	struct str reason;

	if (reading->at)
		reading->at(reading, reading->next_item, stage);
	if (!reading->left_out || !reading->left_out(reading, reading->next_item, &reason))
		return true;
	reading_quarantine(reading, part, stage, arena_str(reading->arena, bytes), STR_FMT, STR_ARG(reason));
	return false;
}

struct str machine_word(struct arena *arena, struct str prefix, struct str text)
{
	size_t most = MAX_IDENTIFIER - prefix.len, length = 0;
	char *word = arena_alloc(arena, MAX_IDENTIFIER + 1);

	memcpy(word, prefix.p, prefix.len);
	for (size_t i = 0; i < text.len && length < most; i++) {
		char c = text.p[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 0x20);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '.' && length > 0))
			word[prefix.len + length++] = c;
		else if (length > 0 && word[prefix.len + length - 1] != '-')
			word[prefix.len + length++] = '-';
	}
	while (length > 0 && (word[prefix.len + length - 1] == '-' || word[prefix.len + length - 1] == '.'))
		length--;
	return length > 0 ? (struct str){word, prefix.len + length} : STR("");
}
