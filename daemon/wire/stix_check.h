#ifndef WIRE_STIX_CHECK_H
#define WIRE_STIX_CHECK_H

#include "wire/json_read.h"

/* What kind of STIX object a type is (STIX 2.1 section 1.3). */
enum stix_kind { STIX_CUSTOM, STIX_SDO, STIX_SRO, STIX_SCO, STIX_META };

enum stix_kind stix_kind_of(struct str type);

/*
 * Is this object what the standard wants? False, with the reason: it lacks what its type requires, or a
 * property is not of its type. What real senders get wrong and does no harm is forgiven; *flaw (256 bytes)
 * then says what, else "". old: the bundle says that it is STIX 2.0.
 */
#define STIX_FLAW 256
bool stix_check(const struct json_object *object, bool old, char flaw[STIX_FLAW], struct err *err);

/* STIX 2.0 has created and modified, but no spec_version. */
bool stix_is_old(const struct json_object *object, bool old);

#endif
