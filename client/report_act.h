#ifndef CLIENT_REPORT_ACT_H
#define CLIENT_REPORT_ACT_H

#include "client/command.h"

/* What an act on reports has done: a line, what it left out, and what undoes it. */
void report_act_show(struct call *call, struct json_object *result);
/* Ask on the terminal; anything but y is no. */
bool ask_yes(const char *question);

#endif
