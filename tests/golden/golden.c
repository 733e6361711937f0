/*
 * Reads inputs and compares what is found with what is expected, as JSON. Without arguments: every input
 * under tests/golden/; `golden --update` writes the expectations anew; `golden FORMAT FILE` prints one.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "wire/lines.h"

#define INPUT_MAX (64u * 1024 * 1024)
#define ENVELOPE                                                                        \
	"{\"door\":\"lmtp\",\"peer\":\"unix\",\"from\":\"sender@example.net\",\"to\":[" \
	"\"report@cirt.example\"]}"

/* The mail server of ours that the inputs came by. */
static const struct str hops[] = {{"mail.cirt.example", 17}, {"198.51.100.250", 14}};
static const struct spam_hops trusted = {hops, ARRAY_LEN(hops)};

static bool zeek_read(struct reading *reading, struct str bytes, struct str envelope, struct err *err)
{
	(void)envelope;
	return lines_read_as(reading, bytes, FORMAT_ZEEK, err);
}

static const struct {
	const char *name;   /* folder */
	const char *ending; /* of inputs */
	bool (*read)(struct reading *reading, struct str bytes, struct str envelope, struct err *err);
} formats[] = {
	{"mail", ".eml", mail_read},
	{"stix", ".json", stix_read},
	{"lines", ".ndjson", lines_read},
	{"eve", ".ndjson", lines_read},
	{"idea", ".json", lines_read},
	{"intelmq", ".ndjson", lines_read},
	{"zeek", ".log", zeek_read},
	{"xarf", ".json", xarf_read},
	{"shadowserver", ".csv", shadowserver_read},
	{"csv", ".csv", csv_read},
	{"misp", ".json", misp_read},
};

static const char *const kinds[] = {"", "report", "correspondence", "spam", "context", "quarantined"};

static void member(struct buf *out, int depth, const char *name)
{
	buf_printf(out, "%s\n%*s\"%s\": ", out->len && out->data[out->len - 1] == '{' ? "" : ",", depth * 2,
		"", name);
}

static void text(struct buf *out, int depth, const char *name, struct str value)
{
	if (value.len == 0)
		return;
	member(out, depth, name);
	buf_json_string(out, value);
}

static void number(struct buf *out, int depth, const char *name, int64_t value)
{
	member(out, depth, name);
	buf_printf(out, "%lld", (long long)value);
}

static void texts(struct buf *out, int depth, const char *name, const struct str *list, size_t count)
{
	if (count == 0)
		return;
	member(out, depth, name);
	buf_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		buf_text(out, i ? ", " : "");
		buf_json_string(out, list[i]);
	}
	buf_char(out, ']');
}

static void observables(struct buf *out, const struct report *report)
{
	if (report->observable_count == 0)
		return;
	member(out, 3, "observables");
	for (size_t i = 0; i < report->observable_count; i++) {
		const struct observable *one = &report->observables[i];
		buf_printf(out, "%s\n        ", i ? "," : "[");
		buf_printf(out, "[\"%s\", \"%s\", ", observable_type_name(one->type),
			observable_role_name(one->role));
		buf_json_string(out, one->value);
		buf_char(out, ']');
	}
	buf_char(out, ']');
}

static void report(struct buf *out, const struct report *one)
{
	char time[CLOCK_TEXT];

	text(out, 3, "sender_id", one->sender_id);
	if (one->type != RSIT_NONE)
		text(out, 3, "classification", str_of(rsit_name(one->type)));
	text(out, 3, "identifier", one->identifier);
	text(out, 3, "malware", one->malware);
	if (one->severity >= 0)
		number(out, 3, "severity", one->severity);
	if (one->confidence >= 0)
		number(out, 3, "confidence", one->confidence);
	text(out, 3, "tlp", str_of(tlp_name(one->tlp)));
	text(out, 3, "tlp_at_least", str_of(tlp_name(one->rule_tlp)));
	if (one->observed != CLOCK_UNKNOWN)
		text(out, 3, "observed", str_of(clock_format(one->observed, time)));
	if (one->count != 1)
		number(out, 3, "count", one->count);
	text(out, 3, "title", one->title);
	text(out, 3, "text", one->text);
	if (one->doc.len > 0)
		number(out, 3, "doc_bytes", (int64_t)one->doc.len);
	observables(out, one);
	texts(out, 3, "notes", one->notes, one->note_count);
	texts(out, 3, "tags", one->tags, one->tag_count);
}

static void item(struct buf *out, const struct item *one)
{
	buf_char(out, '{');
	text(out, 3, "kind", str_of(kinds[one->kind]));
	text(out, 3, "subkind", one->subkind);
	text(out, 3, "part", one->part);
	text(out, 3, "stage", one->stage);
	text(out, 3, "reason", one->reason);
	text(out, 3, "answers", one->letter.replies);
	text(out, 3, "subject_tags", one->letter.tags);
	text(out, 3, "spam", one->letter.spam);
	if (one->kind == ITEM_QUARANTINED)
		number(out, 3, "bytes", (int64_t)one->bytes.len);
	else
		report(out, &one->report);
	buf_text(out, "\n    }");
}

