#include "config.h"

#include "model/source.h"

#include "base/mem.h"
#include "base/pack.h"
#include "model/storable.h"

static const char *const kind_names[SOURCE_KINDS] = {
	[SOURCE_MAILBOX] = "mailbox",
	[SOURCE_SENSOR] = "sensor",
	[SOURCE_FEED] = "feed",
	[SOURCE_TAXII] = "taxii",
	[SOURCE_DESK] = "desk",
	[SOURCE_MISP] = "misp",
	[SOURCE_MISP_FEED] = "misp-feed",
	[SOURCE_SHADOWSERVER] = "shadowserver",
};

static const enum lane lanes[SOURCE_KINDS] = {
	[SOURCE_MAILBOX] = LANE_PEOPLE,
	[SOURCE_SENSOR] = LANE_SENSORS,
	[SOURCE_FEED] = LANE_FEEDS,
	[SOURCE_TAXII] = LANE_FEEDS,
	[SOURCE_DESK] = LANE_PEOPLE,
	[SOURCE_MISP] = LANE_FEEDS,
	[SOURCE_MISP_FEED] = LANE_FEEDS,
	[SOURCE_SHADOWSERVER] = LANE_FEEDS,
};

static const char *const format_names[FORMATS] = {
	[FORMAT_AUTO] = "auto",
	[FORMAT_MAIL] = "mail",
	[FORMAT_LINES] = "lines",
	[FORMAT_STIX] = "stix",
	[FORMAT_NATIVE] = "native",
	[FORMAT_EVE] = "eve",
	[FORMAT_IDEA] = "idea",
	[FORMAT_INTELMQ] = "intelmq",
	[FORMAT_ZEEK] = "zeek",
	[FORMAT_CSV] = "csv",
	[FORMAT_MISP] = "misp",
	[FORMAT_XARF] = "xarf",
	[FORMAT_SHADOWSERVER] = "shadowserver",
};

const char *source_kind_name(enum source_kind kind)
{
	return kind > 0 && kind < SOURCE_KINDS ? kind_names[kind] : "unknown";
}

bool source_kind_parse(struct str text, enum source_kind *kind)
{
	for (unsigned i = 1; i < SOURCE_KINDS; i++) {
		if (str_equal(text, str_of(kind_names[i]))) {
			*kind = (enum source_kind)i;
			return true;
		}
	}
	return false;
}

enum lane source_lane(const struct source *source)
{
	return source->kind < SOURCE_KINDS ? lanes[source->kind] : LANE_FEEDS;
}

const char *format_name(enum format format)
{
	return format_names[format < FORMATS ? format : FORMAT_AUTO];
}

bool format_parse(struct str text, enum format *format)
{
	for (unsigned i = 0; i < FORMATS; i++) {
		if (str_equal(text, str_of(format_names[i]))) {
			*format = (enum format)i;
			return true;
		}
	}
	return false;
}

bool format_is_lines(enum format format)
{
	switch (format) {
	case FORMAT_LINES:
	case FORMAT_NATIVE:
	case FORMAT_EVE:
	case FORMAT_IDEA:
	case FORMAT_INTELMQ:
	case FORMAT_ZEEK:
		return true;
	default:
		return false;
	}
}

/* Bits of a source's switches as they are packed. */
enum { BIT_ENABLED = 1, BIT_RESTRICTED = 2, BIT_MAY_NOTIFY = 4, BITS_ALL = 7 };

#define MAX_SETTINGS 4096
#define SOURCE_LEAST 62 /* bytes that an encoded source takes at least */

static void source_encode(const struct source *source, struct buf *out)
{
	pack_u32(out, source->id);
	pack_u32(out, source->kind);
	pack_u8(out,
		(uint8_t)((source->enabled ? BIT_ENABLED : 0) | (source->restricted ? BIT_RESTRICTED : 0) |
			  (source->may_notify_affected ? BIT_MAY_NOTIFY : 0)));
	pack_u32(out, source->tlp);
	pack_u32(out, source->pap);
	pack_u32(out, source->type);
	pack_u32(out, source->format);
	pack_u8(out, (uint8_t)source->trust);
	pack_str(out, source->name);
	pack_str(out, source->match);
	pack_str(out, source->exercise);
	pack_str(out, source->settings);
	pack_u32(out, source->interval);
	pack_u64(out, source->max_lines);
	pack_u64(out, source->max_bytes);
}

