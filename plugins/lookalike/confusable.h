#ifndef LOOKALIKE_CONFUSABLE_H
#define LOOKALIKE_CONFUSABLE_H

#include <stdint.h>

/* The letter or digit of ASCII that a character beyond ASCII looks like, or 0. */
char confusable_with(uint32_t character);

#endif
