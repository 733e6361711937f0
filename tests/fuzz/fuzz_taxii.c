#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/cursor.h"
#include "wire/taxii.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool so)
{
	if (!so)
		abort();
}

/* An envelope says the same in pieces as in one. */
static void scan(struct str text, size_t piece)
{
	struct taxii_scan *whole = taxii_scan_new();
	struct taxii_scan *cut = taxii_scan_new();
	struct buf url = {0};

	taxii_scan_bytes(whole, text);
	for (size_t at = 0; at < text.len; at += piece)
		taxii_scan_bytes(
			cut, (struct str){text.p + at, text.len - at < piece ? text.len - at : piece});
	must(taxii_scan_ended(whole) == taxii_scan_ended(cut));
	must(taxii_scan_objects(whole) == taxii_scan_objects(cut));
	must(taxii_scan_stray(whole) == taxii_scan_stray(cut));
	must(taxii_scan_more(whole) == taxii_scan_more(cut));
	must(str_equal(taxii_scan_next(whole), taxii_scan_next(cut)));
	must(taxii_scan_next(whole).len <= TAXII_NEXT_MAX);
	taxii_page_url(text, 100, STR(""), text, taxii_scan_next(whole), &url);
	for (size_t i = text.len + 1; i < url.len; i++)
		must((unsigned char)url.data[i] > ' ' && (unsigned char)url.data[i] < 0x7f);
	buf_free(&url);
	taxii_scan_free(&whole);
	taxii_scan_free(&cut);
}

/* A filter becomes a query of nothing but what a URL may hold. */
static void filter(struct str words)
{
	struct buf query = {0};

	if (taxii_filter(words, &query, NULL))
		for (size_t i = 0; i < query.len; i++)
			must((unsigned char)query.data[i] > ' ' && (unsigned char)query.data[i] < 0x7f);
	buf_free(&query);
}

/* What is taken for a cursor is written and read again as the same. */
static void cursor(struct str json)
{
	static const struct str url = {"https://feed.example/", 21};
	struct cursor one, again;
	struct buf out = {0};

	if (cursor_decode(json, url, &one)) {
		cursor_encode(&one, url, &out);
		must(cursor_decode(buf_view(&out), url, &again));
		must(strcmp(one.etag, again.etag) == 0 && strcmp(one.next, again.next) == 0 &&
			strcmp(one.added_after, again.added_after) == 0);
	}
	buf_free(&out);
}

/* First byte: 0 a bookmark, 1 a filter too, else an envelope in pieces of that length. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str body = {(const char *)data + 1, size - 1};

	if (size > 0 && data[0] == 0)
		cursor(body);
	else if (size > 0)
		scan(body, data[0]);
	if (size > 0 && data[0] == 1)
		filter(body);
	return 0;
}
