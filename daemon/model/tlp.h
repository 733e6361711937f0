#ifndef MODEL_TLP_H
#define MODEL_TLP_H

#include "base/str.h"

/* Traffic Light Protocol 2.0 (FIRST, 2022), in order of strictness. Unstated is treated as AMBER, never as
 * CLEAR. */
enum tlp { TLP_UNSTATED, TLP_CLEAR, TLP_GREEN, TLP_AMBER, TLP_AMBER_STRICT, TLP_RED };

const char *tlp_name(enum tlp tlp); /* "clear" … "amber+strict" "red"; "" for unstated */
/* Any case, with or without "TLP:", "white" as clear. False where it is none of these. */
bool tlp_parse(struct str text, enum tlp *tlp);
/* The five STIX marking ids of TLP 2.0 and the four of TLP 1.0; false for any other id. */
bool tlp_of_marking(struct str marking_id, enum tlp *tlp);
const char *tlp_marking(enum tlp tlp); /* the TLP 2.0 marking-definition id */

/* Permissible Actions Protocol: same order, without strict. */
enum pap { PAP_UNSTATED, PAP_CLEAR, PAP_GREEN, PAP_AMBER, PAP_RED };
const char *pap_name(enum pap pap);
bool pap_parse(struct str text, enum pap *pap);

#endif
