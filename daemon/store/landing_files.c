#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/landing.h"

/* Files and STIX objects: known ones are passed over by the database, so they come as columns, sorted by key.
 */

static int by_digest(const void *a, const void *b)
{
	const struct file *left = a;
	const struct file *right = b;
	if (left->month != right->month)
		return left->month < right->month ? -1 : 1;
	return memcmp(left->evidence->digest, right->evidence->digest, SHA256_LEN);
}

static struct str digest_of(const struct evidence *evidence)
{
	return (struct str){(const char *)evidence->digest, SHA256_LEN};
}

static void put_attachment(struct landing *landing, const struct ticket *ticket,
	const struct evidence *evidence, int64_t report, int32_t number)
{
	struct rows *rows = &landing->copies[COPY_ATTACHMENT];
	struct buf *out = &rows->bytes;
	rows_start(rows, 9);
	put_i64(out, report);
	put_i64(out, (int64_t)ticket->entry.id.sequence);
	put_uuid(out, ticket->entry.id.spool);
	put_i32(out, number);
	put_i32(out, clock_yyyymm(ticket->entry.received));
	put_i64(out, (int64_t)evidence->bytes.len);
	put_text(out, digest_of(evidence));
	put_text(out, evidence->name);
	put_text(out, evidence->media_type);
}

/* What is spam is kept whole, and its files are in it. */
static bool is_spam(const struct landing *landing, size_t place)
{
	size_t first = landing->starts[place];
	return first < landing->starts[place + 1] && landing->landed[first].kind == ITEM_SPAM;
}

/* Each piece's files, those whose item has no row left out: what is in quarantine is there whole. */
static size_t collect_files(struct landing *landing, size_t place, struct file *files)
{
	const struct ticket *ticket = landing->tickets[place];
	size_t count = 0;
	for (size_t i = 0; i < ticket->finding_count; i++)
		for (size_t j = 0; j < ticket->findings[i].evidence_count; j++) {
			const struct evidence *evidence = &ticket->findings[i].evidence[j];
			int64_t report = landing_id_of(landing, place, evidence->item);
			if (!report)
				continue;
			put_attachment(landing, ticket, evidence, report, (int32_t)count);
			files[count++] = (struct file){
				.month = clock_yyyymm(ticket->entry.received), .evidence = evidence};
		}
	return count;
}

static void encode_evidence(struct landing *landing)
{
	size_t most = 0;
	for (size_t i = 0; i < landing->ticket_count; i++)
		for (size_t j = 0; j < landing->tickets[i]->finding_count; j++)
			most += landing->tickets[i]->findings[j].evidence_count;
	struct file *files = arena_alloc(landing->arena, (most + 1) * sizeof *files);
	size_t count = 0;
	for (size_t i = 0; i < landing->ticket_count; i++)
		if (!landing->tickets[i]->poison && !is_spam(landing, i))
			count += collect_files(landing, i, files + count);
	qsort(files, count, sizeof *files, by_digest);
	landing->files = files;
	landing->file_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (i && by_digest(&files[landing->file_count - 1], &files[i]) == 0)
			continue;
		put_i32(column(&landing->evidence, 0), files[i].month);
		put_text(column(&landing->evidence, 1), digest_of(files[i].evidence));
		columns_next(&landing->evidence);
		files[landing->file_count++] = files[i];
	}
}

void landing_file_known(struct landing *landing, size_t place)
{
	if (place < landing->file_count)
		landing->files[place].known = true;
}

void landing_finish(struct landing *landing)
{
	for (size_t i = 0; i < landing->file_count; i++) {
		const struct file *file = &landing->files[i];
		struct rows *rows = &landing->copies[COPY_EVIDENCE];
		if (file->known)
			continue;
		rows_start(rows, 4);
		put_i32(&rows->bytes, file->month);
		put_text(&rows->bytes, digest_of(file->evidence));
		put_i64(&rows->bytes, (int64_t)file->evidence->bytes.len);
		put_text(&rows->bytes, file->evidence->bytes);
	}
	for (size_t i = 0; i < COPY_TABLES; i++)
		rows_end(&landing->copies[i]);
}

static int by_text(struct str a, struct str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.p, b.p, len) : 0;
	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_version(const void *a, const void *b)
{
	const struct version *left = *(const struct version *const *)a;
	const struct version *right = *(const struct version *const *)b;
	int order = by_text(left->object->id, right->object->id);
	return order ? order : by_text(left->object->version, right->object->version);
}

static void put_object(struct landing *landing, const struct version *version)
{
	const struct stix_object *object = version->object;
	const struct landed *landed = &landing->landed[version->landed];
	const struct entry *entry = &landed->ticket->entry;
	enum tlp least = landed->item->report.rule_tlp;
	struct columns *columns = &landing->objects;
	const struct source *source = source_by_id(lookup_sources(landing->lookup), entry->source);
	enum tlp tlp = object->tlp ? object->tlp : source && source->tlp ? source->tlp : TLP_AMBER;
	put_text(column(columns, 0), object->id);
	put_text(column(columns, 1), object->version);
	put_i32(column(columns, 2), (int32_t)entry->source);
	put_i32(column(columns, 3), lookup_exercise(landing->lookup, entry->exercise));
	put_i64_known(column(columns, 4), version->report);
	put_time(column(columns, 5), entry->received);
	put_text(column(columns, 6), object->type);
	put_text(column(columns, 7), object->spec);
	put_text(column(columns, 8), object->created_by);
	put_bool(column(columns, 9), object->revoked);
	put_word(column(columns, 10), tlp_name(least > tlp ? least : tlp));
	put_text(column(columns, 11), object->text);
	columns_next(columns);
}

static void encode_objects(struct landing *landing)
{
	size_t count = landing->version_count;
	const struct version **versions = arena_alloc(landing->arena, (count + 1) * sizeof(struct version *));
	for (size_t i = 0; i < count; i++)
		versions[i] = &landing->versions[i];
	qsort(versions, count, sizeof(struct version *), by_version);
	for (size_t i = 0; i < count; i++)
		put_object(landing, versions[i]);
}

void landing_encode_files(struct landing *landing)
{
	static const uint32_t evidence[] = {PG_INT4, PG_BYTEA};
	static const uint32_t objects[] = {PG_TEXT, PG_TEXT, PG_INT4, PG_INT4, PG_INT8, PG_TIMESTAMPTZ,
		PG_TEXT, PG_TEXT, PG_TEXT, PG_BOOL, PG_TEXT, PG_TEXT};
	columns_begin(&landing->evidence, evidence, ARRAY_LEN(evidence));
	columns_begin(&landing->objects, objects, ARRAY_LEN(objects));
	encode_evidence(landing);
	encode_objects(landing);
}
