#ifndef TRIAGE_RULE_COMPILE_H
#define TRIAGE_RULE_COMPILE_H

#include <yara.h>

#include "base/err.h"
#include "base/str.h"

/* One rule file through libyara's compiler. */
enum rule_module { RULE_MODULE_PE = 1, RULE_MODULE_ELF = 2, RULE_MODULE_DOTNET = 4 };

/* A compiler as all rules get it: external variables defined, includes off; ends the process where memory is
 * short. */
YR_COMPILER *rule_compiler_new(void);

/* Add one file; false with the line (0 unknown) and text of the first mistake. The compiler cannot be used
 * after a mistake. */
bool rule_compiler_add(YR_COMPILER *compiler, struct str name, struct str source, int *line, struct err *err);

/* The file alone: its rules, to be destroyed with yr_rules_destroy(). */
bool rule_file_compile(struct str name, struct str source, YR_RULES **rules, int *line, struct err *err);

/* What a rule may see, by its meta `scope`. False with err where scope names something else. */
bool rule_scopes(YR_RULE *rule, unsigned *scopes, struct err *err);

/* Which of the file format modules a source imports: bits of enum rule_module. */
unsigned rule_modules_of(struct str source);
/* May rules that import these see this content? It must be of a format of one of them; anything, if there are
 * none. */
bool rule_modules_fit(unsigned modules, struct str bytes);

#endif
