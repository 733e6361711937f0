#include "intake/mail_entry.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct mail_entry {
	struct appender *appender;
	uint32_t source;
	uint32_t append; /* or the bookmark's question; 0: nothing is open */
	enum mail_entry_state state;
	bool have_id;
	struct entry_id id;
	char owner[64];       /* "mail/SLOT/INDEX" */
	char mark[UUID_TEXT]; /* this mail's value there */
	mail_entry_fn *changed;
	void *context;
};

static void entry_done(const struct append_committed *committed, const struct err *err, void *context)
{
	struct mail_entry *entry = context;
	bool closed = entry->state == MAIL_ENTRY_CLOSED;

	entry->append = 0;
	if (committed) {
		entry->state = MAIL_ENTRY_COMMITTED;
		entry->have_id = true;
		entry->id = committed->id;
	} else if (err->code == ERR_NOSPACE) {
		entry->state = MAIL_ENTRY_FULL;
	} else {
		entry->state = closed && err->code == ERR_UNCERTAIN ? MAIL_ENTRY_UNSURE : MAIL_ENTRY_LOST;
	}
	entry->changed(entry->context);
}

struct mail_entry *mail_entry_new(struct appender *appender, uint32_t source, struct str envelope,
	uint64_t size_hint, uint64_t slot, size_t index, mail_entry_fn *changed, void *context)
{
	struct mail_entry *entry = mem_alloc(sizeof(*entry));
	struct append_open open = {.source = source,
		.format = FORMAT_MAIL,
		.size_hint = size_hint,
		.exercise = STR(""),
		.envelope = envelope};
	uint8_t uuid[UUID_LEN];

	entry->appender = appender;
	entry->source = source;
	entry->changed = changed;
	entry->context = context;
	entry->append = appender_begin(appender, &open, entry_done, entry);
	if (entry->append == 0) {
		free(entry);
		return NULL;
	}
	(void)snprintf(entry->owner, sizeof(entry->owner), "mail/%llu/%zu", (unsigned long long)slot, index);
	uuid_random(uuid);
	uuid_format(uuid, entry->mark);
	return entry;
}

void mail_entry_free(struct mail_entry **entry_ptr)
{
	struct mail_entry *entry = *entry_ptr;

	if (!entry)
		return;
	if (entry->append != 0 && entry->state == MAIL_ENTRY_COMING)
		appender_abort(entry->appender, entry->append);
	else if (entry->append != 0)
		appender_forget(entry->appender, entry->append);
	free(entry);
	*entry_ptr = NULL;
}

uint32_t mail_entry_source(const struct mail_entry *entry)
{
	return entry->source;
}

enum mail_entry_state mail_entry_state(const struct mail_entry *entry)
{
	return entry->state;
}

const struct entry_id *mail_entry_id(const struct mail_entry *entry)
{
	return entry->have_id ? &entry->id : NULL;
}

void mail_entry_bytes(struct mail_entry *entry, struct str bytes)
{
	if (entry->state == MAIL_ENTRY_COMING)
		appender_bytes(entry->appender, entry->append, bytes);
}

void mail_entry_close(struct mail_entry *entry)
{
	struct append_close close = {
		.bookmark_owner = str_of(entry->owner), .bookmark_value = str_of(entry->mark)};

	if (entry->state != MAIL_ENTRY_COMING)
		return;
	entry->state = MAIL_ENTRY_CLOSED;
	appender_commit(entry->appender, entry->append, &close);
}

static void entry_bookmark(struct str value, const struct err *err, void *context)
{
	struct mail_entry *entry = context;

	entry->append = 0;
	if (!err)
		entry->state = str_equal(value, str_of(entry->mark)) ? MAIL_ENTRY_COMMITTED : MAIL_ENTRY_LOST;
	entry->changed(entry->context);
}

void mail_entry_settle(struct mail_entry *entry)
{
	if (entry->state == MAIL_ENTRY_UNSURE && entry->append == 0 &&
		appender_state(entry->appender) != APPENDER_AWAY)
		entry->append =
			appender_bookmark(entry->appender, str_of(entry->owner), entry_bookmark, entry);
}