void source_table_encode(const struct source_table *table, struct buf *out)
{
	pack_u64(out, table->version);
	pack_u32(out, (uint32_t)table->count);
	for (size_t i = 0; i < table->count; i++)
		source_encode(&table->sources[i], out);
}

static bool name_ok(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '.' && c != '_')
			return false;
	}
	return name.len > 0 && name.len <= 64;
}

static bool source_decode(struct unpack *in, struct source *source)
{
	source->id = unpack_u32(in);
	source->kind = (enum source_kind)unpack_enum(in, SOURCE_KINDS);
	uint8_t bits = unpack_u8(in);
	source->enabled = bits & BIT_ENABLED;
	source->restricted = bits & BIT_RESTRICTED;
	source->may_notify_affected = bits & BIT_MAY_NOTIFY;
	source->tlp = (enum tlp)unpack_enum(in, TLP_RED + 1);
	source->pap = (enum pap)unpack_enum(in, PAP_RED + 1);
	source->type = (enum rsit_type)unpack_enum(in, RSIT_COUNT);
	source->format = (enum format)unpack_enum(in, FORMATS);
	source->trust = unpack_u8(in);
	source->name = unpack_str(in);
	source->match = unpack_str(in);
	source->exercise = unpack_str(in);
	source->settings = unpack_str(in);
	source->interval = unpack_u32(in);
	source->max_lines = unpack_u64(in);
	source->max_bytes = unpack_u64(in);
	return !in->failed && source->kind != 0 && (bits & ~BITS_ALL) == 0 && source->trust <= 100 &&
	       name_ok(source->name) && storable_is(source->match, MAX_VALUE) &&
	       storable_is(source->exercise, MAX_IDENTIFIER) && storable_is(source->settings, MAX_SETTINGS);
}

bool source_table_decode(struct str bytes, struct arena *arena, struct source_table *table, struct err *err)
{
	struct unpack in = {.rest = bytes};
	struct source_table read = {.version = unpack_u64(&in)};
	read.count = unpack_count(&in, SOURCE_LEAST);
	read.sources = arena_alloc(arena, read.count * sizeof(*read.sources));
	for (size_t i = 0; i < read.count; i++) {
		struct source *source = &read.sources[i];
		if (!source_decode(&in, source) || (i > 0 && source->id <= source[-1].id))
			return err_set(err, ERR_CORRUPT,
				"source %zu of %zu is not one, or not in order of id", i + 1, read.count);
	}
	if (!unpack_end(&in))
		return err_set(err, ERR_CORRUPT,
			"a source table of %zu sources and nothing else was expected", read.count);
	*table = read;
	return true;
}

const struct source *source_by_id(const struct source_table *table, uint32_t id)
{
	size_t from = 0, to = table->count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (table->sources[middle].id == id)
			return &table->sources[middle];
		if (table->sources[middle].id < id)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

const struct source *source_by_name(const struct source_table *table, struct str name)
{
	for (size_t i = 0; i < table->count; i++) {
		if (str_equal(table->sources[i].name, name))
			return &table->sources[i];
	}
	return NULL;
}

/* How well a mailbox fits: 3 the address itself, 2 "local@", 1 "*", 0 not at all. */
static int match_recipient(struct str match, struct str address)
{
	struct str word;
	int best = 0;
	while (str_split(&match, ' ', &word)) {
		int fits = 0;
		if (word.len == 0)
			continue;
		if (str_equal_nocase(word, address))
			fits = 3;
		else if (word.p[word.len - 1] == '@' && address.len > word.len &&
			 str_equal_nocase(word, (struct str){address.p, word.len}))
			fits = 2;
		else if (str_equal(word, STR("*")))
			fits = 1;
		best = fits > best ? fits : best;
	}
	return best;
}

const struct source *source_by_recipient(const struct source_table *table, struct str address)
{
	const struct source *found = NULL;
	int best = 0;
	for (size_t i = 0; i < table->count; i++) {
		const struct source *source = &table->sources[i];
		if (source->kind != SOURCE_MAILBOX || !source->enabled)
			continue;
		int fits = match_recipient(source->match, address);
		if (fits > best) {
			best = fits;
			found = source;
		}
	}
	return found;
}
