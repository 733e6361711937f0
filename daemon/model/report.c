#include "config.h"

#include "model/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

const struct observable *report_find(
	const struct report *report, enum observable_type type, enum observable_role role)
{
	for (size_t i = 0; i < report->observable_count; i++) {
		const struct observable *observable = &report->observables[i];
		if (observable->type == type && observable->role == role)
			return observable;
	}
	return NULL;
}

void fingerprint_digest(struct str rule, uint16_t version, struct str key, uint8_t digest[FINGERPRINT_LEN])
{
	struct buf whole = {0};
	uint8_t full[SHA256_LEN];
	buf_str(&whole, rule);
	buf_char(&whole, '\0');
	buf_printf(&whole, "%u", (unsigned)version);
	buf_char(&whole, '\0');
	buf_str(&whole, key);
	sha256(buf_view(&whole), full);
	buf_free(&whole);
	memcpy(digest, full, FINGERPRINT_LEN);
}
