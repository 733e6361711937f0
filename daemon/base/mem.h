#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/*
 * Allocation never returns NULL: a room that is out of memory ends, and its supervisor starts it again.
 * A size that comes from outside must be bounded before it gets here.
 */
void *mem_alloc(size_t size); /* zero-filled */
void *mem_resize(void *old, size_t size);
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t len);
void *mem_dup(const void *bytes, size_t len);
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void mem_wipe(void *bytes, size_t len); /* not optimised away: for secrets */

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
