#include "config.h"

#include "client/language.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/i18n.h"

#define PLAIN "C.UTF-8" /* always there */

/* "fr_FR" of what the environment asks for: as of setlocale(3), the first of three that says anything. */
static void wanted(char language[40])
{
	static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	const char *said = NULL;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]) && !(said && *said); i++)
		said = getenv(variables[i]);
	snprintf(language, 40, "%.*s", said ? (int)strcspn(said, ".@") : 0, said ? said : "");
}

void language_begin(void)
{
	char language[40];

	if (!setlocale(LC_ALL, "")) {
		wanted(language);
		setlocale(LC_ALL, PLAIN);
		if (*language && strcmp(language, "C") != 0 && strcmp(language, "POSIX") != 0)
			setenv("LANGUAGE", language, 0);
	}
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, PLAIN);
	bindtextdomain("cirtd", getenv("CIRT_LOCALEDIR") ? getenv("CIRT_LOCALEDIR") : CIRTD_LOCALEDIR);
	bind_textdomain_codeset("cirtd", "UTF-8");
	textdomain("cirtd");
}
