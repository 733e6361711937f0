#ifndef CLIENT_I18N_H
#define CLIENT_I18N_H

#include <libintl.h>

#define _(text)  gettext(text)
#define N_(text) text

#endif
