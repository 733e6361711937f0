/* Native lines: any bytes become items, each with its place; what is taken, json-c reads too; a finding packs
 * and unpacks. */
#include <json-c/json.h>
#include <stdlib.h>

#include "wire/native.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool so)
{
	if (!so)
		abort();
}

/* Numbers of more digits than a double has are the one thing on which the two may differ. */
static void must_be_json(struct str doc)
{
	struct json_tokener *tokener = json_tokener_new_ex(128);
	struct json_object *object;

	object = json_tokener_parse_ex(tokener, doc.p, (int)doc.len);
	must(object != NULL || json_tokener_get_error(tokener) == json_tokener_error_parse_number);
	json_object_put(object);
	json_tokener_free(tokener);
}

static void must_pack(struct reading *reading)
{
	struct finding finding = {.items = reading->items, .item_count = reading->item_count}, again;
	struct buf packed = {0};

	finding_encode(&finding, &packed);
	must(finding_decode(buf_view(&packed), reading->arena, &again, NULL));
	must(again.item_count == finding.item_count);
	buf_free(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading reading = {.arena = arena_new(0), .limits = &reading_limits_default};

	must(lines_read(&reading, (struct str){(const char *)data, size}, STR_NONE, NULL));
	for (size_t i = 0; i < reading.item_count; i++) {
		struct item *item = &reading.items[i];
		must(item->number == i);
		if (item->kind == ITEM_CONTEXT)
			continue; /* of another format, as the seeds hold */
		if (item->kind != ITEM_REPORT) {
			must(item->reason.len > 0 && utf8_valid(item->reason));
			continue;
		}
		report_fingerprint(&item->report, reading.arena);
		must(item->report.fingerprint.key.len <= 300);
		must_be_json(item->report.doc);
	}
	must_pack(&reading);
	arena_free(&reading.arena);
	return 0;
}
