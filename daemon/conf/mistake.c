#include "config.h"

#include "conf/mistake.h"

#include <stdarg.h>
#include <stdio.h>

void mistake_add(struct mistakes *mistakes, int line, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	size_t size = mistakes->count * sizeof(*mistakes->list);
	mistakes->list = arena_grow(mistakes->arena, mistakes->list, size, size + sizeof(*mistakes->list));
	mistakes->list[mistakes->count++] = (struct mistake){line, arena_str(mistakes->arena, str_of(text))};
}

/* In the order of their lines; those of one line as they were found. */
void mistakes_tell(struct mistakes *mistakes, const char *file, conf_complaint *complain, void *context)
{
	for (size_t i = 1; i < mistakes->count; i++) {
		struct mistake moved = mistakes->list[i];
		size_t to = i;
		for (; to > 0 && mistakes->list[to - 1].line > moved.line; to--)
			mistakes->list[to] = mistakes->list[to - 1];
		mistakes->list[to] = moved;
	}
	for (size_t i = 0; i < mistakes->count; i++)
		complain(file, mistakes->list[i].line, mistakes->list[i].text.p, context);
}
