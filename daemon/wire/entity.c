#include "config.h"

#include "wire/entity.h"

#include "base/mem.h"

/* Bytes of the longest name below. */
#define NAME_LEN 16

static const struct {
	struct str name;
	uint32_t character;
} entities[] = {
	{{"amp", 3}, '&'},
	{{"lt", 2}, '<'},
	{{"gt", 2}, '>'},
	{{"quot", 4}, '"'},
	{{"apos", 4}, '\''},
	{{"nbsp", 4}, ' '},
	{{"shy", 3}, 0xad},
	{{"copy", 4}, 0xa9},
	{{"reg", 3}, 0xae},
	{{"euro", 4}, 0x20ac},
	{{"ndash", 5}, 0x2013},
	{{"mdash", 5}, 0x2014},
	{{"hellip", 6}, 0x2026},
	{{"lsquo", 5}, 0x2018},
	{{"rsquo", 5}, 0x2019},
	{{"ldquo", 5}, 0x201c},
	{{"rdquo", 5}, 0x201d},
	{{"bull", 4}, 0x2022},
	{{"middot", 6}, 0xb7},
	{{"auml", 4}, 0xe4},
	{{"ouml", 4}, 0xf6},
	{{"uuml", 4}, 0xfc},
	{{"Auml", 4}, 0xc4},
	{{"Ouml", 4}, 0xd6},
	{{"Uuml", 4}, 0xdc},
	{{"szlig", 5}, 0xdf},
	{{"eacute", 6}, 0xe9},
	{{"egrave", 6}, 0xe8},
	{{"agrave", 6}, 0xe0},
	{{"ccedil", 6}, 0xe7},
	{{"colon", 5}, ':'},
	{{"period", 6}, '.'},
	{{"sol", 3}, '/'},
	{{"commat", 6}, '@'},
	{{"Tab", 3}, '\t'},
	{{"NewLine", 7}, '\n'},
	{{"bsol", 4}, '\\'},
	{{"num", 3}, '#'},
	{{"percnt", 6}, '%'},
	{{"quest", 5}, '?'},
	{{"equals", 6}, '='},
	{{"semi", 4}, ';'},
	{{"lowbar", 6}, '_'},
	{{"hyphen", 6}, 0x2010},
	{{"lpar", 4}, '('},
	{{"rpar", 4}, ')'},
	{{"lsqb", 4}, '['},
	{{"lbrack", 6}, '['},
	{{"rsqb", 4}, ']'},
	{{"rbrack", 6}, ']'},
	{{"excl", 4}, '!'},
	{{"plus", 4}, '+'},
	{{"comma", 5}, ','},
	{{"dollar", 6}, '$'},
	{{"NonBreakingSpace", 16}, ' '},
	{{"ZeroWidthSpace", 14}, 0x200b},
	{{"zwnj", 4}, 0x200c},
	{{"zwj", 3}, 0x200d},
	{{"NoBreak", 7}, 0x2060},
	{{"InvisibleTimes", 14}, 0x2062},
};

static int digit_value(char c, uint32_t radix)
{
	int value = c >= '0' && c <= '9'                 ? c - '0'
	            : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
	                                                 : 99;

	return value < (int)radix ? value : -1;
}

/* "&#1234;", "&#x4D2" */
static size_t number_at(struct str text, uint32_t *character)
{
	uint32_t radix = text.len > 2 && (text.p[2] | 32) == 'x' ? 16 : 10;
	size_t start = radix == 16 ? 3 : 2;
	size_t i = start;
	uint32_t value = 0;

	for (; i < text.len && digit_value(text.p[i], radix) >= 0; i++)
		if (value <= 0x10ffff)
			value = value * radix + (uint32_t)digit_value(text.p[i], radix);
	if (i == start)
		return 0;
	if (value > 0x10ffff)
		value = 0xfffd;
	else if (value != '\t' && value != '\n' && (value < ' ' || (value >= 0xd800 && value < 0xe000)))
		value = ' ';
	*character = value;
	return i + (i < text.len && text.p[i] == ';');
}

size_t entity_at(struct str text, uint32_t *character)
{
	const char *end;
	struct str name;

	if (text.len > 2 && text.p[1] == '#')
		return number_at(text, character);
	end = text.len > 1
	              ? memchr(text.p + 1, ';', text.len - 1 < NAME_LEN + 1 ? text.len - 1 : NAME_LEN + 1)
	              : NULL;
	name = end ? (struct str){text.p + 1, (size_t)(end - text.p - 1)} : STR("");
	for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
		if (!str_equal(entities[i].name, name))
			continue;
		*character = entities[i].character;
		return name.len + 2;
	}
	return 0;
}
