#ifndef STORE_ORGANISATION_H
#define STORE_ORGANISATION_H

#include "model/report.h"

/*
 * Whom a report concerns: longest prefix, domain suffix, ASN, imitated brand, as valid at the time of the
 * event. Kept in memory, filled anew when the register changes. organisation_at() of sql/033-attribution.sql
 * answers the same.
 */
struct organisations;

/* From `first` on, up to but not including `end`; INT64_MIN and INT64_MAX where a side is open. */
struct validity {
	int64_t first;
	int64_t end;
};

struct organisations *organisations_new(void);
void organisations_free(struct organisations **organisations);
/* Of entries for the same thing that hold at the same time, the one that was put in last counts. */
void organisations_critical(struct organisations *organisations, int32_t organisation);
void organisations_prefix(struct organisations *organisations, const struct netaddr *prefix,
	struct validity valid, int32_t organisation);
void organisations_domain(
	struct organisations *organisations, struct str domain, struct validity valid, int32_t organisation);
void organisations_asn(
	struct organisations *organisations, uint32_t asn, struct validity valid, int32_t organisation);
/* Found as whole words, whatever stands between them; ASCII case is folded. */
void organisations_brand(
	struct organisations *organisations, struct str brand, struct validity valid, int32_t organisation);

bool organisation_is_critical(const struct organisations *organisations, int32_t organisation);
/* 0: nobody's that we serve. */
int32_t organisation_of_address(
	const struct organisations *organisations, const struct netaddr *address, int64_t time);
int32_t organisation_of_name(const struct organisations *organisations, struct str name, int64_t time);
/* The longest brand that is said in a text. */
int32_t organisation_of_text(const struct organisations *organisations, struct str text, int64_t time);
/* The source's first, then the target's, then who is imitated or mentioned; then the ASN; then a brand in
 * what is imitated, or in the title, names and URLs of phishing and masquerade. type: as settled,
 * where the sender said none. */
int32_t organisation_of_report(const struct organisations *organisations, enum rsit_type type,
	const struct report *report, int64_t time);

#endif
