#include "config.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void __attribute__((noreturn)) mem_exhausted(size_t size)
{
	fprintf(stderr, "out of memory: %zu bytes\n", size);
	abort();
}

void *mem_alloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);
	if (!memory)
		mem_exhausted(size);
	return memory;
}

void *mem_resize(void *old, size_t size)
{
	void *memory = realloc(old, size ? size : 1);
	if (!memory)
		mem_exhausted(size);
	return memory;
}

char *mem_strdup(const char *text)
{
	return mem_strndup(text, strlen(text));
}

char *mem_strndup(const char *text, size_t len)
{
	char *copy = mem_alloc(len + 1);
	if (len > 0)
		memcpy(copy, text, len);
	return copy;
}

void *mem_dup(const void *bytes, size_t len)
{
	return mem_strndup(bytes, len);
}

char *mem_printf(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		mem_exhausted(0);
	return text;
}

void mem_wipe(void *bytes, size_t len)
{
	if (len > 0)
		explicit_bzero(bytes, len);
}
