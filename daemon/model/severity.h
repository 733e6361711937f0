#ifndef MODEL_SEVERITY_H
#define MODEL_SEVERITY_H

#include "base/str.h"

/* Severity is 0..100 inside; a person sees info <20, low <40, medium <60, high <80, critical. -1 is unknown.
 */
const char *severity_name(int severity);
bool severity_parse(struct str text, int *severity); /* a word (middle of its range), or 0..100 */

#endif
