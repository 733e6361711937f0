#ifndef CLIENT_LANGUAGE_H
#define CLIENT_LANGUAGE_H

/*
 * In which language people are spoken to, and how wide their characters are. All is UTF-8 until it is
 * written (charset.h), so the process counts characters as UTF-8 whatever the terminal speaks: under the
 * locale C a sign of three bytes would be three columns, and tables would neither fit nor end.
 */

/* Before anything is said. A locale that is not installed still says its language: "fr_FR.UTF-8" is French
 * with dates and order as of C. */
void language_begin(void);

#endif