static void evidence(struct buf *out, const struct evidence *one)
{
	char hex[SHA256_HEX];

	buf_char(out, '{');
	number(out, 3, "item", one->item);
	text(out, 3, "name", one->name);
	text(out, 3, "media_type", one->media_type);
	number(out, 3, "bytes", (int64_t)one->bytes.len);
	text(out, 3, "sha256", str_of(hex_encode(one->digest, SHA256_LEN, hex)));
	buf_text(out, "\n    }");
}

static void part(struct buf *out, const struct part *one)
{
	buf_char(out, '{');
	number(out, 3, "item", one->item);
	text(out, 3, "name", one->name);
	text(out, 3, "media_type", one->media_type);
	number(out, 3, "scopes", one->scopes);
	number(out, 3, "bytes", (int64_t)one->bytes.len);
	buf_text(out, "\n    }");
}

static void object(struct buf *out, const struct stix_object *one)
{
	buf_char(out, '{');
	number(out, 3, "item", one->item);
	text(out, 3, "id", one->id);
	text(out, 3, "version", one->version);
	text(out, 3, "spec", one->spec);
	text(out, 3, "tlp", str_of(tlp_name(one->tlp)));
	if (one->revoked)
		text(out, 3, "revoked", STR("yes"));
	number(out, 3, "bytes", (int64_t)one->text.len);
	buf_text(out, "\n    }");
}

#define LIST(out, name, array, count, print)                       \
	do {                                                       \
		if ((count) == 0)                                  \
			break;                                     \
		member(out, 1, name);                              \
		for (size_t i_ = 0; i_ < (count); i_++) {          \
			buf_text(out, i_ ? ",\n    " : "[\n    "); \
			print(out, &(array)[i_]);                  \
		}                                                  \
		buf_text(out, "\n  ]");                            \
	} while (0)

static void print(size_t format, struct str bytes, struct str envelope, struct buf *out)
{
	struct arena *arena = arena_new(65536);
	struct reading reading = {.arena = arena, .limits = &reading_limits_default, .hops = &trusted};
	struct err err = {0};

	buf_char(out, '{');
	if (!formats[format].read(&reading, bytes, envelope, &err)) {
		text(out, 1, "refused", str_of(err.text));
	} else {
		LIST(out, "items", reading.items, reading.item_count, item);
		LIST(out, "objects", reading.objects, reading.object_count, object);
		LIST(out, "parts", reading.parts, reading.part_count, part);
		LIST(out, "evidence", reading.evidence, reading.evidence_count, evidence);
	}
	buf_text(out, "\n}\n");
	arena_free(&arena);
}

static bool print_file(size_t format, const char *path, struct buf *out)
{
	struct buf input = {0}, envelope = {0};
	struct err err;
	char beside[4200];
	bool good;

	good = file_read(path, INPUT_MAX, &input, &err);
	if (!good)
		fprintf(stderr, "golden: %s\n", err.text);
	snprintf(beside, sizeof(beside), "%.4180s.envelope", path);
	if (!file_read(beside, INPUT_MAX, &envelope, NULL))
		buf_text(&envelope, ENVELOPE);
	if (good)
		print(format, buf_view(&input), buf_view(&envelope), out);
	buf_free(&input);
	buf_free(&envelope);
	return good;
}

static bool compare(size_t format, const char *path, bool update)
{
	struct buf found = {0}, wanted = {0};
	struct err err;
	char expected[4200];
	bool good;

	snprintf(expected, sizeof(expected), "%.4180s.expected", path);
	good = print_file(format, path, &found);
	if (good && update)
		good = file_write_atomic(expected, 0644, buf_view(&found), &err);
	else if (good)
		good = file_read(expected, INPUT_MAX, &wanted, &err) &&
		       str_equal(buf_view(&found), buf_view(&wanted));
	if (!good)
		printf("FAIL %s\n--- found ---\n%s", path, buf_cstr(&found));
	buf_free(&found);
	buf_free(&wanted);
	return good;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool compare_folder(size_t format, const char *top, bool update, size_t *count)
{
	char folder[4096], path[4200];
	char *names[1000];
	size_t found = 0;
	bool good = true;
	DIR *dir;
	struct dirent *entry;

	snprintf(folder, sizeof(folder), "%s/tests/golden/%s", top, formats[format].name);
	dir = opendir(folder);
	while (dir && found < ARRAY_LEN(names) && (entry = readdir(dir)))
		if (str_ends(str_of(entry->d_name), str_of(formats[format].ending)))
			names[found++] = mem_strdup(entry->d_name);
	if (dir)
		closedir(dir);
	qsort(names, found, sizeof(*names), by_name);
	for (size_t i = 0; i < found; i++) {
		snprintf(path, sizeof(path), "%.3900s/%.190s", folder, names[i]);
		good &= compare(format, path, update);
		free(names[i]);
	}
	*count += found;
	return good && found > 0;
}

int main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir") ? getenv("top_srcdir") : ".";
	bool update = argc == 2 && strcmp(argv[1], "--update") == 0;
	size_t count = 0;
	bool good = true;

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		if (argc == 3 && strcmp(argv[1], formats[i].name) == 0) {
			struct buf out = {0};
			good = print_file(i, argv[2], &out);
			fwrite(out.data, 1, out.len, stdout);
			buf_free(&out);
		} else if (argc < 3) {
			good &= compare_folder(i, top, update, &count);
		}
	}
	if (argc < 3)
		printf("golden: %zu inputs, %s\n", count, good ? "as expected" : "not as expected");
	return good ? 0 : 1;
}
