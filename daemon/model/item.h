#ifndef MODEL_ITEM_H
#define MODEL_ITEM_H

#include "base/buf.h"
#include "base/err.h"
#include "model/letter.h"
#include "model/report.h"

/* What triage found in an entry. */
enum item_kind {
	ITEM_REPORT = 1,
	ITEM_CORRESPONDENCE, /* a reply in a case, a bounce, an auto-reply */
	ITEM_SPAM,
	ITEM_CONTEXT,    /* kept, but no report: identity, marking, relationship … */
	ITEM_QUARANTINED /* cannot be read, or must not be */
};

/* A part with bytes of its own: the raw mail, an attachment. Landed once per digest. */
struct evidence {
	uint8_t digest[SHA256_LEN];
	struct str name; /* file name as given, storable */
	struct str media_type;
	struct str bytes;
	uint32_t item; /* the item it belongs to */
};

/* A STIX object, kept whole with its version (STIX 2.1 section 3.6: (id, modified)). */
struct stix_object {
	struct str id;
	struct str type;
	struct str version; /* modified, else created, as sent; "" for an SCO without either */
	struct str spec;    /* "2.1" or "2.0" */
	struct str created_by;
	bool revoked;
	enum tlp tlp;    /* of its markings; TLP_UNSTATED */
	struct str text; /* the object's own bytes */
	uint32_t item;
	uint8_t digest[FINGERPRINT_LEN]; /* of its canonical JSON: equal for equal content; zero if unknown */
};

struct item {
	enum item_kind kind;
	uint32_t number; /* 0, 1, 2 … in the order of the entry; stable when the entry is run again */
	struct str part; /* where: "line 17", "objects[3]", "part 1.2" */
	struct report
		report;    /* ITEM_REPORT; for correspondence, spam and context title, text and doc at most */
	struct str reason; /* ITEM_QUARANTINED: what was expected; else "" */
	struct str stage;  /* which stage refused it: "json", "mime", "plugin netinfo", "yara …" */
	struct str bytes;  /* ITEM_QUARANTINED: the item whole */
	struct str subkind; /* correspondence: "reply", "bounce", "auto-reply"; context: "columns": doc holds
	                       the names of a feed's columns, one a line, title the feed's name */
	struct letter letter; /* of the mail itself, not of what is inside it */
};

/* All of an entry, or one piece of it: pieces are cut between items, at about 1 MB. */
struct finding {
	struct item *items;
	size_t item_count;
	struct evidence *evidence;
	size_t evidence_count;
	struct stix_object *objects;
	size_t object_count;
};

/* Encode and decode for the edge triage → store. Decoding checks every range and leaves strings pointing into
 * bytes; arrays are in the arena. */
void finding_encode(const struct finding *finding, struct buf *out);
bool finding_decode(struct str bytes, struct arena *arena, struct finding *finding, struct err *err);

#endif
