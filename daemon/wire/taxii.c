#include "wire/taxii.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "base/mem.h"

#define KEY_MAX 64
/* `next` as it may be spelled, each character as \uXXXX. */
#define SPELLED_MAX ((size_t)TAXII_NEXT_MAX * 6)

struct taxii_scan {
	unsigned depth;
	bool ended;
	bool in_string;
	bool escaped;
	bool is_value; /* behind the ':' of an outermost member */
	bool in_objects;
	bool objects;
	bool stray;
	bool more;
	struct buf key;  /* outermost member, as written */
	struct buf text; /* outermost string or literal, as written */
	struct buf next; /* decoded */
};

struct taxii_scan *taxii_scan_new(void)
{
	return mem_alloc(sizeof(struct taxii_scan));
}

void taxii_scan_free(struct taxii_scan **scan)
{
	if (!*scan)
		return;
	buf_free(&(*scan)->key);
	buf_free(&(*scan)->text);
	buf_free(&(*scan)->next);
	free(*scan);
	*scan = NULL;
}

void taxii_scan_reset(struct taxii_scan *scan)
{
	struct buf key = scan->key;
	struct buf text = scan->text;
	struct buf next = scan->next;

	buf_clear(&key);
	buf_clear(&text);
	buf_clear(&next);
	*scan = (struct taxii_scan){.key = key, .text = text, .next = next};
}

static void text_add(struct taxii_scan *scan, char c)
{
	if (scan->depth == 1 && scan->text.len <= SPELLED_MAX)
		buf_char(&scan->text, c);
}

/* The text of a JSON string back as its bytes; what is none is left as it is. */
static void decode(struct buf *text)
{
	struct buf quoted = {0};
	struct json_object *string;

	buf_printf(&quoted, "\"%.*s\"", (int)text->len, text->data);
	string = json_tokener_parse(buf_cstr(&quoted));
	if (json_object_is_type(string, json_type_string)) {
		buf_clear(text);
		buf_append(text, json_object_get_string(string), (size_t)json_object_get_string_len(string));
	}
	json_object_put(string);
	buf_free(&quoted);
}

static void member_end(struct taxii_scan *scan)
{
	if (!scan->is_value)
		return;
	scan->is_value = false;
	if (str_equal(buf_view(&scan->key), STR("more"))) {
		scan->more = str_equal(buf_view(&scan->text), STR("true"));
	} else if (str_equal(buf_view(&scan->key), STR("next")) &&
		   !str_equal(buf_view(&scan->text), STR("null"))) {
		buf_clear(&scan->next);
		buf_str(&scan->next, buf_view(&scan->text));
		if (scan->next.len > 0 && memchr(scan->next.data, '\\', scan->next.len))
			decode(&scan->next);
	}
	buf_clear(&scan->text);
}

static void key_end(struct taxii_scan *scan)
{
	scan->is_value = true;
	buf_clear(&scan->key);
	if (scan->text.len <= KEY_MAX)
		buf_str(&scan->key, buf_view(&scan->text));
	if (scan->key.len > 0 && memchr(scan->key.data, '\\', scan->key.len))
		decode(&scan->key);
	buf_clear(&scan->text);
}

/* What begins here is the value of the outermost `objects`. */
static bool at_objects(const struct taxii_scan *scan)
{
	return scan->depth == 1 && scan->is_value && str_equal(buf_view(&scan->key), STR("objects"));
}

static void in_string(struct taxii_scan *scan, char c)
{
	if (scan->escaped)
		scan->escaped = false;
	else if (c == '\\')
		scan->escaped = true;
	else if (c == '"')
		scan->in_string = false;
	if (scan->in_string)
		text_add(scan, c);
}

static void open_bracket(struct taxii_scan *scan, char c)
{
	if (at_objects(scan) && c == '[')
		scan->in_objects = true;
	else if (scan->in_objects)
		scan->objects = true;
	else if (scan->depth == 0 || at_objects(scan))
		scan->stray = scan->stray || scan->depth > 0 || c != '{';
	scan->depth++;
}

static void close_bracket(struct taxii_scan *scan)
{
	if (scan->depth == 1)
		member_end(scan);
	if (scan->depth > 0)
		scan->depth--;
	if (scan->depth == 1)
		scan->in_objects = false;
	if (scan->depth == 0)
		scan->ended = true;
}

static void outside_string(struct taxii_scan *scan, char c)
{
	switch (c) {
	case '"':
		scan->in_string = true;
		if (scan->depth == 1)
			buf_clear(&scan->text);
		scan->objects = scan->objects || scan->in_objects;
		scan->stray = scan->stray || at_objects(scan);
		break;
	case '{':
	case '[':
		open_bracket(scan, c);
		break;
	case '}':
	case ']':
		close_bracket(scan);
		break;
	case ':':
		if (scan->depth == 1)
			key_end(scan);
		break;
	case ',':
		if (scan->depth == 1)
			member_end(scan);
		break;
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		break;
	default:
		scan->stray = scan->stray || at_objects(scan);
		text_add(scan, c);
	}
}

void taxii_scan_bytes(struct taxii_scan *scan, struct str bytes)
{
	for (size_t i = 0; i < bytes.len && !scan->ended; i++) {
		if (scan->in_string)
			in_string(scan, bytes.p[i]);
		else
			outside_string(scan, bytes.p[i]);
	}
}

bool taxii_scan_ended(const struct taxii_scan *scan)
{
	return scan->ended;
}

bool taxii_scan_objects(const struct taxii_scan *scan)
{
	return scan->objects;
}

bool taxii_scan_stray(const struct taxii_scan *scan)
{
	return scan->stray;
}

bool taxii_scan_more(const struct taxii_scan *scan)
{
	return scan->more;
}

struct str taxii_scan_next(struct taxii_scan *scan)
{
	return scan->next.len <= TAXII_NEXT_MAX ? buf_view(&scan->next) : STR("");
}

/* RFC 3986 2.3: all but the unreserved is escaped. */
static void add_escaped(struct buf *out, struct str text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
			c == '.' || c == '_' || c == '~') {
			buf_char(out, (char)c);
		} else {
			buf_char(out, '%');
			buf_char(out, hex[c >> 4]);
			buf_char(out, hex[c & 15]);
		}
	}
}

bool taxii_filter(struct str words, struct buf *query, struct err *err)
{
	static const char *const names[] = {"id", "type", "version", "spec_version"};
	struct str word, name;
	size_t known;

	while (str_split(&words, ' ', &word)) {
		if (str_trim(word).len == 0)
			continue;
		word = str_trim(word);
		str_split(&word, '=', &name);
		for (known = 0; known < ARRAY_LEN(names); known++)
			if (str_equal(name, str_of(names[known])))
				break;
		if (known == ARRAY_LEN(names) || !word.p || word.len == 0)
			return err_set(err, ERR_MALFORMED,
				"expected id=, type=, version= or spec_version= with a value, such as "
				"\"type=indicator,malware version=all\"");
		buf_printf(query, "&match%%5B%s%%5D=", names[known]);
		add_escaped(query, word);
	}
	return true;
}

void taxii_page_url(struct str collection, unsigned limit, struct str filter, struct str added_after,
	struct str next, struct buf *out)
{
	buf_str(out, collection);
	if (!str_ends(collection, STR("/")))
		buf_char(out, '/');
	buf_printf(out, "objects/?limit=%u", limit);
	buf_str(out, filter);
	if (added_after.len > 0) {
		buf_text(out, "&added_after=");
		add_escaped(out, added_after);
	}
	if (next.len > 0) {
		buf_text(out, "&next=");
		add_escaped(out, next);
	}
}
